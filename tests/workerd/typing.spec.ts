/** What people type, paste and have filled in: one form of it in the runtime, whose tables of Unicode are not those of the native tests. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { DELIVERY, type Json } from './client.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

const BERLIN = { name: 'Uwe', line1: 'Torstraße 1', city: 'Berlin', postal_code: '10115', country: 'DE' };

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000 }));
});
after(() => shop.close());

test('a code is taken however it was pasted', async () => {
  const percentage = { kind: 'percentage', off_ppm: 100_000 };
  const promotions = [{ id: 'save', title: 'Save', code: 'SAVE-10', benefit: percentage }, { id: 'thanks', title: 'Thanks', code: 'DANKEFÜR', benefit: percentage }];
  (await shop.staff.put('/api/v1/admin/settings/promotions', { promotions })).expect(200);
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  for (const [code, id] of [
    ['SAVE-10\u200b', 'save'], ['save\u201310', 'save'], ['\ufeffSAVE\u201110\u00a0', 'save'], ['ＳＡＶＥ－１０', 'save'], ['\u202aSAVE\u221210\u202c', 'save'], ['save-١٠', 'save'],
    ['dankefu\u0308r', 'thanks'], ['Danke\u00adfür', 'thanks'], ['danke\u3000für', 'thanks'],
  ] as const) {
    const { promotions: [used] } = await buyer.quote({ codes: [code] });
    assert.equal(used?.id, id, JSON.stringify(code));
  }
  (await buyer.post('/api/v1/cart/quote', { ...DELIVERY, codes: ['SAVE10'] })).refused(422, 'unknown_code');
});

test('a VAT number and an order number are taken however they were pasted', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  for (const number of ['DE\u00a0123\u2011456\u2013789\u200b', 'ＤＥ１２３４５６７８９', '\u200ede.123.456.789']) {
    const quote = await buyer.quote({ shipping_address: BERLIN, vat_number: number });
    assert.equal(quote.vat_number, 'DE123456789', JSON.stringify(number));
  }
});

test('a mail address is one on every face, as the payment provider takes it', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  for (const email of [
    'ann@shopper..test', 'ann,bob@shopper.test', 'ann@-shopper.test', `${'a'.repeat(65)}@shopper.test`, 'ann@shopper.123', '<ann@shopper.test>', 'x<victim@evil.test>', 'ann@shopper.test\u0000',
  ]) {
    const { errors } = (await buyer.post('/api/v1/cart/quote', { ...DELIVERY, email })).refused(422, 'invalid_email');
    assert.deepEqual(errors.map(({ field }: Json) => field), ['email'], email);
    const form = new URLSearchParams({ number: '1234567', email }).toString();
    const page = await shop.shopper().send('POST', '/orders', form, { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' });
    assert.equal(page.status, 422, email);
  }
  for (const [typed, kept, sent] of [
    [' ann+shop@shopper.test\u200b', 'ann+shop@shopper.test', 'ann+shop@shopper.test'],
    ["o'neil@shopper.test", "o'neil@shopper.test", "o'neil@shopper.test"],
    ['ann.@docomo.test', 'ann.@docomo.test', 'ann.@docomo.test'],
    ['ａｎｎ＠ｓｈｏｐｐｅｒ。ｔｅｓｔ', 'ann@shopper.test', 'ann@shopper.test'],
    ['ann@mu\u0308ller.test', 'ann@müller.test', 'ann@xn--mller-kva.test'],
    ['änne@shopper.test', 'änne@shopper.test', null],
  ] as const) {
    const person = shop.shopper();
    await person.add('LAMP');
    const { id } = await person.quote({ email: typed });
    const order = (await person.order(id)).expect(201);
    assert.equal(order.email, kept);
    assert.equal(shop.sandbox.account.sessions.get(sessionOf(order))?.customer_email, sent);
  }
});
