/**
 * Failing events: retried with pauses, kept for staff when they fail for good, and never blocking
 * others. The pauses are those of the Worker; only the number of retries is smaller than in
 * production, where they add up to hours.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvOf } from './catalog.ts';
import { eventually } from './eventually.ts';
import type { Event } from '../stripe-sandbox/account.ts';
import type { Json } from './client.ts';
import { sessionOf, startShop, type Shop } from './shop.ts';

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

test('a provider that does not answer for one message holds up no other of its batch', async () => {
  const orders = [await shop.shopper().buy('LAMP'), await shop.shopper().buy('LAMP'), await shop.shopper().buy('LAMP')];
  const [stuck, ...others] = orders;
  losingEvents(() => orders.forEach((order) => shop.sandbox.control.pay(sessionOf(order))));
  const events = orders.map((order) => keptEvent(order));
  for (const event of events) await keep(event);
  shop.sandbox.faults.add({ on: 'api', method: 'GET', path: `/v1/checkout/sessions/${sessionOf(stuck)}`, kind: 'timeout' });

  const stands = async (order: Json) => (await shop.staff.get(`/api/v1/orders/${order.id}`)).body.status;
  let ended = false;
  const batch = shop.consume('stripe-events', events.map(({ id }) => ({ id: `of ${id}`, body: id }))).finally(() => { ended = true; });
  for (const order of others) await shop.settled(order, 'confirmed');
  assert.deepEqual([ended, await stands(stuck)], [false, 'pending_payment'], 'the others were dealt with while one hung');

  const { explicitAcks, retryMessages } = await batch;
  const [first, ...rest] = events.map(({ id }) => `of ${id}`);
  assert.deepEqual(explicitAcks.sort(), rest.sort());
  assert.deepEqual(retryMessages.map(({ msgId }) => msgId), [first]);
  assert.ok(retryMessages[0]!.delaySeconds! >= 2, 'after a pause');
});

test('what is no text is kept at once, and holds up nobody', async () => {
  const order = await shop.shopper().buy('LAMP');
  losingEvents(() => shop.sandbox.control.pay(sessionOf(order)));
  const event = keptEvent(order);
  await keep(event);
  const { explicitAcks, retryMessages } = await shop.consume('stripe-events', [
    { id: 'an object', body: { about: 'nobody' } },
    { id: 'bytes', body: new TextEncoder().encode('of nobody').buffer },
    { id: 'nothing', body: null },
    { id: 'an event', body: event.id },
  ]);
  assert.deepEqual([explicitAcks.length, retryMessages], [4, []]);
  await shop.settled(order, 'confirmed');
  const kept = await shop.rows("SELECT body, queue, attempts, last_error FROM dead_letters WHERE last_error LIKE '%no message%' ORDER BY body");
  assert.deepEqual(kept, ['null', 'of nobody', '{"about":"nobody"}'].map((body) => ({
    body, queue: 'stripe-events-dead', attempts: 1, last_error: "internal_error: no message of the shop's",
  })));
});

test('what is no text is kept by the other queues too', async () => {
  for (const queue of ['outgoing', 'link-requests', 'object-news', 'catalog-publishes', 'outgoing-dead']) {
    const { explicitAcks } = await shop.consume(queue, [{ id: `of ${queue}`, body: { of: queue } }]);
    assert.deepEqual(explicitAcks, [`of ${queue}`]);
    const kept = await shop.rows('SELECT queue FROM dead_letters WHERE body = ?', JSON.stringify({ of: queue }));
    assert.deepEqual(kept, [{ queue: queue.endsWith('-dead') ? queue : `${queue}-dead` }]);
  }
});

test('a message that names no event is kept too', async () => {
  const queue = await shop.miniflare.getQueueProducer('STRIPE_EVENTS');
  await queue.send('evt_of_nobody', { contentType: 'text' });
  await eventually(async () => assert.equal((await shop.rows("SELECT id FROM dead_letters WHERE body = 'evt_of_nobody'")).length, 1));
});

/** Runs `work` while its events never arrive. */
function losingEvents(work: () => void): void {
  shop.sandbox.faults.add({ on: 'webhook', type: '*', kind: 'drop', times: 100 });
  work();
  shop.sandbox.faults.clear();
}

/** Returns the event that the provider stored about an order's payment. */
function keptEvent(order: Json): Event {
  const about = ({ type, data }: Event) => type === 'checkout.session.completed' && data.object['id'] === sessionOf(order);
  const event = [...shop.sandbox.account.events.values()].find(about);
  assert.ok(event);
  return event;
}

/** Stores an event like a webhook that died before it queued the event. */
async function keep(event: Event): Promise<void> {
  await shop.rows('INSERT INTO webhook_events (id, kind, payload, received_at, due_at) VALUES (?, ?, ?, ?, ?)', event.id, event.type, JSON.stringify(event), Date.now(), Date.now());
}
