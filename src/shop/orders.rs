//! Orders: what they are, and the one table of how they move.
//!
//! Three axes, never one enum: order, payment and fulfilment. The order's is [`Status`]; an order moves only by
//! [`judge`], and what must follow a move are [`Effect`]s, written in the same transaction and carried out until done.

use crate::error::FieldError;
use crate::shop::ids::Signer;
use crate::shop::money::Currency;
use crate::shop::payments::PaymentStatus;
use crate::shop::pricing::{QuoteLine, Totals};
use durable::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Placed, its stock held, not paid.
    PendingPayment,
    /// Paid.
    Confirmed,
    /// Not paid in time.
    Expired,
    /// Ended before anything was shipped.
    Cancelled,
    /// What was paid is not what was ordered; a person decides.
    PaymentReview,
}

/// What has happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// It was placed.
    Placed,
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
    /// Its stock was gone before it could be paid.
    OutOfStock,
}

/// What must follow a move; each is safe to carry out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Take the holds off their clock, then ask the provider for a session.
    OpenPayment,
    /// Make the held units the order's own.
    CommitStock,
    /// Take the bought lines out of the cart.
    CompleteCart,
    /// Tell the shopper that the order is confirmed.
    SendConfirmation,
    /// Give the held units back.
    ReleaseStock,
    /// Give the cart back as it was.
    ThawCart,
}

/// A move that the table allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// Where the order stands after it.
    pub status: Status,
    /// How its payment stands after it, if that changes.
    pub payment: Option<PaymentStatus>,
    /// What must follow.
    pub effects: &'static [Effect],
}

/// The table: what `happening` does to an order in `status`; none when it changes nothing.
#[must_use]
pub const fn judge(status: Status, happening: Happening) -> Option<Move> {
    use Effect::{CommitStock, CompleteCart, ReleaseStock, SendConfirmation, ThawCart};
    use Happening::{
        OutOfStock, Paid, PaidWrongAmount, PaymentProcessing, PaymentRefused, Placed,
        SessionExpired,
    };
    use Status::{Cancelled, Confirmed, Expired, PaymentReview, PendingPayment};

    let (status, payment, effects): (_, _, &'static [Effect]) = match (status, happening) {
        (PendingPayment, Paid) => (
            Confirmed,
            Some(PaymentStatus::Paid),
            &[CommitStock, CompleteCart, SendConfirmation],
        ),
        (PendingPayment, PaymentProcessing) => {
            (PendingPayment, Some(PaymentStatus::Processing), &[])
        }
        (PendingPayment | Expired | Cancelled, PaidWrongAmount) => {
            (PaymentReview, Some(PaymentStatus::Paid), &[])
        }
        (PendingPayment, SessionExpired) => (
            Expired,
            Some(PaymentStatus::Failed),
            &[ReleaseStock, ThawCart],
        ),
        (PendingPayment, PaymentRefused | OutOfStock) => (
            Cancelled,
            Some(PaymentStatus::Failed),
            &[ReleaseStock, ThawCart],
        ),
        // Money for an order that has let go of its stock: a person decides, until late money is settled by itself.
        (Expired | Cancelled, Paid) => (PaymentReview, Some(PaymentStatus::Paid), &[]),
        (Confirmed | PaymentReview, _)
        | (Expired | Cancelled, PaymentProcessing | SessionExpired | PaymentRefused | OutOfStock)
        | (_, Placed) => return None,
    };
    Some(Move {
        status,
        payment,
        effects,
    })
}

/// An order.
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
}

/// The payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// `pay_…`; also the idempotency key of its session.
    pub id: String,
    /// The order it pays.
    pub order_id: String,
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
}

/// Links to an order that only those who were given them can follow.
#[derive(Clone)]
pub struct OrderLinks {
    /// Origin of the shop.
    pub base: String,
    /// Makes the links unforgeable.
    pub signer: Signer,
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
        format!(
            "/orders/{order_id}?token={}",
            self.signer.sign("order", order_id)
        )
    }

    /// Whether `token` is that of a link to this order.
    #[must_use]
    pub fn is_token_of(&self, order_id: &str, token: &str) -> bool {
        self.signer.verify("order", order_id, token)
    }
}

/// A line of an order's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEvent {
    /// What happened.
    pub happening: Happening,
    /// When.
    pub at: Timestamp,
}

/// A move to be written, unless the order has moved in the meantime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Which order.
    pub order_id: String,
    /// The version it was judged at.
    pub from_version: u64,
    /// What happened.
    pub happening: Happening,
    /// What the table says.
    pub outcome: Move,
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Who receives it.
    pub name: String,
    /// Street and house.
    pub line1: String,
    /// Flat, company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// Town.
    pub city: String,
    /// State, province, prefecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// As the country has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: String,
}

/// Most characters in a field of an address.
const MAX_FIELD_CHARS: usize = 200;

impl Address {
    /// What is wrong with each field; `prefix` is the path of the address.
    #[must_use]
    pub fn errors(&self, prefix: &str) -> Vec<FieldError> {
        let empty = String::new();
        let fields = [
            ("name", &self.name, true),
            ("line1", &self.line1, true),
            ("line2", self.line2.as_ref().unwrap_or(&empty), false),
            ("city", &self.city, true),
            ("region", self.region.as_ref().unwrap_or(&empty), false),
            (
                "postal_code",
                self.postal_code.as_ref().unwrap_or(&empty),
                false,
            ),
        ];
        let mut errors: Vec<FieldError> = fields
            .into_iter()
            .filter_map(|(name, value, required)| {
                let (code, detail) = field_fault(value, required)?;
                Some(FieldError::new(format!("{prefix}.{name}"), code, detail))
            })
            .collect();
        if self.country.len() != 2 || !self.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let detail = "A country code of two capital letters, such as US.";
            errors.push(FieldError::new(
                format!("{prefix}.country"),
                "invalid_country",
                detail,
            ));
        }
        errors
    }
}

fn field_fault(value: &str, required: bool) -> Option<(&'static str, String)> {
    if required && value.trim().is_empty() {
        return Some(("required", "This is needed.".to_owned()));
    }
    if value.chars().count() > MAX_FIELD_CHARS {
        return Some(("too_long", format!("At most {MAX_FIELD_CHARS} characters.")));
    }
    if value.chars().any(char::is_control) {
        return Some((
            "control_character",
            "No line breaks or control characters.".to_owned(),
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUSES: [Status; 5] = [
        Status::PendingPayment,
        Status::Confirmed,
        Status::Expired,
        Status::Cancelled,
        Status::PaymentReview,
    ];

    #[test]
    fn a_confirmed_order_is_confirmed_once() {
        let first = judge(Status::PendingPayment, Happening::Paid).unwrap();
        assert_eq!(first.status, Status::Confirmed);
        assert_eq!(judge(first.status, Happening::Paid), None);
        assert_eq!(judge(first.status, Happening::SessionExpired), None);
    }

    #[test]
    fn stock_is_let_go_only_by_orders_that_end_unpaid() {
        for status in STATUSES {
            for happening in [
                Happening::Paid,
                Happening::PaidWrongAmount,
                Happening::PaymentProcessing,
                Happening::SessionExpired,
                Happening::PaymentRefused,
                Happening::OutOfStock,
            ] {
                let Some(outcome) = judge(status, happening) else {
                    continue;
                };
                let lets_go = outcome.effects.contains(&Effect::ReleaseStock);
                let ends_unpaid = matches!(outcome.status, Status::Expired | Status::Cancelled);
                assert_eq!(lets_go, ends_unpaid, "{status:?} {happening:?}");
            }
        }
    }

    #[test]
    fn addresses_keep_any_script_and_refuse_control_characters() {
        let address = Address {
            name: "Zoë 🎉 عائشة".into(),
            line1: "1 Main St".into(),
            city: "東京".into(),
            country: "JP".into(),
            ..Address::default()
        };
        assert_eq!(address.errors("a"), []);
        let broken = Address {
            name: "a\nb".into(),
            city: " ".into(),
            country: "jp".into(),
            line1: "x".repeat(201),
            ..address
        };
        let codes: Vec<_> = broken
            .errors("a")
            .into_iter()
            .map(|error| (error.field, error.code))
            .collect();
        assert_eq!(
            codes,
            [
                ("a.name".to_owned(), "control_character"),
                ("a.line1".to_owned(), "too_long"),
                ("a.city".to_owned(), "required"),
                ("a.country".to_owned(), "invalid_country"),
            ]
        );
    }
}
