//! `npm run screenshots`: takes a picture of every page, or the pictures shown in README.md.

import { build } from "./build.mjs";
import { helpIfAsked, must, runAsProgram, say } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `
npm run screenshots [-- --dev] [--readme]

Writes every page as PNG to tests/browser/screenshots/: phone and desktop, light and dark.

  --dev     builds the Worker without optimization: seconds after a change
  --readme  writes the README's pictures to docs/images/ instead`;

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const env = await setUp({ browser: true });
  await build({ env, dev: args.includes("--dev") });
  const [script, folder] = args.includes("--readme") ? ["readme_pictures.ts", "docs/images"] : ["screenshots.ts", "tests/browser/screenshots"];
  await must("node", [`tests/browser/${script}`], env, "a page could not be captured: see the error above");
  say(`pictures are in ${folder}`);
});
