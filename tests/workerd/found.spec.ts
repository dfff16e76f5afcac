/** How the shop is found: addresses that stay right, and what it tells search engines, networks and marketplaces of itself. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const HTML = { accept: 'text/html' };

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', title: 'Lamp' }, { sku: 'SOFA', title: 'Sofa' }));
});
after(() => shop.close());

const page = (path: string) => shop.staff.get(path, HTML);
const published = async (): Promise<Json> => (await shop.staff.get('/api/v1/products?limit=100')).expect(200).data;

/** Renames a product of the record. */
async function rename(id: string, handle: string): Promise<void> {
  const product = (await shop.staff.get(`/api/v1/admin/products/${id}`)).expect(200);
  const { title, type, options, variants } = product;
  const kept = variants.map(({ sku, option_values, prices }: Json) => ({ sku, option_values, prices }));
  (await shop.staff.put(`/api/v1/products/${id}`, { handle, title, type, options, variants: kept })).expect(200);
}

async function publish(): Promise<void> {
  const { seq } = await eventually(async () => {
    const answer = await shop.staff.post('/api/v1/admin/catalog/publish');
    assert.ok([200, 202].includes(answer.status), answer.text);
    return answer.body;
  });
  await eventually(async () => assert.equal((await shop.staff.get(`/api/v1/admin/catalog/publishes/${seq}`)).expect(200).state, 'done'));
}

test('a renamed product is found under every handle that it had, until another product takes one', async () => {
  const [lamp, sofa] = await published();
  const leads = async (path: string, to: string) => {
    const answer = await page(path);
    assert.deepEqual([answer.status, answer.headers.get('location')], [301, to]);
    assert.match(answer.headers.get('cache-control') ?? '', /max-age=300/);
  };

  await rename(lamp.id, 'desk-lamp');
  assert.equal((await page('/products/lamp')).status, 200, 'nothing moves before the publish');
  await publish();
  await eventually(() => leads('/products/lamp', '/products/desk-lamp'));
  await leads('/products/lamp?sku=LAMP&currency=EUR', '/products/desk-lamp?sku=LAMP&currency=EUR');
  await leads('/de/products/lamp', '/de/products/desk-lamp');
  assert.equal((await shop.staff.get('/api/v1/products/lamp')).expect(200).handle, 'desk-lamp');

  await rename(lamp.id, 'reading-lamp');
  await publish();
  await eventually(() => leads('/products/desk-lamp', '/products/reading-lamp'));
  await leads('/products/lamp', '/products/reading-lamp');

  await rename(sofa.id, 'lamp');
  await publish();
  await eventually(() => leads('/products/sofa', '/products/lamp'));
  assert.match((await page('/products/lamp')).text, /<h1>Sofa<\/h1>/);
  await leads('/products/desk-lamp', '/products/reading-lamp');

  await rename(sofa.id, 'sofa');
  await rename(lamp.id, 'lamp');
  await publish();
  await eventually(() => leads('/products/reading-lamp', '/products/lamp'));
  for (const path of ['/products/lamp', '/products/sofa']) assert.equal((await page(path)).status, 200, path);
});
