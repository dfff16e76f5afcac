//! `npm run bench`: compares the Worker's release build with JavaScript Workers of a few lines, in
//! the same launcher, the same run, and under the same load. Promises: rounds of subject and
//! baseline alternate, and each figure is the median of its rounds; a single unexpected response
//! fails the run. The launcher is miniflare with a socket straight into each Worker, each in a
//! workerd process of its own.

import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { helpIfAsked, runAsProgram, say, Stop, succeeds } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `
npm run bench [-- --seconds 3] [--rounds 5] [--connections 32] [--only NAME]

  --seconds  length of a round; each scenario takes 2 × rounds × seconds
  --only     runs only scenarios whose name contains NAME
The last line is the result as JSON.`;

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const chosen = options(args);
  const env = await setUp();
  await build({ env });
  // The launcher needs the project's own Node, which a fresh machine only has after set-up.
  if (Number(process.versions.node.split(".")[0]) < 22) return (await succeeds("node", process.argv.slice(1), env)) ? 0 : 1;
  const { bench } = await import("./bench/rounds.mjs");
  await bench({ ...chosen, say });
});

function options(args) {
  const number = (values, name) => {
    const value = Number(values[name]);
    if (!(value > 0)) throw new Error(`--${name} must be a number above 0, not ${values[name]}`);
    return value;
  };
  try {
    const { values } = parseArgs({
      args,
      options: {
        seconds: { type: "string", default: "3" },
        rounds: { type: "string", default: "5" },
        connections: { type: "string", default: "32" },
        only: { type: "string", default: "" },
      },
    });
    return { seconds: number(values, "seconds"), rounds: number(values, "rounds"), connections: number(values, "connections"), only: values.only };
  } catch (error) {
    throw new Stop(`${error.message}: see \`npm run bench -- --help\``);
  }
}
