/** The availability on the product page: as loaded, and with JavaScript as it is now. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { csvOf } from '../workerd/catalog.ts';
import { eventually } from '../workerd/eventually.ts';
import { startShop, type Shop } from '../workerd/shop.ts';
import { openBrowser, Shopper } from './shopper.ts';

let shop: Shop;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 20 }));
  await reads('in_stock');
});
after(() => Promise.all([shop?.close(), browser?.close()]));

const reads = (stock: string) => eventually(async () => assert.equal((await shop.shopper().get('/api/v1/stock/LAMP')).expect(200).stock, stock));
const adjust = async (by: number) => (await shop.staff.post('/api/v1/admin/stock/LAMP', { adjust: { by, reason: 'counted' } })).expect(200);

test('an open page follows the stock, and the cart says what the page says', async () => {
  const [watching, plain] = await Promise.all([Shopper.arrive(browser, shop.url), Shopper.arrive(browser, shop.url, { javaScript: false })]);
  await watching.visit('/products/lamp');
  await plain.visit('/products/lamp');
  for (const { page } of [watching, plain]) await page.getByText('In stock', { exact: true }).waitFor();

  await adjust(-17);
  await watching.page.getByText('Only a few left').waitFor();
  await adjust(-3);
  await watching.page.getByText('Sold out').waitFor();
  assert.equal(await watching.page.getByText('In stock', { exact: true }).isVisible(), false);
  assert.equal(await plain.page.getByText('In stock', { exact: true }).isVisible(), true);

  await adjust(20);
  await watching.page.getByText('In stock', { exact: true }).waitFor();
  await reads('in_stock');
  await watching.add('lamp');
  await watching.page.locator('.lines').getByText('In stock', { exact: true }).waitFor();
  await Promise.all([watching.leave(), plain.leave()]);
});
