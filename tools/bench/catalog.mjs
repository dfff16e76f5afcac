//! Reads of the catalog, with 1,000 and with 10,000 products: responses that the isolate has just
//! made (hot), and responses that it has to read and render (cold: it caches no product and no
//! response, but knows the version, its directories and its cards).

import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importCatalog, publishCatalog } from "../catalog.mjs";
import { generateCatalog } from "../generate.mjs";
import { root, Stop } from "../run.mjs";
import { STAFF_KEY } from "./servers.mjs";

/**
 * A scenario requests its paths in turn, and so does the JavaScript Worker; `/` if that has only
 * one response.
 */
export const catalogScenarios = [1000, 10_000].flatMap((count) => {
  const data = `products-${count}`;
  const hot = { name: data, data };
  const cold = { name: `${data}-cold`, data, vars: { ISOLATE_CACHE_BYTES: "0" } };
  const scenario = (kind, paths, baseline, target, shop) => ({
    name: `${kind}, ${shop === hot ? "hot" : "cold"}, ${count.toLocaleString("en")} products`,
    baseline,
    target,
    shop,
    async setup(server, js) {
      const products = await filledWith(server, count);
      return paths(server, js, products);
    },
    request: ({ paths }, n) => ({ path: paths[n % paths.length] }),
    baselineRequest: ({ copied = ["/"] }, n) => ({ path: copied[n % copied.length] }),
  });
  return [
    scenario("product page", pages, "constant page", 1.5, hot),
    scenario("product JSON", documents, "constant page", 1.5, hot),
    scenario("category page", categories, "KV read", 2, hot),
    scenario("product page", copiedPages, "KV read", undefined, cold),
    scenario("product JSON", copiedDocuments, "KV read", 1.3, cold),
    scenario("category page", categories, "KV read", 2, cold),
  ];
});

/**
 * Returns a product of the demo catalog, which is imported and published first if the shop is
 * empty.
 */
export async function firstProduct(shop) {
  const [product] = await filled(shop, async (door) => importCatalog(join(root, "demo/catalog.csv"), door));
  return product;
}

function pages(_shop, _js, products) {
  return { paths: products.map(({ handle }) => `/products/${handle}`) };
}

function documents(_shop, _js, products) {
  return { paths: products.map(({ handle }) => `/api/v1/products/${handle}`) };
}

/** Gives the JavaScript Worker copies of the shop's responses, as JSON. */
async function copiedDocuments(shop, js, products) {
  const { paths } = documents(shop, js, products);
  for (const path of paths) await copy(js, path, await text(shop, path));
  return { paths, copied: paths };
}

async function copiedPages(shop, js, products) {
  return { ...(await copiedDocuments(shop, js, products)), ...pages(shop, js, products) };
}

/** Gives the JavaScript Worker the same 24 products for a category page, as the API lists them. */
async function categories(shop, js) {
  const { data } = JSON.parse(await text(shop, "/api/v1/categories"));
  const paths = data.map(({ handle }) => `/collections/${handle}`);
  for (const { handle } of data) await copy(js, `/collections/${handle}`, await text(shop, `/api/v1/products?category=${handle}`));
  return { paths, copied: paths };
}

async function copy(js, path, value) {
  const kv = await js.miniflare.getKVNamespace("KV");
  await kv.put(path, value);
}

/** Fills the shop. Stock is not tracked: ten thousand stock objects are another benchmark. */
function filledWith(shop, count) {
  return filled(shop, async (door) => {
    const file = join(tmpdir(), `bench-${process.pid}-${count}.csv`);
    await writeFile(file, [...generateCatalog({ products: count, tracked: false })].join(""));
    await importCatalog(file, door).finally(() => rm(file));
  });
}

/** Returns some hundred products of the shop, which is filled first if it is empty. */
async function filled(shop, fill) {
  const listed = async () => JSON.parse(await text(shop, "/api/v1/products?limit=100")).data;
  const known = await listed();
  if (known.length > 0) return known;
  const door = { url: shop.url, key: STAFF_KEY };
  await fill(door);
  await publishCatalog(door);
  const published = await listed();
  if (published.length === 0) throw new Stop("the shop lists no product after a catalog was published: run `npm test`");
  return published;
}

async function text(shop, path) {
  const answer = await fetch(new URL(path, shop.url));
  if (!answer.ok) throw new Stop(`${path} answered ${answer.status}: ${(await answer.text()).slice(0, 400)}`);
  return answer.text();
}
