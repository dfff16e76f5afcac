/**
 * A launch: three hundred buyers at once, with carts of one to three SKUs, forty units of each;
 * buyers retry while others hold the last units. Several times meanwhile, all selling objects are
 * evicted from memory.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { csvOf } from './catalog.ts';
import type { Client } from './client.ts';
import { startShop, type Shop } from './shop.ts';

const BUYERS = 300;
const UNITS = 40;
const SKUS = ['PHONE', 'CASE', 'CABLE', 'WATCH', 'BUDS'];

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf(...SKUS.map((sku) => ({ sku, quantity: UNITS }))));
});
after(() => shop.close());

test('every unit is sold that a remaining cart could take, none twice, and no cart in part', async () => {
  const buyers = await inTurns(BUYERS, async (at) => {
    const buyer = shop.shopper();
    const skus = SKUS.filter((_, place) => (place + at) % SKUS.length < 1 + (at % 3));
    for (const sku of skus) await buyer.add(sku);
    return { buyer, skus, quoteId: (await buyer.quote()).id as string };
  });
  const door = new Door();
  const outcomes = await Promise.all(buyers.map(async ({ buyer, skus, quoteId }) => ({ skus, answer: await orderUntilDecided(buyer, quoteId, door) })));
  assert.ok(door.evictions > SKUS.length);

  const sold = outcomes.filter(({ answer }) => answer.status === 201).map(({ skus }) => skus);
  const unsold = outcomes.filter(({ answer }) => answer.status !== 201);
  const left = Object.fromEntries(SKUS.map((sku) => [sku, UNITS - sold.filter((skus) => skus.includes(sku)).length]));
  for (const { skus, answer } of unsold) {
    answer.refused(409, 'sold_out');
    assert.ok(skus.some((sku) => left[sku] === 0), `a cart of ${skus} was turned away, though there is ${JSON.stringify(left)}`);
  }
  for (const sku of SKUS) {
    const { on_hand, held, reserved, committed, available } = await shop.stock(sku);
    assert.deepEqual({ sku, on_hand, held, reserved, committed, available }, { sku, on_hand: UNITS, held: UNITS - left[sku]!, reserved: 0, committed: 0, available: left[sku]! });
    assert.ok(available >= 0);
    assert.equal((await shop.staff.get(`/api/v1/admin/stock/${sku}/check`)).expect(200).consistent, true);
  }
  assert.equal((await shop.rows('SELECT id FROM orders')).length, sold.length);
});

/**
 * Orders like a good client: retries at about the given time when others hold the last units, or
 * when there was no answer.
 */
async function orderUntilDecided(buyer: Client, quoteId: string, door: Door) {
  for (let key = randomUUID(); ;) {
    const answer = await door.through(() => buyer.order(quoteId, key));
    const contended = answer.status === 409 && answer.body.code === 'contended';
    if (!contended && answer.status < 500) return answer;
    if (contended) key = randomUUID();
    await setTimeout(Number(answer.headers.get('retry-after') ?? 1) * 1000 * (0.5 + Math.random()));
  }
}

/**
 * Lets everyone through at once, but closes occasionally until nobody is inside: miniflare only
 * evicts idle objects.
 */
class Door {
  evictions = 0;
  #entered = 0;
  #inside = 0;
  #waiting: (() => void)[] | undefined;

  async through<T>(work: () => Promise<T>): Promise<T> {
    while (this.#waiting) await new Promise<void>((enter) => this.#waiting?.push(enter));
    this.#entered += 1;
    this.#inside += 1;
    if (this.#entered % 75 === 0) this.#waiting = [];
    try {
      return await work();
    } finally {
      this.#inside -= 1;
      if (this.#inside === 0 && this.#waiting) await this.#evictAll(this.#waiting);
    }
  }

  async #evictAll(waiting: (() => void)[]): Promise<void> {
    for (const sku of SKUS) this.evictions += await shop.stockObject(sku).evict().then(() => 1, () => 0);
    this.#waiting = undefined;
    for (const enter of waiting) enter();
  }
}

/** Runs `work` for each number, thirty at a time. */
async function inTurns<T>(count: number, work: (at: number) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  for (let at = 0; at < count; at += 30) {
    done.push(...await Promise.all(Array.from({ length: Math.min(30, count - at) }, (_, more) => work(at + more))));
  }
  return done;
}
