//! `npm run chaos`: trades in a shop while it is killed, frozen, locked out of its database and
//! lied to by its providers; then leaves it alone and judges it by the invariants of the
//! simulation. Promises: exit code 1 for anything lost, doubled or stranded, in which case the
//! folder with the databases is kept and its path printed.

import { rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { helpIfAsked, runAsProgram, say, Stop, succeeds, teed } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `
npm run chaos [-- --minutes 5] [--clients 6] [--seed N] [--keep]

  --minutes  duration of the disturbances; afterwards the clock is moved ahead by hours, which takes a minute or two
  --clients  number of concurrent shoppers
  --seed     repeats the same disturbances, though not at the same instants
  --keep     keeps the databases and the evidence even if all is well`;

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const { minutes, clients, seed, keep } = options(args);
  const env = await setUp();
  await build({ env });
  const wanted = { seconds: Math.round(minutes * 60), clients, ...(seed !== undefined && { seed }) };
  const { code, printed } = await teed("node", ["--disable-warning=ExperimentalWarning", "tests/chaos/main.ts", JSON.stringify(wanted)], env);
  if (code !== 0) throw new Stop("the run did not finish: see the error above");
  const { folder, database, evidence } = JSON.parse(printed.trim().split("\n").at(-1));
  const holds = await succeeds("cargo", ["run", "--quiet", "--example", "judge", "--", database, evidence], env);
  if (holds && !keep) rmSync(folder, { recursive: true });
  else say(`the databases and ${evidence} are kept in ${folder}`);
  return holds ? 0 : 1;
});

function options(args) {
  const options = { minutes: { type: "string", default: "5" }, clients: { type: "string", default: "6" }, seed: { type: "string" }, keep: { type: "boolean" } };
  try {
    const { values } = parseArgs({ args, options });
    const number = (name) => {
      const value = Number(values[name]);
      if (!(value > 0)) throw new Error(`--${name} must be a number above 0`);
      return value;
    };
    return { minutes: number("minutes"), clients: number("clients"), keep: values.keep ?? false, ...(values.seed !== undefined && { seed: number("seed") }) };
  } catch (error) {
    throw new Stop(`${error.message}: see \`npm run chaos -- --help\``);
  }
}
