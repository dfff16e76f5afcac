//! `npm test`: every test of the project, from a fresh clone.
//! Promises: a part that runs no test fails; all parts run even when one has failed.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { helpIfAsked, root, runAsProgram, say, Stop, teed } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `
npm test [-- --only rust|workerd|browser] [--name PATTERN] [--dev] [FILE…]

  --only  one part: Rust's native tests, the built Worker in workerd, or the pages in Chromium
  --name  only tests whose name matches (workerd, browser), or contains it (rust)
  --dev   with a Worker built without optimization: seconds to build after a change
  FILE    only these spec files`;

/**
 * Longest that one file may run. One that runs longer will not end: it is stopped and reported, and
 * the next one runs.
 */
const FILE_TIMEOUT_MS = 10 * 60_000;
const PARTS = { rust: rustTests, workerd: workerdTests, browser: browserTests };

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const { only, ...selection } = options(args);
  const env = await setUp({ browser: !only || only === "browser" });
  const results = [];
  for (const part of only ? [only] : Object.keys(PARTS)) {
    say(`tests: ${part}`);
    results.push({ part, ...(await PARTS[part](env, selection)) });
  }
  for (const { part, passed, reason } of results) console.log(reason ? `✗ ${part}: ${reason}` : `✓ ${part}: ${passed} tests passed`);
  return results.some(({ reason }) => reason) ? 1 : 0;
});

function options(args) {
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { only: { type: "string" }, name: { type: "string" }, dev: { type: "boolean" } } });
    if (values.only && !PARTS[values.only]) throw new Error(`--only ${values.only} is not one of ${Object.keys(PARTS).join(", ")}`);
    if (positionals.length > 0 && !values.only) values.only = positionals.every(isBrowserSpec) ? "browser" : "workerd";
    return { only: values.only, name: values.name, dev: values.dev, files: positionals };
  } catch (error) {
    throw new Stop(`${error.message}: \`npm test -- --help\``);
  }
}

async function rustTests(env, { name }) {
  const { code, printed } = await teed("cargo", ["test", "--workspace", ...(name ? [name] : [])], env);
  const passed = sum(printed.matchAll(/^test result: ok\. (\d+) passed/gm));
  return verdict(code, passed);
}

async function workerdTests(env, selection) {
  await build({ env, dev: selection.dev });
  return specs(env, selection, (file) => !isBrowserSpec(file));
}

async function browserTests(env, selection) {
  await build({ env, dev: selection.dev });
  return specs(env, selection, isBrowserSpec);
}

async function specs(env, { name, files }, belongs) {
  const chosen = files.length > 0 ? files : specFiles("tests").filter(belongs);
  if (chosen.length === 0) return { passed: 0, reason: "there is no spec file" };
  // One file at a time: each runs a workerd of its own, and timing under load is not what is
  // tested.
  const args = ["--test", "--test-concurrency=1", `--test-timeout=${FILE_TIMEOUT_MS}`, "--test-reporter=spec", ...(name ? [`--test-name-pattern=${name}`] : []), ...chosen];
  const { code, printed } = await teed("node", args, env);
  return verdict(code, sum(printed.matchAll(/^ℹ pass (\d+)/gm)));
}

function verdict(code, passed) {
  if (code !== 0) return { passed, reason: "failed, see above" };
  if (passed === 0) return { passed, reason: "no test ran" };
  return { passed };
}

function specFiles(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => a.name.localeCompare(b.name));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return specFiles(path);
    return entry.name.endsWith(".spec.ts") ? [path] : [];
  });
}

function isBrowserSpec(file) {
  return /(^|[\\/])browser[\\/]/.test(file);
}

function sum(matches) {
  return [...matches].reduce((total, [, count]) => total + Number(count), 0);
}
