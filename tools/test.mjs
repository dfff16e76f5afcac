//! `npm test`: every test of the project, from a fresh clone. Promises: a part that runs no test
//! fails; all parts run even if one has failed; a test shares neither ports nor folders with one
//! that runs at the same time.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build, buildSecondBrand } from "./build.mjs";
import { helpIfAsked, inIdleTime, root, runAsProgram, say, Stop, succeeds, teed } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `
npm test [-- --only rust|workerd|browser] [--name PATTERN] [--dev] [FILE…]

  --only  runs one part: native Rust tests, the built Worker in workerd, or the pages in Chromium
  --name  runs only tests whose name matches (workerd, browser) or contains it (rust)
  --dev   builds the Worker without optimization: seconds after a change
  FILE    only these spec files`;

/**
 * Maximum duration of one file. A file that runs longer hangs: it is stopped and reported, and the
 * next one runs.
 */
const FILE_TIMEOUT_MS = 10 * 60_000;
/**
 * Number of spec files that run at once. Each has a shop of its own, which waits more than it
 * computes: for the disk, for pauses of queues, for alarms.
 */
const FILES_AT_ONCE = 2;
/** Spec files that freeze and kill a shop, which run last and one by one. */
const ALONE = /(^|[\\/])chaos[\\/]/;
/** The spec file that needs the Worker with a second brand. */
const BRANDED = /(^|[\\/])brand\.spec\.ts$/;
const PARTS = { rust: rustTests, workerd: workerdTests, browser: browserTests };

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const { only, ...selection } = options(args);
  const env = await setUp({ browser: !only || only === "browser" });
  const results = only ? [await resultOf(only, env, selection)] : await everyPart(env, selection);
  for (const { part, passed, reason } of results) console.log(reason ? `✗ ${part}: ${reason}` : `✓ ${part}: ${passed} tests passed`);
  return results.some(({ reason }) => reason) ? 1 : 0;
});

/**
 * Runs all parts. Rust tests compute, while the others mostly wait, so the Rust tests use the time
 * that is left and report at their end.
 */
async function everyPart(env, selection) {
  await succeeds("cargo", ["test", "--workspace", "--no-run"], env);
  await build({ env, dev: selection.dev });
  const rust = resultOf("rust", env, { ...selection, beside: true });
  return [await resultOf("workerd", env, selection), await rust, await resultOf("browser", env, selection)];
}

async function resultOf(part, env, selection) {
  if (!selection.beside) say(`tests: ${part}`);
  return { part, ...(await PARTS[part](env, selection)) };
}

function options(args) {
  try {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { only: { type: "string" }, name: { type: "string" }, dev: { type: "boolean" } } });
    if (values.only && !PARTS[values.only]) throw new Error(`--only must be one of ${Object.keys(PARTS).join(", ")}`);
    if (positionals.length > 0 && !values.only) values.only = positionals.every(isBrowserSpec) ? "browser" : "workerd";
    return { only: values.only, name: values.name, dev: values.dev, files: positionals };
  } catch (error) {
    throw new Stop(`${error.message}: see \`npm test -- --help\``);
  }
}

async function rustTests(env, { name, beside }) {
  const args = ["test", "--workspace", "--no-fail-fast", ...(name ? [name] : [])];
  const { code, printed } = await (beside ? inIdleTime("cargo", args, env) : teed("cargo", args, env));
  const passed = sum(printed.matchAll(/^test result: ok\. (\d+) passed/gm));
  return verdict(code, passed);
}

async function workerdTests(env, selection) {
  await build({ env, dev: selection.dev });
  // Ahead of all, since compiling would slow down the file that runs beside.
  if (selection.files.length === 0 || selection.files.some((file) => BRANDED.test(file))) await buildSecondBrand(env);
  return specs(env, selection, (file) => !isBrowserSpec(file));
}

async function browserTests(env, selection) {
  await build({ env, dev: selection.dev });
  return specs(env, selection, isBrowserSpec);
}

async function specs(env, { name, files }, belongs) {
  const chosen = files.length > 0 ? files : specFiles("tests").filter(belongs);
  if (chosen.length === 0) return { passed: 0, reason: "no test file found" };
  const runs = [
    [FILES_AT_ONCE, chosen.filter((file) => !ALONE.test(file))],
    [1, chosen.filter((file) => ALONE.test(file))],
  ];
  const all = { code: 0, passed: 0 };
  for (const [atOnce, some] of runs.filter(([, some]) => some.length > 0)) {
    const args = ["--test", `--test-concurrency=${atOnce}`, `--test-timeout=${FILE_TIMEOUT_MS}`, "--test-reporter=spec", ...(name ? [`--test-name-pattern=${name}`] : []), ...some];
    const { code, printed } = await teed("node", args, env);
    all.code ||= code;
    all.passed += sum(printed.matchAll(/^ℹ pass (\d+)/gm));
  }
  return verdict(all.code, all.passed);
}

function verdict(code, passed) {
  if (code !== 0) return { passed, reason: "failed: see above" };
  if (passed === 0) return { passed, reason: "no test was run" };
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
