//! Store of publishes, and the copy that shoppers read.

use crate::catalog::record::PageSize;
use crate::catalog::{Card, Product};
use crate::error::Result;
use crate::pricing::prices::Repricing;
use crate::pricing::quote::Listing;
use crate::values::ids::Sku;
use crate::values::written::Written;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The publish shown to shoppers, and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// Sequence number of the publish.
    pub seq: i64,
    /// Sequence number of the one before. `None` means that it was the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<i64>,
}

/// A publish and its progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Publish {
    /// Sequence number.
    pub seq: i64,
    /// State of the publish.
    pub state: PublishState,
    /// Digest of the content; empty until it is done.
    pub version: String,
    /// Number of products written so far.
    pub products: u32,
    /// Number of products to be written.
    pub total: u32,
    /// Position of the last product written, in the merchant's order.
    #[serde(skip)]
    pub position: i64,
    /// True once all products are written and lists are next.
    #[serde(skip)]
    pub listing: bool,
    /// Reason why it was abandoned, or why its last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// True once its documents are deleted.
    #[serde(skip)]
    pub collected: bool,
    /// Time of its last progress.
    #[serde(skip)]
    pub moved_at: Timestamp,
}

/// State of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum PublishState {
    /// In progress.
    Running,
    /// Finished; its version can be shown.
    Done,
    /// Finished without a new version, because nothing had changed.
    Unchanged,
    /// Abandoned; nothing of it was ever visible.
    Failed,
}

/// Result of one step of a publish, to be recorded at once.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Sequence number of the publish.
    pub seq: i64,
    /// Its position when the step began.
    pub from_position: i64,
    /// True if lists were already next when the step began.
    pub from_listing: bool,
    /// Its position now.
    pub position: i64,
    /// True if lists are next.
    pub listing: bool,
    /// Digests of the documents that the copy has now.
    pub documents: Vec<String>,
    /// Cards of the products.
    pub cards: Vec<Card>,
    /// Listing of each SKU that differs from the last one.
    pub listings: BTreeMap<Sku, Listing>,
}

/// A document of a publish.
#[derive(Clone, Debug, Deserialize)]
pub struct ClaimedDocument {
    /// Digest of its content.
    pub digest: String,
    /// Key of the document in the copy.
    pub key: String,
    /// 1 if the copy has it.
    pub written: u32,
}

/// Key of a version's document.
#[must_use]
pub fn version_key(seq: i64) -> String {
    format!("version-{seq}")
}

impl Publish {
    /// True if it is in progress but no request is working on it.
    pub(crate) fn is_left_alone(&self, now: Timestamp) -> bool {
        let rests = self.error.is_some() || self.moved_at < now.minus_secs(DRIVEN_SECS);
        self.state == PublishState::Running && rests
    }
}

/// The copy that a publish writes.
pub trait CatalogCopy {
    /// Writes a document under its key; writing it twice is safe.
    async fn put_document(&self, key: &str, json: &str) -> Result<()>;
    /// Returns the publish that shoppers are pointed to.
    async fn pointer(&self) -> Result<Option<Pointer>>;
    /// Shows a version to shoppers.
    async fn point_to(&self, pointer: Pointer) -> Result<()>;
    /// Deletes documents that no kept version needs.
    async fn delete_documents(&self, keys: &[String]) -> Result<()>;
}

/// Store of publishes, and of published listings with their prices.
pub trait PublishRecord {
    /// Returns the publish that began last; only this one may be in progress.
    async fn last_publish(&self) -> Result<Option<Publish>>;
    /// Returns a publish by its sequence number.
    async fn publish(&self, seq: i64) -> Result<Option<Publish>>;
    /// Returns the version that orders are priced from, and the one before.
    async fn current_publish(&self) -> Result<Option<Pointer>>;
    /// Begins a publish unless one is in progress. Until it ends, every change to the record is
    /// refused.
    async fn begin_publish(&self, now: Timestamp) -> Result<Written>;
    /// Returns the active products after `position` in the merchant's order, each with its
    /// position: as many as fit, but at least one.
    async fn active_products_after(
        &self,
        position: i64,
        size: PageSize,
    ) -> Result<Vec<(i64, Product)>>;
    /// Returns the rates and scheduled prices of `skus` that apply to publish `seq`, as of its
    /// beginning.
    async fn repricing(&self, seq: i64, skus: &[Sku]) -> Result<Repricing>;
    /// True if the period of a scheduled price has begun or ended since the last publish.
    async fn is_price_due(&self, now: Timestamp) -> Result<bool>;
    /// Returns the last listing of each of `skus`.
    async fn last_listings(&self, skus: &[Sku]) -> Result<BTreeMap<Sku, Listing>>;
    /// Registers documents for publish `seq`, whether written already or not, with keys that no
    /// other content ever had.
    async fn claim_documents(&self, seq: i64, digests: &[&str]) -> Result<Vec<ClaimedDocument>>;
    /// Records the result of a step: new documents, cards, changed listings and progress. `Lost`
    /// means that the publish is no longer where the step began.
    async fn save_step(&self, step: &Step, now: Timestamp) -> Result<Written>;
    /// Returns the cards of publish `seq`.
    async fn cards(&self, seq: i64) -> Result<Vec<Card>>;
    /// Makes publish `seq` the one that orders are priced from, at most once a second; SKUs without
    /// a card are no longer listed.
    async fn finish_publish(&self, seq: i64, version: &str, now: Timestamp) -> Result<Written>;
    /// Ends publish `seq` without a version of its own, because its content equals what shoppers
    /// already see.
    async fn end_unchanged(&self, seq: i64, version: &str, now: Timestamp) -> Result<()>;
    /// Rolls back to an earlier publish that is still kept, at most once a second, and never during
    /// a publish.
    async fn switch_back(&self, seq: i64, now: Timestamp) -> Result<Written>;
    /// Counts a failed attempt, and returns the number of failures since the publish last made
    /// progress.
    async fn publish_failed(&self, seq: i64, error: &str) -> Result<u32>;
    /// Abandons a publish. Nothing of it was ever visible, and only its documents remain, for use
    /// by the next one.
    async fn abandon_publish(&self, seq: i64, error: &str, now: Timestamp) -> Result<()>;
    /// Marks for deletion versions that have not been shown since `before`, publishes abandoned
    /// before then, and the documents that nothing else needs.
    async fn condemn_documents(&self, before: Timestamp) -> Result<()>;
    /// Returns keys of documents marked for deletion.
    async fn condemned_documents(&self, limit: u32) -> Result<Vec<String>>;
    /// Records that documents have been deleted.
    async fn documents_deleted(&self, keys: &[String]) -> Result<()>;
}

/// Queue that continues a publish beyond the request that began it.
pub trait PublishQueue {
    /// Requests the next steps of publish `seq` after `delay_secs`.
    async fn enqueue_publish(&self, seq: i64, delay_secs: u32) -> Result<()>;
}

/// Seconds without progress after which a request for a publish takes over the one in progress;
/// until then, another request is assumed to be working on it.
pub(crate) const DRIVEN_SECS: u32 = 10;
