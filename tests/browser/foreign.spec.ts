/**
 * Pages of other sites: nothing that they make a shopper's browser send changes the shopper's cart.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { eventually } from '../workerd/eventually.ts';
import { startShop, type Shop } from '../workerd/shop.ts';
import { importDemo } from './demo.ts';
import { openBrowser, Shopper } from './shopper.ts';

let shop: Shop;
let browser: Browser;
let foreign: Server;
let foreignUrl: string;

before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await importDemo(shop);
  await eventually(async () => assert.doesNotMatch(await (await fetch(`${shop.url}/products/murmur-over`)).text(), /disabled data-needs-stock/));
  foreign = createServer((_, response) => void response.setHeader('content-type', 'text/html').end(page()));
  await new Promise<void>((resolve) => foreign.listen(0, 'localhost', resolve));
  foreignUrl = `http://localhost:${(foreign.address() as AddressInfo).port}`;
});
after(() => Promise.all([shop?.close(), browser?.close(), foreign?.close()]));

/** A page that promises a prize for pressing its button. */
const page = () => `<!doctype html><html lang="en"><title>Win</title><link rel="icon" href="data:,"><form method="post" action="${shop.url}/cart/items">
<input type="hidden" name="sku" value="MUR-OV-BON"><input type="hidden" name="quantity" value="9"><button>Win a phone</button></form></html>`;

// With JavaScript, a service worker stands between the page and the shop.
for (const javaScript of [true, false]) {
  test(`a form of another site neither replaces nor fills a cart, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
    const shopper = await Shopper.arrive(browser, shop.url, { javaScript });
    await shopper.visit('/products/murmur-over');
    if (javaScript) await shopper.page.waitForFunction(() => navigator.serviceWorker.controller);
    await shopper.add('murmur-over');
    const cookies = async () => (await shopper.context.cookies()).filter(({ name }) => name === '__Host-cart').map(({ value }) => value);
    const before = await cookies();
    assert.equal(before.length, 1);

    await shopper.page.goto(foreignUrl);
    shopper.expects(/status of 403/);
    await shopper.button('Win a phone').click();
    await shopper.page.getByText('nothing was changed').waitFor();
    assert.equal(new URL(shopper.page.url()).origin, shop.url);

    assert.deepEqual(await cookies(), before);
    await shopper.visit('/cart');
    assert.equal(await shopper.page.locator('.lines').getByLabel('Quantity').inputValue(), '1');
    await shopper.leave();
  });
}
