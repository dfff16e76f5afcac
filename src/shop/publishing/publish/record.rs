//! The record of publishes, and the copy that shoppers read.

use crate::catalog::record::PageSize;
use crate::catalog::{Card, Product};
use crate::error::Result;
use crate::pricing::prices::Repricing;
use crate::pricing::quote::Listing;
use crate::values::written::Written;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The publish that shoppers are shown, and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The publish.
    pub seq: i64,
    /// The one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<i64>,
}

/// A publish as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Publish {
    /// Its number.
    pub seq: i64,
    /// Its progress.
    pub state: PublishState,
    /// Names the content; empty until it is done.
    pub version: String,
    /// Products written so far.
    pub products: u32,
    /// Products to be written.
    pub total: u32,
    /// Place of the last product written, in the merchant's order.
    #[serde(skip)]
    pub position: i64,
    /// True once all products are written, and lists are next.
    #[serde(skip)]
    pub listing: bool,
    /// The reason why it was given up, or why its last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// True once its documents are gone.
    #[serde(skip)]
    pub collected: bool,
    /// The instant of its last move.
    #[serde(skip)]
    pub moved_at: Timestamp,
}

/// The progress of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub enum PublishState {
    /// Under way.
    Running,
    /// Its version can be shown.
    Done,
    /// Nothing had changed: shoppers see the version that they saw.
    Unchanged,
    /// Given up; nothing of it was ever seen.
    Failed,
}

/// The work of one step of a publish, to be noted at once.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Of which publish.
    pub seq: i64,
    /// Its position when the step began.
    pub from_position: i64,
    /// True if lists were next already.
    pub from_listing: bool,
    /// Its position now.
    pub position: i64,
    /// True if lists are next.
    pub listing: bool,
    /// Digests of documents that the copy has now.
    pub documents: Vec<String>,
    /// Cards of the products.
    pub cards: Vec<Card>,
    /// The listing of each SKU, where it differs from the last one.
    pub listings: BTreeMap<String, Listing>,
}

/// A document that a publish has.
#[derive(Clone, Debug, Deserialize)]
pub struct ClaimedDocument {
    /// Names its content.
    pub digest: String,
    /// Its key in the copy.
    pub key: String,
    /// 1 when the copy has it.
    pub written: u32,
}

/// Key of the document of a version.
#[must_use]
pub fn version_key(seq: i64) -> String {
    format!("version-{seq}")
}

impl Publish {
    /// True if it is under way with nobody at it.
    pub(crate) fn is_left_alone(&self, now: Timestamp) -> bool {
        let rests = self.error.is_some() || self.moved_at < now.minus_secs(DRIVEN_SECS);
        self.state == PublishState::Running && rests
    }
}

/// The copy that a publish writes.
pub trait CatalogCopy {
    /// Writes a document under its key; writing it twice is fine.
    async fn put_document(&self, key: &str, json: &str) -> Result<()>;
    /// The publish that shoppers are pointed to.
    async fn pointer(&self) -> Result<Option<Pointer>>;
    /// Shows a version to shoppers.
    async fn point_to(&self, pointer: Pointer) -> Result<()>;
    /// Removes documents that no kept version has.
    async fn delete_documents(&self, keys: &[String]) -> Result<()>;
}

/// The record of publishes, and of what was published at which price.
pub trait PublishRecord {
    /// The publish that began last; it alone may be under way.
    async fn last_publish(&self) -> Result<Option<Publish>>;
    /// A publish by number.
    async fn publish(&self, seq: i64) -> Result<Option<Publish>>;
    /// The number of the version that orders are priced from, and of the one before.
    async fn current_publish(&self) -> Result<Option<Pointer>>;
    /// Begins a publish, unless one is under way; every change of the record is refused until it
    /// has ended.
    async fn begin_publish(&self, now: Timestamp) -> Result<Written>;
    /// Active products behind `position` in the merchant's order, each with its own: as many as
    /// fit, and one at least.
    async fn active_products_after(
        &self,
        position: i64,
        size: PageSize,
    ) -> Result<Vec<(i64, Product)>>;
    /// The repricing that makes the record's prices those of publish `seq`: rates and scheduled
    /// prices of `skus`, as of its beginning.
    async fn repricing(&self, seq: i64, skus: &[String]) -> Result<Repricing>;
    /// True if a scheduled price began or ended since the last publish.
    async fn is_price_due(&self, now: Timestamp) -> Result<bool>;
    /// The last listing of each of `skus`.
    async fn last_listings(&self, skus: &[String]) -> Result<BTreeMap<String, Listing>>;
    /// Keeps documents for publish `seq`, with keys that no other content ever had, whether they
    /// are written already or not.
    async fn claim_documents(&self, seq: i64, digests: &[&str]) -> Result<Vec<ClaimedDocument>>;
    /// Notes the outcome of a step: new documents, cards, changed listings, and how far the publish
    /// has come. Lost when the publish is no longer where the step began.
    async fn save_step(&self, step: &Step, now: Timestamp) -> Result<Written>;
    /// The cards of publish `seq`.
    async fn cards(&self, seq: i64) -> Result<Vec<Card>>;
    /// Makes publish `seq` the one that orders are priced from, at most once a second; SKUs without
    /// a card are no longer listed.
    async fn finish_publish(&self, seq: i64, version: &str, now: Timestamp) -> Result<Written>;
    /// Ends publish `seq`, whose content is what shoppers see: it is no version of its own.
    async fn end_unchanged(&self, seq: i64, version: &str, now: Timestamp) -> Result<()>;
    /// Switches to an earlier publish that is still kept, at most once a second, and not while one
    /// is under way.
    async fn switch_back(&self, seq: i64, now: Timestamp) -> Result<Written>;
    /// Counts a failed attempt, and returns how many there were since the publish last moved.
    async fn publish_failed(&self, seq: i64, error: &str) -> Result<u32>;
    /// Gives a publish up: nothing of it was ever seen, and nothing stays but documents, for the
    /// next one.
    async fn abandon_publish(&self, seq: i64, error: &str, now: Timestamp) -> Result<()>;
    /// No longer keeps versions that nobody has been shown since `before`, nor what was given up
    /// before, nor the documents that nothing else has.
    async fn condemn_documents(&self, before: Timestamp) -> Result<()>;
    /// Keys of documents that are no longer kept, to be deleted.
    async fn condemned_documents(&self, limit: u32) -> Result<Vec<String>>;
    /// Notes that documents have been deleted.
    async fn documents_deleted(&self, keys: &[String]) -> Result<()>;
}

/// Carries a publish on, beyond the request that began it.
pub trait PublishQueue {
    /// Asks for the next steps of publish `seq`, `delay_secs` from now.
    async fn enqueue_publish(&self, seq: i64, delay_secs: u32) -> Result<()>;
}

/// Seconds without progress after which who asks for a publish takes up the one under way; until
/// then somebody else drives it.
pub(crate) const DRIVEN_SECS: u32 = 10;
