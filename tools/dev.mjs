//! `npm run dev`: from a fresh clone to a working shop, on this machine alone. Promises: nothing it
//! starts outlives it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { importCatalog, importPictures, publishCatalog } from "./catalog.mjs";
import { Children, mustBeFree } from "./children.mjs";
import { captured, helpIfAsked, root, runAsProgram, say, Stop } from "./run.mjs";
import { readDevVars, setUp } from "./setup.mjs";

const HELP = `
npm run dev [-- --port 8787] [--payment-port 8788] [--no-demo]

Sets up what is missing, builds the Worker, and runs the shop with local data in .wrangler/ until Ctrl-C.
Without your own Stripe key in .dev.vars, a payment sandbox runs with it.
  --no-demo  does not import the demo catalog into an empty shop`;

const READY_WITHIN_MS = 180_000;
const CRON_MS = 60_000;
/** Remedy for data of an earlier version. */
const AFRESH = "to start again with empty data, run `rm -r .wrangler`, then `npm run dev`";

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const { port, paymentPort, demo } = options(args);
  const sandbox = isSandboxKey(readDevVars().STRIPE_SECRET_KEY);
  await mustBeFree(port, "choose another port: `npm run dev -- --port 8790`");
  if (sandbox) await mustBeFree(paymentPort, "choose another port: `npm run dev -- --payment-port 8791`");
  const env = await setUp({ development: true });
  const secrets = readDevVars();
  await migrate(env);
  await build({ env });

  const url = `http://localhost:${port}`;
  const children = new Children();
  if (sandbox) startSandbox(children, paymentPort, url, { ...env, ...secrets });
  startWorker(children, port, url, sandbox ? `http://127.0.0.1:${paymentPort}` : secrets.STRIPE_API_BASE ?? "https://api.stripe.com", env);
  open(url, secrets.ADMIN_API_KEY, demo, children.stopping).catch((error) => children.stop(error));
  const cron = setInterval(() => fetch(`${url}/cdn-cgi/handler/scheduled`).catch(() => {}), CRON_MS);
  await children.ended.finally(() => clearInterval(cron));
});

function options(args) {
  try {
    const { values } = parseArgs({
      args,
      options: { port: { type: "string", default: "8787" }, "payment-port": { type: "string", default: "8788" }, "no-demo": { type: "boolean" } },
    });
    const [port, paymentPort] = [portNumber(values.port), portNumber(values["payment-port"])];
    if (port === paymentPort) throw new Stop(`the shop and the payment sandbox can't share port ${port}: set a different --port or --payment-port`);
    return { port, paymentPort, demo: !values["no-demo"] };
  } catch (error) {
    throw error instanceof Stop ? error : new Stop(`${error.message}: see \`npm run dev -- --help\``);
  }
}

function portNumber(text) {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Stop(`${text} is not a valid port: give a number from 1 to 65535`);
  return port;
}

function isSandboxKey(key) {
  return !key || key.startsWith("sk_test_sandbox_");
}

/**
 * Migrates the local database; if it is from an incompatible version, stops with one line that
 * tells what to do.
 */
export async function migrate(env, folder) {
  const at = folder ? ["--persist-to", folder] : [];
  const { code, printed } = await captured("wrangler", ["d1", "migrations", "apply", "DB", "--local", ...at], { ...env, CI: "true" });
  if (code === 0) return;
  if (/table \w+ already exists/.test(printed)) throw new Stop(`the local data in .wrangler/ belongs to an earlier version: ${AFRESH}`);
  process.stderr.write(printed);
  throw new Stop(`the local database could not be migrated (see the statement above): ${AFRESH}`);
}

function startSandbox(children, port, url, env) {
  children.start("the payment sandbox", "node", ["tests/stripe-sandbox/main.ts", "--port", `${port}`, "--webhook", `${url}/webhooks/stripe`], env);
}

function startWorker(children, port, url, stripe, env) {
  // Without the last option, every request would appear to ask for the production host, whatever
  // its `Host` header.
  const args = ["dev", "--ip", "127.0.0.1", "--port", `${port}`, "--show-interactive-dev-session=false", "--infer-origin-from-routes=false"];
  children.start("wrangler", "wrangler", [...args, "--var", `SHOP_URL:${url}`, "--var", `STRIPE_API_BASE:${stripe}`], env);
}

/** Waits until all parts of the shop answer, and fills it if it is empty. */
async function open(url, key, demo, stopping) {
  await ready(url, key, stopping);
  if (demo && (await isEmpty(url))) {
    say("importing the demo catalog");
    await setSettings(url, key);
    await importPictures(join(root, "demo/media"), { url, key });
    await importCatalog(join(root, "demo/catalog.csv"), { url, key });
    await publishCatalog({ url, key });
  }
  console.log(`\n  Shop ready at ${url}\n  Ctrl-C stops it.\n`);
}

async function setSettings(url, key) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const answer = await fetch(`${url}/api/v1/admin/settings`, { method: "PUT", headers, body: readFileSync(join(root, "demo/settings.json")) });
  if (!answer.ok) throw new Stop(`demo/settings.json was refused: ${answer.status} ${await answer.text()}`);
}

async function ready(url, key, stopping) {
  const deadline = Date.now() + READY_WITHIN_MS;
  let last = "it does not answer";
  while (Date.now() < deadline) {
    const answer = await fetch(`${url}/readyz`, { headers: { authorization: `Bearer ${key}` }, signal: AbortSignal.any([stopping, AbortSignal.timeout(5000)]) }).catch(() => null);
    if (answer?.ok) return;
    if (answer) last = `${answer.status} ${(await answer.text()).slice(0, 500)}`;
    await setTimeout(250, undefined, { signal: stopping });
  }
  throw new Stop(`the shop is not ready after ${READY_WITHIN_MS / 1000} s (${last}): ${AFRESH}`);
}

async function isEmpty(url) {
  const answer = await fetch(`${url}/api/v1/products?limit=1`);
  if (!answer.ok) throw new Stop(`the product list answers ${answer.status}: see the Worker's error above`);
  return (await answer.json()).data.length === 0;
}
