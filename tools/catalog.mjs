//! `npm run catalog`: sends a product CSV to a running shop, and publishes what it has.
//! Promises: reads no line of the CSV itself (the shop does); a refusal is told with its lines and exit code 1.

import { readFile } from "node:fs/promises";
import { helpIfAsked, runAsProgram, say, Stop } from "./run.mjs";
import { readDevSecrets } from "./setup.mjs";

const HELP = `
npm run catalog -- import FILE [--no-publish]   adds and updates the products of a Shopify product CSV, then publishes
npm run catalog -- publish                      shows the shoppers what was imported

  SHOP_URL       the shop, by default http://127.0.0.1:8787
  ADMIN_API_KEY  the staff key, by default the one in .dev.vars`;

const LIMIT_BYTES = 20_000_000;

export async function importCatalog(file, shop = shopFromEnvironment()) {
  const csv = await readFile(file).catch(() => {
    throw new Stop(`${file} cannot be read: name a CSV file`);
  });
  if (csv.length > LIMIT_BYTES) throw new Stop(`${file} has ${csv.length} bytes, the shop takes ${LIMIT_BYTES}: split it`);
  const summary = await post(shop, "/api/v1/admin/catalog/import", csv, "text/csv");
  say(`imported ${summary.products} products, ${summary.variants} variants`);
  for (const error of summary.errors ?? []) console.error(`  ${place(error)}: ${error.detail}`);
  return summary;
}

export async function publishCatalog(shop = shopFromEnvironment()) {
  const published = await post(shop, "/api/v1/admin/catalog/publish");
  say(`published version ${published.version}: ${published.products} products`);
  return published;
}

function shopFromEnvironment() {
  return { url: process.env.SHOP_URL ?? "http://127.0.0.1:8787", key: process.env.ADMIN_API_KEY ?? readDevSecrets().ADMIN_API_KEY };
}

async function post({ url, key }, path, body, type) {
  if (!key) throw new Stop("the staff key is missing: set ADMIN_API_KEY, or run `npm run setup` for one in .dev.vars");
  const headers = { authorization: `Bearer ${key}`, accept: "application/json", ...(type && { "content-type": type }) };
  const answer = await fetch(new URL(path, url), { method: "POST", headers, body }).catch(() => {
    throw new Stop(`no shop answers at ${url}: start it with \`npm run dev\`, or set SHOP_URL`);
  });
  const content = await answer.json().catch(() => null);
  if (!answer.ok) throw refused(answer, content);
  if (!content) throw new Stop(`${url} answered without JSON: does SHOP_URL name this shop?`);
  return content;
}

function refused(answer, problem) {
  const lines = (problem?.errors ?? []).map((error) => `\n  ${place(error)}: ${error.detail}`);
  const cure = answer.status === 401 ? " (is ADMIN_API_KEY the shop's?)" : "";
  return new Stop(`refused with ${answer.status}: ${problem?.detail ?? problem?.title ?? answer.statusText}${cure}${lines.join("")}`);
}

function place({ line, column, field }) {
  return [line && `line ${line}`, column && `column ${column}`, field].filter(Boolean).join(", ") || "file";
}

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const [command, ...rest] = args;
  const [file, ...others] = rest.filter((arg) => arg !== "--no-publish");
  if (command === "publish" && rest.length === 0) return void (await publishCatalog());
  if (command !== "import" || !file || others.length > 0) throw new Stop("not understood: `npm run catalog -- --help`");
  const summary = await importCatalog(file);
  if (!rest.includes("--no-publish")) await publishCatalog();
  return summary.errors?.length > 0 ? 1 : 0;
});
