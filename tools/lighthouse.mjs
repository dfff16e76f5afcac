//! `npm run lighthouse`: Lighthouse scores of the pages, on a simulated phone over a slow network.

import { build } from "./build.mjs";
import { helpIfAsked, must, runAsProgram } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `
npm run lighthouse [-- --dev]

Audits home, collection, product and cart with Lighthouse's mobile preset, prints a table, and fails below the targets.
  --dev  builds the Worker without optimization`;

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const env = await setUp({ browser: true });
  await build({ env, dev: args.includes("--dev") });
  await must("node", ["tests/browser/lighthouse.ts"], env, "a page is below its target: see above");
});
