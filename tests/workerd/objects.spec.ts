/**
 * The Durable Objects in the real runtime: alarms, eviction, storage. Their rules are proved
 * natively in `durable/tests`.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => { shop = await startShop(); });
after(() => shop.close());

test('a hold ends by its alarm, without any request', async () => {
  const stock = await stocked('ALARM');
  const { view } = (await stock.do('hold', hold('ord_1:1', 2, 1))).done;
  assert.deepEqual([view.reserved, view.available], [2, 3]);
  const journal = await eventually(async () => {
    const rows = await stock.stored('SELECT operation_id, events FROM journal ORDER BY seq');
    assert.equal(rows.length, 3);
    return rows;
  });
  const [event] = JSON.parse(journal[2].events);
  assert.deepEqual([journal[2].operation_id, event.released.reason], [null, 'expired']);
  assert.equal((await stock.view()).available, 5);
});

test('a pinned hold has no clock', async () => {
  const stock = await stocked('PINNED');
  await stock.do('hold 1', hold('ord_1:1', 1, 3));
  assert.ok((await stock.do('pin', { pin: { hold_id: 'ord_1:1' } })).done);
  await stock.do('hold 2', hold('ord_2:1', 1, 3));
  const view = await eventually(async () => {
    const view = await stock.view();
    assert.equal(view.reserved, 0);
    return view;
  });
  assert.deepEqual([view.held, view.available], [1, 4]);
});

test('an object thrown out of memory keeps its state and its answers', async () => {
  const stock = await stocked('EVICTED');
  const command = hold('ord_1:1', 2, 600);
  const first = (await stock.do('hold', command)).done;
  await stock.evict();
  assert.deepEqual(await stock.view(), first.view);
  await stock.evict();
  assert.deepEqual((await stock.do('hold', command)).done, { ...first, replayed: true });
});

test('an object thrown out of memory is woken by its alarm', async () => {
  const stock = await stocked('WOKEN');
  await stock.do('hold', hold('ord_1:1', 2, 1));
  await stock.evict();
  await eventually(async () => assert.equal((await stock.stored('SELECT seq FROM journal WHERE operation_id IS NULL')).length, 1));
  assert.equal((await stock.view()).available, 5);
});

test('an object of an earlier version moves what has ended out of its open rows, and still knows it', async () => {
  const stock = await stocked('EARLIER');
  await stock.do('hold', hold('ord_1:1', 2, 600));
  await stock.evict();
  const week = Date.now() + 7 * 24 * 60 * 60 * 1000;
  await stock.write(`
    DROP VIEW written; DROP TABLE past; DROP TABLE snapshot;
    CREATE VIEW entry AS SELECT at, operation_id, digest, events, answer, '{}' AS changed_rows, '[]' AS news FROM journal;
    CREATE TRIGGER record INSTEAD OF INSERT ON entry BEGIN SELECT 1; END;
    WITH RECURSIVE old (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM old WHERE at < 3000)
      INSERT INTO state SELECT 'hold/old_' || at, '{"quantity":0,"status":{"tombstone":{"forget_at":${week}}}}' FROM old;`);
  assert.equal((await stock.view()).reserved, 2);
  await eventually(async () => {
    assert.deepEqual(await stock.stored("SELECT name FROM sqlite_master WHERE name = 'entry'"), []);
    assert.equal((await stock.stored('SELECT key FROM state')).length, 2);
    assert.equal((await stock.stored('SELECT key FROM past')).length, 3000);
  });
  assert.deepEqual((await stock.do('late', hold('old_7', 1, 600))).refused.refusal, 'hold_ended');
  assert.ok((await stock.do('new', hold('ord_2:1', 1, 600))).done);
});

test('a cart thrown out of memory keeps its lines', async () => {
  const buyer = shop.shopper();
  const { id } = (await buyer.get('/api/v1/cart')).expect(200);
  const cart = shop.cartObject(id);
  const { view } = (await cart.do('add', { change: { add: { sku: 'LAMP', quantity: 3 } } })).done;
  await cart.evict();
  assert.deepEqual(await cart.view(), view);
  assert.equal((await buyer.get('/api/v1/cart')).expect(200).lines[0].quantity, 3);
});

test('many commands at once leave what one after the other would', async () => {
  const stock = await stocked('BUSY', 50);
  const replies = await Promise.all(Array.from({ length: 80 }, (_, at) => stock.do(`hold ${at}`, hold(`ord_${at}:1`, 1, 600))));
  assert.equal(replies.filter(({ done }) => done).length, 50);
  const left = { held: 50, available: 0, version: 51 };
  assert.deepEqual(some(await stock.view(), left), left);
  await stock.evict();
  assert.deepEqual(some(await stock.view(), left), left);
});

test('what is no request of the object is refused, and it lives on', async () => {
  const stock = await stocked('MALFORMED');
  for (const command of [{}, 'vanish', hold('ord_1:1', -1, 1), { ...hold('ord_1:1', 1, 1), pin: {} }, 7]) {
    await assert.rejects(stock.do('malformed', command), /not a request of this object/);
  }
  assert.equal((await stock.view()).version, 1);
});

async function stocked(sku: string, quantity = 5) {
  const stock = shop.stockObject(sku);
  await stock.do('in', { receive: { quantity } });
  return stock;
}

function hold(holdId: string, quantity: number, ttlSecs: number) {
  return { hold: { hold_id: holdId, quantity, ttl_secs: ttlSecs } };
}

/** Returns the members of `view` that `wanted` names. */
function some<T extends object>(view: T, wanted: object) {
  return Object.fromEntries(Object.entries(view).filter(([name]) => name in wanted));
}
