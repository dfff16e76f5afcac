/**
 * A client of the shop's API: sends JSON, keeps the cart's token and, for the steps that most tests
 * share, walks from a cart to an order. Answers are never thrown; `expect` asserts the status and
 * hands out the body.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** Clients branch on codes, so each stands in the API's document. */
const documented = readFileSync(new URL('../../assets/api/v1/openapi.json', import.meta.url), 'utf8');

/** JSON of an answer, untyped: the tests assert what it holds. */
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

  /** The body of an answer that has this status. */
  expect(status: number): Json {
    assert.equal(this.status, status, `${this.request}: ${this.text}`);
    return this.body;
  }

  /** The problem of an answer that has this status and code. */
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

  /** Sends a body as it is. */
  async send(method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}): Promise<Answer> {
    const own = { ...(this.cartToken && { 'cart-token': this.cartToken }), ...this.#headers };
    const streamed = body instanceof ReadableStream ? { duplex: 'half' } : {};
    const response = await fetch(this.url + path, { method, body, headers: { ...own, ...headers }, redirect: 'manual', ...streamed } as RequestInit);
    this.cartToken = response.headers.get('cart-token') ?? this.cartToken;
    return new Answer(response.status, response.headers, await response.text(), `${method} ${path}`);
  }

  /**
   * Asks with a body of so many bytes, and waits for the answer before it sends any. What is too
   * large is refused when it is announced; who sends it all the same may find the connection closed
   * before having read why.
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

  /** Puts units into the cart. */
  async add(sku: string, quantity = 1): Promise<Json> {
    return (await this.post('/api/v1/cart/items', { sku, quantity })).expect(200);
  }

  /** A quote of the cart; its id is what an order takes. */
  async quote(changes: Record<string, unknown> = {}): Promise<Json> {
    return (await this.post('/api/v1/cart/quote', { ...DELIVERY, ...changes })).expect(201);
  }

  /** Orders by a quote, under a key of its own unless one is given. */
  order(quoteId: string, key: string = randomUUID()): Promise<Answer> {
    return this.post('/api/v1/orders', { quote_id: quoteId }, { 'idempotency-key': key });
  }

  /** From an empty cart to a placed order. */
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

/** The token in the link to an order. */
export const tokenOf = ({ status_url: link }: Json): string => new URLSearchParams(new URL(link).hash.slice(1)).get('token')!;

/** The headers of a browser that has opened an order's link. */
export const opened = (order: Json): Record<string, string> => ({ cookie: `__Host-order-${order.id}=${tokenOf(order)}` });

export const DELIVERY = {
  currency: 'USD',
  email: 'ann@shopper.test',
  shipping_method: 'standard',
  shipping_address: { name: 'Ann Shopper', line1: '1 Main Street', city: 'New York', region: 'NY', postal_code: '10001', country: 'US' },
};
