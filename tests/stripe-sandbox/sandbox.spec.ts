/**
 * Access to the sandbox, and its control over HTTP. If this and its sibling specs hold, code
 * written for Stripe cannot distinguish the two in the parts that a shop uses.
 */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import { serveControl } from './control.ts';
import { startSandbox } from './sandbox.ts';
import { KEY, SECRET, START, useFixture } from './fixture.ts';

const shop = useFixture();

describe('who may call', () => {
  test('a wrong key, no key and a malformed version are refused', async () => {
    await assert.rejects(shop.client('sk_test_other').balance.retrieve(), { statusCode: 401, type: 'StripeAuthenticationError' });
    const bare = await fetch(`${shop.sandbox.url}/v1/balance`);
    assert.equal(bare.status, 401);
    assert.match(bare.headers.get('request-id') ?? '', /^req_/);
    assert.equal((await shop.post('/v1/refunds', '', { 'stripe-version': 'yesterday' })).status, 400);
  });

  test('basic authentication works, and the readiness ping answers', async () => {
    const basic = `Basic ${Buffer.from(`${KEY}:`).toString('base64')}`;
    assert.equal((await fetch(`${shop.sandbox.url}/v1/account`, { headers: { authorization: basic } })).status, 200);
    assert.equal((await shop.stripe.balance.retrieve()).livemode, false);
  });

  test('a live key is never taken', async () => {
    await assert.rejects(startSandbox({ port: 0, secretKey: 'sk_live_x', webhookSecret: SECRET }), /sk_test_/);
  });

  test('an unknown URL is refused in the usual envelope', async () => {
    const response = await shop.post('/v1/unicorns', '');
    assert.equal(response.status, 404);
    assert.equal((await response.json()).error.type, 'invalid_request_error');
  });
});

describe('control', () => {
  test('tells the whole state', async () => {
    await shop.paidIntent();
    const state = await (await fetch(`${shop.sandbox.url}/_sandbox/state`)).json();
    assert.equal(state.sessions.length, 1);
    assert.equal(state.payment_intents[0].status, 'succeeded');
    assert.equal(state.now, START);
  });

  test('takes no forms, which other sites could send', async () => {
    const { id } = await shop.create();
    const response = await fetch(`${shop.sandbox.url}/_sandbox/sessions/${id}/pay`, { method: 'POST', body: new URLSearchParams() });
    assert.equal(response.status, 415);
    assert.equal(shop.sandbox.account.sessions.get(id)?.status, 'open');
  });

  test('is refused from other machines', async () => {
    const request = { method: 'GET', headers: {}, socket: { remoteAddress: '192.0.2.7' } } as IncomingMessage;
    const url = new URL('/_sandbox/state', shop.sandbox.url);
    await assert.rejects(serveControl(shop.sandbox.control, request, url), { status: 403 });
  });

  test('refuses unknown commands and malformed input', async () => {
    const send = (path: string, body: string) =>
      fetch(shop.sandbox.url + path, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    assert.equal((await send('/_sandbox/fly', '{}')).status, 404);
    assert.equal((await send('/_sandbox/advance', '{')).status, 400);
    assert.equal((await send('/_sandbox/events', 'null')).status, 400);
    assert.equal((await send('/_sandbox/advance', '{"secs":-1}')).status, 400);
  });
});
