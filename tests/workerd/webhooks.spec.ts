/**
 * Webhooks to `POST /webhooks/{provider}`: none is accepted for an unknown provider or without a
 * valid signature, and each event counts once.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Stripe } from 'stripe';
import { csvOf } from './catalog.ts';
import { eventually } from './eventually.ts';
import { SECRETS, startShop, type Shop } from './shop.ts';

const PATH = '/webhooks/stripe';

let shop: Shop;
before(async () => {
  shop = await startShop();
  await shop.importCatalog(csvOf({ sku: 'LAMP' }));
});
after(() => shop.close());

test('a delivery whose signature does not hold leaves no trace', async (t) => {
  const before = await shop.counts();
  const now = Math.floor(Date.now() / 1000);
  const payload = event();
  const signed = (at = now, secret = SECRETS.STRIPE_WEBHOOK_SECRET) => Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: at });
  const rejected: Record<string, [signature: string | undefined, body: string]> = {
    'no signature': [undefined, payload],
    'an empty one': ['', payload],
    'no time': [signed().replace(/t=\d+,/, ''), payload],
    'another time': [signed().replace(/t=\d+/, `t=${now - 1}`), payload],
    'another secret': [signed(now, 'whsec_of_someone_else'), payload],
    'an empty secret': [signed(now, ''), payload],
    'an old scheme': [signed().replace('v1=', 'v0='), payload],
    'cut short': [signed().slice(0, -2), payload],
    'too old': [signed(now - 310), payload],
    'ahead of time': [signed(now + 90), payload],
    'a changed body': [signed(), payload.replace('evt_', 'evt_x')],
    'a body with one more space': [signed(), `${payload} `],
    'an empty body': [signed(), ''],
  };
  for (const [name, [signature, body]] of Object.entries(rejected)) {
    const headers = { 'content-type': 'application/json', ...(signature !== undefined && { 'stripe-signature': signature }) };
    await t.test(name, async () => (await shop.shopper().send('POST', PATH, body, headers)).refused(400, 'invalid_signature'));
  }
  assert.deepEqual(await shop.counts(), before);
});

test('an unknown provider is not found, and costs nothing', async (t) => {
  const before = await shop.counts();
  const payload = eventThatMatters();
  const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRETS.STRIPE_WEBHOOK_SECRET });
  for (const name of ['second', 'Stripe', 'stripe%20', 'evt_1']) await t.test(name, async () => {
    const headers = { 'content-type': 'application/json', 'stripe-signature': signature, 'idempotency-key': 'key_1' };
    (await shop.shopper().send('POST', `/webhooks/${name}`, payload, headers)).refused(404, 'not_found');
    (await shop.shopper().send('POST', `/webhooks/${name}`, ' '.repeat(512 * 1024 + 1), headers)).refused(404, 'not_found');
  });
  assert.deepEqual(await shop.counts(), before);
});

test('a header of many signatures is refused, and only its first five are compared', async (t) => {
  const before = await shop.counts();
  const now = Math.floor(Date.now() / 1000);
  const body = 'a'.repeat(512 * 1024);
  const forged = `v1=${'0f'.repeat(32)},`;
  const send = (signature: string, payload: string) => shop.shopper().send('POST', PATH, payload, { 'stripe-signature': signature });
  for (const [name, header] of Object.entries({
    'thousands, of another time': `t=1,${'v1=00,'.repeat(2_500)}`,
    'thousands, of now': `t=${now},${'v1=00,'.repeat(2_500)}`,
    'well-formed ones': `t=${now},${forged.repeat(50)}`,
  })) await t.test(name, async () => (await send(header, body)).refused(400, 'invalid_signature'));

  const payload = event();
  const [time, good] = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRETS.STRIPE_WEBHOOK_SECRET }).split(',');
  (await send(`${time},${forged.repeat(5)}${good}`, payload)).refused(400, 'invalid_signature');
  (await send(`${time},${good},v0=${'0'.repeat(5_000)}`, payload)).refused(400, 'invalid_signature');
  assert.deepEqual(await shop.counts(), before);
  (await send(`${time},${'v1=00,'.repeat(20)}${forged.repeat(4)}${good}`, payload)).expect(200);
});

test('what is signed but no event of this mode is refused', async () => {
  const before = await shop.counts();
  (await post('no json')).refused(400, 'malformed_event');
  (await post('{}')).refused(400, 'malformed_event');
  (await post('')).refused(400, 'malformed_event');
  (await post(event({ livemode: true }))).refused(400, 'wrong_mode');
  (await post(event({ account: 'acct_of_someone_else' }))).refused(400, 'wrong_account');
  (await post(' '.repeat(512 * 1024 + 1))).refused(413, 'body_too_large');
  assert.deepEqual(await shop.counts(), before);
});

test('what is refused is logged with its reason, and without a word of the delivery', async () => {
  const payload = event({ account: 'acct_of_someone_else', data: { object: { id: 'cus_1', email: 'ann@shopper.test' } } });
  const header = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRETS.STRIPE_WEBHOOK_SECRET });
  const send = (signature: string) => shop.shopper().send('POST', PATH, payload, { 'stripe-signature': signature });
  const ids = [(await send(header)).refused(400, 'wrong_account').request_id, (await send(`${header}0`)).refused(400, 'invalid_signature').request_id];
  const lines = await eventually(() => {
    const found = ids.map((id) => shop.log.find((line) => line.includes(id)));
    assert.ok(found.every((line) => line !== undefined));
    return found;
  });
  assert.match(lines[0]!, /wrong_account/);
  assert.match(lines[1]!, /invalid_signature/);
  const secrets = [SECRETS.STRIPE_WEBHOOK_SECRET, SECRETS.STRIPE_SECRET_KEY, header.split('v1=')[1]!, 'ann@shopper.test', 'acct_of_someone_else'];
  assert.deepEqual(shop.log.filter((line) => secrets.some((secret) => line.includes(secret))), []);
});

test('an event that was dealt with is taken again, and changes nothing', async () => {
  const payload = eventThatMatters();
  for (const [receipt, outcome] of [[1, 'not_ours'], [2, 'not_ours']]) {
    (await post(payload)).expect(200);
    await eventually(async () => {
      const rows = await shop.rows('SELECT outcome FROM webhook_events WHERE id = ?', JSON.parse(payload).id);
      assert.deepEqual(rows, [{ outcome }], `receipt ${receipt}`);
    });
  }
});

test('any of several signatures will do, as while a secret is rolled', async () => {
  const payload = event();
  const header = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRETS.STRIPE_WEBHOOK_SECRET });
  const both = header.replace(',v1=', `,v1=${'0'.repeat(64)},v1=`);
  (await shop.shopper().send('POST', PATH, payload, { 'stripe-signature': both })).expect(200);
});

test('an event of a kind that changes nothing here is answered, and nothing of it is kept', async () => {
  const before = await shop.counts();
  (await post(event())).expect(200);
  assert.deepEqual(await shop.counts(), before);
});

test('an event larger than a queue message gets through', async (t) => {
  for (const bytes of [200_000, 300_000]) await t.test(`${bytes} bytes`, async () => {
    const payload = eventThatMatters({ note: 'x'.repeat(bytes) });
    (await post(payload)).expect(200);
    const { id } = JSON.parse(payload);
    await eventually(async () => assert.equal((await shop.rows('SELECT outcome FROM webhook_events WHERE id = ?', id))[0]?.['outcome'], 'not_ours'));
  });
});

test('one event delivered twenty times at once, and all events again in any order, have one effect', async () => {
  const order = await shop.shopper().buy('LAMP', 2);
  shop.sandbox.faults.add({ on: 'webhook', type: 'checkout.session.completed', kind: 'duplicate', copies: 19 });
  await shop.press(order, 'pay');
  await shop.settled(order, 'confirmed');
  const storm = await shop.sandbox.control.storm(20);
  assert.ok(storm.every(({ outcome }) => outcome === 'delivered'));
  await eventually(async () => {
    const [left] = await shop.rows('SELECT COUNT(*) AS count FROM webhook_events WHERE processed_at IS NULL');
    assert.equal(left?.['count'], 0);
  });

  assert.equal(shop.sandbox.deliveries.log.filter(({ type }) => type === 'checkout.session.completed').length, 20 + 20);
  assert.deepEqual(await shop.rows("SELECT happening FROM order_events WHERE order_id = ? ORDER BY version", order.id), [{ happening: 'placed' }, { happening: 'paid' }]);
  assert.equal((await shop.rows("SELECT id FROM webhook_events WHERE kind = 'checkout.session.completed'")).length, 1);
  assert.equal((await shop.stock('LAMP')).committed, 2);
  const commits = await shop.stockObject('LAMP').stored("SELECT seq FROM journal WHERE events LIKE '%\"committed\"%'");
  assert.equal(commits.length, 1);
});

let made = 0;
function event(changes: Record<string, unknown> = {}): string {
  made += 1;
  return JSON.stringify({ id: `evt_test${made}`, object: 'event', type: 'customer.updated', livemode: false, data: { object: { id: 'cus_1' } }, ...changes });
}

/** An event about a payment that isn't the shop's. */
const eventThatMatters = (about: Record<string, unknown> = {}) =>
  event({ type: 'payment_intent.succeeded', data: { object: { id: '', object: 'payment_intent', ...about } } });

function post(payload: string) {
  const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRETS.STRIPE_WEBHOOK_SECRET });
  return shop.shopper().send('POST', PATH, payload, { 'content-type': 'application/json', 'stripe-signature': signature });
}
