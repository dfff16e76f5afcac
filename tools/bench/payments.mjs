//! Payments: webhooks verified and stored, compared with a Worker that only checks the same
//! signature; whole purchases at a steady pace, from the order to its confirmation; and opening a
//! payment session. Promises for the purchases: they begin on time, however slow the shop is, so
//! that a delay counts in full; every order is paid at once and ends confirmed. The sandbox runs in
//! this process; queues have the settings of wrangler.toml.

import { createHmac } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Stop } from "../run.mjs";
import { startSandbox } from "../../tests/stripe-sandbox/sandbox.ts";
import { firstProduct } from "./catalog.mjs";
import { PAYMENT_SECRETS, receiveStock, startShop } from "./servers.mjs";
import { Shopper } from "./shopper.mjs";

export const paymentScenarios = [
  {
    name: "webhook accepted",
    baseline: "webhook verifier",
    async setup() {
      return { run: Date.now().toString(36) };
    },
    request: delivery,
    baselineRequest: delivery,
  },
];

/** An event that concerns no order, so that only its acceptance is measured. */
function delivery({ run }, n) {
  const body = JSON.stringify({ id: `evt_${run}_${n}`, object: "event", type: "customer.updated", livemode: false, data: { object: { id: "cus_1", object: "customer" } } });
  const at = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", PAYMENT_SECRETS.STRIPE_WEBHOOK_SECRET).update(`${at}.${body}`).digest("hex");
  return { method: "POST", path: "/webhooks/stripe", headers: { "content-type": "application/json", "stripe-signature": `t=${at},v1=${signature}` }, body };
}

export const NAME = "payments confirmed";

const ORDERS_A_MINUTE = 1000;
const SESSIONS = 200;
const LOOK_EVERY_MS = 25; // how much later than it happened a confirmation is seen at most
const PATIENCE_MS = 60_000;

export async function benchPayments({ seconds, say }) {
  const sandbox = await startSandbox({ port: 0, secretKey: PAYMENT_SECRETS.STRIPE_SECRET_KEY, webhookSecret: PAYMENT_SECRETS.STRIPE_WEBHOOK_SECRET });
  const shop = await startShop({ vars: { STRIPE_API_BASE: sandbox.url } });
  sandbox.control.webhook(new URL("/webhooks/stripe", shop.url).href);
  const opening = timeOpening(sandbox.server);
  try {
    const [{ sku }] = (await firstProduct(shop)).variants;
    await receiveStock(shop, sku);
    await purchases(shop, sandbox, sku, 3); // warms up
    say(`${NAME}: ${ORDERS_A_MINUTE} orders a minute for ${seconds} s`);
    const bought = await purchases(shop, sandbox, sku, seconds);
    say(`${SESSIONS} payment sessions, one after the other`);
    const opened = await sessions(shop, sandbox, sku);
    const withoutProvider = ({ paymentId, ms }) => ms - opening.get(paymentId);
    const result = {
      name: NAME,
      orders: bought.length,
      webhook_to_confirmed: spread(bought.map(({ paidAt, confirmedAt }) => confirmedAt - paidAt)),
      order_request_without_provider: spread(bought.map(withoutProvider)),
      payment_session_without_provider: spread(opened.map(withoutProvider)),
    };
    print(result);
    return result;
  } finally {
    await Promise.all([shop.stop(), sandbox.close()]);
  }
}

async function purchases(shop, sandbox, sku, seconds) {
  const watch = watchConfirmations(shop);
  const purchase = async () => {
    const shopper = await Shopper.at(shop.address);
    const { order, latencies } = await shopper.order(sku);
    shopper.leave();
    const paidAt = performance.now();
    sandbox.control.pay(order.payment.url.split("/").at(-1));
    const confirmedAt = await watch.confirmed(order.id);
    return { paymentId: paymentOf(order), ms: latencies.at(-1), paidAt, confirmedAt };
  };
  const begun = [];
  const start = performance.now();
  for (let count = 0; count < (seconds * ORDERS_A_MINUTE) / 60; count += 1) {
    const due = start + (count * 60_000) / ORDERS_A_MINUTE;
    await setTimeout(Math.max(0, due - performance.now()));
    begun.push(purchase());
  }
  try {
    return await Promise.all(begun);
  } finally {
    watch.end();
  }
}

/**
 * Measures orders without a payment link, because the provider rejected every session when they
 * were placed. The same request again finds the order and opens its session, and has nothing else
 * to do.
 */
async function sessions(shop, sandbox, sku) {
  const shopper = await Shopper.at(shop.address);
  const opened = [];
  while (opened.length < SESSIONS) {
    const { place } = await shopper.quote(sku);
    sandbox.faults.add({ on: "api", method: "POST", path: "/v1/checkout/sessions", kind: "error", status: 429 });
    await place();
    const { order, ms } = await place();
    if (!order.payment.url) throw new Stop(`no payment link: ${JSON.stringify(order)}`);
    opened.push({ paymentId: paymentOf(order), ms });
  }
  shopper.leave();
  return opened;
}

function paymentOf(order) {
  return order.id.replace("ord_", "pay_");
}

/**
 * Reads newly confirmed orders from the database, because asking the shop for each would add load.
 */
function watchConfirmations(shop) {
  const waiting = new Map();
  let over = false;
  const look = async () => {
    const db = await shop.miniflare.getD1Database("DB");
    while (!over) {
      await setTimeout(LOOK_EVERY_MS);
      if (waiting.size === 0) continue;
      const ids = JSON.stringify([...waiting.keys()]);
      const { results } = await db.prepare("SELECT id FROM orders WHERE id IN (SELECT value FROM json_each(?)) AND status = 'confirmed'").bind(ids).all();
      const now = performance.now();
      for (const { id } of results) {
        waiting.get(id).resolve(now);
        waiting.delete(id);
      }
      const late = [...waiting].find(([, { since }]) => now - since > PATIENCE_MS);
      if (late) throw new Stop(`${late[0]} was paid and is not confirmed`);
    }
  };
  look().catch((error) => waiting.forEach(({ reject }) => reject(error)));
  return {
    confirmed: (id) => new Promise((resolve, reject) => waiting.set(id, { resolve, reject, since: performance.now() })),
    end: () => { over = true; },
  };
}

/**
 * Returns the milliseconds that the sandbox itself took to open each session, by idempotency key.
 */
function timeOpening(server) {
  const opening = new Map();
  server.prependListener("request", (request, response) => {
    if (request.method !== "POST" || request.url !== "/v1/checkout/sessions") return;
    const began = performance.now();
    response.once("finish", () => opening.set(request.headers["idempotency-key"], performance.now() - began));
  });
  return opening;
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => Math.round(10 * sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]) / 10;
  return { p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99), max_ms: at(1) };
}

function print({ orders, name: _, ...spreads }) {
  const row = (cells) => console.log(cells.map((cell, at) => (at === 0 ? String(cell).padEnd(34) : String(cell).padStart(10))).join(""));
  console.log(`\n${NAME}: ${orders} orders, ${ORDERS_A_MINUTE} a minute`);
  row(["", "p50 ms", "p95 ms", "p99 ms", "max ms"]);
  for (const [what, { p50_ms, p95_ms, p99_ms, max_ms }] of Object.entries(spreads)) row([what.replaceAll("_", " "), p50_ms, p95_ms, p99_ms, max_ms]);
  console.log();
}
