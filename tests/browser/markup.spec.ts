/**
 * The HTML of every page, as sent by the Worker, is valid: html-validate checks it against the
 * WHATWG's content model.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HtmlValidate } from 'html-validate';
import type { Browser } from 'playwright-core';
import { startShop, type Shop } from '../workerd/shop.ts';
import { importDemo } from './demo.ts';
import { openBrowser, PHONE, Shopper } from './shopper.ts';
import { tour } from './tour.ts';

const judge = new HtmlValidate({
  extends: ['html-validate:standard', 'html-validate:document'],
  rules: { 'require-sri': 'off' }, // every script and style is the shop's own, under the hash of its content
});

let shop: Shop;
let browser: Browser;
before(async () => {
  [shop, browser] = await Promise.all([startShop(), openBrowser()]);
  await importDemo(shop);
});
after(() => Promise.all([shop?.close(), browser?.close()]));

test('every page', async (t) => {
  const shopper = await Shopper.arrive(browser, shop.url, { viewport: PHONE });
  const asked = { headers: { accept: 'text/html' } };
  const validate = (name: string, html: string) => t.test(name, async () => {
    assert.match(html, /^<!DOCTYPE html>/);
    const { results } = await judge.validateString(html);
    assert.deepEqual(results.flatMap(({ messages }) => messages.map(({ ruleId, message, selector }) => `${ruleId}: ${message} at ${selector}`)), []);
  });
  for await (const stop of tour(shopper)) {
    const url = shopper.page.url();
    if (!url.startsWith(shop.url)) continue;
    await validate(stop, await (await shopper.context.request.get(url, asked)).text());
    await validate(`${stop}, in German`, await (await shopper.context.request.get(url.replace(shop.url, `${shop.url}/de`), asked)).text());
    if (stop === 'checkout') {
      const refused = await shopper.context.request.post(url, { form: { email: 'nobody', country: '' }, headers: { ...asked.headers, origin: shop.url } });
      assert.equal(refused.status(), 422);
      await validate('checkout-refused', await refused.text());
    }
  }
  for (const path of ['/offline', '/offline/kept', '/policies/returns', '/orders', '/_design']) {
    await validate(path, await (await shopper.context.request.get(shop.url + path, asked)).text());
  }
  await shopper.leave();
});
