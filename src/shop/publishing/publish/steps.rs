//! Steps of a publish: products, then lists, then the switch.

use crate::catalog::Product;
use crate::catalog::layout::{Document, Layout};
use crate::catalog::record::PageSize;
use crate::error::{Error, Result};
use crate::pricing::quote::Listing;
use crate::publishing::publish::record::{
    CatalogCopy, ClaimedDocument, Publish, PublishQueue, PublishRecord, PublishState, Step,
    version_key,
};
use crate::values::ids::Sku;
use crate::values::written::Written;
use durable::Timestamp;
use futures_util::stream;
use futures_util::stream::TryStreamExt;
use std::collections::BTreeMap;

/// Number of products in one step.
const STEP: PageSize = PageSize {
    products: 100,
    variants: 2_000,
};

/// Number of calls after which a request hands over to the next: even with one more step, it stays
/// far below the 1,000 that the platform allows.
const CALLS_A_REQUEST: usize = 400;

/// Queries of a step, counting each statement of its batch.
pub const QUERIES_A_STEP: usize = 12;

/// Number of simultaneous writes; the platform allows six open requests.
const WRITES_AT_ONCE: usize = 6;

/// Advances publish `seq` as far as one request may, and asks the queue for the rest.
///
/// # Errors
/// A failure of the store.
pub async fn advance(
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
                // Lost: less than a second since the last switch. The queue tries again.
                if record.finish_publish(seq, &version, now).await? == Written::Lost {
                    break;
                }
            }
        }
    }
    queue.enqueue_publish(seq, 1).await?;
    get_publish(record, seq).await
}

/// Writes the documents of the next products, and returns the number that the copy lacked.
async fn write_products(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    publish: &Publish,
    now: Timestamp,
) -> Result<usize> {
    let products = record.active_products_after(publish.position, STEP).await?;
    let skus: Vec<Sku> = products
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
    let mut listings: BTreeMap<Sku, Listing> = products
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

/// Writes up to `allowed` directories and card documents that the copy lacks, and the version once
/// they are complete, unless shoppers already see the same content.
async fn write_lists(
    record: &impl PublishRecord,
    copy: &impl CatalogCopy,
    publish: &Publish,
    allowed: usize,
    now: Timestamp,
) -> Result<Lists> {
    let cards = record.cards(publish.seq).await?;
    if usize::try_from(publish.products) != Ok(cards.len()) {
        // Another request has ended the publish, and its cards are being deleted.
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

/// Returns the digest of the content that shoppers see.
async fn shown_version(record: &impl PublishRecord) -> Result<Option<String>> {
    let Some(current) = record.current_publish().await? else {
        return Ok(None);
    };
    let publish = get_publish(record, current.seq).await?;
    Ok(Some(publish.version))
}

/// Writes up to `allowed` of the documents that the copy lacks. Returns the key of each document
/// now in the copy, and the digests of those written. Each is registered before it is written, so
/// that it is deleted in the end, whatever happens.
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

/// Returns a publish by its sequence number.
///
/// # Errors
/// 404.
pub async fn get_publish(record: &impl PublishRecord, seq: i64) -> Result<Publish> {
    record.publish(seq).await?.ok_or(Error::NotFound("publish"))
}

/// Points shoppers to the version that orders are priced from.
pub(crate) async fn follow(record: &impl PublishRecord, copy: &impl CatalogCopy) -> Result<()> {
    let current = record.current_publish().await?;
    match current {
        Some(current) if copy.pointer().await? != Some(current) => copy.point_to(current).await,
        _ => Ok(()),
    }
}

/// Returns the listing of each SKU of a product.
pub fn listings_of(product: &Product) -> impl Iterator<Item = (Sku, Listing)> + '_ {
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
