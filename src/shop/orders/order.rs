//! Order with everything that belongs to it, and the states derived from that: fulfillment,
//! payment, refundable amount.

use crate::error::Result;
use crate::orders::ledger::Journal;
use crate::orders::progress::{FulfillmentStatus, OrderPaymentStatus};
use crate::orders::records::{Fulfillment, Return, Units};
use crate::orders::transitions::{Effect, OrderEventKind, OrderStatus, judge};
use crate::payments::provider::ProviderId;
use crate::payments::{DisputeState, PaymentStatus, SESSION_SECS};
use crate::pricing::quote::{Held, QuoteLine, Terms, Totals};
use crate::values::addresses::Address;
use crate::values::ids::{CartId, OrderId, Sku};
use crate::values::money::{Currency, Money, sum};
use crate::values::staff_name::StaffName;
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// An order with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Id, `ord_…`; can't be guessed.
    pub id: OrderId,
    /// Order number shown to customers.
    pub number: i64,
    /// Number of transitions applied; also the version for optimistic locking.
    pub version: u64,
    /// Status of the order.
    pub status: OrderStatus,
    /// Number of the attempt to hold stock. Increases when stock must be held again, so that an old
    /// hold is never mistaken for the new one.
    pub attempt: u32,
    /// Cart that it was placed from.
    pub cart_id: CartId,
    /// ISO 4217.
    pub currency: Currency,
    /// Customer's email address.
    pub email: String,
    /// Shipping address.
    pub shipping_address: Address,
    /// Billing address. `None` means the shipping address.
    pub billing_address: Option<Address>,
    /// Id of the shipping method.
    pub shipping_method: String,
    /// Lines of its quote.
    pub lines: Vec<QuoteLine>,
    /// Totals of its quote.
    pub totals: Totals,
    /// Terms of its quote.
    pub terms: Terms,
    /// Time at which it was placed.
    pub created_at: Timestamp,
    /// Payment of the order.
    pub payment: Payment,
    /// Timeline, oldest event first.
    pub events: Vec<OrderEvent>,
    /// Tasks still to be carried out, oldest first.
    pub tasks: Vec<Task>,
    /// Parcels sent.
    pub fulfillments: Vec<Fulfillment>,
    /// Returned units.
    pub returns: Vec<Return>,
    /// Refunds, including promised and failed ones.
    pub refunds: Vec<Refund>,
    /// Disputes by the shopper's bank.
    pub disputes: Vec<Dispute>,
}

/// The payment of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Id, `pay_…`.
    pub id: String,
    /// Provider of the payment.
    pub provider: ProviderId,
    /// Number of the payment attempt; each has its own idempotency key.
    pub attempt: u32,
    /// Status of the payment.
    pub status: PaymentStatus,
    /// The provider's id of the session. `None` means not yet known.
    pub session_id: Option<String>,
    /// URL of the payment page. `None` means not yet known.
    pub url: Option<String>,
    /// Exact body of the session request, the same for every retry.
    pub request: String,
    /// Time at which the session ends.
    pub expires_at: Timestamp,
    /// Amount received by the provider. `None` means nothing yet.
    pub captured: Option<Money>,
}

impl Payment {
    /// Idempotency key of the current session request.
    #[must_use]
    pub fn key(&self) -> String {
        Self::key_of(&self.id, self.attempt)
    }

    /// Idempotency key of an attempt at the payment `id`.
    #[must_use]
    pub fn key_of(id: &str, attempt: u32) -> String {
        match attempt {
            0 | 1 => id.to_owned(),
            attempt => format!("{id}:{attempt}"),
        }
    }

    /// True if `key` belongs to any attempt at this payment.
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        let rest = key.strip_prefix(&self.id);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }

    /// Latest time at which the provider is certain to accept the request again.
    #[must_use]
    pub const fn replayable_until(&self) -> Timestamp {
        self.expires_at.minus_secs(SESSION_SECS - REPLAY_SECS)
    }
}

/// Seconds for which a session request may be sent again; a few minutes less than the provider's
/// own limit.
const REPLAY_SECS: u32 = 25 * 60;

/// A refund, promised or paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Id, `re_…`; also the idempotency key at the provider.
    pub id: String,
    /// Amount of the refund.
    pub amount: Money,
    /// Status of the refund.
    pub status: RefundStatus,
    /// Time at which it was promised.
    pub created_at: Timestamp,
}

/// A dispute of an order's payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Dispute {
    /// The provider's id.
    pub id: String,
    /// Disputed amount.
    pub amount: Money,
    /// Progress of the dispute.
    pub state: DisputeState,
    /// True if the payment may still be refunded.
    pub refundable: bool,
    /// Amount taken by the provider and not returned, in minor units.
    pub withdrawn: i64,
    /// The provider's fee for handling the dispute, in minor units.
    pub fee: i64,
}

/// Status of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Promised and on its way.
    Pending,
    /// Paid out.
    Succeeded,
    /// The provider could not pay it out.
    Failed,
}

/// An event in an order's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// Kind of event.
    pub happening: OrderEventKind,
    /// Actor who caused it.
    pub actor: Actor,
    /// Id of the fulfillment, return or refund concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Note by a person, usually the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Time of the event.
    pub at: Timestamp,
}

/// Actor who causes an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// The shop itself, or the payment provider.
    Shop,
    /// The shopper who placed the order.
    Shopper,
    /// A member of staff, by name if their key has one.
    Staff(StaffName),
}

impl Actor {
    /// Kind of actor, which is all that non-staff may see.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Shopper => "shopper",
            Self::Staff(_) => "staff",
        }
    }

    /// Text for records: the staff member's name, or else the kind.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Staff(name) => name.as_str(),
            other => other.kind(),
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.as_str().to_owned()
    }
}

impl TryFrom<String> for Actor {
    type Error = String;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        match word.as_str() {
            "shop" => Ok(Self::Shop),
            "shopper" => Ok(Self::Shopper),
            staff => StaffName::of_record(staff)
                .map(Self::Staff)
                .ok_or_else(|| format!("`{word}` is no actor")),
        }
    }
}

/// A task in the outbox: an effect and its subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The effect to carry out.
    pub effect: Effect,
    /// Id of the fulfillment, return or refund, or the attempt number; empty for the order itself.
    pub subject: String,
}

impl Order {
    /// Lines and promotions for which the order holds stock and uses.
    #[must_use]
    pub fn held(&self) -> Held<'_> {
        (&self.lines, &self.terms.promotions)
    }

    /// True if cancellation of the pending order was requested.
    #[must_use]
    pub fn is_cancel_requested(&self) -> bool {
        self.has_seen(OrderEventKind::CancelRequested)
    }

    /// True if an event of this kind is in the timeline.
    #[must_use]
    pub fn has_seen(&self, happening: OrderEventKind) -> bool {
        self.events.iter().any(|event| event.happening == happening)
    }

    /// True if the current attempt holds everything it needs. The first attempt does from the
    /// moment the order is placed.
    #[must_use]
    pub fn is_claimed(&self) -> bool {
        self.events
            .iter()
            .rev()
            .find(|event| {
                matches!(
                    event.happening,
                    OrderEventKind::HoldLapsed | OrderEventKind::HeldAnew
                )
            })
            .is_none_or(|event| event.happening == OrderEventKind::HeldAnew)
    }

    /// Units of each line not yet shipped.
    #[must_use]
    pub fn unshipped(&self) -> Vec<Units> {
        self.units_less(self.fulfillments.iter().flat_map(|it| &it.lines))
    }

    /// Units of each line that were shipped and not returned.
    #[must_use]
    pub fn returnable(&self) -> Vec<Units> {
        let shipped = |sku: &Sku| units_of(sku, self.fulfillments.iter().flat_map(|it| &it.lines));
        let returned = |sku: &Sku| units_of(sku, self.returns.iter().flat_map(|it| &it.lines));
        self.lines
            .iter()
            .map(|line| Units {
                sku: line.sku.clone(),
                quantity: shipped(&line.sku).saturating_sub(returned(&line.sku)),
            })
            .filter(|units| units.quantity > 0)
            .collect()
    }

    /// Fulfillment status derived from parcels and returns.
    #[must_use]
    pub fn fulfillment_status(&self) -> FulfillmentStatus {
        let everything_left = self.unshipped().is_empty();
        if self.fulfillments.is_empty() {
            FulfillmentStatus::Unfulfilled
        } else if everything_left && self.returnable().is_empty() {
            FulfillmentStatus::Returned
        } else if everything_left && self.fulfillments.iter().all(|it| it.delivered_at.is_some()) {
            FulfillmentStatus::Delivered
        } else if everything_left {
            FulfillmentStatus::Fulfilled
        } else {
            FulfillmentStatus::PartiallyFulfilled
        }
    }

    /// True once the order counts as invoiced: money was received for it, or none was due. Before
    /// that, its invoice is a pro forma without a number.
    #[must_use]
    pub fn is_invoiced(&self) -> bool {
        self.payment.status == PaymentStatus::Paid || self.payment.captured.is_some()
    }

    /// Payment status, taking refunds and lost disputes into account.
    #[must_use]
    pub fn payment_status(&self) -> OrderPaymentStatus {
        let refunded = sum(self
            .refunds
            .iter()
            .filter(|refund| refund.status == RefundStatus::Succeeded)
            .map(|refund| refund.amount.amount))
        .unwrap_or(i64::MAX);
        let captured = self.payment.captured.map_or(0, |money| money.amount);
        match self.payment.status {
            _ if self.has_lost_a_dispute() => OrderPaymentStatus::ChargedBack,
            _ if refunded > 0 && refunded >= captured => OrderPaymentStatus::Refunded,
            _ if refunded > 0 => OrderPaymentStatus::PartiallyRefunded,
            PaymentStatus::Preparing => OrderPaymentStatus::Preparing,
            PaymentStatus::Open => OrderPaymentStatus::Open,
            PaymentStatus::Processing => OrderPaymentStatus::Processing,
            PaymentStatus::Paid => OrderPaymentStatus::Paid,
            PaymentStatus::Failed => OrderPaymentStatus::Failed,
        }
    }

    fn has_lost_a_dispute(&self) -> bool {
        let is_lost = |dispute: &Dispute| dispute.state == DisputeState::Lost;
        self.disputes.iter().any(is_lost)
    }

    /// Amount by which a live order is sold below its total: promised refunds, and the unpaid part
    /// if a person approved a lower payment.
    ///
    /// # Errors
    /// Fails if an amount overflows.
    pub fn allowance(&self) -> Result<i64> {
        let approved = self.has_seen(OrderEventKind::Approved);
        sum([
            self.promised_back()?,
            if approved { self.unpaid() } else { 0 },
        ])
    }

    /// Journal for a change in the allowance.
    ///
    /// # Errors
    /// Fails if an amount overflows.
    pub fn allowed(&self, before: i64, after: i64) -> Result<Journal> {
        let currency = self.paid().currency;
        Journal::allowed(&self.totals, before, after, currency)
    }

    /// Unpaid part of the total, negative if more was paid; 0 for a payment in another currency,
    /// which can't be compared.
    pub(super) fn unpaid(&self) -> i64 {
        let paid = self.paid();
        if paid.currency == self.currency {
            self.totals.total.saturating_sub(paid.amount)
        } else {
            0
        }
    }

    /// Amount received so far.
    fn paid(&self) -> Money {
        let captured = self.payment.captured;
        captured.unwrap_or_else(|| Money::new(0, self.currency))
    }

    /// Sum of the refunds that are promised or paid, without failed ones.
    ///
    /// # Errors
    /// Fails if an amount overflows.
    pub fn promised_back(&self) -> Result<i64> {
        sum(self
            .refunds
            .iter()
            .filter(|refund| refund.status != RefundStatus::Failed)
            .map(|refund| refund.amount.amount))
    }

    /// Amount received and not promised back. `None` means nothing is left, or a dispute blocks
    /// refunds at present.
    #[must_use]
    pub fn refundable(&self) -> Option<Money> {
        self.kept()
            .filter(|_| self.disputes.iter().all(|dispute| dispute.refundable))
    }

    /// Amount received and not promised back, even if it is disputed. `None` means nothing is left.
    #[must_use]
    pub fn kept(&self) -> Option<Money> {
        let captured = self.payment.captured?;
        let promised = self
            .refunds
            .iter()
            .filter(|refund| refund.status != RefundStatus::Failed)
            .fold(0_i64, |sum, refund| {
                sum.saturating_add(refund.amount.amount)
            });
        let left = captured.amount.saturating_sub(promised);
        (left > 0).then(|| Money::new(left, captured.currency))
    }

    /// Checks the conditions that the table can't see: whether the order's goods and holds permit
    /// `happening`.
    pub(crate) fn allows(&self, happening: OrderEventKind) -> bool {
        match happening {
            OrderEventKind::Cancelled => self.fulfillments.is_empty(),
            OrderEventKind::Completed => self.unshipped().is_empty(),
            // Its units went back on sale when it ended, so there is nothing left to confirm.
            OrderEventKind::Approved => !self.events.iter().any(|event| {
                judge(OrderStatus::PendingPayment, event.happening)
                    .is_some_and(|outcome| outcome.status.is_dead())
            }),
            _ => true,
        }
    }

    fn units_less<'a>(&self, gone: impl Iterator<Item = &'a Units> + Clone) -> Vec<Units> {
        self.lines
            .iter()
            .map(|line| Units {
                sku: line.sku.clone(),
                quantity: line
                    .quantity
                    .saturating_sub(units_of(&line.sku, gone.clone())),
            })
            .filter(|units| units.quantity > 0)
            .collect()
    }
}

fn units_of<'a>(sku: &Sku, lines: impl Iterator<Item = &'a Units>) -> u32 {
    lines
        .filter(|units| units.sku == *sku)
        .fold(0, |sum, units| sum.saturating_add(units.quantity))
}
