/**
 * Failing objects and KV: clients are told when to retry, nothing is lost or done twice, and cached
 * data is shown in the meantime.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { type Answer, DELIVERY } from './client.ts';
import { eventually } from './eventually.ts';
import type { ObjectFailure } from './failing.ts';
import { startShop, type Shop } from './shop.ts';

const FAILURES: ObjectFailure[] = ['throws before', 'throws after', 'resets before', 'resets after'];
const PAGE = { accept: 'text/html' };

let shop: Shop;
before(async () => {
  shop = await startShop({ failing: true });
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100 }, { sku: 'CHAIR' }));
});
after(() => shop.close());

for (const how of FAILURES) test(`an order whose stock object ${how} is placed once under the same key`, async () => {
  const before = await shop.stock('LAMP');
  const { buyer, quoteId } = await quoted();
  unavailable(await whileObjectsFail('StockObject', how, () => buyer.order(quoteId, how)), 'object_unavailable');
  const order = (await buyer.order(quoteId, how)).expect(201);
  (await buyer.order(quoteId, how)).expect(200);
  assert.equal((await shop.stock('LAMP')).available, before.available - 1);
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
});

for (const how of FAILURES) test(`a cart whose object ${how} is changed once under the same key`, async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP', 1);
  const more = () => buyer.post('/api/v1/cart/items', { sku: 'LAMP', quantity: 2 }, { 'idempotency-key': how });
  unavailable(await whileObjectsFail('CartObject', how, more), 'object_unavailable');
  const { lines } = (await more()).expect(200);
  assert.deepEqual(lines.map(({ quantity }: { quantity: number }) => quantity), [3]);
});

test('an order whose cart object resets when it is frozen is placed under the same key', async () => {
  const { buyer, quoteId } = await quoted();
  unavailable(await whileObjectsFail('CartObject', 'resets after', () => buyer.order(quoteId, 'frozen')), 'object_unavailable');
  (await buyer.order(quoteId, 'frozen')).expect(201);
});

test('what a payment is due from an object that fails is done once it answers', async () => {
  const { buyer, quoteId } = await quoted();
  const order = (await buyer.order(quoteId)).expect(201);
  const { committed } = await shop.stock('LAMP');
  await shop.fail({ objects: { StockObject: { how: 'resets after', times: 1 } } });
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  assert.equal((await shop.stock('LAMP')).committed, committed + 1);
});

test('a page says in words that an object fails', async () => {
  const { buyer, quoteId } = await quoted();
  const form = { ...PAGE, 'content-type': 'application/x-www-form-urlencoded' };
  for (const [path, words] of [['/cart', 'Temporarily unavailable'], ['/de/cart', 'Vorübergehend nicht erreichbar']] as const) {
    inWords(await whileObjectsFail('CartObject', 'throws before', () => buyer.get(path, PAGE)), words);
  }
  inWords(await whileObjectsFail('StockObject', 'throws before', () => buyer.send('POST', `/checkout/${quoteId}`, 'key=page', form)), 'Temporarily unavailable');
  assert.equal((await buyer.get('/cart', PAGE)).status, 200);
});

test('while KV fails, what the isolate has read is shown; what it has not is refused for a while', async () => {
  const reader = shop.shopper();
  const known = ['/', '/products', '/products/lamp', '/de/products/lamp', '/api/v1/products/lamp'];
  for (const path of known) assert.equal((await reader.get(path, PAGE)).status, 200, path);
  await shop.fail({ kv: true });
  try {
    // Finished responses are cached for seconds, so these use a language or currency that was not
    // requested before.
    for (const path of [...known, '/products/lamp?currency=EUR']) assert.equal((await reader.get(path, PAGE)).status, 200, path);
    unavailable(await reader.get('/api/v1/products/chair'), 'copies_unavailable');
    inWords(await reader.get('/products/chair', PAGE), 'Temporarily unavailable');
    inWords(await reader.get('/de/products/chair', PAGE), 'Vorübergehend nicht erreichbar');
  } finally {
    await shop.fail();
  }
  assert.equal((await reader.get('/products/chair', PAGE)).status, 200);
});

test('stock words outlive their seconds while KV fails', async () => {
  const reader = shop.shopper();
  assert.equal((await reader.get('/products/chair', PAGE)).status, 200);
  await shop.fail({ kv: true });
  try {
    await eventually(async () => {
      const refused = shop.log.filter((line) => line.includes('"event":"copies_unavailable"')).length;
      assert.equal((await reader.get('/products/chair', PAGE)).status, 200);
      assert.ok(shop.log.filter((line) => line.includes('"event":"copies_unavailable"')).length > refused, 'nothing was read anew');
    });
  } finally {
    await shop.fail();
  }
});

async function quoted() {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const { id: quoteId } = await buyer.quote(DELIVERY);
  return { buyer, quoteId };
}

async function whileObjectsFail(className: string, how: ObjectFailure, ask: () => Promise<Answer>): Promise<Answer> {
  await shop.fail({ objects: { [className]: { how } } });
  try {
    return await ask();
  } finally {
    await shop.fail();
  }
}

function unavailable(answer: Answer, code: string): void {
  answer.refused(503, code);
  assert.equal(answer.headers.get('retry-after'), '1');
}

function inWords(answer: Answer, words: string): void {
  assert.deepEqual([answer.status, answer.headers.get('retry-after'), answer.headers.get('cache-control')], [503, '1', 'no-store']);
  for (const part of ['<h1', words]) assert.ok(answer.text.includes(part), `${part}: ${answer.text}`);
}
