//! `npm run catalog`: moves a merchant's products into a running shop and out again, and publishes
//! them. Promises: does not parse an imported CSV itself (the shop does, a window at a time, and
//! reports how far it came); a refusal is shown with its lines and exit code 1; whatever is
//! interrupted can be run again.

import { randomUUID } from "node:crypto";
import { open, readFile, stat, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { uploadPictures } from "./pictures.mjs";
import { helpIfAsked, runAsProgram, say, Stop } from "./run.mjs";
import { readDevVars } from "./setup.mjs";

const FLAGS = { "dry-run": { type: "boolean" }, strict: { type: "boolean" }, stock: { type: "boolean" }, "no-publish": { type: "boolean" } };

const HELP = `
npm run catalog -- import FILE   adds and updates the products of a Shopify product CSV, then publishes them
  --dry-run      only shows what would change
  --strict       imports nothing if any row has an error
  --stock        sets the quantity of every SKU in the file, not only of new ones
  --no-publish   does not publish: shoppers see no change yet
npm run catalog -- export FILE   writes all products, including drafts, to a Shopify product CSV
npm run catalog -- convert FILE NEW   converts WooCommerce's product export (CSV, English) to a file to import; needs no shop
npm run catalog -- pictures FOLDER   uploads new pictures from a folder and prints the address of each
npm run catalog -- publish       publishes the imported products
npm run catalog -- rollback [SEQ]   makes the previous version live again, or publish number SEQ

  SHOP_URL       address of the shop; default http://localhost:8787
  ADMIN_API_KEY  staff key; default the one in .dev.vars`;

const WINDOW_BYTES = 1 << 20;
const MAX_WINDOW_BYTES = 8_000_000;
const MAX_FILE_BYTES = 100_000_000;
const ATTEMPTS = 60;
const EXPORTS = 5;
const POLL_MS = 500;
const MAX_EXAMPLES = 5;

/**
 * Imports a file and returns the total of its windows. With `strict`, or if the file doesn't fit
 * into one request, the whole file is checked before anything is changed, so that errors of the
 * file as a whole are found first.
 */
export async function importCatalog(file, shop = shopFromEnvironment(), { strict = false, dryRun = false, stock = false } = {}) {
  const { size } = await stat(file).catch(() => {
    throw new Stop(`${file} can't be read: give the path of a CSV file`);
  });
  if (size > MAX_FILE_BYTES) throw new Stop(`${file} has ${Math.ceil(size / 1e6)} MB; the limit is ${MAX_FILE_BYTES / 1e6} MB. Split it between two products and repeat the header row in each part`);
  if ((strict || size > MAX_WINDOW_BYTES) && !dryRun) {
    const found = await importFile(file, shop, { dryRun: true, stock });
    const apart = found.errors.find(({ column, detail }) => column === "Handle" && / is already used on line \d+/.test(detail));
    if (apart) throw new Stop(`line ${apart.line}: ${apart.detail} In a file this large, the rows of a product must be next to each other: sort it by handle. Nothing was imported`);
    if (strict && found.errors.length > 0) return found;
  }
  return importFile(file, shop, { dryRun, stock });
}

export async function publishCatalog(shop = shopFromEnvironment()) {
  let publish = await call(shop, "POST", "/api/v1/admin/catalog/publish").then(json);
  while (publish.state === "running") {
    progress(`publishing: ${publish.products} of ${publish.total} products`);
    await setTimeout(POLL_MS);
    publish = await call(shop, "GET", `/api/v1/admin/catalog/publishes/${publish.seq}`).then(json);
  }
  progress();
  if (publish.state === "failed") throw new Stop(`the publish failed, and shoppers still see the version before: ${publish.error}`);
  if (publish.state === "unchanged") say(`nothing has changed: version ${publish.version} with ${publish.products} products stays live`);
  else say(`published version ${publish.version}: ${publish.products} products`);
  return publish;
}

export async function rollbackCatalog(seq, shop = shopFromEnvironment()) {
  const body = JSON.stringify(seq === undefined ? {} : { seq });
  const publish = await call(shop, "POST", "/api/v1/admin/catalog/rollback", body, "application/json").then(json);
  say(`publish ${publish.seq} is live again, as version ${publish.version}`);
  return publish;
}

/**
 * Uploads the pictures of a folder that the shop lacks, and returns their addresses by file name.
 */
export async function importPictures(folder, shop = shopFromEnvironment()) {
  const { urls, sent } = await uploadPictures(folder, (...request) => call(shop, ...request));
  say(`uploaded ${counted(sent, "picture")} from ${folder}; ${urls.size - sent} already uploaded`);
  return urls;
}

/**
 * Exports the record to a file, starting over if a change of the catalog outdates what was written.
 */
export async function exportCatalog(file, shop = shopFromEnvironment()) {
  const out = await open(file, "w").catch((error) => {
    throw new Stop(`${file} can't be written: ${error.message}`);
  });
  try {
    let bytes = null;
    for (let attempt = 1; bytes === null; attempt += 1) {
      await out.truncate();
      bytes = await exportPages(out, shop).catch((error) => {
        if (error.code !== "export_outdated" || attempt >= EXPORTS) throw error;
        return null;
      });
    }
    progress();
    say(`exported ${bytes} bytes to ${file}`);
  } finally {
    await out.close();
  }
}

/** Writes another shop's products as a file to import. */
export async function convertCatalog(file, converted) {
  const text = await readFile(file, "utf8").catch(() => {
    throw new Stop(`${file} can't be read: give the path of a CSV file`);
  });
  // Imported here, because set-up loads this file before it installs the module's dependencies.
  const { convertWooCommerce } = await import("./woocommerce.mjs").catch(() => {
    throw new Stop("the converter's packages are not installed: run `npm run setup`");
  });
  const { csv, products, variants, notices } = understoodBy(convertWooCommerce, text, file);
  await writeFile(converted, csv, { flag: "wx" }).catch((error) => {
    throw new Stop(error.code === "EEXIST" ? `${converted} already exists: give a new file name` : `${converted} can't be written: ${error.message}`);
  });
  for (const notice of notices) console.error(`  ${notice}`);
  say(`wrote ${products} products with ${variants} variants to ${converted}. Next, run \`npm run catalog -- import ${converted} --dry-run\``);
}

function understoodBy(convert, text, file) {
  try {
    return convert(text);
  } catch (error) {
    throw new Stop(`${file} can't be converted: ${error.message}`);
  }
}

async function exportPages(out, shop) {
  let bytes = 0;
  for (let after = ""; after !== null; ) {
    const answer = await call(shop, "GET", `/api/v1/admin/catalog/export${after ? `?after=${after}` : ""}`);
    const page = Buffer.from(await answer.arrayBuffer());
    await out.write(page, 0, page.length, bytes);
    bytes += page.length;
    progress(`exported ${Math.round(bytes / 1000)} KB`);
    after = answer.headers.get("next-after");
  }
  return bytes;
}

async function importFile(file, shop, { dryRun, stock }) {
  const source = await open(file).catch(() => {
    throw new Stop(`${file} can't be read: give the path of a CSV file`);
  });
  const sum = { products: 0, variants: 0, created: 0, updated: 0, left_out: 0, errors: [], notices: [], changes: [] };
  const settings = { import: randomUUID(), dry_run: dryRun, stock };
  try {
    const { size } = await source.stat();
    let header = Buffer.alloc(0);
    // If possible, the first request contains the whole file, so that the shop finds all errors
    // before it changes anything.
    let window = MAX_WINDOW_BYTES;
    let apart = false;
    let [offset, line, unit] = [0, 0, 0];
    do {
      const part = await read(source, offset, Math.min(window, size - offset));
      const last = offset + part.length >= size;
      const query = new URLSearchParams({ ...settings, last, ...(line > 0 && { first_line: line }), ...(unit > 0 && { from_unit: unit }) });
      const done = await call(shop, "POST", `/api/v1/admin/catalog/import?${query}`, Buffer.concat([header, part]), "text/csv").then(json);
      add(sum, done);
      unit = done.next_unit ?? 0;
      if (unit > 0) continue;
      const moved = done.consumed_bytes > done.header_bytes;
      if (!moved && (last || done.header_bytes === 0)) break;
      if (!moved) {
        if (window >= MAX_WINDOW_BYTES) await judgeAsWhole(shop, Buffer.concat([header, part]), line);
        window = larger(window, line);
        continue;
      }
      offset += done.consumed_bytes - header.length;
      if (header.length === 0) header = part.subarray(0, done.header_bytes);
      apart ||= done.apart;
      [line, window] = [done.next_line, apart ? MAX_WINDOW_BYTES : WINDOW_BYTES];
      progress(`${dryRun ? "read" : "imported"} ${Math.round((100 * offset) / size)} %: ${sum.products} products, ${sum.errors.length} bad rows`);
    } while (offset < size);
  } finally {
    await source.close();
    progress();
  }
  return sum;
}

function add(sum, done) {
  for (const name of ["products", "variants", "created", "updated", "left_out"]) sum[name] += done[name];
  sum.errors.push(...done.errors);
  sum.changes.push(...done.changes);
  for (const notice of done.notices) {
    const known = sum.notices.find(({ code, subject }) => code === notice.code && subject === notice.subject);
    if (!known) {
      sum.notices.push(notice);
      continue;
    }
    known.count += notice.count;
    known.examples = [...known.examples, ...notice.examples].slice(0, MAX_EXAMPLES);
  }
}

async function read(source, offset, length) {
  const part = Buffer.alloc(length);
  const { bytesRead } = await source.read(part, 0, length, offset);
  return part.subarray(0, bytesRead);
}

/**
 * Lets the shop check a part as if the file ended with it, which rejects an unclosed quote with its
 * line.
 */
async function judgeAsWhole(shop, part, line) {
  const query = new URLSearchParams({ import: randomUUID(), dry_run: true, last: true, ...(line > 0 && { first_line: line }) });
  await call(shop, "POST", `/api/v1/admin/catalog/import?${query}`, part, "text/csv");
}

/** Returns the error for a product that is larger than the window. */
function larger(window, line) {
  if (window >= MAX_WINDOW_BYTES) throw new Stop(`the product on line ${line || 2} is larger than ${MAX_WINDOW_BYTES} bytes: is the file sorted by handle?`);
  return Math.min(2 * window, MAX_WINDOW_BYTES);
}

function shopFromEnvironment() {
  return { url: process.env.SHOP_URL ?? "http://localhost:8787", key: process.env.ADMIN_API_KEY ?? readDevVars().ADMIN_API_KEY };
}

/**
 * Calls the shop, and retries while it asks to wait, or while it can't be reached after it was
 * reachable: every call here can be repeated.
 */
export async function call(shop, method, path, body, type) {
  const { url, key } = shop;
  if (!key) throw new Stop("the staff key is missing: set ADMIN_API_KEY, or run `npm run setup` to write one to .dev.vars");
  const headers = { authorization: `Bearer ${key}`, accept: "application/json, text/csv", ...(type && { "content-type": type }) };
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(new URL(path, url), { method, headers, body }).catch(() => null);
    shop.answered ||= answer !== null;
    if (answer?.ok) return answer;
    const wait = answer ? Number(answer.headers.get("retry-after")) : Number(shop.answered);
    if (!wait || attempt >= ATTEMPTS) throw answer ? await refused(answer) : new Stop(`no shop answers at ${url}: start it with \`npm run dev\`, or set SHOP_URL`);
    await setTimeout(1000 * wait);
  }
}

async function json(answer) {
  return answer.json().catch(() => {
    throw new Stop(`${answer.url} did not answer with JSON: is SHOP_URL the address of your shop?`);
  });
}

async function refused(answer) {
  const problem = await answer.json().catch(() => null);
  const lines = (problem?.errors ?? []).slice(1).map((error) => `\n  ${error.field}: ${error.detail}`);
  const cure = answer.status === 401 ? " (is ADMIN_API_KEY the key of this shop?)" : "";
  const reason = problem?.errors?.[0]?.detail ?? problem?.detail ?? problem?.title ?? answer.statusText;
  return Object.assign(new Stop(`refused with ${answer.status}: ${reason}${cure}${lines.join("")}`), { code: problem?.code });
}

/** Prints a line that overwrites the previous one, on a terminal. */
function progress(line = "") {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
}

function tell(summary, { strict, dryRun }) {
  const { products, variants, created, updated, left_out, errors, notices, changes } = summary;
  for (const { handle, change, fields } of dryRun ? changes : []) console.log([`${change} ${handle}`, ...fields].join("\n    "));
  if (notices.length > 0) console.log("Please note:");
  for (const { count, detail, examples } of notices) console.log([`  ${count} × ${detail}`, ...examples, ...andMore(count, examples)].join("\n      "));
  const cure = "correct these lines and import the file again:";
  if (errors.length > 0) console.error(left_out > 0 ? `${counted(left_out, "product")} left out; ${cure}` : `Some values were not imported; ${cure}`);
  for (const { line, column, detail } of errors) console.error(`  line ${line}${column && `, ${column}`}: ${detail}`);
  const rest = left_out > 0 ? `; ${left_out} left out` : "";
  const sum = `${counted(products, "product")} with ${counted(variants, "variant")}: ${created} new, ${updated} changed, ${products - created - updated} unchanged${rest}`;
  const refused = strict && errors.length > 0;
  say(dryRun ? `would import ${sum}` : refused ? `nothing was imported, because ${counted(left_out, "product")} would be left out` : `imported ${sum}`);
}

const counted = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;

const andMore = (count, examples) => (examples.length > 0 && count > examples.length ? [`and ${count - examples.length} more`] : []);

runAsProgram(import.meta.url, async (args) => {
  helpIfAsked(args, HELP);
  const { command, operand, other, options } = understood(args);
  if (command === "convert") return void (await convertCatalog(operand, other));
  if (command === "pictures") {
    for (const [file, url] of await importPictures(operand)) console.log(`  ${file}: ${url}`);
    return;
  }
  if (command === "publish") return void (await publishCatalog());
  if (command === "rollback") return void (await rollbackCatalog(operand && Number(operand)));
  if (command === "export") return void (await exportCatalog(operand));
  const summary = await importCatalog(operand, undefined, options);
  tell(summary, options);
  const applied = !options.dryRun && !(options.strict && summary.errors.length > 0);
  if (applied && options.publish) await publishCatalog();
  return summary.errors.length > 0 ? 1 : 0;
});

function understood(args) {
  const no = () => new Stop("unknown command or option: see `npm run catalog -- --help`");
  let parsed;
  try {
    parsed = parseArgs({ args, allowPositionals: true, options: FLAGS });
  } catch {
    throw no();
  }
  const { values, positionals } = parsed;
  const [command, operand, other, ...others] = positionals;
  const fits = { convert: other, import: operand, export: operand, pictures: operand, publish: !operand, rollback: !operand || /^\d+$/.test(operand) };
  const flagged = Object.keys(values).length > 0;
  const surplus = others.length > 0 || (other && command !== "convert");
  if (!fits[command] || surplus || (flagged && command !== "import")) throw no();
  return { command, operand, other, options: { strict: values.strict, dryRun: values["dry-run"], stock: values.stock, publish: !values["no-publish"] } };
}
