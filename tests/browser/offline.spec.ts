/**
 * Without a network: visited pages open, additions to the cart are sent once when the network is
 * back, and nothing personal is cached.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { eventually } from '../workerd/eventually.ts';
import { startShop, type Shop } from '../workerd/shop.ts';
import { importDemo } from './demo.ts';
import { openLine, type Line } from './line.ts';
import { ADDRESS, openBrowser, PHONE, Shopper } from './shopper.ts';

let shop: Shop;
let browser: Browser;
let line: Line;
let shopper: Shopper;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await importDemo(shop);
  await eventually(async () => {
    for (const sku of await skus('murmur-over', 'murmur-bar')) assert.notEqual((await shop.staff.get(`/api/v1/stock/${sku}`)).expect(200).stock, 'out');
  });
});
after(() => Promise.all([shop?.close(), browser?.close()]));
beforeEach(async () => {
  line = await openLine(shop.url);
  shopper = await Shopper.arrive(browser, line.url, { viewport: PHONE });
  shopper.expects(/WebSocket/, /net::ERR_|Failed to load resource/);
  await shopper.visit('/');
  await shopper.page.evaluate(() => navigator.serviceWorker.ready);
  await shopper.page.waitForFunction(() => navigator.serviceWorker.controller);
});
afterEach(async () => {
  await shopper.leave();
  await line.close();
});

const skus = async (...handles: string[]): Promise<string[]> => {
  const products = await Promise.all(handles.map((handle) => shop.staff.get(`/api/v1/products/${handle}`)));
  return products.flatMap((product) => product.expect(200).variants.map(({ sku }: { sku: string }) => sku));
};
/** Fires the browser's own event for a network that is back. */
const comeBack = async () => {
  line.set('open');
  await shopper.page.evaluate(() => dispatchEvent(new Event('online')));
};
const inCart = () => shopper.page.evaluate(async () => (await (await fetch('/api/v1/cart')).json()).quantity as number);
const addOffline = async () => {
  await shopper.button('Add to cart').click();
  await shopper.page.getByText('Saved until you are back online').first().waitFor();
};

test('what was visited opens without a network, in its language; what was not says so', async () => {
  await shopper.visit('/products/murmur-over?utm_source=letter');
  await shopper.visit('/de/products/murmur-bar');
  line.set('cut');
  await shopper.visit('/products/murmur-over');
  await shopper.heading('Murmur Over').waitFor();
  const shown = () => shopper.page.evaluate(() => [...document.images].filter((image) => image.complete && image.naturalWidth > 0).length);
  await eventually(async () => assert.ok((await shown()) > 1, 'its pictures are there'));
  assert.equal(await shopper.page.evaluate(() => getComputedStyle(document.body).margin), '0px', 'its style is there');
  await shopper.visit('/de/products/murmur-bar');
  await shopper.heading('Murmur Bar').waitFor();
  for (const path of ['/products', '/de', '/']) {
    await shopper.visit(path);
    assert.equal(await shopper.heading('You are offline').count(), 0, path);
  }
  for (const [path, title] of [['/products/iphone-17', 'You are offline'], ['/cart', 'You are offline'], ['/de/checkout', 'Sie sind offline']] as const) {
    await shopper.visit(path);
    await shopper.heading(title).waitFor();
  }
});

test('what is added without a network is in the cart once when it is back', async () => {
  await shopper.visit('/products/murmur-over');
  line.set('cut');
  await addOffline();
  await shopper.visit('/products/murmur-over');
  await addOffline();
  assert.equal(await waiting(), 2);
  await comeBack();
  await eventually(async () => assert.equal(await inCart(), 2));
  await shopper.page.getByText('are now in your cart').waitFor();
  for (let again = 0; again < 3; again++) await shopper.page.evaluate(() => dispatchEvent(new Event('online')));
  await shopper.visit('/cart');
  await shopper.page.evaluate(() => navigator.locks.request('additions', () => {}));
  assert.equal(await inCart(), 2);
});

test('what was added but not answered is in the cart once', async () => {
  await shopper.add('murmur-bar');
  await shopper.visit('/products/murmur-over');
  line.set('deaf');
  await addOffline();
  await comeBack();
  await eventually(async () => assert.equal(await waiting(), 0));
  assert.equal(await inCart(), 2);
});

test('nothing of a person is kept', async () => {
  await shopper.add('murmur-over');
  await shopper.review();
  await shopper.placeOrder();
  await shopper.link('Back to shop').click();
  await shopper.status('Waiting for your payment').waitFor();
  await shopper.visit('/cart');
  const kept = await shopper.page.evaluate(async () => {
    const found: { path: string; rules: string; text: string }[] = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const { url } of await cache.keys()) {
        const answer = (await cache.match(url))!;
        const isText = /^(text|application)\//.test(answer.headers.get('content-type') ?? '');
        found.push({ path: url.slice(location.origin.length), rules: answer.headers.get('cache-control') ?? '', text: isText ? await answer.text() : '' });
      }
    }
    return found;
  });
  assert.ok(kept.some(({ path }) => path === '/products/murmur-over'));
  const [{ token }] = (await shopper.context.cookies()).filter(({ name }) => name === '__Host-cart').map(({ value }) => ({ token: value })) as [{ token: string }];
  for (const { path, rules, text } of kept) {
    assert.match(rules, /\bpublic\b/, path);
    assert.doesNotMatch(path, /^(\/de)?\/(cart|checkout|orders|api)/);
    for (const own of [ADDRESS.Email, ADDRESS['Full name'], ADDRESS.Address, token, 'set-cookie']) assert.ok(!text.includes(own), `${own} in ${path}`);
  }
});

test('a new version is announced, and comes when it is asked for', async () => {
  line.deploy();
  await shopper.page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
  await shopper.page.getByText('A new version of the shop is available.').waitFor();
  const reloaded = shopper.page.waitForEvent('load');
  await shopper.button('Reload').click();
  await reloaded;
  assert.equal(await shopper.page.evaluate(async () => (await navigator.serviceWorker.getRegistration())!.waiting), null);
});

/** Returns the number of additions that wait for a network. */
function waiting(): Promise<number> {
  return shopper.page.evaluate(() => new Promise<number>((resolve) => {
    const opening = indexedDB.open('shop', 1);
    opening.onsuccess = () => {
      const counting = opening.result.transaction('additions').objectStore('additions').count();
      counting.onsuccess = () => { opening.result.close(); resolve(counting.result); };
    };
  }));
}
