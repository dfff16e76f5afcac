/**
 * Writes the pictures of README.md to `docs/images`: one page on a desktop and one on a phone, each
 * in light and dark, as WebP.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { startDemo } from './demo.ts';
import { DESKTOP, openBrowser, PHONE, Shopper } from './shopper.ts';

const FOLDER = join(import.meta.dirname, '../../docs/images');
const MAX_BYTES = 80_000;
const QUALITIES = [86, 80, 74, 68, 60, 50, 40];
const PICTURES = { desktop: { viewport: DESKTOP, path: '/' }, phone: { viewport: PHONE, path: '/products/iphone-17-pro-max' } };

mkdirSync(FOLDER, { recursive: true });
const [shop, browser] = await Promise.all([startDemo(), openBrowser()]);
try {
  for (const [name, { viewport, path }] of Object.entries(PICTURES)) {
    const shopper = await Shopper.arrive(browser, shop.url, { viewport });
    for (const colorScheme of ['light', 'dark'] as const) {
      await shopper.page.emulateMedia({ colorScheme });
      await shopper.visit(path);
      await shopper.page.waitForLoadState('networkidle');
      await write(`shop-${name}-${colorScheme}.webp`, await shopper.page.screenshot());
    }
    await shopper.leave();
  }
} finally {
  await Promise.all([shop.close(), browser.close()]);
}

/** Writes a picture in the best quality that stays within the size limit. */
async function write(name: string, png: Buffer): Promise<void> {
  for (const quality of QUALITIES) {
    const { data, info } = await sharp(png).webp({ quality, effort: 6 }).toBuffer({ resolveWithObject: true });
    if (data.length > MAX_BYTES) continue;
    writeFileSync(join(FOLDER, name), data);
    console.log(`${name}: ${info.width} × ${info.height}, ${Math.round(data.length / 1000)} KB`);
    return;
  }
  throw new Error(`${name} has more than ${MAX_BYTES / 1000} KB even in the lowest quality: picture another page`);
}
