/**
 * A running Worker is replaced, as by a deploy, while buyers check out and pages watch. Here its
 * process is killed, which also loses the messages in its queues.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { Clock } from '../chaos/clock.ts';
import { House } from '../chaos/house.ts';
import { pass, underWay } from '../chaos/run.ts';
import { insist } from '../chaos/shoppers.ts';
import { startSandbox, type Sandbox } from '../stripe-sandbox/sandbox.ts';
import { csvOf } from '../workerd/catalog.ts';
import { Client, DELIVERY, type Json } from '../workerd/client.ts';
import { eventually } from '../workerd/eventually.ts';
import { freePort } from '../workerd/port.ts';
import { importCatalog, SECRETS } from '../workerd/shop.ts';
import { openBrowser, Shopper } from './shopper.ts';

const BUYERS = 24;
const AT_ONCE = 6;
const UNITS = 40;
const PAGES = 3;
const REPLACEMENTS = 3;
/** Minutes after which jobs make up for the messages that were lost. */
const MINUTES_LATER = [1, 5, 15, 60];

type Bought = { shopper: Client; quoteId: string; key: string; order: Json };

const clock = new Clock();
let folder: string;
let sandbox: Sandbox;
let house: House;
let browser: Browser;
let staff: Client;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replaced-'));
  sandbox = await startSandbox({
    port: 0, now: clock.now, receiversNow: clock.now, secretKey: SECRETS.STRIPE_SECRET_KEY, webhookSecret: SECRETS.STRIPE_WEBHOOK_SECRET, retryUnitMs: 200,
  });
  house = new House({ port: await freePort(), folder, clock, vars: { STRIPE_API_BASE: sandbox.url } });
  sandbox.control.webhook(`${house.url}/webhooks/stripe`);
  staff = new Client(house.url, { authorization: `Bearer ${SECRETS.ADMIN_API_KEY}` });
  [browser] = await Promise.all([openBrowser(), house.start()]);
  await importCatalog(staff, csvOf({ sku: 'LAMP', quantity: UNITS }));
  await eventually(async () => assert.equal((await staff.get('/api/v1/stock/LAMP')).expect(200).stock, 'in_stock'));
});
after(async () => {
  await Promise.allSettled([house?.kill(), sandbox?.close(), browser?.close()]);
  await rm(folder, { recursive: true });
});

test('nothing is lost when the Worker is replaced: orders are settled, units exact, answers the same, pages current', async () => {
  const watchers = await Promise.all(Array.from({ length: PAGES }, watch));
  let paid = 0;
  const bought: Bought[] = [];
  const buyers = Array.from({ length: AT_ONCE }, async (_, lane) => {
    for (let person = lane; person < BUYERS; person += AT_ONCE) bought.push(await buy(person, () => (paid += 1)));
  });
  const replaced = (async () => {
    for (let times = 1; times <= REPLACEMENTS; times += 1) {
      await eventually(() => assert.ok(paid >= (times * BUYERS) / (REPLACEMENTS + 1)));
      await house.kill();
      await house.start();
    }
  })();
  await Promise.all([...buyers, replaced]);

  for (const { shopper, quoteId, key, order } of bought) {
    const again = await insist(() => shopper.order(quoteId, key));
    assert.equal(again.expect(200).id, order.id);
  }
  for (const minutes of MINUTES_LATER) if (anythingLeft()) await pass({ house, sandbox, clock }, minutes);
  assert.deepEqual(house.rows('SELECT status, COUNT(*) AS orders FROM orders GROUP BY status').map((row) => ({ ...row })), [{ status: 'confirmed', orders: BUYERS }]);
  const { on_hand, held, committed, available } = (await staff.get('/api/v1/admin/stock/LAMP')).expect(200);
  assert.deepEqual({ on_hand, held, committed, available }, { on_hand: UNITS, held: 0, committed: BUYERS, available: UNITS - BUYERS });

  (await staff.post('/api/v1/admin/stock/LAMP', { adjust: { by: BUYERS - UNITS, reason: 'counted' } })).expect(200);
  for (const { watcher, sockets } of watchers) {
    await watcher.page.getByText('Sold out').waitFor({ timeout: 60_000 });
    assert.ok(sockets() > 1, 'the page has connected again');
    await watcher.leave();
  }
});

/** Opens a page once, and records its connections. */
async function watch() {
  const watcher = await Shopper.arrive(browser, house.url);
  watcher.expects(/WebSocket/);
  let connected = 0;
  watcher.page.on('websocket', () => void (connected += 1));
  await watcher.visit('/products/lamp');
  await watcher.page.getByText('In stock', { exact: true }).waitFor();
  return { watcher, sockets: () => connected };
}

/** Buys and pays for a unit; unanswered requests are repeated under the same key. */
async function buy(person: number, havingPaid: () => void): Promise<Bought> {
  const shopper = new Client(house.url);
  const keys = { add: randomUUID(), order: randomUUID() };
  (await insist(() => shopper.post('/api/v1/cart/items', { sku: 'LAMP', quantity: 1 }, { 'idempotency-key': keys.add }))).expect(200);
  const quote = (await insist(() => shopper.post('/api/v1/cart/quote', { ...DELIVERY, email: `buyer-${person}@shopper.test` }))).expect(201);
  const placed = await insist(() => shopper.order(quote.id, keys.order));
  assert.ok([200, 201].includes(placed.status), placed.text);
  const order = await eventually(async () => {
    const now = (await insist(() => staff.get(`/api/v1/orders/${placed.body.id}`))).expect(200);
    assert.ok(now.payment.url);
    return now;
  });
  sandbox.control.pay(order.payment.url.split('/').at(-1));
  havingPaid();
  return { shopper, quoteId: quote.id, key: keys.order, order };
}

function anythingLeft(): boolean {
  return Object.values(underWay(house)).some((count) => count > 0);
}
