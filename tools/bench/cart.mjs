//! Writes to an object: one line in one cart, with a cart for each connection.

import { Stop } from "../run.mjs";
import { firstProduct } from "./catalog.mjs";

const CARTS = 32;

export const cartScenarios = [
  {
    name: "cart line",
    baseline: "counter object",
    async setup(shop) {
      const [{ sku }] = (await firstProduct(shop)).variants;
      const tokens = await Promise.all(Array.from({ length: CARTS }, () => newCart(shop, sku)));
      return { sku, tokens };
    },
    request: ({ sku, tokens }, n) => ({
      method: "PUT",
      path: `/api/v1/cart/items/${encodeURIComponent(sku)}`,
      headers: { "content-type": "application/json", "cart-token": tokens[n % CARTS] },
      body: JSON.stringify({ quantity: 1 + (Math.floor(n / CARTS) % 2) }),
    }),
    baselineRequest: (_state, n) => ({ method: "POST", path: `/${n % CARTS}` }),
  },
];

async function newCart(shop, sku) {
  const answer = await fetch(new URL("/api/v1/cart/items", shop.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ sku, quantity: 1 }),
  });
  const token = answer.headers.get("cart-token");
  if (!answer.ok || !token) throw new Stop(`a new cart answered ${answer.status}: ${(await answer.text()).slice(0, 400)}`);
  return token;
}
