//! Starts Workers under miniflare, each in a workerd process of its own whose CPU time can be read.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { unstable_readConfig, unstable_splitSqlQuery } from "wrangler";
import { root, Stop } from "../run.mjs";
import { DEVELOPMENT } from "../setup.mjs";
import { objectDriver } from "./objects.mjs";

const TICK_MICROS = 10_000; // the kernel's unit of CPU time in /proc, 1/100 s
const UNITS = 1_000_000;
const SOCKET = { host: "127.0.0.1", port: 0 };
export const STAFF_KEY = "bench";
/** Allows as many pending orders as a run places. */
const UNLIMITED = { PENDING_ORDERS_PER_ADDRESS: "1000000000", PENDING_ORDERS_PER_NETWORK: "1000000000", PENDING_UNITS_PER_NETWORK: "1000000000" };
export const PAYMENT_SECRETS = { STRIPE_SECRET_KEY: "sk_test_sandbox_bench", STRIPE_WEBHOOK_SECRET: "whsec_bench" };

/**
 * Starts the Worker's build, with the bindings of wrangler.toml, a migrated database and, if given,
 * the existing data in `folder`.
 */
export async function startShop({ vars = {}, folder } = {}) {
  const shop = await start({ ...shopWorker(vars), ...persisted(folder) });
  if (!(await isMigrated(shop))) await migrate(await shop.miniflare.getD1Database("DB"));
  return shop;
}

/** Receives more units of a SKU than any run sells. */
export async function receiveStock(shop, sku) {
  await askOfStock(shop, sku, { receive: UNITS });
}

/** Writes off all units of a SKU. */
export async function writeOffStock(shop, sku) {
  const { on_hand: quantity } = await askOfStock(shop, sku);
  if (quantity > 0) await askOfStock(shop, sku, { write_off: { quantity, reason: "bench" } });
}

async function askOfStock({ url }, sku, change) {
  const headers = { authorization: `Bearer ${STAFF_KEY}`, "content-type": "application/json" };
  const path = `/api/v1/admin/stock/${encodeURIComponent(sku)}`;
  const answer = await fetch(new URL(path, url), { headers, ...(change && { method: "POST", body: JSON.stringify(change) }) });
  if (!answer.ok) throw new Stop(`${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

/**
 * Starts the shop's objects behind a driver that forwards every request; their data is stored in
 * `folder`, if given.
 */
export async function startObjects({ folder } = {}) {
  const shop = { ...shopWorker({}), name: "shop" };
  const others = Object.entries(shop.durableObjects).map(([name, object]) => [name, { ...object, scriptName: shop.name }]);
  const driver = { name: "driver", modules: true, script: objectDriver, compatibilityDate: shop.compatibilityDate, durableObjects: Object.fromEntries(others) };
  const objects = await start({ workers: [{ ...driver, unsafeDirectSockets: [SOCKET] }, shop], ...persisted(folder) });
  await migrate(await objects.miniflare.getD1Database("DB", shop.name));
  return objects;
}

export async function startBaseline({ script, options = {} }) {
  return start({ ...options, modules: true, script, compatibilityDate: "2026-07-01" });
}

/** Starts a Worker that does nothing, with the shop's bindings and object classes. */
export async function startEmpty() {
  const { modules, modulesRoot, ...shop } = shopWorker({});
  const classes = Object.values(shop.durableObjects).map(({ className }) => `export class ${className} extends DurableObject {}`);
  const script = ['import { DurableObject } from "cloudflare:workers";', ...classes, "export default { fetch: () => new Response(), queue: () => {} };"].join("\n");
  return start({ ...shop, modules: true, script });
}

function persisted(folder) {
  return folder && { kvPersist: join(folder, "kv"), d1Persist: join(folder, "d1"), durableObjectsPersist: join(folder, "objects") };
}

function shopWorker(vars) {
  const config = unstable_readConfig({ config: join(root, "wrangler.toml") }, { hideWarnings: true });
  const modules = ["index.js", "index_bg.wasm"].map((name) => ({ type: name.endsWith(".js") ? "ESModule" : "CompiledWasm", path: join(root, "build", name) }));
  return { ...bindings(config, vars), modules, modulesRoot: join(root, "build"), compatibilityDate: config.compatibility_date };
}

async function start(options) {
  const others = new Set(workerdChildren());
  const began = performance.now();
  const runtime = { ...options, handleRuntimeStdio: discard };
  const miniflare = new Miniflare(options.workers ? runtime : { ...runtime, unsafeDirectSockets: [SOCKET] });
  await miniflare.ready;
  const { hostname, port, href } = await miniflare.unsafeGetDirectURL();
  const answer = await fetch(new URL("/healthz", href));
  await answer.arrayBuffer();
  const firstAnswerMs = performance.now() - began;
  const pids = workerdChildren().filter((pid) => !others.has(pid));
  return { miniflare, url: href, address: { host: hostname, port: Number(port) }, firstAnswerMs, cpuMicros: () => cpuMicros(pids), stop: () => miniflare.dispose() };
}

/**
 * Discards the log, because the line of every request would cost the client more than the response.
 */
function discard(...streams) {
  for (const stream of streams) stream.resume();
}

function bindings(config, vars) {
  const sqlite = new Set(config.migrations.flatMap(({ new_sqlite_classes = [] }) => new_sqlite_classes));
  const byName = (list, key, value) => Object.fromEntries((list ?? []).map((one) => [one[key], value(one)]));
  return {
    bindings: { ...config.vars, ...DEVELOPMENT, ...UNLIMITED, ...vars, ADMIN_API_KEY: STAFF_KEY, SIGNING_KEY: STAFF_KEY.repeat(8), ...PAYMENT_SECRETS },
    kvNamespaces: config.kv_namespaces.map(({ binding }) => binding),
    d1Databases: config.d1_databases.map(({ binding }) => binding),
    r2Buckets: byName(config.r2_buckets, "binding", ({ bucket_name }) => bucket_name),
    images: { binding: config.images.binding },
    ratelimits: byName(config.ratelimits, "name", ({ namespace_id, simple }) => ({ namespace_id, simple: { ...simple, limit: Number.MAX_SAFE_INTEGER } })), // the bench is one network
    durableObjects: byName(config.durable_objects.bindings, "name", ({ class_name }) => ({ className: class_name, useSQLite: sqlite.has(class_name) })),
    queueProducers: byName(config.queues.producers, "binding", ({ queue }) => ({ queueName: queue })),
    queueConsumers: byName(config.queues.consumers, "queue", (consumer) => ({
      maxBatchSize: consumer.max_batch_size,
      maxBatchTimeout: consumer.max_batch_timeout,
      maxRetries: consumer.max_retries,
      retryDelay: consumer.retry_delay,
      deadLetterQueue: consumer.dead_letter_queue,
    })),
  };
}

async function isMigrated({ miniflare }) {
  const database = await miniflare.getD1Database("DB");
  return (await database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'products'").all()).results.length > 0;
}

async function migrate(database) {
  const folder = join(root, "d1-migrations");
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".sql")).sort()) {
    const statements = unstable_splitSqlQuery(readFileSync(join(folder, file), "utf8"));
    await database.batch(statements.map((statement) => database.prepare(statement)));
  }
}

/** Returns the CPU time of the processes so far; NaN if there is no /proc. */
export function cpuMicros(pids) {
  if (pids.length === 0) return NaN;
  return pids.reduce((sum, pid) => {
    const [user, system] = statFields(pid).slice(11, 13).map(Number);
    return sum + (user + system) * TICK_MICROS;
  }, 0);
}

export function workerdChildren() {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isWorkerdChild(name));
}

function isWorkerdChild(pid) {
  try {
    return Number(statFields(pid)[1]) === process.pid && readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("workerd");
  } catch {
    return false; // it ended meanwhile
  }
}

/** Returns the fields of /proc/PID/stat after the program's name, which may contain spaces. */
function statFields(pid) {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
}
