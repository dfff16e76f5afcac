/**
 * Discovery: stable URLs, and descriptions of the shop for search engines, social networks and
 * marketplaces.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { validateXML } from 'xmllint-wasm';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const HTML = { accept: 'text/html' };
const ORIGIN = 'https://shop.test'; // what the shop is known by, whatever host is asked
const DEMO = readFileSync(new URL('../../demo/catalog.csv', import.meta.url), 'utf8');

let shop: Shop;
before(async () => {
  shop = await startShop({ vars: { SHOP_URL: ORIGIN } });
  await shop.importCatalog(DEMO);
});
after(() => shop.close());

const page = (path: string) => shop.staff.get(path, HTML);
const text = async (path: string): Promise<string> => {
  const answer = await page(path);
  assert.equal(answer.status, 200, answer.text);
  return answer.text;
};

test('robots.txt keeps searchers out of what is a visitor\'s own, and out of a shop that is only tried out', async (t) => {
  const { headers, text } = await page('/robots.txt');
  assert.match(headers.get('content-type') ?? '', /^text\/plain/);
  assert.deepEqual(text.split('\n').filter((line) => line.startsWith('Disallow')), ['Disallow: /api/', 'Disallow: /checkout', 'Disallow: /orders/']);
  assert.ok(text.includes(`Sitemap: ${ORIGIN}/sitemap.xml\n`));
  const tried = await startShop({ vars: { ENVIRONMENT: 'staging', MAIL_PROVIDER: 'resend' } });
  t.after(() => tried.close());
  assert.match((await tried.staff.get('/robots.txt')).text, /^User-agent: \*\nDisallow: \/\n/);
});

test('the sitemap names every page of the published catalog once in each language, and no other', async () => {
  const index = await text('/sitemap.xml');
  await valid(index, 'sitemap-index.xsd');
  const parts = all(index, 'loc').map((url) => url.replace(ORIGIN, ''));
  assert.deepEqual(parts, ['/sitemaps/lists.xml', '/sitemaps/products-1.xml']);
  const urls: string[] = [];
  for (const part of parts) {
    const xml = await text(part);
    await valid(xml, 'sitemap-with-languages.xsd');
    urls.push(...all(xml, 'loc'));
  }
  assert.equal(new Set(urls).size, urls.length);
  const handles = await published();
  for (const handle of handles) for (const language of ['', '/de']) assert.ok(urls.includes(`${ORIGIN}${language}/products/${handle}`), handle);
  assert.equal(urls.filter((url) => url.includes('/products/')).length, 2 * handles.length);
  assert.ok(!urls.some((url) => url.includes('tarnfell-book-14-touch')), 'a draft');
  for (const url of urls) {
    assert.ok(url.startsWith(`${ORIGIN}/`), url);
    if (!url.includes('/products/')) assert.equal((await page(url.replace(ORIGIN, ''))).status, 200, url);
  }
  for (const part of ['products-2.xml', 'products-0.xml', 'products-x.xml', 'other.xml', 'lists']) assert.equal((await page(`/sitemaps/${part}`)).status, 404, part);
});

test('the product feed offers each variant as its page does, in every currency', async (t) => {
  for (const currency of ['USD', 'EUR', 'JPY', 'KWD']) await t.test(currency, async () => {
    const xml = await text(`/feeds/google.xml?currency=${currency}`);
    await valid(xml, 'product-feed.xsd');
    const items = all(xml, 'item');
    const phone = items.filter((item) => all(item, 'g:link')[0]!.includes('/products/iphone-17-pro-max?'));
    const product = (await shop.staff.get(`/api/v1/products/iphone-17-pro-max?currency=${currency}`)).expect(200);
    assert.deepEqual(phone.map((item) => all(item, 'g:id')[0]), product.variants.map(({ sku }: Json) => sku));
    for (const [at, item] of phone.entries()) {
      const { sku, price, weight_grams } = product.variants[at];
      assert.deepEqual(all(item, 'g:price'), [decimal(price)]);
      assert.deepEqual(all(item, 'g:link'), [`${ORIGIN}/products/iphone-17-pro-max?sku=${sku}${currency === 'USD' ? '' : `&amp;currency=${currency}`}`]);
      assert.deepEqual(all(item, 'g:item_group_id'), [product.id]);
      assert.deepEqual(all(item, 'g:shipping_weight'), [`${weight_grams} g`]);
      assert.deepEqual(all(item, 'g:mpn'), [sku], 'the barcode is of the range for use inside a shop');
      assert.match(all(item, 'g:image_link')[0]!, new RegExp(`^${ORIGIN}/`));
    }
  });
  await t.test('on sale', async () => {
    const item = all(await text('/feeds/google.xml'), 'item').find((item) => all(item, 'g:link')[0]!.includes('/products/murmur-bar?'))!;
    const [variant] = (await shop.staff.get('/api/v1/products/murmur-bar')).expect(200).variants;
    assert.deepEqual([all(item, 'g:price'), all(item, 'g:sale_price')], [[decimal(variant.compare_at_price)], [decimal(variant.price)]]);
  });
  await t.test('sold out', () => eventually(async () => {
    const item = all(await text('/feeds/google.xml'), 'item').find((item) => all(item, 'g:link')[0]!.includes('/products/oddbit-pocket?'))!;
    assert.deepEqual(all(item, 'g:availability'), ['out_of_stock']);
  }));
  for (const [query, status] of [['currency=XXX', 422], ['part=2', 404], ['part=0', 404], ['part=x', 404]] as const) {
    assert.equal((await page(`/feeds/google.xml?${query}`)).status, status, query);
  }
});

test('a page is known by one address, in each language and currency', async (t) => {
  for (const [path, canonical] of [
    ['/', '/'],
    ['/de', '/de'],
    ['/products?sort=price&page=2', '/products?page=2'],
    ['/products?vendor=Apple', '/products'],
    ['/collections/electronics--phones?sort=title&currency=EUR', '/collections/electronics--phones?currency=EUR'],
    ['/products/iphone-17-pro-max?sku=IP17PM-SLV-256', '/products/iphone-17-pro-max'],
    ['/de/products/iphone-17-pro-max?currency=EUR', '/de/products/iphone-17-pro-max?currency=EUR'],
    ['/cart', '/cart'],
  ] as const) await t.test(path, async () => {
    const html = await text(path);
    assert.deepEqual(attributes(html, 'link', 'rel="canonical"', 'href'), [ORIGIN + canonical]);
    assert.deepEqual(attributes(html, 'meta', 'property="og:url"', 'content'), [ORIGIN + canonical]);
    const [description = ''] = attributes(html, 'meta', 'name="description"', 'content');
    assert.ok(description.length >= 20 && description.length <= 200, description);
    const languages = html.match(/<link rel="alternate" hreflang="[^"]+" href="[^"]+"/g) ?? [];
    assert.deepEqual(languages.map((tag) => tag.match(/hreflang="([^"]+)"/)![1]), ['en', 'de', 'x-default']);
    assert.ok(languages.some((tag) => tag.includes(`href="${(ORIGIN + canonical).replaceAll('&', '&amp;')}"`)), 'a page is among its own languages');
    for (const tag of languages) assert.equal((await page(tag.match(/href="([^"]+)"/)![1]!.replace(ORIGIN, '') || '/')).status, 200, tag);
    for (const property of ['og:title', 'og:description', 'og:image', 'og:site_name', 'og:type']) {
      assert.equal(attributes(html, 'meta', `property="${property}"`, 'content').length, 1, property);
    }
    assert.equal(attributes(html, 'meta', 'name="robots"', 'content').length, 0);
  });
  const shopper = shop.shopper(HTML);
  await shopper.add('IP17PM-SLV-256');
  for (const path of ['/checkout', '/nowhere']) assert.deepEqual(attributes((await shopper.get(path)).text, 'meta', 'name="robots"', 'content'), ['noindex'], path);
});

test('a page says in schema.org\'s words what is on it', async (t) => {
  const documents = async (path: string): Promise<Json[]> =>
    [...(await text(path)).matchAll(/<script type="application\/ld\+json">(.*?)<\/script>/gs)].map(([, json]) => JSON.parse(json!));
  const required = (document: Json, ...fields: string[]) => {
    for (const field of fields) assert.ok(document[field] !== undefined && document[field] !== '', `${document['@type']} has ${field}`);
  };

  await t.test('whose shop it is', async () => {
    const [organization, site] = await documents('/');
    assert.deepEqual([organization['@context'], organization['@type'], site['@type']], ['https://schema.org', 'Organization', 'WebSite']);
    required(organization, 'name', 'url', 'logo');
    required(site, 'name', 'url');
    assert.equal((await page(organization.logo.replace(ORIGIN, ''))).headers.get('content-type'), 'image/png');
  });

  await t.test('a product, with an offer for each variant', () => eventually(async () => {
    for (const [path, handle] of [['/products/iphone-17-pro-max?currency=EUR', 'iphone-17-pro-max'], ['/products/oddbit-pocket?currency=EUR', 'oddbit-pocket']] as const) {
      const [product] = await documents(path);
      const { title, vendor, variants, images } = (await shop.staff.get(`/api/v1/products/${handle}?currency=EUR`)).expect(200);
      assert.equal(product['@type'], 'Product');
      required(product, 'name', 'description', 'image', 'url');
      assert.deepEqual([product.name, product.brand], [title, { '@type': 'Brand', 'name': vendor }]);
      assert.equal(product.image.length, images.length);
      assert.equal(product.offers.length, variants.length);
      const stocks: Json[] = (await shop.staff.get(`/api/v1/stock?skus=${variants.map(({ sku }: Json) => sku).join(',')}`)).expect(200).data;
      for (const [at, offer] of product.offers.entries()) {
        required(offer, 'url', 'itemCondition');
        const { sku, price } = variants[at];
        assert.deepEqual([offer['@type'], offer.sku, `${offer.price} ${offer.priceCurrency}`], ['Offer', sku, decimal(price)]);
        const { stock } = stocks.find((stock) => stock.sku === sku);
        assert.equal(offer.availability, `https://schema.org/${{ in_stock: 'InStock', low: 'LimitedAvailability', out: 'OutOfStock', preorder: 'PreOrder' }[stock as string]}`);
      }
    }
    const [soldOut] = await documents('/products/oddbit-pocket');
    assert.ok(soldOut.offers.every(({ availability }: Json) => availability.endsWith('OutOfStock')));
  }));

  await t.test('the way to it', async () => {
    for (const path of ['/products/iphone-17-pro-max', '/collections/electronics--phones', '/products']) {
      const crumbs = (await documents(path)).find((document) => document['@type'] === 'BreadcrumbList');
      assert.deepEqual(crumbs.itemListElement.map(({ position }: Json) => position), crumbs.itemListElement.map((_: Json, at: number) => at + 1));
      for (const item of crumbs.itemListElement) {
        required(item, 'name', 'item');
        assert.equal((await page(item.item.replace(ORIGIN, ''))).status, 200, item.item);
      }
    }
  });
});

test('a feed of more products than one request may read comes in parts, each of which names the next', async () => {
  const listings = Array.from({ length: 401 }, (_, at) => ({ sku: `PART-${at}`, tracked: false }));
  for (let from = 0; from < listings.length; from += 100) { // what one request imports
    const some = listings.slice(from, from + 100);
    const imported = await shop.staff.send('POST', '/api/v1/admin/catalog/import', csvOf(...some), { 'content-type': 'text/csv' });
    assert.equal(imported.expect(200).products, some.length);
  }
  await publish();
  const ids: string[] = [];
  let parts = 0;
  await eventually(async () => assert.ok((await text('/feeds/google.xml')).includes('rel="next"')));
  for (let path: string | undefined = '/feeds/google.xml'; path; parts += 1) {
    const xml: string = await text(path);
    ids.push(...all(xml, 'g:id'));
    path = xml.match(/<atom:link rel="next" href="([^"]+)"/)?.[1]?.replace(ORIGIN, '');
  }
  assert.equal(parts, 2);
  assert.equal(new Set(ids).size, ids.length);
  for (const { sku } of listings) assert.ok(ids.includes(sku), sku);
  assert.ok(ids.includes('IP17PM-SLV-256'));
});

const published = async (): Promise<string[]> => {
  const handles: string[] = [];
  for (let cursor = ''; ;) {
    const list = (await shop.staff.get(`/api/v1/products?limit=100${cursor}`)).expect(200);
    handles.push(...list.data.map(({ handle }: Json) => handle));
    if (!list.next_cursor) return handles;
    cursor = `&cursor=${list.next_cursor}`;
  }
};

/**
 * Asserts that a document is valid by a schema in the folder `schemas`, or by that of sitemaps.org.
 */
async function valid(contents: string, schema: string): Promise<void> {
  const file = (fileName: string, folder = join(import.meta.dirname, 'schemas')) => ({ fileName, contents: readFileSync(join(folder, fileName), 'utf8') });
  const sitemaps = join(import.meta.dirname, '../../node_modules/sitemap/schema');
  const { errors } = await validateXML({
    xml: [{ fileName: 'document.xml', contents }],
    schema: [file(schema)],
    preload: [file('alternate.xsd'), file('product-data.xsd'), file('sitemap.xsd', sitemaps)],
  });
  assert.deepEqual(errors.map(({ rawMessage }) => rawMessage), []);
}

/** Returns the text of each element with this name. */
function all(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map(([, content]) => content!);
}

/** Returns an attribute of the tags that have another attribute. */
function attributes(html: string, tag: string, having: string, name: string): string[] {
  const tags = html.match(new RegExp(`<${tag} [^>]*${having}[^>]*>`, 'g')) ?? [];
  return tags.map((found) => found.match(new RegExp(` ${name}="([^"]*)"`))![1]!.replaceAll('&amp;', '&'));
}

/** Returns an amount such as `1199.00 USD`. */
function decimal({ amount, currency }: { amount: number; currency: string }): string {
  const places = { JPY: 0, KWD: 3 }[currency] ?? 2;
  return `${(amount / 10 ** places).toFixed(places)} ${currency}`;
}

/** Renames a product in the record. */
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

test('the address of a file leads to its product where the handles of two become one', async () => {
  await shop.importCatalog('Handle,Title,Variant Price\nsoap_bar,Underscore,5\nsoap-bar,Hyphen,5\nsoap™,Sign,5\n');
  const title = async (handle: string) => (await shop.staff.get(`/api/v1/products/${encodeURIComponent(handle)}`)).expect(200).title;
  await eventually(async () => assert.equal(await title('soap_bar'), 'Underscore'));
  assert.equal(await title('soap-bar'), 'Hyphen');
  assert.equal(await title('soap--bar'), 'Hyphen');
  assert.equal(await title('soap™'), 'Sign');
});

test('a renamed product is found under every handle that it had, until another product takes one', async () => {
  await shop.staff.send('POST', '/api/v1/admin/catalog/import', csvOf({ sku: 'LAMP', title: 'Lamp' }, { sku: 'SOFA', title: 'Sofa' }), { 'content-type': 'text/csv' });
  await publish();
  const [lamp, sofa] = await Promise.all(['lamp', 'sofa'].map((handle) => eventually(async () => (await shop.staff.get(`/api/v1/products/${handle}`)).expect(200))));
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
  assert.match((await page('/products/lamp')).text, /<h1><bdi>Sofa<\/bdi><\/h1>/);
  await leads('/products/desk-lamp', '/products/reading-lamp');

  await rename(sofa.id, 'sofa');
  await rename(lamp.id, 'lamp');
  await publish();
  await eventually(() => leads('/products/reading-lamp', '/products/lamp'));
  for (const path of ['/products/lamp', '/products/sofa']) assert.equal((await page(path)).status, 200, path);
});
