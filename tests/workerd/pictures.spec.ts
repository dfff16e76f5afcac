/** Picture URLs: web addresses only, encoded, and absolute wherever others read them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const CSV = [
  'Handle,Title,Body (HTML),Variant SKU,Variant Price,Image Src,Variant Image',
  'lamp,Lamp,"<p>Lit <img><img data-src=""//cdn.example/in use.jpg""></p>",LAMP,5,https://cdn.example/my photo ü.jpg,',
  'lamp,,,,,//cdn.example/b.jpg,',
  'lamp,,,,,media/c d.jpg,',
  'bad,Bad,,BAD,5,javascript:alert(1),',
].join('\n');
const FIRST = 'https://cdn.example/my%20photo%20%C3%BC.jpg';

let shop: Shop;
before(async () => {
  shop = await startShop();
});
after(() => shop.close());

test('an import refuses what is no address of the web and says where', async () => {
  const answer = await shop.staff.send('POST', '/api/v1/admin/catalog/import', CSV, { 'content-type': 'text/csv' });
  const { errors, products } = answer.expect(200);
  assert.deepEqual(errors.map(({ line, column }: { line: number; column: string }) => [line, column]), [[5, 'Image Src']]);
  assert.equal(products, 1);
  (await shop.staff.post('/api/v1/admin/catalog/publish')).expect(200);
  await eventually(async () => (await shop.staff.get('/api/v1/products/lamp')).expect(200));
});

test('pages, API, JSON-LD, feed and what is shared name encoded addresses', async () => {
  const page = (await shop.staff.get('/products/lamp')).text;
  const product = (await shop.staff.get('/api/v1/products/lamp')).expect(200);
  const feed = (await shop.staff.get('/feeds/google.xml')).text;
  const all = [FIRST, 'https://cdn.example/b.jpg', `${shop.url}/media/c%20d.jpg`];
  assert.deepEqual(product.images.map(({ url }: { url: string }) => url), all);
  assert.ok(page.includes(`href="${FIRST}"`), 'a link to the picture');
  assert.ok(page.includes(`<meta property="og:image" content="${FIRST}">`));
  assert.ok(page.includes(JSON.stringify(all).slice(1, -1)), 'JSON-LD');
  assert.ok(page.includes('<p>Lit <img src="https://cdn.example/in%20use.jpg"></p>'), page);
  assert.ok(feed.includes(`<g:image_link>${FIRST}</g:image_link>`));
  assert.ok(feed.includes(`<g:additional_image_link>${all[2]}</g:additional_image_link>`));
});

test('the API refuses what is no address of the web and names the field', async () => {
  const variants = [{ sku: 'X', prices: [{ amount: 100, currency: 'USD' }], image: 'data:image/png;base64,AA' }];
  const input = { title: 'X', variants, images: [{ url: 'javascript:alert(1)', alt: '' }] };
  const fields = JSON.stringify((await shop.staff.post('/api/v1/products', input)).expect(422));
  assert.ok(fields.includes('images[0].url') && fields.includes('variants[0].image') && fields.includes('invalid_address'), fields);
});
