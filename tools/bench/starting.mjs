//! Start of the Worker above that of an empty one with the same bindings: from the start of the
//! launcher to the first answer, each time in a new workerd process. Promises: the two alternate.

import { startEmpty, startShop } from "./servers.mjs";

export const NAME = "start";

const TIMES = 10;
/** Milliseconds above an empty isolate that the whole shop may take. */
const TARGET_MS = 80;

export async function benchStarting({ say }) {
  say(`${NAME}: ${TIMES} times, against a Worker that does nothing`);
  const [shop, empty] = [[], []];
  for (let at = 0; at < TIMES; at += 1) {
    shop.push(await firstAnswer(startShop));
    empty.push(await firstAnswer(startEmpty));
  }
  const result = { name: NAME, shop_ms: median(shop), empty_ms: median(empty), above_ms: median(shop) - median(empty), target_ms: TARGET_MS };
  console.log(`\n${NAME}: first answer after ${result.shop_ms} ms, of an empty Worker after ${result.empty_ms} ms: ${result.above_ms} ms above (target ≤ ${TARGET_MS})\n`);
  return result;
}

async function firstAnswer(start) {
  const server = await start();
  await server.stop();
  return server.firstAnswerMs;
}

const median = (values) => Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]);
