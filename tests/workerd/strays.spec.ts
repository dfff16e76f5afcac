/**
 * Sessions that name an order but are not its own: from a payment link, from another app on the
 * account, or from an abandoned attempt of the shop. None changes the order; the shop's own money
 * is refunded once, a stranger's is reported, and a session that names no order leaves no trace.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stripe } from 'stripe';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { SECRETS, sessionOf, startShop, type Shop } from './shop.ts';

let shop: Shop;
let account: Stripe;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100 }));
  account = new Stripe(SECRETS.STRIPE_SECRET_KEY, { host: '127.0.0.1', port: shop.sandbox.port, protocol: 'http' });
});
after(() => shop.close());

test('money of a payment link that names the order is told, and the order’s own is still taken', async () => {
  const order = await shop.shopper().buy('LAMP', 2);
  const link = await openElsewhere(order.id);
  shop.sandbox.control.pay(link);
  assert.deepEqual(await outcomes(link), ['stray']);
  assert.deepEqual([(await order_(order)).status, (await order_(order)).payment_status], ['pending_payment', 'open']);

  await shop.press(order, 'pay');
  const confirmed = await shop.settled(order, 'confirmed');
  await told(order, link);
  assert.equal(await captured(order), confirmed.total.amount);
  assert.deepEqual([confirmed.refunds, refundsOf(link), await books(link)], [[], [], []]);
});

test('a session that names no order of the shop’s is not asked about', async (t) => {
  for (const reference of ['ord_00000000000000000000000000', 'invoice 7', undefined]) await t.test(String(reference), async () => {
    const foreign = await openElsewhere(reference);
    shop.sandbox.faults.add({ on: 'api', path: `/v1/checkout/sessions/${foreign}`, kind: 'error', status: 500 });
    shop.sandbox.control.pay(foreign);
    assert.deepEqual(await outcomes(foreign), ['not_ours']);
    const attempts = await shop.rows('SELECT DISTINCT attempts FROM webhook_events WHERE instr(payload, ?) > 0', foreign);
    assert.deepEqual(attempts, [{ attempts: 1 }]);
    assert.equal(shop.sandbox.faults.list.length, 1, 'nobody has asked for it');
    shop.sandbox.faults.clear();
    shop.sandbox.control.refund({ payment_intent: intentOf(foreign) });
    await eventually(async () => {
      const rows = await shop.rows("SELECT outcome FROM webhook_events WHERE kind = 'refund.created' AND instr(payload, ?) > 0", intentOf(foreign));
      assert.deepEqual(rows, [{ outcome: 'not_ours' }]);
    });
  });
  assert.deepEqual(await shop.rows("SELECT subject FROM findings WHERE kind <> 'stray_payment'"), []);
});

test('a stranger’s session that expires lets go of nothing', async () => {
  const before = await shop.stock('LAMP');
  const order = await shop.shopper().buy('LAMP', 2);
  const link = await openElsewhere(order.id);
  shop.sandbox.control.expire(link);
  assert.deepEqual(await outcomes(link), ['not_ours']);
  assert.equal((await order_(order)).status, 'pending_payment');
  assert.equal((await shop.stock('LAMP')).available, before.available - 2);
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
});

test('a second payment goes back in full, once, whichever comes first and however often it is told', async (t) => {
  for (const own of ['first', 'second'] as const) await t.test(`its own comes ${own}`, async () => {
    const order = await shop.shopper().buy('LAMP');
    const second = await openAgain(order);
    shop.sandbox.faults.add({ on: 'webhook', type: 'checkout.session.completed', kind: 'duplicate', copies: 4, times: 2 });
    if (own === 'first') await shop.press(order, 'pay');
    shop.sandbox.control.pay(second);
    if (own === 'second') await shop.press(order, 'pay');
    const { total } = await shop.settled(order, 'confirmed');
    await givenBack(second);
    await shop.sandbox.control.storm(2);
    await shop.rows('UPDATE webhook_events SET processed_at = NULL, due_at = 0');
    await eventually(async () => {
      await shop.scheduled();
      assert.deepEqual(await shop.rows('SELECT id FROM webhook_events WHERE processed_at IS NULL'), []);
    });

    await shop.settled(order, 'confirmed');
    await told(order, second);
    assert.deepEqual(refundsOf(second), [[total.amount, 'succeeded']]);
    assert.deepEqual(refundsOf(sessionOf(order)), []);
    assert.deepEqual([await books(second), (await order_(order)).refunds], [[], []]);
    assert.equal(await captured(order), total.amount);
  });
});

test('a refund of a second payment is made once, and its failure is for a person', async () => {
  const order = await paid();
  const second = await openAgain(order);
  shop.sandbox.faults.add({ on: 'api', method: 'POST', path: '/v1/refunds', kind: 'reset_after' });
  shop.sandbox.faults.add({ on: 'refund', kind: 'pending' });
  shop.sandbox.control.pay(second);
  await eventually(async () => {
    await shop.rows('UPDATE outbox SET due_at = 0 WHERE order_id = ? AND done_at IS NULL', order.id);
    await shop.scheduled();
    assert.equal(refundsOf(second).length, 1);
    assert.deepEqual(await shop.rows('SELECT effect, last_error FROM outbox WHERE order_id = ? AND done_at IS NULL', order.id), []);
  });
  assert.deepEqual(refundsOf(second), [[order.total.amount, 'pending']]);
  const [made] = [...shop.sandbox.account.refunds.values()].filter(({ payment_intent }) => payment_intent === intentOf(second));
  shop.sandbox.control.settleRefund(made!.id, 'fail');
  await eventually(async () => {
    const { data } = (await shop.staff.get('/api/v1/admin/findings?limit=100')).expect(200);
    assert.equal(data.filter(({ kind, error }: Json) => kind === 'refund_failed' && error.includes(second)).length, 1);
  });
  assert.deepEqual(await books(second), [['clearing', order.total.amount], ['receivable', -order.total.amount]]);
  assert.equal((await order_(order)).payment_status, 'paid');

  shop.sandbox.control.refund({ payment_intent: intentOf(second), amount: 100 });
  shop.sandbox.control.refund({ payment_intent: intentOf(second) });
  await eventually(async () => assert.deepEqual(await books(second), []));
});

test('news of a session before the answer to opening it are told apart by its key', async () => {
  shop.sandbox.faults.add({ on: 'api', method: 'POST', path: '/v1/checkout/sessions', kind: 'reset_after' });
  const order = await shop.shopper().buy('LAMP');
  assert.equal(order.payment.url, undefined);
  const link = await openElsewhere(order.id);
  shop.sandbox.control.pay(link);
  assert.deepEqual(await outcomes(link), ['stray']);
  assert.deepEqual(await shop.rows('SELECT status, session_id FROM payments WHERE order_id = ?', order.id), [{ status: 'preparing', session_id: null }]);
  const [own] = [...shop.sandbox.account.sessions.values()].filter(({ id, client_reference_id }) => client_reference_id === order.id && id !== link);
  shop.sandbox.control.pay(own!.id);
  const { total } = await shop.settled(order, 'confirmed');
  assert.equal(await captured(order), total.amount);
});

test('the ledger agrees with the provider’s balance about a second payment', async () => {
  const order = await paid();
  const second = await openAgain(order);
  shop.sandbox.control.pay(second);
  await givenBack(second);
  await shop.rows('UPDATE journals SET at = at - 86400000');
  for (const entry of shop.sandbox.account.balance.values()) entry.created -= 86_400;
  await shop.rows('DELETE FROM jobs');
  await shop.scheduled();
  const { balance_transaction: txn } = shop.sandbox.account.charges.get(shop.sandbox.account.intents.get(intentOf(second))!.latest_charge!)!;
  const { fee } = shop.sandbox.account.balance.get(String(txn))!;
  assert.deepEqual(await books(second), [['clearing', -fee], ['fees', fee]]);
  const differing = await shop.rows<{ error: string }>("SELECT error FROM findings WHERE kind = 'balance_differs'");
  const ours = [sessionOf(order), second].map(intentOf);
  assert.deepEqual(differing.filter(({ error }) => ours.some((intent) => error.includes(intent))), []);
});

const order_ = async (order: Json) => (await shop.staff.get(`/api/v1/orders/${order.id}`)).expect(200);

async function paid(): Promise<Json> {
  const order = await shop.shopper().buy('LAMP');
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  return order;
}

/**
 * Opens a session of another app on the account, or of a link whose visitor chooses the reference.
 */
async function openElsewhere(reference: string | undefined): Promise<string> {
  const { id } = await account.checkout.sessions.create({
    mode: 'payment', success_url: 'https://elsewhere.test/', ...(reference !== undefined && { client_reference_id: reference }),
    line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 100, product_data: { name: 'A dollar' } } }],
  });
  return id;
}

/**
 * Sends the shop's request again under another key: the session of an attempt that nobody knows of.
 */
async function openAgain(order: Json): Promise<string> {
  const [payment] = await shop.rows<{ id: string; request: string }>('SELECT id, request FROM payments WHERE order_id = ?', order.id);
  const answer = await fetch(`${shop.sandbox.url}/v1/checkout/sessions`, {
    method: 'POST', body: payment!.request,
    headers: { authorization: `Bearer ${SECRETS.STRIPE_SECRET_KEY}`, 'content-type': 'application/x-www-form-urlencoded', 'idempotency-key': `${payment!.id}:0` },
  });
  const { id } = (await answer.json()) as { id: string };
  assert.notEqual(id, sessionOf(order));
  return id;
}

function intentOf(session: string): string {
  return shop.sandbox.account.sessions.get(session)!.payment_intent!;
}

function refundsOf(session: string): [number, string][] {
  const refunds = [...shop.sandbox.account.refunds.values()].filter(({ payment_intent }) => payment_intent === intentOf(session));
  return refunds.map(({ amount, status }) => [amount, status]);
}

/** Returns the outcomes of all events about a session, once all were handled. */
async function outcomes(session: string): Promise<string[]> {
  return eventually(async () => {
    const rows = await shop.rows<{ outcome: string | null }>('SELECT DISTINCT outcome FROM webhook_events WHERE instr(payload, ?) > 0 AND kind GLOB ?', session, 'checkout.session.*');
    assert.ok(rows.length > 0 && rows.every(({ outcome }) => outcome !== null));
    return rows.map(({ outcome }) => outcome!);
  });
}

async function givenBack(session: string): Promise<void> {
  await eventually(async () => {
    const rows = await shop.rows('SELECT refund_status FROM stray_payments WHERE session_id = ?', session);
    assert.deepEqual(rows, [{ refund_status: 'succeeded' }]);
  });
}

/** Asserts that staff were notified of the session once. */
async function told(order: Json, session: string): Promise<void> {
  const { data } = (await shop.staff.get('/api/v1/admin/findings?limit=100')).expect(200);
  const about = data.filter(({ kind, error }: Json) => kind === 'stray_payment' && error.startsWith(session));
  assert.deepEqual(about.map(({ subject, finished }: Json) => [subject, finished]), [[order.id, false]]);
}

async function captured(order: Json): Promise<number> {
  const [payment] = await shop.rows<{ captured_amount: number }>('SELECT captured_amount FROM payments WHERE order_id = ?', order.id);
  return payment!.captured_amount;
}

/** Returns the account balances in a session's own journal. */
async function books(session: string): Promise<[string, number][]> {
  const rows = await shop.rows<{ account: string; amount: number }>(
    'SELECT account, SUM(amount) AS amount FROM ledger_entries WHERE order_id = ? GROUP BY account HAVING SUM(amount) <> 0 ORDER BY account', session);
  return rows.map(({ account, amount }) => [account, amount]);
}
