//! `npm run check`: everything that can be judged without running the shop: format, lints,
//! architecture rules, fuzz targets, dependencies, types. Promises: every check runs even if an
//! earlier one failed, and a summary is printed at the end.

import { helpIfAsked, runAsProgram, say, succeeds } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = "npm run check   (prints the command of each check, so that you can run it alone while you fix it)";

const CHECKS = {
  format: "cargo fmt --all --check",
  "lints, native": "cargo clippy --workspace --all-targets -- -D warnings",
  "lints, wasm32": "cargo clippy --workspace --target wasm32-unknown-unknown -- -D warnings",
  "architecture": "cargo test --test architecture",
  environments: "node tools/environments.mjs --check",
  "fuzz targets": "cargo check --manifest-path fuzz/Cargo.toml --no-default-features --locked --target-dir target/fuzz",
  dependencies: "cargo deny check licenses bans sources",
  types: "tsc --noEmit",
};

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const env = await setUp({ lints: true });
  const failed = [];
  for (const [name, line] of Object.entries(CHECKS)) {
    say(`${name}: ${line}`);
    const [command, ...rest] = line.split(" ");
    if (!(await succeeds(command, rest, env))) failed.push(name);
  }
  for (const [name, line] of Object.entries(CHECKS)) console.log(failed.includes(name) ? `✗ ${name}: ${line}` : `✓ ${name}`);
  return failed.length > 0 ? 1 : 0;
});
