/**
 * One Stripe account in memory: its objects by id, its clock, its events. Objects are kept in the
 * shape in which the API shows them. Promises that an event carries the object as it was at that
 * moment, and that the clock only goes forward. Sources:
 * https://docs.stripe.com/api/checkout/sessions/object, …/payment_intents/object, …/charges/object,
 * …/refunds/object, …/disputes/object, …/balance_transactions/object, …/events/object
 */
import { randomInt } from 'node:crypto';
import { Stripe } from 'stripe';

export type Session = {
  id: string;
  object: 'checkout.session';
  amount_subtotal: number;
  amount_total: number;
  cancel_url: string | null;
  client_reference_id: string | null;
  created: number;
  currency: string;
  customer_details: { email: string } | null;
  customer_email: string | null;
  expires_at: number;
  livemode: false;
  metadata: Record<string, string>;
  mode: 'payment';
  payment_intent: string | null;
  payment_status: 'paid' | 'unpaid' | 'no_payment_required';
  status: 'open' | 'complete' | 'expired';
  success_url: string;
  url: string | null;
  [more: string]: unknown;
};

export type LineItem = {
  id: string;
  object: 'item';
  amount_subtotal: number;
  amount_total: number;
  currency: string;
  description: string;
  price: { id: string; object: 'price'; unit_amount: number; [more: string]: unknown };
  quantity: number;
  [more: string]: unknown;
};

export type PaymentIntent = {
  id: string;
  object: 'payment_intent';
  amount: number;
  amount_received: number;
  currency: string;
  last_payment_error: Record<string, unknown> | null;
  latest_charge: string | null;
  metadata: Record<string, string>;
  status: 'requires_payment_method' | 'processing' | 'succeeded' | 'canceled';
  [more: string]: unknown;
};

export type Charge = {
  id: string;
  object: 'charge';
  amount: number;
  amount_refunded: number;
  currency: string;
  disputed: boolean;
  payment_intent: string;
  payment_method_details: { type: string };
  refunded: boolean;
  status: 'succeeded' | 'pending' | 'failed';
  [more: string]: unknown;
};

export type Refund = {
  id: string;
  object: 'refund';
  amount: number;
  charge: string;
  currency: string;
  payment_intent: string;
  status: 'pending' | 'succeeded' | 'failed';
  [more: string]: unknown;
};

export type Dispute = {
  id: string;
  object: 'dispute';
  amount: number;
  balance_transactions: BalanceTransaction[];
  charge: string;
  is_charge_refundable: boolean;
  payment_intent: string;
  status: 'warning_needs_response' | 'warning_closed' | 'needs_response' | 'won' | 'lost';
  [more: string]: unknown;
};

export type BalanceTransaction = {
  id: string;
  object: 'balance_transaction';
  amount: number;
  created: number;
  currency: string;
  fee: number;
  net: number;
  source: string;
  type: string;
  [more: string]: unknown;
};

export type Event = {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  data: { object: Record<string, unknown> };
  livemode: boolean;
  pending_webhooks: number;
  request: Request;
  type: string;
};

export type Request = { id: string | null; idempotency_key: string | null };

export const NO_REQUEST: Request = { id: null, idempotency_key: null };

export class Account {
  readonly sessions = new Map<string, Session>();
  readonly lineItems = new Map<string, LineItem[]>();
  readonly intents = new Map<string, PaymentIntent>();
  readonly charges = new Map<string, Charge>();
  readonly refunds = new Map<string, Refund>();
  readonly disputes = new Map<string, Dispute>();
  readonly balance = new Map<string, BalanceTransaction>();
  readonly events = new Map<string, Event>();
  /** API version last requested by the shop, in which its webhooks are rendered. */
  apiVersion = Stripe.API_VERSION as string;
  /** The current API request, which the events it causes refer to. */
  request: Request = NO_REQUEST;
  onEvent: (event: Event) => void = () => {};
  readonly #clock: () => number;
  #advancedSecs = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Returns seconds since 1970, as Stripe does. */
  now(): number {
    return Math.floor(this.#clock()) + this.#advancedSecs;
  }

  advance(secs: number): void {
    this.#advancedSecs += secs;
  }

  emit(type: string, object: Record<string, unknown>, overrides: Partial<Event> = {}): Event {
    const event: Event = {
      id: newId('evt_1'),
      object: 'event',
      api_version: this.apiVersion,
      created: this.now(),
      data: { object: structuredClone(object) },
      livemode: false,
      pending_webhooks: 1,
      request: this.request,
      type,
      ...overrides,
    };
    this.events.set(event.id, event);
    this.onEvent(event);
    return event;
  }

  /** Returns the object with an ID, for `expand[]`. */
  find(id: string): Record<string, unknown> | undefined {
    const shelves = [this.intents, this.charges, this.refunds, this.disputes, this.balance, this.sessions];
    return shelves.map((shelf) => shelf.get(id)).find((object) => object !== undefined);
  }

  /** Adds a balance transaction. https://docs.stripe.com/api/balance_transactions/object */
  book(type: string, source: string, currency: string, amount: number, fee: number): BalanceTransaction {
    const entry: BalanceTransaction = {
      id: newId('txn_3'),
      object: 'balance_transaction',
      amount,
      available_on: this.now() + 2 * 86_400,
      created: this.now(),
      currency,
      description: null,
      exchange_rate: null,
      fee,
      fee_details: fee === 0 ? [] : [{ amount: fee, application: null, currency, description: 'Stripe processing fees', type: 'stripe_fee' }],
      net: amount - fee,
      reporting_category: REPORTING[type] ?? type,
      source,
      status: 'pending',
      type,
    };
    this.balance.set(entry.id, entry);
    return entry;
  }
}

/** https://docs.stripe.com/reports/reporting-categories */
const REPORTING: Readonly<Record<string, string>> = { adjustment: 'dispute', payment: 'charge', payment_refund: 'refund' };

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export function newId(prefix: string, length = 23): string {
  return prefix + Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
