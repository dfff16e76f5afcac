/** Carts in the real runtime: versions, keys, limits, notes, and abandoned carts. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP' }, { sku: 'CHAIR' }, ...Array.from({ length: 101 }, (_, at) => ({ sku: `MANY-${at}` }))));
});
after(() => shop.close());

const JSON_TYPE = { 'content-type': 'application/json' };
const summed = ({ lines }: Json) => Object.fromEntries(lines.map(({ sku, quantity }: Json) => [sku, quantity]));

test('two tabs do not overwrite each other unseen', async () => {
  const buyer = shop.shopper();
  const { version } = await buyer.add('LAMP', 2);
  const put = (quantity: number) => buyer.put('/api/v1/cart/items/LAMP', { quantity }, { 'if-match': `W/"${version}"` });
  const outcomes = await Promise.all([put(3), put(4), put(5)]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), [200, 412, 412]);
  const lost = outcomes.find(({ status }) => status === 412)!;
  assert.equal(lost.refused(412, 'stale_version').version, version + 1);
  for (const change of [buyer.delete('/api/v1/cart', { 'if-match': `"${version}"` }), buyer.put('/api/v1/cart/note', { note: 'x' }, { 'if-match': `"${version}"` })]) {
    (await change).refused(412, 'stale_version');
  }
  (await buyer.delete('/api/v1/cart', { 'if-match': 'soon' })).refused(400, 'malformed_header');
});

test('a key makes a change once, and names no other', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  const key = { 'idempotency-key': 'tab 1' };
  const add = () => buyer.post('/api/v1/cart/items', { sku: 'LAMP', quantity: 2 }, key);
  const answers = await Promise.all([add(), add(), add()]);
  for (const answer of answers) assert.deepEqual(summed(answer.expect(200)), { LAMP: 3 });
  assert.equal(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true').length, 2);
  (await buyer.post('/api/v1/cart/items', { sku: 'LAMP', quantity: 3 }, key)).refused(422, 'idempotency_key_reused');
  (await buyer.delete('/api/v1/cart', key)).refused(422, 'idempotency_key_reused');
  assert.deepEqual(summed((await buyer.get('/api/v1/cart')).expect(200)), { LAMP: 3 });
  const other = shop.shopper();
  assert.deepEqual(summed((await other.post('/api/v1/cart/items', { sku: 'CHAIR', quantity: 1 }, key)).expect(200)), { CHAIR: 1 });
});

test('note, clear, and the most that a line takes', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP', 60);
  assert.deepEqual(summed(await buyer.add('LAMP', 60)), { LAMP: 99 });
  assert.equal((await buyer.put('/api/v1/cart/note', { note: 'Ring twice' })).expect(200).note, 'Ring twice');
  (await buyer.put('/api/v1/cart/note', { note: 'x'.repeat(1001) })).refused(422, 'note_too_long');
  const cleared = (await buyer.delete('/api/v1/cart')).expect(200);
  assert.deepEqual([cleared.lines, cleared.note, cleared.quantity], [[], undefined, 0]);
});

test('a cart takes a hundred lines', async () => {
  const buyer = shop.shopper();
  await buyer.add('MANY-0');
  const rest = Array.from({ length: 99 }, (_, at) => buyer.add(`MANY-${at + 1}`));
  await Promise.all(rest);
  (await buyer.post('/api/v1/cart/items', { sku: 'MANY-100', quantity: 1 })).refused(422, 'too_many_lines');
  assert.equal((await buyer.get('/api/v1/cart')).expect(200).lines.length, 100);
});

test('looking at no cart makes none', async () => {
  const { id, lines, version } = (await shop.shopper().get('/api/v1/cart')).expect(200);
  assert.deepEqual([lines, version], [[], 0]);
  assert.equal(existsSync(await shop.cartObject(id).file()), false);
});

test('a cart is whose token it is', async () => {
  const owner = shop.shopper();
  const { id } = await owner.add('LAMP');
  const token = owner.cartToken!;
  const [, signature] = token.split('.');
  for (const forged of [id, `${id}.`, token.slice(0, -1), `${token}x`, `cart_0.${signature}`, `.${signature}`]) {
    const thief = shop.shopper({ 'cart-token': forged });
    (await thief.get('/api/v1/cart')).refused(401, 'invalid_cart_token');
    (await thief.delete('/api/v1/cart')).refused(401, 'invalid_cart_token');
  }
  assert.deepEqual(summed((await owner.get('/api/v1/cart')).expect(200)), { LAMP: 1 });
});

test('a cart left alone is reported once and deleted after its time, but not while an order has it: then it asks what has become of that', async () => {
  const quick = await startShop({ vars: { CART_ABANDONED_SECS: '1', CART_KEPT_SECS: '3' } });
  try {
    await quick.importCatalog(csvOf({ sku: 'LAMP' }));
    const ordering = quick.shopper();
    const order = await ordering.buy('LAMP');
    const leaving = quick.shopper();
    const { id, version } = await leaving.add('LAMP', 2);
    const told = (cartId: string) => quick.rows<Json>('SELECT version, lines FROM abandoned_carts WHERE cart_id = ?', cartId);
    await eventually(async () => assert.deepEqual(await told(id), [{ version, lines: '[{"sku":"LAMP","quantity":2}]' }]));
    const reports = () => quick.cartObject(id).stored("SELECT events FROM journal WHERE events LIKE '%abandoned%'");
    assert.equal((await reports()).length, 1);

    await eventually(async () => assert.deepEqual(await told(id), [{ version: version + 1, lines: null }]));
    await eventually(async () => assert.deepEqual(await quick.cartObject(id).stored("SELECT name FROM sqlite_master WHERE name = 'journal'"), []));
    assert.deepEqual((await leaving.get('/api/v1/cart')).expect(200).lines, []);
    assert.deepEqual(summed(await leaving.add('LAMP')), { LAMP: 1 });

    const frozen = (await ordering.get('/api/v1/cart')).expect(200);
    assert.deepEqual([summed(frozen), frozen.order_id], [{ LAMP: 1 }, order.id]);
    assert.deepEqual(await told(frozen.id), []);

    const stranded = quick.shopper();
    const { id: strandedId } = await stranded.add('LAMP');
    const freeze = { change: { freeze: { order_id: 'ord_that_came_to_nothing' } } };
    assert.ok((await quick.cartObject(strandedId).do('freeze', freeze)).done);
    await quick.cartObject(strandedId).age('cart', 'changed_at', 61); // the request that froze it is over
    await eventually(async () => assert.equal((await stranded.get('/api/v1/cart')).expect(200).order_id, undefined));
    await stranded.add('LAMP');
  } finally {
    await quick.close();
  }
});

test('what is no change of a cart is refused', async () => {
  const buyer = shop.shopper();
  await buyer.add('LAMP');
  (await buyer.send('PUT', '/api/v1/cart/note', '{"note": 7}', JSON_TYPE)).refused(400, 'malformed_json');
  (await buyer.put('/api/v1/cart/note', { note: 'x', more: 1 })).refused(400, 'unknown_field');
  (await buyer.put('/api/v1/cart/items/NOTHING', { quantity: 1 })).refused(422, 'unknown_sku');
  assert.equal((await buyer.get('/api/v1/cart')).expect(200).version, 1);
});
