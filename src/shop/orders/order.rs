//! An order with everything that belongs to it, and what follows from that: how far its goods are,
//! how far its money.

use crate::error::Result;
use crate::orders::ledger::Journal;
use crate::orders::progress::{FulfillmentStatus, OrderPaymentStatus};
use crate::orders::records::{Fulfillment, Return, Units};
use crate::orders::transitions::{Effect, OrderEventKind, OrderStatus, judge};
use crate::payments::provider::ProviderId;
use crate::payments::{DisputeState, PaymentStatus, SESSION_SECS};
use crate::pricing::quote::{Held, QuoteLine, Terms, Totals};
use crate::values::addresses::Address;
use crate::values::money::{Currency, Money, sum};
use crate::values::staff_name::StaffName;
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// An order with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// `ord_…`, can't be guessed.
    pub id: String,
    /// What people call it; counts up.
    pub number: i64,
    /// Moves so far.
    pub version: u64,
    /// Where it stands.
    pub status: OrderStatus,
    /// Grows when its stock must be held anew, so that an old hold is never taken for the new one.
    pub attempt: u32,
    /// The cart it was placed from.
    pub cart_id: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Where the confirmation goes.
    pub email: String,
    /// Where it goes.
    pub shipping_address: Address,
    /// Who pays; none: the same.
    pub billing_address: Option<Address>,
    /// Id of the way to ship.
    pub shipping_method: String,
    /// The lines of its quote.
    pub lines: Vec<QuoteLine>,
    /// The sums of its quote.
    pub totals: Totals,
    /// What its quote came from.
    pub terms: Terms,
    /// When it was placed.
    pub created_at: Timestamp,
    /// How it is paid.
    pub payment: Payment,
    /// What has happened, oldest first.
    pub events: Vec<OrderEvent>,
    /// What is still to be carried out, oldest first.
    pub tasks: Vec<Task>,
    /// What has left.
    pub fulfillments: Vec<Fulfillment>,
    /// Units that came back.
    pub returns: Vec<Return>,
    /// What was promised back.
    pub refunds: Vec<Refund>,
    /// What the shopper's bank disputes.
    pub disputes: Vec<Dispute>,
}

/// The payment of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// `pay_…`
    pub id: String,
    /// The provider that is asked for it.
    pub provider: ProviderId,
    /// Counts the keys that its session was asked for with.
    pub attempt: u32,
    /// How it stands.
    pub status: PaymentStatus,
    /// The provider's id of the session, once known.
    pub session_id: Option<String>,
    /// Where it is paid, once known.
    pub url: Option<String>,
    /// The exact request for the session, the same for every retry.
    pub request: String,
    /// When the session ends.
    pub expires_at: Timestamp,
    /// What the provider has received, once it has.
    pub captured: Option<Money>,
}

impl Payment {
    /// The idempotency key of its session.
    #[must_use]
    pub fn key(&self) -> String {
        Self::key_of(&self.id, self.attempt)
    }

    /// The idempotency key of an attempt at the payment `id`.
    #[must_use]
    pub fn key_of(id: &str, attempt: u32) -> String {
        match attempt {
            0 | 1 => id.to_owned(),
            attempt => format!("{id}:{attempt}"),
        }
    }

    /// Whether `key` is that of any of its attempts.
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        let rest = key.strip_prefix(&self.id);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }

    /// Until when the provider surely takes its request.
    #[must_use]
    pub const fn replayable_until(&self) -> Timestamp {
        self.expires_at.minus_secs(SESSION_SECS - REPLAY_SECS)
    }
}

/// Seconds after which the request for a session may be too old: some minutes before the provider
/// says so.
const REPLAY_SECS: u32 = 25 * 60;

/// Money that was promised back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// `re_…`; also the idempotency key at the provider.
    pub id: String,
    /// How much.
    pub amount: Money,
    /// How it stands.
    pub status: RefundStatus,
    /// When it was promised.
    pub created_at: Timestamp,
}

/// A dispute of an order's payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Dispute {
    /// The provider's id.
    pub id: String,
    /// How much is disputed.
    pub amount: Money,
    /// Its progress.
    pub state: DisputeState,
    /// Whether the payment may still be refunded.
    pub refundable: bool,
    /// What the provider has taken for it and not given back, in minor units.
    pub withdrawn: i64,
    /// What the provider keeps for handling it, in minor units.
    pub fee: i64,
}

/// How a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Promised; on its way.
    Pending,
    /// Given back.
    Succeeded,
    /// The provider could not.
    Failed,
}

/// A line of an order's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// What happened.
    pub happening: OrderEventKind,
    /// Who brought it about.
    pub actor: Actor,
    /// Id of the fulfilment, return or refund it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The reason, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Who brings something about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// The shop by itself, or the payment provider.
    Shop,
    /// Whoever ordered.
    Shopper,
    /// Staff, by name where their key has one.
    Staff(StaffName),
}

impl Actor {
    /// What those may know who are no staff: which kind it is.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Shopper => "shopper",
            Self::Staff(_) => "staff",
        }
    }

    /// As records show it.
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

/// A row of the outbox: an effect, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The effect.
    pub effect: Effect,
    /// Id of the fulfilment, return or refund, number of the attempt; empty for the order itself.
    pub subject: String,
}

impl Order {
    /// What it holds.
    #[must_use]
    pub fn held(&self) -> Held<'_> {
        (&self.lines, &self.terms.promotions)
    }

    /// Whether someone wants a pending order cancelled.
    #[must_use]
    pub fn is_cancel_requested(&self) -> bool {
        self.has_seen(OrderEventKind::CancelRequested)
    }

    /// Whether this has happened to the order.
    #[must_use]
    pub fn has_seen(&self, happening: OrderEventKind) -> bool {
        self.events.iter().any(|event| event.happening == happening)
    }

    /// Whether its present attempt has claimed everything it holds. The first does so by being
    /// placed.
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

    /// Units of each line that have not left.
    #[must_use]
    pub fn unshipped(&self) -> Vec<Units> {
        self.units_less(self.fulfillments.iter().flat_map(|it| &it.lines))
    }

    /// Units of each line that have left and not come back.
    #[must_use]
    pub fn returnable(&self) -> Vec<Units> {
        let shipped = |sku: &str| units_of(sku, self.fulfillments.iter().flat_map(|it| &it.lines));
        let returned = |sku: &str| units_of(sku, self.returns.iter().flat_map(|it| &it.lines));
        self.lines
            .iter()
            .map(|line| Units {
                sku: line.sku.clone(),
                quantity: shipped(&line.sku).saturating_sub(returned(&line.sku)),
            })
            .filter(|units| units.quantity > 0)
            .collect()
    }

    /// How far its goods are.
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

    /// True once it is invoiced: money was taken for it, or nothing had to be. Before that its bill
    /// is a proforma without a number.
    #[must_use]
    pub fn is_invoiced(&self) -> bool {
        self.payment.status == PaymentStatus::Paid || self.payment.captured.is_some()
    }

    /// How far its money is: its payment, less what went back.
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

    /// For how much less than its total the order is sold while it lives: for what is promised
    /// back, and for what was not paid where a person approved of that.
    ///
    /// # Errors
    /// When amounts do not fit.
    pub fn allowance(&self) -> Result<i64> {
        let approved = self.has_seen(OrderEventKind::Approved);
        sum([
            self.promised_back()?,
            if approved { self.unpaid() } else { 0 },
        ])
    }

    /// The journal of an allowance that changes.
    ///
    /// # Errors
    /// When amounts do not fit.
    pub fn allowed(&self, before: i64, after: i64) -> Result<Journal> {
        let currency = self.paid().currency;
        Journal::allowed(&self.totals, before, after, currency)
    }

    /// What of the total was not paid, negative when more was; nothing of a payment in another
    /// currency, which can't be compared.
    pub(super) fn unpaid(&self) -> i64 {
        let paid = self.paid();
        if paid.currency == self.currency {
            self.totals.total.saturating_sub(paid.amount)
        } else {
            0
        }
    }

    /// What was received so far.
    fn paid(&self) -> Money {
        let captured = self.payment.captured;
        captured.unwrap_or_else(|| Money::new(0, self.currency))
    }

    /// What was promised back, and was not given up.
    ///
    /// # Errors
    /// When amounts do not fit.
    pub fn promised_back(&self) -> Result<i64> {
        sum(self
            .refunds
            .iter()
            .filter(|refund| refund.status != RefundStatus::Failed)
            .map(|refund| refund.amount.amount))
    }

    /// What was received and is not promised back yet; nothing while the provider lets nothing be
    /// refunded.
    #[must_use]
    pub fn refundable(&self) -> Option<Money> {
        self.kept()
            .filter(|_| self.disputes.iter().all(|dispute| dispute.refundable))
    }

    /// What was received and is not promised back yet, be it disputed.
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

    /// What the table can't see: whether the order's goods and holds are such that `happening` may
    /// come about.
    pub(crate) fn allows(&self, happening: OrderEventKind) -> bool {
        match happening {
            OrderEventKind::Cancelled => self.fulfillments.is_empty(),
            OrderEventKind::Completed => self.unshipped().is_empty(),
            // Its units went back on sale when it died: they are not its own to confirm.
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

fn units_of<'a>(sku: &str, lines: impl Iterator<Item = &'a Units>) -> u32 {
    lines
        .filter(|units| units.sku == sku)
        .fold(0, |sum, units| sum.saturating_add(units.quantity))
}
