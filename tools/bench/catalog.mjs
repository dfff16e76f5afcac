//! Reading the catalog: one product, as a page and as JSON.

import { join } from "node:path";
import { importCatalog, publishCatalog } from "../catalog.mjs";
import { root, Stop } from "../run.mjs";
import { STAFF_KEY } from "./servers.mjs";

export const catalogScenarios = [
  {
    name: "product page",
    baseline: "constant page",
    setup: async (shop) => ({ handle: (await firstProduct(shop)).handle }),
    request: ({ handle }) => ({ path: `/products/${handle}` }),
    baselineRequest: () => ({ path: "/" }),
  },
  {
    name: "product JSON",
    baseline: "KV read",
    async setup(shop, js) {
      const { handle } = await firstProduct(shop);
      const product = await (await fetch(new URL(`/api/v1/products/${handle}`, shop.url))).text();
      await (await js.miniflare.getKVNamespace("KV")).put(`/${handle}`, product);
      return { handle };
    },
    request: ({ handle }) => ({ path: `/api/v1/products/${handle}` }),
    baselineRequest: ({ handle }) => ({ path: `/${handle}` }),
  },
];

/** A product of the demo catalog, which is imported and published first where the shop is empty. */
export async function firstProduct(shop) {
  return (await listed(shop)) ?? (await filled(shop));
}

async function filled(shop) {
  const door = { url: shop.url, key: STAFF_KEY };
  await importCatalog(join(root, "demo/catalog.csv"), door);
  await publishCatalog(door);
  const product = await listed(shop);
  if (!product) throw new Stop("the shop lists no product after the demo catalog was published: run `npm test`");
  return product;
}

async function listed(shop) {
  const answer = await fetch(new URL("/api/v1/products?limit=1", shop.url));
  if (!answer.ok) throw new Stop(`the product list answered ${answer.status}: ${(await answer.text()).slice(0, 400)}`);
  return (await answer.json()).data[0];
}
