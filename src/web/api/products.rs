//! `/api/v1/products`

use crate::error::Result;
use crate::shop::catalog::{
    self, Cursor, Image, Price, Product, ProductOption, Seo, Status, Variant,
};
use crate::shop::money::{Currency, Money};
use crate::shop::ports::PublishedCatalog;
use crate::web::api::{List, decode_cursor, encode_cursor, limit, malformed_cursor};
use crate::web::call::Call;
use crate::web::reply::Reply;
use futures_util::future::try_join_all;
use serde::Serialize;
use std::collections::BTreeMap;

/// `GET /api/v1/products?category=&currency=&limit=&cursor=`
///
/// # Errors
/// 400 `malformed_cursor`, `cursor_expired`; 404 for a category without products; 422 `unknown_currency`, `invalid_limit`.
pub async fn list_products(call: &mut Call<'_>) -> Result<Reply> {
    let currency = call.currency()?;
    let cursor = read_cursor(call)?;
    let category = call.query("category");
    let catalog = call.app.catalog();
    let page = catalog::list_products(&catalog, category.as_deref(), cursor, limit(call)?).await?;
    let products = try_join_all(
        page.items
            .iter()
            .map(|card| catalog.product(&card.document)),
    )
    .await?;
    let list = List {
        data: products
            .iter()
            .map(|product| ProductView::of(product, currency))
            .collect(),
        next_cursor: page
            .next
            .map(|next| encode_cursor(&format!("{}:{}", next.version, next.offset))),
        total: page.total,
    };
    Ok(Reply::json(200, &list)?.public())
}

/// `GET /api/v1/products/{handle}?currency=`
///
/// # Errors
/// 404, 422 `unknown_currency`.
pub async fn get_product(call: &mut Call<'_>) -> Result<Reply> {
    let currency = call.currency()?;
    let product = catalog::get_product(&call.app.catalog(), call.param(0)).await?;
    Ok(Reply::json(200, &ProductView::of(&product, currency))?.public())
}

fn read_cursor(call: &Call<'_>) -> Result<Option<Cursor>> {
    let Some(text) = decode_cursor(call)? else {
        return Ok(None);
    };
    text.split_once(':')
        .filter(|(version, _)| version.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .and_then(|(version, offset)| {
            Some(Cursor {
                version: version.to_owned(),
                offset: offset.parse().ok()?,
            })
        })
        .map(Some)
        .ok_or_else(malformed_cursor)
}

/// A product in one currency. It carries no stock: its JSON is the same for as long as its version is.
#[derive(Debug, Serialize)]
struct ProductView<'a> {
    id: &'a str,
    handle: &'a str,
    title: &'a str,
    description_html: &'a str,
    vendor: &'a str,
    r#type: &'a str,
    tags: &'a [String],
    status: Status,
    categories: Vec<CategoryView<'a>>,
    options: &'a [ProductOption],
    variants: Vec<VariantView<'a>>,
    images: &'a [Image],
    price_range: Option<PriceRangeView>,
    seo: &'a Seo,
}

#[derive(Debug, Serialize)]
struct CategoryView<'a> {
    handle: String,
    title: &'a str,
}

#[derive(Debug, Serialize)]
struct VariantView<'a> {
    id: &'a str,
    sku: &'a str,
    title: &'a str,
    options: BTreeMap<&'a str, &'a str>,
    price: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compare_at_price: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    barcode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_grams: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct PriceRangeView {
    min: Money,
    max: Money,
}

impl<'a> ProductView<'a> {
    fn of(product: &'a Product, currency: Currency) -> Self {
        Self {
            id: &product.id,
            handle: &product.handle,
            title: &product.title,
            description_html: &product.description_html,
            vendor: &product.vendor,
            r#type: &product.r#type,
            tags: &product.tags,
            status: product.status,
            categories: categories_of(product),
            options: &product.options,
            variants: product
                .variants
                .iter()
                .map(|variant| VariantView::of(product, variant, currency))
                .collect(),
            images: &product.images,
            price_range: price_range_of(&product.variants, currency),
            seo: &product.seo,
        }
    }
}

impl<'a> VariantView<'a> {
    fn of(product: &'a Product, variant: &'a Variant, currency: Currency) -> Self {
        let names = product.options.iter().map(|option| option.name.as_str());
        let values = variant.option_values.iter().map(String::as_str);
        Self {
            id: &variant.id,
            sku: &variant.sku,
            title: &variant.title,
            options: names.zip(values).collect(),
            price: variant.price(currency),
            compare_at_price: variant.compare_at_price(currency),
            barcode: variant.barcode.as_deref(),
            weight_grams: variant.weight_grams,
            image: variant.image.as_deref(),
        }
    }
}

fn categories_of(product: &Product) -> Vec<CategoryView<'_>> {
    (1..=product.category.len())
        .filter_map(|depth| {
            let path = product.category.get(..depth)?;
            Some(CategoryView {
                handle: catalog::category_handle(path),
                title: path.last()?,
            })
        })
        .collect()
}

fn price_range_of(variants: &[Variant], currency: Currency) -> Option<PriceRangeView> {
    let amounts = || {
        variants
            .iter()
            .filter_map(|variant| variant.prices.get(currency.code()))
            .map(|price: &Price| price.amount)
    };
    Some(PriceRangeView {
        min: Money::new(amounts().min()?, currency),
        max: Money::new(amounts().max()?, currency),
    })
}
