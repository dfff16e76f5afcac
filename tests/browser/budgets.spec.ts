/**
 * Weight and layout stability of pages: each stays within its budget of bytes, and nothing moves
 * once it is visible.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { eventually } from '../workerd/eventually.ts';
import { startShop, type Shop } from '../workerd/shop.ts';
import { importDemo } from './demo.ts';
import { DESKTOP, openBrowser, PHONE, Shopper } from './shopper.ts';

const KIB = 1024;
const ASSETS = join(import.meta.dirname, '../../assets');

let shop: Shop;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await importDemo(shop);
});
after(() => Promise.all([shop?.close(), browser?.close()]));

const gzipped = (content: string | Buffer) => gzipSync(content).length;
const allOf = (extension: string) => readdirSync(join(ASSETS, extension)).map((name) => gzipped(readFileSync(join(ASSETS, extension, name)))).reduce((sum, bytes) => sum + bytes, 0);
const sent = async (path: string) => {
  const answer = await fetch(shop.url + path, { headers: { accept: 'text/html' } });
  assert.equal(answer.status, 200, path);
  return answer.text();
};
const atMost = (bytes: number, budget: number) => assert.ok(bytes <= budget, `${(bytes / KIB).toFixed(1)} KiB of ${budget / KIB}`);

test('all JavaScript together, the service worker too: 20 KiB', async () => {
  atMost(allOf('js') + gzipped(await sent('/service-worker.js')), 20 * KIB);
});

test('all styles: 15 KiB', () => atMost(allOf('css'), 15 * KIB));

for (const path of ['/', '/products', '/collections/electronics--phones', '/products/iphone-17-pro-max', '/de/products/iphone-17-pro-max?currency=EUR']) {
  test(`the HTML of ${path}: 15 KiB`, async () => atMost(gzipped(await sent(path)), 15 * KIB));
}

for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
  test(`nothing moves when stock, cart and pictures arrive, on a ${device}`, async () => {
    const shopper = await Shopper.arrive(browser, shop.url, { viewport });
    await shopper.page.addInitScript(() => {
      Object.assign(window, { moved: 0 });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
          if (!entry.hadRecentInput) (window as unknown as { moved: number }).moved += entry.value;
        }
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await shopper.add('murmur-over');
    for (const path of ['/', '/products', '/products/iphone-17-pro-max', '/cart']) {
      await shopper.visit(path);
      await eventually(async () => assert.equal(await unfinished(shopper.page), 0));
      const moved = await shopper.page.evaluate(() => (window as unknown as { moved: number }).moved);
      assert.ok(moved < 0.02, `${path}: ${moved}`);
    }
    await shopper.leave();
  });
}

test('a public page is fetched when a pointer rests on its link, and a page of someone\'s own is not', async () => {
  const { headers } = await fetch(shop.url);
  assert.equal(headers.get('speculation-rules'), '"/speculation-rules.json"');
  const shopper = await Shopper.arrive(browser, shop.url, { viewport: DESKTOP });
  const asked = (path: string) => shop.log.filter((line) => line.includes(`"path":"${path}"`)).length;
  await shopper.visit('/products');
  const link = shopper.page.locator('main a[href^="/products/"]').nth(5);
  const path = (await link.getAttribute('href'))!;
  const before = [asked(path), asked('/cart')];
  await shopper.link(/^Cart/).hover();
  await link.hover();
  await eventually(() => assert.ok(asked(path) > before[0]!));
  assert.equal(asked('/cart'), before[1]);
  await shopper.leave();
});

/** Returns the number of visible pictures still loading, plus cart counts not shown yet. */
function unfinished(page: Page): Promise<number> {
  return page.evaluate(() => {
    const inView = [...document.images].filter((image) => {
      const { top, left, width } = image.getBoundingClientRect();
      return width > 0 && top < innerHeight && left < innerWidth && !image.complete;
    });
    const uncounted = [...document.querySelectorAll<HTMLElement>('[data-cart-count]')].filter(({ hidden }) => hidden);
    return inView.length + uncounted.length;
  });
}
