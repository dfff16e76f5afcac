/**
 * Caching: every response carries its rules, only a response that depends on its URL alone is
 * public, and such a response has one URL. The routes are read from `src/web/routes`, so that new
 * ones are tested as well.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { unstable_readConfig } from 'wrangler';
import { csvOf } from './catalog.ts';
import type { Client } from './client.ts';
import { startShop, type Shop } from './shop.ts';

const ROOT = join(import.meta.dirname, '../..');
const ROUTER = ['pages', 'api', 'staff', 'files'].map((table) => readFileSync(join(ROOT, `src/web/routes/${table}.rs`), 'utf8')).join('');
const ROUTES = [...ROUTER.matchAll(/^ +(Get|Post|Put|Delete|Patch) +"([^"]+)"/gm)].map(([, method, pattern]) => ({ method: method!.toUpperCase(), pattern: pattern! }));

/** Routes that anyone may request, with a URL for each. */
const PUBLIC = [
  '/', '/de', '/products', '/products/lamp', '/policies/terms', '/offline', '/offline/kept', '/service-worker.js',
  '/speculation-rules.json', '/robots.txt', '/sitemap.xml', '/sitemaps/lists.xml', '/feeds/google.xml', '/api/v1/products',
  '/api/v1/products/lamp', '/api/v1/categories',
];
const HTML = { accept: 'text/html' };

let shop: Shop;
let visitor: Client;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP' }));
  visitor = shop.shopper();
  await visitor.add('LAMP');
});
after(() => shop.close());

const filled = (pattern: string) => pattern.replace('{handle}', 'lamp').replace('{sku}', 'LAMP').replace(/\{\w+\}/g, 'x');

test('what anyone may keep is the same for everyone', async (t) => {
  for (const path of PUBLIC) await t.test(path, async () => {
    const plain = await shop.shopper().get(path, HTML);
    assert.equal(plain.headers.get('cache-control'), 'public, max-age=0');
    const atTheEdge = plain.headers.get('cdn-cache-control') ?? '';
    assert.match(atTheEdge, /^public, max-age=60, stale-while-revalidate=600, stale-if-error=86400$/);
    const known = await visitor.get(path, { ...HTML, 'if-none-match': plain.headers.get('etag')! });
    assert.deepEqual([known.status, known.headers.get('cdn-cache-control')], [304, atTheEdge]);
    const others: Record<string, string>[] = [
      { 'accept-language': 'de' }, { cookie: `__Host-cart=${visitor.cartToken}; theme=dark` }, { authorization: 'Bearer x' }, { 'user-agent': 'x', 'accept': '*/*' },
    ];
    for (const headers of others) {
      const asked = await visitor.get(path, { ...HTML, ...headers });
      assert.deepEqual([asked.status, asked.text], [200, plain.text], JSON.stringify(headers));
    }
  });
});

test('what anyone may keep has one address: who asks another is sent there', async (t) => {
  for (const path of PUBLIC) await t.test(path, async () => {
    for (const query of ['?x=1', '?utm_source=letter&gclid=1', '?x=%ff']) for (const method of ['GET', 'HEAD']) {
      const moved = await visitor.send(method, path + query, undefined, HTML);
      assert.deepEqual([moved.status, moved.headers.get('location'), moved.text], [301, path, ''], method + query);
    }
  });
  for (const [asked, canonical] of [
    ['/products?page=1&q=lamp&fbclid=1', '/products?q=lamp&page=1'],
    ['/products?q=lamp&q=table', '/products?q=lamp'],
    ['/de/products?currency=EUR&sort=price', '/de/products?sort=price&currency=EUR'],
    ['/products/lamp?currency=EUR&sku=LAMP&ref=friend', '/products/lamp?sku=LAMP&currency=EUR'],
    ['/api/v1/products?limit=1&sort=price', '/api/v1/products?sort=price&limit=1'],
    ['/feeds/google.xml?currency=EUR&part=1', '/feeds/google.xml?part=1&currency=EUR'],
    ['/media/nothing-1x1.png?x=1', '/media/nothing-1x1.png'],
    ['/media/160/nothing-200x200.png?x=1', '/media/160/nothing-200x200.png'],
  ] as const) await t.test(asked, async () => {
    const moved = await visitor.get(asked, HTML);
    assert.deepEqual([moved.status, moved.headers.get('location')], [301, canonical]);
    assert.notEqual((await visitor.get(canonical, HTML)).status, 301);
  });
});

test('what is someone\'s own keeps its parameters, known or not', async () => {
  for (const path of ['/cart?x=1', '/checkout?x=1', '/orders?x=1', '/api/v1/cart?x=1', '/healthz?x=1']) assert.notEqual((await visitor.get(path, HTML)).status, 301, path);
});

test('the forms of a list are sent to the address that they name', async () => {
  const page = (await visitor.get('/products?currency=EUR', HTML)).text;
  for (const [, form] of page.matchAll(/<form[^>]*method="get"[^>]*>(.*?)<\/form>/gs)) {
    const names = [...form!.matchAll(/<(?:input|select)[^>]* name="([^"]+)"/g)].map(([, name]) => name!);
    const query = new URLSearchParams(names.map((name) => [name, name === 'currency' ? 'EUR' : '']));
    assert.equal((await visitor.get(`/products?${query}`, HTML)).status, 200, String(query));
  }
});

test('the platform\'s cache is on in every environment', () => {
  for (const env of [undefined, 'staging']) {
    const config = unstable_readConfig({ config: join(ROOT, 'wrangler.toml'), env }, { hideWarnings: true }) as { cache?: { enabled: boolean } };
    assert.equal(config.cache?.enabled, true, env);
  }
});

test('every answer of every route says whether it may be kept', async () => {
  assert.ok(ROUTES.length > 80);
  for (const { method, pattern } of ROUTES) for (const caller of [shop.shopper(), visitor, shop.staff]) {
    for (const headers of [HTML, { accept: 'application/json' }]) {
      const answer = await caller.send(method, filled(pattern), method === 'GET' ? undefined : '{', { 'content-type': 'application/json', ...headers });
      const kept = answer.headers.get('cache-control');
      assert.match(kept ?? 'nothing', /^(no-store|public, max-age=\d+(, .+)?)$/, `${method} ${pattern}: ${answer.status}`);
      const atTheEdge = answer.headers.get('cdn-cache-control');
      if (atTheEdge !== null) assert.equal(kept, 'public, max-age=0', `${method} ${pattern}`);
      const rules = `${kept} ${atTheEdge}`;
      assert.doesNotMatch(rules, /s-maxage|(must|proxy)-revalidate/, `${method} ${pattern}: nothing stale could be given out in an outage`);
      if (method !== 'GET' || answer.status >= 400) assert.equal(kept, 'no-store', `${method} ${pattern}: ${answer.status}`);
      if (kept !== 'no-store') assert.equal(answer.headers.get('set-cookie'), null, pattern);
    }
  }
  for (const [method, path] of [['OPTIONS', '/products'], ['PATCH', '/products'], ['GET', '/nowhere'], ['GET', '/%']] as const) {
    assert.equal((await visitor.send(method, path, undefined, HTML)).headers.get('cache-control'), 'no-store', `${method} ${path}`);
  }
});
