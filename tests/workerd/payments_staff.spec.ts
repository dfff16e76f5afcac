/**
 * Payments for staff: dead letters that are replayed or discarded, and a provider that is not
 * called while it is down.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Client } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const LETTERS = '/api/v1/admin/dead-letters';
const MAX_RETRIES = 1;

let shop: Shop;
before(async () => {
  shop = await startShop({ maxRetries: MAX_RETRIES });
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100 }));
});
after(() => shop.close());

test('a dead letter is listed, inspected, and replayed once its fault is mended', async () => {
  const order = await shop.shopper().buy('LAMP');
  shop.sandbox.faults.add({ on: 'webhook', type: 'payment_intent.succeeded', kind: 'drop' });
  shop.sandbox.faults.add({ on: 'api', method: 'GET', path: '/v1/checkout/sessions/', kind: 'error', times: 1 + MAX_RETRIES });
  await shop.press(order, 'pay');
  const [letter] = await lettersOf('dead', 1);

  const inspected = (await shop.staff.get(`${LETTERS}/${letter.id}`)).expect(200);
  assert.equal(inspected.event.type, 'checkout.session.completed');
  assert.equal(inspected.attempts, 1 + MAX_RETRIES);
  assert.deepEqual(inspected.history.map(({ error }: { error: string }) => error), Array(1 + MAX_RETRIES).fill('internal_error: payment provider: unknown: status 500'));

  const replayed = (await shop.staff.post(`${LETTERS}/${letter.id}/replay`)).expect(200);
  assert.deepEqual([replayed.status, replayed.resolved_by], ['replayed', 'staff']);
  await shop.settled(order, 'confirmed');
  (await shop.staff.post(`${LETTERS}/${letter.id}/replay`)).refused(409, 'already_resolved');
  (await shop.staff.post(`${LETTERS}/${letter.id}/discard`, { reason: 'late' })).refused(409, 'already_resolved');
  await lettersOf('dead', 0);
});

test('what dies again after a replay is a letter again; all are replayed at once; one is let go for a reason', async () => {
  for (const at of [1, 2, 3]) shop.sandbox.control.emit('checkout.session.completed', { id: `cs_test_nobody${at}`, object: 'checkout.session' });
  const dead = await lettersOf('dead', 3);
  assert.deepEqual((await shop.staff.post(`${LETTERS}/replay`)).expect(200), { replayed: 3 });
  const again = await eventually(async () => {
    const letters = await lettersOf('dead', 3);
    assert.deepEqual(letters.filter(({ id }: { id: string }) => dead.some((old: { id: string }) => old.id === id)), []);
    return letters;
  });
  assert.equal(again[0].attempts, 1 + MAX_RETRIES);

  const id = again[0].id;
  for (const reason of ['', '  ', 'x'.repeat(501)]) (await shop.staff.post(`${LETTERS}/${id}/discard`, { reason })).refused(422, 'invalid_reason');
  (await shop.staff.post(`${LETTERS}/dl_nothing/discard`, { reason: 'x' })).refused(404, 'not_found');
  (await shop.staff.post(`${LETTERS}/dl_nothing/replay`)).refused(404, 'not_found');
  (await shop.staff.post(`${LETTERS}/${id}/discard`, { reason: 'of another shop' })).expect(200);
  const [discarded] = await lettersOf('discarded', 1);
  assert.deepEqual([discarded.id, discarded.reason, discarded.resolved_by], [id, 'of another shop', 'staff']);
  await lettersOf('dead', 2);
});

test('letters are listed by pages', async () => {
  const first = (await shop.staff.get(`${LETTERS}?limit=1`)).expect(200);
  assert.deepEqual([first.data.length, first.total], [1, 2]);
  const second = (await shop.staff.get(`${LETTERS}?limit=1&cursor=${first.next_cursor}`)).expect(200);
  assert.deepEqual([second.data.length, second.next_cursor], [1, null]);
  assert.notEqual(first.data[0].id, second.data[0].id);
  (await shop.staff.get(`${LETTERS}?status=gone`)).refused(422, 'invalid_status');
  (await shop.staff.get(`${LETTERS}?cursor=%21`)).refused(400, 'malformed_cursor');
});

test('while the provider is down it is left alone, orders are kept, and their links follow', async () => {
  assert.deepEqual([(await provider()).provider, (await provider()).state], ['stripe', 'closed']);
  const down = { on: 'api', path: '/v1/', kind: 'error', status: 503, times: 10_000 };
  shop.sandbox.faults.add(down);
  const orders: { buyer: Client; id: string }[] = [];
  for (let count = 0; count < 7; count += 1) {
    const buyer = shop.shopper();
    const order = await buyer.buy('LAMP');
    assert.deepEqual([order.status, order.payment.status, order.payment.url], ['pending_payment', 'preparing', undefined]);
    orders.push({ buyer, id: order.id });
  }
  const open = await provider();
  assert.equal(open.state, 'open');
  assert.match(open.last_error, /status 503/);
  assert.ok(Date.parse(open.retry_at) > Date.parse(open.changed_at));
  assert.equal(10_000 - (shop.sandbox.faults.list[0]?.times ?? 0), 5, 'the provider was asked five times, then left alone');

  shop.sandbox.faults.clear();
  await shop.rows('UPDATE outbox SET due_at = 0 WHERE done_at IS NULL');
  await eventually(async () => {
    await shop.rows('UPDATE outbox SET due_at = 0 WHERE done_at IS NULL');
    await shop.scheduled();
    assert.equal((await provider()).state, 'closed');
    for (const { buyer, id } of orders) assert.equal((await buyer.get(`/api/v1/orders/${id}`)).body.payment.status, 'open');
  });
});

const provider = async () => (await shop.staff.get('/api/v1/admin/payments/provider')).expect(200);

function lettersOf(status: string, count: number) {
  return eventually(async () => {
    const { data, total } = (await shop.staff.get(`${LETTERS}?status=${status}`)).expect(200);
    assert.deepEqual([data.length, total], [count, count]);
    return data;
  });
}
