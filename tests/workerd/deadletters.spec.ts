/**
 * Events that fail: tried again with pauses, kept for staff when they fail for good, and in nobody's way. The pauses are those of
 * the Worker; only the number of retries is smaller than in production, where they add up to hours.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { eventually } from './eventually.ts';
import { startShop, type Shop } from './shop.ts';

const MAX_RETRIES = 1;

let shop: Shop;
before(async () => {
  shop = await startShop({ maxRetries: MAX_RETRIES });
  await shop.importCatalog(csvOf({ sku: 'LAMP', quantity: 100 }));
});
after(() => shop.close());

test('a poison event ends among the dead letters with its error, and holds up nobody', async () => {
  const order = await shop.shopper().buy('LAMP');
  const poison = Array.from({ length: 3 }, (_, at) => shop.sandbox.control.emit('checkout.session.completed', { id: `cs_test_nobody${at}`, object: 'checkout.session' }));
  await shop.press(order, 'pay');

  await shop.settled(order, 'confirmed');

  const letters = await eventually(async () => {
    const letters = await shop.rows('SELECT body, queue, attempts, last_error FROM dead_letters ORDER BY body');
    assert.equal(letters.length, poison.length);
    return letters;
  });
  assert.deepEqual(letters.map(({ body }) => body), poison.map(({ id }) => id).sort());
  for (const { queue, attempts, last_error } of letters) {
    assert.deepEqual([queue, attempts], ['stripe-events-dead', 1 + MAX_RETRIES]);
    assert.match(String(last_error), /status 404/);
  }
  const [paid] = await shop.rows("SELECT at FROM order_events WHERE order_id = ? AND happening = 'paid'", order.id);
  const [first] = await shop.rows('SELECT MIN(buried_at) AS at FROM dead_letters');
  assert.ok(Number(paid?.['at']) < Number(first?.['at']), 'the order waited for the poison');
  const unprocessed = await shop.rows('SELECT id FROM webhook_events WHERE processed_at IS NULL ORDER BY id');
  assert.deepEqual(unprocessed.map(({ id }) => id), poison.map(({ id }) => id).sort());
});

test('a provider that fails once is asked again', async () => {
  const order = await shop.shopper().buy('LAMP');
  shop.sandbox.faults.add({ on: 'webhook', type: 'payment_intent.succeeded', kind: 'drop' });
  shop.sandbox.faults.add({ on: 'api', method: 'GET', path: '/v1/checkout/sessions/', kind: 'error', status: 503 });
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  const [event] = await shop.rows("SELECT attempts, last_error, outcome FROM webhook_events WHERE kind = 'checkout.session.completed' ORDER BY received_at DESC LIMIT 1");
  assert.deepEqual([event?.['attempts'], event?.['outcome']], [2, 'settled']);
  assert.match(String(event?.['last_error']), /status 503/);
});

test('an event that was a dead letter settles when it is delivered again', async () => {
  const order = await shop.shopper().buy('LAMP');
  shop.sandbox.faults.add({ on: 'webhook', type: 'payment_intent.succeeded', kind: 'drop' });
  shop.sandbox.faults.add({ on: 'api', method: 'GET', path: '/v1/checkout/sessions/', kind: 'error', times: 1 + MAX_RETRIES });
  await shop.press(order, 'pay');
  const [letter] = await eventually(async () => {
    const letters = await shop.rows("SELECT body FROM dead_letters WHERE last_error LIKE '%status 500%'");
    assert.equal(letters.length, 1);
    return letters;
  });
  assert.equal((await shop.staff.get(`/api/v1/orders/${order.id}`)).body.status, 'pending_payment');
  await shop.sandbox.control.deliver(String(letter?.['body']));
  await shop.settled(order, 'confirmed');
});

test('a message that names no event is kept too', async () => {
  const queue = await shop.miniflare.getQueueProducer('STRIPE_EVENTS');
  await queue.send('evt_of_nobody', { contentType: 'text' });
  await eventually(async () => assert.equal((await shop.rows("SELECT id FROM dead_letters WHERE body = 'evt_of_nobody'")).length, 1));
});
