/**
 * Controls for tests and developers outside Stripe's API: act as the buyer, the bank and the
 * dashboard, set faults, resend events, advance the clock. The same commands exist as functions and
 * over HTTP under `/_sandbox`, which only accepts callers on this machine and JSON bodies, which a
 * web page on another site cannot send.
 */
import type { IncomingMessage } from 'node:http';
import type { Account, Event } from './account.ts';
import type { Deliveries, Sending } from './deliveries.ts';
import { closeDispute, openDispute } from './disputes.ts';
import type { Faults } from './faults.ts';
import { invalid, json, missing, readText, type Answer } from './http.ts';
import { declineSession, delaySession, paySession, settleSession, type Outcome } from './payments.ts';
import { createRefund, settleRefund } from './refunds.ts';
import { expireDue, expireSession } from './sessions.ts';

type Input = Record<string, unknown>;
type Command = (control: Control, id: string, input: Input) => unknown;

export class Control {
  readonly #account: Account;
  readonly #faults: Faults;
  readonly #deliveries: Deliveries;

  constructor(account: Account, faults: Faults, deliveries: Deliveries) {
    this.#account = account;
    this.#faults = faults;
    this.#deliveries = deliveries;
  }

  get faults(): Faults {
    return this.#faults;
  }

  pay = (session: string) => paySession(this.#account, session);
  decline = (session: string) => declineSession(this.#account, session);
  delay = (session: string) => delaySession(this.#account, session);
  settle = (session: string, outcome: Outcome) => settleSession(this.#account, session, outcome);
  expire = (session: string) => expireSession(this.#account, session);

  /** A refund made on Stripe's side, as in the dashboard. */
  refund = (params: { payment_intent: string; amount?: number }) =>
    createRefund(this.#account, this.#faults, {
      payment_intent: params.payment_intent,
      ...(params.amount !== undefined && { amount: String(params.amount) }),
    });
  settleRefund = (refund: string, outcome: Outcome) => settleRefund(this.#account, refund, outcome);
  dispute = (intent: string, kind?: 'chargeback' | 'inquiry') => openDispute(this.#account, intent, kind);
  closeDispute = (dispute: string, outcome: 'won' | 'lost') => closeDispute(this.#account, dispute, outcome);

  /**
   * Emits an event of any type about any object, such as a type unknown to the shop, or of another
   * mode.
   */
  emit = (type: string, object: Input, overrides: Partial<Event> = {}) => this.#account.emit(type, object, overrides);
  deliver = (event: string, sending?: Sending) => this.#deliveries.deliver(this.#event(event), sending);
  storm = (times: number) => this.#deliveries.storm([...this.#account.events.values()], times);
  release = (order?: 'held' | 'reverse' | 'shuffle') => this.#deliveries.release(order);
  webhook = (url: string) => { this.#deliveries.url = url; };

  advance(secs: number): number {
    if (!Number.isSafeInteger(secs) || secs < 0) throw invalid('secs is a count', 'secs');
    this.#account.advance(secs);
    expireDue(this.#account);
    return this.#account.now();
  }

  state() {
    const { sessions, intents, charges, refunds, disputes, balance, events } = this.#account;
    return {
      now: this.#account.now(),
      api_version: this.#account.apiVersion,
      webhook_url: this.#deliveries.url ?? null,
      sessions: [...sessions.values()],
      payment_intents: [...intents.values()],
      charges: [...charges.values()],
      refunds: [...refunds.values()],
      disputes: [...disputes.values()],
      balance_transactions: [...balance.values()],
      events: [...events.values()].map(({ id, type, created, pending_webhooks }) => ({ id, type, created, pending_webhooks })),
      deliveries: this.#deliveries.log,
      held: this.#deliveries.held,
      faults: this.#faults.list,
    };
  }

  #event(id: string): Event {
    const event = this.#account.events.get(id);
    if (!event) throw missing('event', id);
    return event;
  }
}

const COMMANDS: readonly [method: string, path: RegExp, command: Command][] = [
  ['GET', /^\/_sandbox\/state$/, (control) => control.state()],
  ['GET', /^\/_sandbox\/faults$/, (control) => control.faults.list],
  ['POST', /^\/_sandbox\/faults$/, (control, _, input) => control.faults.add(input)],
  ['DELETE', /^\/_sandbox\/faults$/, (control) => control.faults.clear()],
  ['POST', /^\/_sandbox\/advance$/, (control, _, input) => ({ now: control.advance(Number(input['secs'])) })],
  ['POST', /^\/_sandbox\/webhook$/, (control, _, input) => control.webhook(word(input, 'url'))],
  ['POST', /^\/_sandbox\/sessions\/(\w+)\/pay$/, (control, id) => control.pay(id)],
  ['POST', /^\/_sandbox\/sessions\/(\w+)\/decline$/, (control, id) => control.decline(id)],
  ['POST', /^\/_sandbox\/sessions\/(\w+)\/delay$/, (control, id) => control.delay(id)],
  ['POST', /^\/_sandbox\/sessions\/(\w+)\/expire$/, (control, id) => control.expire(id)],
  ['POST', /^\/_sandbox\/sessions\/(\w+)\/settle$/, (control, id, input) => control.settle(id, oneOf(input, 'outcome', ['succeed', 'fail']))],
  ['POST', /^\/_sandbox\/refunds$/, (control, _, input) => control.refund({
    payment_intent: word(input, 'payment_intent'),
    ...(input['amount'] !== undefined && { amount: Number(input['amount']) }),
  })],
  ['POST', /^\/_sandbox\/refunds\/(\w+)\/settle$/, (control, id, input) => control.settleRefund(id, oneOf(input, 'outcome', ['succeed', 'fail']))],
  ['POST', /^\/_sandbox\/disputes$/, (control, _, input) =>
    control.dispute(word(input, 'payment_intent'), oneOf({ kind: 'chargeback', ...input }, 'kind', ['chargeback', 'inquiry']))],
  ['POST', /^\/_sandbox\/disputes\/(\w+)\/close$/, (control, id, input) => control.closeDispute(id, oneOf(input, 'outcome', ['won', 'lost']))],
  ['POST', /^\/_sandbox\/events$/, (control, _, input) => 
    control.emit(word(input, 'type'), (input['object'] ?? {}) as Input, (input['overrides'] ?? {}) as Partial<Event>)],
  ['POST', /^\/_sandbox\/events\/(\w+)\/deliver$/, (control, id, input) => control.deliver(id, sending(input))],
  ['POST', /^\/_sandbox\/storm$/, (control, _, input) => control.storm(count(input, 'times'))],
  ['POST', /^\/_sandbox\/release$/, (control, _, input) =>
    ({ released: control.release(oneOf({ order: 'held', ...input }, 'order', ['held', 'reverse', 'shuffle'])) })],
];

export async function serveControl(control: Control, request: IncomingMessage, url: URL): Promise<Answer> {
  if (!isLoopback(request.socket.remoteAddress)) throw invalid('The sandbox is controlled from this machine only', undefined, undefined, 403);
  const input = request.method === 'POST' ? await readInput(request) : {};
  for (const [method, path, command] of COMMANDS) {
    const match = method === request.method && path.exec(url.pathname);
    if (match) return json(200, (await command(control, match[1] ?? '', input)) ?? {});
  }
  throw invalid(`No such command: ${request.method} ${url.pathname}`, undefined, undefined, 404);
}

async function readInput(request: IncomingMessage): Promise<Input> {
  const text = await readText(request, 4_000_000);
  if (!request.headers['content-type']?.startsWith('application/json')) {
    throw invalid('Send application/json', undefined, undefined, 415);
  }
  const input = parseJson(text || '{}');
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw invalid('Send a JSON object');
  return input as Input;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('Malformed JSON');
  }
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}

function sending(input: Input): Sending {
  return {
    ...(input['times'] !== undefined && { times: count(input, 'times') }),
    ...(input['age_secs'] !== undefined && { ageSecs: Number(input['age_secs']) }),
    ...(input['secret'] !== undefined && { secret: word(input, 'secret') }),
  };
}

function word(input: Input, name: string): string {
  const value = input[name];
  if (typeof value !== 'string' || value === '') throw invalid(`${name} is a string`, name);
  return value;
}

function count(input: Input, name: string): number {
  const value = input[name];
  if (!Number.isInteger(value) || Number(value) < 1) throw invalid(`${name} is a count`, name);
  return Number(value);
}

function oneOf<const T extends string>(input: Input, name: string, allowed: readonly T[]): T {
  const value = allowed.find((word) => word === input[name]);
  if (!value) throw invalid(`${name} is one of ${allowed.join(', ')}`, name);
  return value;
}
