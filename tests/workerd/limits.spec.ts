/**
 * Limits on strangers: each attack ends at a limit, leaves no more than its bound, and the next
 * honest buyer is served.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { Client, DELIVERY, type Answer, type Json } from './client.ts';
import { startShop, type Shop } from './shop.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded', 'accept': 'text/html' };
const SKUS = Array.from({ length: 100 }, (_, at) => `THING-${at}`);

/** Per network and minute, as in wrangler.toml. */
const CART_CHANGES = 60;
const NEW_CARTS = 30;

let shop: Shop;
before(async () => {
  shop = await startShop({ limited: true });
  const scarce = Array.from({ length: 5 }, (_, at) => ({ sku: `STOCK-${at}`, quantity: 240 }));
  await shop.importCatalog(csvOf(...SKUS.map((sku) => ({ sku, quantity: 10_000 })), ...scarce));
});
after(() => shop.close());

/** Each client has a network of its own, unless it names one. */
let networks = 0;
const from = (address = `198.18.${networks >> 8}.${networks++ & 255}`, headers: Record<string, string> = {}) => shop.shopper({ 'cf-connecting-ip': address, ...headers });
/**
 * Returns a quoted cart with this quantity of each SKU, for an address of its own, from networks of
 * their own.
 */
async function quoted(quantity: number, skus: string[], email = `shopper${networks}@shopper.test`) {
  const buyer = from();
  for (const sku of skus) await buyer.add(sku, quantity);
  const { id } = await buyer.quote({ email });
  return { buyer, order: (headers = {}) => buyer.post('/api/v1/orders', { quote_id: id }, { 'idempotency-key': randomUUID(), ...headers }) };
}
const servesTheNext = async (sku = 'THING-0'): Promise<Json> => (await (await quoted(1, [sku])).order()).expect(201);

/** Sends twice the limit of a minute and one more, because a minute may end in between. */
async function flood(limit: number, send: (at: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < 2 * limit + 1; at += 20) {
    answers.push(...await Promise.all(Array.from({ length: Math.min(20, 2 * limit + 1 - at) }, (_, more) => send(at + more))));
  }
  return answers;
}

function someRefused(answers: Answer[]): void {
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length > 0);
  for (const answer of refused) {
    answer.refused(429, 'too_many_requests');
    assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  }
}

test('who changes a cart too often is asked to wait, whatever else the request says of where it comes from', async (t) => {
  const own = from('192.0.2.1');
  await own.add('THING-0');
  const change = (client: Client, headers = {}) => client.put('/api/v1/cart/items/THING-0', { quantity: 2 }, headers);
  const of = (headers: (at: number) => Record<string, string>) => flood(CART_CHANGES, (at) => change(own, headers(at)));
  const forms: Record<string, (at: number) => Record<string, string>> = {
    'one address': () => ({ 'cf-connecting-ip': '192.0.2.2' }),
    'X-Forwarded-For': (at) => ({ 'cf-connecting-ip': '192.0.2.3', 'x-forwarded-for': `203.0.113.${at}`, 'x-real-ip': `203.0.113.${at}`, 'true-client-ip': `203.0.113.${at}` }),
    'the addresses of one /64': (at) => ({ 'cf-connecting-ip': `2001:db8:7:7:${at}::${at}` }),
    'an IPv4 address in two forms': (at) => ({ 'cf-connecting-ip': at % 2 ? '192.0.2.4' : '::ffff:192.0.2.4' }),
    'no address that reads': (at) => ({ 'cf-connecting-ip': at % 2 ? 'somebody' : 'nobody' }),
  };
  for (const [name, headers] of Object.entries(forms)) await t.test(name, async () => someRefused(await of(headers)));
  const elsewhere = await change(own, { 'cf-connecting-ip': '2001:db8:7:8::1' });
  elsewhere.expect(200);
  await servesTheNext();
});

test('a thousand carts from one network are a few', async () => {
  const carts = new Set<string>();
  for (let at = 0; at < 1000; at += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => from('192.0.2.10').post('/api/v1/cart/items', { sku: 'THING-0', quantity: 1 })));
    for (const { status, body } of answers) if (status === 200) carts.add(body.id);
  }
  assert.ok(carts.size >= NEW_CARTS && carts.size <= 3 * NEW_CARTS, `${carts.size}`);
  await servesTheNext();
});

test('on a page the refusal is told in words, and what was typed can be sent again', async (t) => {
  const typed = { number: '1234', email: '"Ann" <ann@shopper.test>' };
  for (const [path, words, button] of [['/orders', 'Please try again in 60 seconds.', 'Try again'], ['/de/orders', 'in 60 Sekunden', 'Erneut versuchen']] as const) await t.test(path, async () => {
    const address = from('192.0.2.20');
    const answers = await flood(10, () => address.send('POST', path, new URLSearchParams(typed).toString(), FORM));
    const refused = answers.find(({ status }) => status === 429)!;
    assert.equal(refused.headers.get('retry-after'), '60');
    for (const part of [words, button, `action="${path}"`, 'name="number" value="1234"', 'value="&quot;Ann&quot; &lt;ann@shopper.test&gt;"']) assert.ok(refused.text.includes(part), `${part}: ${refused.text}`);
  });
});

test('what anyone may see is not counted, and staff by their key', async () => {
  const reader = from('192.0.2.30');
  for (const { status } of await flood(200, () => reader.get('/api/v1/products'))) assert.equal(status, 200);
  const answers = await flood(CART_CHANGES, () => shop.staff.post('/api/v1/admin/stock/THING-0', { adjust: 1 }, { 'cf-connecting-ip': '192.0.2.31' }));
  for (const { status } of answers) assert.notEqual(status, 429);
});

test('requests that are mostly headers are refused or answered, and nothing is left of them', async () => {
  const before = await shop.counts();
  for (const [name, value] of [['cookie', `__Host-cart=${'x'.repeat(120_000)}`], ['x-anything', 'y'.repeat(120_000)], ['cart-token', 'z'.repeat(15_000)]] as const) {
    const { status } = await from().get('/api/v1/cart', { [name]: value });
    assert.ok(status < 500, `${name}: ${status}`);
  }
  assert.deepEqual(await shop.counts(), before);
  await servesTheNext();
});

test('one network holds no more than its share of stock, and can order again once it has paid or cancelled', async () => {
  const skus = ['STOCK-0', 'STOCK-1', 'STOCK-2', 'STOCK-3', 'THING-10'];
  const subnet = (at: number) => ({ 'cf-connecting-ip': `2001:db8:5:5::${at.toString(16)}` });
  const carts = await Promise.all(Array.from({ length: 25 }, () => quoted(99, skus)));
  const answers: Answer[] = [];
  for (const [at, { order }] of carts.entries()) answers.push(await order(subnet(at)));
  const [placed, ...others] = answers;
  const first = placed!.expect(201);
  for (const answer of others) answer.refused(429, answer.body.code === 'too_many_requests' ? 'too_many_requests' : 'too_many_pending_orders');
  assert.ok(others.some(({ body }) => body.code === 'too_many_pending_orders'));
  for (const sku of skus) assert.equal((await shop.stock(sku)).held, 99);
  await servesTheNext('STOCK-0');

  const { buyer } = carts[0]!;
  (await buyer.post(`/api/v1/orders/${first.id}/cancel`)).expect(200);
  await shop.settled(first, 'cancelled');
  (await carts[1]!.order({ 'cf-connecting-ip': '2001:db8:5:5::ffff' })).expect(201);
  assert.deepEqual(await shop.rows('SELECT network FROM checkouts WHERE order_id = ?', first.id), [{ network: null }]);
});

test('at once as well, ten orders of a network and three of an address are pending, and nothing is held for the others', async (t) => {
  for (const [name, most, count, email, network] of [
    ['network', 10, 16, undefined, { 'cf-connecting-ip': '192.0.2.50' }],
    ['address', 3, 8, 'bea@shopper.test', {}],
  ] as const) await t.test(name, async () => {
    const before = await shop.stock('THING-7');
    const carts = await Promise.all(Array.from({ length: count }, () => quoted(1, ['THING-7'], email)));
    const answers = await Promise.all(carts.map(({ order }) => order(network)));
    assert.equal(answers.filter(({ status }) => status === 201).length, most, answers.map(({ status, text }) => `${status} ${text.slice(0, 60)}`).join());
    for (const answer of answers) if (answer.status !== 201) answer.refused(429, 'too_many_pending_orders');
    assert.equal((await shop.stock('THING-7')).held - before.held, most);
    const refused = carts[answers.findIndex(({ status }) => status === 429)]!.buyer;
    await refused.add('THING-8');
    await servesTheNext('THING-7');
  });
});

test('at once as well, a network holds its share of the units of a SKU and no more', async () => {
  const carts = await Promise.all(Array.from({ length: 6 }, () => quoted(45, ['THING-10'])));
  const before = await shop.stock('THING-10');
  const answers = await Promise.all(carts.map(({ order }) => order({ 'cf-connecting-ip': '192.0.2.60' })));
  assert.equal(answers.filter(({ status }) => status === 201).length, 2, answers.map(({ status, text }) => `${status} ${text.slice(0, 60)}`).join());
  for (const answer of answers) if (answer.status !== 201) answer.refused(429, 'too_many_pending_orders');
  assert.equal((await shop.stock('THING-10')).held - before.held, 90);
  const refused = carts[answers.findIndex(({ status }) => status === 429)]!.buyer;
  await refused.add('THING-8');
});

test('a shopper with too many pending orders reads what to do', async () => {
  for (let at = 0; at < 3; at++) (await (await quoted(1, ['THING-9'], 'cleo@shopper.test')).order()).expect(201);
  const { buyer } = await quoted(1, ['THING-9'], 'cleo@shopper.test');
  const { id } = await buyer.quote({ email: 'Cleo@shopper.test' });
  const page = await buyer.send('POST', `/checkout/${id}`, 'key=page', { ...FORM, cookie: `__Host-cart=${buyer.cartToken}` });
  assert.equal(page.status, 429);
  assert.match(page.text, /Pay for or cancel one of them, then place this one/);
});

test('an address in other capitals is the same one, beyond ASCII too', async () => {
  for (const email of ['Änne@shopper.test', 'änne@shopper.test', 'ÄNNE@Shopper.Test']) (await (await quoted(1, ['THING-9'], email)).order()).expect(201);
  for (const email of ['ÄnnE@shopper.test', 'änne@SHOPPER.test']) (await (await quoted(1, ['THING-9'], email)).order()).refused(429, 'too_many_pending_orders');
  (await (await quoted(1, ['THING-9'], 'anne@shopper.test')).order()).expect(201);
});

test('promotion codes can not be guessed: who fails too often tries none for a while, not even the right one, and can order without', async () => {
  const promotions = [{ id: 'secret', title: 'Secret', code: 'SECRET-CODE', benefit: { kind: 'percentage', off_ppm: 100_000 } }];
  (await shop.staff.put('/api/v1/admin/settings/promotions', { promotions })).expect(200);
  const quote = (client: Client, codes: string[], headers = {}) => client.post('/api/v1/cart/quote', { ...DELIVERY, codes }, headers);
  const subnet = (at: number) => ({ 'cf-connecting-ip': `2001:db8:9:9::${at.toString(16)}` });
  const guesser = from();
  await guesser.add('THING-0');
  let told = 0;
  for (let at = 0; at < 15; at++) {
    const answer = await quote(guesser, Array.from({ length: 10 }, (_, more) => `GUESS-${at}-${more}`), subnet(at));
    if (answer.status === 422) told += answer.refused(422, 'unknown_code').errors.length;
    else assert.ok(['too_many_failed_codes', 'too_many_requests'].includes(answer.refused(429, answer.body.code).code));
  }
  assert.ok(told <= 20, `${told} of 150`);
  const right = await quote(guesser, ['SECRET-CODE'], subnet(1));
  right.refused(429, 'too_many_failed_codes');
  assert.ok(Number(right.headers.get('retry-after')) >= 1);
  (await quote(guesser, [], subnet(1))).expect(201);

  const page = await guesser.send('POST', '/de/checkout', new URLSearchParams({ email: 'ann@shopper.test', code: 'SECRET-CODE', name: 'Ann' }).toString(), { ...FORM, cookie: `__Host-cart=${guesser.cartToken}`, ...subnet(2) });
  assert.equal(page.status, 429);
  for (const part of ['Zu viele ungültige Codes', 'value="SECRET-CODE"', 'value="ann@shopper.test"']) assert.ok(page.text.includes(part), part);

  const honest = from();
  await honest.add('THING-0');
  assert.equal((await quote(honest, ['secret-code'])).expect(201).promotions[0].id, 'secret');
  await servesTheNext();
});

test('a cart whose codes failed too often tries none from any network, and another cart from those does', async () => {
  const promotions = [{ id: 'hidden', title: 'Hidden', code: 'HIDDEN-CODE', benefit: { kind: 'percentage', off_ppm: 100_000 } }];
  (await shop.staff.put('/api/v1/admin/settings/promotions', { promotions })).expect(200);
  const quote = (client: Client, codes: string[], at: number) => client.post('/api/v1/cart/quote', { ...DELIVERY, codes }, { 'cf-connecting-ip': `198.19.7.${at}` });
  const guesser = from();
  await guesser.add('THING-0');
  const answers: Answer[] = [];
  for (let at = 0; at < 25; at++) answers.push(await quote(guesser, [`GUESS-${at}`], at));
  const told = answers.filter(({ status }) => status === 422);
  assert.ok(told.length >= 10 && told.length <= 20, `${told.length} of 25`);
  for (const answer of answers) if (answer.status !== 422) answer.refused(429, 'too_many_failed_codes');
  const right = await quote(guesser, ['HIDDEN-CODE'], 100);
  right.refused(429, 'too_many_failed_codes');
  assert.match(right.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  (await quote(guesser, [], 100)).expect(201);

  const honest = from();
  await honest.add('THING-0');
  assert.equal((await quote(honest, ['HIDDEN-CODE'], 100)).expect(201).promotions[0].id, 'hidden');
});

test('however often a full cart is priced, one quote of it is kept, and no answer beside it', async () => {
  const long = (name: string) => name.padEnd(200, ' long');
  const address = { ...DELIVERY.shipping_address, name: long('Ann'), line1: long('Main Street'), line2: long('Flat'), city: long('Town') };
  const buyer = from();
  for (const sku of SKUS) await buyer.put(`/api/v1/cart/items/${sku}`, { quantity: 99 }, { 'cf-connecting-ip': `198.19.0.${SKUS.indexOf(sku)}` });
  const before = await sizes();
  for (let at = 0; at < 80; at++) {
    const asked = { ...DELIVERY, shipping_address: address, billing_address: address };
    (await buyer.post('/api/v1/cart/quote', asked, { 'idempotency-key': randomUUID(), 'cf-connecting-ip': `198.19.1.${at}` })).expect(201);
  }
  const after = await sizes();
  assert.equal(after.quotes - before.quotes, 1);
  assert.ok(after.bytes - before.bytes < 120_000, `${after.bytes - before.bytes} bytes`);
  await servesTheNext();
});

/** Returns the number of quotes, and the bytes stored for quotes and keys. */
async function sizes(): Promise<{ quotes: number; bytes: number }> {
  const [row] = await shop.rows<{ quotes: number; bytes: number }>(`SELECT
    (SELECT COUNT(*) FROM quotes) AS quotes,
    (SELECT TOTAL(LENGTH(body)) FROM quotes) + (SELECT TOTAL(LENGTH(COALESCE(answer, '')) + LENGTH(key) + LENGTH(request_hash)) FROM idempotency_keys) AS bytes`);
  return row!;
}
