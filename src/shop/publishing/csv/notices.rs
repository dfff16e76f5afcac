//! Counts of data that an import reads differently than the file says, or leaves out.

use serde::Serialize;
use std::collections::BTreeMap;

/// Something that a merchant should know about an import, although no row is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Notice {
    /// Kind of notice.
    pub code: NoticeCode,
    /// Column concerned; empty if it concerns no particular one.
    pub subject: String,
    /// Number of cases.
    pub count: usize,
    /// Description of a case and its consequence.
    pub detail: String,
    /// First few cases, with their lines.
    pub examples: Vec<String>,
}

/// Maximum number of examples per notice.
const MAX_EXAMPLES: usize = 5;

/// Kind of notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum NoticeCode {
    /// Variants of one product share a SKU.
    RepeatedSku,
    /// Products have handles that are the same in URLs.
    SharedHandle,
    /// Tracked variants state no quantity.
    NoQuantity,
    /// Variants were to be sold beyond their stock.
    SoldWhenOut,
    /// Products that no list shows.
    Unlisted,
    /// Videos and frames in descriptions.
    VideoLeftOut,
    /// Characters that do not belong in text.
    ControlCharacters,
    /// A column that the shop keeps but does not use.
    IgnoredColumn,
}

/// Counts and examples, by kind and column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices(BTreeMap<(NoticeCode, String), Tally>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    count: usize,
    examples: Vec<String>,
}

impl Notices {
    /// Adds `count` cases; does nothing if it is 0.
    pub fn add(&mut self, code: NoticeCode, subject: &str, count: usize) {
        if count > 0 {
            let tally = self.0.entry((code, subject.to_owned())).or_default();
            tally.count = tally.count.saturating_add(count);
        }
    }

    /// Adds one case, and keeps it as an example if there is room.
    pub fn name(&mut self, code: NoticeCode, line: u64, example: &str) {
        let tally = self.0.entry((code, String::new())).or_default();
        tally.count = tally.count.saturating_add(1);
        tally.keep([format!("line {line}: {example}")]);
    }

    /// Adds the cases of `other`.
    pub fn extend(&mut self, other: &Self) {
        for (key, told) in &other.0 {
            let tally = self.0.entry(key.clone()).or_default();
            tally.count = tally.count.saturating_add(told.count);
            tally.keep(told.examples.iter().cloned());
        }
    }

    /// Returns the notices with their texts.
    #[must_use]
    pub fn told(&self) -> Vec<Notice> {
        self.0
            .iter()
            .map(|((code, subject), tally)| Notice {
                code: *code,
                subject: subject.clone(),
                count: tally.count,
                detail: code.detail(subject),
                examples: tally.examples.clone(),
            })
            .collect()
    }
}

impl Tally {
    fn keep(&mut self, examples: impl IntoIterator<Item = String>) {
        let room = MAX_EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(examples.into_iter().take(room));
    }
}

impl NoticeCode {
    fn detail(self, subject: &str) -> String {
        let detail = match self {
            Self::RepeatedSku => {
                "variant with a SKU that its product already uses: given a new SKU made from its handle and options."
            }
            Self::SharedHandle => {
                "product whose handle equals another's once signs and spaces become hyphens: given a new handle. The address in the file redirects to it."
            }
            Self::NoQuantity => "new variant without a quantity: sold out until you receive stock.",
            Self::SoldWhenOut => {
                "variant set to continue selling when out of stock: the shop stops selling at zero. For items that are always available, leave the inventory tracker empty."
            }
            Self::Unlisted => {
                "unlisted product: shown at its own address only, not in lists, search or feeds."
            }
            Self::VideoLeftOut => {
                "description with a video or frame: the text is kept, the video is dropped."
            }
            Self::ControlCharacters => {
                "cell with control characters, or with a line break in a single-line text: these were removed."
            }
            Self::IgnoredColumn => {
                return format!(
                    "cell in the column `{subject}`: kept for exports, but not used by the shop."
                );
            }
        };
        detail.to_owned()
    }
}
