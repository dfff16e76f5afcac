/**
 * Costs of the shop's operations, compared with `tests/budgets.json`. One trip, row, request or
 * message more fails, and so does one less. In that case,
 * `UPDATE_SNAPSHOTS=1 npm test -- tests/workerd/budgets.spec.ts` rewrites the file.
 *
 * KV writes of boards are not counted: at most one in five seconds, whatever happened.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Client, Json } from './client.ts';
import type { Costs } from './costs.ts';
import { eventually } from './eventually.ts';
import { SECRETS, startShop, type Shop } from './shop.ts';

const FILE = join(import.meta.dirname, '../budgets.json');
const UPDATES = process.env['UPDATE_SNAPSHOTS'] === '1';

/**
 * Number of times that an operation is repeated. A read that an isolate makes every few seconds
 * then falls on one of them, and is not counted.
 */
const TIMES = 3;

/** Tolerance for values of varying length: order numbers, jitter. */
const BYTES_SLACK = 0.02;

type Budget = Record<string, number>;
const budgets: Record<string, Budget> = UPDATES ? {} : JSON.parse(readFileSync(FILE, 'utf8'));

let shop: Shop;
before(async () => {
  shop = await startShop({ counted: true });
  const names = ['PLENTY', ...Array.from({ length: TIMES }, (_, at) => [`PAGE-${at}`, `GONE-${at}`]).flat()];
  await shop.importCatalog(csvOf(...names.map((sku) => ({ sku, quantity: 10_000 }))));
  const { order } = await quoted('PLENTY');
  const last = (await order()).expect(201);
  await paid(last);
  await sortLast(last.id);
});
after(() => shop.close());

test('a product page that the isolate does not know', () => costs('product page, cold', async (at) => {
  await shop.costs();
  await page(`/products/page-${at}`);
}));

test('a product page that it has just shown', () => costs('product page, hot', async () => {
  await page('/products/plenty');
  await shop.costs();
  await page('/products/plenty');
}));

test('a line of a cart', () => costs('cart line', async (at) => {
  const buyer = await withCart('PLENTY');
  await shop.costs();
  (await buyer.put('/api/v1/cart/items/PLENTY', { quantity: 2 + at })).expect(200);
}));

test('a quote', () => costs('quote', async () => {
  const buyer = await withCart('PLENTY');
  await shop.costs();
  await buyer.quote();
}));

test('an order with its payment page', () => costs('order', async () => {
  const { order } = await quoted('PLENTY');
  await shop.costs();
  assert.ok((await order()).expect(201).payment.url);
}));

test('its payment, until it is confirmed and the letter sent', () => costs('payment', async () => {
  const { order } = await quoted('PLENTY');
  const placed = (await order()).expect(201);
  await shop.costs();
  await paid(placed);
}, 2));

test('how an order stands, for a page that waits', async () => {
  const { order } = await quoted('PLENTY');
  const placed = (await order()).expect(201);
  await paid(placed);
  await costs('order status', async () => {
    await shop.costs();
    (await shop.staff.get(`/api/v1/orders/${placed.id}/status`)).expect(200);
  });
});

test('an order that the object of its stock refuses', () => costs('order refused', async (at) => {
  const { refused } = await soldOut(`GONE-${at}`);
  await shop.costs();
  await refused();
}));

test('one that the memory of the isolate refuses', async () => {
  const { refused } = await soldOut('PLENTY');
  await costs('order refused from memory', async () => {
    await refused();
    await shop.costs();
    await refused();
  });
});

test('a webhook of a kind that changes nothing', () => costs('webhook ignored', async (at) => {
  const body = JSON.stringify({ id: `evt_ignored_${at}`, object: 'event', type: 'customer.updated', livemode: false, data: { object: { id: 'cus_1', object: 'customer' } } });
  const now = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', SECRETS.STRIPE_WEBHOOK_SECRET).update(`${now}.${body}`).digest('hex');
  await shop.costs();
  (await shop.shopper().send('POST', '/webhooks/stripe', body, { 'stripe-signature': `t=${now},v1=${signature}` })).expect(200);
}));

/**
 * Settled: every order is paid or failed, and the provider was just asked for undelivered events.
 */
test('a minute in which nothing is to be done', async () => {
  await shop.rows('UPDATE outbox SET done_at = 1 WHERE done_at IS NULL');
  await shop.rows('UPDATE payments SET look_at = ?', Number.MAX_SAFE_INTEGER);
  for (let minute = 0; minute < 2; minute += 1) await shop.scheduled();
  await costs('idle minute', async () => {
    await shop.costs();
    await shop.scheduled();
  });
});

async function page(path: string): Promise<void> {
  assert.equal((await shop.shopper().get(path, { accept: 'text/html' })).status, 200);
}

/**
 * Each shopper has a network and an address of its own; otherwise, pending orders of others would
 * have to be read.
 */
let shoppers = 0;
async function withCart(sku: string): Promise<Client> {
  shoppers += 1;
  const buyer = shop.shopper({ 'cf-connecting-ip': `198.18.0.${shoppers}` });
  await buyer.add(sku);
  return buyer;
}

async function quoted(sku: string) {
  const buyer = await withCart(sku);
  const { id } = await buyer.quote({ email: `shopper-${shoppers}@shopper.test` });
  return { order: () => buyer.order(id) };
}

/** Returns an order of units that were sold since the quote. */
async function soldOut(sku: string) {
  const { order } = await quoted(sku);
  const { available: quantity } = await shop.stock(sku);
  (await shop.staff.post(`/api/v1/admin/stock/${sku}`, { write_off: { quantity, reason: 'broken' } })).expect(200);
  return { refused: async () => void (await order()).refused(409, 'sold_out') };
}

/** Pays, and polls the database until everything is done: polling the shop would count. */
async function paid(order: Json): Promise<void> {
  await shop.press(order, 'pay');
  await eventually(async () => {
    const waiting = `SELECT 'order' AS what FROM orders WHERE id = ?1 AND status <> 'confirmed'
      UNION ALL SELECT effect FROM outbox WHERE order_id = ?1 AND done_at IS NULL
      UNION ALL SELECT kind FROM mails WHERE order_id = ?1 AND sent_at IS NULL
      UNION ALL SELECT kind FROM webhook_events WHERE processed_at IS NULL`;
    assert.deepEqual(await shop.rows(waiting, order.id), []);
  });
}

/** Moves an order to the end of every index, where a lookup reads one row less. */
async function sortLast(orderId: string): Promise<void> {
  const tables = await shop.rows<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND sql GLOB '*[^_a-z]order_id TEXT*'");
  for (const { name } of tables) await shop.rows(`UPDATE "${name}" SET order_id = 'ord_~' WHERE order_id = ?`, orderId);
  await shop.rows("UPDATE orders SET id = 'ord_~' WHERE id = ?", orderId);
}

/** Repeats an operation and compares the minimum of each count with its budget. */
async function costs(name: string, once: (at: number) => Promise<void>, times = TIMES): Promise<void> {
  const counts: Budget[] = [];
  for (let at = 0; at < times; at += 1) {
    await once(at);
    counts.push(flat(await shop.costs()));
  }
  const cost = least(counts);
  if (UPDATES) writeFileSync(FILE, `${JSON.stringify(Object.assign(budgets, { [name]: cost }), undefined, 2)}\n`);
  const budget = budgets[name];
  assert.ok(budget, `${name} has no budget`);
  const names = [...new Set([...Object.keys(budget), ...Object.keys(cost)])];
  const moved = names.filter((it) => !isWithin(it, cost[it] ?? 0, budget[it] ?? 0));
  assert.deepEqual(moved.map((it) => `${it}: ${cost[it] ?? 0}, its budget is ${budget[it] ?? 0}`), [], name);
}

function isWithin(name: string, cost: number, budget: number): boolean {
  return name === 'd1_bytes' ? Math.abs(cost - budget) <= budget * BYTES_SLACK : cost === budget;
}

/** Returns the counts that are not zero; those of objects, messages and calls as `kind name`. */
function flat({ objects, messages, calls, kv_writes: _, ...numbers }: Costs): Budget {
  const named = Object.entries({ objects, messages, calls }).flatMap(([kind, counts]) => Object.entries(counts).map(([name, count]) => [`${kind} ${name}`, count] as const));
  return Object.fromEntries([...Object.entries(numbers), ...named].filter(([, count]) => count > 0));
}

function least([first = {}, ...others]: Budget[]): Budget {
  const counts = Object.entries(first).map(([name, count]) => [name, Math.min(count, ...others.map((other) => other[name] ?? 0))] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}
