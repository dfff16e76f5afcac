/**
 * An order after it was placed: paid, shipped in parts, delivered, returned, cancelled. Requests
 * out of turn change nothing.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { type Client, type Json, opened } from './client.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000 }, { sku: 'CORD', quantity: 1000 }));
});
after(() => shop.close());

test('a paid order leaves in parts, arrives, is completed and comes back', async () => {
  const order = await bought({ LAMP: 3, CORD: 1 });
  const path = `/api/v1/orders/${order.id}`;
  const before = await shop.stock('LAMP');

  const part = { lines: [{ sku: 'LAMP', quantity: 2 }], carrier: 'DHL', tracking_number: 'JD01', tracking_url: 'https://dhl.example/JD01' };
  const shipped = (await shop.staff.post(`${path}/fulfillments`, part, { 'idempotency-key': 'first' })).expect(201);
  assert.equal(shipped.fulfillment_status, 'partially_fulfilled');
  assert.deepEqual([shipped.fulfillments[0].lines, shipped.fulfillments[0].carrier], [part.lines, 'DHL']);
  const repeated = await shop.staff.post(`${path}/fulfillments`, part, { 'idempotency-key': 'first' });
  assert.equal(repeated.expect(200).fulfillments.length, 1);
  assert.equal(repeated.headers.get('idempotent-replayed'), 'true');
  (await shop.staff.post(`${path}/fulfillments`, { lines: [{ sku: 'LAMP', quantity: 1 }] }, { 'idempotency-key': 'first' })).refused(422, 'idempotency_key_reused');

  (await shop.staff.post(`${path}/fulfillments`, { lines: [{ sku: 'LAMP', quantity: 2 }] })).refused(422, 'invalid_quantity');
  (await shop.staff.post(`${path}/cancel`)).refused(409, 'transition_not_allowed');
  assert.deepEqual((await shop.staff.put(`${path}/status`, { status: 'completed' })).refused(409, 'transition_not_allowed').allowed, []);

  const rest = (await shop.staff.post(`${path}/fulfillments`, {})).expect(201);
  assert.equal(rest.fulfillment_status, 'fulfilled');
  (await shop.staff.post(`${path}/fulfillments`, {})).refused(409, 'transition_not_allowed');
  for (const { id } of rest.fulfillments) (await shop.staff.post(`${path}/fulfillments/${id}/delivered`)).expect(200);
  const arrived = (await shop.staff.get(path)).expect(200);
  assert.deepEqual([arrived.status, arrived.fulfillment_status], ['completed', 'delivered']);

  const goods = { lines: [{ sku: 'LAMP', quantity: 1 }], restock: true, reason: 'too bright' };
  const returned = (await shop.staff.post(`${path}/returns`, goods)).expect(201);
  assert.equal(returned.returns[0].reason, 'too bright');
  assert.ok(returned.returns[0].worth.amount > 0 && returned.returns[0].worth.amount < order.total.amount);
  (await shop.staff.post(`${path}/returns`, { lines: [{ sku: 'LAMP', quantity: 3 }], restock: false })).refused(422, 'invalid_quantity');

  const after = (await shop.settled(order, 'completed')) as Json;
  assert.deepEqual(after.timeline.map(({ event }: Json) => event), ['placed', 'paid', 'shipped', 'shipped', 'delivered', 'completed', 'returned']);
  const stock = await shop.stock('LAMP');
  assert.deepEqual([stock.on_hand, stock.committed], [before.on_hand - 3 + 1, before.committed - 3]);
});

test('everything that comes back is worth what was paid', async () => {
  const order = await bought({ LAMP: 3, CORD: 2 });
  const path = `/api/v1/orders/${order.id}`;
  (await shop.staff.post(`${path}/fulfillments`, {})).expect(201);
  for (const sku of ['LAMP', 'CORD', 'LAMP', 'CORD', 'LAMP']) {
    (await shop.staff.post(`${path}/returns`, { lines: [{ sku, quantity: 1 }], restock: false })).expect(201);
  }
  const { returns } = (await shop.staff.get(path)).expect(200);
  assert.equal(returns.reduce((sum: number, { worth }: Json) => sum + worth.amount, 0), order.total.amount);
});

test('a paid order that is cancelled gives back goods and money, once', async () => {
  const order = await bought({ LAMP: 2 });
  const before = await shop.stock('LAMP');
  const [first, second] = await Promise.all([1, 2].map(() => shop.staff.post(`/api/v1/orders/${order.id}/cancel`, { note: 'asked by phone' })));
  assert.deepEqual([first!.status, second!.status], [200, 200]);
  const cancelled = await shop.settled(order, 'cancelled');
  assert.deepEqual([cancelled.payment_status, cancelled.refunds.length], ['refunded', 1]);
  assert.deepEqual(cancelled.refunds[0].amount, order.total);
  const stock = await shop.stock('LAMP');
  assert.deepEqual([stock.on_hand, stock.committed], [before.on_hand, before.committed - 2]);
  assert.deepEqual(await balances(order), {});
});

test('a pending order is cancelled once its session has ended, and its cart can be changed again', async () => {
  const shopper = shop.shopper();
  const order = await shopper.buy('LAMP', 2);
  const cancelled = (await shopper.post(`/api/v1/orders/${order.id}/cancel`)).expect(200);
  assert.equal(cancelled.status, 'cancelled');
  assert.deepEqual(cancelled.timeline.map(({ event, actor }: Json) => [event, actor]), [['placed', 'shopper'], ['cancel_requested', 'shopper'], ['cancelled', 'shop']]);
  assert.equal(shop.sandbox.account.sessions.get(sessionOf(order))?.status, 'expired');
  assert.deepEqual(await balances(order), {});
  await shopper.add('CORD');
});

test('cancelling an order that was paid in the meantime leaves it confirmed', async () => {
  const shopper = shop.shopper();
  const order = await shopper.buy('LAMP');
  shop.sandbox.faults.add({ on: 'webhook', type: '*', kind: 'drop', times: 100 });
  shop.sandbox.control.pay(sessionOf(order));
  shop.sandbox.faults.clear();
  assert.equal((await shopper.post(`/api/v1/orders/${order.id}/cancel`)).expect(200).status, 'confirmed');
});

test('the books of a sold order say what was sold, and every journal sums to zero', async () => {
  const order = await bought({ LAMP: 1 });
  const { total, subtotal, shipping_total, tax_total } = order;
  assert.deepEqual(await balances(order), { clearing: total.amount, sales: -subtotal.amount, shipping: -shipping_total.amount, tax: -tax_total.amount });
  assert.deepEqual(await shop.rows('SELECT order_id FROM ledger_entries GROUP BY order_id, version, journal HAVING SUM(amount) <> 0'), []);
});

test('an order changes only at the version that was read', async () => {
  const order = await shop.shopper().buy('LAMP');
  const stale = await shop.staff.put(`/api/v1/orders/${order.id}/status`, { status: 'cancelled' }, { 'if-match': '"99"' });
  assert.equal(stale.refused(412, 'stale_version').version, order.version);
  (await shop.staff.put(`/api/v1/orders/${order.id}/status`, { status: 'confirmed' })).refused(409, 'transition_not_allowed');
  (await shop.staff.put(`/api/v1/orders/${order.id}/status`, { status: 'eaten' })).refused(400, 'malformed_json');
});

test('staff lists every order, a shopper those of the cart, others none', async () => {
  const shopper = shop.shopper();
  const order = await shopper.buy('LAMP');
  const own = (await shopper.get('/api/v1/orders')).expect(200);
  assert.deepEqual(own.data.map(({ id }: Json) => id), [order.id]);
  assert.deepEqual((await shopper.get('/api/v1/orders?status=confirmed')).expect(200).data, []);
  assert.equal((await shopper.get('/api/v1/orders?status=pending_payment')).expect(200).data.length, 1);
  (await shop.shopper().get('/api/v1/orders')).refused(401, 'credentials_required');

  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Json = (await shop.staff.get(`/api/v1/orders?limit=2&cursor=${cursor}`.replace(/&cursor=$/, ''))).expect(200);
    seen.push(...page.data.map(({ id }: Json) => id));
    cursor = page.next_cursor;
  }
  const ids = (await shop.rows<{ id: string }>('SELECT id FROM orders ORDER BY created_at DESC, rowid DESC')).map(({ id }) => id);
  assert.deepEqual(seen, ids);
  for (const { status } of (await shop.staff.get('/api/v1/orders?status=pending_payment')).expect(200).data) assert.equal(status, 'pending_payment');
  (await shop.staff.get('/api/v1/orders?status=eaten')).refused(422, 'unknown_status');
  (await shop.staff.get('/api/v1/orders?cursor=***')).refused(400, 'malformed_cursor');
});

test("someone else's order is not there, whatever is asked of it", async () => {
  const order = await shop.shopper().buy('LAMP');
  const stranger = shop.shopper();
  await stranger.add('CORD');
  const before = await shop.counts();
  (await stranger.get(`/api/v1/orders/${order.id}`)).refused(404, 'not_found');
  (await stranger.post(`/api/v1/orders/${order.id}/cancel`)).refused(404, 'not_found');
  for (const [path, status] of [['', 200], ['/invoice', 404], ['?token=forged', 303]] as const) {
    const answer = await stranger.get(`/orders/${order.id}${path}`);
    assert.deepEqual([answer.status, answer.headers.get('set-cookie')], [status, null], path);
    for (const own of [order.number, order.email, 'LAMP']) assert.ok(!answer.text.includes(own), own);
  }
  const unknown = (await stranger.get('/orders/ord_nothing')).text.replaceAll('ord_nothing', order.id);
  assert.equal(unknown.replaceAll(/req_\w+/g, ''), (await stranger.get(`/orders/${order.id}`)).text.replaceAll(/req_\w+/g, ''));
  assert.equal((await stranger.send('POST', `/orders/${order.id}/cancel`, '', { 'content-type': 'application/x-www-form-urlencoded' })).status, 404);
  assert.deepEqual(await shop.counts(), before);
});

test('the pages tell the order, its invoice and how to cancel it, and show names as they are', async () => {
  const shopper = shop.shopper();
  await shopper.add('LAMP');
  const name = '<script>alert(1)</script> عائشة 🎉';
  const quote = await shopper.quote({ shipping_address: { name, line1: 'Hauptstraße 1', city: 'Berlin', postal_code: '10115', country: 'DE' } });
  const order = (await shopper.order(quote.id)).expect(201);
  const pathname = `/orders/${order.id}`;
  const page = await shopper.get(pathname);
  assert.equal(page.status, 200);
  assert.ok(page.text.includes('&lt;script&gt;alert(1)&lt;/script&gt; عائشة 🎉') && !page.text.includes('<script>alert'));
  const invoice = await shop.shopper().get(`${pathname}/invoice`, opened(order));
  for (const part of [`Pro forma invoice of order ${order.number}`, 'LAMP', 'Germany', 'Not paid yet', 'This is not an invoice']) assert.ok(invoice.text.includes(part), part);
  const cancelled = await shop.shopper().send('POST', `${pathname}/cancel`, '', { 'content-type': 'application/x-www-form-urlencoded', ...opened(order) });
  assert.deepEqual([cancelled.status, cancelled.headers.get('location')], [303, pathname]);
  await shop.settled(order, 'cancelled');
});

test('numbers of orders tell nothing, and a list goes on in the order they were placed', async () => {
  const placed: Json[] = [];
  while (placed.length < 5) placed.push(await shop.shopper().buy('LAMP'));
  const numbers = placed.map(({ number }) => Number(number));
  assert.ok(numbers.every((number) => number >= 1_000_000 && number < 100_000_000), `${numbers}`);
  assert.ok(numbers.slice(1).every((number, at) => Math.abs(number - numbers[at]!) > 1), `${numbers}`);

  for (const status of ['', '&status=pending_payment']) {
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; page < 20 && cursor !== null && !placed.every(({ id }) => seen.includes(id)); page++) {
      const list: Json = (await shop.staff.get(`/api/v1/orders?limit=2${status}${cursor && `&cursor=${cursor}`}`)).expect(200);
      seen.push(...list.data.map(({ id }: Json) => id));
      cursor = list.next_cursor;
    }
    assert.deepEqual(seen.filter((id) => placed.some((order) => order.id === id)), placed.map(({ id }) => id).reverse());
    assert.equal(new Set(seen).size, seen.length);
  }
  const ofBefore = Buffer.from('1005').toString('base64url');
  (await shop.staff.get(`/api/v1/orders?cursor=${ofBefore}`)).refused(400, 'malformed_cursor');
  const ofNothing = Buffer.from('ord_nothing').toString('base64url');
  assert.deepEqual((await shop.staff.get(`/api/v1/orders?cursor=${ofNothing}`)).expect(200), { data: [], next_cursor: null });
});

/** Returns a paid order of these units. */
async function bought(units: Record<string, number>): Promise<Json> {
  const shopper: Client = shop.shopper();
  for (const [sku, quantity] of Object.entries(units)) await shopper.add(sku, quantity);
  const { id } = await shopper.quote();
  const order = (await shopper.order(id)).expect(201);
  await shop.press(order, 'pay');
  return shop.settled(order, 'confirmed');
}

/** Returns the balances of an order in the ledger, by account. */
async function balances(order: Json): Promise<Record<string, number>> {
  const rows = await shop.rows<{ account: string; amount: number }>(
    'SELECT account, SUM(amount) AS amount FROM ledger_entries WHERE order_id = ? GROUP BY account HAVING SUM(amount) <> 0 ORDER BY account', order.id);
  return Object.fromEntries(rows.map(({ account, amount }) => [account, amount]));
}
