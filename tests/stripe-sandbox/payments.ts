/**
 * Actions of a buyer on the payment page, and the later course of a delayed method: sessions become
 * complete, payment intents and charges follow, money is booked once. Promises that only an open
 * session can be paid, and that each payment settles once. Sources:
 * https://docs.stripe.com/payments/checkout/fulfill-orders (delayed methods),
 * https://docs.stripe.com/api/payment_intents/object,
 * https://docs.stripe.com/testing#declined-payments
 */
import { newId, type Account, type Charge, type PaymentIntent, type Session } from './account.ts';
import { fee } from './currencies.ts';
import { invalid, missing } from './http.ts';
import { getSession, paymentData } from './sessions.ts';

export type Outcome = 'succeed' | 'fail';

/**
 * A bank debit or transfer of the currency's region:
 * https://docs.stripe.com/payments/payment-methods/payment-method-support
 */
const DELAYED_METHODS: Readonly<Record<string, string>> = {
  eur: 'sepa_debit', gbp: 'bacs_debit', jpy: 'konbini', usd: 'us_bank_account',
};

export function paySession(account: Account, id: string): Session {
  const session = openSession(account, id);
  complete(session);
  if (session.payment_status === 'no_payment_required') {
    account.emit('checkout.session.completed', session);
    return session;
  }
  const intent = intentOf(account, session);
  capture(account, intent, newCharge(account, intent, 'card', 'pending'));
  session.payment_status = 'paid';
  account.emit('checkout.session.completed', session);
  return session;
}

/** Declines the payment. The session stays open, and the buyer may try again. */
export function declineSession(account: Account, id: string): Session {
  const session = openSession(account, id);
  const intent = intentOf(account, session);
  const charge = newCharge(account, intent, 'card', 'failed');
  failIntent(intent, 'card_declined', 'Your card was declined.');
  account.emit('charge.failed', charge);
  account.emit('payment_intent.payment_failed', intent);
  return session;
}

/** Pays by a delayed method: the session is complete, but the money is still on its way. */
export function delaySession(account: Account, id: string): Session {
  const session = openSession(account, id);
  if (session.amount_total === 0) throw invalid('There is nothing to pay later');
  const intent = intentOf(account, session);
  complete(session);
  intent.status = 'processing';
  newCharge(account, intent, DELAYED_METHODS[intent.currency] ?? 'customer_balance', 'pending');
  account.emit('payment_intent.processing', intent);
  account.emit('checkout.session.completed', session);
  return session;
}

export function settleSession(account: Account, id: string, outcome: Outcome): Session {
  const session = getSession(account, id);
  const intent = session.payment_intent ? account.intents.get(session.payment_intent) : undefined;
  if (intent?.status !== 'processing') throw invalid('This Checkout Session has no payment in progress');
  if (outcome === 'succeed') {
    capture(account, intent, account.charges.get(intent.latest_charge!)!);
    session.payment_status = 'paid';
    account.emit('checkout.session.async_payment_succeeded', session);
    return session;
  }
  const charge = account.charges.get(intent.latest_charge!)!;
  charge.status = 'failed';
  failIntent(intent, 'insufficient_funds', 'The account has insufficient funds.');
  account.emit('charge.failed', charge);
  account.emit('payment_intent.payment_failed', intent);
  account.emit('checkout.session.async_payment_failed', session);
  return session;
}

export function getIntent(account: Account, id: string, param = 'intent'): PaymentIntent {
  const intent = account.intents.get(id);
  if (!intent) throw missing('payment_intent', id, param);
  return intent;
}

export function getCharge(account: Account, id: string, param = 'charge'): Charge {
  const charge = account.charges.get(id);
  if (!charge) throw missing('charge', id, param);
  return charge;
}

function openSession(account: Account, id: string): Session {
  const session = getSession(account, id);
  if (session.status !== 'open') throw invalid(`This Checkout Session has a status of \`${session.status}\`.`);
  return session;
}

function complete(session: Session): void {
  session.status = 'complete';
  session.url = null;
  session.customer_details ??= { email: 'buyer@example.com' };
}

/** Returns the payment intent, which is created on the first attempt to pay, as in Checkout. */
function intentOf(account: Account, session: Session): PaymentIntent {
  const known = session.payment_intent && account.intents.get(session.payment_intent);
  if (known) return known;
  const { metadata, description, receipt_email, statement_descriptor, statement_descriptor_suffix } = paymentData(session);
  const intent: PaymentIntent = {
    id: newId('pi_3'),
    object: 'payment_intent',
    amount: session.amount_total,
    amount_capturable: 0,
    amount_received: 0,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    confirmation_method: 'automatic',
    created: account.now(),
    currency: session.currency,
    customer: null,
    description: description ?? null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: metadata ?? {},
    next_action: null,
    payment_method: null,
    payment_method_types: session['payment_method_types'],
    receipt_email: receipt_email ?? null,
    statement_descriptor: statement_descriptor ?? null,
    statement_descriptor_suffix: statement_descriptor_suffix ?? null,
    status: 'requires_payment_method',
  };
  account.intents.set(intent.id, intent);
  session.payment_intent = intent.id;
  account.emit('payment_intent.created', intent);
  return intent;
}

function capture(account: Account, intent: PaymentIntent, charge: Charge): void {
  const type = charge.payment_method_details.type === 'card' ? 'charge' : 'payment';
  const entry = account.book(type, charge.id, intent.currency, intent.amount, fee(intent.currency, intent.amount));
  Object.assign(charge, { status: 'succeeded', paid: true, captured: true, amount_captured: charge.amount, balance_transaction: entry.id });
  intent.status = 'succeeded';
  intent.amount_received = intent.amount;
  intent.last_payment_error = null;
  intent['payment_method'] = charge['payment_method'];
  account.emit('charge.succeeded', charge);
  account.emit('payment_intent.succeeded', intent);
}

function failIntent(intent: PaymentIntent, code: string, message: string): void {
  intent.status = 'requires_payment_method';
  intent.last_payment_error = { charge: intent.latest_charge, code, message, type: 'card_error' };
}

function newCharge(account: Account, intent: PaymentIntent, method: string, status: Charge['status']): Charge {
  const charge: Charge = {
    id: newId('ch_3'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: 0,
    amount_refunded: 0,
    balance_transaction: null,
    captured: false,
    created: account.now(),
    currency: intent.currency,
    disputed: false,
    failure_code: status === 'failed' ? 'card_declined' : null,
    livemode: false,
    metadata: intent.metadata,
    paid: false,
    payment_intent: intent.id,
    payment_method: newId('pm_1'),
    payment_method_details: { type: method },
    refunded: false,
    status,
  };
  account.charges.set(charge.id, charge);
  intent.latest_charge = charge.id;
  return charge;
}
