/**
 * Addresses as phones fill them in: accepted, stored in the form of their country, and requested in
 * its order.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { DELIVERY, type Client, type Json } from './client.ts';
import { startShop, type Shop } from './shop.ts';

let shop: Shop;
let shopper: Client;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000 }));
  shopper = shop.shopper();
  await shopper.add('LAMP');
});
after(() => shop.close());

const PLACE = { name: 'Ann Shopper', line1: '1 Main Street', city: 'Town' };

async function quoted(address: Json): Promise<[string | undefined, string | undefined]> {
  const { id } = await shopper.quote({ shipping_address: { ...PLACE, ...address } });
  const form = (await shopper.get(`/checkout?quote=${id}`)).text;
  const valueOf = (name: string) => form.match(new RegExp(`<input id="${name}"[^>]* value="([^"]*)"`))?.[1];
  return [valueOf('region') || undefined, valueOf('postal_code')];
}

test('postal codes are taken with the sign of their country and without', async () => {
  for (const [country, typed, kept] of [
    ['LU', 'L-8211', '8211'], ['LT', 'LT-01001', '01001'], ['MD', 'MD-2001', '2001'], ['FI', 'FI-00100', '00100'], ['SE', 'SE-113 21', '113 21'],
    ['CH', 'CH-8050', '8050'], ['DE', 'D-10115', '10115'], ['AT', 'A-1010', '1010'], ['BE', 'B-1000', '1000'], ['DK', 'DK-1050', '1050'], ['NO', 'N-0155', '0155'],
    ['LV', '1073', 'LV-1073'], ['DE', '１０１１５\u200b', '10115'], ['GB', 'sw1a\u00a01aa', 'SW1A 1AA'], ['PL', '00\u2013950', '00-950'],
  ] as const) assert.deepEqual(await quoted({ country, postal_code: typed }), [undefined, kept], `${country} ${typed}`);
});

test('regions are taken as wallets and people write them', async () => {
  const jp = { country: 'JP', postal_code: '100-0001' };
  const us = { country: 'US', postal_code: '10001' };
  const ca = { country: 'CA', postal_code: 'K1A 0B1' };
  for (const [address, region, kept] of [
    [{ ...jp, line1: '千代田1-1' }, '東京', '東京都'], [jp, 'Tokyo-to', 'Tokyo'], [jp, 'ＴＯＫＹＯ', 'Tokyo'], [us, 'D.C.', 'DC'], [us, 'N.Y.', 'NY'], [us, 'new  york', 'NY'],
    [us, 'New\u00a0York\u200b', 'NY'], [ca, 'Newfoundland', 'NL'], [ca, 'B.C.', 'BC'], [ca, 'Yukon Territory', 'YT'], [ca, 'Que\u0301bec', 'QC'],
  ] as const) assert.deepEqual((await quoted({ ...address, region }))[0], kept, region);
});

/** Returns the names of the shipping address's fields, from the top of the page down. */
function fieldsOf(page: string): string[] {
  const [, address = ''] = page.split('id="delivery-address"');
  return [...(address.split('</fieldset>')[0] ?? '').matchAll(/<(?:input|select)[^>]* name="(\w+)"/g)].map(([, name = '']) => name);
}

test('a form asks for the parts of a country in its order and by its words', async () => {
  for (const [country, fields, words] of [
    ['US', ['company', 'line1', 'line2', 'city', 'region', 'postal_code'], ['State', 'ZIP code', '<option value="NY">New York']],
    ['DE', ['company', 'line1', 'line2', 'postal_code', 'city'], ['Postal code', 'City']],
    ['BR', ['company', 'line1', 'line2', 'neighborhood', 'city', 'region', 'postal_code'], ['Neighbourhood (optional)', 'autocomplete="shipping address-level3"']],
    ['NZ', ['company', 'line1', 'line2', 'neighborhood', 'city', 'postal_code'], ['Suburb (optional)']],
    ['JP', ['postal_code', 'region', 'city', 'line1', 'line2', 'company'], ['Prefecture', '<option value="東京都">']],
    ['IE', ['company', 'line1', 'line2', 'neighborhood', 'city', 'region', 'postal_code'], ['County', 'Eircode']],
    ['HK', ['region', 'city', 'line1', 'line2', 'company'], ['Area', 'District']],
    ['GB', ['company', 'line1', 'line2', 'city', 'postal_code'], ['Town', 'Postal code']],
  ] as const) {
    const page = (await shopper.get(`/checkout?country=${country}`)).text;
    assert.deepEqual(fieldsOf(page), ['country', 'name', ...fields, 'phone'], country);
    for (const word of words) assert.ok(page.includes(word), `${country} ${word}`);
  }
  const page = (await shopper.get('/de/checkout?country=US')).text;
  assert.ok(page.includes('ZIP-Code') && page.includes('Bundesstaat'));
});

test('the countries of the form are those of the data', async () => {
  const page = (await shopper.get('/checkout')).text;
  const [select = ''] = page.match(/<select id="country".*?<\/select>/s) ?? [];
  const codes = new Set([...select.matchAll(/<option value="(\w\w)"/g)].map(([, code]) => code));
  assert.equal(codes.size, 250);
});

test('without a script a button shows the fields of another country, and what was typed stays', async () => {
  const typed = { email: 'ann@shopper.test', ...PLACE, region: 'Bavaria', country: 'DE', billing_country: 'DE', change: 'country' };
  const page = (await shopper.send('POST', '/checkout', new URLSearchParams(typed).toString(), { 'content-type': 'application/x-www-form-urlencoded' })).text;
  assert.deepEqual(fieldsOf(page), ['country', 'name', 'company', 'line1', 'line2', 'postal_code', 'city', 'region', 'phone']);
  assert.ok(page.includes('value="Bavaria"') && page.includes('value="1 Main Street"') && !page.includes('class="fault"'), page);
});

test('an order shows its address as its country writes it', async () => {
  const address = { ...PLACE, company: '会社', line1: '千代田1-1', city: '千代田区', region: '東京', postal_code: '１０００００１', country: 'JP', phone: '＋８１（０）３ー１２３４ー５６７８' };
  const { id } = await shopper.quote({ ...DELIVERY, shipping_address: address });
  const order = (await shopper.order(id)).expect(201);
  const formatted = ['〒100-0001', '東京都千代田区', '千代田1-1', '会社', 'Ann Shopper', 'Japan'];
  const kept = { ...address, region: '東京都', postal_code: '100-0001', phone: '+81312345678', formatted };
  assert.deepEqual([order.shipping_address, order.billing_address], [kept, kept]);
  assert.deepEqual((await shop.staff.get(`/api/v1/orders/${order.id}`)).expect(200).shipping_address, kept);
  const page = (await shopper.get(`/orders/${order.id}`)).text;
  assert.ok(page.includes('<bdi>〒100-0001</bdi><br><bdi>東京都千代田区</bdi><br><bdi>千代田1-1</bdi><br><bdi>会社</bdi><br><bdi>Ann Shopper</bdi>'), page);
  assert.ok(page.includes('Phone <bdi>+81312345678</bdi>'), page);
});

test('a way to ship may need a phone number, and says so where it lacks', async (t) => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const path = '/api/v1/admin/settings/shipping-zones';
  const { version, ...before } = (await shop.staff.get(path)).expect(200);
  t.after(async () => (await shop.staff.put(path, before)).expect(200));
  const method = (id: string, title: string, phone?: string) => ({ id, title, phone, rates: [{ price: { amount: 0, currency: 'USD' } }] });
  const set = async (...methods: Json[]) => (await shop.staff.put(path, { shipping_zones: [{ id: 'all', places: [{ country: '*' }], methods }] })).expect(200);
  await set(method('standard', 'Standard'), method('courier', 'By courier', 'required'));
  const unknown = await shop.staff.put(path, { shipping_zones: [{ id: 'all', places: [{ country: '*' }], methods: [method('courier', 'By courier', 'always')] }] });
  assert.match(unknown.refused(400, 'malformed_json').detail, /^shipping_zones: methods: phone: unknown variant `always`, expected `optional` or `required`/);
  const address = { ...DELIVERY.shipping_address };
  const ask = (changes: Json) => buyer.post('/api/v1/cart/quote', { ...DELIVERY, shipping_method: 'courier', ...changes });
  for (const phone of [undefined, '', ' \u00a0']) {
    const { errors } = (await ask({ shipping_address: { ...address, phone } })).refused(422, 'phone_required');
    assert.deepEqual(errors.map(({ field }: Json) => field), ['shipping_address.phone']);
    assert.match(errors[0].detail, /“By courier”/);
  }
  (await ask({ shipping_method: 'standard', shipping_address: address })).expect(201);
  (await ask({ shipping_address: { ...address, phone: '212 555 0100' } })).expect(201);
  const { data } = (await buyer.get('/api/v1/cart/shipping-methods?country=US')).expect(200);
  assert.deepEqual(data.map(({ id, phone }: Json) => [id, phone]), [['standard', 'optional'], ['courier', 'required']]);

  const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
  const typed = { ...address, email: 'ann@shopper.test', shipping_method: 'courier', billing_same: 'yes' };
  const page = await buyer.send('POST', '/checkout', new URLSearchParams(typed).toString(), form);
  assert.equal(page.status, 422);
  assert.match(page.text, /<input id="phone" type="tel" name="phone" value="" autocomplete="shipping tel" aria-invalid="true" aria-describedby="phone-fault" autofocus>/);
  assert.match(page.text, /id="phone-fault">“By courier” requires a phone number\./);
  assert.ok(page.text.includes('value="1 Main Street"') && page.text.includes('The carrier needs your phone number'), page.text);

  const { id } = (await ask({ shipping_method: 'standard', shipping_address: address })).expect(201);
  await set(method('standard', 'Standard', 'required'));
  assert.equal((await buyer.order(id)).refused(422, 'phone_required').errors[0].field, 'shipping_address.phone');
  const asked = await buyer.send('POST', `/checkout/${id}`, `key=${id}`, form);
  assert.equal(asked.status, 422);
  assert.match(asked.text, /<input id="phone"[^>]* required aria-invalid="true"/);
  assert.ok(asked.text.includes('value="1 Main Street"') && asked.text.includes('id="phone-fault"'), asked.text);
});
