/**
 * The shop as started by the tests in this folder: the built Worker in workerd under miniflare,
 * with the bindings and queue settings of wrangler.toml, its migrations applied, and a Stripe
 * sandbox in this process whose webhook points at it. Ports are free ones, data is in memory,
 * secrets are made up, and nothing outlives `close()`.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Miniflare, type MiniflareOptions } from 'miniflare';
import { unstable_readConfig, unstable_splitSqlQuery, type Unstable_Config } from 'wrangler';
import { DEVELOPMENT } from '../../tools/setup.mjs';
import { startSandbox } from '../stripe-sandbox/sandbox.ts';
import { Client, type Json } from './client.ts';
import { COSTS_PATH, countingModule, type Costs } from './costs.ts';
import { eventually } from './eventually.ts';
import { FAILURES_PATH, failingModule, type Failures } from './failing.ts';
import { ShopObject } from './objects.ts';
import { freePort } from './port.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUILD = join(ROOT, 'build');

export const SECRETS = {
  ADMIN_API_KEY: 'staff_key_of_the_tests_7c1f9be2a4',
  MAIL_API_KEY: 'mail_key_of_the_tests',
  SIGNING_KEY: 'signing_key_of_the_tests_9d03e6b5c8',
  STRIPE_SECRET_KEY: 'sk_test_sandbox_of_the_tests',
  STRIPE_WEBHOOK_SECRET: 'whsec_of_the_tests',
};

/** Allows as many pending orders as tests place. */
export const UNLIMITED = Object.fromEntries(['PENDING_ORDERS_PER_ADDRESS', 'PENDING_ORDERS_PER_NETWORK', 'PENDING_UNITS_PER_NETWORK'].map((name) => [name, '1000000000']));

export type ShopOptions = {
  /** Variables of the Worker that differ from those of development. */
  vars?: Record<string, string>;
  /**
   * Number of retries before an event becomes a dead letter; the pauses of wrangler.toml would take
   * hours.
   */
  maxRetries?: number;
  /** True to count the Worker's calls, for `costs`. */
  counted?: boolean;
  /** True to let objects and KV fail, by `fail`. */
  failing?: boolean;
  /** Returns the module in front of the Worker, given the class names of its objects. */
  before?: (classes: readonly string[]) => string;
  /** Port of V8's inspector. */
  inspectorPort?: number;
  /**
   * True to apply the rate limits of wrangler.toml. By default there are none, because all tests
   * share one network.
   */
  limited?: boolean;
  /** The Worker and its static files; by default those of `npm run build`. */
  built?: Built;
};

export type Built = { worker: string; assets: string };

/** Returns the session that an order's payment link leads to. */
export const sessionOf = (order: Json): string => order.payment.url.split('/').at(-1);

export type Shop = Awaited<ReturnType<typeof startShop>>;

export async function startShop({ vars = {}, maxRetries, counted = false, failing = false, before, inspectorPort, limited = false, built }: ShopOptions = {}) {
  const sandbox = await startSandbox({
    port: 0, secretKey: SECRETS.STRIPE_SECRET_KEY, webhookSecret: SECRETS.STRIPE_WEBHOOK_SECRET, retryUnitMs: 50,
  });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const data = await mkdtemp(join(tmpdir(), 'shop-'));
  const log: string[] = [];
  const config = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') }, { hideWarnings: true });
  const behind = before ?? (counted ? countingModule : failing ? failingModule : undefined);
  const miniflare = new Miniflare({
    name: config.name,
    ...runtimeOptions(config, maxRetries, limited, built),
    ...(behind && modulesBehind(config, behind)),
    ...(inspectorPort && { inspectorPort }),
    bindings: { ...config.vars, ...DEVELOPMENT, ...(!limited && UNLIMITED), ...SECRETS, SHOP_URL: url, STRIPE_API_BASE: sandbox.url, ...vars },
    host: '127.0.0.1',
    port,
    durableObjectsPersist: data,
    handleStructuredLogs: ({ message }: { message: string }) => void log.push(message),
  } as MiniflareOptions);
  const close = async () => {
    await Promise.all([sandbox.close(), miniflare.dispose()]).finally(() => rm(data, { recursive: true }));
  };
  const db = await ready(miniflare).catch(async (reason: unknown) => {
    await Promise.allSettled([close()]); // what is left open would keep the process of a failed test alive
    throw reason;
  });
  sandbox.control.webhook(`${url}/webhooks/stripe`);

  const object = (binding: string, name: string) => {
    const { class_name: className } = config.durable_objects.bindings.find(({ name }: { name: string }) => name === binding)!;
    return new ShopObject(miniflare, { worker: config.name!, binding, className, name, persistedIn: data });
  };
  /**
   * Runs the cron handler, as the platform does once a minute, and waits for every job that it
   * hands out.
   */
  const scheduled = async () => {
    const seen = log.length;
    const worker = (await miniflare.getWorker()) as unknown as Worker;
    const { outcome } = await worker.scheduled({ cron: '* * * * *' });
    assert.equal(outcome, 'ok');
    await eventually(() => assert.deepEqual(jobsUnderWay(log.slice(seen)), []));
  };
  /** Gives a kind of rows two retention turns, because a walk may have to start over. */
  const purge = async (kind: string) => {
    for (let turn = 0; turn < 2; turn += 1) {
      await rows(db, 'UPDATE purges SET turn_at = -1 WHERE kind = ?', kind);
      await scheduled();
    }
  };
  /**
   * Returns the order with its payment link: at once, unless the provider took so long that the
   * sweep has to retry.
   */
  const payable = (order: Json): Promise<Json> => eventually(async () => {
    if (order.payment.url) return order;
    await rows(db, 'UPDATE outbox SET due_at = 0 WHERE order_id = ? AND done_at IS NULL', order.id);
    await scheduled();
    order = (await staff.get(`/api/v1/orders/${order.id}`)).expect(200);
    assert.ok(order.payment.url);
    return order;
  });
  /** Hands a batch to the Worker, as the platform does; resolves when all of it is handled. */
  const consume = async (queue: string, messages: { id: string; body: unknown }[]) => {
    const worker = (await miniflare.getWorker()) as unknown as Worker;
    return worker.queue(queue, messages.map((message) => ({ ...message, timestamp: new Date(), attempts: 1 })));
  };
  const staff = new Client(url, { authorization: `Bearer ${SECRETS.ADMIN_API_KEY}` });
  return {
    url, db, sandbox, miniflare, staff,
    /** Lines that the Worker logged. */
    log,
    /** Returns a new shopper, or API client, with a cart of its own. */
    shopper: (headers: Record<string, string> = {}) => new Client(url, headers),
    /** Imports a product CSV, publishes it, and waits until shoppers see it. */
    importCatalog: (csv: string) => importCatalog(staff, csv),
    /** Rows of one table or query. */
    rows: <T = Row>(sql: string, ...values: unknown[]) => rows<T>(db, sql, ...values),
    /**
     * Returns the number of rows of each table, to show that nothing was written; without those
     * that queues fill later.
     */
    counts: () => counts(db),
    /** Returns the units of a SKU, as shown to staff. */
    stock: async (sku: string): Promise<StockNumbers> => {
      const { on_hand, held, reserved, committed, available, version } = (await staff.get(`/api/v1/admin/stock/${encodeURIComponent(sku)}`)).expect(200);
      return { on_hand, held, reserved, committed, available, version };
    },
    /** Returns the object of a SKU. */
    stockObject: (sku: string) => object('STOCK', `${sku}#0`),
    /** Returns the object of a limited promotion. */
    promotionObject: (id: string) => object('PROMOTION', id),
    /** Returns the object of a cart. */
    cartObject: (cartId: string) => object('CART', cartId),
    /** Presses a button of the payment page: `pay`, `decline`, `delay`, `succeed` or `fail`. */
    press: async (order: Json, action: string) => {
      const { payment } = await payable(order);
      const answer = await fetch(payment.url, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' });
      assert.equal(answer.status, 303);
    },
    /** Waits until an order has this status and no work is left, and returns it. */
    settled: (order: Json, status: string) => eventually(async () => {
      const now = (await staff.get(`/api/v1/orders/${order.id}`)).expect(200);
      assert.equal(now.status, status);
      assert.deepEqual(await rows(db, 'SELECT effect, last_error FROM outbox WHERE order_id = ? AND done_at IS NULL', order.id), []);
      return now;
    }),
    /**
     * Returns the calls to the database, objects and providers since the last call of this
     * function, once all have ended.
     */
    costs: () => eventually(async () => {
      const answer = await fetch(url + COSTS_PATH);
      const text = await answer.text();
      assert.equal(answer.status, 200, text);
      return JSON.parse(text) as Costs;
    }),
    /** Makes objects and KV fail from now on; none by default. */
    fail: async (failures: Failures = {}) => void (await fetch(url + FAILURES_PATH, { method: 'POST', body: JSON.stringify(failures) })),
    scheduled, purge, consume, payable, close,
  };
}

/**
 * Part of the types of miniflare's bindings that the tests use; the published ones come with a
 * package that nothing else needs.
 */
type Row = Record<string, unknown>;
type Statement = { bind(...values: unknown[]): Statement; all(): Promise<{ results: Row[] }> };
export type Database = { prepare(sql: string): Statement; batch(statements: Statement[]): Promise<{ results: Row[] }[]> };
type Worker = {
  scheduled(event: { cron: string }): Promise<{ outcome: string }>;
  queue(name: string, messages: { id: string; timestamp: Date; body: unknown; attempts: number }[]): Promise<Consumed>;
};
export type Consumed = { outcome: string; explicitAcks: string[]; retryMessages: { msgId: string; delaySeconds?: number }[] };

export type StockNumbers = { on_hand: number; held: number; reserved: number; committed: number; available: number; version: number };

/** Returns the options of miniflare for the built Worker and its bindings, from wrangler.toml. */
export function runtimeOptions(config: Unstable_Config, maxRetries?: number, limited = false, built?: Built) {
  return { ...worker(config, built), ...bindings(config, limited), queueConsumers: consumers(config, maxRetries) };
}

/** Returns the Worker's modules behind one that replaces its bindings. */
function modulesBehind(config: Unstable_Config, module: (classes: readonly string[]) => string) {
  const classes = config.durable_objects.bindings.map(({ class_name }: { class_name: string }) => class_name);
  const before = { type: 'ESModule', path: join(ROOT, 'build/before.js'), contents: module(classes) };
  return { modules: [before, ...modules()] };
}

function modules(folder = BUILD) {
  const module = (name: string, type: string) => ({ type, path: join(folder, name) });
  return [module('index.js', 'ESModule'), module('index_bg.wasm', 'CompiledWasm')];
}

function worker(config: Unstable_Config, { worker, assets }: Built = { worker: BUILD, assets: join(ROOT, config.assets?.directory ?? 'assets') }) {
  return {
    modules: modules(worker),
    modulesRoot: worker,
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    assets: { directory: assets, routerConfig: { has_user_worker: true } },
  };
}

function bindings(config: Unstable_Config, limited: boolean) {
  const sqlite = new Set(config.migrations.flatMap(({ new_sqlite_classes = [] }) => new_sqlite_classes));
  const objects = config.durable_objects.bindings.map(({ name, class_name }) => [name, { className: class_name, useSQLite: sqlite.has(class_name) }]);
  return {
    kvNamespaces: config.kv_namespaces.map(({ binding }) => binding),
    r2Buckets: Object.fromEntries(config.r2_buckets.map(({ binding, bucket_name }) => [binding, bucket_name!])),
    images: { binding: config.images!.binding },
    d1Databases: config.d1_databases.map(({ binding }) => binding),
    durableObjects: Object.fromEntries(objects),
    ratelimits: Object.fromEntries((config.ratelimits ?? []).map(({ name, simple, ...limiter }) => [name, { ...limiter, simple: limited ? simple : { ...simple, limit: Number.MAX_SAFE_INTEGER } }])),
    queueProducers: Object.fromEntries((config.queues.producers ?? []).map(({ binding, queue }) => [binding, { queueName: queue }])),
  };
}

/** A dead-letter queue keeps its own retry count, because its messages must not be lost. */
function consumers(config: Unstable_Config, maxRetries: number | undefined) {
  const settings = (config.queues.consumers ?? []).map((consumer) => [consumer.queue, {
    maxBatchSize: consumer.max_batch_size,
    maxBatchTimeout: consumer.max_batch_timeout,
    maxRetries: consumer.dead_letter_queue ? maxRetries ?? consumer.max_retries : consumer.max_retries,
    deadLetterQueue: consumer.dead_letter_queue,
    retryDelay: consumer.retry_delay,
  }]);
  return Object.fromEntries(settings);
}

/**
 * Returns the jobs that the cron has handed out in this minute and that have not ended, according
 * to the log.
 */
export function jobsUnderWay(lines: readonly string[]): string[] {
  const entries = lines.filter((line) => line.includes('"job')).map((line) => JSON.parse(line));
  const handedOut = entries.find(({ event }) => event === 'jobs_handed_out');
  const ended = new Set(entries.map(({ event, data, subject }) => (event === 'job_done' ? data.job : event === 'job_failed' ? subject : undefined)));
  return handedOut ? handedOut.data.filter((job: string) => !ended.has(job)) : ['cron'];
}

async function ready(miniflare: Miniflare): Promise<Database> {
  await miniflare.ready;
  const db = (await miniflare.getD1Database('DB')) as unknown as Database;
  await migrate(db);
  return db;
}

export async function migrate(db: Database): Promise<void> {
  const folder = join(ROOT, 'd1-migrations');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.sql')).sort()) {
    const statements = unstable_splitSqlQuery(readFileSync(join(folder, file), 'utf8'));
    await db.batch(statements.map((statement) => db.prepare(statement)));
  }
}

export async function importCatalog(staff: Client, csv: string): Promise<void> {
  const imported = await staff.send('POST', '/api/v1/admin/catalog/import', csv, { 'content-type': 'text/csv' });
  assert.deepEqual(imported.expect(200)['errors'], []);
  const { products } = (await staff.post('/api/v1/admin/catalog/publish')).expect(200);
  await eventually(async () => assert.equal((await staff.get('/api/v1/products?limit=1')).body['total'], products));
}

async function rows<T>(db: Database, sql: string, ...values: unknown[]): Promise<T[]> {
  return (await db.prepare(sql).bind(...values).all()).results as T[];
}

async function counts(db: Database): Promise<Record<string, number>> {
  const tables = (await db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*' AND name NOT IN ('mails', 'stock_words') ORDER BY name").all()).results;
  const counted = await db.batch(tables.map(({ name }) => db.prepare(`SELECT '${name}' AS name, COUNT(*) AS count FROM "${name}"`)));
  return Object.fromEntries(counted.map(({ results: [row] }) => [row?.['name'], row?.['count']]));
}
