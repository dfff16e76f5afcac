//! A rush on one sold-out SKU: guests with a cart and a quote order again and again, each time
//! under a new key. Promises: every response is the refusal, and rows added to the database are
//! reported by table.

import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Stop } from "../run.mjs";
import { startSandbox } from "../../tests/stripe-sandbox/sandbox.ts";
import { firstProduct } from "./catalog.mjs";
import { PAYMENT_SECRETS, startShop, writeOffStock } from "./servers.mjs";
import { Shopper } from "./shopper.mjs";

export const NAME = "refused buyers";

const QUIET_MS = 6_000; // longer than a queue waits for its batch

export async function benchRefusals({ seconds, connections, say }) {
  const sandbox = await startSandbox({ port: 0, secretKey: PAYMENT_SECRETS.STRIPE_SECRET_KEY, webhookSecret: PAYMENT_SECRETS.STRIPE_WEBHOOK_SECRET });
  const shop = await startShop({ vars: { STRIPE_API_BASE: sandbox.url } });
  try {
    const [{ sku }] = (await firstProduct(shop)).variants;
    await writeOffStock(shop, sku);
    const buyers = await Promise.all(Array.from({ length: connections }, () => buyer(shop, sku)));
    await rush(buyers, 1);
    await atRest(shop);
    say(`${NAME}: ${seconds} s on ${connections} connections`);
    const [rowsBefore, cpuBefore, start] = [await rows(shop), shop.cpuMicros(), performance.now()];
    const latencies = (await rush(buyers, seconds)).sort((a, b) => a - b);
    const [elapsed, cpu] = [(performance.now() - start) / 1000, shop.cpuMicros() - cpuBefore];
    const rowsAfter = await rows(shop);
    for (const { leave } of buyers) leave();
    const at = (share) => Math.round(10 * latencies[Math.floor(latencies.length * share)]) / 10;
    const result = {
      name: NAME,
      refusals: latencies.length,
      refusals_per_second: Math.round(latencies.length / elapsed),
      cpu_micros: Math.round(cpu / latencies.length),
      p50_ms: at(0.5),
      p99_ms: at(0.99),
      rows_left: Object.fromEntries(Object.entries(rowsAfter).map(([table, count]) => [table, count - rowsBefore[table]]).filter(([, more]) => more !== 0)),
    };
    console.log(`\n${NAME}, ${connections} connections: ${result.refusals_per_second}/s, ${result.cpu_micros} µs of CPU each, p50 ${result.p50_ms} ms, p99 ${result.p99_ms} ms, rows left: ${JSON.stringify(result.rows_left)}\n`);
    return result;
  } finally {
    await Promise.all([shop.stop(), sandbox.close()]);
  }
}

async function buyer(shop, sku) {
  const shopper = await Shopper.at(shop.address);
  const { refused } = await shopper.quote(sku);
  return { refused, leave: () => shopper.leave() };
}

async function rush(buyers, seconds) {
  const until = performance.now() + seconds * 1000;
  const latencies = [];
  const order = async ({ refused }) => {
    while (performance.now() < until) {
      const { body, ms } = await refused(randomUUID());
      if (body.code !== "sold_out") throw new Stop(`refused as ${JSON.stringify(body)}`);
      latencies.push(ms);
    }
  };
  await Promise.all(buyers.map(order));
  return latencies;
}

/** Waits until the queues have delivered the stock changes of the import and the write-off. */
async function atRest(shop) {
  for (let before, now = await rows(shop); JSON.stringify(before) !== JSON.stringify(now); now = await rows(shop)) {
    before = now;
    await setTimeout(QUIET_MS);
  }
}

/** Returns the number of rows of each table. */
async function rows(shop) {
  const db = await shop.miniflare.getD1Database("DB");
  const { results } = await db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'").all();
  const counted = await db.batch(results.map(({ name }) => db.prepare(`SELECT COUNT(*) AS count FROM "${name}"`)));
  return Object.fromEntries(counted.map(({ results: [{ count }] }, at) => [results[at].name, count]));
}
