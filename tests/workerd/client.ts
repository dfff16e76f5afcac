/**
 * A client of the shop's API: sends JSON, keeps the cart's token and, for the steps that most tests
 * share, goes from a cart to an order. Responses are never thrown; `expect` asserts the status and
 * returns the body.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** Clients branch on codes, so each must be in the API's document. */
const documented = readFileSync(new URL('../../assets/api/v1/openapi.json', import.meta.url), 'utf8');

/** JSON of a response, untyped: the tests assert its content. */
export type Json = any;

export class Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly request: string;

  constructor(status: number, headers: Headers, text: string, request: string) {
    this.status = status;
    this.headers = headers;
    this.text = text;
    this.request = request;
  }

  get body(): Json {
    return this.text === '' ? undefined : JSON.parse(this.text);
  }

  /** Returns the body after asserting the status. */
  expect(status: number): Json {
    assert.equal(this.status, status, `${this.request}: ${this.text}`);
    return this.body;
  }

  /** Returns the problem document after asserting status and code. */
  refused(status: number, code: string): Json {
    assert.equal(this.status, status, `${this.request}: ${this.text}`);
    assert.equal(this.headers.get('content-type'), 'application/problem+json', this.request);
    assert.deepEqual([this.body.status, this.body.code], [status, code], `${this.request}: ${this.text}`);
    if (this.request.includes(' /api/')) assert.ok(documented.includes(`\`${code}\``), `${code} is not in the OpenAPI document`);
    assert.equal(this.body.request_id, this.headers.get('x-request-id'), this.request);
    return this.body;
  }
}

export class Client {
  cartToken: string | undefined;
  readonly url: string;
  readonly #headers: Record<string, string>;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.url = url;
    this.#headers = headers;
  }

  get = (path: string, headers?: Record<string, string>) => this.send('GET', path, undefined, headers);
  post = (path: string, json?: unknown, headers?: Record<string, string>) => this.#sendJson('POST', path, json, headers);
  put = (path: string, json?: unknown, headers?: Record<string, string>) => this.#sendJson('PUT', path, json, headers);
  delete = (path: string, headers?: Record<string, string>) => this.send('DELETE', path, undefined, headers);

  /** Sends a body unchanged. */
  async send(method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}): Promise<Answer> {
    const own = { ...(this.cartToken && { 'cart-token': this.cartToken }), ...this.#headers };
    const streamed = body instanceof ReadableStream ? { duplex: 'half' } : {};
    const response = await fetch(this.url + path, { method, body, headers: { ...own, ...headers }, redirect: 'manual', ...streamed } as RequestInit);
    this.cartToken = response.headers.get('cart-token') ?? this.cartToken;
    return new Answer(response.status, response.headers, await response.text(), `${method} ${path}`);
  }

  /**
   * Announces a body of this size, and waits for the response before sending any of it. An
   * oversized body is rejected when announced; a client that sends it anyway may find the
   * connection closed before it could read the reason.
   */
  async announce(method: string, path: string, bytes: number, headers: Record<string, string> = {}): Promise<Answer> {
    const asked = request(this.url + path, { method, headers: { ...this.#headers, ...headers, 'content-length': bytes } });
    asked.flushHeaders();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const told = new Headers(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]));
    const body = await text(answer);
    asked.destroy();
    return new Answer(answer.statusCode!, told, body, `${method} ${path}`);
  }

  /** Adds units to the cart. */
  async add(sku: string, quantity = 1): Promise<Json> {
    return (await this.post('/api/v1/cart/items', { sku, quantity })).expect(200);
  }

  /** Returns a quote of the cart, whose ID is needed for an order. */
  async quote(changes: Record<string, unknown> = {}): Promise<Json> {
    return (await this.post('/api/v1/cart/quote', { ...DELIVERY, ...changes })).expect(201);
  }

  /** Places an order by a quote, under a new key unless one is given. */
  order(quoteId: string, key: string = randomUUID()): Promise<Answer> {
    return this.post('/api/v1/orders', { quote_id: quoteId }, { 'idempotency-key': key });
  }

  /** Goes from an empty cart to a placed order. */
  async buy(sku: string, quantity = 1): Promise<Json> {
    await this.add(sku, quantity);
    const { id } = await this.quote();
    return (await this.order(id)).expect(201);
  }

  #sendJson(method: string, path: string, json: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    if (json === undefined) return this.send(method, path, undefined, headers);
    return this.send(method, path, JSON.stringify(json), { 'content-type': 'application/json', ...headers });
  }
}

/** Returns the token in an order's link. */
export const tokenOf = ({ status_url: link }: Json): string => new URLSearchParams(new URL(link).hash.slice(1)).get('token')!;

/** Returns the headers of a browser that has opened an order's link. */
export const opened = (order: Json): Record<string, string> => ({ cookie: `__Host-order-${order.id}=${tokenOf(order)}` });

export const DELIVERY = {
  currency: 'USD',
  email: 'ann@shopper.test',
  shipping_method: 'standard',
  shipping_address: { name: 'Ann Shopper', line1: '1 Main Street', city: 'New York', region: 'NY', postal_code: '10001', country: 'US' },
};
