/**
 * Pages that wait for an order: their requests, access to them, and the database load of thousands
 * at once.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { type Answer, type Client, type Json, opened, tokenOf } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

/** Milliseconds between reads of one isolate: `READ_EVERY_MS` of `shop/orders/shared_reads.rs`. */
const READ_EVERY = 2000;

const ASKING = 360;
const ROUNDS = 2;

let shop: Shop;
before(async () => {
  shop = await startShop({ counted: true });
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 1000 }));
});
after(() => shop.close());

const pathOf = ({ id }: Json) => `/api/v1/orders/${id}/status`;
const tagOf = ({ headers }: Answer) => headers.get('etag')!;

test('whoever may see an order may ask how it stands, and nobody else', async () => {
  const buyer = shop.shopper();
  const order = await buyer.buy('LAMP');
  const nobody = shop.shopper();
  const other = shop.shopper();
  await other.add('LAMP');
  const { status, version, payment } = order;
  const seen = [
    buyer.get(pathOf(order)),
    shop.staff.get(pathOf(order)),
    nobody.get(pathOf(order), opened(order)),
    nobody.get(pathOf(order), { 'order-token': tokenOf(order) }),
    nobody.get(`${pathOf(order)}?token=${tokenOf(order)}`),
  ];
  for (const answer of await Promise.all(seen)) assert.deepEqual(answer.expect(200), { id: order.id, status, payment, version });
  const elsewhere = await shop.shopper().buy('LAMP');
  const denied = [
    nobody.get(pathOf(order)),
    other.get(pathOf(order)),
    nobody.get(pathOf(order), { 'order-token': tokenOf(elsewhere) }),
    other.get(pathOf({ id: 'ord_nothing' })),
    other.get(pathOf({ id: 'x'.repeat(5000) })),
  ];
  for (const answer of await Promise.all(denied)) answer.refused(404, 'not_found');
});

test('it changes its tag with the order and with the payment link, and is the tag of the page', async () => {
  shop.sandbox.faults.add({ on: 'api', method: 'POST', path: '/v1/checkout/sessions', kind: 'error', status: 500 });
  const buyer = shop.shopper();
  const order = await buyer.buy('LAMP');
  const seen: string[] = [];
  const look = async () => {
    const answer = await buyer.get(pathOf(order));
    const page = await buyer.get(`/orders/${order.id}`, { accept: 'text/html', ...opened(order) });
    const [, tag] = /data-tag="([^"]+)"/.exec(page.text)!;
    assert.equal(tag!.replaceAll('&quot;', '"'), tagOf(answer));
    const again = (tags: string) => buyer.get(pathOf(order), { 'if-none-match': tags });
    for (const known of await Promise.all([tagOf(answer), `W/${tagOf(answer)}`, `"other", ${tagOf(answer)}`].map(again))) {
      assert.deepEqual([known.status, known.text, tagOf(known), known.headers.get('cache-control')], [304, '', tagOf(answer), 'no-store']);
    }
    for (const outdated of await Promise.all(seen.map(again))) outdated.expect(200);
    seen.push(tagOf(answer));
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    return answer.expect(200);
  };

  const preparing = await look();
  assert.deepEqual([preparing.status, preparing.payment.status, preparing.payment.url], ['pending_payment', 'preparing', undefined]);
  const { payment: { url } } = await shop.payable(order);
  const open = await look();
  assert.deepEqual([open.version, open.payment.url], [preparing.version, url]);
  await shop.press(await shop.payable(order), 'pay');
  await shop.settled(order, 'confirmed');
  const confirmed = await look();
  assert.deepEqual([confirmed.status, confirmed.payment.status, confirmed.payment.url], ['confirmed', 'paid', undefined]);
  assert.ok(confirmed.version > open.version);
});

test('however many wait for however many orders, the database is read once in two seconds', async () => {
  const buyers = await all(12, async () => {
    const buyer = shop.shopper();
    return { buyer, order: await buyer.buy('LAMP') };
  });
  const paths = buyers.map(({ order }) => pathOf(order));
  // The shop's other reads end some time after the last order.
  await eventually(async () => {
    await shop.costs();
    const began = Date.now();
    for (let round = 0; round < ROUNDS; round += 1) {
      const answers = await all(ASKING, (at) => buyers[at % buyers.length]!.buyer.get(paths[at % paths.length]!));
      answers.forEach((answer, at) => assert.equal(answer.expect(200).id, buyers[at % buyers.length]!.order.id));
    }
    const { d1_trips } = await shop.costs();
    const reads = 1 + (Date.now() - began) / READ_EVERY;
    assert.ok(d1_trips >= ROUNDS && d1_trips <= reads, `${d1_trips} reads for ${ROUNDS * ASKING} questions, where ${reads} may be`);
  });
});

test('nobody is told what was so before they asked', async () => {
  const buyer = shop.shopper();
  const order = await buyer.buy('LAMP');
  const crowd = all(50, () => buyer.get(pathOf(order)));
  const cancelled = (await buyer.post(`/api/v1/orders/${order.id}/cancel`, {})).expect(200);
  assert.equal((await buyer.get(pathOf(order))).expect(200).version, cancelled.version);
  for (const answer of await crowd) assert.ok(answer.expect(200).version <= cancelled.version);
});

test('a database that refuses is not remembered', async () => {
  const buyer: Client = shop.shopper();
  const order = await buyer.buy('LAMP');
  await shop.rows('ALTER TABLE payments RENAME TO payments_elsewhere');
  try {
    const answers = await all(5, () => buyer.get(pathOf(order)));
    for (const { status } of answers) assert.ok(status >= 500, `${status}`);
  } finally {
    await shop.rows('ALTER TABLE payments_elsewhere RENAME TO payments');
  }
  (await buyer.get(pathOf(order))).expect(200);
});

function all<T>(count: number, act: (at: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => act(at)));
}
