//! Makes a fresh clone ready: `npm run setup`, also the first step of every other script. Promises:
//! each step first checks whether it is already done, and says what it does; if there is nothing to
//! do, it takes well under two seconds. Runs on Node 20 without any package installed.

import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "./chromium.mjs";
import { helpIfAsked, must, root, runAsProgram, say, Stop } from "./run.mjs";
import { lintTools, rustTools } from "./rust.mjs";

const HELP = `
npm run setup [-- --browser] [--lints]

Installs what the other scripts need: npm packages, the wasm32 target, worker-build, and development secrets.
  --browser  also a Chromium for the browser tests
  --lints    also clippy, rustfmt and cargo-deny`;

/** Values of development that differ from the production values in wrangler.toml. */
export const DEVELOPMENT = { ENVIRONMENT: "dev", SHOP_URL: "http://localhost:8787", MAIL_PROVIDER: "log", MAIL_FROM: "" };

/** Does whatever is left to do, and returns the environment for the project's programs. */
export async function setUp({ rust = true, lints = false, browser = false, development = false } = {}) {
  await nodePackages();
  if (development) devVars();
  let env = projectEnv();
  if (rust || lints) env = await rustTools(env);
  if (lints) await lintTools(env);
  if (browser) env = { ...env, CHROMIUM_PATH: await chromium(env) };
  return env;
}

/**
 * Returns an environment in which the project's own Node and tools come first, and programs neither
 * phone home nor log elsewhere.
 */
export function projectEnv() {
  const path = [join(root, "node_modules/.bin"), join(root, ".tools/bin"), process.env.PATH].join(delimiter);
  const quiet = { CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false" };
  return { ...process.env, ...quiet, PATH: path };
}

export async function nodePackages() {
  const lock = createHash("sha256").update(readFileSync(join(root, "package-lock.json"))).digest("hex");
  const note = join(root, "node_modules/.lock-sha256");
  if (existsSync(note) && readFileSync(note, "utf8") === lock) return;
  say("installing the npm packages of package-lock.json");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  await must(npm, ["ci", "--loglevel=error"], process.env, "npm ci failed: see its error above, then run this again");
  if (!existsSync(join(root, "node_modules/.bin/node"))) {
    throw new Stop("npm did not install Node 22: allow install scripts (`npm config delete ignore-scripts`), then run `rm -r node_modules` and try again");
  }
  writeFileSync(note, lock);
}

/**
 * Makes wrangler.toml a shop that only this machine can reach, with random secrets and the values
 * of development. Existing values are kept.
 */
export function devVars() {
  const file = join(root, ".dev.vars");
  const known = readDevVars();
  const isNew = !existsSync(file);
  const wanted = { ...(isNew && randomSecrets()), ...DEVELOPMENT };
  const missing = Object.entries(wanted).filter(([name]) => !(name in known));
  if (missing.length === 0) return;
  say(isNew ? "writing .dev.vars with random secrets and development turned on" : `adding to .dev.vars: ${missing.map(([name]) => name).join(", ")}`);
  const lines = missing.map(([name, value]) => `${name}="${value}"\n`).join("");
  if (isNew) writeFileSync(file, lines, { mode: 0o600, flag: "wx" });
  else appendFileSync(file, readFileSync(file, "utf8").endsWith("\n") ? lines : `\n${lines}`);
}

function randomSecrets() {
  const random = () => randomBytes(24).toString("hex");
  return {
    ADMIN_API_KEY: random(),
    MAIL_API_KEY: random(),
    SIGNING_KEY: random(),
    STRIPE_SECRET_KEY: `sk_test_sandbox_${random()}`,
    STRIPE_WEBHOOK_SECRET: `whsec_${random()}`,
  };
}

/** Returns the variables that `.dev.vars` sets for the Worker. */
export function readDevVars() {
  const text = existsSync(join(root, ".dev.vars")) ? readFileSync(join(root, ".dev.vars"), "utf8") : "";
  const found = {};
  for (const [, name, value] of text.matchAll(/^\s*(\w+)\s*=\s*"?(.*?)"?\s*$/gm)) found[name] = value;
  return found;
}

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  await setUp({ development: true, browser: args.includes("--browser"), lints: args.includes("--lints") });
  say("setup is complete: start the shop with `npm run dev`, test it with `npm test`");
});
