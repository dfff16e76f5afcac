//! `npm run screenshots`: takes a picture of every page, or the pictures shown in README.md.

import { build } from "./build.mjs";
import { helpIfAsked, must, runAsProgram, say } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `
npm run screenshots [-- --dev] [--readme]

Writes every page as PNG to tests/browser/screenshots/: on a phone and at a desk, in light and dark.

  --dev     with a Worker built without optimization: seconds to build after a change
  --readme  writes the pictures of README.md to docs/images/ instead`;

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const env = await setUp({ browser: true });
  await build({ env, dev: args.includes("--dev") });
  const [script, folder] = args.includes("--readme") ? ["readme_pictures.ts", "docs/images"] : ["screenshots.ts", "tests/browser/screenshots"];
  await must("node", [`tests/browser/${script}`], env, "a page could not be pictured: look above for the reason");
  say(`pictures are in ${folder}`);
});
