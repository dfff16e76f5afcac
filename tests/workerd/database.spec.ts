/**
 * A database that does not answer: clients are told when to retry, and the same key then succeeds.
 * Triggers imitate D1's error messages.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { type Answer, DELIVERY } from './client.ts';
import { startShop, type Shop } from './shop.ts';

const OVERLOADED = 'D1 DB is overloaded. Requests queued for too long.';
const LOST = 'Network connection lost.';

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100 }));
});
after(() => shop.close());

test('a quote that can not be kept is refused for a while', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const refused = await whileRefused('INSERT ON quotes', OVERLOADED, () => buyer.post('/api/v1/cart/quote', DELIVERY));
  unavailable(refused, 5);
  await buyer.quote();
});

for (const [name, statement] of Object.entries({
  'at its first statement': 'INSERT ON order_events',
  'at a later one': 'INSERT ON checkouts',
})) test(`an order that is refused ${name} is placed once under the same key`, async () => {
  const before = await shop.stock('LAMP');
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const { id } = await buyer.quote();
  const key = `key of ${name}`;
  unavailable(await whileRefused(statement, LOST, () => buyer.order(id, key)), 1);
  const order = (await buyer.order(id, key)).body;
  (await buyer.order(id, key)).expect(200);
  assert.equal((await shop.rows('SELECT id FROM orders WHERE cart_id = (SELECT cart_id FROM orders WHERE id = ?)', order.id)).length, 1);
  assert.equal((await shop.stock('LAMP')).available, before.available - 1);
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
});

test('a page says so in words, and what was said stands in the log', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const { id } = await buyer.quote();
  const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
  const refused = await whileRefused('INSERT ON checkouts', OVERLOADED, () => buyer.send('POST', `/checkout/${id}`, 'key=page', form));
  assert.deepEqual([refused.status, refused.headers.get('retry-after'), refused.headers.get('cache-control')], [503, '5', 'no-store']);
  assert.match(refused.text, /<h1/);
  assert.ok(shop.log.some((line) => line.includes('"event":"database_unavailable"') && line.includes(OVERLOADED)));
});

function unavailable(answer: Answer, retryAfter: number) {
  answer.refused(503, 'database_unavailable');
  assert.equal(answer.headers.get('retry-after'), `${retryAfter}`);
}

/** Returns the response while the database rejects a statement with D1's message. */
async function whileRefused(statement: string, words: string, ask: () => Promise<Answer>): Promise<Answer> {
  await shop.rows(`CREATE TRIGGER refuses BEFORE ${statement} BEGIN SELECT RAISE(ABORT, '${words}'); END`);
  try {
    return await ask();
  } finally {
    await shop.rows('DROP TRIGGER refuses');
  }
}
