/**
 * Refunds: whole or in part, never more than was captured less what is refunded or pending. A
 * failed refund gives its amount back. Sources: https://docs.stripe.com/api/refunds/create,
 * https://docs.stripe.com/refunds#failed-refunds
 */
import { newId, type Account, type Charge, type Refund } from './account.ts';
import { checkAmount, format } from './currencies.ts';
import type { Faults } from './faults.ts';
import { invalid, missing, refused, type Form } from './http.ts';
import { expand, read, type Fields } from './params.ts';
import { getCharge, getIntent, type Outcome } from './payments.ts';

const unmodelled = { kind: 'unmodelled' } as const;

const CREATE = {
  amount: { kind: 'integer', min: 1 },
  charge: { kind: 'string' },
  currency: unmodelled,
  customer: unmodelled,
  expand,
  instructions_email: unmodelled,
  metadata: { kind: 'metadata' },
  origin: unmodelled,
  payment_intent: { kind: 'string' },
  reason: { kind: 'string', oneOf: ['duplicate', 'fraudulent', 'requested_by_customer'] },
  refund_application_fee: unmodelled,
  reverse_transfer: unmodelled,
} as const satisfies Fields;

export function createRefund(account: Account, faults: Faults, form: Form): Refund {
  const params = read(form, CREATE);
  const charge = chargeToRefund(account, params.charge, params.payment_intent);
  const remaining = charge.amount - charge.amount_refunded;
  const amount = params.amount ?? remaining;
  checkRefundable(account, charge, amount, remaining);

  const pending = faults.takeRefund() !== undefined;
  const refund: Refund = {
    id: newId('re_3'),
    object: 'refund',
    amount,
    balance_transaction: null,
    charge: charge.id,
    created: account.now(),
    currency: charge.currency,
    destination_details: { type: 'card' },
    metadata: params.metadata ?? {},
    payment_intent: charge.payment_intent,
    reason: params.reason ?? null,
    receipt_number: null,
    status: pending ? 'pending' : 'succeeded',
  };
  const type = charge.payment_method_details.type === 'card' ? 'refund' : 'payment_refund';
  refund['balance_transaction'] = account.book(type, refund.id, refund.currency, -amount, 0).id;
  account.refunds.set(refund.id, refund);
  moveRefunded(charge, amount);
  account.emit('refund.created', refund);
  account.emit('charge.refunded', charge);
  return refund;
}

export function getRefund(account: Account, id: string): Refund {
  const refund = account.refunds.get(id);
  if (!refund) throw missing('refund', id);
  return refund;
}

/** Ends a pending refund. One that has succeeded may still fail, as when a bank returns it. */
export function settleRefund(account: Account, id: string, outcome: Outcome): Refund {
  const refund = getRefund(account, id);
  if (refund.status === 'failed') throw refused(`Refund ${id} has already failed`);
  if (outcome === 'succeed') {
    if (refund.status === 'succeeded') throw refused(`Refund ${id} has already succeeded`);
    refund.status = 'succeeded';
    account.emit('refund.updated', refund);
    return refund;
  }
  refund.status = 'failed';
  refund['failure_reason'] = 'lost_or_stolen_card';
  refund['failure_balance_transaction'] =
    account.book('refund_failure', refund.id, refund.currency, refund.amount, 0).id;
  moveRefunded(getCharge(account, refund.charge), -refund.amount);
  account.emit('refund.updated', refund);
  account.emit('refund.failed', refund);
  return refund;
}

function chargeToRefund(account: Account, chargeId: string | undefined, intentId: string | undefined): Charge {
  if (chargeId && intentId) throw invalid('You may only specify one of these parameters: charge, payment_intent.');
  if (chargeId) return captured(getCharge(account, chargeId));
  if (!intentId) {
    throw invalid('One of the following params should be provided for this request: payment_intent or charge.');
  }
  const intent = getIntent(account, intentId, 'payment_intent');
  if (intent.status !== 'succeeded') {
    throw refused(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, 'payment_intent', 'payment_intent_unexpected_state');
  }
  return getCharge(account, intent.latest_charge!);
}

function captured(charge: Charge): Charge {
  if (charge.status === 'succeeded') return charge;
  throw refused(`Charge ${charge.id} has not succeeded and cannot be refunded.`, 'charge');
}

function checkRefundable(account: Account, charge: Charge, amount: number, remaining: number): void {
  const dispute = [...account.disputes.values()].find((dispute) => dispute.charge === charge.id);
  if (dispute && !dispute.is_charge_refundable) {
    throw refused(`Charge ${charge.id} has been charged back; cannot issue a refund.`, undefined, 'charge_disputed');
  }
  if (remaining === 0) {
    throw refused(`Charge ${charge.id} has already been refunded.`, undefined, 'charge_already_refunded');
  }
  checkAmount(charge.currency, amount, 'amount');
  if (amount <= remaining) return;
  const [asked, left] = [format(charge.currency, amount), format(charge.currency, remaining)];
  throw refused(`Refund amount (${asked}) is greater than unrefunded amount on charge (${left})`, 'amount');
}

function moveRefunded(charge: Charge, amount: number): void {
  charge.amount_refunded += amount;
  charge.refunded = charge.amount_refunded === charge.amount;
}
