/**
 * Disputes, opened and closed by control commands. A chargeback withdraws the money at once and
 * forbids refunds; an inquiry does neither; a dispute that is won returns the money. Sources:
 * https://docs.stripe.com/disputes/how-disputes-work, https://docs.stripe.com/api/disputes/object
 */
import { newId, type Account, type Dispute } from './account.ts';
import { invalid, missing } from './http.ts';
import { getCharge, getIntent } from './payments.ts';

/** Fee that Stripe charges for a dispute, in the smallest unit. */
const DISPUTE_FEE = 1500;

export function openDispute(account: Account, intentId: string, kind: 'chargeback' | 'inquiry' = 'chargeback'): Dispute {
  const intent = getIntent(account, intentId, 'payment_intent');
  if (intent.status !== 'succeeded') throw invalid(`PaymentIntent ${intentId} has not been paid`);
  const charge = getCharge(account, intent.latest_charge!);
  if (charge.disputed) throw invalid(`Charge ${charge.id} is disputed already`);
  const dispute: Dispute = {
    id: newId('du_1'),
    object: 'dispute',
    amount: charge.amount - charge.amount_refunded,
    balance_transactions: [],
    charge: charge.id,
    created: account.now(),
    currency: charge.currency,
    evidence_details: { due_by: account.now() + 9 * 86_400, has_evidence: false, past_due: false, submission_count: 0 },
    is_charge_refundable: kind === 'inquiry',
    livemode: false,
    metadata: {},
    payment_intent: intent.id,
    reason: 'fraudulent',
    status: kind === 'inquiry' ? 'warning_needs_response' : 'needs_response',
  };
  charge.disputed = true;
  account.disputes.set(dispute.id, dispute);
  if (kind === 'chargeback') move(account, dispute, -dispute.amount, DISPUTE_FEE);
  account.emit('charge.dispute.created', dispute);
  if (kind === 'chargeback') account.emit('charge.dispute.funds_withdrawn', dispute);
  return dispute;
}

export function closeDispute(account: Account, id: string, outcome: 'won' | 'lost'): Dispute {
  const dispute = account.disputes.get(id);
  if (!dispute) throw missing('dispute', id);
  if (dispute.status === 'warning_needs_response') {
    dispute.status = 'warning_closed';
  } else if (dispute.status === 'needs_response') {
    dispute.status = outcome;
  } else {
    throw invalid(`Dispute ${id} is already closed`);
  }
  if (dispute.status === 'won') {
    dispute.is_charge_refundable = true;
    move(account, dispute, dispute.amount, 0);
    account.emit('charge.dispute.funds_reinstated', dispute);
  }
  account.emit('charge.dispute.closed', dispute);
  return dispute;
}

function move(account: Account, dispute: Dispute, amount: number, fee: number): void {
  dispute.balance_transactions.push(
    account.book('adjustment', dispute.id, String(dispute['currency']), amount, fee),
  );
}
