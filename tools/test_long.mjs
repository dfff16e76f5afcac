//! `npm run test:long`: tests that take too long for every change, some fifty minutes. Promises:
//! all of them run even if one has failed, in which case the exit code is 1.

import { build } from "./build.mjs";
import { helpIfAsked, runAsProgram, say, succeeds } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `
npm run test:long

  10,000 seeds of the simulation
  5,000 orders that wait for their payment page after an outage
  100 calls made up for each operation of the OpenAPI document
  the memory of an isolate with every cache full, at most 100 MB
  a shop under fire for 30 minutes`;

const OPTIMIZED = ["test", "--profile", "simulation", "--test", "simulation"];

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const env = await setUp();
  const parts = {
    "10,000 seeds": () => succeeds("cargo", [...OPTIMIZED, "every_seed_ends_well", "--", "--nocapture"], { ...env, SIMULATION_SEEDS: "10000" }),
    "5,000 waiting orders": () => succeeds("cargo", [...OPTIMIZED, "recovery", "--", "--nocapture"], { ...env, SIMULATION_WAITING: "5000" }),
    "100 calls an operation": () => succeeds("node", ["tools/test.mjs", "tests/workerd/openapi.spec.ts"], { ...env, OPENAPI_EXAMPLES: "100" }),
    "100 MB with every cache full": async () => {
      await build({ env });
      return succeeds("node", ["tests/workerd/memory.ts"], env);
    },
    "30 minutes under fire": () => succeeds("node", ["tools/chaos.mjs", "--minutes", "30"], env),
  };
  const failed = [];
  for (const [part, run] of Object.entries(parts)) {
    say(`long test: ${part}`);
    if (!(await run())) failed.push(part);
  }
  for (const part of Object.keys(parts)) console.log(`${failed.includes(part) ? "✗" : "✓"} ${part}`);
  return failed.length > 0 ? 1 : 0;
});
