//! `npm run simulate`: whole checkouts in a world that fails, crashes, repeats, delays and
//! reorders, generated from seeds. Promises: the same seed replays exactly, and all cores are used;
//! a seed that breaks an invariant is reported with its trace and exit code 1.

import { parseArgs } from "node:util";
import { helpIfAsked, runAsProgram, Stop, succeeds } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `
npm run simulate [-- --seeds 2000] [--from 0] [--seed N]

  --seeds  number of seeds
  --from   first seed
  --seed   runs this seed only and prints its whole trace`;

/** Number of seeds above which compiling with optimization pays off. */
const FEW = 500;

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const { seed, seeds, from } = options(args);
  const env = await setUp();
  const chosen = seed === undefined ? { SIMULATION_SEEDS: seeds, SIMULATION_FROM: from } : { SIMULATION_SEED: seed };
  const profile = Number(seeds) > FEW && seed === undefined ? ["--profile", "simulation"] : [];
  const line = ["test", ...profile, "--test", "simulation", "every_seed_ends_well", "--", "--nocapture"];
  return (await succeeds("cargo", line, { ...env, RUST_BACKTRACE: "0", ...chosen })) ? 0 : 1;
});

function options(args) {
  const options = { seed: { type: "string" }, seeds: { type: "string", default: "2000" }, from: { type: "string", default: "0" } };
  try {
    const { values } = parseArgs({ args, options });
    for (const [name, value] of Object.entries(values)) {
      if (!/^\d+$/.test(value)) throw new Error(`--${name} must be a whole number, not ${value}`);
    }
    return values;
  } catch (error) {
    throw new Stop(`${error.message}: see \`npm run simulate -- --help\``);
  }
}
