/**
 * The currency is part of the URL: switching it changes the prices and nothing else, and it stays
 * until it is switched again.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { startShop, type Shop } from '../workerd/shop.ts';
import { importDemo } from './demo.ts';
import { openBrowser, Shopper } from './shopper.ts';

let shop: Shop;
let browser: Browser;
let shopper: Shopper;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await importDemo(shop);
});
after(() => Promise.all([shop?.close(), browser?.close()]));
beforeEach(async () => { shopper = await Shopper.arrive(browser, shop.url); });
afterEach(() => shopper.leave());

test('the chosen variant stays chosen', async () => {
  await shopper.visit('/products/iphone-17-pro-max');
  await shopper.link(/^Silver/).click();
  await shopper.page.waitForURL(/IP17PM-SLV-256/);
  await shopper.link(/^1TB/).click();
  await shopper.page.waitForURL(/IP17PM-SLV-1TB/);
  await shopper.link('JPY').click();
  await shopper.page.locator('.buy .price', { hasText: '¥' }).waitFor();
  for (const value of ['Silver', '1TB']) await shopper.page.locator('.choices [aria-current]', { hasText: value }).waitFor();
  await shopper.page.locator('footer [aria-current]', { hasText: 'JPY' }).waitFor();
});

test('the page of the list stays, and the next one keeps the currency', async () => {
  await shopper.visit('/products?page=2');
  const titles = () => shopper.page.locator('.cards .title').allInnerTexts();
  const before = await titles();
  await shopper.link('EUR').click();
  await shopper.page.locator('.cards .price', { hasText: '€' }).first().waitFor();
  assert.deepEqual(await titles(), before);
  await shopper.link('Next').click();
  await shopper.page.waitForURL(/page=3/);
  await shopper.page.locator('.cards .price', { hasText: '€' }).first().waitFor();
});

test('switching back leaves no trace in the address', async () => {
  await shopper.visit('/collections/electronics--phones?currency=GBP');
  await shopper.page.locator('.cards .price', { hasText: '£' }).first().waitFor();
  await shopper.link('USD').click();
  await shopper.page.waitForURL(`${shop.url}/collections/electronics--phones`);
});

test('an order opened by its link stays open', async () => {
  await shopper.add('murmur-over');
  await shopper.review();
  await shopper.placeOrder();
  await shopper.pay();
  const path = new URL(shopper.page.url()).pathname;
  const { status_url: link } = (await shop.staff.get(`/api/v1${path}`)).expect(200);
  const guest = await Shopper.arrive(browser, shop.url);
  await guest.page.goto(link);
  await guest.status('Confirmed').waitFor();
  await guest.link('KWD').click();
  await guest.page.waitForURL(/currency=KWD/);
  await guest.status('Confirmed').waitFor();
  assert.equal(await guest.total('Total'), await shopper.total('Total'));
  await guest.leave();
});
