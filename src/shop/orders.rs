//! Orders: what they are, and how they are read, moved and listed. How they may move is the table of [`transitions`].
//!
//! [`transitions`]: crate::shop::transitions

use crate::error::{Error, Result};
use crate::shop::addresses::Address;
use crate::shop::fulfillments::{Fulfillment, Return, Units, check_text};
use crate::shop::ids::Signer;
use crate::shop::ledger::Journal;
use crate::shop::money::{Currency, Money, sum};
use crate::shop::payments::{DisputeState, PaymentStatus};
use crate::shop::ports::{Orders, Ports, Written};
use crate::shop::pricing::{QuoteLine, Totals};
use crate::shop::settlement;
use crate::shop::transitions::{
    Effect, Happening, Move, STATUSES, Status, happening_towards, judge,
};
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

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
    pub status: Status,
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
    /// What came back.
    pub returns: Vec<Return>,
    /// What was promised back.
    pub refunds: Vec<Refund>,
    /// What the shopper's bank disputes.
    pub disputes: Vec<Dispute>,
}

/// The payment of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// `pay_…`; also the idempotency key of its session.
    pub id: String,
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
pub struct Dispute {
    /// The provider's id.
    pub id: String,
    /// How much is disputed.
    pub amount: Money,
    /// How far it is.
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
    pub happening: Happening,
    /// Who brought it about.
    pub actor: Actor,
    /// Id of the fulfilment, return or refund it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Why, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Who brings something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The shop by itself, or the payment provider.
    Shop,
    /// Whoever ordered.
    Shopper,
    /// Staff.
    Staff,
}

/// A row of the outbox: an effect, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What to do.
    pub effect: Effect,
    /// Id of the fulfilment, return or refund, number of the attempt; empty for the order itself.
    pub subject: String,
}

/// A move to be written, unless the order has moved in the meantime, with all that changes in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Which order.
    pub order_id: String,
    /// The version it was judged at.
    pub from_version: u64,
    /// What happened.
    pub event: OrderEvent,
    /// What the table says.
    pub outcome: Move,
    /// The attempt of its holds from now on.
    pub attempt: u32,
    /// What the provider has received, if that is new.
    pub captured: Option<Money>,
    /// By which name the provider knows that, if that is new.
    pub payment_ref: Option<String>,
    /// What is booked.
    pub journals: Vec<Journal>,
    /// A record that begins or changes.
    pub record: Option<Record>,
}

/// A record beside the order that a move begins or changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Units leave.
    Shipped(Fulfillment),
    /// A fulfilment has arrived.
    Arrived(String),
    /// Units came back.
    Returned(Return),
    /// Money is promised back.
    Promised(Refund),
    /// A promise ended.
    RefundEnded(String, RefundStatus),
    /// A dispute began or moved.
    Disputed(Dispute),
}

/// Links to an order that only those who were given them can follow.
#[derive(Clone)]
pub struct OrderLinks {
    /// Origin of the shop.
    pub base: String,
    /// Makes the links unforgeable.
    pub signer: Signer,
}

/// Which orders a list shows; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Only those placed from this cart.
    pub cart_id: Option<String>,
    /// Only those that stand so.
    pub status: Option<Status>,
    /// Only those with a smaller number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// How often a move that lost against another is judged again before giving up.
const MAX_JUDGEMENTS: u32 = 5;

/// What a person asks of an order, beside the thing itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Who asks.
    pub actor: Actor,
    /// Why, in their words.
    pub note: Option<String>,
    /// Only while the order is at this version.
    pub if_version: Option<u64>,
    /// The id of the refund that may follow.
    pub refund_id: String,
}

/// Gives an order the status that staff asks for, by the table. A pending order is cancelled once the provider has ended its
/// session, since until then it can still be paid.
///
/// # Errors
/// 404; 409 `transition_not_allowed` with what is allowed; 412 for a stale version.
pub async fn set_order_status(
    ports: &impl Ports,
    order_id: &str,
    status: Status,
    instruction: Instruction,
    now: Timestamp,
) -> Result<Order> {
    check_text("note", instruction.note.as_deref())?;
    let order = find_order(ports, order_id).await?;
    let order = move_order(ports, order, now, |order| {
        let waits_for_it = status == Status::Cancelled && order.is_cancel_requested();
        if order.status == status || (order.status == Status::PendingPayment && waits_for_it) {
            return Ok(None);
        }
        instruction.check_version(order)?;
        let transition = happening_towards(order.status, status)
            .filter(|happening| order.allows(*happening))
            .and_then(|happening| Transition::of(order, happening, instruction.actor, now))
            .ok_or_else(|| not_allowed(order))?;
        let transition = transition.noted(instruction.note.clone());
        with_money(order, transition, &instruction.refund_id, now).map(Some)
    })
    .await?;
    Ok(settlement::drive_or_leave(ports, order, now).await)
}

/// Cancels an order, while nothing of it has left.
///
/// # Errors
/// As [`set_order_status`]. An order that is dead already, for whatever reason, stays as it is.
pub async fn cancel_order(
    ports: &impl Ports,
    order_id: &str,
    instruction: Instruction,
    now: Timestamp,
) -> Result<Order> {
    let order = find_order(ports, order_id).await?;
    if order.status.is_dead() {
        return Ok(order);
    }
    set_order_status(ports, order_id, Status::Cancelled, instruction, now).await
}

/// Moves an order by what `decide` makes of it as it stands, again when it has moved in between; nothing when that is none.
///
/// # Errors
/// What `decide` says, or a port's failure.
pub async fn move_order(
    ports: &impl Ports,
    mut order: Order,
    now: Timestamp,
    decide: impl Fn(&Order) -> Result<Option<Transition>>,
) -> Result<Order> {
    for _ in 0..MAX_JUDGEMENTS {
        let Some(transition) = decide(&order)? else {
            return Ok(order);
        };
        if let Written::Landed(moved) = ports.orders().transition(&transition, now).await? {
            return Ok(moved);
        }
        order = find_order(ports, &order.id).await?;
    }
    Err(moved_meanwhile())
}

/// The order with this id.
///
/// # Errors
/// 404.
pub async fn find_order(ports: &impl Ports, order_id: &str) -> Result<Order> {
    ports
        .orders()
        .order(order_id)
        .await?
        .ok_or(Error::NotFound("order"))
}

/// 503 for who lost against another move and should look again.
pub const fn moved_meanwhile() -> Error {
    Error::Unavailable {
        code: "order_busy",
        retry_after_secs: 1,
    }
}

/// 409 with the statuses that the order can be given.
pub fn not_allowed(order: &Order) -> Error {
    let allowed: Vec<Status> = STATUSES
        .into_iter()
        .filter(|to| {
            happening_towards(order.status, *to).is_some_and(|happening| order.allows(happening))
        })
        .collect();
    Error::conflict(
        "transition_not_allowed",
        "The order does not allow this as it stands.",
        json!({"order_id": order.id, "order_status": order.status, "allowed": allowed}),
    )
}

impl Instruction {
    fn check_version(&self, order: &Order) -> Result<()> {
        match self.if_version {
            Some(version) if version != order.version => Err(Error::PreconditionFailed {
                version: order.version,
            }),
            _ => Ok(()),
        }
    }
}

impl Order {
    /// Whether someone wants a pending order cancelled.
    #[must_use]
    pub fn is_cancel_requested(&self) -> bool {
        self.has_seen(Happening::CancelRequested)
    }

    /// Whether this has happened to the order.
    #[must_use]
    pub fn has_seen(&self, happening: Happening) -> bool {
        self.events.iter().any(|event| event.happening == happening)
    }

    /// Whether its present attempt has claimed everything it holds. The first does so by being placed.
    #[must_use]
    pub fn is_claimed(&self) -> bool {
        self.events
            .iter()
            .rev()
            .find(|event| matches!(event.happening, Happening::HoldLapsed | Happening::HeldAnew))
            .is_none_or(|event| event.happening == Happening::HeldAnew)
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
    pub fn fulfillment_status(&self) -> &'static str {
        let everything_left = self.unshipped().is_empty();
        if self.fulfillments.is_empty() {
            "unfulfilled"
        } else if everything_left && self.returnable().is_empty() {
            "returned"
        } else if everything_left && self.fulfillments.iter().all(|it| it.delivered_at.is_some()) {
            "delivered"
        } else if everything_left {
            "fulfilled"
        } else {
            "partially_fulfilled"
        }
    }

    /// How far its money is: its payment, less what went back.
    #[must_use]
    pub fn payment_status(&self) -> &'static str {
        let refunded = sum(self
            .refunds
            .iter()
            .filter(|refund| refund.status == RefundStatus::Succeeded)
            .map(|refund| refund.amount.amount))
        .unwrap_or(i64::MAX);
        let captured = self.payment.captured.map_or(0, |money| money.amount);
        match self.payment.status {
            _ if refunded > 0 && refunded >= captured => "refunded",
            _ if refunded > 0 => "partially_refunded",
            PaymentStatus::Preparing => "preparing",
            PaymentStatus::Open => "open",
            PaymentStatus::Processing => "processing",
            PaymentStatus::Paid => "paid",
            PaymentStatus::Failed => "failed",
        }
    }

    /// What was promised back, and was not given up. As long as the order lives, it was sold for so much less.
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

    /// What was received and is not promised back yet; nothing while the provider lets nothing be refunded.
    #[must_use]
    pub fn refundable(&self) -> Option<Money> {
        if self.disputes.iter().any(|dispute| !dispute.refundable) {
            return None;
        }
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

    /// What the table can't see: whether the order's goods and holds are such that `happening` may come about.
    fn allows(&self, happening: Happening) -> bool {
        match happening {
            Happening::Cancelled => self.fulfillments.is_empty(),
            Happening::Completed => self.unshipped().is_empty(),
            // Its units went back on sale when it died: they are not its own to confirm.
            Happening::Approved => !self.events.iter().any(|event| {
                judge(Status::PendingPayment, event.happening)
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

impl Transition {
    /// What `happening` does to `order`; none when the table says nothing.
    #[must_use]
    pub fn of(order: &Order, happening: Happening, actor: Actor, now: Timestamp) -> Option<Self> {
        Some(Self {
            order_id: order.id.clone(),
            from_version: order.version,
            outcome: judge(order.status, happening)?,
            event: OrderEvent {
                happening,
                actor,
                subject: None,
                note: None,
                at: now,
            },
            attempt: order.attempt,
            captured: None,
            payment_ref: None,
            journals: vec![],
            record: None,
        })
    }

    /// Adds a journal, unless it says nothing.
    pub fn book(&mut self, journal: Journal) {
        if !journal.entries.is_empty() {
            self.journals.push(journal);
        }
    }

    /// With a person's words.
    #[must_use]
    pub fn noted(mut self, note: Option<String>) -> Self {
        self.event.note = note;
        self
    }

    /// With a record that begins or changes.
    #[must_use]
    pub fn with(mut self, record: Record) -> Self {
        self.event.subject = Some(record.id().to_owned());
        self.record = Some(record);
        self
    }

    /// What is to be carried out after it: the table's effects, those about a record with the record's id. No record, nothing to do.
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        self.outcome
            .effects
            .iter()
            .filter_map(|effect| {
                let subject = match (effect, &self.record) {
                    (Effect::ShipStock, Some(Record::Shipped(it))) => it.id.clone(),
                    (Effect::RestockReturn, Some(Record::Returned(it))) if it.restock => {
                        it.id.clone()
                    }
                    (Effect::PayRefund, Some(Record::Promised(it))) => it.id.clone(),
                    (Effect::ReleaseAttempt, _) => self.attempt.saturating_sub(1).to_string(),
                    (Effect::SendRefund, Some(Record::RefundEnded(id, _))) => id.clone(),
                    (
                        Effect::ShipStock
                        | Effect::RestockReturn
                        | Effect::PayRefund
                        | Effect::SendRefund,
                        _,
                    ) => {
                        return None;
                    }
                    _ => String::new(),
                };
                Some(Task {
                    effect: *effect,
                    subject,
                })
            })
            .collect()
    }
}

impl Record {
    fn id(&self) -> &str {
        match self {
            Self::Shipped(it) => &it.id,
            Self::Returned(it) => &it.id,
            Self::Promised(it) => &it.id,
            Self::Arrived(id) | Self::RefundEnded(id, _) => id,
            Self::Disputed(it) => &it.id,
        }
    }
}

/// Adds to a move what it means for the money: an order that dies is unsold, and what was received for it is promised back; one
/// that comes back to life is sold again.
///
/// # Errors
/// When amounts do not fit.
pub fn with_money(
    order: &Order,
    mut transition: Transition,
    refund_id: &str,
    now: Timestamp,
) -> Result<Transition> {
    let allowed = order.promised_back()?;
    match (order.status.is_dead(), transition.outcome.status.is_dead()) {
        (true, false) => {
            transition.book(Journal::placed(&order.totals, order.currency)?);
            transition.book(Journal::allowed(allowed, order.currency)?);
            return Ok(transition);
        }
        (false, true) => {
            transition.book(Journal::unsold(&order.totals, order.currency)?);
            transition.book(Journal::allowed(allowed.saturating_neg(), order.currency)?);
        }
        _ => return Ok(transition),
    }
    let Some(amount) = order.refundable() else {
        return Ok(transition);
    };
    let journal = Journal::refund_promised(amount.amount, amount.currency)?;
    transition.journals.push(journal);
    Ok(transition.with(Record::Promised(Refund {
        id: refund_id.to_owned(),
        amount,
        status: RefundStatus::Pending,
        created_at: now,
    })))
}

impl OrderLinks {
    /// The order's status page.
    #[must_use]
    pub fn status(&self, order_id: &str) -> String {
        format!("{}{}", self.base, self.status_path(order_id))
    }

    /// The status page, for a shopper who comes back without having paid.
    #[must_use]
    pub fn unpaid(&self, order_id: &str) -> String {
        format!("{}&payment=unfinished", self.status(order_id))
    }

    /// The status page's path and query.
    #[must_use]
    pub fn status_path(&self, order_id: &str) -> String {
        self.path(order_id, "")
    }

    /// The invoice's path and query.
    #[must_use]
    pub fn invoice_path(&self, order_id: &str) -> String {
        self.path(order_id, "/invoice")
    }

    /// Where the order's cancel form goes.
    #[must_use]
    pub fn cancel_path(&self, order_id: &str) -> String {
        self.path(order_id, "/cancel")
    }

    /// Whether `token` is that of a link to this order.
    #[must_use]
    pub fn is_token_of(&self, order_id: &str, token: &str) -> bool {
        self.signer.verify("order", order_id, token)
    }

    fn path(&self, order_id: &str, page: &str) -> String {
        format!(
            "/orders/{order_id}{page}?token={}",
            self.signer.sign("order", order_id)
        )
    }
}

fn units_of<'a>(sku: &str, lines: impl Iterator<Item = &'a Units>) -> u32 {
    lines
        .filter(|units| units.sku == sku)
        .fold(0, |sum, units| sum.saturating_add(units.quantity))
}
