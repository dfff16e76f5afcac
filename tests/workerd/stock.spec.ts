/**
 * Stock in the real runtime: public availability by KV and by WebSocket, and the staff's view and
 * actions. Its rules are proved in `durable/tests`.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import type { Json } from './client.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

let shop: Shop;
before(async () => {
  shop = await startShop();
  const skus = ['WORD', 'LIVE', 'STAFF', 'AHEAD', 'LIMIT', 'BROKEN', 'BAD'].map((sku) => ({ sku, quantity: 20 }));
  await shop.importCatalog(csvOf(...skus, { sku: 'NEVER', quantity: 0 }, { sku: 'DIGITAL', quantity: 0, tracked: false }));
});
after(() => shop.close());

const word = async (sku: string): Promise<Json> => (await shop.shopper().get(`/api/v1/stock/${sku}`)).expect(200);
const change = async (sku: string, body: unknown, key?: string) => shop.staff.post(`/api/v1/admin/stock/${sku}`, body, key ? { 'idempotency-key': key } : {});
const reads = (sku: string, stock: string) => eventually(async () => assert.equal((await word(sku)).stock, stock));

test('the public reads a word that follows the units, by a copy', async (t) => {
  await reads('WORD', 'in_stock');
  assert.deepEqual(Object.keys(await word('WORD')), ['sku', 'stock']);
  (await change('WORD', { adjust: { by: -17, reason: 'counted' } })).expect(200);
  await reads('WORD', 'low');
  (await change('WORD', { write_off: { quantity: 3, reason: 'broken' } })).expect(200);
  await reads('WORD', 'out');
  (await change('WORD', { return: { quantity: 9, reason: 'unopened' } })).expect(200);
  await reads('WORD', 'in_stock');

  await t.test('many at once, in the order asked', async () => {
    const { data } = (await shop.shopper().get('/api/v1/stock?skus=NEVER,WORD,DIGITAL')).expect(200);
    assert.deepEqual(data, [{ sku: 'NEVER', stock: 'out' }, { sku: 'WORD', stock: 'in_stock' }, { sku: 'DIGITAL', stock: 'in_stock' }]);
  });
  await t.test('its record is the newest that was told', async () => {
    const { version } = await shop.stock('WORD');
    assert.deepEqual(await shop.rows('SELECT word, version FROM stock_words WHERE sku = ?', 'WORD'), [{ word: 'in_stock', version }]);
  });
  await t.test('the page and the cart say it', async () => {
    const page = await (await fetch(`${shop.url}/products/word`)).text();
    assert.match(page, /data-stock-sku="WORD" data-stock="in_stock"/);
    const buyer = shop.shopper();
    assert.equal((await buyer.add('WORD')).lines[0].stock, 'in_stock');
  });
});

test('an open page hears of a change at once, and its watchers never touch the object that sells', async () => {
  const watch = (sku: string) => {
    const heard: Json[] = [];
    const socket = new WebSocket(`${shop.url.replace('http', 'ws')}/api/v1/stock/${sku}/live`);
    socket.addEventListener('message', ({ data }) => heard.push(data === 'pong' ? data : JSON.parse(data)));
    return { socket, heard };
  };
  await reads('LIVE', 'in_stock');
  const watchers = Array.from({ length: 50 }, () => watch('LIVE'));
  const elsewhere = watch('WORD');
  const hear = (stock: string) => eventually(() => {
    for (const { heard } of watchers) assert.deepEqual(heard.at(-1), { sku: 'LIVE', stock });
  });
  await hear('in_stock');
  (await change('LIVE', { adjust: { by: -20, reason: 'counted' } })).expect(200);
  await hear('out');
  (await change('LIVE', { receive: 2 })).expect(200);
  await hear('low');
  watchers[0]!.socket.send('ping');
  await eventually(() => assert.equal(watchers[0]!.heard.at(-1), 'pong'));
  assert.ok(elsewhere.heard.every(({ sku }) => sku === 'WORD'));

  const silent = watch('NEVER');
  await eventually(() => assert.equal(silent.socket.readyState, WebSocket.OPEN));
  (await shop.shopper().get('/api/v1/stock/NEVER')).expect(200);
  (await shop.shopper().get('/products/never'));
  assert.equal(existsSync(await shop.stockObject('NEVER').file()), false);
  const sockets = [...watchers, elsewhere, silent].map(({ socket }) => socket);
  const goodbyes = sockets.map((socket) => new Promise<CloseEvent>((closed) => socket.addEventListener('close', closed)));
  for (const socket of sockets) socket.close();
  const ends = await Promise.all(goodbyes);
  assert.deepEqual(ends.filter(({ wasClean }) => !wasClean).map(({ code }) => code), [], 'a goodbye was not answered');
});

test('staff see each movement, once', async (t) => {
  const key = 'delivery 7';
  const first = (await change('STAFF', { receive: 5 }, key)).expect(200);
  assert.equal(first.on_hand, 25);
  const again = await change('STAFF', { receive: 5 }, key);
  assert.deepEqual(again.expect(200), first);
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
  (await change('STAFF', { receive: 6 }, key)).refused(422, 'idempotency_key_reused');
  (await change('STAFF', { configure: { low_threshold: 2, backorder_cap: 1 } })).expect(200);

  const { data, next_cursor } = (await shop.staff.get('/api/v1/admin/stock/STAFF/movements?limit=2')).expect(200);
  assert.deepEqual(data.map(({ events }: Json) => events[0].event), ['configured', 'received']);
  assert.equal(data[1].operation_id, `key:${key}`);
  const older = (await shop.staff.get(`/api/v1/admin/stock/STAFF/movements?cursor=${next_cursor}`)).expect(200);
  assert.deepEqual([older.data.map(({ events }: Json) => events[0].quantity), older.next_cursor], [[20], null]);

  await t.test('the numbers are what the movements add up to', async () => {
    const { consistent, stored, folded } = (await shop.staff.get('/api/v1/admin/stock/STAFF/check')).expect(200);
    assert.deepEqual([consistent, stored], [true, folded]);
    assert.equal(folded.on_hand, 25);
    assert.equal((await shop.staff.post('/api/v1/admin/stock/STAFF/repair')).expect(200).wrong_rows, 0);
  });
});

test('units are ordered ahead up to the cap, with the promised date', async () => {
  (await change('AHEAD', { configure: { backorder_cap: 2, promise_at: '2027-01-15T00:00:00Z' } })).expect(200);
  (await change('AHEAD', { adjust: { by: -20, reason: 'counted' } })).expect(200);
  await reads('AHEAD', 'preorder');
  assert.equal((await word('AHEAD')).promise_at, '2027-01-15T00:00:00Z');
  await shop.shopper().buy('AHEAD', 2);
  await reads('AHEAD', 'out');
  (await change('AHEAD', { configure: { backorder_cap: 1 } })).refused(409, 'below_promised');
  const { on_hand, held, available } = await shop.stock('AHEAD');
  assert.deepEqual({ on_hand, held, available }, { on_hand: 0, held: 2, available: 0 });
});

test('a customer may have so many, in the cart and in all orders', async () => {
  (await change('LIMIT', { configure: { purchase_limit: 2 } })).expect(200);
  await eventually(async () => assert.equal((await word('LIMIT')).purchase_limit, 2));
  const buyer = shop.shopper();
  assert.equal((await buyer.add('LIMIT', 5)).lines[0].quantity, 2);
  assert.equal((await buyer.put('/api/v1/cart/items/LIMIT', { quantity: 9 })).expect(200).lines[0].quantity, 2);
  await buyer.buy('LIMIT');

  const again = shop.shopper();
  await again.add('LIMIT');
  const { id } = await again.quote({ email: 'ANN@shopper.test' });
  assert.deepEqual((await again.order(id)).refused(409, 'over_limit').lines[0].max_quantity, 0);
  const other = shop.shopper();
  await other.add('LIMIT');
  (await other.order((await other.quote({ email: 'bob@shopper.test' })).id)).expect(201);
});

test('bad input changes nothing', async (t) => {
  const before = await shop.stock('BAD');
  const cases: Record<string, [body: unknown, status: number, code: string]> = {
    'nothing': [{}, 422, 'one_change'],
    'two at once': [{ receive: 1, adjust: { by: 1, reason: 'x' } }, 422, 'one_change'],
    'unknown change': [{ vanish: 1 }, 400, 'unknown_field'],
    'receive 0': [{ receive: 0 }, 422, 'invalid_quantity'],
    'receive -1': [{ receive: -1 }, 422, 'invalid_quantity'],
    'receive 1.5': [{ receive: 1.5 }, 422, 'invalid_quantity'],
    'receive 1000001': [{ receive: 1_000_001 }, 422, 'invalid_quantity'],
    'receive 10^12': [{ receive: 1e12 }, 422, 'invalid_quantity'],
    'adjust by 0': [{ adjust: { by: 0, reason: 'x' } }, 422, 'invalid_quantity'],
    'adjust without a reason': [{ adjust: { by: 1, reason: ' ' } }, 422, 'invalid_reason'],
    'adjust below nothing': [{ adjust: { by: -21, reason: 'x' } }, 409, 'below_promised'],
    'a long reason': [{ write_off: { quantity: 1, reason: 'x'.repeat(201) } }, 422, 'invalid_reason'],
    'a limit of 0': [{ configure: { purchase_limit: 0 } }, 422, 'invalid_settings'],
    'a huge cap': [{ configure: { backorder_cap: 1_000_001 } }, 422, 'invalid_settings'],
    'no date': [{ configure: { promise_at: 'soon' } }, 422, 'invalid_instant'],
  };
  for (const [name, [body, status, code]] of Object.entries(cases)) {
    await t.test(name, async () => (await change('BAD', body)).refused(status, code));
  }
  assert.deepEqual(await shop.stock('BAD'), before);
  const guest = shop.shopper();
  (await guest.get('/api/v1/stock/UNKNOWN')).refused(404, 'not_found');
  (await guest.get('/api/v1/stock/UNKNOWN/live')).refused(400, 'websocket_expected');
  assert.equal(await upgradeStatus('/api/v1/stock/UNKNOWN/live'), 404);
  assert.equal(await upgradeStatus('/api/v1/stock/BAD/live'), 101);
  (await guest.get('/api/v1/stock/BAD/live')).refused(400, 'websocket_expected');
  (await guest.get('/api/v1/stock')).refused(422, 'invalid_skus');
  (await guest.get(`/api/v1/stock?skus=${'BAD,'.repeat(101)}`)).refused(422, 'invalid_skus');
  (await guest.get('/api/v1/stock?skus=BAD,UNKNOWN')).refused(422, 'unknown_sku');
  (await shop.staff.get('/api/v1/admin/stock/BAD/movements?cursor=x')).refused(400, 'malformed_cursor');
  (await guest.get('/api/v1/admin/stock/BAD/movements')).refused(401, 'staff_only');
  (await guest.post('/api/v1/admin/stock/BAD/repair')).refused(401, 'staff_only');
});

/** Returns the status of the response to a WebSocket request. */
function upgradeStatus(path: string): Promise<number | undefined> {
  const headers = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13', 'sec-websocket-key': btoa('0123456789abcdef') };
  return new Promise((resolve, reject) => {
    const asked = request(shop.url + path, { headers });
    asked.on('response', (answer) => { answer.destroy(); resolve(answer.statusCode); });
    asked.on('upgrade', (answer, socket) => { socket.destroy(); resolve(answer.statusCode); });
    asked.on('error', reject).end();
  });
}
