//! Counts of what an import reads otherwise than the file says, or leaves out.

use serde::Serialize;
use std::collections::BTreeMap;

/// Something that a merchant should know of an import, though no row is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Notice {
    /// Which.
    pub code: NoticeCode,
    /// The column it is of; empty for none in particular.
    pub subject: String,
    /// Number of what `detail` names.
    pub count: usize,
    /// The sentence that `count` begins.
    pub detail: String,
}

/// The kinds of notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub enum NoticeCode {
    /// Variants of one product share an SKU.
    RepeatedSku,
    /// Variants are counted, and the file does not say how many there are.
    NoQuantity,
    /// Variants were to be sold beyond their stock.
    SoldWhenOut,
    /// Products that no list shows.
    Unlisted,
    /// Films and frames in descriptions.
    VideoLeftOut,
    /// Characters that are no text.
    ControlCharacters,
    /// A column that the shop keeps and does not use.
    IgnoredColumn,
}

/// Counts by kind and column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices(BTreeMap<(NoticeCode, String), usize>);

impl Notices {
    /// Counts `count` more; nothing when it is none.
    pub fn add(&mut self, code: NoticeCode, subject: &str, count: usize) {
        if count > 0 {
            let sum = self.0.entry((code, subject.to_owned())).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    /// Counts what `other` has.
    pub fn extend(&mut self, other: &Self) {
        for ((code, subject), count) in &other.0 {
            self.add(*code, subject, *count);
        }
    }

    /// In words.
    #[must_use]
    pub fn told(&self) -> Vec<Notice> {
        self.0
            .iter()
            .map(|((code, subject), count)| Notice {
                code: *code,
                subject: subject.clone(),
                count: *count,
                detail: code.detail(subject),
            })
            .collect()
    }
}

impl NoticeCode {
    fn detail(self, subject: &str) -> String {
        let detail = match self {
            Self::RepeatedSku => {
                "variants repeat an SKU of their product: each got one of its handle and options instead."
            }
            Self::NoQuantity => {
                "new variants are counted and state no quantity: they are sold out until stock is received."
            }
            Self::SoldWhenOut => {
                "variants were to be sold on when out of stock: the shop stops selling at zero. Leave the inventory tracker empty for what is always to be had."
            }
            Self::Unlisted => {
                "products are unlisted: their address leads to them, and no list, search or feed shows them."
            }
            Self::VideoLeftOut => "descriptions had a video or frame, which is left out.",
            Self::ControlCharacters => "cells had control characters, which are left out.",
            Self::IgnoredColumn => {
                return format!(
                    "cells of `{subject}` are kept for exports, and not used by the shop."
                );
            }
        };
        detail.to_owned()
    }
}
