/**
 * Impatient, curious and dishonest shoppers: at most one order results, and the shop stays usable.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { csvOf } from '../workerd/catalog.ts';
import { eventually } from '../workerd/eventually.ts';
import { startShop, type Shop } from '../workerd/shop.ts';
import { openBrowser, Shopper } from './shopper.ts';

let shop: Shop;
let browser: Browser;
let shopper: Shopper;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100, title: 'Lamp' }, { sku: 'RARE', quantity: 2 }));
});
after(() => Promise.all([shop?.close(), browser?.close()]));
beforeEach(async () => { shopper = await Shopper.arrive(browser, shop.url); });

test('a double click places one order', async () => {
  const before = await orders();
  await shopper.add('lamp');
  await shopper.review();
  await shopper.button('Place order').dblclick();
  await shopper.heading(/^Pay /).waitFor();
  await shopper.pay();
  assert.equal(await orders(), before + 1);
  await shopper.leave();
});

test('the form of the review sent five times at once places one order, and all are led to its payment', async () => {
  const before = await orders();
  await shopper.add('lamp');
  await shopper.review();
  const form = { key: await shopper.page.locator('input[name=key]').inputValue() };
  const headers = { origin: shop.url };
  const send = () => shopper.context.request.post(shopper.page.url(), { form, headers, maxRedirects: 0 });
  const answers = await Promise.all(Array.from({ length: 5 }, send));
  assert.deepEqual(answers.map((answer) => answer.status()), [303, 303, 303, 303, 303]);
  assert.equal(new Set(answers.map((answer) => answer.headers()['location'])).size, 1);
  assert.equal(await orders(), before + 1);
  await shopper.leave();
});

test('two tabs of one cart come to one order', async () => {
  const before = await orders();
  await shopper.add('lamp');
  await shopper.review();
  const other = await shopper.context.newPage();
  await other.goto(shopper.page.url());
  await shopper.placeOrder();
  await other.getByRole('button', { name: 'Place order' }).click();
  const payNow = other.getByRole('link', { name: 'Pay now' });
  await payNow.waitFor();
  assert.equal(await payNow.getAttribute('href'), shopper.page.url());
  assert.equal(await orders(), before + 1);
  await shopper.leave();
});

test('going back after paying neither charges nor orders again', async () => {
  await shopper.add('lamp');
  await shopper.review();
  await shopper.placeOrder();
  await shopper.pay();
  const [charges, before] = [shop.sandbox.account.charges.size, await orders()];
  await backUntil(shopper.page, /\/c\/pay\//);
  await shopper.heading('Payment complete').waitFor();
  await backUntil(shopper.page, /\/checkout\/quote_/);
  shopper.expects(/status of 422/);
  await shopper.button('Place order').click();
  await shopper.page.getByText('Your cart is empty').waitFor();
  assert.deepEqual([shop.sandbox.account.charges.size, await orders()], [charges, before]);
  await shopper.leave();
});

test('who comes back from the payment page unpaid finds the order, and can still pay', async () => {
  await shopper.add('lamp');
  await shopper.review();
  await shopper.placeOrder();
  await shopper.link('Back to shop').click();
  await shopper.status('Waiting for your payment').waitFor();
  await shopper.visit('/cart');
  await shopper.page.locator('.lines').getByText('Quantity 1').waitFor();
  assert.equal(await shopper.page.locator('.stepper').count(), 0);
  await shopper.link('View order').click();
  await shopper.link('Pay now').click();
  await shopper.heading(/^Pay /).waitFor();
  await shopper.pay();
  await shopper.leave();
});

test('who wants more than there is learns how much there is, and can have that', async () => {
  shopper.expects(/status of 409/);
  await shopper.add('rare', 3);
  await shopper.review();
  await shopper.button('Place order').click();
  await shopper.heading('Not enough in stock').waitFor();
  await shopper.page.getByText('You can order at most 2 of Thing RARE.').waitFor();
  await shopper.link('Go to your cart').click();
  await shopper.setQuantity(2);
  await shopper.review();
  await shopper.placeOrder();
  await shopper.pay();
  assert.equal((await shop.stock('RARE')).available, 0);
  await shopper.leave();
});

test('the address is not asked of who has nothing to order', async () => {
  await shopper.visit('/checkout');
  await shopper.heading('Your cart is empty').waitFor();
  await shopper.add('lamp');
  await shopper.button('Remove').click();
  await shopper.heading('Your cart is empty').waitFor();
  await shopper.visit('/checkout');
  await shopper.heading('Your cart is empty').waitFor();
  await shopper.leave();
});

test('a forged cookie is told and forgotten', async () => {
  shopper.expects(/status of 401/);
  await shopper.add('lamp');
  const [cookie] = await shopper.context.cookies();
  // Signatures don't distinguish upper and lower case.
  const last = cookie!.value.endsWith('a') ? 'e' : 'a';
  await shopper.context.addCookies([{ ...cookie!, value: cookie!.value.slice(0, -1) + last }]);
  const answer = await shopper.page.goto(`${shop.url}/cart`);
  assert.equal(answer!.status(), 401);
  await shopper.heading('Your cart could not be opened').waitFor();
  await shopper.link('Go to your cart').click();
  await shopper.heading('Your cart is empty').waitFor();
  await shopper.add('lamp');
  await shopper.leave();
});

test('another shopper sees neither the quote nor the order', async () => {
  await shopper.add('lamp');
  await shopper.review();
  const quote = shopper.page.url();
  await shopper.placeOrder();
  await shopper.pay();
  const { origin, pathname } = new URL(shopper.page.url());
  const stranger = await Shopper.arrive(browser, shop.url);
  stranger.expects(/status of 404/);
  assert.equal((await stranger.page.goto(quote))!.status(), 404);
  await stranger.heading('Not found').waitFor();
  for (const guess of ['', '?token=guess', '#token=guess']) {
    await stranger.page.goto(origin + pathname + guess);
    await stranger.heading('Open your order').waitFor();
    await eventually(async () => assert.equal(stranger.page.url(), origin + pathname));
  }
  await stranger.leave();
  await shopper.leave();
});

async function orders(): Promise<number> {
  return (await shop.counts())['orders']!;
}

/**
 * Presses “back” until the address matches: reloads and redirects add history entries of their own.
 */
async function backUntil(page: Page, address: RegExp): Promise<void> {
  await eventually(async () => {
    if (!address.test(page.url())) await page.goBack();
    assert.match(page.url(), address);
  });
}
