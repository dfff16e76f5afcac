/**
 * Renders everything that must be PNG because SVG is not accepted: the icons of the installed shop,
 * and the picture for shared links to pages without one. They are drawn with Chromium from the
 * shop's mark and stored under `assets/icons`.
 *
 *     node demo/icons.mjs
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { findChromium } from '../tools/chromium.mjs';
import { draw } from './art.mjs';

const FOLDER = new URL('../assets/icons/', import.meta.url);
const GRID = { width: 64, height: 64, ground: null };
const INK = '#14181f';
const EMBER = '#f27a35';

/**
 * Platforms crop the corners of a maskable icon, so the mark stays within its inner four fifths.
 */
const icon = (size, mark) => ({ width: size, height: size, html: `<body style="background:${INK}">${fitted(mark, size)}` });
const PICTURES = {
  'icon-192.png': { ...icon(192, 0.78), rounded: true },
  'icon-512.png': { ...icon(512, 0.78), rounded: true },
  'maskable-512.png': icon(512, 0.56),
  'touch-180.png': icon(180, 0.68),
  'share.png': {
    width: 1200,
    height: 630,
    html: `<body style="background:${INK};gap:48px">${fitted(1, 240)}<span style="color:#fff;font:700 132px/1 system-ui,sans-serif;letter-spacing:-4px">Ohmstead</span>`,
  },
};

mkdirSync(FOLDER, { recursive: true });
const browser = await chromium.launch({ executablePath: findChromium() ?? undefined, args: ['--no-sandbox'] });
const page = await browser.newPage();
for (const [name, { width, height, html, rounded }] of Object.entries(PICTURES)) {
  await page.setViewportSize({ width, height });
  const clip = rounded ? 'html{background:none}body{border-radius:23%}' : '';
  await page.setContent(`<!doctype html><style>body{margin:0;height:100vh;display:flex;align-items:center;justify-content:center}${clip}</style>${html}`);
  await page.screenshot({ path: fileURLToPath(new URL(name, FOLDER)), omitBackground: true });
}
await browser.close();

/** The mark in a square of `size` pixels, with `share` of its width. */
function fitted(share, size) {
  const side = Math.round(share * size);
  return draw({ kind: 'mark', color: EMBER, ...GRID }).replace(/width="64" height="64"/, `width="${side}" height="${side}"`);
}
