//! Finds a Chromium for the browser tests: CHROMIUM_PATH, one on the PATH, Playwright's own, or the
//! distribution's.

import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { aptInstall, aptKnows } from "./apt.mjs";
import { answerOf, root, runAsProgram, say, Stop, succeeds } from "./run.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Returns the path of a Chromium, which is installed first if there is none. */
export async function chromium(env = process.env) {
  const found = findChromium(env) ?? playwrights(env);
  if (found) return found;
  say("installing Chromium for the browser tests");
  await succeeds("node", [join(root, "node_modules/playwright-core/cli.js"), "install", "chromium"], env);
  const own = playwrights(env);
  if (own) return own;
  if (aptKnows(["chromium"])) await aptInstall(["chromium"]);
  const installed = findChromium(env);
  if (!installed) throw new Stop("the browser tests need Chromium: install it, or set CHROMIUM_PATH to its program");
  return installed;
}

/** Returns the path of an installed Chromium, or null. */
export function findChromium(env = process.env) {
  if (env.CHROMIUM_PATH) {
    if (existsSync(env.CHROMIUM_PATH)) return env.CHROMIUM_PATH;
    throw new Stop(`CHROMIUM_PATH is ${env.CHROMIUM_PATH}, which does not exist: correct or unset it`);
  }
  const folders = (env.PATH ?? "").split(delimiter);
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...candidates, "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"].find(isProgram) ?? null;
}

/** Asks Playwright for the path of its own browser. */
function playwrights(env) {
  const script = "import('playwright-core').then(({ default: { chromium } }) => console.log(chromium.executablePath()))";
  const path = answerOf("node", ["-e", script], env);
  return path && isProgram(path) ? path : null;
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

runAsProgram(import.meta.url, async () => console.log(await chromium()));
