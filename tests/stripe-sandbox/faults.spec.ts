/**
 * Deliveries of events, and each fault.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Stripe } from 'stripe';
import { KEY, START, useFixture } from './fixture.ts';

const shop = useFixture();

describe('webhooks', () => {
  test('carry the request, the key and the version', async () => {
    const { id } = await shop.create();
    await shop.stripe.checkout.sessions.expire(id, {}, { idempotencyKey: 'e1', apiVersion: '2026-03-25.dahlia' as never });
    await shop.sandbox.deliveries.idle();
    assert.equal(shop.received[0]?.api_version, '2026-03-25.dahlia');
    assert.equal(shop.received[0]?.request?.idempotency_key, 'e1');
    assert.match(shop.received[0]?.request?.id ?? '', /^req_/);
    assert.equal(shop.received[0]?.created, START);
  });

  test('are tried again until taken', async () => {
    let calls = 0;
    shop.answer = () => (++calls < 3 ? 503 : 200);
    shop.sandbox.control.expire((await shop.create()).id);
    await shop.sandbox.deliveries.idle();
    assert.deepEqual(shop.sandbox.deliveries.log.map(({ attempt, status, outcome }) => [attempt, status, outcome]), [
      [1, 503, 'refused'], [2, 503, 'refused'], [3, 200, 'delivered'],
    ]);
    assert.equal((await shop.stripe.events.list({ delivery_success: true })).data.length, 1);
  });

  test('that were never taken are listed, and can be sent again', async () => {
    shop.answer = () => 500;
    const { id } = await shop.create();
    shop.sandbox.control.expire(id);
    await shop.sandbox.deliveries.idle();
    assert.equal(shop.sandbox.deliveries.log.length, 4);
    const { data } = await shop.stripe.events.list({ delivery_success: false, type: 'checkout.session.expired' });
    assert.equal((data[0]?.data.object as Stripe.Checkout.Session).id, id);
    shop.answer = () => 200;
    await shop.command(`/_sandbox/events/${data[0]!.id}/deliver`, {});
    assert.equal((await shop.stripe.events.list({ delivery_success: false })).data.length, 0);
    assert.equal((await shop.stripe.events.retrieve(data[0]!.id)).pending_webhooks, 0);
  });

  test('tell the object as it was', async () => {
    await shop.paidIntent();
    const { data } = await shop.stripe.events.list({ type: 'payment_intent.created' });
    assert.equal((data[0]?.data.object as Stripe.PaymentIntent).status, 'requires_payment_method');
  });

  test('go nowhere while nobody listens there', async () => {
    shop.sandbox.control.webhook('http://127.0.0.1:9/');
    shop.sandbox.control.expire((await shop.create()).id);
    await shop.sandbox.deliveries.idle();
    assert.deepEqual(new Set(shop.sandbox.deliveries.log.map(({ outcome }) => outcome)), new Set(['unreachable']));
  });

  test('events are listed by type and kept for thirty days', async () => {
    await shop.paidIntent();
    assert.equal((await shop.stripe.events.list({ types: ['payment_intent.succeeded', 'charge.succeeded'] })).data.length, 2);
    assert.equal((await shop.stripe.events.list({ type: 'payment_intent.*' })).data.length, 2);
    shop.now += 30 * 86_400 + 1;
    assert.equal((await shop.stripe.events.list()).data.length, 0);
  });

  test('a stale or foreign signature does not verify', async () => {
    const event = shop.sandbox.control.emit('product.created', { id: 'prod_1' });
    await shop.sandbox.deliveries.idle();
    const [stale] = await shop.sandbox.control.deliver(event.id, { ageSecs: 301 });
    const [foreign] = await shop.sandbox.control.deliver(event.id, { secret: 'whsec_other' });
    assert.deepEqual([stale?.status, foreign?.status], [400, 400]);
    assert.equal(shop.received.length, 1);
  });

  test('an event of another mode or of an unknown type can be sent', async () => {
    await shop.command('/_sandbox/events', { type: 'moon.full', object: { note: 'x'.repeat(200_000) }, overrides: { livemode: true } });
    await shop.sandbox.deliveries.idle();
    assert.deepEqual([shop.received[0]?.type as string, shop.received[0]?.livemode], ['moon.full', true]);
  });
});

describe('faults', () => {
  test('drop: never sent, but listed as undelivered', async () => {
    shop.sandbox.faults.add({ on: 'webhook', type: 'checkout.session.expired', kind: 'drop' });
    shop.sandbox.control.expire((await shop.create()).id);
    await shop.sandbox.deliveries.idle();
    assert.equal(shop.received.length, 0);
    assert.equal((await shop.stripe.events.list({ delivery_success: false })).data.length, 1);
  });

  test('duplicate: one event, several times', async () => {
    shop.sandbox.faults.add({ on: 'webhook', kind: 'duplicate', copies: 3 });
    shop.sandbox.control.expire((await shop.create()).id);
    await shop.sandbox.deliveries.idle();
    assert.equal(shop.received.length, 4);
    assert.equal(new Set(shop.received.map((event) => event.id)).size, 1);
  });

  test('delay: later events overtake', async () => {
    shop.sandbox.faults.add({ on: 'webhook', type: 'charge.succeeded', kind: 'delay', delay_ms: 200 });
    await shop.paidIntent();
    await shop.sandbox.deliveries.idle();
    assert.equal(shop.received.at(-1)?.type, 'charge.succeeded');
  });

  test('hold: nothing arrives before its release, then in the order asked for', async () => {
    shop.sandbox.faults.add({ on: 'webhook', kind: 'hold', times: 4 });
    await shop.paidIntent();
    await shop.sandbox.deliveries.idle();
    assert.equal(shop.received.length, 0);
    const { held } = shop.sandbox.deliveries;
    assert.equal(held.length, 4);
    assert.deepEqual(await shop.command('/_sandbox/release', { order: 'reverse' }), { released: 4 });
    await shop.sandbox.deliveries.idle();
    assert.deepEqual(shop.received.map((event) => event.id), held.toReversed());
  });

  test('storm: every event many times at once', async () => {
    await shop.paidIntent();
    await shop.sandbox.deliveries.idle();
    shop.received = [];
    await shop.command('/_sandbox/storm', { times: 20 });
    assert.equal(shop.received.length, 80);
    assert.equal(new Set(shop.received.map((event) => event.id)).size, 4);
  });

  test('an error before the work: nothing done, the key is free', async () => {
    shop.sandbox.faults.add({ on: 'api', method: 'POST', path: '/v1/checkout/sessions', kind: 'error', status: 503 });
    await assert.rejects(shop.create({}, { idempotencyKey: 'f1' }), { statusCode: 503 });
    assert.equal(shop.sandbox.account.sessions.size, 0);
    await shop.create({}, { idempotencyKey: 'f1' });
    assert.equal(shop.sandbox.account.sessions.size, 1);
  });

  for (const kind of ['error_after', 'timeout_after', 'reset_after']) {
    test(`${kind}: done without telling, learned by the key`, async () => {
      shop.sandbox.faults.add({ on: 'api', path: '/v1/checkout/sessions', kind, times: attempts(kind) });
      await assert.rejects(shop.create({}, { idempotencyKey: 'f2', timeout: 200 }));
      assert.equal(shop.sandbox.account.sessions.size, 1);
      const learned = await shop.create({}, { idempotencyKey: 'f2' });
      assert.equal(shop.sandbox.account.sessions.size, 1);
      assert.ok(shop.sandbox.account.sessions.has(learned.id));
    });
  }

  for (const kind of ['timeout', 'reset']) {
    test(`${kind}: not done, and nothing told`, async () => {
      shop.sandbox.faults.add({ on: 'api', path: '/v1/checkout/sessions', kind, times: attempts(kind) });
      await assert.rejects(shop.create({}, { timeout: 200 }), { type: 'StripeConnectionError' });
      assert.equal(shop.sandbox.account.sessions.size, 0);
    });
  }

  test('error_saved: the key keeps the failure', async () => {
    shop.sandbox.faults.add({ on: 'api', path: '/v1/checkout/sessions', kind: 'error_saved' });
    await assert.rejects(shop.create({}, { idempotencyKey: 'f3' }), { statusCode: 500 });
    await assert.rejects(shop.create({}, { idempotencyKey: 'f3' }), { statusCode: 500 });
    assert.equal((await shop.create({}, { idempotencyKey: 'f4' })).status, 'open');
  });

  test('count down, and stay on their path', async () => {
    await shop.command('/_sandbox/faults', { on: 'api', path: '/v1/refunds', kind: 'error', status: 429, times: 2 });
    await shop.create();
    for (let n = 0; n < 2; n++) await assert.rejects(shop.stripe.refunds.list(), { type: 'StripeRateLimitError' });
    assert.equal((await shop.stripe.refunds.list()).data.length, 0);
    assert.deepEqual(shop.sandbox.faults.list, []);
  });

  test('error: says when to come again, and whether', async () => {
    const ask = () => fetch(`${shop.sandbox.url}/v1/account`, { headers: { authorization: `Bearer ${KEY}` } });
    shop.sandbox.faults.add({ on: 'api', kind: 'error', status: 429, retry_after: 2, should_retry: false });
    const busy = await ask();
    assert.deepEqual([busy.status, busy.headers.get('retry-after'), busy.headers.get('stripe-should-retry')], [429, '2', 'false']);
    assert.equal((await ask()).status, 200);
  });

  test('that make no sense are refused', () => {
    const error = { on: 'api', kind: 'error' };
    for (const fault of [{ ...error, retry_after: 'soon' }, { ...error, retry_after: -1 }, { ...error, should_retry: 'no' }, null, {}, { on: 'api', kind: 'drop' }, { on: 'webhook', kind: 'drop', times: -1 }, { on: 'api', kind: 'error', status: 200 }]) {
      assert.throws(() => shop.sandbox.faults.add(fault));
    }
  });
});

/**
 * The official client retries once by itself after a reset, because a kept-alive connection may be
 * stale.
 */
function attempts(kind: string): number {
  return kind.startsWith('reset') ? 2 : 1;
}
