/**
 * Recovery: the sweep finishes whatever a crash or an outage left half done. The tests write that
 * state as the crashed request would have left it, and age it in the database instead of waiting.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { eventually } from './eventually.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000 }));
});
after(() => shop.close());

test('an event that was kept but never queued is dealt with', async () => {
  const order = await shop.shopper().buy('LAMP');
  losingEvents(() => shop.sandbox.control.pay(sessionOf(order)));
  const event = [...shop.sandbox.account.events.values()].findLast(({ type }) => type === 'checkout.session.completed');
  assert.ok(event);
  await shop.rows('INSERT INTO webhook_events (id, kind, payload, received_at) VALUES (?, ?, ?, ?)', event.id, event.type, JSON.stringify(event), Date.now());
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

test('quotes are forgotten after two hours', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const minutesPass = (minutes: number) => shop.rows('UPDATE quotes SET created_at = created_at - ?', minutes * 60_000);
  const old = await buyer.quote();
  await minutesPass(2);
  const another = shop.shopper();
  await another.add('LAMP');
  const other = await another.quote();
  await minutesPass(119);
  await shop.scheduled();
  const kept = (await shop.rows<{ id: string }>('SELECT id FROM quotes')).map(({ id }) => id);
  assert.deepEqual([old.id, other.id].map((id) => kept.includes(id)), [false, true]);
});

test('a finished shop has nothing to sweep', async () => {
  const before = await shop.counts();
  await shop.scheduled();
  assert.deepEqual(await shop.counts(), before);
});

/** Runs `work` while its events never arrive. */
function losingEvents(work: () => void): void {
  shop.sandbox.faults.add({ on: 'webhook', type: '*', kind: 'drop', times: 100 });
  work();
  shop.sandbox.faults.clear();
}
