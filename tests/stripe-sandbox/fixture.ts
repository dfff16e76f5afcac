/**
 * Fixture for the sandbox's own tests: before each test, a new sandbox whose clock stands still,
 * the official client connected to it, and a shop that receives events and verifies them with the
 * official package.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach } from 'node:test';
import { Stripe } from 'stripe';
import { startSandbox, type Sandbox } from './sandbox.ts';

export const KEY = 'sk_test_51Sandbox';
export const SECRET = 'whsec_of_the_tests';
export const START = 1_790_000_000;

export class Fixture {
  now = START;
  received: Stripe.Event[] = [];
  /** Status that the shop returns for a verified event. */
  answer: (event: Stripe.Event) => number = () => 200;
  sandbox!: Sandbox;
  stripe!: Stripe;
  #closeShop!: () => Promise<void>;

  async open(): Promise<void> {
    this.now = START;
    this.received = [];
    this.answer = () => 200;
    const webhookUrl = await this.#openShop();
    this.sandbox = await startSandbox({
      port: 0, secretKey: KEY, webhookSecret: SECRET, webhookUrl, now: () => this.now, retryUnitMs: 1, maxAttempts: 4,
    });
    this.stripe = this.client(KEY);
  }

  async close(): Promise<void> {
    await this.sandbox.close();
    await this.#closeShop();
  }

  client(key: string): Stripe {
    return new Stripe(key, { host: '127.0.0.1', port: this.sandbox.port, protocol: 'http', maxNetworkRetries: 0 });
  }

  create(params: Record<string, unknown> = {}, options: Stripe.RequestOptions = {}) {
    const usual = { mode: 'payment', success_url: 'http://shop.test/done?session={CHECKOUT_SESSION_ID}', line_items: [line()] };
    return this.stripe.checkout.sessions.create({ ...usual, ...params } as Stripe.Checkout.SessionCreateParams, options);
  }

  /** Creates and pays a session; returns the payment intent. */
  async paidIntent(): Promise<string> {
    const { id } = await this.create();
    return this.sandbox.control.pay(id).payment_intent!;
  }

  /** Returns the sorted types of received events, once nothing is pending. */
  async types(): Promise<string[]> {
    await this.sandbox.deliveries.idle();
    return this.received.map((event) => event.type as string).sort();
  }

  post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
    const usual = { authorization: `Bearer ${KEY}`, 'content-type': 'application/x-www-form-urlencoded' };
    return fetch(this.sandbox.url + path, { method: 'POST', body, headers: { ...usual, ...headers } });
  }

  async command(path: string, input: unknown): Promise<unknown> {
    const response = await fetch(this.sandbox.url + path, {
      method: 'POST', body: JSON.stringify(input), headers: { 'content-type': 'application/json' },
    });
    assert.equal(response.status, 200, `${path}: ${response.status}`);
    return response.json();
  }

  async #openShop(): Promise<string> {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      response.statusCode = this.#take(Buffer.concat(chunks), String(request.headers['stripe-signature']));
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#closeShop = () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/stripe`;
  }

  #take(body: Buffer, signature: string): number {
    try {
      const event = Stripe.webhooks.constructEvent(body, signature, SECRET);
      const status = this.answer(event);
      if (status === 200) this.received.push(event);
      return status;
    } catch {
      return 400;
    }
  }
}

/** Returns a fixture that is reset for each test of the file. */
export function useFixture(): Fixture {
  const fixture = new Fixture();
  beforeEach(() => fixture.open());
  afterEach(() => fixture.close());
  return fixture;
}

export function line(unit_amount = 2500, currency = 'usd', name = 'A thing') {
  return { quantity: 1, price_data: { currency, unit_amount, product_data: { name } } };
}

/** Returns a session's parameters, form-encoded. */
export function sessionForm(more: Record<string, string> = {}): string {
  return new URLSearchParams({
    mode: 'payment', success_url: 'http://shop.test/done', 'line_items[0][quantity]': '1',
    'line_items[0][price_data][currency]': 'usd', 'line_items[0][price_data][unit_amount]': '900',
    'line_items[0][price_data][product_data][name]': 'A thing', ...more,
  }).toString();
}

export function submit(url: string, action: string): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' });
}

/** Polls a condition until it holds, for at most five seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'waited for five seconds');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
