/**
 * Retention in the real database: rows are aged past their retention time, and the cron runs until
 * none are left.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { age, AGES } from './bytes.ts';
import { csvOf } from './catalog.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const DAY = 86_400_000;

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100 }));
});
after(() => shop.close());

const left = async () => {
  const counts = await Promise.all(Object.keys(AGES).map(async (table) => [table, (await shop.rows(`SELECT 1 FROM ${table}`)).length]));
  return Object.fromEntries(counts.filter(([, count]) => count !== 0)) as Record<string, number>;
};

test('of a finished order its books are left, of a pending one what it needs, and of a stranger nothing', async () => {
  const sold = await shop.shopper().buy('LAMP', 2);
  await shop.press(sold, 'pay');
  await shop.settled(sold, 'confirmed');
  await eventually(async () => assert.deepEqual(await shop.rows('SELECT 1 FROM mails WHERE sent_at IS NULL'), []));
  await eventually(async () => assert.deepEqual(await shop.rows('SELECT 1 FROM webhook_events WHERE processed_at IS NULL'), []));
  const pending = await shop.payable(await shop.shopper().buy('LAMP', 1));
  const stranger = shop.shopper();
  await stranger.add('LAMP', 3);
  await stranger.quote();
  await shop.rows("INSERT INTO abandoned_carts (cart_id, version, lines, idle_since) VALUES ('cart_of_nobody', 1, '[]', ?)", Date.now());
  await shop.rows("INSERT INTO order_events (order_id, version, happening, at) VALUES ('ord_refused', 1, 'refused', ?)", Date.now() - 8 * DAY);
  await shop.rows("INSERT INTO failures (message, at, error) VALUES ('m', ?, 'e')", Date.now());
  const [{ request }] = await shop.rows<{ request: string }>('SELECT request FROM payments WHERE order_id = ?', sold.id) as [{ request: string }];
  assert.match(request, /email/, 'the request holds the mail address');

  await age(shop, 400);
  await eventually(async () => {
    await shop.scheduled();
    assert.deepEqual(await left(), { checkouts: 1 });
    assert.deepEqual(await shop.rows("SELECT 1 FROM order_events WHERE happening = 'refused'"), []);
  });
  assert.deepEqual(await shop.rows('SELECT order_id FROM checkouts'), [{ order_id: pending.id }]);
  assert.deepEqual(await shop.rows("SELECT order_id FROM payments WHERE request = ''"), [{ order_id: sold.id }]);

  const books = (await shop.staff.get(`/api/v1/orders/${sold.id}`)).expect(200);
  assert.deepEqual([books.status, books.lines[0].quantity, books.email], ['confirmed', 2, sold.email]);
  (await shop.staff.post(`/api/v1/orders/${sold.id}/cancel`, { note: 'after all' })).expect(200);
  await shop.settled(sold, 'cancelled');
  await shop.press(pending, 'pay');
  await shop.settled(pending, 'confirmed');
});
