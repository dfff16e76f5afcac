/**
 * Writes a picture of every page, on a phone and on a desktop, in light and dark, to the folder
 * `screenshots`, which is emptied first.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startDemo } from './demo.ts';
import { DESKTOP, openBrowser, PHONE, Shopper } from './shopper.ts';
import { tour } from './tour.ts';

const FOLDER = join(import.meta.dirname, 'screenshots');

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER);
const [shop, browser] = await Promise.all([startDemo(), openBrowser()]);
try {
  for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
    const shopper = await Shopper.arrive(browser, shop.url, { viewport });
    for await (const stop of tour(shopper)) await picture(shopper, `${stop}-${device}`);
    await shopper.leave();
  }
} finally {
  await Promise.all([shop.close(), browser.close()]);
}

async function picture({ page }: Shopper, name: string): Promise<void> {
  for (const image of await page.locator('img[loading=lazy]').all()) await image.scrollIntoViewIfNeeded();
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => scrollTo(0, 0));
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}.png`), fullPage: true });
  }
}
