/**
 * The whole purchase through the pages, as shoppers make it: with and without JavaScript, on a
 * phone and on a desktop, in other currencies.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { startShop, type Shop } from '../workerd/shop.ts';
import { importDemo } from './demo.ts';
import { ADDRESS, amountIn, DESKTOP, FIELDS, openBrowser, PHONE, Shopper, type Address, type Kind } from './shopper.ts';

const POSTAL_CODE = 'Postal code';

let shop: Shop;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await importDemo(shop);
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

for (const javaScript of [true, false]) {
  test(`an order billed to another address, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
    const shopper = await Shopper.arrive(browser, shop.url, { viewport: PHONE, javaScript });
    const { page } = shopper;
    const billing = page.getByRole('group', { name: 'Billing address' });
    const field = (label: string) => billing.getByLabel(`Billing address: ${label}`, { exact: true });
    await shopper.add('murmur-over');
    await shopper.link('Check out').click();
    await shopper.fill(ADDRESS);
    assert.equal(await field('City').isVisible(), false);
    await billing.getByLabel('Same as delivery address').uncheck();
    await field('Country').selectOption({ label: 'Germany' });
    for (const [label, value] of [['Full name', 'Åse & Söhne <GmbH>'], ['Address', 'Torstraße 1'], ['City', 'Berlin'], ['Postal code', '1']] as const) await field(label).fill(value);
    shopper.expects(/status of 422/);
    await shopper.button('Continue to review').click();
    await page.locator('input[name=billing_postal_code][aria-invalid=true]:focus').waitFor();
    assert.equal(await page.locator('[aria-invalid]').count(), 1);
    assert.equal(await field('Full name').inputValue(), 'Åse & Söhne <GmbH>');
    await field('Postal code').fill('10119');
    await shopper.button('Continue to review').click();
    await shopper.heading('Review your order').waitFor();
    await shopper.link('Change address').click();
    assert.equal(await field('City').inputValue(), 'Berlin');
    await shopper.button('Continue to review').click();
    const billed = page.locator('address', { hasText: 'Åse & Söhne <GmbH>' });
    for (const [leave, arrive] of [
      [() => shopper.placeOrder().then(() => shopper.pay()), 'Review your order'],
      [() => shopper.link('Invoice').click(), 'Confirmed. Thank you!'],
      [async () => {}, /^Invoice/],
    ] as const) {
      await shopper.heading(arrive).waitFor();
      assert.match(await billed.innerText(), /Torstraße 1\s+10119 Berlin\s+Germany/);
      assert.match(await page.locator('address').first().innerText(), /Ann Shopper|Söhne/);
      await leave();
    }
    await shopper.leave();
  });
}

for (const javaScript of [true, false]) {
  test(`Enter in a field of the address goes on to the review, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
    const shopper = await Shopper.arrive(browser, shop.url, { viewport: PHONE, javaScript });
    await shopper.add('murmur-over');
    await shopper.link('Check out').click();
    const city = await shopper.page.locator('#city').elementHandle();
    await shopper.fill(ADDRESS);
    // The choice of a country has exchanged the fields, and brought no button of a page without a
    // script.
    if (javaScript) await shopper.page.waitForFunction((old) => !old!.isConnected, city);
    await shopper.page.locator('#city').press('Enter');
    await shopper.heading('Review your order').waitFor();
    await shopper.leave();
  });
}

test('the ways to ship are those to the country that is chosen, and what was typed stays', async (t) => {
  const path = '/api/v1/admin/settings/shipping-zones';
  const { version, ...before } = (await shop.staff.get(path)).expect(200);
  t.after(async () => (await shop.staff.put(path, before)).expect(200));
  const zone = (country: string, id: string, title: string, amount: number) => ({
    id: country, places: [{ country }], methods: [
      { id: 'slow', title: 'By foot', rates: [{ price: { amount: 0, currency: 'USD' } }] },
      { id, title, rates: [{ price: { amount, currency: 'USD' } }], working_days: { min: 1, max: 2 } },
    ],
  });
  (await shop.staff.put(path, { shipping_zones: [zone('US', 'rail', 'By rail', 500), zone('DE', 'boat', 'By boat', 900)] })).expect(200);
  const shopper = await Shopper.arrive(browser, shop.url, { viewport: PHONE });
  const ways = () => shopper.page.getByRole('group', { name: 'Shipping' });
  await shopper.add('murmur-over');
  await shopper.link('Check out').click();
  await shopper.fill({ Email: ADDRESS.Email });
  for (const told of [/By foot\s*Free/, /By rail\s*From \$5\.00/, /By boat\s*From \$9\.00/]) assert.match(await ways().innerText(), told);
  await shopper.fill({ Country: 'Germany' });
  await ways().getByText('By rail').waitFor({ state: 'detached' });
  assert.match(await ways().innerText(), /By boat\s*Arrives \w+ \d+.*\s*\$9\.00/);
  await shopper.page.getByLabel('By boat').check();
  await shopper.fill({ Country: 'United States' });
  await ways().getByText('By rail').waitFor();
  assert.equal(await shopper.page.getByLabel('By foot').isChecked(), true);
  await shopper.page.getByLabel('By rail').check();
  await shopper.fill(ADDRESS);
  assert.equal(await shopper.field('Email').inputValue(), ADDRESS.Email);
  await shopper.button('Continue to review').click();
  await shopper.heading('Review your order').waitFor();
  await shopper.page.locator('.parties', { hasText: 'By rail' }).waitFor();
  await shopper.leave();
});

/** Visits home, category, product, variant and cart. */
async function choose(shopper: Shopper): Promise<void> {
  await shopper.visit('/');
  await shopper.page.locator('.tiles').getByRole('link', { name: /^Phones/ }).click();
  await shopper.heading('Phones').waitFor();
  await shopper.link('iPhone 17 Pro Max').first().click();
  await shopper.heading('iPhone 17 Pro Max').waitFor();
  const price = () => shopper.page.locator('.buy > .price').innerText();
  const before = await price();
  for (const value of ['Deep Blue', '512GB']) {
    await shopper.link(new RegExp(`^${value}`)).click();
    await shopper.page.locator('.choices [aria-current]', { hasText: value }).waitFor();
  }
  assert.match(await shopper.page.locator('.sku').innerText(), /IP17PM-BLU-512/);
  assert.match(shopper.page.url(), /IP17PM-BLU-512/);
  await shopper.page.locator('.frames img').first().getAttribute('alt').then((alt) => assert.match(alt!, /Deep Blue/));
  assert.notEqual(await price(), before);
  await shopper.button('Add to cart').click();
  await shopper.heading('Your cart').waitFor();
  assert.equal(await shopper.page.locator('.lines li').count(), 1);
  assert.match(await shopper.page.locator('.lines li').innerText(), /Deep Blue \/ 512GB/);
}

async function changeQuantity(shopper: Shopper): Promise<void> {
  const subtotal = async () => Number(amountIn(await shopper.page.locator('.total strong').innerText()));
  const one = await subtotal();
  await shopper.setQuantity(2);
  assert.equal(await subtotal(), 2 * one);
}

/** The error is shown beside the field, typed values are kept, and the field has the focus. */
async function checkOutWithAFault(shopper: Shopper): Promise<void> {
  shopper.expects(/status of 422/);
  await shopper.link('Check out').click();
  await shopper.fill({ ...ADDRESS, [POSTAL_CODE]: 'nowhere' });
  await shopper.page.getByRole('radio').last().check();
  await shopper.button('Continue to review').click();
  const postalCode = shopper.page.locator('input[name=postal_code][aria-invalid=true]');
  await postalCode.waitFor();
  const fault = shopper.page.locator(`#${await postalCode.getAttribute('aria-describedby')}`);
  assert.match(await fault.innerText(), /^Not a valid postal code\. Use a format like 12345 or 12345-6789/);
  const kept = { ...ADDRESS, [POSTAL_CODE]: 'nowhere', 'Country': 'US' };
  for (const [label, value] of Object.entries(kept)) {
    assert.equal(await shopper.page.locator(`#${FIELDS[label as keyof Address]}`).inputValue(), value);
  }
  assert.equal(await shopper.page.getByRole('radio').last().isChecked(), true);
  await shopper.page.locator('input[name=postal_code]:focus').waitFor();
  await shopper.fill({ [POSTAL_CODE]: ADDRESS[POSTAL_CODE] });
  await shopper.button('Continue to review').click();
}

/** Checks that lines and extras add up to the total on the button; returns the total. */
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

/**
 * Until Stripe confirms the payment, the page says that it waits; then it updates by itself, in the
 * same tab.
 */
async function watchItConfirm(shopper: Shopper, total: string): Promise<void> {
  await shopper.status('Waiting for your payment').waitFor();
  shop.sandbox.faults.clear();
  shop.sandbox.control.release();
  await shopper.status('Confirmed').waitFor();
  assert.equal(await shopper.total('Total'), total);
}

/** Adds decimals of one currency as integers. */
function sum(amounts: string[]): bigint {
  return amounts.reduce((total, amount) => total + BigInt(amount.replace('.', '')), 0n);
}
