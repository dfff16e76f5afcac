/**
 * What a crash or an outage leaves half done is finished by the sweep. What a crash leaves is written here as the crashed
 * request would have left it, and aged in the database instead of waited for.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Client, Json } from './client.ts';
import { eventually } from './eventually.ts';
import type { ShopObject } from './objects.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000 }, { sku: 'LAST', quantity: 1 }));
});
after(() => shop.close());

test('a checkout that died before it held anything becomes an order', async () => {
  const { buyer, orderId } = await startedCheckout('LAMP');
  await shop.scheduled();
  const order = (await buyer.get(`/api/v1/orders/${orderId}`)).expect(200);
  assert.deepEqual([order.status, order.payment.status], ['pending_payment', 'open']);
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
});

test('a checkout that died after it held its stock takes no second unit', async () => {
  const { buyer, orderId, cartId } = await startedCheckout('LAMP');
  const before = await shop.stock('LAMP');
  await mustDo(shop.cartObject(cartId), `${orderId}:freeze`, { change: { freeze: { order_id: orderId } } });
  await mustDo(shop.stockObject('LAMP'), `${orderId}:1:died`, { hold: { hold_id: `${orderId}:1`, quantity: 1, ttl_secs: 600 } });
  await shop.scheduled();
  assert.equal((await buyer.get(`/api/v1/orders/${orderId}`)).expect(200).status, 'pending_payment');
  const now = await shop.stock('LAMP');
  assert.deepEqual([now.held, now.reserved], [before.held + 1, 0]);
});

test('a checkout that died and whose stock is gone gives everything back', async () => {
  const { buyer, orderId, cartId } = await startedCheckout('LAST', 2);
  await mustDo(shop.cartObject(cartId), `${orderId}:freeze`, { change: { freeze: { order_id: orderId } } });
  await shop.scheduled();
  assert.deepEqual(await shop.rows('SELECT step FROM checkouts WHERE order_id = ?', orderId), [{ step: 'returned' }]);
  (await shop.staff.get(`/api/v1/orders/${orderId}`)).refused(404, 'not_found');
  assert.equal((await shop.stock('LAST')).held, 0);
  await buyer.add('LAMP');

  const { data, counts } = (await shop.staff.get('/api/v1/admin/findings')).expect(200);
  assert.deepEqual([data[0].kind, data[0].subject, data[0].finished], ['stuck_checkout', orderId, true]);
  assert.ok(counts.some(({ kind, found }: Json) => kind === 'stuck_checkout' && found >= 1), JSON.stringify(counts));

  await shop.rows('UPDATE checkouts SET updated_at = 0 WHERE order_id = ?', orderId);
  await shop.scheduled();
  assert.deepEqual(await shop.rows('SELECT step FROM checkouts WHERE order_id = ?', orderId), []);
});

test('who looks at an order that is being placed is told so, and led back to the cart when it comes to nothing', async () => {
  const { buyer, orderId, cartId } = await startedCheckout('LAST', 2);
  await mustDo(shop.cartObject(cartId), `${orderId}:freeze`, { change: { freeze: { order_id: orderId } } });
  const [link] = (await buyer.get('/cart')).text.match(/\/orders\/ord_[^"]+/)!;
  const page = await buyer.get(link);
  assert.deepEqual([page.status, page.text.includes('data-poll="3"')], [200, true]);
  const another = await buyer.send('POST', `/checkout/${(await buyer.quote()).id}`, 'key=another', { 'content-type': 'application/x-www-form-urlencoded' });
  assert.deepEqual([another.status, another.headers.get('location')], [303, link]);
  await shop.scheduled();
  const gone = await buyer.get(link);
  assert.deepEqual([gone.status, gone.headers.get('location')], [303, '/cart']);
  assert.equal((await buyer.get(`/orders/${orderId}?token=forged`)).status, 404);
});

test('a checkout that is under way is left alone', async () => {
  const { orderId } = await startedCheckout('LAMP', 1, 5_000);
  await shop.scheduled();
  assert.deepEqual(await shop.rows('SELECT step FROM checkouts WHERE order_id = ?', orderId), [{ step: 'started' }]);
});

test('an event that was kept but never queued is dealt with', async () => {
  const order = await shop.shopper().buy('LAMP');
  losingEvents(() => shop.sandbox.control.pay(sessionOf(order)));
  const event = [...shop.sandbox.account.events.values()].findLast(({ type }) => type === 'checkout.session.completed');
  assert.ok(event);
  await shop.rows('INSERT INTO webhook_events (id, kind, payload, received_at) VALUES (?, ?, ?, 0)', event.id, event.type, JSON.stringify(event));
  await shop.scheduled();
  await shop.settled(order, 'confirmed');
});

test('an order whose events were lost is settled by what the provider says after the session has ended', async (t) => {
  for (const [action, status] of [['pay', 'confirmed'], ['expire', 'expired']] as const) await t.test(action, async () => {
    const order = await shop.shopper().buy('LAMP');
    losingEvents(() => shop.sandbox.control[action](sessionOf(order)));
    await shop.rows('UPDATE payments SET look_at = 0 WHERE order_id = ?', order.id);
    await shop.scheduled();
    await shop.settled(order, status);
  });
});

test('a payment that takes its days is looked at, and nothing to be found', async () => {
  const order = await shop.shopper().buy('LAMP');
  await shop.press(order, 'delay');
  await eventually(async () => assert.equal((await shop.staff.get(`/api/v1/orders/${order.id}`)).expect(200).payment_status, 'processing'));
  await shop.rows('UPDATE payments SET look_at = 0 WHERE order_id = ?', order.id);
  await shop.scheduled();
  assert.deepEqual(await shop.rows('SELECT kind FROM findings WHERE subject = ?', order.id), []);
  assert.deepEqual(await shop.rows('SELECT 1 FROM payments WHERE look_at = 0'), []);
});

test('quotes are forgotten after two hours, but not one that a checkout still needs', async () => {
  const { buyer, quoteId } = await startedCheckout('LAMP', 1, 5_000);
  const minutesPass = (minutes: number) => shop.rows('UPDATE quotes SET created_at = created_at - ?', minutes * 60_000);
  const old = await buyer.quote();
  await minutesPass(2);
  const another = shop.shopper();
  await another.add('LAMP');
  const other = await another.quote();
  await minutesPass(119);
  await shop.scheduled();
  const kept = (await shop.rows<{ id: string }>('SELECT id FROM quotes')).map(({ id }) => id);
  assert.deepEqual([quoteId, old.id, other.id].map((id) => kept.includes(id)), [true, false, true]);
});

test('a finished shop has nothing to sweep', async () => {
  const before = await shop.counts();
  await shop.scheduled();
  assert.deepEqual(await shop.counts(), before);
});

/** The events of `work` never arrive. */
function losingEvents(work: () => void): void {
  shop.sandbox.faults.add({ on: 'webhook', type: '*', kind: 'drop', times: 100 });
  work();
  shop.sandbox.faults.clear();
}

/** A checkout whose request died right after its first write, `ageMs` ago. */
async function startedCheckout(sku: string, quantity = 1, ageMs = 120_000): Promise<{ buyer: Client; orderId: string; cartId: string; quoteId: string }> {
  const buyer = shop.shopper();
  const cart = await buyer.add(sku, quantity);
  const quote = await buyer.quote();
  const orderId = `ord_${randomUUID().replaceAll('-', '')}`;
  await shop.rows(
    "INSERT INTO checkouts (order_id, cart_id, idempotency_key, request_hash, quote_id, step, live, updated_at) VALUES (?, ?, 'key', 'hash', ?, 'started', 1, ?)",
    orderId, cart.id, quote.id, Date.now() - ageMs,
  );
  return { buyer, orderId, cartId: cart.id, quoteId: quote.id };
}

async function mustDo(object: ShopObject, operationId: string, command: Json): Promise<void> {
  assert.ok((await object.do(operationId, command)).done);
}
