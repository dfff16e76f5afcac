/**
 * Outages of the payment provider, and sessions that end while someone pays: the order is kept, its
 * payment follows, and there is never money without an order. Nothing waits for time: rows are aged
 * instead.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Client, Json } from './client.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

const MINUTE = 60_000;

let shop: Shop;
before(async () => {
  shop = await startShop({ counted: true });
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000 }));
});
after(() => shop.close());

test('an order that found no provider for 31 minutes gets a session of its own, and is paid', async () => {
  const before = await shop.stock('LAMP');
  const { buyer, order } = await orderWhileAway();
  await age(order, 31 * MINUTE);
  await shop.scheduled();
  const renewed = (await buyer.get(`/api/v1/orders/${order.id}`)).expect(200);
  assert.deepEqual([renewed.status, renewed.payment.status], ['pending_payment', 'open']);
  assert.deepEqual(renewed.timeline.map(({ event }: Json) => event), ['placed', 'payment_renewed']);
  const session = shop.sandbox.account.sessions.get(sessionOf(renewed))!;
  assert.ok(session.expires_at - session.created >= 59 * 60, 'it can be paid for an hour');
  assert.equal(session.amount_total, order.total.amount);
  assert.deepEqual(await held(), before.held + 1);
  await shop.press(renewed, 'pay');
  await shop.settled(order, 'confirmed');
  assert.equal(sessionsOf(order).length, 1);
});

test('a session whose answer was lost is found after half an hour, and no other is opened', async () => {
  shop.sandbox.faults.add({ on: 'api', method: 'POST', path: '/v1/checkout/sessions', kind: 'reset_after' });
  const buyer = shop.shopper();
  const order = await buyer.buy('LAMP');
  assert.equal(order.payment.url, undefined);
  await age(order, 31 * MINUTE);
  await shop.scheduled();
  const found = (await buyer.get(`/api/v1/orders/${order.id}`)).expect(200);
  assert.equal(sessionOf(found), sessionsOf(order)[0]!.id);
  assert.deepEqual([sessionsOf(order).length, found.timeline.length], [1, 1]);
  await shop.press(found, 'pay');
  await shop.settled(order, 'confirmed');
});

test('as long as the provider takes its request, an order gets the session that it asked for', async () => {
  const { order } = await orderWhileAway();
  await age(order, 29 * MINUTE);
  await shop.scheduled();
  const opened = await orderOf(order);
  assert.deepEqual([opened.payment.status, opened.timeline.length], ['open', 1]);
});

test('a failure that the provider keeps under the key: nothing is decided while a call may be on its way, then its list of sessions tells', async () => {
  shop.sandbox.faults.add({ on: 'api', method: 'POST', path: '/v1/checkout/sessions', kind: 'error_saved', status: 500 });
  const order = await shop.shopper().buy('LAMP');
  await shop.rows('UPDATE payments SET expires_at = expires_at - ? WHERE order_id = ?', 27 * MINUTE, order.id);
  const driven = async () => {
    await shop.rows('UPDATE outbox SET due_at = 0 WHERE order_id = ? AND done_at IS NULL', order.id);
    await shop.scheduled();
    return orderOf(order);
  };
  const waiting = await driven();
  assert.deepEqual([waiting.payment.status, waiting.timeline.length], ['preparing', 1]);
  await shop.rows('UPDATE payments SET expires_at = expires_at - ? WHERE order_id = ?', 4 * MINUTE, order.id);
  const renewed = await driven();
  assert.deepEqual([renewed.payment.status, renewed.timeline.at(-1).event], ['open', 'payment_renewed']);
});

test('a provider that has no room is asked again, for the same session, before the shopper is answered', async (t) => {
  const busy = (fault: Json) => shop.sandbox.faults.add({ on: 'api', method: 'POST', path: '/v1/checkout/sessions', kind: 'error', status: 429, ...fault });
  for (const [name, fault] of Object.entries({ 'twice': { times: 2 }, 'and says when': { retry_after: 1 }, 'and says to': { should_retry: true } })) {
    await t.test(name, async () => {
      busy(fault);
      await shop.costs();
      const order = await shop.shopper().buy('LAMP');
      const { calls } = await shop.costs();
      assert.deepEqual([order.payment.status, shop.sandbox.faults.list], ['open', []]);
      assert.equal(calls['POST /v1/checkout/sessions'], (fault.times ?? 1) + 1);
      assert.equal(sessionsOf(order).length, 1);
      await shop.press(order, 'pay');
      await shop.settled(order, 'confirmed');
    });
  }

  await t.test('but not a third time, nor when it says not to, nor when it asks for longer than a shopper waits', async () => {
    for (const [fault, asked] of [[{ times: 3 }, 3], [{ should_retry: false }, 1], [{ retry_after: 60 }, 1]] as const) {
      busy(fault);
      await shop.costs();
      const order = await shop.shopper().buy('LAMP');
      const { calls } = await shop.costs();
      assert.deepEqual([order.payment.status, calls['POST /v1/checkout/sessions'], shop.sandbox.faults.list], ['preparing', asked, []]);
      assert.ok((await shop.payable(order)).payment.url, 'its session follows');
    }
  });

  await t.test('and however often that was, it does not count as an outage', async () => {
    busy({ times: 30 });
    for (let count = 0; count < 10; count += 1) await shop.shopper().buy('LAMP');
    assert.deepEqual(shop.sandbox.faults.list, []);
    assert.equal((await shop.staff.get('/api/v1/admin/payments/provider')).expect(200).state, 'closed');
    assert.deepEqual(await shop.rows('SELECT * FROM circuit_breakers'), []);
  });
});

test('an order that is cancelled while the provider is away ends without a session', async () => {
  const before = await held();
  const { buyer, order } = await orderWhileAway();
  shop.sandbox.faults.add({ on: 'api', path: '/v1/', kind: 'error', status: 429, should_retry: false, times: 2 });
  (await buyer.post(`/api/v1/orders/${order.id}/cancel`, {})).expect(200);
  shop.sandbox.faults.clear();
  await age(order, 31 * MINUTE);
  await shop.scheduled();
  await shop.settled(order, 'cancelled');
  assert.deepEqual([sessionsOf(order).length, await held()], [0, before]);
});

test('an outage of a whole working day ends the order, and gives back its units', async () => {
  const before = await held();
  const { order } = await orderWhileAway();
  await age(order, 7 * 60 * MINUTE);
  await shop.scheduled();
  await shop.settled(order, 'expired');
  assert.deepEqual([sessionsOf(order).length, await held()], [0, before]);
});

test('a session that ends while the shopper pays', async (t) => {
  await t.test('is paid when the money was faster, whatever the shop was told first', async () => {
    const order = await shop.shopper().buy('LAMP');
    shop.sandbox.faults.add({ on: 'webhook', type: '*', kind: 'hold', times: 100 });
    shop.sandbox.control.pay(sessionOf(order));
    shop.sandbox.faults.clear();
    shop.sandbox.control.emit('checkout.session.expired', { id: sessionOf(order), object: 'checkout.session' });
    await shop.settled(order, 'confirmed');
    shop.sandbox.control.release('reverse');
    await shop.sandbox.deliveries.idle();
    assert.deepEqual((await orderOf(order)).timeline.map(({ event }: Json) => event), ['placed', 'paid']);
  });

  await t.test('is expired when the end was faster: the payment page takes nothing', async () => {
    const before = await held();
    const order = await shop.shopper().buy('LAMP');
    shop.sandbox.control.expire(sessionOf(order));
    const answer = await fetch(order.payment.url, { method: 'POST', body: new URLSearchParams({ action: 'pay' }), redirect: 'manual' });
    await answer.arrayBuffer();
    await shop.settled(order, 'expired');
    assert.deepEqual([sessionsOf(order)[0]!.payment_status, await held()], ['unpaid', before]);
  });

  await t.test('is settled by whoever was first when the shopper cancels and pays at once', async () => {
    const buyer = shop.shopper();
    const order = await buyer.buy('LAMP');
    const id = sessionOf(order);
    const [cancelled] = await Promise.all([
      buyer.post(`/api/v1/orders/${order.id}/cancel`, {}),
      fetch(order.payment.url, { method: 'POST', body: new URLSearchParams({ action: 'pay' }), redirect: 'manual' }).then((answer) => answer.arrayBuffer()),
    ]);
    assert.ok([200, 409].includes(cancelled.status), cancelled.text);
    const paid = shop.sandbox.account.sessions.get(id)!.payment_status === 'paid';
    await shop.settled(order, paid ? 'confirmed' : 'cancelled');
  });
});

/** Places an order while the provider rejects everything. */
async function orderWhileAway(): Promise<{ buyer: Client; order: Json }> {
  shop.sandbox.faults.add({ on: 'api', method: 'POST', path: '/v1/checkout/sessions', kind: 'error', status: 429, should_retry: false });
  const buyer = shop.shopper();
  const order = await buyer.buy('LAMP');
  assert.deepEqual([order.status, order.payment.status], ['pending_payment', 'preparing']);
  return { buyer, order };
}

/** Ages an order by `millis` and makes it due. */
async function age(order: Json, millis: number): Promise<void> {
  await shop.rows('UPDATE orders SET created_at = created_at - ? WHERE id = ?', millis, order.id);
  const [payment] = await shop.rows<{ request: string }>('SELECT request FROM payments WHERE order_id = ?', order.id);
  const request = new URLSearchParams(payment!.request);
  // A request that was sent stays unchanged, because the provider knows it by its key.
  if (sessionsOf(order).length === 0) request.set('expires_at', String(Number(request.get('expires_at')) - millis / 1000));
  await shop.rows('UPDATE payments SET expires_at = expires_at - ?, request = ? WHERE order_id = ?', millis, request.toString(), order.id);
  await shop.rows('UPDATE outbox SET due_at = 0 WHERE order_id = ? AND done_at IS NULL', order.id);
  for (const session of sessionsOf(order)) session.created -= millis / 1000;
}

const orderOf = async (order: Json) => (await shop.staff.get(`/api/v1/orders/${order.id}`)).expect(200);
const held = async () => (await shop.stock('LAMP')).held;
const sessionsOf = (order: Json) => [...shop.sandbox.account.sessions.values()].filter((session) => session.client_reference_id === order.id);
