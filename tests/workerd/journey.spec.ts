/**
 * The whole purchase through the API, involving every part of the shop: D1, KV, objects, the queue,
 * a payment.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { opened, tokenOf } from './client.ts';
import { eventually } from './eventually.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', title: 'Desk lamp', price: '25.00' }, { sku: 'CHAIR', price: '120.50' }, { sku: 'EBOOK', tracked: false }));
});
after(() => shop.close());

test('a product is found, bought, paid and confirmed', async () => {
  const buyer = shop.shopper();
  const { data } = (await buyer.get('/api/v1/products')).expect(200);
  assert.deepEqual(data.map((product: { handle: string }) => product.handle), ['lamp', 'chair', 'ebook']);
  const product = (await buyer.get('/api/v1/products/lamp')).expect(200);
  assert.deepEqual(product.variants[0].price, { amount: 2500, currency: 'USD' });

  await buyer.add('LAMP', 2);
  const cart = await buyer.add('CHAIR');
  assert.deepEqual([cart.quantity, cart.subtotal], [3, { amount: 17050, currency: 'USD' }]);

  // 8 % of 5000, of 12050, and of shipping's 595.
  const quote = await buyer.quote();
  const sums = ['subtotal', 'discount_total', 'shipping_total', 'tax_total', 'total'];
  const amounts = (from: Record<string, { amount: number }>) => sums.map((name) => from[name]?.amount);
  assert.deepEqual(amounts(quote), [17050, 0, 595, 1412, 19057]);

  const order = (await buyer.order(quote.id)).expect(201);
  assert.deepEqual(amounts(order), amounts(quote));
  assert.deepEqual([order.status, order.payment_status, order.payment.status], ['pending_payment', 'open', 'open']);
  assert.deepEqual(numbers(await shop.stock('LAMP')), { on_hand: 10, held: 2, reserved: 0, committed: 0, available: 8 });
  const session = shop.sandbox.account.sessions.get(sessionOf(order));
  assert.deepEqual([session?.amount_total, session?.client_reference_id], [19057, order.id]);

  await shop.press(order, 'pay');
  const confirmed = await shop.settled(order, 'confirmed');
  assert.deepEqual([confirmed.payment_status, confirmed.payment.url], ['paid', undefined]);
  assert.deepEqual(confirmed.timeline.map((entry: { event: string }) => entry.event), ['placed', 'paid']);
  assert.deepEqual(numbers(await shop.stock('LAMP')), { on_hand: 10, held: 0, reserved: 0, committed: 2, available: 8 });
  assert.deepEqual(numbers(await shop.stock('CHAIR')), { on_hand: 10, held: 0, reserved: 0, committed: 1, available: 9 });
  const emptied = (await buyer.get('/api/v1/cart')).expect(200);
  assert.deepEqual([emptied.lines, emptied.order_id], [[], undefined]);
  await eventually(() => assert.equal(shop.log.filter((line) => line.includes('"order_confirmation"') && line.includes(order.id)).length, 1));
});

test('a declined card can be followed by one that is not', async () => {
  const order = await shop.shopper().buy('LAMP');
  await shop.press(order, 'decline');
  await shop.sandbox.deliveries.idle();
  assert.equal((await shop.staff.get(`/api/v1/orders/${order.id}`)).body.status, 'pending_payment');
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
});

test('a delayed payment keeps its units until the money arrives', async () => {
  const order = await shop.shopper().buy('CHAIR');
  const before = await shop.stock('CHAIR');
  await shop.press(order, 'delay');
  await eventually(async () => assert.equal((await shop.staff.get(`/api/v1/orders/${order.id}`)).body.payment_status, 'processing'));
  assert.deepEqual(await shop.stock('CHAIR'), before);
  await shop.press(order, 'succeed');
  await shop.settled(order, 'confirmed');
});

test('a session that ends unpaid gives back the stock and the cart', async () => {
  const before = numbers(await shop.stock('LAMP'));
  const buyer = shop.shopper();
  const order = await buyer.buy('LAMP', 3);
  (await buyer.post('/api/v1/cart/items', { sku: 'CHAIR', quantity: 1 })).refused(409, 'cart_in_checkout');
  shop.sandbox.control.expire(sessionOf(order));
  const expired = await shop.settled(order, 'expired');
  assert.deepEqual([expired.payment_status, expired.payment.url], ['failed', undefined]);
  assert.deepEqual(numbers(await shop.stock('LAMP')), before);
  const cart = await buyer.add('LAMP');
  assert.deepEqual([cart.lines[0].quantity, cart.order_id], [4, undefined]);
  const again = (await buyer.order((await buyer.quote()).id)).expect(201);
  assert.notEqual(again.id, order.id);
});

test('what is not counted is always sold', async () => {
  const order = await shop.shopper().buy('EBOOK', 99);
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  assert.equal((await shop.stock('EBOOK')).version, 0);
});

test('an amount without minor units reaches the payment page as it is', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const quote = await buyer.quote({ currency: 'JPY' });
  const order = (await buyer.order(quote.id)).expect(201);
  const session = shop.sandbox.account.sessions.get(sessionOf(order));
  assert.deepEqual([session?.amount_total, session?.currency], [3564, 'jpy']);
  assert.deepEqual(quote.total, { amount: 3564, currency: 'JPY' });
});

test('an order shows itself by its link, to its cart and to staff, and to no one else', async () => {
  const buyer = shop.shopper();
  const order = await buyer.buy('LAMP');
  const path = `/api/v1/orders/${order.id}`;
  const token = tokenOf(order);
  assert.equal(order.status_url, `${shop.url}/orders/${order.id}#token=${token}`);
  const stranger = shop.shopper();
  await stranger.add('EBOOK');

  for (const [who, answer] of [
    ['link', await shop.shopper().get(path, { 'order-token': token })],
    ['browser', await shop.shopper().get(path, opened(order))],
    ['link of before', await shop.shopper().get(`${path}?token=${token}`)],
    ['cart', await buyer.get(path)],
    ['staff', await shop.staff.get(path)],
  ] as const) assert.equal(answer.expect(200).id, order.id, who);
  const page = await shop.shopper().get(`/orders/${order.id}`, { accept: 'text/html', ...opened(order) });
  assert.equal(page.status, 200);
  assert.match(page.text, /data-status="pending_payment"/);

  for (const answer of [
    await shop.shopper().get(path),
    await stranger.get(path),
    await shop.shopper().get(`${path}?token=`),
    await shop.shopper().get(`${path}?token=${'A'.repeat(43)}`),
    await shop.shopper().get(`${path}?token=${tokenOf(await shop.shopper().buy('EBOOK'))}`),
    await shop.shopper().get(path, { 'order-token': tokenOf(await shop.shopper().buy('EBOOK')) }),
    await shop.shopper().get(path, opened(await shop.shopper().buy('EBOOK'))),
    await shop.shopper({ authorization: 'Bearer no_key_of_ours' }).get(path),
    await shop.shopper({ 'cart-token': 'forged' }).get(path),
    await shop.staff.get('/api/v1/orders/ord_00000000000000000000000000'),
  ]) answer.refused(404, 'not_found');
});

function numbers({ version: _, sku: __, ...counted }: Awaited<ReturnType<Shop['stock']>> & { sku?: string }) {
  return counted;
}
