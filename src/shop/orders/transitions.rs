//! Table of the permitted transitions of an order.
//!
//! Order, payment and fulfillment are three separate axes, never one enum. The order's axis is
//! [`OrderStatus`]; it changes only by [`judge`]. The consequences of a transition are [`Effect`]s,
//! written in the same transaction and retried until done.

use crate::payments::PaymentStatus;
use serde::{Deserialize, Serialize};

/// Status of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Placed and holding its stock, but not paid.
    PendingPayment,
    /// Paid.
    Confirmed,
    /// Delivered in full.
    Completed,
    /// Not paid in time.
    Expired,
    /// Ended before anything was shipped.
    Cancelled,
    /// Paid, but not the amount that was ordered; a person decides.
    PaymentReview,
}

/// Kind of event in the life of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderEventKind {
    /// The order was placed.
    Placed,
    /// Its holds lapsed before they were pinned; a new attempt begins.
    HoldLapsed,
    /// The new attempt holds everything, and the payment may be opened.
    HeldAnew,
    /// Its stock, or a promotion in it, ran out before it could be paid.
    OutOfStock,
    /// No session was opened in the time available, so another may be requested.
    PaymentRenewed,
    /// The shopper has finished paying, and the money is on its way.
    PaymentProcessing,
    /// The total was paid.
    Paid,
    /// A different amount or currency was paid.
    PaidWrongAmount,
    /// The session ended without payment.
    SessionExpired,
    /// The provider refused the payment.
    PaymentRefused,
    /// The expected money did not arrive.
    PaymentFailed,
    /// Money arrived after the order had released its stock; an attempt to hold it again begins.
    LateAttempt,
    /// The late attempt holds everything, and the order is revived.
    ConfirmedLate,
    /// The late attempt failed, and the money goes back.
    TooLate,
    /// Cancellation was requested and waits for the provider's answer.
    CancelRequested,
    /// The order was cancelled.
    Cancelled,
    /// A person accepted the amount that was paid.
    Approved,
    /// A person rejected the amount that was paid.
    Rejected,
    /// Some or all of it was shipped.
    Shipped,
    /// A parcel was delivered.
    Delivered,
    /// Everything was delivered.
    Completed,
    /// Some of it was returned.
    Returned,
    /// A refund was promised.
    RefundPromised,
    /// A refund begun at the provider, outside the shop, was found.
    RefundFound,
    /// A refund was paid out.
    Refunded,
    /// The provider could not pay out a refund.
    RefundFailed,
    /// The shopper's bank disputed the payment, or a dispute progressed.
    Disputed,
}

/// Consequence of a transition; each is safe to carry out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Pins the holds, then asks the provider for a session.
    OpenPayment,
    /// Has the provider end the session, and learns how it ended.
    ClosePayment,
    /// Commits the held units and promotion uses to the order.
    CommitStock,
    /// Removes the ordered lines from the cart.
    CompleteCart,
    /// Tells the shopper that the order is confirmed.
    SendConfirmation,
    /// Releases the held units and promotion uses.
    ReleaseStock,
    /// Releases everything that an abandoned attempt still holds.
    ReleaseAttempt,
    /// Thaws the cart, unchanged.
    ThawCart,
    /// Puts the units of a paid order, none of them shipped, back on sale, and releases its
    /// promotion uses.
    RestockOrder,
    /// Books the units of a fulfillment out of stock.
    ShipStock,
    /// Books the units of a return into stock.
    RestockReturn,
    /// Pays out a refund.
    PayRefund,
    /// Refunds a stray payment.
    RefundStray,
    /// Holds the goods for late money again, or refunds it.
    SettleLateMoney,
    /// Tells the shopper that money is refunded.
    SendRefund,
    /// Tells the shopper that the payment failed.
    SendPaymentProblem,
}

/// Outcome of an event, as the table allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Status of the order afterwards.
    pub status: OrderStatus,
    /// Status of the payment afterwards. `None` means unchanged.
    pub payment: Option<PaymentStatus>,
    /// Effects that follow.
    pub effects: &'static [Effect],
}

/// The table: returns the outcome of `happening` for an order in `status`. `None` means it is not
/// permitted.
#[must_use]
pub const fn judge(status: OrderStatus, happening: OrderEventKind) -> Option<Move> {
    use {Effect as E, OrderEventKind as H, OrderStatus as S, PaymentStatus as P};

    const ENDS_PAID: &[E] = &[E::CommitStock, E::CompleteCart, E::SendConfirmation];
    const ENDS_UNPAID: &[E] = &[E::ReleaseStock, E::ThawCart];
    const FAILS: &[E] = &[E::ReleaseStock, E::ThawCart, E::SendPaymentProblem];

    let (status, payment, effects): (_, _, &'static [E]) = match (status, happening) {
        (S::PendingPayment, H::HoldLapsed) => (status, None, &[E::ReleaseAttempt]),
        (S::PendingPayment, H::HeldAnew | H::PaymentRenewed) => (status, None, &[]),
        (S::PendingPayment, H::Paid) => (S::Confirmed, Some(P::Paid), ENDS_PAID),
        (S::PendingPayment, H::PaymentProcessing) => (status, Some(P::Processing), &[]),
        (S::PendingPayment, H::PaidWrongAmount) => (S::PaymentReview, Some(P::Paid), &[]),
        (S::PendingPayment, H::SessionExpired) => (S::Expired, Some(P::Failed), ENDS_UNPAID),
        (S::PendingPayment, H::Cancelled) => (S::Cancelled, Some(P::Failed), ENDS_UNPAID),
        (S::PendingPayment, H::PaymentRefused | H::OutOfStock | H::PaymentFailed) => {
            (S::Cancelled, Some(P::Failed), FAILS)
        }
        (S::PendingPayment, H::CancelRequested) => (status, None, &[E::ClosePayment]),
        (S::Expired | S::Cancelled, H::Paid) => (status, Some(P::Paid), &[E::SettleLateMoney]),
        (S::Expired | S::Cancelled, H::PaidWrongAmount) => (S::PaymentReview, Some(P::Paid), &[]),
        (S::Expired | S::Cancelled, H::LateAttempt) => (status, None, &[E::ReleaseAttempt]),
        (S::Expired | S::Cancelled, H::ConfirmedLate) => {
            (S::Confirmed, None, &[E::CommitStock, E::SendConfirmation])
        }
        (S::Expired | S::Cancelled, H::TooLate) => (
            S::Cancelled,
            None,
            &[E::ReleaseAttempt, E::PayRefund, E::SendPaymentProblem],
        ),
        (S::PaymentReview, H::Approved) => (S::Confirmed, None, ENDS_PAID),
        (S::PaymentReview, H::Rejected) => (
            S::Cancelled,
            None,
            &[E::ReleaseStock, E::ThawCart, E::PayRefund],
        ),
        (S::Confirmed, H::Cancelled) => (S::Cancelled, None, &[E::RestockOrder, E::PayRefund]),
        (S::Confirmed, H::Shipped) => (status, None, &[E::ShipStock]),
        (S::Confirmed | S::Completed, H::Delivered) => (status, None, &[]),
        (S::Confirmed, H::Completed) => (S::Completed, None, &[]),
        (S::Confirmed | S::Completed, H::Returned) => (status, None, &[E::RestockReturn]),
        (S::Confirmed | S::Completed | S::Expired | S::Cancelled, H::RefundPromised) => {
            (status, None, &[E::PayRefund])
        }
        (_, H::Refunded) => (status, None, &[E::SendRefund]),
        (_, H::RefundFound | H::RefundFailed | H::Disputed) => (status, None, &[]),
        _ => return None,
    };
    Some(Move {
        status,
        payment,
        effects,
    })
}

/// Returns the event by which staff request a status. `None` means that there is no such event.
#[must_use]
pub const fn event_towards(from: OrderStatus, to: OrderStatus) -> Option<OrderEventKind> {
    match (from, to) {
        (OrderStatus::PendingPayment, OrderStatus::Cancelled) => {
            Some(OrderEventKind::CancelRequested)
        }
        (OrderStatus::PaymentReview, OrderStatus::Confirmed) => Some(OrderEventKind::Approved),
        (OrderStatus::PaymentReview, OrderStatus::Cancelled) => Some(OrderEventKind::Rejected),
        (OrderStatus::Confirmed, OrderStatus::Cancelled) => Some(OrderEventKind::Cancelled),
        (OrderStatus::Confirmed, OrderStatus::Completed) => Some(OrderEventKind::Completed),
        _ => None,
    }
}

/// All statuses.
pub const STATUSES: [OrderStatus; 6] = [
    OrderStatus::PendingPayment,
    OrderStatus::Confirmed,
    OrderStatus::Completed,
    OrderStatus::Expired,
    OrderStatus::Cancelled,
    OrderStatus::PaymentReview,
];

impl OrderStatus {
    /// True if the order has expired or was cancelled.
    #[must_use]
    pub const fn is_dead(self) -> bool {
        matches!(self, Self::Expired | Self::Cancelled)
    }

    /// True if the order is paid and on its way to the customer, or completed.
    #[must_use]
    pub const fn is_sold(self) -> bool {
        matches!(self, Self::Confirmed | Self::Completed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HAPPENINGS: [OrderEventKind; 27] = [
        OrderEventKind::Placed,
        OrderEventKind::HoldLapsed,
        OrderEventKind::HeldAnew,
        OrderEventKind::OutOfStock,
        OrderEventKind::PaymentRenewed,
        OrderEventKind::PaymentProcessing,
        OrderEventKind::Paid,
        OrderEventKind::PaidWrongAmount,
        OrderEventKind::SessionExpired,
        OrderEventKind::PaymentRefused,
        OrderEventKind::CancelRequested,
        OrderEventKind::Cancelled,
        OrderEventKind::Approved,
        OrderEventKind::Rejected,
        OrderEventKind::Shipped,
        OrderEventKind::Delivered,
        OrderEventKind::Completed,
        OrderEventKind::Returned,
        OrderEventKind::PaymentFailed,
        OrderEventKind::LateAttempt,
        OrderEventKind::ConfirmedLate,
        OrderEventKind::TooLate,
        OrderEventKind::RefundPromised,
        OrderEventKind::RefundFound,
        OrderEventKind::Refunded,
        OrderEventKind::RefundFailed,
        OrderEventKind::Disputed,
    ];

    fn every_move() -> impl Iterator<Item = (OrderStatus, OrderEventKind, Move)> {
        STATUSES.into_iter().flat_map(|status| {
            HAPPENINGS
                .into_iter()
                .filter_map(move |happening| Some((status, happening, judge(status, happening)?)))
        })
    }

    #[test]
    fn an_order_is_confirmed_by_money_or_by_a_person_alone() {
        for (from, happening, outcome) in every_move() {
            if outcome.status == OrderStatus::Confirmed && from != OrderStatus::Confirmed {
                assert!(
                    matches!(
                        happening,
                        OrderEventKind::Paid
                            | OrderEventKind::Approved
                            | OrderEventKind::ConfirmedLate
                    ),
                    "{from:?} {happening:?}"
                );
                assert!(outcome.effects.contains(&Effect::CommitStock));
            }
        }
    }

    #[test]
    fn an_order_that_dies_lets_go_of_its_units_and_only_then() {
        for (from, happening, outcome) in every_move() {
            let lets_go = outcome
                .effects
                .iter()
                .any(|effect| matches!(effect, Effect::ReleaseStock | Effect::RestockOrder));
            let dies = outcome.status.is_dead() && !from.is_dead();
            assert_eq!(lets_go, dies, "{from:?} {happening:?}");
        }
    }

    #[test]
    fn a_paid_order_that_is_cancelled_gives_the_money_back() {
        for (from, happening, outcome) in every_move() {
            let was_paid = matches!(from, OrderStatus::Confirmed | OrderStatus::PaymentReview);
            if was_paid && outcome.status == OrderStatus::Cancelled {
                assert!(
                    outcome.effects.contains(&Effect::PayRefund),
                    "{from:?} {happening:?}"
                );
            }
        }
    }

    #[test]
    fn money_for_a_dead_order_is_settled_or_judged_by_a_person() {
        for dead in [OrderStatus::Expired, OrderStatus::Cancelled] {
            let late = judge(dead, OrderEventKind::Paid).unwrap();
            assert_eq!(late.effects, [Effect::SettleLateMoney]);
            assert!(late.status.is_dead());
            let given_back = judge(dead, OrderEventKind::TooLate).unwrap();
            assert!(given_back.effects.contains(&Effect::PayRefund));
            let wrong = judge(dead, OrderEventKind::PaidWrongAmount).unwrap();
            assert_eq!(wrong.status, OrderStatus::PaymentReview);
        }
    }

    #[test]
    fn what_staff_asks_for_is_what_the_table_does() {
        for from in STATUSES {
            for to in STATUSES {
                let Some(happening) = event_towards(from, to) else {
                    continue;
                };
                let outcome = judge(from, happening).unwrap();
                // A pending order is cancelled only once the provider has answered.
                let wanted = if from == OrderStatus::PendingPayment {
                    from
                } else {
                    to
                };
                assert_eq!(outcome.status, wanted, "{from:?} {to:?}");
            }
        }
    }
}
