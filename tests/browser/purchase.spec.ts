/** The whole purchase by page, as shoppers make it: with and without JavaScript, on a phone and at a desk, in other currencies. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { startShop, type Shop } from '../workerd/shop.ts';
import { ADDRESS, amountIn, DESKTOP, openBrowser, PHONE, Shopper, type Kind } from './shopper.ts';

const COUNTRY = 'Country code, such as US';

let shop: Shop;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await shop.importCatalog(readFileSync(new URL('../../demo/catalog.csv', import.meta.url), 'utf8'));
});
after(() => Promise.all([shop?.close(), browser?.close()]));

const visitors: Record<string, Kind> = {
  'at a desk': { viewport: DESKTOP },
  'on a phone, without JavaScript': { viewport: PHONE, javaScript: false },
  'in yen': { viewport: PHONE, currency: 'JPY' },
  'in dinars, without JavaScript': { viewport: DESKTOP, javaScript: false, currency: 'KWD' },
};

for (const [name, kind] of Object.entries(visitors)) {
  test(`a purchase ${name}`, async () => {
    const shopper = await Shopper.arrive(browser, shop.url, kind);
    await choose(shopper);
    await changeQuantity(shopper);
    await checkOutWithAFault(shopper);
    const total = await seeTheReview(shopper);
    await declineThenPay(shopper, total);
    await watchItConfirm(shopper, total);
    await shopper.visit('/cart');
    await shopper.heading('Your cart is empty').waitFor();
    await shopper.leave();
  });
}

/** Home, category, product, variant, cart. */
async function choose(shopper: Shopper): Promise<void> {
  await shopper.visit('/');
  await shopper.link(/^Phones \(/).click();
  await shopper.heading('Phones').waitFor();
  await shopper.link('iPhone 17 Pro Max').first().click();
  await shopper.heading('iPhone 17 Pro Max').waitFor();
  const price = () => shopper.page.locator('.buy .price').innerText();
  const before = await price();
  await shopper.link('Deep Blue / 512GB').click();
  await shopper.page.locator('[aria-current]', { hasText: 'Deep Blue / 512GB' }).waitFor();
  assert.notEqual(await price(), before);
  await shopper.button('Add to cart').click();
  await shopper.heading('Your cart').waitFor();
  assert.equal(await shopper.page.locator('.lines li').count(), 1);
  assert.match(await shopper.page.locator('.lines li').innerText(), /Deep Blue \/ 512GB/);
}

async function changeQuantity(shopper: Shopper): Promise<void> {
  const subtotal = async () => Number(amountIn(await shopper.page.locator('.total strong').innerText()));
  const one = await subtotal();
  await shopper.field('Quantity').fill('2');
  await shopper.button('Update').click();
  await shopper.page.locator('input[name=quantity][value="2"]').waitFor();
  assert.equal(await subtotal(), 2 * one);
}

/** The message stands beside the field, what was typed is kept, and the field has the focus. */
async function checkOutWithAFault(shopper: Shopper): Promise<void> {
  shopper.expects(/status of 422/);
  await shopper.link('Check out').click();
  await shopper.fill({ ...ADDRESS, [COUNTRY]: 'Atlantis' });
  await shopper.page.getByRole('radio').last().check();
  await shopper.button('Continue to review').click();
  const country = shopper.page.locator('input[name=country][aria-invalid=true]');
  await country.waitFor();
  const fault = shopper.page.locator(`#${await country.getAttribute('aria-describedby')}`);
  assert.match(await fault.innerText(), /^A country code of two capital letters/);
  assert.equal(await country.inputValue(), 'Atlantis');
  for (const [label, value] of Object.entries(ADDRESS)) {
    if (label !== COUNTRY) assert.equal(await shopper.page.getByLabel(label, { exact: true }).inputValue(), value);
  }
  assert.equal(await shopper.page.getByRole('radio').last().isChecked(), true);
  await shopper.page.locator('input[name=country]:focus').waitFor();
  await shopper.fill({ [COUNTRY]: 'us' });
  await shopper.button('Continue to review').click();
}

/** The lines and extras add up to the total, which is what the button says; returns it. */
async function seeTheReview(shopper: Shopper): Promise<string> {
  await shopper.heading('Review your order').waitFor();
  const total = await shopper.total('Total');
  const parts = await Promise.all(['Subtotal', 'Shipping', 'Tax'].map((term) => shopper.total(term)));
  assert.equal(sum(parts), sum([total]));
  assert.equal(amountIn(await shopper.button('Place order').innerText()), total);
  return total;
}

async function declineThenPay(shopper: Shopper, total: string): Promise<void> {
  await shopper.placeOrder();
  assert.equal(amountIn(await shopper.heading(/^Pay /).innerText()), total);
  await shopper.button('Decline the card').click();
  await shopper.page.getByRole('alert').waitFor();
  shop.sandbox.faults.add({ on: 'webhook', type: '*', kind: 'hold', times: 1000 });
  await shopper.button('Pay').first().click();
}

/** Until Stripe's word arrives the page says what it waits for; then it turns by itself, in the same tab, untouched. */
async function watchItConfirm(shopper: Shopper, total: string): Promise<void> {
  await shopper.status('Waiting for your payment').waitFor();
  shop.sandbox.faults.clear();
  shop.sandbox.control.release();
  await shopper.status('Confirmed').waitFor();
  assert.equal(await shopper.total('Total'), total);
}

/** Decimals of one currency, added as integers. */
function sum(amounts: string[]): bigint {
  return amounts.reduce((total, amount) => total + BigInt(amount.replace('.', '')), 0n);
}
