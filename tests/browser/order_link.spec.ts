/**
 * Access to an order from another browser: by the link in an email, whose token leaves the address
 * bar, and by the number and code in the email.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { csvOf } from '../workerd/catalog.ts';
import type { Json } from '../workerd/client.ts';
import { eventually } from '../workerd/eventually.ts';
import { startShop, type Shop } from '../workerd/shop.ts';
import { openBrowser, Shopper } from './shopper.ts';

let shop: Shop;
let browser: Browser;
let order: Json;
/** In development, an email is logged rather than sent. */
let letter: string;

before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await shop.importCatalog(csvOf({ sku: 'LAMP' }));
  order = await shop.shopper().buy('LAMP');
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  letter = await eventually(async () => {
    const line = shop.log.find((line) => line.includes('order_confirmation') && line.includes(order.id));
    assert.ok(line);
    return line;
  });
});
after(() => Promise.all([shop?.close(), browser?.close()]));

test('with JavaScript the link opens the order, and its token is sent in no address', async () => {
  const shopper = await Shopper.arrive(browser, shop.url);
  const sent: string[] = [];
  shopper.page.on('request', (request) => sent.push(`${request.method()} ${request.url()} ${request.headers()['referer'] ?? ''}`));
  await shopper.page.goto(order.status_url);
  await shopper.page.locator('[data-status=confirmed]').waitFor();
  assert.equal(shopper.page.url(), `${shop.url}/orders/${order.id}`);
  assert.ok(sent.some((line) => line.startsWith(`POST ${shop.url}/orders/${order.id}/open`)));
  assert.deepEqual(sent.filter((line) => line.includes('token')), []);
  await shopper.link('Invoice').click();
  await shopper.heading(`Invoice ${order.number}`).waitFor();

  // Followed again, there is no token left to exchange, but it still leaves the address bar.
  await shopper.page.goto(order.status_url);
  await shopper.page.locator('[data-status=confirmed]').waitFor();
  await eventually(async () => assert.equal(shopper.page.url(), `${shop.url}/orders/${order.id}`));
  await shopper.leave();
});

test('a link that is followed on the page of its order that is still closed opens it', async () => {
  const shopper = await Shopper.arrive(browser, shop.url);
  await shopper.page.goto(`${shop.url}/orders/${order.id}`);
  await shopper.heading('Open your order').waitFor();
  await shopper.page.goto(order.status_url);
  await shopper.page.locator('[data-status=confirmed]').waitFor();
  await shopper.leave();
});

for (const javaScript of [true, false]) test(`the number and the code of a letter open the order, ${javaScript ? 'with' : 'without'} JavaScript`, async () => {
  const [, code] = /Code: ([A-Z2-7]{4}-[A-Z2-7]{4})/.exec(letter)!;
  const shopper = await Shopper.arrive(browser, shop.url, { javaScript });
  shopper.expects(/status of 422/);
  const open = async (typed: string) => {
    await shopper.page.getByLabel('Order number').fill(`# ${order.number}`);
    await shopper.page.getByLabel('Code').fill(typed);
    await shopper.button('Open order').click();
  };
  await shopper.page.goto(javaScript ? `${shop.url}/orders/${order.id}` : order.status_url);
  await shopper.heading('Open your order').waitFor();
  await open('AAAA-AAAA');
  await shopper.page.getByText('We have no order with this number and code.').waitFor();
  await open(code!.toLowerCase());
  await shopper.page.locator('[data-status=confirmed]').waitFor();
  assert.equal(new URL(shopper.page.url()).pathname, `/orders/${order.id}`);
  await shopper.leave();
});
