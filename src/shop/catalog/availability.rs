//! Availability as shown to the public, read from a published copy. It is never a number, and no
//! page view asks an object.

use crate::catalog::Product;
use crate::catalog::version::{PublishedCatalog, get_product_of_sku};
use crate::error::Result;
use crate::values::ids::Sku;
use durable::board::Posts;
use durable::cart;
use durable::stock::{Availability, PublicStock};

/// Published copy of the public stock of SKUs.
pub trait PublicStocks {
    /// Returns the published availability of each of `skus`; those never stocked are missing.
    async fn public_stocks(&self, skus: &[&Sku]) -> Result<Posts>;
}

/// Returns the availability of a SKU that is on sale.
///
/// # Errors
/// 422 `unknown_sku`.
pub async fn get_public_stock(
    catalog: &impl PublishedCatalog,
    stocks: &impl PublicStocks,
    sku: &Sku,
) -> Result<PublicStock> {
    let product = get_product_of_sku(catalog, sku).await?;
    let known = stocks.public_stocks(&[sku]).await?;
    Ok(public_stock_of(
        &product,
        sku,
        known.get(sku.as_str()).copied(),
    ))
}

/// Returns the availability of SKUs that are on sale, in the order requested.
///
/// # Errors
/// 422 `unknown_sku`, naming the first unknown one.
pub async fn list_public_stocks(
    catalog: &impl PublishedCatalog,
    stocks: &impl PublicStocks,
    skus: &[&Sku],
) -> Result<Vec<PublicStock>> {
    let known = stocks.public_stocks(skus).await?;
    let mut list = Vec::with_capacity(skus.len());
    for sku in skus {
        let product = get_product_of_sku(catalog, sku).await?;
        list.push(public_stock_of(
            &product,
            sku,
            known.get(sku.as_str()).copied(),
        ));
    }
    Ok(list)
}

/// Returns the availability of a SKU. `known` is its published copy; `None` means never stocked. A
/// SKU whose stock is not tracked is always in stock.
#[must_use]
pub fn public_stock_of(product: &Product, sku: &Sku, known: Option<PublicStock>) -> PublicStock {
    let is_counted = product.variant(sku).is_none_or(|variant| variant.tracked);
    let known = known.unwrap_or_default();
    if is_counted {
        return known;
    }
    PublicStock {
        stock: Availability::InStock,
        ..known
    }
}

/// Returns the maximum units of a SKU in a cart: the purchase limit per customer, if there is one,
/// and never more than a cart line can hold.
///
/// # Errors
/// Fails if the published copy can't be read.
pub async fn most_for_one(stocks: &impl PublicStocks, sku: &Sku) -> Result<u32> {
    let known = stocks.public_stocks(&[sku]).await?;
    let limit = known
        .get(sku.as_str())
        .and_then(|stock| stock.purchase_limit);
    Ok(limit.unwrap_or(cart::MAX_QUANTITY).min(cart::MAX_QUANTITY))
}
