/**
 * Bad input: every kind gets a clear 4xx with a stable code, changes nothing, and the shop
 * continues to answer.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { DELIVERY, type Client, tokenOf } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const BIG = 'x'.repeat(65 * 1024);

let shop: Shop;
let buyer: Client;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP' }, { sku: 'CHAIR' }));
  buyer = shop.shopper();
  await buyer.add('LAMP', 2);
  await eventually(async () => assert.equal((await buyer.get('/api/v1/stock/LAMP')).expect(200).stock, 'in_stock'));
  // The availability of a new SKU is published after its first units arrive, and would change the
  // cart being compared.
  await eventually(async () => assert.equal((await buyer.get('/api/v1/cart')).expect(200).lines[0].stock, 'in_stock'));
});
after(() => shop.close());

/**
 * Runs each case on the buyer's cart, and asserts that the cart, the stock and every table are
 * unchanged.
 */
function refusals(title: string, cases: Record<string, [send: (own: Client) => ReturnType<Client['get']>, status: number, code: string]>): void {
  test(title, async (t) => {
    const state = async () => [await shop.counts(), (await buyer.get('/api/v1/cart')).expect(200), await shop.stock('LAMP')];
    const before = await state();
    for (const [name, [send, status, code]] of Object.entries(cases)) {
      await t.test(name, async () => (await send(buyer)).refused(status, code));
    }
    assert.deepEqual(await state(), before);
    assert.deepEqual(shop.log.filter((line) => line.includes('"level":"fatal"') || line.includes('"status":5')), []);
  });
}

const item = (body: string, headers: Record<string, string> = JSON_TYPE) => (own: Client) => own.send('POST', '/api/v1/cart/items', body, headers);
const adding = (fields: unknown) => item(JSON.stringify(fields));

refusals('addresses and methods', {
  'unknown path': [(own) => own.get('/nowhere'), 404, 'not_found'],
  'unknown path of the API': [(own) => own.get('/api/v1/nowhere'), 404, 'not_found'],
  'one segment too many': [(own) => own.get('/api/v1/products/lamp/more'), 404, 'not_found'],
  'unknown product': [(own) => own.get('/api/v1/products/nothing'), 404, 'not_found'],
  'unknown order': [(own) => own.get('/api/v1/orders/ord_nothing'), 404, 'not_found'],
  'broken percent-encoding': [(own) => own.get('/api/v1/products/%zz'), 400, 'malformed_path'],
  'a percent sign at the end': [(own) => own.get('/api/v1/products/lamp%'), 400, 'malformed_path'],
  'no UTF-8': [(own) => own.get('/api/v1/products/%ff'), 400, 'malformed_path'],
  'a null character': [(own) => own.get('/api/v1/products/%00'), 400, 'malformed_path'],
  'DELETE of what is only read': [(own) => own.delete('/api/v1/stock/LAMP'), 405, 'method_not_allowed'],
  'GET of what is posted': [(own) => own.get('/webhooks/stripe'), 405, 'method_not_allowed'],
  'PATCH': [(own) => own.send('PATCH', '/api/v1/products', '{}', JSON_TYPE), 405, 'method_not_allowed'],
});

refusals('bodies', {
  'no JSON': [item('{"sku": "LAMP",'), 400, 'malformed_json'],
  'nothing': [item(''), 400, 'malformed_json'],
  'null': [item('null'), 400, 'malformed_json'],
  'a list': [item('[]'), 400, 'malformed_json'],
  'nested beyond reason': [item('['.repeat(30_000)), 400, 'malformed_json'],
  'no UTF-8': [(own) => own.send('POST', '/api/v1/cart/items', new Uint8Array([0x22, 0xff, 0x22]), JSON_TYPE), 400, 'malformed_json'],
  'half a surrogate': [item('{"sku": "\\ud800", "quantity": 1}'), 400, 'malformed_json'],
  'a field twice': [item('{"sku": "LAMP", "sku": "CHAIR", "quantity": 1}'), 400, 'malformed_json'],
  'a field missing': [adding({ sku: 'LAMP' }), 400, 'malformed_json'],
  'an unknown field': [adding({ sku: 'LAMP', quantity: 1, price: 1 }), 400, 'unknown_field'],
  'an unknown field deep inside': [(own) => own.post('/api/v1/cart/quote', { ...DELIVERY, shipping_address: { ...DELIVERY.shipping_address, planet: 'Earth' } }), 400, 'unknown_field'],
  'another type': [item('sku=LAMP&quantity=1', { 'content-type': 'application/x-www-form-urlencoded' }), 415, 'unsupported_media_type'],
  'plain text': [item('{"sku":"LAMP","quantity":1}', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
  'too large': [item(BIG), 413, 'body_too_large'],
  'too large, of unknown length': [(own) => own.send('POST', '/api/v1/cart/items', new Blob([BIG]).stream(), JSON_TYPE), 413, 'body_too_large'],
});

refusals('quantities and SKUs', {
  ...Object.fromEntries([0, -1, 1.5, 1e12, 100, 4294967297, 1e300].flatMap((quantity) => [
    [`adding ${quantity}`, [adding({ sku: 'LAMP', quantity }), 422, 'invalid_quantity']],
    [`setting ${quantity}`, [(own: Client) => own.put('/api/v1/cart/items/LAMP', { quantity }), 422, 'invalid_quantity']],
  ])),
  ...Object.fromEntries(['"2"', 'null', 'true', '[1]', '1e999', '01', '0x1'].map((quantity) =>
    [`adding ${quantity}`, [item(`{"sku": "LAMP", "quantity": ${quantity}}`), 400, 'malformed_json']])),
  'unknown SKU': [adding({ sku: 'NOTHING', quantity: 1 }), 422, 'unknown_sku'],
  'empty SKU': [adding({ sku: '', quantity: 1 }), 422, 'unknown_sku'],
  'SKU in another case': [adding({ sku: 'lamp', quantity: 1 }), 422, 'unknown_sku'],
  'SKU with a null character': [adding({ sku: 'LAMP\0', quantity: 1 }), 422, 'unknown_sku'],
  'SKU without end': [adding({ sku: 'L'.repeat(60_000), quantity: 1 }), 422, 'unknown_sku'],
  'SKU as a list': [adding({ sku: ['LAMP'], quantity: 1 }), 400, 'malformed_json'],
  'setting an unknown SKU': [(own) => own.put('/api/v1/cart/items/NOTHING', { quantity: 1 }), 422, 'unknown_sku'],
  'setting an unknown SKU by the form': [(own) => form(own, '/cart/items/NOTHING', { quantity: '1' }), 422, 'unknown_sku'],
  'adding an unknown SKU by the form': [(own) => form(own, '/cart/items', { sku: 'NOTHING', quantity: '1' }), 422, 'unknown_sku'],
  ...Object.fromEntries(['0', '-1', '1.5', '1000000000000', '', 'two'].map((quantity) =>
    [`adding "${quantity}" by the form`, [(own: Client) => form(own, '/cart/items', { sku: 'LAMP', quantity }), 422, 'invalid_quantity']])),
});

refusals('parameters and headers', {
  ...Object.fromEntries(['0', '-1', '101', '1.5', '', 'many', '99999999999999999999'].map((limit) =>
    [`limit ${limit}`, [(own: Client) => own.get(`/api/v1/products?limit=${limit}`), 422, 'invalid_limit']])),
  ...Object.fromEntries(['%', 'AAAA', btoa('1'), btoa('v:-1').replaceAll('=', ''), btoa('v:99999999999999999999').replaceAll('=', '')].map((cursor) =>
    [`cursor ${cursor}`, [(own: Client) => own.get(`/api/v1/products?cursor=${encodeURIComponent(cursor)}`), 400, 'malformed_cursor']])),
  'currency': [(own) => own.get('/api/v1/products?currency=XXX'), 422, 'unknown_currency'],
  'currency of the quote': [(own) => own.post('/api/v1/cart/quote', { ...DELIVERY, currency: 'CHF' }), 422, 'unknown_currency'],
  'an old version': [(own) => own.put('/api/v1/cart/items/LAMP', { quantity: 3 }, { 'if-match': '"0"' }), 412, 'stale_version'],
  'a version that is none': [(own) => own.put('/api/v1/cart/items/LAMP', { quantity: 3 }, { 'if-match': '1' }), 400, 'malformed_header'],
  'a key that is none': [(own) => own.put('/api/v1/cart/items/LAMP', { quantity: 3 }, { 'idempotency-key': '' }), 400, 'malformed_header'],
  ...Object.fromEntries(['usd', '-USD', '', 'US$', '$'].map((currency) =>
    [`currency of the quote: "${currency}"`, [(own: Client) => own.post('/api/v1/cart/quote', { ...DELIVERY, currency }), 422, 'unknown_currency']])),
  'a currency that is a number': [(own) => own.post('/api/v1/cart/quote', { ...DELIVERY, currency: -1 }), 400, 'malformed_json'],
  'a price of one\'s own': [(own) => own.post('/api/v1/cart/quote', { ...DELIVERY, total: { amount: -1, currency: 'USD' } }), 400, 'unknown_field'],
  'unknown shipping method': [(own) => own.post('/api/v1/cart/quote', { ...DELIVERY, shipping_method: 'rocket' }), 422, 'unknown_shipping_method'],
  'no mail address': [(own) => own.post('/api/v1/cart/quote', { ...DELIVERY, email: 'nobody' }), 422, 'invalid_email'],
  'unknown quote': [(own) => own.order('quote_nothing'), 422, 'unknown_quote'],
});

const received = (receive: unknown) => () => shop.staff.post('/api/v1/admin/stock/LAMP', { receive });
const changed = (change: unknown) => () => shop.staff.post('/api/v1/admin/stock/LAMP', change);
const imported = (csv: string, type = 'text/csv') => () => shop.staff.send('POST', '/api/v1/admin/catalog/import', csv, { 'content-type': type });
const row = (fields: string) => `Handle,Title,Variant Price,Variant SKU\n${fields}`;

refusals('what staff send', {
  'no change': [received(null), 422, 'one_change'],
  'no units': [received(0), 422, 'invalid_quantity'],
  'more units than may move': [received(1_000_001), 422, 'invalid_quantity'],
  ...Object.fromEntries([-1, 1.5, 1e12, 1e300].map((receive) => [`units: ${receive}`, [received(receive), 422, 'invalid_quantity']])),
  'units in words': [received('2'), 400, 'malformed_json'],
  ...Object.fromEntries([0, 1.5, 1e12, -1e12].map((by) => [`units more or less: ${by}`, [changed({ adjust: { by, reason: 'counted' } }), 422, 'invalid_quantity']])),
  ...Object.fromEntries([-1, 1.5, 1e12].map((quantity) => [`units written off: ${quantity}`, [changed({ write_off: { quantity, reason: 'broken' } }), 422, 'invalid_quantity']])),
  ...Object.fromEntries([-1, 1.5, 1e12].map((low_threshold) => [`a threshold: ${low_threshold}`, [changed({ configure: { low_threshold } }), 422, 'invalid_settings']])),
  'a SKU that no product has': [() => shop.staff.post('/api/v1/admin/stock/NOTHING', { receive: 1 }), 404, 'not_found'],
  'the stock of a SKU that no product has': [() => shop.staff.get('/api/v1/admin/stock/NOTHING'), 404, 'not_found'],
  'an empty file': [imported(''), 422, 'nothing_to_import'],
  'a file without products': [imported(row('')), 422, 'nothing_to_import'],
  'a workbook': [imported('PK\x03\x04'), 422, 'nothing_to_import'],
  'a quote that is never closed': [imported(row('a,A,1,A\nb,"B,1,B\nc,C,1,C')), 422, 'nothing_to_import'],
  'a row with a cell too many': [imported(row('a,A,1,299.00,A')), 422, 'nothing_to_import'],
  'a file that is no CSV': [imported('\0\u{1F4A5}'), 422, 'nothing_to_import'],
  'a negative price': [imported(row('a,A,-1,A')), 422, 'nothing_to_import'],
  'a price in words': [imported(row('a,A,much,A')), 422, 'nothing_to_import'],
  'the SKU of another product': [imported(row('a,A,1,LAMP')), 422, 'nothing_to_import'],
  'a file of another type': [imported(row('a,A,1,A'), 'application/json'), 415, 'unsupported_media_type'],
});

test('a forged cart token is refused, in the header and in the cookie', async (t) => {
  const [id, signature] = buyer.cartToken!.split('.') as [string, string];
  const other = shop.shopper();
  await other.add('LAMP');
  const [otherId] = other.cartToken!.split('.');
  const before = await shop.counts();
  const forged = {
    'no token': 'x', 'empty': '', 'no signature': id, 'an empty signature': `${id}.`, 'truncated': buyer.cartToken!.slice(0, -1),
    'extended': `${buyer.cartToken}A`, 'of another cart': `${otherId}.${signature}`,
  };
  for (const [name, token] of Object.entries(forged)) await t.test(name, async () => {
    for (const headers of [{ 'cart-token': token }, { cookie: `__Host-cart=${token}` }] as Record<string, string>[]) {
      (await shop.shopper(headers).get('/api/v1/cart')).refused(401, 'invalid_cart_token');
      (await shop.shopper(headers).post('/api/v1/cart/items', { sku: 'LAMP', quantity: 1 })).refused(401, 'invalid_cart_token');
      (await shop.shopper(headers).post('/api/v1/cart/quote', DELIVERY)).refused(401, 'invalid_cart_token');
    }
    const page = await shop.shopper({ cookie: `__Host-cart=${token}` }).get('/cart', { accept: 'text/html' });
    assert.deepEqual([page.status, page.headers.get('content-type')], [401, 'text/html; charset=utf-8']);
    assert.match(page.headers.get('set-cookie') ?? '', /^__Host-cart=; Path=\/; Max-Age=0/);
  });
  assert.deepEqual(await shop.counts(), before);
});

test('a body that is announced as too large is refused before it is sent', async (t) => {
  for (const [path, max, type] of [
    ['/api/v1/cart/items', 64 * 1024, 'application/json'],
    ['/api/v1/admin/catalog/import', 20 * 1024 * 1024, 'text/csv'],
    ['/webhooks/stripe', 512 * 1024, 'application/json'],
  ] as const) await t.test(path, async () => {
    (await shop.staff.announce('POST', path, max + 1, { 'content-type': type })).refused(413, 'body_too_large');
  });
});

test('a quote of another cart cannot be ordered', async () => {
  const { id } = await buyer.quote();
  const thief = shop.shopper();
  await thief.add('LAMP', 2);
  const before = await shop.counts();
  (await thief.order(id)).refused(422, 'unknown_quote');
  (await shop.shopper().order(id)).refused(422, 'cart_empty');
  const page = await thief.send('POST', `/checkout/${id}`, 'key=thief', { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' });
  assert.equal(page.status, 422);
  for (const typed of [DELIVERY.email, DELIVERY.shipping_address.line1]) assert.ok(!page.text.includes(typed), page.text);
  assert.deepEqual(await shop.counts(), before);
});

test('an order of someone else is not there', async (t) => {
  const [ann, eve] = [shop.shopper(), shop.shopper()];
  const [order, other] = [await ann.buy('CHAIR'), await eve.buy('CHAIR')];
  const [token, otherToken] = [order, other].map(tokenOf);
  const state = async () => [await shop.counts(), (await ann.get(`/api/v1/orders/${order.id}`)).expect(200)];
  const before = await state();
  const forged = { 'no token': '', 'the token of another order': `?token=${otherToken}`, 'a token cut short': `?token=${token!.slice(0, -1)}`, 'a token of another kind': `?token=${eve.cartToken}` };
  for (const [name, query] of Object.entries(forged)) await t.test(name, async () => {
    (await eve.get(`/api/v1/orders/${order.id}${query}`)).refused(404, 'not_found');
    (await eve.post(`/api/v1/orders/${order.id}/cancel${query}`)).refused(404, 'not_found');
    for (const page of ['', '/invoice']) {
      const answer = await eve.get(`/orders/${order.id}${page}${query}`);
      assert.equal(answer.status, query ? 303 : page ? 404 : 200);
      assert.equal(answer.headers.get('set-cookie'), null);
      assert.ok(!answer.text.includes(order.number) && !answer.text.includes(order.email));
    }
    assert.equal((await form(eve, `/orders/${order.id}/cancel${query}`, {})).status, 404);
  });
  assert.deepEqual((await eve.get('/api/v1/orders')).expect(200).data.map(({ id }: { id: string }) => id), [other.id]);
  assert.deepEqual(await state(), before);
});

test('a quote that no longer fits is not ordered', async () => {
  const own = shop.shopper();
  await own.add('LAMP');
  const { id } = await own.quote();
  await own.add('LAMP');
  await own.add('CHAIR');
  const { lines } = (await own.order(id)).refused(409, 'quote_changed');
  assert.deepEqual(lines, [{ sku: 'CHAIR', old: null, new: { quantity: 1 } }, { sku: 'LAMP', old: { quantity: 1 }, new: { quantity: 2 } }]);
  const current = await own.quote();
  await shop.rows("UPDATE quotes SET body = json_set(body, '$.expires_at', 0) WHERE id = ?", current.id);
  (await own.order(current.id)).refused(409, 'quote_expired');
  assert.equal((await shop.stock('LAMP')).held, 0);
  await own.add('CHAIR');
});

function form(own: Client, path: string, fields: Record<string, string>) {
  return own.send('POST', path, new URLSearchParams(fields).toString(), { 'content-type': 'application/x-www-form-urlencoded' });
}
