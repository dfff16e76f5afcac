/** The demo shop: its settings and its catalog, as `npm run dev` fills an empty shop. */
import { readFileSync } from 'node:fs';
import { startShop, type Shop } from '../workerd/shop.ts';

export async function startDemo(): Promise<Shop> {
  const shop = await startShop();
  (await shop.staff.put('/api/v1/admin/settings', JSON.parse(demo('settings.json')))).expect(200);
  await shop.importCatalog(demo('catalog.csv'));
  return shop;
}

const demo = (name: string): string => readFileSync(new URL(`../../demo/${name}`, import.meta.url), 'utf8');
