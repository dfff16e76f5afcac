/** The whole purchase by API, through every part the shop is made of: D1, KV, objects, the queue, a payment. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => { shop = await startShop(); });
after(() => shop.close());

test('from a product file to a confirmed order', async () => {
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 5 }));
  const buyer = shop.shopper();
  const order = await buyer.buy('LAMP', 2);
  shop.sandbox.control.pay(shop.sandbox.account.sessions.keys().next().value!);
  await eventually(async () => assert.equal((await buyer.get(`/api/v1/orders/${order.id}`)).body.status, 'confirmed'));
  await eventually(async () => assert.deepEqual((await shop.stock('LAMP')).committed, 2));
});
