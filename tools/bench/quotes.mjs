//! Quotes, and the cart read that each begins with: what pricing costs is the difference in CPU. The settings are the demo's with 200
//! promotions, every tenth by a code that is given.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, Stop } from "../run.mjs";
import { firstProduct } from "./catalog.mjs";
import { STAFF_KEY } from "./servers.mjs";

const PROMOTIONS = 200;
const SHOP = { name: "quotes" };
const DELIVERY = {
  currency: "USD",
  email: "ann@shopper.test",
  shipping_method: "standard",
  codes: ["CODE10"],
  shipping_address: { name: "Ann Shopper", line1: "1 Main Street", city: "New York", region: "NY", postal_code: "10001", country: "US" },
};

export const quoteScenarios = [1, 50].flatMap((lines) => [
  scenario(`cart read, ${lines} lines`, lines, (token) => ({ path: "/api/v1/cart?currency=USD", headers: { "cart-token": token } })),
  scenario(`quote, ${lines} lines, ${PROMOTIONS} promotions`, lines, (token) => ({
    method: "POST", path: "/api/v1/cart/quote", headers: { "content-type": "application/json", "cart-token": token }, body: JSON.stringify(DELIVERY),
  })),
]);

function scenario(name, lines, request) {
  return {
    name,
    baseline: "counter object",
    shop: SHOP,
    async setup(shop) {
      await firstProduct(shop);
      await setPromotions(shop);
      return cartOf(shop, lines);
    },
    request,
    baselineRequest: () => ({ method: "POST", path: "/0" }),
  };
}

async function setPromotions(shop) {
  const settings = JSON.parse(readFileSync(join(root, "demo/settings.json"), "utf8"));
  const promotions = Array.from({ length: PROMOTIONS }, (_, at) => ({
    id: `p${at}`, title: `Promotion ${at}`, priority: at % 7, ...(at % 10 === 0 && { code: `CODE${at}` }),
    min_subtotal: [{ amount: 100 * at, currency: "USD" }], benefit: { kind: "percentage", off_ppm: 1_000 },
  }));
  await send(shop, "PUT", "/api/v1/admin/settings", { ...settings, promotions }, { authorization: `Bearer ${STAFF_KEY}` });
}

async function cartOf(shop, lines) {
  const products = [];
  for (let cursor = ""; cursor !== null; ) {
    const { data, next_cursor: next } = await (await fetch(new URL(`/api/v1/products?limit=100${cursor && `&cursor=${cursor}`}`, shop.url))).json();
    products.push(...data);
    cursor = next;
  }
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
