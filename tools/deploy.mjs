//! `npm run deploy`: builds the Worker, creates the resources it is bound to, migrates the
//! database, and deploys to one environment. Promises: nothing is sent without the secrets; each
//! step finds what an earlier run has created, so that a failed deploy can be run again; migrations
//! come before the Worker, because the old Worker runs with the new tables, but not the new one
//! with the old tables. A dry run needs no network and prints each step.

import { parseArgs } from "node:util";
import { readFileSync } from "node:fs";
import { build } from "./build.mjs";
import { withEnvironments } from "./environments.mjs";
import { answerOf, helpIfAsked, must, root, runAsProgram, say, Stop } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `
npm run deploy [-- --env staging]     to production, or to an environment of wrangler.toml
npm run deploy -- --dry-run [--env staging]   builds and checks everything, prints each step, sends nothing`;

const PRODUCTION = "production";
/**
 * A KV namespace that was created for a Worker that was then not uploaded only stands in the way of
 * its own re-creation.
 */
const NOT_DEPLOYED = "wrangler did not deploy: see its error above. If it says that the KV namespace already exists, run `npx wrangler kv namespace list` and add its `id` to the binding in wrangler.toml";
/** Secrets that a shop can run without. */
const OPTIONAL_SECRETS = ["FINDINGS_WEBHOOK_SECRET", "STAFF_KEYS", "TURNSTILE_SECRET"];
const SECRETS = ["ADMIN_API_KEY", "MAIL_API_KEY", "SIGNING_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"];

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const { dryRun, environment } = options(args);
  const env = await setUp();
  mustBeWritten();
  const config = await configOf(environment);
  const account = { asks: (args) => answerOf("wrangler", args, env), does: (args, failure) => must("wrangler", args, env, failure) };
  if (!dryRun) mustBeNamed(config, environment);
  if (!dryRun) mustHaveSecrets(environment, account);
  await build({ env });
  if (!dryRun) return deploy(environment, config, account);
  await account.does(["deploy", ...naming(environment), "--dry-run", "--outdir", ".wrangler/dry-run"], "the dry run failed: look above");
  say(`a deploy to ${environment} would run, in this order:`);
  for (const { args, unless } of steps(environment, config)) console.log(`  ${commandLine(args)}${unless ? `   (unless \`${commandLine(unless)}\` finds it)` : ""}`);
  say("dry run succeeded: nothing was sent");
});

/** Runs each step that is not done yet; stops at the first that fails. */
export async function deploy(environment, config, account) {
  for (const { args, unless, failure } of steps(environment, config)) {
    if (unless && account.asks(unless) !== null) continue;
    await account.does(args, failure);
  }
}

/**
 * Returns the steps of a deploy in order. Wrangler itself creates the KV namespace and the R2
 * bucket with the Worker, and later finds them by name.
 */
export function steps(environment, { queues, d1_databases: databases }) {
  const named = naming(environment);
  const names = [...new Set((queues.consumers ?? []).map(({ queue }) => queue))];
  return [
    ...names.map((name) => ({ args: ["queues", "create", name], unless: ["queues", "info", name], failure: `the queue ${name} could not be created: nothing was deployed` })),
    ...databases.map(({ database_name: name }) => ({
      args: ["d1", "create", name], unless: ["d1", "info", name, "--json", ...named], failure: `the database ${name} could not be created: nothing was deployed`,
    })),
    { args: ["d1", "migrations", "apply", "DB", "--remote", ...named], failure: "the D1 migrations failed: nothing was deployed" },
    { args: ["deploy", ...named], failure: NOT_DEPLOYED },
  ];
}

function options(args) {
  try {
    const { values } = parseArgs({ args, options: { env: { type: "string", default: PRODUCTION }, "dry-run": { type: "boolean", default: false } } });
    return { dryRun: values["dry-run"], environment: values.env };
  } catch (error) {
    throw new Stop(`${error.message}: see \`npm run deploy -- --help\``);
  }
}

/**
 * Returns the part of wrangler.toml for an environment. For an unknown one, wrangler would only
 * warn and deploy production.
 */
async function configOf(environment) {
  const { experimental_readRawConfig: readRaw, unstable_readConfig: read } = await import("wrangler");
  const known = Object.keys(readRaw({ config: `${root}/wrangler.toml` }).rawConfig.env ?? {});
  if (environment === PRODUCTION) return read({ config: `${root}/wrangler.toml`, env: "" }, { hideWarnings: true });
  if (!known.includes(environment)) throw new Stop(`wrangler.toml has no environment ${environment}: choose ${[PRODUCTION, ...known].join(", ")}`);
  return read({ config: `${root}/wrangler.toml`, env: environment }, { hideWarnings: true });
}

/**
 * Names the environment. Production is the top level of wrangler.toml; wrangler requires it to be
 * named if there are others.
 */
function naming(environment) {
  return environment === PRODUCTION ? ["--env="] : ["--env", environment];
}

/** Requires that the environments are written: an environment is rehearsed as it will be run. */
function mustBeWritten() {
  const text = readFileSync(`${root}/wrangler.toml`, "utf8");
  if (withEnvironments(text) !== text) throw new Stop("wrangler.toml has changed above the line `# generated`: run `node tools/environments.mjs` to update the environments below it");
}

export function mustBeNamed({ vars, routes }, environment) {
  const where = environment === PRODUCTION ? "in `routes` and SHOP_URL" : `in the line \`# ${environment}\``;
  const host = URL.canParse(vars.SHOP_URL) ? new URL(vars.SHOP_URL).hostname : undefined;
  if (!host) throw new Stop(`SHOP_URL in wrangler.toml must be an address such as https://shop.acme.com, not \`${vars.SHOP_URL}\``);
  if (/(^|\.)example\.com$/.test(host)) {
    throw new Stop(`wrangler.toml still names example.com: replace it with your shop's host ${where}, then run \`node tools/environments.mjs\``);
  }
  const patterns = (routes ?? []).map((route) => route.pattern ?? route);
  if (patterns.length > 0 && !patterns.includes(host)) throw new Stop(`the routes in wrangler.toml name ${patterns.join(", ")}, but SHOP_URL names ${host}: both must name the shop's host`);
  if (/@example\.com>?$/.test(vars.MAIL_FROM ?? "")) throw new Stop("MAIL_FROM in wrangler.toml is a placeholder: set the address that your shop sends from");
  if (vars.ENVIRONMENT === "dev") throw new Stop("ENVIRONMENT is `dev` in wrangler.toml: remove it, development is turned on in .dev.vars only");
}

export function mustHaveSecrets(environment, { asks }) {
  if (/not authenticated/i.test(asks(["whoami"]) ?? "")) {
    throw new Stop("wrangler has no access to a Cloudflare account: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN");
  }
  const named = environment === PRODUCTION ? [] : ["--env", environment];
  const listed = asks(["secret", "list", ...naming(environment), "--format", "json"]) ?? "";
  const unset = OPTIONAL_SECRETS.filter((name) => !listed.includes(`"${name}"`));
  if (unset.length > 0) say(`optional and not set in ${environment}: ${unset.join(", ")} (docs/configure-secrets.md)`);
  const missing = SECRETS.filter((name) => !listed.includes(`"${name}"`));
  if (missing.length === 0) return;
  throw new Stop(`secrets are missing in ${environment}: run ${missing.map((name) => `\`${commandLine(["secret", "put", name, ...named])}\``).join(", ")}`);
}

function commandLine(args) {
  return ["npx wrangler", ...args].join(" ");
}
