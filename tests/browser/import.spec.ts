/**
 * A merchant's own product file, untidy but well-formed: its products are shown and can be bought,
 * and no script in it runs.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { startShop, type Shop } from '../workerd/shop.ts';
import { openBrowser, Shopper, type Kind } from './shopper.ts';

const TITLE = 'Grandmother\'s "Sunday" Teapot, 1.2 l';
const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

let shop: Shop;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await shop.importCatalog(readFileSync(new URL('products/untidy.csv', import.meta.url), 'utf8'));
});
after(() => Promise.all([shop?.close(), browser?.close()]));

test('the file shows as the merchant meant it', async () => {
  const { shopper, pictures } = await arrive();
  await shopper.visit('/products');
  await shopper.page.getByText('2 products').waitFor();
  await shopper.link(TITLE).click();
  await shopper.heading(TITLE).waitFor();
  await shopper.page.getByText('Möller & Søn').waitFor();
  const { page } = shopper;
  assert.deepEqual(await page.locator('.choices a span').allInnerTexts(), ['Celadon', 'Tenmoku', 'Bamboo', 'Wire']);
  assert.equal(await page.locator('.buy > .price').textContent(), '$48.00 Before: $60.00 Sale');
  assert.match(await page.locator('.description').innerText(), /Fired twice, glazed once & never hurried\./);
  assert.deepEqual(await page.locator('.description li').allInnerTexts(), ['Café-proof', '日本の釉薬']);
  await page.locator('img[alt=\'Teapot "Celadon" on a table\']').waitFor();
  for (const name of ['teapot.png', 'teapot-lid.png', 'mark.png']) assert.ok(pictures.has(name), `${name} was asked for`);
  await shopper.leave();
});

test('nothing that the description carries runs', async () => {
  const { shopper } = await arrive();
  await shopper.visit('/products/grandmothers-teapot');
  const { page } = shopper;
  await page.locator('.description').getByText('Fired twice').click();
  await page.locator('.description').getByText('Care instructions').click();
  await page.waitForLoadState('networkidle');
  assert.match(await page.title(), /Teapot/);
  assert.equal(await page.locator('.description :is(script, iframe, svg, [onclick], [onerror], [onload], [style])').count(), 0);
  assert.equal(await page.locator('.description a[href^="javascript"]').count(), 0);
  await shopper.leave();
});

for (const [name, kind] of Object.entries<Kind>({ 'with JavaScript': {}, 'without, in yen': { javaScript: false, currency: 'JPY' } })) {
  test(`a variant without an SKU is bought ${name}`, async () => {
    const { shopper } = await arrive(kind);
    const sku = 'grandmothers-teapot-celadon-bamboo';
    const { committed } = await shop.stock(sku);
    await shopper.add('grandmothers-teapot', 2);
    await shopper.review();
    await shopper.placeOrder();
    await shopper.pay();
    assert.match(await shopper.page.locator('.lines').innerText(), /Teapot, 1\.2 l.*Celadon \/ Bamboo/s);
    assert.equal((await shop.stock(sku)).committed, committed + 2);
    await shopper.leave();
  });
}

/** Returns a shopper for whom the merchant's picture host answers. */
async function arrive(kind: Kind = {}): Promise<{ shopper: Shopper; pictures: Set<string> }> {
  const shopper = await Shopper.arrive(browser, shop.url, kind);
  const pictures = new Set<string>();
  await shopper.context.route('https://pictures.merchant.test/**', (route) => {
    pictures.add(new URL(route.request().url()).pathname.slice(1));
    return route.fulfill({ contentType: 'image/png', body: PIXEL });
  });
  return { shopper, pictures };
}
