/**
 * Limits of a product sent by staff: characters of its texts, number of variants, bytes. A rejected
 * product changes nothing.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Json } from './client.ts';
import { startShop, type Shop } from './shop.ts';

const PRICES = [{ amount: 500, currency: 'USD' }];
const MAX_VARIANTS = 2_048;

let shop: Shop;
before(async () => {
  shop = await startShop();
});
after(() => shop.close());

const products = () => shop.rows('SELECT handle, title, version FROM products ORDER BY handle');

async function refusedAsNewAndAsChange(input: Json, status: number, code: string): Promise<Json> {
  const kept = { title: 'Kept', handle: 'kept', variants: [{ sku: 'KEPT', prices: PRICES }] };
  const [known] = await shop.rows<{ id: string }>("SELECT id FROM products WHERE handle = 'kept'");
  const id = known?.id ?? (await shop.staff.post('/api/v1/products', kept)).expect(201).id;
  const was = await products();
  (await shop.staff.put(`/api/v1/products/${id}`, input)).refused(status, code);
  const problem = (await shop.staff.post('/api/v1/products', input)).refused(status, code);
  assert.deepEqual(await products(), was);
  return problem;
}

test('what is no text is refused in every text of a product', async () => {
  const fields: Record<string, (text: string) => Json> = {
    title: (title) => ({ title }),
    description_html: (description_html) => ({ description_html }),
    vendor: (vendor) => ({ vendor }),
    type: (type) => ({ type }),
    tags: (tag) => ({ tags: [tag] }),
    category: (name) => ({ category: [name] }),
    'seo.title': (title) => ({ seo: { title, description: '' } }),
    'seo.description': (description) => ({ seo: { title: '', description } }),
    features: (feature) => ({ features: [feature] }),
    specifications: (text) => ({ specifications: { [text]: 'x' } }),
    metadata: (text) => ({ metadata: { x: text } }),
    images: (alt) => ({ images: [{ url: '/media/a.jpg', alt }] }),
    options: (name) => ({ options: [name], variants: [{ sku: 'X', prices: PRICES, option_values: ['x'] }] }),
    'variants[0]': (value) => ({ options: ['Size'], variants: [{ sku: 'X', prices: PRICES, option_values: [value] }] }),
  };
  const one = { title: 'X', variants: [{ sku: 'X', prices: PRICES }] };
  for (const [field, having] of Object.entries(fields)) {
    for (const character of ['\u0000', '\u0008', '\ufffe']) {
      const { errors } = await refusedAsNewAndAsChange({ ...one, ...having(`a${character}b`) }, 422, 'control_character');
      assert.ok(errors.some((error: Json) => error.field === field), `${field}: ${JSON.stringify(errors)}`);
    }
  }
  for (const field of ['title', 'vendor', 'type', 'tags']) await refusedAsNewAndAsChange({ ...one, ...fields[field]!('a\rb') }, 422, 'control_character');
});

test('one variant more than a product may have is refused, made anew or changed', async () => {
  const rope = (count: number) => ({
    title: 'Rope',
    options: ['Length'],
    variants: Array.from({ length: count }, (_, at) => ({ sku: `ROPE-${at}`, option_values: [`${at} m`], prices: PRICES, tracked: false })),
  });
  await refusedAsNewAndAsChange(rope(MAX_VARIANTS + 1), 422, 'invalid_variants');
  assert.equal((await shop.staff.post('/api/v1/products', rope(MAX_VARIANTS))).expect(201).variants.length, MAX_VARIANTS);
});

test('a product of more than two megabytes is refused', async () => {
  const { id } = (await shop.staff.post('/api/v1/products', { title: 'Large', variants: [{ sku: 'LARGE', prices: PRICES }] })).expect(201);
  const was = await products();
  for (const [method, path] of [['POST', '/api/v1/products'], ['PUT', `/api/v1/products/${id}`]] as const) {
    (await shop.staff.announce(method, path, 2_000_001, { 'content-type': 'application/json' })).refused(413, 'body_too_large');
  }
  assert.deepEqual(await products(), was);
});
