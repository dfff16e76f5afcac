/**
 * Categories are paths: pages, lists and promotions distinguish categories of the same name, and
 * old addresses redirect.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startShop, type Shop } from './shop.ts';

const PATHS = ['Men > Shoes', 'Women > Shoes', 'Women > Shoes', 'Phones > Accessories', 'Men > Accessories > Belts', '🎁', '🎉', 'हिन्दी > किताब'];
const CSV = [
  'Handle,Title,Product Category,Variant SKU,Variant Price',
  ...PATHS.map((path, at) => `p${at},P${at},${path},S${at},100`),
  'a_b™ हिन्दी--कि,Odd,,ODD,100',
].join('\n');

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(CSV);
});
after(() => shop.close());

interface Node { handle: string; parent: string | null; product_count: number }
const categories = async (): Promise<Node[]> => (await shop.staff.get('/api/v1/categories')).expect(200)['data'];

test('each path has a handle of its own, which lists what is in it', async () => {
  const all = await categories();
  const handles = all.map(({ handle }) => handle);
  assert.equal(new Set(handles).size, handles.length);
  assert.ok(handles.includes('men--shoes') && handles.includes('women--shoes') && handles.includes('हिन्दी--किताब'), `${handles}`);
  for (const { handle, parent, product_count } of all) {
    assert.ok(handle.length > 0 && (parent === null || handles.includes(parent)));
    const listed = (await shop.staff.get(`/api/v1/products?category=${encodeURIComponent(handle)}`)).expect(200);
    assert.equal(listed['total'], product_count, handle);
    assert.equal((await shop.staff.get(`/collections/${encodeURIComponent(handle)}`)).status, 200, handle);
  }
});

test('no page has a link without a handle', async () => {
  const pages = ['/', '/products', ...PATHS.map((_, at) => `/products/p${at}`), '/sitemaps/lists.xml'];
  for (const path of pages) {
    const { text } = await shop.staff.get(path);
    assert.doesNotMatch(text, /collections\/(["<?]|&quot;)/, path);
    for (const [, link] of text.matchAll(/href="(\/collections\/[^"]+)"/g)) assert.equal((await shop.staff.get(link!)).status, 200, link);
  }
});

test('an address by the name alone leads to the largest category of that name', async () => {
  const moved = await fetch(`${shop.url}/collections/shoes?sort=title`, { redirect: 'manual' });
  assert.deepEqual([moved.status, moved.headers.get('location')], [301, '/collections/women--shoes?sort=title']);
  assert.equal((await shop.staff.get('/api/v1/products?category=shoes')).expect(200)['total'], 2);
  assert.equal((await shop.staff.get('/collections/hats')).status, 404);
});

test('the address of a handle that the shop wrote otherwise leads to the product', async () => {
  const old = `${shop.url}/products/${encodeURIComponent('a_b™ हिन्दी--कि')}`;
  const moved = await fetch(old, { redirect: 'manual' });
  assert.equal(moved.status, 301);
  assert.equal(decodeURI(moved.headers.get('location') ?? ''), '/products/a-b-हिन्दी-कि');
  assert.match(await (await fetch(old)).text(), /Odd/);
  assert.equal((await shop.staff.get('/products/no_such')).status, 404);
});
