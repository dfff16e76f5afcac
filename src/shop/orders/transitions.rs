//! The one table of how an order moves.
//!
//! Three axes, never one enum: order, payment and fulfilment. The order's is [`OrderStatus`]; an
//! order moves only by [`judge`], and what must follow a move are [`Effect`]s, written in the same
//! transaction and carried out until done.

use crate::payments::PaymentStatus;
use serde::{Deserialize, Serialize};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Placed, its stock held, not paid.
    PendingPayment,
    /// Paid.
    Confirmed,
    /// Everything has arrived.
    Completed,
    /// Not paid in time.
    Expired,
    /// Ended before anything was shipped.
    Cancelled,
    /// What was paid is not what was ordered; a person decides.
    PaymentReview,
}

/// What has happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderEventKind {
    /// It was placed.
    Placed,
    /// Its holds lapsed before they were pinned; a new attempt begins.
    HoldLapsed,
    /// The new attempt holds everything, and its payment may be opened.
    HeldAnew,
    /// Its stock, or a promotion of it, was gone before it could be paid.
    OutOfStock,
    /// It is known that no session was opened in the time there was for it; another may be.
    PaymentRenewed,
    /// The shopper has finished paying, the money is on its way.
    PaymentProcessing,
    /// The total was paid.
    Paid,
    /// Another amount or currency was paid.
    PaidWrongAmount,
    /// The session ended unpaid.
    SessionExpired,
    /// The provider will not take the payment.
    PaymentRefused,
    /// The money that was on its way did not come.
    PaymentFailed,
    /// Money came for an order that had let go of its stock; an attempt to hold it again begins.
    LateAttempt,
    /// That attempt holds everything: the order lives again.
    ConfirmedLate,
    /// It could not: the money goes back.
    TooLate,
    /// Someone wants it cancelled; that waits for the provider's answer.
    CancelRequested,
    /// It was cancelled.
    Cancelled,
    /// A person accepts what was paid.
    Approved,
    /// A person does not.
    Rejected,
    /// Some or all of it left.
    Shipped,
    /// A parcel arrived.
    Delivered,
    /// Everything has arrived.
    Completed,
    /// Some of it came back.
    Returned,
    /// Money is to go back.
    RefundPromised,
    /// Money is going back by the provider's own doing.
    RefundFound,
    /// Money went back.
    Refunded,
    /// The provider could not give money back.
    RefundFailed,
    /// The shopper's bank disputes the payment, or that dispute has moved.
    Disputed,
}

/// What must follow a move; each is safe to carry out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Take the holds off their clock, then ask the provider for a session.
    OpenPayment,
    /// Have the provider end the session, and learn how it ended.
    ClosePayment,
    /// Make the held units and uses of promotions the order's own.
    CommitStock,
    /// Take the bought lines out of the cart.
    CompleteCart,
    /// Tell the shopper that the order is confirmed.
    SendConfirmation,
    /// Give the held units and uses of promotions back.
    ReleaseStock,
    /// Give back what an attempt that was given up still holds.
    ReleaseAttempt,
    /// Give the cart back as it was.
    ThawCart,
    /// Put the units of a paid order, none of which has left, back on sale, and give its uses of
    /// promotions back.
    RestockOrder,
    /// Book the units of a fulfilment out of the building.
    ShipStock,
    /// Book the units of a return into the building.
    RestockReturn,
    /// Give the money of a refund back.
    PayRefund,
    /// Give a stray payment back.
    RefundStray,
    /// Hold again what late money is for, or give it back.
    SettleLateMoney,
    /// Tell the shopper that money goes back.
    SendRefund,
    /// Tell the shopper that the payment came to nothing.
    SendPaymentProblem,
}

/// A move that the table allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where the order stands after it.
    pub status: OrderStatus,
    /// How its payment stands after it, if that changes.
    pub payment: Option<PaymentStatus>,
    /// What must follow.
    pub effects: &'static [Effect],
}

/// The table: what `happening` does to an order in `status`; none when it changes nothing.
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

/// What staff brings about by asking for a status; none when the table knows no such way.
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

/// Every status.
pub const STATUSES: [OrderStatus; 6] = [
    OrderStatus::PendingPayment,
    OrderStatus::Confirmed,
    OrderStatus::Completed,
    OrderStatus::Expired,
    OrderStatus::Cancelled,
    OrderStatus::PaymentReview,
];

impl OrderStatus {
    /// Whether the order has come to nothing.
    #[must_use]
    pub const fn is_dead(self) -> bool {
        matches!(self, Self::Expired | Self::Cancelled)
    }

    /// Whether the order is paid and goes its way.
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
                // A pending order is cancelled once the provider has answered.
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
