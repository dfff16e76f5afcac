/**
 * The API under `/v1`: who calls, in which version, under which key, and the table of routes. A
 * route is plain code that finishes before the next request is looked at, so that the account
 * changes by whole requests. Sources: https://docs.stripe.com/api/authentication,
 * https://docs.stripe.com/api/versioning, https://docs.stripe.com/api/request_ids,
 * https://docs.stripe.com/api/events/list
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { NO_REQUEST, newId, type Account } from './account.ts';
import type { ApiFault, Faults } from './faults.ts';
import { errorAnswer, invalid, json, missing, parseForm, readText, send, serverError, StripeError, type Answer, type Form } from './http.ts';
import { Idempotency } from './idempotency.ts';
import { expanded, lineItems, newestFirst } from './lists.ts';
import { expand, range, read, type Fields } from './params.ts';
import { getCharge, getIntent } from './payments.ts';
import { createRefund, getRefund } from './refunds.ts';
import { createSession, expireSession, getSession, listSessions } from './sessions.ts';

type Call = { account: Account; faults: Faults; origin: string; form: Form; url: string };
type Handler = (call: Call, id: string) => Record<string, unknown>;

const ONE = { expand } as const satisfies Fields;
const PAGE = {
  ending_before: { kind: 'string' },
  expand,
  limit: { kind: 'integer', min: 1, max: 100 },
  starting_after: { kind: 'string' },
} as const satisfies Fields;
const EVENTS = {
  ...PAGE,
  created: range,
  delivery_success: { kind: 'boolean' },
  type: { kind: 'string' },
  types: { kind: 'list', of: { kind: 'string' }, max: 20 },
} as const satisfies Fields;
const BALANCE = {
  ...PAGE,
  created: range,
  currency: { kind: 'string' },
  payout: { kind: 'unmodelled' },
  source: { kind: 'string' },
  type: { kind: 'string' },
} as const satisfies Fields;
const REFUNDS = { ...PAGE, charge: { kind: 'string' }, created: range, payment_intent: { kind: 'string' } } as const satisfies Fields;

const ROUTES: readonly [method: string, path: RegExp, handler: Handler][] = [
  ['POST', /^\/v1\/checkout\/sessions$/, ({ account, form, origin }) =>
    expanded(account, createSession(account, form, origin), expandOf(form))],
  ['GET', /^\/v1\/checkout\/sessions$/, ({ account, form, url }) => {
    const { items, params } = listSessions(account, form);
    return expanded(account, newestFirst(items, params, url), params.expand);
  }],
  ['GET', /^\/v1\/checkout\/sessions\/(\w+)$/, (call, id) => one(call, getSession(call.account, id))],
  ['GET', /^\/v1\/checkout\/sessions\/(\w+)\/line_items$/, ({ account, form }, id) => {
    const params = read(form, PAGE);
    return expanded(account, lineItems(account, getSession(account, id).id, params), params.expand);
  }],
  ['POST', /^\/v1\/checkout\/sessions\/(\w+)\/expire$/, (call, id) => {
    read(call.form, ONE);
    return one(call, expireSession(call.account, id));
  }],
  ['GET', /^\/v1\/payment_intents\/(\w+)$/, (call, id) => one(call, getIntent(call.account, id))],
  ['GET', /^\/v1\/charges\/(\w+)$/, (call, id) => one(call, getCharge(call.account, id))],
  ['POST', /^\/v1\/refunds$/, ({ account, faults, form }) =>
    expanded(account, createRefund(account, faults, form), expandOf(form))],
  ['GET', /^\/v1\/refunds$/, ({ account, form, url }) => {
    const params = read(form, REFUNDS);
    const refunds = [...account.refunds.values()].filter((refund) =>
      (!params.charge || refund.charge === params.charge) &&
      (!params.payment_intent || refund.payment_intent === params.payment_intent));
    return expanded(account, newestFirst(refunds, params, url), params.expand);
  }],
  ['GET', /^\/v1\/refunds\/(\w+)$/, (call, id) => one(call, getRefund(call.account, id))],
  ['GET', /^\/v1\/disputes\/(\w+)$/, (call, id) => one(call, call.account.disputes.get(id) ?? none('dispute', id))],
  ['GET', /^\/v1\/events$/, ({ account, form, url }) => {
    const params = read(form, EVENTS);
    if (params.type && params.types) throw invalid('You may only specify one of these parameters: type, types.');
    const types = params.types ?? (params.type ? [params.type] : undefined);
    const since = account.now() - 30 * 86_400;
    const events = [...account.events.values()].filter((event) =>
      event.created >= since && (!types || types.some((type) => typeMatches(type, event.type))) &&
      (params.delivery_success === undefined || params.delivery_success === (event.pending_webhooks === 0)));
    return expanded(account, newestFirst(events, params, url), params.expand);
  }],
  ['GET', /^\/v1\/events\/(\w+)$/, (call, id) => one(call, call.account.events.get(id) ?? none('event', id))],
  ['GET', /^\/v1\/balance_transactions$/, ({ account, form, url }) => {
    const params = read(form, BALANCE);
    const entries = [...account.balance.values()].filter((entry) =>
      (!params.type || entry.type === params.type) && (!params.source || entry.source === params.source) &&
      (!params.currency || entry.currency === params.currency));
    return expanded(account, newestFirst(entries, params, url), params.expand);
  }],
  ['GET', /^\/v1\/balance$/, (call) => one(call, {
    object: 'balance', available: [], livemode: false, pending: pendingBalance(call.account),
  })],
  ['GET', /^\/v1\/account$/, (call) => one(call, {
    id: 'acct_1SandboxStorefront', object: 'account', charges_enabled: true, country: 'US', default_currency: 'usd', details_submitted: true,
    payouts_enabled: true, type: 'standard',
  })],
];

export class Api {
  readonly #account: Account;
  readonly #faults: Faults;
  readonly #secretKey: string;
  readonly #idempotency = new Idempotency();

  constructor(account: Account, faults: Faults, secretKey: string) {
    this.#account = account;
    this.#faults = faults;
    this.#secretKey = secretKey;
  }

  /**
   * 1. identify and check the caller 2. faults before the work 3. the work, once per key 4. faults
   *    after it 5. the response
   */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL, origin: string): Promise<void> {
    const requestId = newId('req_', 14);
    response.setHeader('request-id', requestId);
    try {
      const body = await readText(request);
      this.#authenticate(request.headers.authorization);
      const fault = this.#faults.takeApi(request.method ?? '', url.pathname);
      if (fault?.kind === 'error') {
        if (fault.retry_after !== undefined) response.setHeader('retry-after', fault.retry_after);
        if (fault.should_retry !== undefined) response.setHeader('stripe-should-retry', String(fault.should_retry));
        throw serverError(fault.status);
      }
      if (fault?.kind === 'timeout') return;
      if (fault?.kind === 'reset') return void request.socket.resetAndDestroy();
      const answer = await this.#work(request, body, url, origin, requestId, fault);
      finish(response, answer, fault);
    } catch (error) {
      send(response, errorAnswer(error));
    }
  }

  async #work(
    request: IncomingMessage, body: string, url: URL, origin: string, requestId: string, fault: ApiFault | undefined,
  ): Promise<Answer> {
    const key = request.method === 'POST' ? header(request, 'idempotency-key') : undefined;
    const version = this.#version(header(request, 'stripe-version'));
    if (key !== undefined) {
      const kept = this.#idempotency.begin(key, url.pathname, body, this.#account.now());
      if (kept) return kept;
    }
    try {
      if (fault?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.delay_ms));
      const form = parseForm(request.method === 'POST' ? body : url.search);
      this.#account.apiVersion = version;
      this.#account.request = { id: requestId, idempotency_key: key ?? null };
      const answer = fault?.kind === 'error_saved'
        ? errorAnswer(serverError(fault.status))
        : this.#answer(request.method ?? '', url.pathname, form, origin);
      if (key !== undefined) this.#idempotency.keep(key, answer);
      return answer;
    } finally {
      this.#account.request = NO_REQUEST;
      if (key !== undefined) this.#idempotency.forget(key);
    }
  }

  /**
   * Answers a request and stores the response under its key: a success, or a refusal after work had
   * begun.
   */
  #answer(method: string, path: string, form: Form, origin: string): Answer {
    try {
      return this.#route(method, path, form, origin);
    } catch (error) {
      if (error instanceof StripeError && error.begun) return errorAnswer(error);
      throw error;
    }
  }

  #route(method: string, path: string, form: Form, origin: string): Answer {
    for (const [allowed, pattern, handler] of ROUTES) {
      const match = allowed === method && pattern.exec(path);
      if (!match) continue;
      return json(200, handler({ account: this.#account, faults: this.#faults, origin, form, url: path }, match[1] ?? ''));
    }
    throw invalid(`Unrecognized request URL (${method}: ${path}).`, undefined, undefined, 404);
  }

  #authenticate(authorization: string | undefined): void {
    const key = bearer(authorization);
    if (key === undefined) {
      throw unauthorized("You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').");
    }
    const [given, expected] = [Buffer.from(key), Buffer.from(this.#secretKey)];
    if (given.length === expected.length && timingSafeEqual(given, expected)) return;
    throw unauthorized(`Invalid API Key provided: ${key.slice(0, 8)}${'*'.repeat(8)}`);
  }

  #version(given: string | undefined): string {
    if (given === undefined) return this.#account.apiVersion;
    if (/^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/.test(given)) return given;
    throw invalid(`Invalid Stripe API version: ${given}`);
  }
}

function finish(response: ServerResponse, answer: Answer, fault: ApiFault | undefined): void {
  switch (fault?.kind) {
    case 'timeout_after': return;
    case 'reset_after': return void response.socket?.resetAndDestroy();
    case 'error_after': return send(response, errorAnswer(serverError(fault.status)));
    default: send(response, answer);
  }
}

function one({ account, form }: Call, object: Record<string, unknown>) {
  return expanded(account, object, read(form, ONE).expand);
}

/** Returns `expand[]` of a form that was already validated. */
function expandOf({ expand: paths }: Form): string[] | undefined {
  return paths === undefined ? undefined : read({ expand: paths }, ONE).expand;
}

function none(kind: string, id: string): never {
  throw missing(kind, id);
}

function typeMatches(pattern: string, type: string): boolean {
  return pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}

function pendingBalance(account: Account) {
  const sums = new Map<string, number>();
  for (const { currency, net } of account.balance.values()) sums.set(currency, (sums.get(currency) ?? 0) + net);
  return [...sums].map(([currency, amount]) => ({ amount, currency }));
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function bearer(authorization: string | undefined): string | undefined {
  const [scheme, value] = authorization?.split(' ') ?? [];
  if (!value) return undefined;
  if (scheme?.toLowerCase() === 'bearer') return value;
  if (scheme?.toLowerCase() !== 'basic') return undefined;
  return Buffer.from(value, 'base64').toString().split(':')[0];
}

function unauthorized(message: string): StripeError {
  return new StripeError(401, 'invalid_request_error', message);
}
