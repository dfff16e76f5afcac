/**
 * Text that people type, paste and have filled in: normalized to one form in the runtime, whose
 * Unicode tables differ from those of the native tests.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { DELIVERY, type Json } from './client.ts';
import { eventually } from './eventually.ts';
import { pasted } from './pasted.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

const HTML = { accept: 'text/html' };
const BERLIN = { name: 'Uwe', line1: 'Torstraße 1', city: 'Berlin', postal_code: '10115', country: 'DE' };

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000 }));
});
after(() => shop.close());

test('a code is taken however it was pasted', async () => {
  const percentage = { kind: 'percentage', off_ppm: 100_000 };
  const promotions = [{ id: 'save', title: 'Save', code: 'SAVE-10', benefit: percentage }, { id: 'thanks', title: 'Thanks', code: 'DANKEFÜR', benefit: percentage }];
  (await shop.staff.put('/api/v1/admin/settings/promotions', { promotions })).expect(200);
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  for (const [code, id] of [
    ['SAVE-10\u200b', 'save'], ['save\u201310', 'save'], ['\ufeffSAVE\u201110\u00a0', 'save'], ['ＳＡＶＥ－１０', 'save'], ['\u202aSAVE\u221210\u202c', 'save'], ['save-١٠', 'save'],
    ['dankefu\u0308r', 'thanks'], ['Danke\u00adfür', 'thanks'], ['danke\u3000für', 'thanks'],
  ] as const) {
    const { promotions: [used] } = await buyer.quote({ codes: [code] });
    assert.equal(used?.id, id, JSON.stringify(code));
  }
  (await buyer.post('/api/v1/cart/quote', { ...DELIVERY, codes: ['SAVE10'] })).refused(422, 'unknown_code');
});

test('a VAT number is taken however it was pasted', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  for (const number of ['DE\u00a0123\u2011456\u2013789\u200b', 'ＤＥ１２３４５６７８９', '\u200ede.123.456.789']) {
    const quote = await buyer.quote({ shipping_address: BERLIN, vat_number: number });
    assert.equal(quote.vat_number, 'DE123456789', JSON.stringify(number));
  }
});

test('a SKU is taken as it was pasted, and kept as the merchant writes it', async () => {
  const buyer = shop.shopper();
  await buyer.add('\u200bＬＡＭＰ\u00a0', 1);
  const { lines } = (await buyer.get('/api/v1/cart')).expect(200);
  assert.deepEqual(lines.map(({ sku }: Json) => sku), ['LAMP']);
  (await buyer.post('/api/v1/cart/items', { sku: 'lamp', quantity: 1 })).refused(422, 'unknown_sku');
});

test('a line is removed, and a variant shown, by its SKU as it was pasted', async () => {
  await shop.importCatalog('Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\nmat,Mat,Size,S,MAT-S 1,5\nmat,,,M,MAT-M 1,6\n');
  for (const sku of pasted('MAT-M 1').map(encodeURIComponent)) {
    const buyer = shop.shopper();
    await eventually(() => buyer.add('MAT-M 1', 1));
    const { lines } = (await buyer.send('DELETE', `/api/v1/cart/items/${sku}`)).expect(200);
    assert.deepEqual(lines, [], sku);
    const page = await buyer.get(`/products/mat?sku=${sku}`, HTML);
    assert.match(page.text, /name="sku" value="MAT-M 1"/, sku);
  }
});

test('a place is taken however it was pasted', async () => {
  const home = { name: 'Ann', line1: '1 Main St', city: 'New York', region: 'NY', postal_code: '10001-1234', country: 'US' };
  const regions = pasted(home.region);
  for (const [nth, postal_code] of pasted(home.postal_code).entries()) {
    const buyer = shop.shopper();
    await buyer.add('LAMP');
    const { id } = await buyer.quote({ shipping_address: { ...home, postal_code, region: regions[nth] } });
    const { shipping_address: kept } = (await buyer.order(id)).expect(201);
    assert.deepEqual([kept.postal_code, kept.region], [home.postal_code, home.region], JSON.stringify(postal_code));
  }
});

test('a mail address is one on every face, as the payment provider takes it', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  for (const email of [
    'ann@shopper..test', 'ann,bob@shopper.test', 'ann@-shopper.test', `${'a'.repeat(65)}@shopper.test`, 'ann@shopper.123', '<ann@shopper.test>', 'x<victim@evil.test>', 'ann@shopper.test\u0000',
  ]) {
    const { errors } = (await buyer.post('/api/v1/cart/quote', { ...DELIVERY, email })).refused(422, 'invalid_email');
    assert.deepEqual(errors.map(({ field }: Json) => field), ['email'], email);
    const form = new URLSearchParams({ number: '1234567', email }).toString();
    const page = await shop.shopper().send('POST', '/orders', form, { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' });
    assert.equal(page.status, 422, email);
  }
  for (const [typed, kept, sent] of [
    [' ann+shop@shopper.test\u200b', 'ann+shop@shopper.test', 'ann+shop@shopper.test'],
    ["o'neil@shopper.test", "o'neil@shopper.test", "o'neil@shopper.test"],
    ['ann.@docomo.test', 'ann.@docomo.test', 'ann.@docomo.test'],
    ['ａｎｎ＠ｓｈｏｐｐｅｒ。ｔｅｓｔ', 'ann@shopper.test', 'ann@shopper.test'],
    ['ann@mu\u0308ller.test', 'ann@müller.test', 'ann@xn--mller-kva.test'],
    ['änne@shopper.test', 'änne@shopper.test', null],
  ] as const) {
    const person = shop.shopper();
    await person.add('LAMP');
    const { id } = await person.quote({ email: typed });
    const order = (await person.order(id)).expect(201);
    assert.equal(order.email, kept);
    assert.equal(shop.sandbox.account.sessions.get(sessionOf(order))?.customer_email, sent);
  }
});

const COLUMNS = ['Handle', 'Title', 'Vendor', 'Status', 'Option1 Name', 'Option1 Value', 'Variant SKU', 'Variant Barcode', 'Variant Price', 'Type', 'Tags', 'Variant Inventory Tracker', 'Variant Inventory Qty'];
const IN_STOCK = ['SHOE', 'APPLE', 'TABLE-XL'];
const PRODUCTS: [title: string, vendor: string, variants: [sku: string, barcode: string, price: string][]][] = [
  ['Café crème', 'Röst & Co', [['CAFE', '4006381333931', '5.00']]],
  ['Zebra mug', 'ACME', [['MUG-1', '036000291452', '9.00']]],
  ['Müller’s oak table', 'Acme ', [['TABLE', '', '10.00'], ['TABLE-XL', '', '100.00']]],
  ['Äpfel', 'acme', [['APFEL', '', '3.00']]],
  ['apple', 'Acme', [['APPLE', '', '41.00']]],
  ['Straßenschuh', 'Levi’s', [['SHOE', '', '20.00'], ['SHOE-M', '', '50.00'], ['SHOE-L', '', '90.00']]],
  ['Men’s T-Shirt', "Levi's", [['SHIRT', '', '30.00']]],
  ['ﾃｽﾄ', '', [['TEST', '', '30.00']]],
];

test('a search, a maker and a price find what is meant, whatever its letters', async (t) => {
  const rows = PRODUCTS.flatMap(([title, vendor, variants], nth) => variants.map(([sku, barcode, price], at) => [
    `p${nth}`, at ? '' : title, at ? '' : vendor, at ? '' : 'active', at ? '' : variants.length > 1 ? 'Size' : 'Title', variants.length > 1 ? sku : 'Default Title', sku, barcode, price,
    nth || at ? '' : 'Heiß-Getränk & Co', nth || at ? '' : '"neu, früh-stück"', 'shopify', IN_STOCK.includes(sku) ? '5' : '0',
  ]));
  await shop.importCatalog([COLUMNS, ...rows].map((row) => row.join(',')).join('\n'));
  const page = async (query: Record<string, string>) => (await shop.staff.get(`/products?${new URLSearchParams(query)}`, HTML)).text;
  const titles = (html: string) => PRODUCTS.map(([title], nth) => [title, html.indexOf(`href="/products/p${nth}"`)] as const)
    .filter(([, at]) => at >= 0).sort(([, a], [, b]) => a - b).map(([title]) => title);
  for (const [search, ...found] of [
    ['cafe', 'Café crème'], ['cafe\u0301 creme', 'Café crème'], ['muller', 'Müller’s oak table'], ['mueller', 'Müller’s oak table'], ["müller's", 'Müller’s oak table'], ['mullers', 'Müller’s oak table'],
    ['strassenschuh', 'Straßenschuh'], ['STRASSE', 'Straßenschuh'], ['tshirt', 'Men’s T-Shirt'], ["men's t shirt", 'Men’s T-Shirt'], ['t\u2011shirt', 'Men’s T-Shirt'], ['テスト', 'ﾃｽﾄ'],
    ['4006381333931', 'Café crème'], ['4 006381 333931', 'Café crème'], ['0036000291452', 'Zebra mug'], ['mug 036000291452', 'Zebra mug'], ['mug-1', 'Zebra mug'], ['rost', 'Café crème'], ['てすと', 'ﾃｽﾄ'], ['4006381333932'],
  ] as const) await t.test(`search ${search}`, async () => assert.deepEqual(titles(await page({ q: search })), found));

  for (const [min, max, ...found] of [
    ['40', '60', 'apple', 'Straßenschuh'], ['95', '', 'Müller’s oak table'], ['', '4', 'Äpfel'], ['11', '19'], ['４０', '６０', 'apple', 'Straßenschuh'],
  ] as const) await t.test(`from ${min} to ${max}`, async () => assert.deepEqual(titles(await page({ min, max })), found));

  for (const [min, max] of [['cheap', '60'], ['40', '6o'], ['-40', ''], ['1.2.3', '60'], ['40', '9'.repeat(30)]] as const) await t.test(`from ${min} to ${max}, which is no amount`, async () => {
    for (const [face, said] of [['', 'This amount was ignored'], ['/de', 'Dieser Betrag war nicht lesbar']] as const) {
      const { status, text } = await shop.staff.get(`${face}/products?${new URLSearchParams({ min, max })}`, HTML);
      assert.equal(status, 200);
      const faulty = [...text.matchAll(/<input id="(min|max)"[^>]* value="([^"]*)"[^>]* aria-invalid="true" aria-describedby="\1-fault"><p class="fault" id="\1-fault">([^<]*)/g)].map((found) => found.slice(1));
      const [name, typed] = /^[\d]{0,2}$/.test(min) ? ['max', max] : ['min', min];
      assert.deepEqual(faulty.map(([field, value]) => [field, value]), [[name, typed]], text.match(/<div class="range">.*?<\/fieldset>/s)?.[0]);
      assert.ok(faulty[0]![2]!.startsWith(said));
      const other = name === 'min' ? max : min;
      assert.match(text, new RegExp(`name="${name === 'min' ? 'max' : 'min'}" value="${other}"`));
    }
    const query = new URLSearchParams({ min_price: min, max_price: max });
    const { errors } = (await shop.staff.get(`/api/v1/products?${query}`)).refused(422, 'invalid_price');
    assert.deepEqual(errors.map(({ field }: Json) => field), [/^[\d]{0,2}$/.test(min) ? 'max_price' : 'min_price']);
  });
  for (const price of ['$40', '40 $', '\u00a040.00\u200b', '40,00']) assert.equal(titles(await page({ min: price, max: '60' })).length, 2, price);

  const all = await page({ sort: 'title' });
  assert.deepEqual(titles(all), ['Äpfel', 'apple', 'Café crème', 'Men’s T-Shirt', 'Müller’s oak table', 'Straßenschuh', 'Zebra mug', 'ﾃｽﾄ']);
  const vendors = (html: string) => [...html.match(/<select[^>]* name="vendor".*?<\/select>/s)![0].matchAll(/<option value="([^"]+)"[^>]*>[^<]* \((\d+)\)/g)].map(([, value, count]) => [value, Number(count)] as const);
  assert.deepEqual(vendors(all), [['Acme', 4], ["Levi's", 2], ['Röst &amp; Co', 1]]);
  for (const vendor of ['Acme', ' ACME', 'ａｃｍｅ', 'ÁCME']) {
    const narrowed = await page({ vendor });
    assert.equal(titles(narrowed).length, 4, vendor);
    assert.match(narrowed, /<option value="Acme" selected>/);
    assert.equal((await shop.staff.get(`/api/v1/products?${new URLSearchParams({ vendor })}`)).expect(200).total, 4);
  }
  for (const vendor of pasted('Röst & Co')) assert.equal((await shop.staff.get(`/api/v1/products?${new URLSearchParams({ vendor })}`)).expect(200).total, 1, JSON.stringify(vendor));
  for (const [field, value] of [['type', 'Heiß-Getränk & Co'], ['tag', 'früh-stück']] as const) for (const copied of pasted(value)) {
    const { total, data } = (await shop.staff.get(`/api/v1/products?${new URLSearchParams({ [field]: copied })}`)).expect(200);
    assert.deepEqual([total, data[0]?.title], [1, 'Café crème'], `${field} ${JSON.stringify(copied)}`);
  }
  for (const type of pasted('Heiß-Getränk & Co')) assert.deepEqual(titles(await page({ type })), ['Café crème'], JSON.stringify(type));
  for (const q of pasted('t-shirt')) assert.deepEqual(titles(await page({ q })), ['Men’s T-Shirt'], JSON.stringify(q));
  const { data } = (await shop.staff.get('/api/v1/products?min_price=4000&max_price=6000')).expect(200);
  assert.deepEqual(data.map(({ title }: Json) => title), ['apple', 'Straßenschuh']);

  await eventually(async () => assert.deepEqual(titles(await page({ in_stock: 'true' })), ['Müller’s oak table', 'apple', 'Straßenschuh']));
  for (const [min, max, ...found] of [['40', '60', 'apple'], ['15', '25', 'Straßenschuh'], ['10', '10'], ['100', '', 'Müller’s oak table']] as const) {
    assert.deepEqual(titles(await page({ min, max, in_stock: 'true' })), found, `from ${min} to ${max}, in stock`);
  }
  assert.deepEqual(vendors(await page({ min: '15', max: '60', in_stock: 'true' })), [['Acme', 1], ['Levi’s', 1]]);
});
