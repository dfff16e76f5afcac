//! Runs the scenarios: alternating rounds, medians, a table, one line of JSON. A scenario is {name,
//! baseline, target?, shop?, setup(shop, js) → state, request(state, n), baselineRequest(state,
//! n)}: `baseline` names a Worker of baselines.mjs, `target` is the most CPU it may take of that
//! Worker's, `shop` describes the shop that it needs ({name, vars?, data?}: shops with the same
//! `data` share what one of them was filled with), `n` counts the requests, a request is {method?,
//! path, headers?, body?}. With `subject: "objects"`, the shop's objects are asked without the
//! Worker before them.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { root, Stop } from "../run.mjs";
import { baselines } from "./baselines.mjs";
import { cartScenarios } from "./cart.mjs";
import { catalogScenarios } from "./catalog.mjs";
import { load } from "./load.mjs";
import { objectScenarios } from "./objects.mjs";
import { benchOrders, NAME as ORDERS } from "./orders.mjs";
import { benchPayments, NAME as PAYMENTS, paymentScenarios } from "./payments.mjs";
import { quoteScenarios } from "./quotes.mjs";
import { benchRefusals, NAME as REFUSALS } from "./refusals.mjs";
import { startBaseline, startObjects, startShop } from "./servers.mjs";
import { benchStarting, NAME as STARTING } from "./starting.mjs";
import { benchWaking, NAME as WAKING } from "./waking.mjs";

const SCENARIOS = [...catalogScenarios, ...cartScenarios, ...objectScenarios, ...paymentScenarios, ...quoteScenarios];
const WARM_UP_SECONDS = 1;

export async function bench({ seconds, rounds, connections, only, say }) {
  const scenarios = SCENARIOS.filter(({ name }) => name.includes(only));
  const withOrders = ORDERS.includes(only);
  const withPayments = PAYMENTS.includes(only);
  const withRefusals = REFUSALS.includes(only);
  const withWaking = WAKING.includes(only);
  const withStarting = STARTING.includes(only);
  if (scenarios.length === 0 && !withOrders && !withPayments && !withRefusals && !withWaking && !withStarting) throw new Stop(`no scenario's name contains ${only}: ${[...SCENARIOS.map(({ name }) => name), ORDERS, PAYMENTS, REFUSALS, WAKING, STARTING].join(", ")}`);
  const baselineServers = new Map();
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const results = [];
  let shop;
  try {
    for (const scenario of scenarios) {
      const { name = scenario.subject ?? "demo", vars, data = name } = scenario.shop ?? {};
      if (shop?.name !== name) {
        await shop?.stop();
        const start = scenario.subject === "objects" ? startObjects : startShop;
        shop = { ...(await start({ vars, folder: join(folder, data) })), name };
      }
      say(`${scenario.name}: ${rounds} rounds of ${seconds} s each, against ${scenario.baseline}`);
      if (!baselineServers.has(scenario.baseline)) baselineServers.set(scenario.baseline, await startBaseline(baselines[scenario.baseline]));
      const js = baselineServers.get(scenario.baseline);
      results.push(await measure(scenario, shop, js, { seconds, rounds, connections }));
    }
  } finally {
    await Promise.all([shop, ...baselineServers.values()].map((server) => server?.stop()));
    rmSync(folder, { recursive: true });
  }
  const wasm = readFileSync(join(root, "build/index_bg.wasm"));
  const size = { raw: wasm.length, gzip: gzipSync(wasm, { level: 9 }).length };
  if (results.length > 0) printTable(results, connections);
  const orders = withOrders ? await benchOrders({ seconds: seconds * rounds, connections, say }) : undefined;
  const payments = withPayments ? await benchPayments({ seconds: seconds * rounds, say }) : undefined;
  const refusals = withRefusals ? await benchRefusals({ seconds: seconds * rounds, connections, say }) : undefined;
  const waking = withWaking ? await benchWaking({ say }) : undefined;
  const starting = withStarting ? await benchStarting({ say }) : undefined;
  console.log(`wasm: ${size.raw} bytes, ${size.gzip} as gzip.\n`);
  console.log(JSON.stringify({ launcher: "miniflare, direct sockets", client: "node:net, closed loop", connections, seconds, rounds, wasm: size, results, orders, payments, refusals, waking, starting }));
}

async function measure(scenario, shop, js, { seconds, rounds, connections }) {
  const state = await scenario.setup(shop, js);
  const sides = {
    worker: { server: shop, request: (n) => scenario.request(state, n), rounds: [] },
    js: { server: js, request: (n) => scenario.baselineRequest(state, n), rounds: [] },
  };
  for (const { server, request } of Object.values(sides)) await round(server, request, connections, WARM_UP_SECONDS);
  for (let count = 0; count < rounds; count += 1) {
    for (const side of Object.values(sides)) side.rounds.push(await round(side.server, side.request, connections, seconds));
  }
  const [ours, theirs] = [medians(sides.worker.rounds), medians(sides.js.rounds)];
  const cpuRatio = Math.round((100 * ours.cpu_micros) / theirs.cpu_micros) / 100;
  return { name: scenario.name, baseline: scenario.baseline, target: scenario.target, cpu_ratio: cpuRatio, worker: ours, js: theirs };
}

async function round(server, request, connections, seconds) {
  const cpuBefore = server.cpuMicros();
  const { latencies, elapsed } = await load({ ...server.address, connections, seconds, request });
  const cpu = server.cpuMicros() - cpuBefore;
  const sorted = Float64Array.from(latencies).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { per_second: sorted.length / elapsed, p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99), cpu_micros: cpu / sorted.length };
}

function medians(rounds) {
  const median = (name) => {
    const sorted = rounds.map((one) => one[name]).sort((a, b) => a - b);
    return Math.round(100 * sorted[Math.floor(sorted.length / 2)]) / 100;
  };
  return Object.fromEntries(Object.keys(rounds[0]).map((name) => [name, median(name)]));
}

function printTable(results, connections) {
  const row = (name, { per_second, p50_ms, p95_ms, p99_ms, cpu_micros }, ratio, target = "") =>
    console.log([name.padEnd(40), ...[per_second.toFixed(0), p50_ms, p95_ms, p99_ms, cpu_micros.toFixed(0), ratio, target].map((cell) => String(cell).padStart(9))].join(""));
  console.log(`\n${connections} connections, medians\n${["".padEnd(40), ...["req/s", "p50 ms", "p95 ms", "p99 ms", "CPU µs", "× CPU", "target"].map((cell) => cell.padStart(9))].join("")}`);
  for (const { name, baseline, target, cpu_ratio, worker, js } of results) {
    row(name, worker, cpu_ratio.toFixed(2), target && `≤ ${target.toFixed(2)}`);
    row(`  ${baseline} (JS)`, js, "1.00");
  }
  console.log();
}
