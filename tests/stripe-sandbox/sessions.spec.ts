/**
 * Sessions through the official client: accepted and rejected parameters, reading, idempotency,
 * expiry.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Stripe } from 'stripe';
import { format } from './currencies.ts';
import { line, sessionForm, START, until, useFixture } from './fixture.ts';

const shop = useFixture();

describe('creating a session', () => {
  test('has the fields that a shop reads', async () => {
    const session = await shop.create({ client_reference_id: 'ord_1', metadata: { order: 'ord_1' }, customer_email: 'a@b.test' });
    assert.match(session.id, /^cs_test_\w{50,}$/);
    assert.equal(session.url, `${shop.sandbox.url}/c/pay/${session.id}`);
    assert.equal(session.amount_total, 2500);
    assert.equal(session.currency, 'usd');
    assert.equal(session.client_reference_id, 'ord_1');
    assert.deepEqual(session.metadata, { order: 'ord_1' });
    assert.equal(session.customer_email, 'a@b.test');
    assert.equal(session.payment_intent, null);
    assert.equal(session.payment_status, 'unpaid');
    assert.equal(session.status, 'open');
    assert.equal(session.livemode, false);
    assert.equal(session.created, START);
    assert.equal(session.expires_at, START + 86_400);
    assert.equal('line_items' in session, false);
  });

  const refusals: [what: string, params: Record<string, unknown>, expected: { code?: string; param?: string }][] = [
    ['an unknown parameter', { colour: 'red' }, { code: 'parameter_unknown', param: 'colour' }],
    ['an unknown nested parameter', { line_items: [{ ...line(), size: 1 }] }, { code: 'parameter_unknown', param: 'line_items[0][size]' }],
    ['no success_url', { success_url: undefined }, { code: 'parameter_missing', param: 'success_url' }],
    ['no mode', { mode: undefined }, { code: 'parameter_missing', param: 'mode' }],
    ['no lines', { line_items: undefined }, { code: 'parameter_missing', param: 'line_items' }],
    ['no quantity', { line_items: [{ ...line(), quantity: undefined }] }, { code: 'parameter_missing', param: 'line_items[0][quantity]' }],
    ['quantity 0', { line_items: [{ ...line(), quantity: 0 }] }, { code: 'parameter_invalid_integer', param: 'line_items[0][quantity]' }],
    ['a fraction', { line_items: [line(10.5)] }, { code: 'parameter_invalid_integer', param: 'line_items[0][price_data][unit_amount]' }],
    ['a negative amount', { line_items: [line(-100)] }, { code: 'parameter_invalid_integer', param: 'line_items[0][price_data][unit_amount]' }],
    ['a nameless product', { line_items: [line(100, 'usd', '')] }, { code: 'parameter_invalid_empty', param: 'line_items[0][price_data][product_data][name]' }],
    ['an empty value', { client_reference_id: '' }, { code: 'parameter_invalid_empty', param: 'client_reference_id' }],
    ['a long reference', { client_reference_id: 'x'.repeat(201) }, { code: 'parameter_invalid_string_too_long', param: 'client_reference_id' }],
    ['a relative URL', { success_url: '/done' }, { code: 'url_invalid', param: 'success_url' }],
    ['a script for a URL', { cancel_url: 'javascript:alert(1)' }, { code: 'url_invalid', param: 'cancel_url' }],
    ...['ann@shopper..test', 'ann,bob@shopper.test', 'ann@-shopper.test', `${'a'.repeat(65)}@shopper.test`, 'ann@shopper.123', '<ann@shopper.test>', 'x<victim@evil.test>', 'änne@shopper.test', 'ann@müller.test', 'ann@shopper.test.', '@shopper.test']
      .map((email): [string, Record<string, unknown>, { code: string; param: string }] => [`the address ${email}`, { customer_email: email }, { code: 'email_invalid', param: 'customer_email' }]),
    ['a wrong address', { customer_email: 'nobody' }, { code: 'email_invalid', param: 'customer_email' }],
    ['an unknown currency', { line_items: [line(100, 'xyz')] }, { param: 'line_items[0][price_data][currency]' }],
    ['an upper-case currency', { line_items: [line(100, 'USD')] }, { param: 'line_items[0][price_data][currency]' }],
    ['two currencies', { line_items: [line(), line(100, 'eur')] }, { param: 'line_items[1][price_data][currency]' }],
    ['less than half a dollar', { line_items: [line(49)] }, { code: 'amount_too_small', param: 'line_items' }],
    ['less than thirty pence', { line_items: [line(29, 'gbp')] }, { code: 'amount_too_small', param: 'line_items' }],
    ['less than fifty yen', { line_items: [line(49, 'jpy')] }, { code: 'amount_too_small', param: 'line_items' }],
    ['more than eight digits', { line_items: [line(100_000_000)] }, { code: 'amount_too_large', param: 'line_items' }],
    ['a dinar to the last fils', { line_items: [line(5001, 'kwd')] }, { param: 'line_items[0][price_data][unit_amount]' }],
    ['half a krona of Iceland', { line_items: [line(50_050, 'isk')] }, { param: 'line_items[0][price_data][unit_amount]' }],
    ['expiry in 29 minutes', { expires_at: START + 1799 }, { param: 'expires_at' }],
    ['expiry in over 24 hours', { expires_at: START + 86_401 }, { param: 'expires_at' }],
    ['too much metadata', { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`k${n}`, 'v'])) }, { param: 'metadata' }],
    ['a long metadata value', { metadata: { note: 'x'.repeat(501) } }, { param: 'metadata[note]' }],
    ['101 lines', { line_items: Array.from({ length: 101 }, () => line()) }, { param: 'line_items' }],
    ['what the sandbox does not model', { automatic_tax: { enabled: true } }, { param: 'automatic_tax' }],
    ['another kind of page', { ui_mode: 'embedded_page' }, { param: 'ui_mode' }],
  ];
  for (const [what, params, expected] of refusals) {
    test(`refuses ${what}`, async () => {
      await assert.rejects(shop.create(params), { statusCode: 400, type: 'StripeInvalidRequestError', ...expected });
      assert.equal(shop.sandbox.account.sessions.size, 0);
    });
  }

  const accepted: [what: string, params: Record<string, unknown>, total: number][] = [
    ['the smallest charge', { line_items: [line(50)] }, 50],
    ['yen without decimals', { line_items: [line(50, 'jpy')] }, 50],
    ['dinars to ten fils', { line_items: [line(5010, 'kwd')] }, 5010],
    ['whole kronur with two zeros', { line_items: [line(50_000, 'isk')] }, 50_000],
    ['several lines and quantities', { line_items: [line(100), { ...line(30), quantity: 3 }] }, 190],
    ['expiry in 30 minutes', { expires_at: START + 1800 }, 2500],
    ['expiry in 24 hours', { expires_at: START + 86_400 }, 2500],
    ['the page mode by name', { ui_mode: 'hosted_page' }, 2500],
  ];
  for (const [what, params, total] of accepted) {
    test(`takes ${what}`, async () => assert.equal((await shop.create(params)).amount_total, total));
  }

  test('names the page mode as the version asked for does', async () => {
    const before = await shop.post('/v1/checkout/sessions', sessionForm({ ui_mode: 'hosted' }), { 'stripe-version': '2025-09-30.clover' });
    assert.equal((await before.json()).ui_mode, 'hosted');
  });

  test('amounts are shown in each currency\'s own way', () => {
    assert.equal(format('usd', 123456), '$1,234.56');
    assert.equal(format('jpy', 500), '¥500');
    assert.equal(format('kwd', 5010).replace(/\s/, ' '), 'KWD 5.010');
    assert.equal(format('isk', 50_000).replace(/\s/, ' '), 'ISK 500');
    assert.equal(format('usd', 9_007_199_254_740_991), '$90,071,992,547,409.91');
  });
});

describe('reading', () => {
  test('expands lines, payment intent and charge', async () => {
    const { id } = await shop.create({ line_items: [line(100), line(200)] });
    shop.sandbox.control.pay(id);
    const session = await shop.stripe.checkout.sessions.retrieve(id, { expand: ['line_items', 'payment_intent.latest_charge'] });
    assert.deepEqual(session.line_items?.data.map((item) => item.amount_total), [100, 200]);
    const intent = session.payment_intent as Stripe.PaymentIntent;
    assert.equal((intent.latest_charge as Stripe.Charge).amount, 300);
    await assert.rejects(shop.stripe.checkout.sessions.retrieve(id, { expand: ['nonsense'] }), { statusCode: 400, param: 'expand' });
    await assert.rejects(shop.stripe.checkout.sessions.retrieve('cs_test_none'), { statusCode: 404, code: 'resource_missing' });
  });

  test('lists line items by pages', async () => {
    const { id } = await shop.create({ line_items: [line(100), line(200), line(300)] });
    const first = await shop.stripe.checkout.sessions.listLineItems(id, { limit: 2 });
    assert.equal(first.has_more, true);
    const second = await shop.stripe.checkout.sessions.listLineItems(id, { starting_after: first.data[1]!.id });
    assert.deepEqual(second.data.map((item) => item.amount_total), [300]);
  });

  test('lists sessions newest first, by time and cursor', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 4; n++) {
      shop.now = START + n;
      ids.push((await shop.create({ client_reference_id: `ord_${n}` })).id);
    }
    const recent = await shop.stripe.checkout.sessions.list({ created: { gte: START + 1 }, limit: 2 });
    assert.deepEqual(recent.data.map((session) => session.id), [ids[3], ids[2]]);
    assert.equal(recent.has_more, true);
    const rest = await shop.stripe.checkout.sessions.list({ created: { gte: START + 1 }, starting_after: ids[2]! });
    assert.deepEqual(rest.data.map((session) => session.client_reference_id), ['ord_1']);
    await assert.rejects(shop.stripe.checkout.sessions.list({ limit: 101 }), { param: 'limit' });
  });
});

describe('idempotency', () => {
  test('the same key and parameters replay the first answer, other parameters are refused', async () => {
    const first = await shop.post('/v1/checkout/sessions', sessionForm(), { 'idempotency-key': 'k1' });
    const again = await shop.post('/v1/checkout/sessions', sessionForm(), { 'idempotency-key': 'k1' });
    assert.equal(first.headers.get('idempotent-replayed'), null);
    assert.equal(again.headers.get('idempotent-replayed'), 'true');
    assert.notEqual(first.headers.get('request-id'), again.headers.get('request-id'));
    assert.equal(await again.text(), await first.text());
    await assert.rejects(shop.create({ client_reference_id: 'other' }, { idempotencyKey: 'k1' }), { statusCode: 400, type: 'StripeIdempotencyError' });
    assert.equal((await shop.post('/v1/refunds', sessionForm(), { 'idempotency-key': 'k1' })).status, 400);
    assert.equal(shop.sandbox.account.sessions.size, 1);
  });

  test('a replay tells the first answer although the session has moved on', async () => {
    const { id } = await shop.create({}, { idempotencyKey: 'k2' });
    shop.sandbox.control.expire(id);
    const replay = await shop.create({}, { idempotencyKey: 'k2' });
    assert.equal(replay.id, id);
    assert.equal(replay.status, 'open');
  });

  test('parameters that fail validation leave the key free', async () => {
    await assert.rejects(shop.create({ success_url: undefined }, { idempotencyKey: 'k3' }));
    assert.equal((await shop.create({}, { idempotencyKey: 'k3' })).status, 'open');
  });

  test('a refusal by state is kept', async () => {
    const { id } = await shop.create();
    const intent = shop.sandbox.control.pay(id).payment_intent!;
    const refund = (idempotencyKey: string) => shop.stripe.refunds.create({ payment_intent: intent }, { idempotencyKey });
    await refund('r1');
    await assert.rejects(refund('r2'), { code: 'charge_already_refunded' });
    await assert.rejects(refund('r2'), (error: Stripe.errors.StripeError) => {
      assert.equal(error.headers?.['idempotent-replayed'], 'true');
      return true;
    });
  });

  test('a key in progress is a conflict', async () => {
    shop.sandbox.faults.add({ on: 'api', path: '/v1/checkout/sessions', kind: 'delay', delay_ms: 200 });
    const slow = shop.post('/v1/checkout/sessions', sessionForm(), { 'idempotency-key': 'k4' });
    await until(async () => {
      const second = await shop.post('/v1/checkout/sessions', sessionForm(), { 'idempotency-key': 'k4' });
      if (second.status !== 409) return false;
      assert.equal((await second.json()).error.code, 'idempotency_key_in_use');
      return true;
    });
    await slow;
    assert.equal(shop.sandbox.account.sessions.size, 1);
  });

  test('a key is forgotten after a day', async () => {
    const first = await shop.create({}, { idempotencyKey: 'k5' });
    shop.now += 86_400;
    assert.notEqual((await shop.create({ client_reference_id: 'later' }, { idempotencyKey: 'k5' })).id, first.id);
  });
});

describe('expiry', () => {
  test('an open session can be expired, once', async () => {
    const { id } = await shop.create();
    const session = await shop.stripe.checkout.sessions.expire(id);
    assert.equal(session.status, 'expired');
    assert.equal(session.url, null);
    await assert.rejects(shop.stripe.checkout.sessions.expire(id), { statusCode: 400, message: /status of `expired`/ });
    assert.deepEqual(await shop.types(), ['checkout.session.expired']);
  });

  test('a paid session cannot be expired', async () => {
    const { id } = await shop.create();
    shop.sandbox.control.pay(id).payment_intent!;
    await assert.rejects(shop.stripe.checkout.sessions.expire(id), { message: /status of `complete`/ });
  });

  test('a session expires by itself at its time, seen on access', async () => {
    const { id } = await shop.create({ expires_at: START + 1800 });
    shop.now = START + 1799;
    assert.equal((await shop.stripe.checkout.sessions.retrieve(id)).status, 'open');
    shop.now = START + 1800;
    assert.equal((await shop.stripe.checkout.sessions.retrieve(id)).status, 'expired');
    assert.throws(() => shop.sandbox.control.pay(id), /expired/);
    assert.deepEqual(await shop.types(), ['checkout.session.expired']);
  });

  test('a session expires by itself with nobody looking', async () => {
    await shop.create({ expires_at: START + 1800 });
    shop.now = START + 1800;
    await until(() => shop.received.length > 0);
    assert.deepEqual((await shop.types()), ['checkout.session.expired']);
  });

  test('the clock can be advanced over HTTP', async () => {
    const { id } = await shop.create();
    await shop.command('/_sandbox/advance', { secs: 86_400 });
    assert.equal(shop.sandbox.account.sessions.get(id)?.status, 'expired');
  });
});
