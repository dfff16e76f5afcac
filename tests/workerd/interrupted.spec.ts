/**
 * State left by a request that dies while it places an order: its cart frozen, its units held. The
 * next request with its key continues; others wait until it must be over. A request dies here
 * because the database rejects its last step.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { type Client } from './client.ts';
import { startShop, type Shop } from './shop.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000 }, { sku: 'LAST', quantity: 1 }));
});
after(() => shop.close());

test('the next request with its key takes it up, with the units that it held', async () => {
  const { buyer, key, quoteId, orderId } = await diedWith('LAST');
  assert.deepEqual([(await shop.stock('LAST')).reserved, await unplaced(orderId)], [1, true]);
  const order = (await buyer.order(quoteId, key)).expect(201);
  assert.equal(order.id, orderId);
  assert.deepEqual([(await shop.stock('LAST')).held, (await shop.stock('LAST')).reserved], [1, 0]);
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  await shop.staff.post('/api/v1/admin/stock/LAST', { receive: { quantity: 1 } }, { 'idempotency-key': randomUUID() });
});

test('eight requests with its key at once take it up as one', async () => {
  const { buyer, key, quoteId, orderId } = await diedWith('LAMP');
  const { held } = await shop.stock('LAMP');
  const answers = await Promise.all(Array.from({ length: 8 }, () => buyer.order(quoteId, key)));
  for (const answer of answers) if (answer.status !== 201) assert.equal(answer.expect(200).id, orderId);
  assert.equal((await shop.rows('SELECT id FROM orders WHERE id = ?', orderId)).length, 1);
  assert.equal((await shop.stock('LAMP')).held, held);
});

test('its key with another body is refused, and another key is told of it', async () => {
  const { buyer, key, orderId } = await diedWith('LAMP');
  const other = (await buyer.quote()).id;
  (await buyer.order(other, key)).refused(422, 'idempotency_key_reused');
  assert.equal((await buyer.order(other)).refused(409, 'cart_in_checkout').order_id, orderId);
  (await buyer.post('/api/v1/cart/items', { sku: 'LAMP', quantity: 1 })).refused(409, 'cart_in_checkout');
});

test('who looks at its order is told that it is being placed, and led back to the cart when it came to nothing', async () => {
  const { buyer, cartId } = await diedWith('LAMP');
  const cart = await buyer.get('/cart');
  const [link] = cart.text.match(/\/orders\/ord_[^"]+/)!;
  const browser = { cookie: cart.headers.get('set-cookie')!.split(';')[0]! };
  const page = await buyer.get(link, browser);
  assert.deepEqual([page.status, page.text.includes('data-pauses="2 3 5 10"')], [200, true]);
  const another = await buyer.send('POST', `/checkout/${(await buyer.quote()).id}`, 'key=another', FORM);
  assert.deepEqual([another.status, another.headers.get('location')], [303, link]);
  await requestsAreOver(cartId);
  const gone = await buyer.get(link, browser);
  assert.deepEqual([gone.status, gone.headers.get('location')], [303, '/cart']);
  assert.match((await buyer.get(link)).text, /data-opens-at/);
});

for (const [what, next] of Object.entries({
  'changes it': (buyer: Client) => buyer.add('LAMP'),
  'orders from it': async (buyer: Client) => (await buyer.order((await buyer.quote()).id)).expect(201),
})) test(`a cart that it left behind is set free by who ${what}, and its order can not be placed any more`, async () => {
  const { buyer, cartId, orderId } = await diedWith('LAMP');
  await requestsAreOver(cartId);
  await next(buyer);
  const events = await shop.rows('SELECT version, happening FROM order_events WHERE order_id = ?', orderId);
  assert.deepEqual(events, [{ version: 1, happening: 'refused' }]);
  assert.equal(await unplaced(orderId), true);
});

/** Returns a shopper whose request held everything and could not write the order. */
async function diedWith(sku: string) {
  const buyer = shop.shopper();
  const { id: cartId } = await buyer.add(sku);
  const [quoteId, key] = [(await buyer.quote()).id as string, randomUUID()];
  await shop.rows("CREATE TRIGGER dies BEFORE INSERT ON orders BEGIN SELECT RAISE(ABORT, 'Network connection lost.'); END");
  try {
    (await buyer.order(quoteId, key)).refused(503, 'database_unavailable');
  } finally {
    await shop.rows('DROP TRIGGER dies');
  }
  const orderId: string = (await buyer.get('/api/v1/cart')).expect(200).order_id;
  return { buyer, cartId, quoteId, key, orderId };
}

async function unplaced(orderId: string): Promise<boolean> {
  return (await shop.rows('SELECT id FROM orders WHERE id = ? UNION SELECT order_id FROM checkouts WHERE order_id = ?', orderId, orderId)).length === 0;
}

/** Ages a frozen cart by more than a minute: the request that froze it is over. */
function requestsAreOver(cartId: string): Promise<void> {
  return shop.cartObject(cartId).age('cart', 'changed_at', 61);
}
