//! Quotes, and the cart read that each begins with; the difference in CPU is the cost of pricing.
//! The settings are the demo's with 200 promotions: once as a typical merchant has them, most of
//! them for some products, and once, as the worst case, all of them for all products of a cart.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, Stop } from "../run.mjs";
import { firstProduct } from "./catalog.mjs";
import { STAFF_KEY } from "./servers.mjs";

const PROMOTIONS = 200;
const CURRENCIES = ["USD", "EUR", "GBP", "JPY", "KWD"];
const DELIVERY = {
  currency: "USD",
  email: "ann@shopper.test",
  shipping_method: "standard",
  codes: ["CODE10"],
  shipping_address: { name: "Ann Shopper", line1: "1 Main Street", city: "New York", region: "NY", postal_code: "10001", country: "US" },
};

export const quoteScenarios = [1, 50].flatMap((lines) => [
  scenario(`cart read, ${lines} lines`, lines, usual, (token) => ({ path: "/api/v1/cart?currency=USD", headers: { "cart-token": token } })),
  scenario(`quote, ${lines} lines, ${PROMOTIONS} promotions`, lines, usual, quote),
  scenario(`quote, ${lines} lines, ${PROMOTIONS} promotions that all apply`, lines, worst, quote),
]);

function scenario(name, lines, promotion, request) {
  return {
    name,
    baseline: "object and D1",
    shop: { name: `quotes-${promotion.name}` },
    async setup(shop) {
      await firstProduct(shop);
      const products = await allProducts(shop);
      await setPromotions(shop, Array.from({ length: PROMOTIONS }, (_, at) => promotion(at, products)));
      return cartOf(shop, products, lines);
    },
    request,
    baselineRequest: () => ({ method: request === quote ? "POST" : "GET", path: "/" }),
  };
}

function quote(token) {
  return { method: "POST", path: "/api/v1/cart/quote", headers: { "content-type": "application/json", "cart-token": token }, body: JSON.stringify(DELIVERY) };
}

/**
 * One in ten requires a code, one of which is given. The others apply automatically: to one
 * product, to one category, above a subtotal in one of the currencies, or they have ended.
 */
function usual(at, products) {
  const { variants, categories } = products[at % products.length];
  const kinds = [
    { items: [{ sku: variants[0].sku }] },
    { items: [{ category: categories.at(-1).handle }], min_quantity: 2 },
    { min_subtotal: [{ amount: 10_000 * (1 + (at % 50)), currency: CURRENCIES[Math.floor(at / 20) % CURRENCIES.length] }] },
    { ends_at: "2026-01-01T00:00:00Z" },
  ];
  return { ...worst(at), ...(at % 10 !== 0 && kinds[at % kinds.length]) };
}

function worst(at) {
  return { id: `p${at}`, title: `Promotion ${at}`, priority: at % 7, ...(at % 10 === 0 && { code: `CODE${at}` }), benefit: { kind: "percentage", off_ppm: 1_000 } };
}

async function setPromotions(shop, promotions) {
  const settings = JSON.parse(readFileSync(join(root, "demo/settings.json"), "utf8"));
  await send(shop, "PUT", "/api/v1/admin/settings", { ...settings, promotions }, { authorization: `Bearer ${STAFF_KEY}` });
}

async function allProducts(shop) {
  const products = [];
  for (let cursor = ""; cursor !== null; ) {
    const { data, next_cursor: next } = await (await fetch(new URL(`/api/v1/products?limit=100${cursor && `&cursor=${cursor}`}`, shop.url))).json();
    products.push(...data);
    cursor = next;
  }
  return products;
}

async function cartOf(shop, products, lines) {
  const skus = products.flatMap(({ variants }) => variants.map(({ sku }) => sku)).slice(0, lines);
  if (skus.length < lines) throw new Stop(`the catalog has only ${skus.length} SKUs`);
  let token;
  for (const sku of skus) {
    const answer = await send(shop, "POST", "/api/v1/cart/items", { sku, quantity: 1 }, token ? { "cart-token": token } : {});
    token ??= answer.headers.get("cart-token");
  }
  return token;
}

async function send({ url }, method, path, body, headers) {
  const answer = await fetch(new URL(path, url), { method, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Stop(`${method} ${path} answered ${answer.status}: ${(await answer.text()).slice(0, 400)}`);
  return answer;
}
