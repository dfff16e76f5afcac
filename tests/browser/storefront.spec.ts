/**
 * Usability of the pages: in another language, by keyboard alone, with a screen reader, and with
 * any data.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Locator } from 'playwright-core';
import { csvOf } from '../workerd/catalog.ts';
import { startShop, type Shop } from '../workerd/shop.ts';
import { importDemo } from './demo.ts';
import { ADDRESS, openBrowser, PHONE, Shopper, type Kind } from './shopper.ts';

const NARROW = { width: 320, height: 640 };
const LONG = 'An endless title with 500 characters; '.repeat(14).slice(0, 500);
const UNTIDY = [
  { sku: 'LONG', title: LONG },
  { sku: 'UNBROKEN', title: 'x'.repeat(500) },
  { sku: 'MARKUP', title: '<img src=x onerror=alert(1)></title><script>alert(2)</script>' },
  { sku: 'RTL', title: 'مصباح ‮gnp.exe🪔 שלום' },
].map((product) => ({ ...product, quantity: 50 }));

let shop: Shop;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await importDemo(shop);
  await shop.importCatalog(csvOf(...UNTIDY));
});
after(() => Promise.all([shop?.close(), browser?.close()]));

for (const [name, kind] of Object.entries<Kind>({ 'with JavaScript': { viewport: PHONE }, 'without JavaScript': { viewport: PHONE, javaScript: false } })) {
  test(`a purchase in German on a phone, ${name}`, async () => {
    const shopper = await Shopper.arrive(browser, shop.url, { ...kind, currency: 'EUR' });
    const { page } = shopper;
    await shopper.visit('/');
    await shopper.link('Deutsch').click();
    await page.locator('html[lang=de]').waitFor();
    await page.getByRole('searchbox').fill('murmur over');
    await page.getByRole('searchbox').press('Enter');
    await shopper.heading('Ergebnisse für „murmur over“').waitFor();
    await page.getByText('1 Produkt', { exact: true }).waitFor();
    await shopper.link(/^Murmur Over/).click();
    assert.match(await page.locator('.buy > .price').innerText(), /^\d{3},\d\d\s€$/);
    await shopper.button('In den Warenkorb').click();
    await shopper.link('Zur Kasse').click();
    shopper.expects(/status of 422/);
    await shopper.button('Weiter zur Übersicht').click();
    await page.locator('#email:focus').waitFor();
    assert.equal(await page.locator('#email-fault').innerText(), 'Geben Sie eine E-Mail-Adresse wie anna@example.com ein.');
    const fields = { 'E-Mail': 'anna@shopper.test', 'Vor- und Nachname': 'Anna', 'Straße und Hausnummer': 'Weg 1', 'Postleitzahl': '10115', 'Ort': 'Berlin' };
    for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value);
    await page.getByLabel('Land', { exact: true }).selectOption({ label: 'Deutschland' });
    await shopper.button('Weiter zur Übersicht').click();
    await shopper.heading('Bestellung prüfen').waitFor();
    await shopper.link('Adresse ändern').click();
    assert.equal(await page.getByLabel('Ort', { exact: true }).inputValue(), 'Berlin');
    await shopper.button('Weiter zur Übersicht').click();
    await shopper.button('Zahlungspflichtig bestellen').click();
    await shopper.pay('Bestätigt');
    assert.match(page.url(), /\/de\/orders\//);
    await page.locator('header .brand').click();
    await page.waitForURL(/\/de\?currency=EUR$/);
    await shopper.leave();
  });
}

test('a variant is chosen without a reload, with price, picture, number and address, and Back leaves the product', async () => {
  const shopper = await Shopper.arrive(browser, shop.url);
  const { page } = shopper;
  await shopper.visit('/collections/electronics--phones');
  await shopper.link(/^iPhone 17 Pro Max/).first().click();
  await shopper.heading('iPhone 17 Pro Max').waitFor();
  await page.evaluate(() => { document.body.dataset['same'] = 'yes'; });
  await shopper.link(/^Silver/).click();
  await page.locator('.sku', { hasText: 'IP17PM-SLV-256' }).waitFor();
  await shopper.link(/^2TB/).click();
  await page.locator('.sku', { hasText: 'IP17PM-SLV-2TB' }).waitFor();
  assert.match(page.url(), /sku=IP17PM-SLV-2TB/);
  assert.equal(await page.locator('.buy > .price').innerText(), '$1,999.00');
  assert.match((await page.locator('.frames img').first().getAttribute('alt'))!, /Silver/);
  assert.equal(await page.evaluate(() => document.body.dataset['same']), 'yes');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent?.startsWith('2TB')), true);
  await page.goBack();
  await shopper.heading('Phones').waitFor();
  await shopper.leave();
});

test('the keyboard alone chooses, adds, changes, and reaches the checkout', async () => {
  const shopper = await Shopper.arrive(browser, shop.url);
  const { page } = shopper;
  await shopper.visit('/products/iphone-17');
  await page.keyboard.press('Tab');
  await page.getByText('Skip to content').and(page.locator(':focus')).waitFor();
  await tabTo(shopper, shopper.link(/^512GB/));
  await page.keyboard.press('Enter');
  await page.locator('.choices [aria-current]', { hasText: '512GB' }).waitFor();
  await tabTo(shopper, shopper.button('Add to cart'));
  await page.keyboard.press('Enter');
  await shopper.heading('Your cart').waitFor();
  await tabTo(shopper, shopper.button('One more iPhone 17'));
  await page.keyboard.press('Enter');
  await page.locator('.drawer input[name=quantity][value="2"]').waitFor();
  await shopper.button('One more iPhone 17').and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.drawer').waitFor({ state: 'hidden' });
  await tabTo(shopper, shopper.link(/^Enlarge/).first());
  await page.keyboard.press('Enter');
  await page.locator('dialog.zoom img').waitFor();
  await page.keyboard.press('Escape');
  await shopper.link(/^Enlarge/).first().and(page.locator(':focus')).waitFor();
  await shopper.visit('/cart');
  await tabTo(shopper, shopper.link('Check out'));
  await page.keyboard.press('Enter');
  await shopper.heading('Checkout').waitFor();
  await tabTo(shopper, page.getByLabel('Email'));
  await shopper.leave();
});

test('who can not see hears what changes in the cart, and its number is shown', async () => {
  const shopper = await Shopper.arrive(browser, shop.url);
  const { page } = shopper;
  await shopper.add('murmur-over', 2);
  const heard = page.locator('.drawer [role=status]', { hasText: 'Added to your cart' });
  await heard.waitFor();
  await page.keyboard.press('Escape');
  const other = await shopper.context.newPage();
  await other.goto(`${shop.url}/products/iphone-air`);
  await other.locator('[data-cart-count]', { hasText: '2' }).waitFor();
  await shopper.visit('/cart');
  await shopper.setQuantity(5);
  await other.locator('[data-cart-count]', { hasText: '5' }).waitFor();
  await shopper.leave();
});

test('every click on + counts, however fast they come', async () => {
  const shopper = await Shopper.arrive(browser, shop.url);
  const { page } = shopper;
  await shopper.add('murmur-over', 2);
  await shopper.visit('/cart');
  await page.locator('[id^=more-]').evaluate((more: HTMLElement) => [1, 2, 3].forEach(() => more.click()));
  await page.locator('[data-cart-count]', { hasText: '5' }).waitFor();
  await page.reload();
  assert.equal(await page.locator('[name=quantity]').inputValue(), '5');
  await shopper.leave();
});

test('clicks on the + of several lines count, whichever is answered first', async () => {
  const shopper = await Shopper.arrive(browser, shop.url);
  const { page } = shopper;
  await shopper.add('murmur-over');
  await shopper.add('iphone-air');
  await shopper.visit('/cart');
  await page.locator('[id^=more-]').evaluateAll((all: HTMLElement[]) => [all[0], all[1], all[0]].forEach((more) => more!.click()));
  await page.locator('[data-cart-count]', { hasText: '5' }).waitFor();
  await shopper.leave();
});

test('filters narrow a list without a reload, with one too, and count what is left', async () => {
  for (const javaScript of [true, false]) {
    const shopper = await Shopper.arrive(browser, shop.url, { javaScript });
    const { page } = shopper;
    await shopper.visit('/collections/electronics--phones');
    await page.getByText('14 products').waitFor();
    await page.getByLabel('Brand').selectOption({ label: 'Apple (4)' });
    if (!javaScript) await shopper.button('Apply').click();
    await page.waitForURL(/vendor=Apple/);
    await page.getByText('4 products').waitFor();
    await page.getByLabel('Sort by').selectOption('-price');
    if (!javaScript) await shopper.button('Apply').click();
    await page.waitForURL(/sort=-price/);
    assert.match(await page.locator('.card').first().innerText(), /iPhone 17 Pro Max/);
    await shopper.link('Clear filters').click();
    await page.getByText('14 products').waitFor();
    await shopper.leave();
  }
});

test('who lost the cookie is led to an empty cart, not to a dead end', async () => {
  const shopper = await Shopper.arrive(browser, shop.url);
  await shopper.add('murmur-over');
  await shopper.review();
  await shopper.context.clearCookies();
  await shopper.button('Place order').click();
  await shopper.heading('Your cart is empty').waitFor();
  await shopper.leave();
});

test('whatever the data, nothing runs, and 320 pixels are enough', async () => {
  const shopper = await Shopper.arrive(browser, shop.url, { viewport: NARROW });
  const { page } = shopper;
  const fits = async (where: string) => {
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(beyond <= 0, `${where} is ${beyond} pixels too wide`);
  };
  for (const { sku } of UNTIDY) {
    await shopper.add(sku.toLowerCase());
    await page.keyboard.press('Escape');
    await fits(sku);
  }
  for (const path of ['/', '/products?q=an', '/products?sort=title', '/cart', '/checkout', '/orders', '/policies/terms', '/de/checkout', '/nowhere']) {
    if (path === '/nowhere') shopper.expects(/status of 404/);
    await shopper.visit(path);
    await fits(path);
  }
  await shopper.visit('/cart');
  await shopper.review(ADDRESS);
  await fits('the review');
  await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
  await shopper.leave();
});

/** Presses Tab until the element has the focus, and checks that it is visible. */
async function tabTo({ page }: Shopper, wanted: Locator): Promise<void> {
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press('Tab');
    if (!(await wanted.evaluateAll((found) => found.includes(document.activeElement as never)))) continue;
    const outlined = await page.evaluate(() => {
      const element = document.activeElement!;
      return [element, '::after'].some((part) => getComputedStyle(element, part === element ? null : '::after').outlineStyle !== 'none');
    });
    assert.ok(outlined, 'the focus can be seen');
    return;
  }
  assert.fail('the keyboard does not get there');
}
