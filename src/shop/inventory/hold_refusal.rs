//! Refusals of a hold. A use case decides on them as conditions; they become an error only when the
//! caller is told.

use crate::codes::Code;
use crate::error::Error;
use crate::values::ids::Sku;
use serde_json::{Value, json};

/// Minimum seconds after which a buyer should retry if units may come back. A random part is added,
/// so that buyers who were refused together do not return together.
pub(crate) const MIN_RETRY_SECS: u32 = 2;

/// Reason why not everything could be held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldRefusal {
    /// Some lines are sold out.
    SoldOut(Vec<ShortLine>),
    /// All short lines are held by others for now, and may come back.
    Contended(Vec<ShortLine>),
    /// A limit per customer is exceeded.
    OverLimit(Vec<ShortLine>),
    /// The promotion with this id has no uses left.
    PromotionUsedUp(String),
    /// Others hold the last uses of the promotion with this id for now.
    PromotionContended(String),
    /// This customer can't use the promotion with this id.
    PromotionNotAvailable(String),
}

/// A line that stock refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortLine {
    /// SKU of the line.
    pub sku: Sku,
    /// Product title shown to shoppers.
    pub title: String,
    /// Variant title shown to shoppers.
    pub variant_title: String,
    /// Reason of the refusal.
    pub reason: ShortReason,
    /// Largest quantity that could be held.
    pub max_quantity: i64,
}

/// Reason why a line is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShortReason {
    /// No units are left for it.
    SoldOut,
    /// Others hold units that may come back.
    Contended,
    /// The limit per customer is exceeded.
    OverLimit,
}

impl ShortReason {
    /// Stable code for API clients.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::SoldOut => Code::SoldOut,
            Self::Contended => Code::Contended,
            Self::OverLimit => Code::OverLimit,
        }
    }
}

impl HoldRefusal {
    /// Returns the refusal of an order with these short lines.
    #[must_use]
    pub fn of_lines(short: Vec<ShortLine>) -> Self {
        let is = |reason| move |line: &ShortLine| line.reason == reason;
        if short.iter().all(is(ShortReason::Contended)) {
            Self::Contended(short)
        } else if short.iter().any(is(ShortReason::OverLimit)) {
            Self::OverLimit(short)
        } else {
            Self::SoldOut(short)
        }
    }

    /// True if the missing units or uses are held by others and may come back.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Contended(_) | Self::PromotionContended(_))
    }

    /// Stable code for API clients.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::SoldOut(_) => ShortReason::SoldOut.code(),
            Self::Contended(_) => ShortReason::Contended.code(),
            Self::OverLimit(_) => ShortReason::OverLimit.code(),
            Self::PromotionUsedUp(_) => Code::PromotionUsedUp,
            Self::PromotionContended(_) => Code::PromotionContended,
            Self::PromotionNotAvailable(_) => Code::PromotionNotAvailable,
        }
    }

    const fn detail(&self) -> &'static str {
        match self {
            Self::SoldOut(_) => "Not enough is in stock for this order.",
            Self::Contended(_) => {
                "The last units are in another checkout. Some may become available within minutes."
            }
            Self::OverLimit(_) => "This is more than one customer can buy.",
            Self::PromotionUsedUp(_) => {
                "A promotion of this quote has been used up. Request a new quote."
            }
            Self::PromotionContended(_) => {
                "The last uses of a promotion are in another checkout. Some may become available within minutes."
            }
            Self::PromotionNotAvailable(_) => {
                "A promotion of this quote can't be used with this email address. Request a quote without it."
            }
        }
    }

    fn data(&self) -> Value {
        match self {
            Self::SoldOut(short) | Self::OverLimit(short) => json!({"lines": lines_of(short)}),
            Self::Contended(short) => {
                json!({"lines": lines_of(short), "retry_after_secs": MIN_RETRY_SECS})
            }
            Self::PromotionUsedUp(id) | Self::PromotionNotAvailable(id) => json!({"promotion": id}),
            Self::PromotionContended(id) => {
                json!({"promotion": id, "retry_after_secs": MIN_RETRY_SECS})
            }
        }
    }
}

fn lines_of(short: &[ShortLine]) -> Vec<Value> {
    let lines = short.iter().map(|line| {
        json!({
            "sku": line.sku,
            "title": line.title,
            "variant_title": line.variant_title,
            "code": line.reason.code(),
            "max_quantity": line.max_quantity,
        })
    });
    lines.collect()
}

impl From<HoldRefusal> for Error {
    fn from(refusal: HoldRefusal) -> Self {
        Self::conflict(refusal.code(), refusal.detail(), refusal.data())
    }
}

/// Reason why a hold failed.
#[derive(Debug)]
pub enum NotHeld {
    /// An object refused it.
    Refused(HoldRefusal),
    /// A port failed.
    Failed(Error),
}

impl From<HoldRefusal> for NotHeld {
    fn from(refusal: HoldRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for NotHeld {
    fn from(failure: Error) -> Self {
        Self::Failed(failure)
    }
}

impl From<NotHeld> for Error {
    fn from(not_held: NotHeld) -> Self {
        match not_held {
            NotHeld::Refused(refusal) => refusal.into(),
            NotHeld::Failed(failure) => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(reason: ShortReason) -> ShortLine {
        ShortLine {
            sku: "LAMP".into(),
            title: "Lamp".to_owned(),
            variant_title: String::new(),
            reason,
            max_quantity: 1,
        }
    }

    #[test]
    fn an_order_waits_only_for_what_may_come_back() {
        use ShortReason::{Contended, OverLimit, SoldOut};
        for (reasons, code, may_pass) in [
            (vec![Contended], Code::Contended, true),
            (vec![Contended, Contended], Code::Contended, true),
            (vec![Contended, SoldOut], Code::SoldOut, false),
            (vec![SoldOut], Code::SoldOut, false),
            (vec![OverLimit, SoldOut], Code::OverLimit, false),
            (vec![Contended, OverLimit], Code::OverLimit, false),
        ] {
            let refusal = HoldRefusal::of_lines(reasons.into_iter().map(short).collect());
            assert_eq!((refusal.code(), refusal.may_pass()), (code, may_pass));
        }
        let id = || "promo_1".to_owned();
        assert!(HoldRefusal::PromotionContended(id()).may_pass());
        assert!(!HoldRefusal::PromotionUsedUp(id()).may_pass());
        assert!(!HoldRefusal::PromotionNotAvailable(id()).may_pass());
    }

    #[test]
    fn a_caller_is_told_each_line_that_is_short_and_when_to_come_back() {
        let refusal = HoldRefusal::of_lines(vec![short(ShortReason::Contended)]);
        let error = Error::from(NotHeld::from(refusal));
        assert_eq!((error.status(), error.code()), (409, Code::Contended));
        let line = json!({
            "sku": "LAMP", "title": "Lamp", "variant_title": "", "code": "contended", "max_quantity": 1
        });
        let data = json!({"lines": [line], "retry_after_secs": MIN_RETRY_SECS});
        assert!(matches!(error, Error::Conflict { data: told, .. } if told == data));
    }
}
