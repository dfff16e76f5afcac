//! Whole guest orders, repeatedly: a new cart, a quote, and an order with its payment session, on
//! each connection. Promises: every response is the expected one, and nothing is oversold. Measured
//! in an empty shop, also at constant rates, where no request waits for another on its connection,
//! and in a shop with many past orders. The sandbox that opens the sessions runs in this process,
//! so its CPU is not counted.

import { setTimeout } from "node:timers/promises";
import { Stop } from "../run.mjs";
import { startSandbox } from "../../tests/stripe-sandbox/sandbox.ts";
import { firstProduct } from "./catalog.mjs";
import { PAYMENT_SECRETS, receiveStock, STAFF_KEY, startShop } from "./servers.mjs";
import { Shopper } from "./shopper.mjs";

export const NAME = "guest orders";

const PAST_ORDERS = 100_000;

// Orders per second: the thousand a minute of a busy day, and the load that a shop has to carry at
// a launch.
const PACES = [1000 / 60, 60];

export async function benchOrders({ seconds, connections, say }) {
  const sandbox = await startSandbox({ port: 0, secretKey: PAYMENT_SECRETS.STRIPE_SECRET_KEY, webhookSecret: PAYMENT_SECRETS.STRIPE_WEBHOOK_SECRET });
  const shop = await startShop({ vars: { STRIPE_API_BASE: sandbox.url } });
  try {
    const [{ sku }] = (await firstProduct(shop)).variants;
    await receiveStock(shop, sku);
    await round(shop, sku, 4, 2);
    say(`${NAME}: ${seconds} s on ${connections} connections, as long at each of ${PACES.length} rates, then with ${PAST_ORDERS} past orders`);
    const rounds = { "in a new shop": await round(shop, sku, connections, seconds) };
    for (const pace of PACES) rounds[`at ${Math.round(pace * 60)} orders a minute`] = await pacedRound(shop, sku, connections, seconds, pace);
    await addPastOrders(shop);
    rounds[`after ${PAST_ORDERS} orders`] = await round(shop, sku, connections, seconds);
    await checkStock(shop, sku);
    print(rounds, connections);
    return { name: NAME, rounds };
  } finally {
    await Promise.all([shop.stop(), sandbox.close()]);
  }
}

/**
 * Places as many orders as the connections carry; each connection begins the next order when it has
 * placed the one before.
 */
function round(shop, sku, connections, seconds) {
  return measured(shop, async (latencies) => {
    const until = performance.now() + seconds * 1000;
    const buy = async () => {
      const shopper = await Shopper.at(shop.address);
      try {
        while (performance.now() < until) latencies.push((await shopper.order(sku)).latencies);
      } finally {
        shopper.leave();
      }
    };
    await Promise.all(Array.from({ length: connections }, buy));
  });
}

/**
 * Starts orders at a constant rate, regardless of earlier ones. The wait for a free connection
 * counts as part of the first request.
 */
function pacedRound(shop, sku, connections, seconds, pace) {
  return measured(shop, async (latencies) => {
    const shoppers = await Promise.all(Array.from({ length: connections }, () => Shopper.at(shop.address)));
    const free = new Pool(shoppers);
    const start = performance.now();
    const buy = async (_, n) => {
      const due = start + (n * 1000) / pace;
      await setTimeout(due - performance.now());
      const shopper = await free.take();
      const late = performance.now() - due;
      const [first, ...others] = (await shopper.order(sku)).latencies;
      latencies.push([late + first, ...others]);
      free.give(shopper);
    };
    try {
      await Promise.all(Array.from({ length: Math.round(seconds * pace) }, buy));
    } finally {
      for (const shopper of shoppers) shopper.leave();
    }
  });
}

/** A pool of items, each used by one user at a time. Users wait in line while it is empty. */
class Pool {
  #free;
  #waiting = [];

  constructor(free) {
    this.#free = [...free];
  }

  take() {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(one) {
    const next = this.#waiting.shift();
    if (next) next(one);
    else this.#free.push(one);
  }
}

/** Returns the figures of `run`, which reports the milliseconds of each order's requests. */
async function measured(shop, run) {
  const orders = [];
  const cpuBefore = shop.cpuMicros();
  const start = performance.now();
  await run(orders);
  const elapsed = (performance.now() - start) / 1000;
  const sorted = orders.flat().sort((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.floor(sorted.length * share)] * 10) / 10;
  return { orders_per_second: Math.round((10 * orders.length) / elapsed) / 10, cpu_ms_per_order: Math.round((shop.cpuMicros() - cpuBefore) / orders.length / 10) / 100, p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99) };
}

/** Adds past orders to the database: placed, paid, and completed. */
async function addPastOrders(shop) {
  const db = await shop.miniflare.getD1Database("DB");
  const numbers = (from, count) => `WITH RECURSIVE n (n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM n WHERE n < ${from + count - 1})`;
  const first = 10_000_000;
  for (let from = first; from < first + PAST_ORDERS; from += 5000) {
    const each = numbers(from, 5000);
    await db.batch([
      `INSERT INTO orders (id, number, version, status, attempt, cart_id, currency, email, shipping_method, subtotal, discount_total, shipping_total, tax_total, total, created_at, updated_at)
        ${each} SELECT 'ord_past_' || n, n, 2, 'confirmed', 1, 'cart_past_' || n, 'USD', 'past@shopper.test', 'standard', 100, 0, 0, 0, 100, 0, 0 FROM n`,
      `INSERT INTO order_lines (order_id, position, sku, quantity, title, variant_title, tracked, unit_price, line_total, discount, tax)
        ${each} SELECT 'ord_past_' || n, 0, 'PAST', 1, 'Past', '', 1, 100, 100, 0, 0 FROM n`,
      `INSERT INTO order_events (order_id, version, happening, at) ${each} SELECT 'ord_past_' || n, 1, 'placed', 0 FROM n UNION ALL SELECT 'ord_past_' || n, 2, 'paid', 0 FROM n`,
      `INSERT INTO payments (id, order_id, status, session_id, request, expires_at) ${each} SELECT 'pay_past_' || n, 'ord_past_' || n, 'paid', 'cs_past_' || n, '', 0 FROM n`,
      `INSERT INTO outbox (order_id, effect, subject, position, due_at, done_at) ${each} SELECT 'ord_past_' || n, 'open_payment', '', 0, 0, 0 FROM n`,
      `INSERT INTO ledger_entries (order_id, version, journal, account, amount, currency) ${each} SELECT 'ord_past_' || n, 1, 0, 'receivable', 100, 'USD' FROM n UNION ALL SELECT 'ord_past_' || n, 1, 0, 'sales', -100, 'USD' FROM n`,
      `INSERT INTO checkouts (order_id, cart_id, idempotency_key, request_hash, quote_id, step, live, updated_at) ${each} SELECT 'ord_past_' || n, 'cart_past_' || n, 'k', 'h', 'q', 'placed', 0, 0 FROM n`,
    ].map((sql) => db.prepare(sql)));
  }
}

async function checkStock(shop, sku) {
  const db = await shop.miniflare.getD1Database("DB");
  const { units } = await db.prepare("SELECT SUM(quantity) AS units FROM order_lines WHERE sku = ?").bind(sku).first();
  const answer = await fetch(new URL(`/api/v1/admin/stock/${encodeURIComponent(sku)}`, shop.url), { headers: { authorization: `Bearer ${STAFF_KEY}` } });
  const { held, on_hand: onHand } = await answer.json();
  if (held !== units || held > onHand) throw new Stop(`${units} units ordered, ${held} held of ${onHand}`);
}

function print(rounds, connections) {
  const row = (cells) => console.log(cells.map((cell, at) => (at === 0 ? String(cell).padEnd(34) : String(cell).padStart(12))).join(""));
  console.log(`\n${NAME}, ${connections} connections (cart, quote, order: three requests)`);
  row(["", "orders/s", "CPU ms", "p50 ms", "p95 ms", "p99 ms"]);
  for (const [name, { orders_per_second, cpu_ms_per_order, p50_ms, p95_ms, p99_ms }] of Object.entries(rounds)) row([name, orders_per_second, cpu_ms_per_order, p50_ms, p95_ms, p99_ms]);
  console.log();
}
