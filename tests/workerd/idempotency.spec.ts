/**
 * An order is placed once, however often it is requested: by one key, from one cart, despite
 * failures on the way to the payment page.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { DELIVERY, type Client, type Json } from './client.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

const SESSIONS = '/v1/checkout/sessions';

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000 }, { sku: 'LAST', quantity: 1 }));
});
after(() => shop.close());

test('the same key and body is one order, at once and later', async () => {
  const { buyer, quoteId } = await quoted();
  const key = randomUUID();
  const held = (await shop.stock('LAMP')).held;
  const answers = await Promise.all(Array.from({ length: 8 }, () => buyer.order(quoteId, key)));
  const placed = answers.filter(({ status }) => status === 200 || status === 201);
  assert.ok(placed.length > 0);
  const [id, ...others] = new Set(placed.map(({ body }) => body.id));
  assert.deepEqual(others, []);
  for (const answer of answers) if (!placed.includes(answer)) answer.refused(503, 'checkout_interrupted');

  const later = await buyer.order(quoteId, key);
  assert.equal(later.expect(200).id, id);
  assert.equal(later.headers.get('idempotent-replayed'), 'true');
  assert.equal((await shop.stock('LAMP')).held, held + 1);
  assert.equal(sessionsOf(id).length, 1);

  await shop.press(later.body, 'pay');
  await shop.settled(later.body, 'confirmed');
  const paid = await buyer.order(quoteId, key);
  assert.deepEqual([paid.expect(200).id, paid.body.status], [id, 'confirmed']);
});

test('a first answer says where the order is, and is no replay', async () => {
  const { buyer, quoteId } = await quoted();
  const answer = await buyer.order(quoteId);
  assert.equal(answer.headers.get('location'), `/api/v1/orders/${answer.expect(201).id}`);
  assert.equal(answer.headers.get('idempotent-replayed'), null);
});

test('the same key with another body is refused', async () => {
  const { buyer, quoteId } = await quoted();
  const key = randomUUID();
  const order = (await buyer.order(quoteId, key)).expect(201);
  const before = await shop.counts();
  (await buyer.order('quote_of_another', key)).refused(422, 'idempotency_key_reused');
  assert.deepEqual(await shop.counts(), before);
  assert.equal((await buyer.order(quoteId, key)).expect(200).id, order.id);
});

test('a key belongs to one cart', async () => {
  const key = randomUUID();
  const [one, other] = [await quoted(), await quoted()];
  const orders = [(await one.buyer.order(one.quoteId, key)).expect(201), (await other.buyer.order(other.quoteId, key)).expect(201)];
  assert.notEqual(orders[0].id, orders[1].id);
});

test('a second order from the same cart is told of the first', async () => {
  const { buyer, quoteId } = await quoted();
  const first = (await buyer.order(quoteId)).expect(201);
  const secondQuote = (await buyer.quote()).id;
  const before = await shop.counts();
  assert.equal((await buyer.order(secondQuote)).refused(409, 'cart_in_checkout').order_id, first.id);
  assert.deepEqual(await shop.counts(), before);
});

test('two orders from one cart at once are one', async () => {
  const { buyer, quoteId } = await quoted();
  const answers = await Promise.all([buyer.order(quoteId), buyer.order(quoteId), buyer.order(quoteId)]);
  const [placed, ...others] = answers.filter(({ status }) => status === 201);
  assert.deepEqual(others, []);
  const refused = answers.filter((answer) => answer !== placed);
  for (const answer of refused) assert.equal(answer.refused(409, 'cart_in_checkout').order_id, placed?.body.id);
});

test('a refusal is not kept: the key is free, the cart moves, nothing is held', async () => {
  const { buyer, quoteId } = await quoted('LAST', 2);
  const key = randomUUID();
  const before = await shop.counts();
  const refused = (await buyer.order(quoteId, key)).refused(409, 'sold_out');
  assert.deepEqual(refused.lines, [{ sku: 'LAST', title: 'Thing LAST', variant_title: '', code: 'sold_out', max_quantity: 1 }]);
  assert.deepEqual(await shop.counts(), before);
  assert.equal((await shop.stock('LAST')).held, 0);
  (await buyer.put('/api/v1/cart/items/LAST', { quantity: 1 })).expect(200);
  (await buyer.order((await buyer.quote()).id, key)).expect(201);
});

test('a key is needed, and is of printable characters', async () => {
  const { buyer, quoteId } = await quoted();
  (await buyer.post('/api/v1/orders', { quote_id: quoteId })).refused(422, 'idempotency_key_required');
  for (const key of ['', 'k'.repeat(256), 'k\u00e9']) (await buyer.order(quoteId, key)).refused(400, 'malformed_header');
  (await buyer.order(quoteId, 'k'.repeat(255))).expect(201);
});

test('an order whose payment page could not be had is kept, and the sweep gets the page by the same key', async (t) => {
  for (const fault of [
    { kind: 'error', status: 500 },
    { kind: 'error_after', status: 502 },
    { kind: 'reset' },
    { kind: 'reset_after' },
    { kind: 'timeout_after' },
    { kind: 'error_saved', status: 500 },
  ]) await t.test(fault.kind, async () => {
    shop.sandbox.faults.add({ on: 'api', method: 'POST', path: SESSIONS, ...fault });
    const { buyer, quoteId } = await quoted();
    const answer = await buyer.order(quoteId);
    const order = answer.expect(201);
    assert.deepEqual([order.status, order.payment.status, order.payment.url], ['pending_payment', 'preparing', undefined]);

    await makeDue(order.id);
    await shop.scheduled();
    const now = (await buyer.get(`/api/v1/orders/${order.id}`)).expect(200);
    assert.equal(sessionsOf(order.id).length, fault.kind === 'error_saved' ? 0 : 1);
    if (fault.kind === 'error_saved') return;
    assert.equal(sessionOf(now), sessionsOf(order.id)[0]?.id);
    await shop.press(now, 'pay');
    await shop.settled(now, 'confirmed');
  });
});

test('a provider that refuses for good cancels the order', async () => {
  const before = await shop.stock('LAMP');
  shop.sandbox.faults.add({ on: 'api', method: 'POST', path: SESSIONS, kind: 'error', status: 400 });
  const { buyer, quoteId } = await quoted();
  const order = (await buyer.order(quoteId)).expect(201);
  assert.equal((await shop.settled(order, 'cancelled')).payment_status, 'failed');
  assert.equal((await shop.stock('LAMP')).available, before.available);
  await buyer.add('LAMP');
});

test('a quote under a key is made again in place of the first, which is not kept twice; another request is refused', async () => {
  const { buyer } = await quoted();
  const key = { 'idempotency-key': randomUUID() };
  const asked = (changes = {}, headers = key) => buyer.post('/api/v1/cart/quote', { ...DELIVERY, ...changes }, headers);
  const first = await asked();
  assert.equal(first.headers.get('idempotent-replayed'), null);
  const told = ({ id, expires_at, ...others }: Json) => others;
  const before = await shop.counts();
  const again = await asked();
  assert.deepEqual([told(again.expect(201)), again.headers.get('idempotent-replayed')], [told(first.expect(201)), 'true']);
  assert.deepEqual(await shop.rows("SELECT 1 FROM idempotency_keys WHERE key = ? AND answer LIKE '%shipping%'", key['idempotency-key']), []);
  assert.equal(again.headers.get('cart-token'), first.headers.get('cart-token'));
  (await asked({ email: 'eve@shopper.test' })).refused(422, 'idempotency_key_reused');
  assert.deepEqual(await shop.counts(), before);

  const other = (await quoted()).buyer;
  const others = await other.post('/api/v1/cart/quote', DELIVERY, key);
  assert.notEqual(others.expect(201).id, first.body.id);
});

test('many requests at once under one key are one', async () => {
  const { buyer } = await quoted();
  const key = { 'idempotency-key': randomUUID() };
  const answers = await Promise.all(Array.from({ length: 8 }, () => buyer.post('/api/v1/cart/quote', DELIVERY, key)));
  const made = answers.filter(({ status }) => status === 201);
  assert.equal(made.filter(({ headers }) => !headers.has('idempotent-replayed')).length, 1);
  for (const answer of answers) if (!made.includes(answer)) answer.refused(503, 'request_under_way');
});

test('a refusal is not kept under the key of any POST', async () => {
  const { buyer } = await quoted();
  const key = { 'idempotency-key': randomUUID() };
  (await buyer.post('/api/v1/cart/quote', { ...DELIVERY, shipping_method: 'rocket' }, key)).refused(422, 'unknown_shipping_method');
  (await buyer.post('/api/v1/cart/quote', DELIVERY, key)).expect(201);
});

test('staff make a product once under a key', async () => {
  const key = { 'idempotency-key': randomUUID() };
  const product = { handle: 'once', title: 'Once', variants: [{ sku: 'ONCE', prices: [{ amount: 500, currency: 'USD' }] }] };
  const made = (await shop.staff.post('/api/v1/products', product, key)).expect(201);
  const again = await shop.staff.post('/api/v1/products', product, key);
  assert.deepEqual([again.expect(201), again.headers.get('idempotent-replayed')], [made, 'true']);
});

test('a cancellation under a key is told as the order stands', async () => {
  const { buyer, quoteId } = await quoted();
  const path = `/api/v1/orders/${(await buyer.order(quoteId)).expect(201).id}`;
  const key = { 'idempotency-key': randomUUID() };
  (await buyer.post(`${path}/cancel`, { note: 'changed my mind' }, key)).expect(200);
  const before = await shop.counts();
  const again = await buyer.post(`${path}/cancel`, { note: 'changed my mind' }, key);
  assert.deepEqual([again.expect(200), again.headers.get('idempotent-replayed')], [(await buyer.get(path)).body, 'true']);
  (await buyer.post(`${path}/cancel`, { note: 'for another reason' }, key)).refused(422, 'idempotency_key_reused');
  assert.deepEqual(await shop.counts(), before);
});

test('the key of a request that died is free after half a minute, and every key after two days', async () => {
  const { buyer } = await quoted();
  const key = randomUUID();
  const asked = (email: string) => buyer.post('/api/v1/cart/quote', { ...DELIVERY, email }, { 'idempotency-key': key });
  const claimed = (secondsAgo: number, answer: string) => shop.rows(`UPDATE idempotency_keys SET claimed_at = ?, answer = ${answer} WHERE key = ?`, Date.now() - secondsAgo * 1000, key);
  const first = (await asked('ann@shopper.test')).expect(201);
  await claimed(10, 'NULL');
  (await asked('ann@shopper.test')).refused(503, 'request_under_way');
  await claimed(31, 'NULL');
  (await asked('eve@shopper.test')).refused(422, 'idempotency_key_reused');
  assert.notEqual((await asked('ann@shopper.test')).expect(201).id, first.id);
  await claimed(2 * 86_400 - 60, 'answer');
  await shop.purge('answers');
  (await asked('eve@shopper.test')).refused(422, 'idempotency_key_reused');
  await claimed(2 * 86_400, 'answer');
  await shop.purge('answers');
  assert.deepEqual(await shop.rows('SELECT 1 FROM idempotency_keys WHERE key = ?', key), []);
  (await asked('eve@shopper.test')).expect(201);
});

async function quoted(sku = 'LAMP', quantity = 1): Promise<{ buyer: Client; quoteId: string }> {
  const buyer = shop.shopper();
  await buyer.add(sku, quantity);
  return { buyer, quoteId: (await buyer.quote()).id };
}

function sessionsOf(orderId: string) {
  return [...shop.sandbox.account.sessions.values()].filter((session) => session.client_reference_id === orderId);
}

/** Ends the pause before the next attempt. */
async function makeDue(orderId: string): Promise<void> {
  await shop.rows('UPDATE outbox SET due_at = 0 WHERE order_id = ? AND done_at IS NULL', orderId);
}
