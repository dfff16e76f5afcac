/**
 * A page that waits for its order: how often it polls, and that it is updated when the order has
 * changed, and only then.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { csvOf } from '../workerd/catalog.ts';
import { opened, type Json } from '../workerd/client.ts';
import { eventually } from '../workerd/eventually.ts';
import { startShop, type Shop } from '../workerd/shop.ts';
import { openBrowser, Shopper } from './shopper.ts';

const MINUTE = 60_000;

let shop: Shop;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await shop.importCatalog(csvOf({ sku: 'LAMP' }));
});
after(() => Promise.all([shop?.close(), browser?.close()]));

test('it asks ever more seldom, and for the page itself only once the order has moved', async () => {
  const { shopper, order, asked } = await waitingPage();
  for (const secs of [2, 3, 5, 10, 10]) {
    const before = asked('status');
    const pause = await shopper.page.evaluate(() => pauses.at(-1)!);
    assert.ok(pause >= secs * 800 && pause <= secs * 1200, `${pause} ms for ${secs} s`);
    await shopper.page.clock.runFor(pause);
    await eventually(async () => {
      assert.equal(asked('status'), before + 1);
      assert.equal(await shopper.page.evaluate(() => pauses.length), before + 2);
    });
  }
  assert.equal(asked('page'), 1);

  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  await shopper.page.clock.runFor(12_000);
  await shopper.status('Confirmed').waitFor();
  assert.equal(asked('page'), 2);
  const before = asked('status');
  await shopper.page.clock.runFor(MINUTE);
  assert.equal(asked('status'), before, 'there is nothing left to wait for');
  await shopper.leave();
});

test('a payment link that follows is shown, and the page begins anew', async () => {
  shop.sandbox.faults.add({ on: 'api', method: 'POST', path: '/v1/checkout/sessions', kind: 'error', status: 500 });
  const { shopper, order, asked } = await waitingPage();
  assert.equal(await shopper.link('Pay now').count(), 0);
  await shop.payable(order);
  await shopper.page.clock.runFor(3_000);
  await shopper.link('Pay now').waitFor();
  assert.equal(asked('page'), 2);
  const pause = await shopper.page.evaluate(() => pauses.at(-1)!);
  assert.ok(pause >= 1_600 && pause <= 2_400, `${pause} ms`);
  await shopper.leave();
});

test('while nobody looks at it, it asks nothing; who comes back is told at once', async () => {
  const { shopper, order, asked } = await waitingPage();
  await look(shopper.page, false);
  await shopper.page.clock.runFor(5 * MINUTE);
  assert.equal(asked('status'), 0);
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  await look(shopper.page, true);
  await shopper.status('Confirmed').waitFor();
  assert.deepEqual([asked('status'), asked('page')], [1, 2]);
  await shopper.leave();
});

test('after half an hour it asks nothing more, until someone comes back to it', async () => {
  const { shopper, asked } = await waitingPage();
  await shopper.page.clock.fastForward(31 * MINUTE);
  await shopper.page.clock.runFor(5 * MINUTE);
  assert.equal(asked('status'), 0);
  await look(shopper.page, false);
  await look(shopper.page, true);
  await eventually(() => assert.equal(asked('status'), 1));
  await shopper.leave();
});

/** Pauses between polls in milliseconds, as set by the page. */
declare const pauses: number[];

/** Opens the page of an order that waits for its payment, with a clock that stands still. */
async function waitingPage() {
  const order: Json = await shop.shopper().buy('LAMP');
  const shopper = await Shopper.arrive(browser, shop.url);
  const { page, context } = shopper;
  const [name, value] = opened(order)['cookie']!.split('=') as [string, string];
  await context.addCookies([{ name, value, url: shop.url.replace('http:', 'https:'), secure: true }]);
  const seen = { page: 0, status: 0 };
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname === `/orders/${order.id}`) seen.page += 1;
    if (pathname === `/api/v1/orders/${order.id}/status`) seen.status += 1;
  });
  await page.clock.install({ time: 0 });
  await page.clock.pauseAt(MINUTE);
  await page.addInitScript(() => {
    const set = window.setTimeout;
    const pauses: number[] = [];
    const noted = (act: () => void, millis = 0) => {
      if (new Error().stack?.includes('waiting.')) pauses.push(millis);
      return set(act, millis);
    };
    Object.assign(window, { pauses, setTimeout: noted });
  });
  await shopper.visit(`/orders/${order.id}`);
  await shopper.status('Waiting for your payment').waitFor();
  await eventually(async () => assert.equal(await page.evaluate(() => pauses.length), 1));
  return { shopper, order, asked: (what: keyof typeof seen) => seen[what] };
}

/** Switches to another tab, or back. */
function look(page: Page, visible: boolean): Promise<void> {
  return page.evaluate((visible) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value: !visible });
    document.dispatchEvent(new Event('visibilitychange'));
  }, visible);
}
