/**
 * axe-core finds no violation on any page, on a phone and on a desktop, in light and dark; no page
 * is wider than its screen.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { startShop, type Shop } from '../workerd/shop.ts';
import { importDemo } from './demo.ts';
import { DESKTOP, openBrowser, PHONE, Shopper } from './shopper.ts';
import { tour } from './tour.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

let shop: Shop;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await importDemo(shop);
});
after(() => Promise.all([shop?.close(), browser?.close()]));

for (const [name, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
  test(`every page on a ${name}`, async (t) => {
    const shopper = await Shopper.arrive(browser, shop.url, { viewport });
    for await (const stop of tour(shopper)) {
      await t.test(stop, async () => {
        assert.ok((await overflow(shopper.page)) <= 0, 'the page scrolls sideways');
        for (const colorScheme of ['light', 'dark'] as const) {
          await shopper.page.emulateMedia({ colorScheme });
          assert.deepEqual(await violations(shopper.page), [], colorScheme);
        }
      });
    }
    await shopper.leave();
  });
}

/** Returns the violations that axe-core finds, one line each. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate((rules) => (window as unknown as { axe: typeof axe }).axe.run({ runOnly: rules }), RULES);
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help} at ${target.join(' ')}`));
}

/** Returns the number of pixels by which the page is wider than the window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
