/** The demo shop: its settings, pictures and catalog, as `npm run dev` fills an empty shop. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { importPictures } from '../../tools/catalog.mjs';
import type { Json } from '../workerd/client.ts';
import { eventually } from '../workerd/eventually.ts';
import { SECRETS, startShop, type Shop } from '../workerd/shop.ts';

/** Maximum number of SKUs whose stock one request returns. */
const SKUS_AT_ONCE = 100;

export async function startDemo(): Promise<Shop> {
  const shop = await startShop();
  (await shop.staff.put('/api/v1/admin/settings', JSON.parse(demo('settings.json')))).expect(200);
  await importDemo(shop);
  return shop;
}

/**
 * Imports and publishes the demo's products with their pictures, and waits until their stock is
 * shown: a page that was made before is shown as sold out for some seconds more.
 */
export async function importDemo(shop: Shop): Promise<void> {
  await importPictures(fileURLToPath(file('media')), { url: shop.url, key: SECRETS.ADMIN_API_KEY });
  const catalog = demo('catalog.csv');
  await shop.importCatalog(catalog);
  const rows: Record<string, string>[] = parse(catalog, { columns: true });
  const skus = rows.filter((row) => Number(row['Variant Inventory Qty']) > 0).map((row) => row['Variant SKU']!);
  for (let at = 0; at < skus.length; at += SKUS_AT_ONCE) {
    const some = skus.slice(at, at + SKUS_AT_ONCE).map(encodeURIComponent).join();
    await eventually(async () => {
      const { data } = (await shop.staff.get(`/api/v1/stock?skus=${some}`)).expect(200);
      assert.deepEqual(data.filter(({ stock }: Json) => stock === 'out'), []);
    });
  }
}

const file = (name: string): URL => new URL(`../../demo/${name}`, import.meta.url);
const demo = (name: string): string => readFileSync(file(name), 'utf8');
