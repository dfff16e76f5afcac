/** The demo shop: its settings, pictures and catalog, as `npm run dev` fills an empty shop. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { importPictures } from '../../tools/catalog.mjs';
import { SECRETS, startShop, type Shop } from '../workerd/shop.ts';

export async function startDemo(): Promise<Shop> {
  const shop = await startShop();
  (await shop.staff.put('/api/v1/admin/settings', JSON.parse(demo('settings.json')))).expect(200);
  await importDemo(shop);
  return shop;
}

/** Imports and publishes the demo's products with their pictures. */
export async function importDemo(shop: Shop): Promise<void> {
  await importPictures(fileURLToPath(file('media')), { url: shop.url, key: SECRETS.ADMIN_API_KEY });
  await shop.importCatalog(demo('catalog.csv'));
}

const file = (name: string): URL => new URL(`../../demo/${name}`, import.meta.url);
const demo = (name: string): string => readFileSync(file(name), 'utf8');
