//! Importing products into the record, and publishing the record as one immutable version.
//!
//! A publish writes its price rows first, then the documents and the index, and switches to them last: the price rows in the
//! database, then the pointer that shoppers follow. If it dies anywhere before, shoppers and orders see the version before, whole.
//! Documents are named by their content, so publishing again writes only what changed.

use crate::error::{Error, Result};
use crate::shop::catalog::{Card, Index, Product};
use crate::shop::ids::digest_of;
use crate::shop::money::Currency;
use crate::shop::ports::{CatalogCopy, CatalogRecord, PublishedCatalog, StockObjects};
use crate::shop::pricing::Listing;
use crate::shop::product_csv::{RowError, read_products};
use crate::shop::stock::receive_stock;
use durable::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// What an import did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ImportSummary {
    /// Products inserted or replaced.
    pub products: usize,
    /// Their variants.
    pub variants: usize,
    /// Rows that were not accepted, and why.
    pub errors: Vec<RowError>,
}

/// What a publish shows.
#[derive(Clone, Debug, Serialize)]
pub struct PublishSummary {
    /// The version.
    pub version: String,
    /// Products in it.
    pub products: usize,
}

/// Reads a Shopify product CSV into the record; stock that it states is received on a SKU's first import only.
///
/// # Errors
/// 422 when nothing in the file can be accepted; a failure of the record, and then nothing is imported.
pub async fn import_products(
    record: &impl CatalogRecord,
    stock: &impl StockObjects,
    csv: &[u8],
    currencies: &[Currency],
    now: Timestamp,
) -> Result<ImportSummary> {
    let file = read_products(csv, currencies);
    if file.products.is_empty() {
        return Err(nothing_to_import(&file.errors));
    }
    let products: Vec<Product> = file
        .products
        .iter()
        .map(|imported| imported.product.clone())
        .collect();
    record.save_products(&products, now).await?;
    for (sku, quantity) in file
        .products
        .iter()
        .flat_map(|imported| &imported.quantities)
    {
        receive_stock(stock, sku, *quantity, format!("import:{sku}")).await?;
    }
    Ok(ImportSummary {
        products: products.len(),
        variants: products.iter().map(|product| product.variants.len()).sum(),
        errors: file.errors,
    })
}

/// Publishes the active products of the record.
///
/// # Errors
/// 409 when another publish is under way; a store's failure, and then the version before stays.
pub async fn publish_catalog(
    record: &impl CatalogRecord,
    copy: &(impl CatalogCopy + PublishedCatalog),
    now: Timestamp,
) -> Result<PublishSummary> {
    let products = record.active_products().await?;
    let documents = products.iter().map(document).collect::<Result<Vec<_>>>()?;
    let cards: Vec<Card> = products
        .iter()
        .zip(&documents)
        .map(|(product, document)| product.card(document.digest.clone()))
        .collect();

    let (last_seq, last_listings) = record.last_listings().await?;
    let seq = last_seq.saturating_add(1);
    let version = version_of(&cards)?;
    let changed = changed_listings(&products, &last_listings);
    record.save_publish(seq, &version, &changed, now).await?;

    let known: HashSet<String> = copy
        .index()
        .await?
        .products
        .iter()
        .map(|card| card.document.clone())
        .collect();
    for document in documents
        .iter()
        .filter(|document| !known.contains(&document.digest))
    {
        copy.put_product(&document.digest, &document.json).await?;
    }
    let index = Index {
        version,
        seq,
        products: cards,
    };
    copy.put_index(&index).await?;

    record.make_current(seq).await?;
    copy.point_to(&index.version).await?;
    Ok(PublishSummary {
        version: index.version,
        products: index.products.len(),
    })
}

struct Document {
    digest: String,
    json: String,
}

fn document(product: &Product) -> Result<Document> {
    let json = serde_json::to_string(product).map_err(Error::internal)?;
    Ok(Document {
        digest: digest_of(json.as_bytes()),
        json,
    })
}

fn version_of(cards: &[Card]) -> Result<String> {
    serde_json::to_vec(cards)
        .map(|json| digest_of(&json))
        .map_err(Error::internal)
}

/// What orders are priced from, where it differs from what was published last; none where a SKU is no longer sold.
fn changed_listings(
    products: &[Product],
    last: &BTreeMap<String, Listing>,
) -> BTreeMap<String, Option<Listing>> {
    let now: BTreeMap<String, Listing> = products.iter().flat_map(listings_of).collect();
    let gone = last
        .keys()
        .filter(|sku| !now.contains_key(*sku))
        .map(|sku| (sku.clone(), None));
    let new = now
        .iter()
        .filter(|(sku, listing)| last.get(*sku) != Some(listing))
        .map(|(sku, listing)| (sku.clone(), Some(listing.clone())));
    new.chain(gone).collect()
}

fn listings_of(product: &Product) -> impl Iterator<Item = (String, Listing)> + '_ {
    product.variants.iter().map(|variant| {
        (
            variant.sku.clone(),
            Listing {
                title: product.title.clone(),
                variant_title: variant.title.clone(),
                handle: product.handle.clone(),
                tracked: variant.tracked,
                prices: variant.prices.clone(),
            },
        )
    })
}

fn nothing_to_import(errors: &[RowError]) -> Error {
    let first = errors.first().map_or_else(
        || "the file has no products".to_owned(),
        |error| format!("line {}, {}: {}", error.line, error.column, error.detail),
    );
    Error::invalid(
        "file",
        "nothing_to_import",
        format!("Nothing in the file can be imported: {first}"),
    )
}
