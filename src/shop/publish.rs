//! Publishing the record as one immutable version, switching back to an earlier one, and forgetting old ones.
//!
//! A publish goes step by step, each bounded by what one request may do and begun again safely where another stopped: the
//! documents of the products, a hundred at a time, with their price rows; then directories and lists; then the switch,
//! in the database first, for orders, then of the pointer that shoppers follow. Until the switch nobody sees any of it, and a
//! publish that can't end is given up without a trace. Documents are named by content and by the publish that first
//! wrote them: what has not changed is not written again, and a deletion can never hit a later document.

use crate::error::{Error, Result};
use crate::shop::catalog::{Card, Document, Layout, Product};
use crate::shop::ports::{CatalogCopy, PageSize, PublishQueue, PublishRecord, Written};
use crate::shop::pricing::Listing;
use durable::Timestamp;
use futures_util::stream::{self, TryStreamExt};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The queue that carries publishes on; its messages are their numbers.
pub const PUBLISHES_QUEUE: &str = "catalog-publishes";

/// Products of one step.
const STEP: PageSize = PageSize {
    products: 100,
    variants: 2_000,
};

/// Calls that one request makes before it hands on to the next: a last step more is still far below the 1,000 that the platform
/// grants.
const CALLS_A_REQUEST: usize = 400;

/// Queries of a step, each statement of its batch counted.
const QUERIES_A_STEP: usize = 12;

/// Writes under way at once: the platform lets six wait for their answer.
const WRITES_AT_ONCE: usize = 6;

/// Failures in a row after which a publish is given up.
const MAX_FAILURES: u32 = 8;

/// Seconds without progress after which a publish is taken up again.
const STUCK_SECS: u32 = 60;

/// Seconds without progress after which who asks for a publish takes up the one under way; until then somebody else drives it.
const DRIVEN_SECS: u32 = 10;

/// Seconds that a version is kept after it was last shown, for cursors, carts and switching back.
pub const KEPT_SECS: u32 = 48 * 60 * 60;

/// Documents that one sweep deletes.
const DELETIONS_A_SWEEP: u32 = 500;

/// What shoppers are shown, and what they were shown before.
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
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Publish {
    /// Its number.
    pub seq: i64,
    /// How far it is.
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
    /// Whether all products are written, and lists are next.
    #[serde(skip)]
    pub listing: bool,
    /// Why it was given up, or why its last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether its documents are there no longer.
    #[serde(skip)]
    pub collected: bool,
    /// When it last moved.
    #[serde(skip)]
    pub moved_at: Timestamp,
}

/// How far a publish is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
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

/// What a step of a publish has done, to be noted at once.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Of which publish.
    pub seq: i64,
    /// Where it was when the step began.
    pub from_position: i64,
    /// Whether lists were next already.
    pub from_listing: bool,
    /// Where it is now.
    pub position: i64,
    /// Whether lists are next.
    pub listing: bool,
    /// Digests of documents that the copy has now.
    pub documents: Vec<String>,
    /// Cards of the products.
    pub cards: Vec<Card>,
    /// What is sold under a SKU, where it differs from what was listed last.
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

/// Begins a publish and goes as far as one request may; the queue does the rest. Joins one that is under way, or that has just
/// ended: no change came in between.
///
/// # Errors
/// A store's failure; what shoppers and orders see stays as it was, and asking again carries on.
pub async fn publish_catalog(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    queue: &impl PublishQueue,
    now: Timestamp,
) -> Result<Publish> {
    let begun = record.begin_publish(now).await?;
    let publish = record
        .last_publish()
        .await?
        .ok_or_else(|| Error::internal("there is no publish"))?;
    if begun == Written::Lost && !publish.is_left_alone(now) {
        return Ok(publish);
    }
    continue_publish(record, copy, queue, publish.seq, now).await
}

/// Goes on with publish `seq` as far as one request may, and asks the queue for the rest. Running twice is safe: a step that
/// finds the publish elsewhere than where it began is lost.
///
/// # Errors
/// A store's failure; trying again carries on. After [`MAX_FAILURES`] in a row the publish is given up.
pub async fn continue_publish(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    queue: &impl PublishQueue,
    seq: i64,
    now: Timestamp,
) -> Result<Publish> {
    match advance(record, copy, queue, seq, now).await {
        Err(error) if record.publish_failed(seq, &error.to_string()).await? >= MAX_FAILURES => {
            record.abandon_publish(seq, &error.to_string(), now).await?;
            get_publish(record, seq).await
        }
        outcome => outcome,
    }
}

/// A publish by number.
///
/// # Errors
/// 404.
pub async fn get_publish(record: &impl PublishRecord, seq: i64) -> Result<Publish> {
    record.publish(seq).await?.ok_or(Error::NotFound("publish"))
}

/// Gives the publish up, if it is under way.
///
/// # Errors
/// 404; 409 `publish_ended`.
pub async fn cancel_publish(
    record: &impl PublishRecord,
    seq: i64,
    now: Timestamp,
) -> Result<Publish> {
    if get_publish(record, seq).await?.state == PublishState::Running {
        record
            .abandon_publish(seq, "cancelled by staff", now)
            .await?;
        return get_publish(record, seq).await;
    }
    Err(Error::conflict(
        "publish_ended",
        "This publish has ended already.",
        serde_json::json!({}),
    ))
}

/// Shows shoppers an earlier version again, and prices orders from it: that of publish `seq`, or the one shown before.
///
/// # Errors
/// 404 `not_found` without such a publish; 409 `already_shown`; 409 `version_not_kept` when it made no version, or that is no
/// longer kept; 409 `not_now` while a publish is under way or within a second of another switch.
pub async fn rollback_catalog(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    seq: Option<i64>,
    now: Timestamp,
) -> Result<Publish> {
    let current = record.current_publish().await?;
    let seq = seq
        .or_else(|| current.and_then(|current| current.previous))
        .ok_or(Error::NotFound("earlier version"))?;
    check_shown_again(&get_publish(record, seq).await?, current)?;
    if record.switch_back(seq, now).await? == Written::Lost {
        return Err(Error::conflict(
            "not_now",
            "A publish is under way, or the last switch is less than a second ago.",
            serde_json::json!({"retry_after_secs": 1}),
        ));
    }
    follow(record, copy).await?;
    get_publish(record, seq).await
}

/// Takes up a publish that has stopped, begins one for scheduled prices whose time has begun or ended, mends a pointer that a crash left
/// behind, and deletes what is no longer kept.
///
/// # Errors
/// A store's failure; the next sweep goes on.
pub async fn sweep_catalog(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    queue: &impl PublishQueue,
    now: Timestamp,
) -> Result<()> {
    if let Some(running) = record.last_publish().await?
        && running.state == PublishState::Running
        && running.moved_at < now.minus_secs(STUCK_SECS)
    {
        queue.enqueue_publish(running.seq, 0).await?;
    }
    if record.is_price_due(now).await? {
        publish_catalog(record, copy, queue, now).await?;
    }
    follow(record, copy).await?;
    record.condemn_documents(now.minus_secs(KEPT_SECS)).await?;
    let keys = record.condemned_documents(DELETIONS_A_SWEEP).await?;
    if !keys.is_empty() {
        copy.delete_documents(&keys).await?;
        record.documents_deleted(&keys).await?;
    }
    Ok(())
}

impl Publish {
    /// Whether it is under way with nobody at it.
    fn is_left_alone(&self, now: Timestamp) -> bool {
        let rests = self.error.is_some() || self.moved_at < now.minus_secs(DRIVEN_SECS);
        self.state == PublishState::Running && rests
    }
}

fn check_shown_again(publish: &Publish, current: Option<Pointer>) -> Result<()> {
    let refused = |code, detail| Err(Error::conflict(code, detail, serde_json::json!({})));
    if current.is_some_and(|current| current.seq == publish.seq) {
        return refused("already_shown", "Shoppers see this version already.");
    }
    match publish.state {
        PublishState::Done if publish.collected => refused(
            "version_not_kept",
            "Nobody has been shown this version for two days: it is no longer kept.",
        ),
        PublishState::Done => Ok(()),
        _ => refused("version_not_kept", "This publish made no version."),
    }
}

async fn advance(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    queue: &impl PublishQueue,
    seq: i64,
    now: Timestamp,
) -> Result<Publish> {
    let mut calls = 0_usize;
    while calls < CALLS_A_REQUEST {
        let publish = get_publish(record, seq).await?;
        if publish.state != PublishState::Running {
            follow(record, copy).await?;
            return Ok(publish);
        }
        if !publish.listing {
            let written = write_products(record, copy, &publish, now).await?;
            calls = calls.saturating_add(written).saturating_add(QUERIES_A_STEP);
            continue;
        }
        let allowed = CALLS_A_REQUEST.saturating_sub(calls);
        match write_lists(record, copy, &publish, allowed, now).await? {
            Lists::More => break,
            Lists::Unchanged(version) => record.end_unchanged(seq, &version, now).await?,
            Lists::Written(version) => {
                // Lost: within a second of the last switch. The queue tries again.
                if record.finish_publish(seq, &version, now).await? == Written::Lost {
                    break;
                }
            }
        }
    }
    queue.enqueue_publish(seq, 1).await?;
    get_publish(record, seq).await
}

/// Points shoppers to what orders are priced from.
async fn follow(record: &impl PublishRecord, copy: &impl CatalogCopy) -> Result<()> {
    let current = record.current_publish().await?;
    match current {
        Some(current) if copy.pointer().await? != Some(current) => copy.point_to(current).await,
        _ => Ok(()),
    }
}

/// Writes the documents of the next products; returns how many the copy lacked.
async fn write_products(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    publish: &Publish,
    now: Timestamp,
) -> Result<usize> {
    let products = record.active_products_after(publish.position, STEP).await?;
    let skus: Vec<String> = products
        .iter()
        .flat_map(|(_, product)| &product.variants)
        .map(|variant| variant.sku.clone())
        .collect();
    let repricing = record.repricing(publish.seq, &skus).await?;
    let products: Vec<(i64, Product)> = products
        .into_iter()
        .map(|(position, product)| (position, repricing.reprice(product)))
        .collect();
    let documents = products
        .iter()
        .map(|(_, product)| Document::of(&product.clone().published()))
        .collect::<Result<Vec<_>>>()?;
    let (keys, written) = put_missing(record, copy, publish.seq, &documents, usize::MAX).await?;
    let cards = products
        .iter()
        .zip(&documents)
        .filter_map(|((position, product), document)| {
            let key = keys.get(&document.digest)?;
            Some(product.card(*position, key.clone()))
        })
        .collect();
    let mut listings: BTreeMap<String, Listing> = products
        .iter()
        .flat_map(|(_, product)| listings_of(product))
        .collect();
    let last = record.last_listings(&skus).await?;
    listings.retain(|sku, listing| last.get(sku) != Some(listing));
    let step = Step {
        seq: publish.seq,
        from_position: publish.position,
        from_listing: false,
        position: products
            .last()
            .map_or(publish.position, |(position, _)| *position),
        listing: products.is_empty(),
        documents: written.clone(),
        cards,
        listings,
    };
    record.save_step(&step, now).await?;
    Ok(written.len())
}

enum Lists {
    More,
    Unchanged(String),
    Written(String),
}

/// Writes directories and cards that the copy lacks, at most `allowed`, and the version once it has all, unless it is the one
/// that shoppers see.
async fn write_lists(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    publish: &Publish,
    allowed: usize,
    now: Timestamp,
) -> Result<Lists> {
    let cards = record.cards(publish.seq).await?;
    if usize::try_from(publish.products) != Ok(cards.len()) {
        // Somebody else has ended the publish, and its cards are going.
        return Ok(Lists::More);
    }
    let layout = Layout::of(cards)?;
    let documents: Vec<Document> = layout.documents().cloned().collect();
    let (keys, written) = put_missing(record, copy, publish.seq, &documents, allowed).await?;
    if !written.is_empty() {
        let step = Step {
            seq: publish.seq,
            from_position: publish.position,
            from_listing: true,
            position: publish.position,
            listing: true,
            documents: written,
            ..Step::default()
        };
        record.save_step(&step, now).await?;
    }
    if documents
        .iter()
        .any(|document| !keys.contains_key(&document.digest))
    {
        return Ok(Lists::More);
    }
    let version = layout.version(publish.seq, now, &keys)?;
    if shown_version(record).await? == Some(version.version.clone()) {
        return Ok(Lists::Unchanged(version.version));
    }
    let json = serde_json::to_string(&version).map_err(Error::internal)?;
    copy.put_document(&version_key(publish.seq), &json).await?;
    Ok(Lists::Written(version.version))
}

/// Names the content that shoppers see.
async fn shown_version(record: &impl PublishRecord) -> Result<Option<String>> {
    let Some(current) = record.current_publish().await? else {
        return Ok(None);
    };
    let publish = get_publish(record, current.seq).await?;
    Ok(Some(publish.version))
}

/// Writes the documents that the copy lacks, at most `allowed` of them. Returns the key of each document that it has now, and the
/// digests of those that were written. Each is on record before it is written, so that it is collected whatever happens.
async fn put_missing(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    seq: i64,
    documents: &[Document],
    allowed: usize,
) -> Result<(BTreeMap<String, String>, Vec<String>)> {
    let by_digest: BTreeMap<&str, &Document> = documents
        .iter()
        .map(|document| (document.digest.as_str(), document))
        .collect();
    let digests: Vec<&str> = by_digest.keys().copied().collect();
    let claimed = record.claim_documents(seq, &digests).await?;
    let (mut kept, mut missing): (Vec<_>, Vec<_>) =
        claimed.into_iter().partition(|claimed| claimed.written > 0);
    missing.truncate(allowed);
    stream::iter(missing.iter().map(Ok))
        .try_for_each_concurrent(
            WRITES_AT_ONCE,
            async |missing: &ClaimedDocument| match by_digest.get(missing.digest.as_str()) {
                Some(document) => copy.put_document(&missing.key, &document.json).await,
                None => Ok(()),
            },
        )
        .await?;
    let written = missing.iter().map(|one| one.digest.clone()).collect();
    kept.append(&mut missing);
    let keys = kept.into_iter().map(|one| (one.digest, one.key)).collect();
    Ok((keys, written))
}

/// What is sold under each SKU of a product.
pub fn listings_of(product: &Product) -> impl Iterator<Item = (String, Listing)> + '_ {
    product.variants.iter().map(|variant| {
        (
            variant.sku.clone(),
            Listing {
                title: product.title.clone(),
                variant_title: variant.title.clone(),
                handle: product.handle.clone(),
                tracked: variant.tracked,
                prices: variant.prices.clone(),
                categories: product.category_handles(),
                weight_grams: variant.weight_grams,
                tax_class: variant.tax_class.clone(),
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::money::Currency;
    use crate::shop::pricing::prices::{Currencies, Repricing};
    use futures_util::FutureExt;
    use std::cell::{Cell, RefCell};

    const PRODUCTS: i64 = 10_000;

    /// Ten thousand products, of which nothing has changed; counts steps.
    struct Unchanged {
        publish: RefCell<Publish>,
        steps: Cell<usize>,
    }

    impl PublishRecord for Unchanged {
        async fn last_publish(&self) -> Result<Option<Publish>> {
            panic!("not asked here")
        }

        async fn publish(&self, _: i64) -> Result<Option<Publish>> {
            Ok(Some(self.publish.borrow().clone()))
        }

        async fn current_publish(&self) -> Result<Option<Pointer>> {
            Ok(None)
        }

        async fn begin_publish(&self, _: Timestamp) -> Result<Written> {
            panic!("not asked here")
        }

        async fn active_products_after(
            &self,
            position: i64,
            size: PageSize,
        ) -> Result<Vec<(i64, Product)>> {
            let last = PRODUCTS.min(position + i64::from(size.products));
            let product = |position: i64| Product {
                id: position.to_string(),
                ..Product::default()
            };
            Ok((position + 1..=last)
                .map(|position| (position, product(position)))
                .collect())
        }

        async fn repricing(&self, _: i64, _: &[String]) -> Result<Repricing> {
            Ok(Repricing {
                currencies: Currencies {
                    base: Currency::from_code("USD").unwrap(),
                    rates: vec![],
                },
                scheduled: BTreeMap::new(),
            })
        }

        async fn is_price_due(&self, _: Timestamp) -> Result<bool> {
            Ok(false)
        }

        async fn last_listings(&self, _: &[String]) -> Result<BTreeMap<String, Listing>> {
            Ok(BTreeMap::new())
        }

        async fn claim_documents(&self, _: i64, digests: &[&str]) -> Result<Vec<ClaimedDocument>> {
            let written = |digest: &&str| ClaimedDocument {
                digest: (*digest).to_owned(),
                key: (*digest).to_owned(),
                written: 1,
            };
            Ok(digests.iter().map(written).collect())
        }

        async fn save_step(&self, step: &Step, _: Timestamp) -> Result<Written> {
            self.steps.set(self.steps.get() + 1);
            let mut publish = self.publish.borrow_mut();
            publish.position = step.position;
            publish.products += u32::try_from(step.cards.len()).unwrap();
            publish.listing = step.listing;
            Ok(Written::Landed(()))
        }

        async fn cards(&self, _: i64) -> Result<Vec<Card>> {
            let card = |position| Product::default().card(position, String::new());
            Ok((1..=PRODUCTS).map(card).collect())
        }

        async fn finish_publish(&self, _: i64, _: &str, _: Timestamp) -> Result<Written> {
            self.publish.borrow_mut().state = PublishState::Done;
            Ok(Written::Landed(()))
        }

        async fn end_unchanged(&self, _: i64, version: &str, _: Timestamp) -> Result<()> {
            panic!("{version}")
        }

        async fn switch_back(&self, _: i64, _: Timestamp) -> Result<Written> {
            panic!("not asked here")
        }

        async fn publish_failed(&self, _: i64, error: &str) -> Result<u32> {
            panic!("{error}")
        }

        async fn abandon_publish(&self, _: i64, error: &str, _: Timestamp) -> Result<()> {
            panic!("{error}")
        }

        async fn condemn_documents(&self, _: Timestamp) -> Result<()> {
            panic!("not asked here")
        }

        async fn condemned_documents(&self, _: u32) -> Result<Vec<String>> {
            panic!("not asked here")
        }

        async fn documents_deleted(&self, _: &[String]) -> Result<()> {
            panic!("not asked here")
        }
    }

    struct Nowhere;

    impl CatalogCopy for Nowhere {
        async fn put_document(&self, _: &str, _: &str) -> Result<()> {
            Ok(())
        }

        async fn pointer(&self) -> Result<Option<Pointer>> {
            Ok(None)
        }

        async fn point_to(&self, _: Pointer) -> Result<()> {
            Ok(())
        }

        async fn delete_documents(&self, _: &[String]) -> Result<()> {
            panic!("not asked here")
        }
    }

    impl PublishQueue for Nowhere {
        async fn enqueue_publish(&self, _: i64, _: u32) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_request_makes_few_queries_even_where_nothing_has_changed() {
        let record = Unchanged {
            publish: RefCell::new(Publish {
                seq: 1,
                state: PublishState::Running,
                version: String::new(),
                products: 0,
                total: 10_000,
                position: 0,
                listing: false,
                error: None,
                collected: false,
                moved_at: Timestamp::default(),
            }),
            steps: Cell::new(0),
        };
        let mut requests = 0;
        while record.publish.borrow().state == PublishState::Running {
            record.steps.set(0);
            continue_publish(&record, &Nowhere, &Nowhere, 1, Timestamp::default())
                .now_or_never()
                .unwrap()
                .unwrap();
            requests += 1;
            assert!(record.steps.get() * QUERIES_A_STEP < 500);
        }
        assert!((2..10).contains(&requests), "{requests} requests");
    }
}
