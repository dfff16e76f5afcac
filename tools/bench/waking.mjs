//! A stock object with 300,000 ended holds and their journal, evicted from memory again and again:
//! measures a buyer's hold that has to wake the object against one that finds it awake. Promises:
//! every hold succeeds, and the ended ones are still there at the end.

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { Stop } from "../run.mjs";
import { command } from "./objects.mjs";
import { startObjects } from "./servers.mjs";

export const NAME = "object: waking";

const ENDED = 300_000;
const TIMES = 100;
const TARGET_MS = 50;
const SKU = "PAST#0";
const CLASS = "StockObject";
const DAY_MS = 86_400_000;

export async function benchWaking({ say }) {
  const folder = mkdtempSync(join(tmpdir(), "bench-waking-"));
  const objects = await startObjects({ folder });
  const ask = (operation, body) => answered(objects, operation, body);
  const evict = () => objects.miniflare.unsafeEvictDurableObject("shop", CLASS, { name: SKU });
  try {
    await ask("receive", { receive: { quantity: 1_000_000 } });
    await evict();
    const database = new DatabaseSync(await fileOf(objects, folder));
    addPast(database);
    say(`${NAME}: ${TIMES} times behind ${ENDED} ended holds`);
    const [asleep, awake] = [[], []];
    for (let at = 0; at < TIMES; at += 1) {
      asleep.push(await ask(`asleep ${at}`, hold(`asleep_${at}`)));
      awake.push(await ask(`awake ${at}`, hold(`awake_${at}`)));
      await evict();
    }
    const { ended } = database.prepare("SELECT COUNT(*) AS ended FROM past").get();
    database.close();
    if (ended !== ENDED) throw new Stop(`${ended} ended holds are left of ${ENDED}`);
    const result = { name: NAME, ended, asleep: spread(asleep), awake: spread(awake), target_ms: TARGET_MS };
    const row = (name, { p50_ms, p95_ms, max_ms }) => `${name} p50 ${p50_ms} ms, p95 ${p95_ms} ms, at most ${max_ms} ms`;
    console.log(`\n${NAME}, behind ${ended} ended holds: ${row("asleep", result.asleep)} (target ≤ ${TARGET_MS}); ${row("awake", result.awake)}\n`);
    return result;
  } finally {
    await objects.stop();
    rmSync(folder, { recursive: true });
  }
}

const hold = (hold_id) => ({ hold: { hold_id, quantity: 1, ttl_secs: 1_000_000 } });

/** Returns the milliseconds until the object has answered. */
async function answered({ url }, operation, body) {
  const { method, path, body: sent } = command(`STOCK/${SKU}`, operation, body);
  const began = performance.now();
  const answer = await fetch(new URL(path, url), { method, body: sent });
  const text = await answer.text();
  const ms = performance.now() - began;
  if (!text.startsWith('{"done":')) throw new Stop(`${operation} was answered ${text.slice(0, 400)}`);
  return ms;
}

async function fileOf({ miniflare }, folder) {
  const namespace = await miniflare.getDurableObjectNamespace("STOCK", "shop");
  return join(folder, "objects", `shop-${CLASS}`, `${namespace.idFromName(SKU)}.sqlite`);
}

/**
 * Adds a hold and its release for each ended hold, as the object writes them, all of it in the
 * snapshot and none of it due for deletion.
 */
function addPast(database) {
  const [at, forgetAt] = [Date.now(), Date.now() + DAY_MS];
  const numbers = `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${ENDED})`;
  database.exec(`BEGIN;
    ${numbers} INSERT INTO past (key, value, forget_at)
      SELECT 'hold/past_' || n, json_object('quantity', 0, 'status', json_object('tombstone', json_object('forget_at', ${forgetAt}))), ${forgetAt} FROM n;
    ${numbers} INSERT INTO journal (at, operation_id, digest, events)
      SELECT ${at}, 'past_' || n || ':hold', 'past', json_array(json_object('held', json_object('hold_id', 'past_' || n, 'quantity', 1, 'expires_at', ${at}))) FROM n;
    ${numbers} INSERT INTO journal (at, operation_id, digest, events)
      SELECT ${at}, 'past_' || n || ':release', 'past', json_array(json_object('released', json_object('hold_id', 'past_' || n, 'reason', 'released', 'forget_at', ${forgetAt}))) FROM n;
    INSERT INTO snapshot (key, value) SELECT 'seq', MAX(seq) FROM journal WHERE true ON CONFLICT (key) DO UPDATE SET value = excluded.value;
    COMMIT;`);
}

function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => Math.round(10 * sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]) / 10;
  return { p50_ms: at(0.5), p95_ms: at(0.95), max_ms: at(1) };
}
