/**
 * Payments: late, delayed, failing, refunded, disputed; by the shop or on the provider's side. Each
 * ends in an order or a refund, and in a ledger that matches the provider's balance.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { type Json, opened } from './client.ts';
import { eventually } from './eventually.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100 }, { sku: 'RARE', quantity: 1 }));
});
after(() => shop.close());

test('a delayed payment that fails lets go of the stock and the cart, and the shopper is told', async () => {
  const before = await shop.stock('LAMP');
  const buyer = shop.shopper();
  const order = await buyer.buy('LAMP', 2);
  await shop.press(order, 'delay');
  await eventually(async () => assert.equal((await order_(order)).payment_status, 'processing'));
  assert.equal((await shop.stock('LAMP')).available, before.available - 2);
  shop.sandbox.control.settle(sessionOf(order), 'fail');
  await shop.settled(order, 'cancelled');
  assert.equal((await shop.stock('LAMP')).available, before.available);
  assert.equal((await buyer.get('/api/v1/cart')).body.lines.length, 1);
  await mailed(order, 'payment_problem');
});

test('a refund in parts never gives back more than was paid, however many ask at once', async () => {
  const order = await paid('LAMP', 2);
  const total = order.total.amount;
  const part = Math.floor(total / 3);
  const asked = await Promise.all(Array.from({ length: 8 }, () => refund(order, { amount: { amount: part, currency: 'USD' } })));
  const made = asked.filter(({ status }) => status === 201);
  assert.equal(made.length, 3);
  for (const answer of asked) if (answer.status !== 201) assert.ok(['refund_exceeds_captured', 'order_busy'].includes(answer.body.code), answer.text);
  await eventually(async () => assert.equal((await order_(order)).payment_status, 'partially_refunded'));
  (await refund(order, { amount: { amount: part, currency: 'USD' } })).refused(409, 'refund_exceeds_captured');
  (await refund(order, {})).expect(201);
  await eventually(async () => assert.equal((await order_(order)).payment_status, 'refunded'));
  assert.equal(refundedAtProvider(order), total);
  assert.deepEqual(await balances(order), {});
  await mailed(order, 'refund', 4);
});

test('a refund is asked for with a key, once, and within reason', async () => {
  const order = await paid('LAMP');
  const key = randomUUID();
  const first = (await refund(order, { amount: { amount: 100, currency: 'USD' }, reason: 'scratched' }, key)).expect(201);
  const again = await refund(order, { amount: { amount: 100, currency: 'USD' }, reason: 'scratched' }, key);
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
  assert.deepEqual(again.expect(200).refunds.map(({ id }: Json) => id), first.refunds.map(({ id }: Json) => id));
  (await refund(order, { amount: { amount: 200, currency: 'USD' } }, key)).refused(422, 'idempotency_key_reused');
  (await refund(order, { amount: { amount: 0, currency: 'USD' } })).refused(422, 'invalid_amount');
  (await refund(order, { amount: { amount: -5, currency: 'USD' } })).refused(422, 'invalid_amount');
  (await refund(order, { amount: { amount: 5, currency: 'EUR' } })).refused(422, 'invalid_currency');
  (await shop.staff.post(`/api/v1/orders/${order.id}/refunds`, {})).refused(422, 'idempotency_key_required');
  (await refund(await shop.shopper().buy('LAMP'), {})).refused(409, 'refund_exceeds_captured');
  await eventually(() => assert.equal(refundedAtProvider(order), 100));
});

test('a refund whose answer was lost is made once', async () => {
  const order = await paid('LAMP');
  shop.sandbox.faults.add({ on: 'api', method: 'POST', path: '/v1/refunds', kind: 'reset_after' });
  (await refund(order, {})).expect(201);
  await makeDue(order);
  await eventually(async () => {
    await shop.scheduled();
    assert.equal((await order_(order)).payment_status, 'refunded');
  });
  assert.equal(refundedAtProvider(order), order.total.amount);
});

test('a refund made on the provider’s side shows up by itself, once, and leaves no room for another', async () => {
  const order = await paid('LAMP');
  shop.sandbox.faults.add({ on: 'webhook', type: 'refund.created', kind: 'duplicate', copies: 4 });
  shop.sandbox.control.refund({ payment_intent: intentOf(order), amount: 700 });
  await eventually(async () => assert.equal((await order_(order)).payment_status, 'partially_refunded'));
  await shop.sandbox.control.storm(2);
  const { refunds } = await order_(order);
  assert.deepEqual(refunds.map(({ amount, status }: Json) => [amount.amount, status]), [[700, 'succeeded']]);
  (await refund(order, { amount: order.total })).refused(409, 'refund_exceeds_captured');
  assert.equal((await shop.stock('LAMP')).committed > 0, true, 'restocking is another decision');
});

test('a refund that fails gives its amount back to the order, and staff is told', async () => {
  const order = await paid('LAMP');
  shop.sandbox.faults.add({ on: 'refund', kind: 'pending' });
  (await refund(order, {})).expect(201);
  const made = await eventually(() => {
    const found = [...shop.sandbox.account.refunds.values()].find(({ payment_intent }) => payment_intent === intentOf(order));
    assert.ok(found);
    return found;
  });
  (await refund(order, {})).refused(409, 'refund_exceeds_captured');
  shop.sandbox.control.settleRefund(made.id, 'fail');
  await eventually(async () => assert.deepEqual((await order_(order)).refunds.map(({ status }: Json) => status), ['failed']));
  const invoice = await shop.shopper().get(`/orders/${order.id}/invoice`, opened(order));
  assert.deepEqual([invoice.status, invoice.text.includes('Refund of'), invoice.text.includes(`Invoice ${order.number}`)], [200, false, true]);
  const findings = (await shop.staff.get('/api/v1/admin/findings')).expect(200).data;
  assert.ok(findings.some(({ kind, subject, finished }: Json) => kind === 'refund_failed' && subject === order.id && !finished));
  (await refund(order, {})).expect(201);
  await eventually(async () => assert.equal((await order_(order)).payment_status, 'refunded'));
  assert.equal(refundedAtProvider(order), order.total.amount);
});

test('a dispute is booked, forbids refunds, and is a loss when it is lost', async (t) => {
  for (const [outcome, withdrawn] of [['won', 0], ['lost', 1]] as const) await t.test(outcome, async () => {
    const order = await paid('LAMP');
    const dispute = shop.sandbox.control.dispute(intentOf(order));
    await eventually(async () => assert.equal((await payment(order)).disputes[0]?.state, 'open'));
    (await refund(order, {})).refused(409, 'payment_disputed');
    shop.sandbox.control.closeDispute(dispute.id, outcome);
    await eventually(async () => assert.equal((await payment(order)).disputes[0]?.state, outcome));
    const { disputes = 0, fees, clearing } = await balances(order);
    assert.equal(disputes, withdrawn * order.total.amount);
    assert.equal(fees, 1500);
    assert.equal(clearing ?? 0, (1 - withdrawn) * order.total.amount - 1500);
    assert.deepEqual((await order_(order)).refunds, []);
  });
});

test('staff sees a payment as the provider has it, line by line', async () => {
  const order = await paid('LAMP', 2);
  const seen = await payment(order);
  assert.deepEqual([seen.provider, seen.state, seen.amount, seen.payment_ref], ['stripe', 'paid', order.total.amount, intentOf(order)]);
  assert.deepEqual([(await order_(order)).payment.provider, order.payment.provider], ['stripe', undefined], 'for staff alone');
  assert.equal(seen.items.reduce((sum: number, { amount }: Json) => sum + amount, 0), order.total.amount);
});

test('late money holds its stock again when it can', async () => {
  const before = await shop.stock('LAMP');
  const order = await shop.shopper().buy('LAMP', 2);
  await expireWithoutTelling(order);
  await payLate(order);
  const confirmed = await shop.settled(order, 'confirmed');
  assert.deepEqual(confirmed.refunds, []);
  assert.equal((await shop.stock('LAMP')).committed, before.committed + 2);
  await mailed(order, 'order_confirmation');
});

test('late money for units that are gone goes back in full, once', async () => {
  const order = await shop.shopper().buy('RARE');
  await expireWithoutTelling(order);
  const other = await paid('RARE');
  await payLate(order);
  const cancelled = await shop.settled(order, 'cancelled');
  await eventually(async () => assert.equal((await order_(order)).payment_status, 'refunded'));
  await shop.sandbox.control.storm(3);
  assert.deepEqual((await order_(order)).refunds.length, 1);
  assert.equal(refundedAtProvider(order), cancelled.total.amount);
  assert.equal((await order_(other)).status, 'confirmed');
  await mailed(order, 'payment_problem');
  await mailed(order, 'refund');
});

test('events that could not be delivered are fetched and dealt with', async () => {
  const order = await shop.shopper().buy('LAMP');
  for (const type of ['checkout.session.completed', 'payment_intent.succeeded']) shop.sandbox.faults.add({ on: 'webhook', type, kind: 'drop' });
  shop.sandbox.control.pay(sessionOf(order));
  await shop.rows('DELETE FROM jobs');
  await shop.scheduled();
  await shop.settled(order, 'confirmed');
  const findings = (await shop.staff.get('/api/v1/admin/findings?status=closed')).expect(200).data;
  assert.ok(findings.some(({ kind, finished }: Json) => kind === 'undelivered_event' && finished));
  await mailed(order, 'order_confirmation');
});

test('more events than a page lists, and than a batch of the queue takes, are fetched', async () => {
  const type = 'payment_intent.canceled';
  shop.sandbox.faults.add({ on: 'webhook', type, kind: 'drop', times: 130 });
  for (let nth = 0; nth < 130; nth += 1) shop.sandbox.control.emit(type, { id: '', object: 'payment_intent', nth });
  await shop.rows('DELETE FROM jobs');
  await shop.scheduled();
  await eventually(async () => {
    const [dealt] = await shop.rows("SELECT COUNT(*) AS count FROM webhook_events WHERE kind = ? AND outcome = 'not_ours'", type);
    assert.equal(dealt?.['count'], 130);
  });
});

test('whatever came in whatever order, each order’s events again and shuffled change nothing', async () => {
  await eventually(async () => {
    const [left] = await shop.rows('SELECT COUNT(*) AS count FROM webhook_events WHERE processed_at IS NULL');
    assert.equal(left?.['count'], 0);
  });
  const state = async () => [
    await shop.rows('SELECT id, status, version FROM orders ORDER BY id'),
    await shop.rows('SELECT order_id, account, SUM(amount) AS amount FROM ledger_entries GROUP BY order_id, account ORDER BY order_id, account'),
    await shop.stock('LAMP'),
    await shop.rows('SELECT id, sent_at FROM mails ORDER BY id'),
  ];
  const before = await state();
  await shop.sandbox.control.storm(5);
  await shop.rows("UPDATE webhook_events SET processed_at = NULL, due_at = 0");
  await eventually(async () => {
    await shop.scheduled();
    const [left] = await shop.rows('SELECT COUNT(*) AS count FROM webhook_events WHERE processed_at IS NULL');
    assert.equal(left?.['count'], 0);
  });
  assert.deepEqual(await state(), before);
});

test('the ledger agrees with the provider’s balance, and a difference is told', async () => {
  const order = await paidYesterday();
  const { balance_transaction: txn } = shop.sandbox.account.charges.get(shop.sandbox.account.intents.get(intentOf(order))!.latest_charge!)!;
  const { fee, net } = shop.sandbox.account.balance.get(String(txn))!;
  assert.ok(fee > 0);
  for (const _ of [1, 2]) {
    await compareAnew();
    const { fees, clearing } = await balances(order);
    assert.deepEqual([fees, clearing], [fee, net], 'what the provider kept is booked once');
    assert.deepEqual(await differences(), []);
  }
  const unbalanced = await shop.rows('SELECT order_id FROM ledger_entries GROUP BY order_id, version, journal, currency HAVING SUM(amount) <> 0');
  assert.deepEqual(unbalanced, []);
  const [entry] = shop.sandbox.account.balance.values();
  entry!.amount += 1;
  await compareAnew();
  const [difference] = await differences();
  assert.match(difference.error, /pi_/);
});

const order_ = async (order: Json) => (await shop.staff.get(`/api/v1/orders/${order.id}`)).expect(200);
const payment = async (order: Json) => (await shop.staff.get(`/api/v1/admin/payments/${order.id}`)).expect(200);
const refund = (order: Json, body: unknown, key: string = randomUUID()) =>
  shop.staff.post(`/api/v1/orders/${order.id}/refunds`, body, { 'idempotency-key': key });

async function paid(sku: string, quantity = 1): Promise<Json> {
  const order = await shop.shopper().buy(sku, quantity);
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  return order;
}

function session(order: Json) {
  return shop.sandbox.account.sessions.get(sessionOf(order))!;
}

function intentOf(order: Json): string {
  return session(order).payment_intent!;
}

function refundedAtProvider(order: Json): number {
  const ours = [...shop.sandbox.account.refunds.values()].filter(({ payment_intent, status }) => payment_intent === intentOf(order) && status !== 'failed');
  return ours.reduce((sum, { amount }) => sum + amount, 0);
}

async function balances(order: Json): Promise<Record<string, number>> {
  const rows = await shop.rows<{ account: string; amount: number }>(
    'SELECT account, SUM(amount) AS amount FROM ledger_entries WHERE order_id = ? GROUP BY account HAVING SUM(amount) <> 0', order.id);
  return Object.fromEntries(rows.map(({ account, amount }) => [account, amount]));
}

async function mailed(order: Json, kind: string, count = 1): Promise<void> {
  await eventually(async () => {
    const mails = await shop.rows('SELECT id FROM mails WHERE order_id = ? AND kind = ? AND sent_at IS NOT NULL', order.id, kind);
    assert.equal(mails.length, count);
  });
}

/**
 * The shop has seen the session end, as when the response that opened it was lost, but the provider
 * still takes the money.
 */
async function expireWithoutTelling(order: Json): Promise<void> {
  shop.sandbox.control.expire(sessionOf(order));
  await shop.settled(order, 'expired');
}

async function payLate(order: Json): Promise<void> {
  session(order).status = 'open';
  shop.sandbox.control.pay(sessionOf(order));
}

async function makeDue(order: Json): Promise<void> {
  await shop.rows('UPDATE outbox SET due_at = 0 WHERE order_id = ? AND done_at IS NULL', order.id);
}

/** Moves all payments to the day before. */
async function paidYesterday(): Promise<Json> {
  const order = await paid('LAMP');
  await shop.rows('UPDATE journals SET at = at - 86400000');
  for (const entry of shop.sandbox.account.balance.values()) entry.created -= 86_400;
  return order;
}

async function compareAnew(): Promise<void> {
  await shop.rows('DELETE FROM jobs');
  await shop.scheduled();
}

async function differences(): Promise<Json[]> {
  return (await shop.staff.get('/api/v1/admin/findings?limit=100')).expect(200).data.filter(({ kind }: Json) => kind === 'balance_differs');
}
