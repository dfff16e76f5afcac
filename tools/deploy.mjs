//! `npm run deploy`: builds, migrates and deploys the Worker to one environment.
//! Promises: nothing is deployed without its secrets; migrations come first, since the old Worker runs with the new
//! tables, but not the new Worker with the old ones. A dry run needs no network.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { answerOf, helpIfAsked, must, root, runAsProgram, say, Stop } from "./run.mjs";
import { setUp } from "./setup.mjs";

const HELP = `
npm run deploy -- --env staging|production
npm run deploy -- --dry-run [--env staging|production]   builds and checks everything, sends nothing`;

const ENVIRONMENTS = ["staging", "production"];
/** A shop runs without these. */
const OPTIONAL_SECRETS = ["FINDINGS_WEBHOOK_SECRET", "STAFF_KEYS", "TURNSTILE_SECRET"];
const SECRETS = ["ADMIN_API_KEY", "MAIL_API_KEY", "SIGNING_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"];

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const { dryRun, environment } = options(args);
  mustBeDescribed(environment);
  const env = await setUp();
  if (!dryRun) mustHaveSecrets(environment, env);
  await build({ env });
  if (dryRun) {
    await must("wrangler", ["deploy", "--env", environment, "--dry-run", "--outdir", ".wrangler/dry-run"], env, "the dry run failed: look above");
    return say(`dry run for ${environment} succeeded: nothing was sent`);
  }
  await must("wrangler", ["d1", "migrations", "apply", "DB", "--remote", "--env", environment], env, "the D1 migrations failed: nothing was deployed");
  await must("wrangler", ["deploy", "--env", environment], env, "wrangler did not deploy: look above for its reason");
});

function options(args) {
  try {
    const { values } = parseArgs({ args, options: { env: { type: "string" }, "dry-run": { type: "boolean", default: false } } });
    const environment = values.env ?? (values["dry-run"] ? "staging" : undefined);
    if (!ENVIRONMENTS.includes(environment)) throw new Error(`name the environment with --env ${ENVIRONMENTS.join(" or --env ")}`);
    return { dryRun: values["dry-run"], environment };
  } catch (error) {
    throw new Stop(`${error.message} (\`npm run deploy -- --help\`)`);
  }
}

/** Wrangler only warns of an environment it does not know, and deploys the development one. */
function mustBeDescribed(environment) {
  if (readFileSync(join(root, "wrangler.toml"), "utf8").includes(`[env.${environment}`)) return;
  throw new Stop(`wrangler.toml has no [env.${environment}]: describe the environment's bindings there`);
}

function mustHaveSecrets(environment, env) {
  if (/not authenticated/i.test(answerOf("wrangler", ["whoami"], env) ?? "")) {
    throw new Stop("wrangler may not use the account: `npx wrangler login`, or set CLOUDFLARE_API_TOKEN");
  }
  const listed = answerOf("wrangler", ["secret", "list", "--env", environment, "--format", "json"], env) ?? "";
  const unset = OPTIONAL_SECRETS.filter((name) => !listed.includes(`"${name}"`));
  if (unset.length > 0) say(`not set in ${environment}, which is fine: ${unset.join(", ")} (docs/configure-secrets.md)`);
  const missing = SECRETS.filter((name) => !listed.includes(`"${name}"`));
  if (missing.length === 0) return;
  throw new Stop(`secrets are missing in ${environment}: ${missing.map((name) => `\`npx wrangler secret put ${name} --env ${environment}\``).join(", ")}`);
}
