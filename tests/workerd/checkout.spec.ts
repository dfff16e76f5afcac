/** From a cart to a placed order: requirements, refusals, and no sale of units that don't exist. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { csvOf } from './catalog.ts';
import { DELIVERY, type Answer, type Client, type Json } from './client.ts';
import { eventually } from './eventually.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

const BUYERS = 200;
const UNITS = 25;

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000 }, { sku: 'RARE', quantity: UNITS }, { sku: 'CORD', quantity: 1000 }));
});
after(() => shop.close());

test('200 checkouts at once for 25 units place 25 orders, and hold nothing else', async () => {
  const buyers = await Promise.all(Array.from({ length: BUYERS }, async () => {
    const buyer = shop.shopper();
    await buyer.add('RARE');
    await buyer.add('CORD');
    return { buyer, quoteId: (await buyer.quote()).id };
  }));
  const answers = await Promise.all(buyers.map(({ buyer, quoteId }) => orderUntilDecided(buyer, quoteId)));
  assert.equal(answers.filter(({ status }) => status === 201).length, UNITS);
  for (const answer of answers) if (answer.status !== 201) answer.refused(409, 'sold_out');
  for (const [sku, units] of [['RARE', UNITS], ['CORD', UNITS]] as const) {
    const { held, reserved, committed } = await shop.stock(sku);
    assert.deepEqual({ sku, held, reserved, committed }, { sku, held: units, reserved: 0, committed: 0 });
  }
});

test('refused buyers write nothing to the database, and leave nothing with what is gone', async () => {
  await shop.importCatalog(csvOf({ sku: 'GONE', quantity: 1 }));
  await shop.shopper().buy('GONE');
  const buyers = await Promise.all(Array.from({ length: 20 }, async () => {
    const buyer = shop.shopper();
    for (const sku of ['CORD', 'GONE']) await buyer.add(sku);
    return { buyer, quoteId: (await buyer.quote()).id };
  }));
  const entries = () => shop.stockObject('GONE').stored('SELECT COUNT(*) AS count FROM journal');
  const before = { rows: await shop.counts(), gone: await entries(), cord: await shop.stock('CORD') };
  for (const { buyer, quoteId } of [...buyers, ...buyers]) (await buyer.order(quoteId)).refused(409, 'sold_out');
  assert.deepEqual({ rows: await shop.counts(), gone: await entries() }, { rows: before.rows, gone: before.gone });
  assert.equal((await shop.stock('CORD')).available, before.cord.available);
  await Promise.all(buyers.map(({ buyer }) => buyer.add('CORD')));
});

test('an address is what its country needs', async (t) => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const before = await shop.counts();
  const { shipping_address: good } = DELIVERY;
  for (const [name, address, field, code] of [
    ['no postal code where one is needed', { ...good, postal_code: undefined }, 'postal_code', 'required'],
    ['a postal code of another country', { ...good, postal_code: 'SW1A 1AA' }, 'postal_code', 'invalid_postal_code'],
    ['no region where one is needed', { ...good, region: '  ' }, 'region', 'required'],
    ['a region of another country', { ...good, region: 'Ontario' }, 'region', 'invalid_region'],
    ['a country that is none', { ...good, country: 'ZZ' }, 'country', 'invalid_country'],
    ['a country in words', { ...good, country: 'Germany' }, 'country', 'invalid_country'],
    ['a control character', { ...good, name: 'Ann\u0000' }, 'name', 'control_character'],
    ['a line break', { ...good, line1: 'Main\nStreet' }, 'line1', 'control_character'],
    ['a phone number with words', { ...good, phone: '030 1234 ask for Ann' }, 'phone', 'invalid_phone'],
    ['a phone number of four digits', { ...good, phone: '1234' }, 'phone', 'invalid_phone'],
    ['a company of 10 KB', { ...good, company: 'x'.repeat(10_240) }, 'company', 'too_long'],
    ['a part of a town with a line break', { ...good, neighborhood: 'North\nSide' }, 'neighborhood', 'control_character'],
    ['a line of 10 KB', { ...good, line2: 'x'.repeat(10_240) }, 'line2', 'too_long'],
  ] as const) await t.test(name, async () => {
    const problem = (await buyer.post('/api/v1/cart/quote', { ...DELIVERY, shipping_address: address })).refused(422, code);
    assert.equal(problem.errors[0].field, `shipping_address.${field}`);
  });
  const { id } = await buyer.quote();
  const { errors } = (await buyer.post('/api/v1/orders', { quote_id: id, billing_address: { ...good, country: 'DE', postal_code: '1' } }, { 'idempotency-key': randomUUID() }))
    .refused(422, 'invalid_postal_code');
  assert.equal(errors[0].field, 'billing_address.postal_code');
  assert.deepEqual({ ...(await shop.counts()), quotes: 0 }, { ...before, quotes: 0 });
});

test('any script is kept as it was typed', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const address = { name: 'عائشة 🎉 "><img src=x>', line1: 'שדרות 1 \u202Eabc', city: '東京', region: '東京都', postal_code: '100-0001', country: 'JP' };
  const { id } = await buyer.quote({ shipping_address: address });
  const order = (await buyer.order(id)).expect(201);
  const { formatted, ...kept } = order.shipping_address;
  assert.deepEqual(kept, address);
  assert.deepEqual(formatted.slice(0, 2), ['〒100-0001', '東京都東京']);
  const page = (await buyer.get(`/orders/${order.id}`)).text;
  assert.ok(page.includes('عائشة 🎉 &quot;&gt;&lt;img src=x&gt;') && page.includes('<bdi>שדרות 1 \u202Eabc'), page);
  assert.ok(!page.includes('<img src=x>'));
});

test('a quote adds up, line by line, and is what is charged', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP', 3);
  await buyer.add('CORD', 2);
  const quote = await buyer.quote();
  const amounts = (field: string) => quote.lines.reduce((sum: number, line: Json) => sum + line[field].amount, 0);
  assert.equal(amounts('line_total'), quote.subtotal.amount);
  assert.equal(quote.subtotal.amount - quote.discount_total.amount + quote.shipping_total.amount + quote.tax_total.amount, quote.total.amount);
  const order = (await buyer.order(quote.id)).expect(201);
  for (const field of ['lines', 'subtotal', 'discount_total', 'shipping_total', 'tax_total', 'total']) assert.deepEqual(order[field], quote[field], field);
  assert.equal(shop.sandbox.account.sessions.get(sessionOf(await shop.payable(order)))?.amount_total, quote.total.amount);
});

test('a price that was published since is told with old and new, and nothing is held', async () => {
  const buyer = shop.shopper();
  await shop.importCatalog(csvOf({ sku: 'DEAR', quantity: 5, price: '10.00' }));
  await buyer.add('DEAR');
  const { id } = await buyer.quote();
  await shop.importCatalog(csvOf({ sku: 'DEAR', quantity: 5, price: '12.00' }));
  const { lines } = (await buyer.order(id)).refused(409, 'quote_changed');
  assert.deepEqual(lines, [{ sku: 'DEAR', old: { unit_price: { amount: 1000, currency: 'USD' } }, new: { unit_price: { amount: 1200, currency: 'USD' } } }]);
  assert.equal((await shop.stock('DEAR')).held, 0);
  (await buyer.order((await buyer.quote()).id)).expect(201);
});

test('a key is answered with its order a day later, though its quote has expired', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const { id } = await buyer.quote();
  const key = randomUUID();
  const order = (await buyer.order(id, key)).expect(201);
  await shop.rows("UPDATE quotes SET body = json_set(body, '$.expires_at', 0) WHERE id = ?", id);
  const replayed = await buyer.order(id, key);
  assert.equal(replayed.expect(200).id, order.id);
  assert.equal(replayed.headers.get('idempotent-replayed'), 'true');
});

test('a cart has one quote: who asks again orders by the last, and by none before it', async () => {
  const buyer = shop.shopper();
  const { id: cartId } = await buyer.add('LAMP');
  const [first, last] = [await buyer.quote(), await buyer.quote()];
  const kept = await shop.rows("SELECT id FROM quotes WHERE body ->> 'cart_id' = ?", cartId);
  assert.deepEqual(kept, [{ id: last.id }]);
  (await buyer.order(first.id)).refused(422, 'unknown_quote');
  (await buyer.order(last.id)).expect(201);
});

test('two tabs of one cart, and a double click on the page, place one order', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const quote = await buyer.quote();
  const tabs = await Promise.all([buyer.order(quote.id), buyer.order(quote.id)]);
  const [placed] = tabs.filter(({ status }) => status === 201);
  const [late] = tabs.filter(({ status }) => status !== 201);
  assert.equal(late!.refused(409, 'cart_in_checkout').order_id, placed!.body.id);

  const clicker = shop.shopper();
  await clicker.add('LAMP');
  const shown = await clicker.quote();
  const body = new URLSearchParams({ key: randomUUID() }).toString();
  const clicks = await Promise.all([1, 2].map(() => clicker.send('POST', `/checkout/${shown.id}`, body, { 'content-type': 'application/x-www-form-urlencoded' })));
  for (const { status, text } of clicks) assert.ok([303, 503].includes(status), text);
  assert.equal((await shop.rows('SELECT order_id FROM checkouts WHERE quote_id = ?', shown.id)).length, 1);
  const blank = await clicker.send('POST', `/checkout/${shown.id}`, 'key=', { 'content-type': 'application/x-www-form-urlencoded' });
  assert.equal(blank.status, 400);
});

test('a cart that waits for its payment can be changed from where that is said', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const order = (await buyer.order((await buyer.quote()).id)).expect(201);
  const session = sessionOf(await shop.payable(order));
  const cart = (await buyer.get('/cart')).text;
  const [form = ''] = cart.match(new RegExp(`<form[^>]*action="/orders/${order.id}/cancel".*?</form>`, 's')) ?? [];
  assert.match(form, /name="then" value="cart"/);
  const change = (who: Client) => who.send('POST', `/orders/${order.id}/cancel`, 'then=cart', { 'content-type': 'application/x-www-form-urlencoded' });
  assert.equal((await buyer.post('/api/v1/cart/items', { sku: 'LAMP', quantity: 1 })).status, 409);
  await change(shop.shopper());
  assert.equal(shop.sandbox.account.sessions.get(session)?.status, 'open');
  const changed = await change(buyer);
  assert.equal(changed.status, 303);
  await eventually(async () => {
    assert.equal((await buyer.get(`/api/v1/orders/${order.id}`)).expect(200).status, 'cancelled');
    await buyer.add('LAMP');
  });
  assert.equal(shop.sandbox.account.sessions.get(session)?.status, 'expired');
  assert.match((await change(buyer)).headers.get('location') ?? '', /\/cart$/);
});

test('a cart that waits for its payment can be changed from the page that refuses another item', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const order = (await buyer.order((await buyer.quote()).id)).expect(201);
  const session = sessionOf(await shop.payable(order));
  const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
  const refused = await buyer.send('POST', '/cart/items', 'sku=LAMP&quantity=1', form);
  assert.equal(refused.status, 409, refused.text);
  const [button = '', action = ''] = refused.text.match(/<form method="post" action="(\/orders\/[^"]+\/cancel)">.*?<\/form>/s) ?? [];
  assert.match(button, /<button[^>]* name="then" value="cart"/);
  const cookie = (refused.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  assert.ok(cookie.includes(order.id), cookie);
  const changed = await buyer.send('POST', action, 'then=cart', { ...form, cookie });
  assert.equal(changed.status, 303);
  await eventually(() => buyer.add('LAMP'));
  assert.equal(shop.sandbox.account.sessions.get(session)?.status, 'expired');
});

test('who wants to change a cart that turns out to be paid sees the order, and nothing is taken back', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const order = (await buyer.order((await buyer.quote()).id)).expect(201);
  const session = sessionOf(await shop.payable(order));
  shop.sandbox.faults.add({ on: 'webhook', type: '*', kind: 'drop', times: 100 });
  shop.sandbox.control.pay(session);
  const changed = await buyer.send('POST', `/orders/${order.id}/cancel`, 'then=cart', { 'content-type': 'application/x-www-form-urlencoded' });
  shop.sandbox.faults.clear();
  assert.deepEqual([changed.status, new URL(changed.headers.get('location') ?? '', shop.url).pathname], [303, `/orders/${order.id}`]);
  const seen = await shop.settled(order, 'confirmed');
  assert.deepEqual([seen.payment_status, seen.refunds.length, seen.lines[0].quantity], ['paid', 0, 1]);
  assert.equal(shop.sandbox.account.sessions.get(session)?.status, 'complete');
  assert.match((await buyer.get(`/orders/${order.id}`)).text, /Confirmed\. Thank you!/);
});

test('the fullest cart can be paid', async () => {
  const skus = Array.from({ length: 100 }, (_, at) => `KIND${at}`);
  await shop.importCatalog(csvOf(...skus.map((sku) => ({ sku, quantity: 5 }))));
  const buyer = shop.shopper();
  for (const sku of skus) await buyer.add(sku);
  const order = (await buyer.order((await buyer.quote()).id)).expect(201);
  assert.equal(order.lines.length, skus.length);
  assert.equal(shop.sandbox.account.sessions.get(sessionOf(await shop.payable(order)))?.amount_total, order.total.amount);
});

async function orderUntilDecided(buyer: Client, quoteId: string): Promise<Answer> {
  for (;;) {
    const answer = await buyer.order(quoteId);
    const again = answer.status === 503 || (answer.status === 409 && answer.body.code === 'contended');
    if (!again) return answer;
    await setTimeout(100 * Math.random());
  }
}
