/**
 * A hundred buyers for ten units, all at once: ten orders, no unit held by anyone else, none
 * stranded.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { csvOf } from './catalog.ts';
import type { Client, Json } from './client.ts';
import { eventually } from './eventually.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

const BUYERS = 100;
const UNITS = 10;

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'PHONE', quantity: UNITS }, { sku: 'CASE', quantity: 1000 }, { sku: 'CABLE', quantity: 1000 }));
});
after(() => shop.close());

test('a hundred buyers for ten units', async (t) => {
  const buyers = await Promise.all(Array.from({ length: BUYERS }, async () => {
    const buyer = shop.shopper();
    for (const sku of ['CABLE', 'PHONE', 'CASE']) await buyer.add(sku);
    return { buyer, quoteId: (await buyer.quote()).id };
  }));
  const outcomes = await Promise.all(buyers.map(async (own) => ({ ...own, answer: await orderUntilDecided(own) })));
  const winners = outcomes.filter(({ answer }) => answer.status === 201);
  const losers = outcomes.filter(({ answer }) => answer.status !== 201);

  await t.test('ten orders, each of another buyer', async () => {
    assert.equal(winners.length, UNITS);
    assert.equal((await shop.rows('SELECT id FROM orders')).length, UNITS);
    assert.equal(new Set(winners.map(({ answer }) => answer.body.number)).size, UNITS);
    for (const { answer } of losers) {
      const { lines } = answer.refused(409, 'sold_out');
      assert.deepEqual(lines, [{ sku: 'PHONE', title: 'Thing PHONE', variant_title: '', code: 'sold_out', max_quantity: 0 }]);
    }
  });

  await t.test('nobody else holds anything, of any SKU', async () => {
    for (const [sku, onHand] of [['PHONE', UNITS], ['CASE', 1000], ['CABLE', 1000]] as const) {
      const { on_hand, held, reserved, committed, available } = await shop.stock(sku);
      assert.deepEqual({ sku, on_hand, held, reserved, committed, available }, { sku, on_hand: onHand, held: UNITS, reserved: 0, committed: 0, available: onHand - UNITS });
    }
    assert.equal((await shop.rows("SELECT order_id FROM checkouts WHERE step = 'placed'")).length, UNITS);
    await Promise.all(losers.map(({ buyer }) => buyer.add('CABLE')));
  });

  const orders: Json[] = await Promise.all(winners.map(({ answer }) => shop.payable(answer.body)));
  await t.test('who pays gets it, and whose time runs out gives it back', async () => {
    await Promise.all(orders.slice(0, 5).map((order) => shop.press(order, 'pay')));
    for (const order of orders.slice(5)) shop.sandbox.control.expire(sessionOf(order));
    await Promise.all(orders.map((order, at) => shop.settled(order, at < 5 ? 'confirmed' : 'expired')));
    const { held, committed, available } = await shop.stock('PHONE');
    assert.deepEqual({ held, committed, available }, { held: 0, committed: 5, available: 5 });
  });

  await t.test('what came back is sold to those who wait', async () => {
    const [first, ...others] = await Promise.all(losers.slice(0, 20).map(async ({ buyer }) => ({ buyer, quoteId: (await buyer.quote()).id })));
    // An isolate repeats a refusal from memory for two seconds.
    await eventually(async () => (await first!.buyer.order(first!.quoteId)).expect(201));
    const waiting = await Promise.all(others.map(orderUntilDecided));
    assert.equal(waiting.filter(({ status }) => status === 201).length, 4);
    assert.equal((await shop.stock('PHONE')).available, 0);
  });

  assert.deepEqual(shop.log.filter((line) => line.includes('"level":"fatal"')), []);
});

/** Retries after a while if others hold the last units, as a shopper would. */
async function orderUntilDecided({ buyer, quoteId }: { buyer: Client; quoteId: string }) {
  for (;;) {
    const answer = await buyer.order(quoteId);
    if (answer.status !== 409 || answer.body.code !== 'contended') return answer;
    assert.ok(['2', '3', '4', '5', '6'].includes(answer.headers.get('retry-after')!));
    await setTimeout(Math.random() * 200);
  }
}
