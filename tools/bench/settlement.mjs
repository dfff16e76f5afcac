//! `node tools/bench/settlement.mjs [SECONDS]`: from a webhook to a confirmed order, while 1,000 orders a minute are placed and
//! paid. The Worker's release build in workerd with its queues, the payment sandbox in this process; Node 22.
//! The time to a confirmed order ends when the database says so, looked at every 25 ms. The time of an order is that of its whole
//! request, the payment session included, less what the sandbox took.

import { setTimeout } from "node:timers/promises";
import { csvOf } from "../../tests/workerd/catalog.ts";
import { startShop } from "../../tests/workerd/shop.ts";

const ORDERS_PER_MINUTE = 1000;
const LOOK_EVERY_MS = 25;

const seconds = Number(process.argv[2] ?? 20);
const count = Math.round((ORDERS_PER_MINUTE / 60) * seconds);
const skus = Array.from({ length: 50 }, (_, at) => `SKU${at}`);

const shop = await startShop();
await shop.importCatalog(csvOf(...skus.map((sku) => ({ sku, quantity: 1000 }))));

const paidAt = new Map();
const confirmed = new Map();
const ordering = [];
let watching = true;
const watch = (async () => {
  while (watching) {
    const rows = await shop.rows("SELECT id FROM orders WHERE status = 'confirmed'");
    for (const { id } of rows) if (!confirmed.has(id)) confirmed.set(id, performance.now());
    await setTimeout(LOOK_EVERY_MS);
  }
})();

const start = performance.now();
await Promise.all(
  Array.from({ length: count }, async (_, at) => {
    await setTimeout(at * (60_000 / ORDERS_PER_MINUTE));
    const buyer = shop.shopper();
    await buyer.add(skus[at % skus.length]);
    const { id } = await buyer.quote();
    const asked = performance.now();
    const order = (await buyer.order(id)).expect(201);
    ordering.push(performance.now() - asked);
    paidAt.set(order.id, performance.now());
    shop.sandbox.control.pay(order.payment.url.split("/").at(-1));
  }),
);
const placed = (performance.now() - start) / 1000;
const deadline = performance.now() + 60_000;
while (confirmed.size < count && performance.now() < deadline) await setTimeout(LOOK_EVERY_MS);
watching = false;
await watch;
await shop.close();

const settled = [...paidAt].filter(([id]) => confirmed.has(id)).map(([id, at]) => confirmed.get(id) - at);
const p = (values, share) => Math.round(values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]);
console.log(JSON.stringify({
  orders: count, per_minute: Math.round((count / placed) * 60), confirmed: settled.length,
  order_request_ms: { p50: p(ordering, 0.5), p95: p(ordering, 0.95) },
  webhook_to_confirmed_ms: { p50: p(settled, 0.5), p95: p(settled, 0.95) },
}));
