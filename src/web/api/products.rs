//! `/api/v1/products` and `/api/v1/categories`.

use crate::web::api::{List, decode_cursor, encode_cursor, instant, limit, malformed_cursor};
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::pages::metadata::absolute;
use serde::Serialize;
use shop::catalog::handles::category_handle;
use shop::catalog::list::{Cursor, ListQuery, Sort};
use shop::catalog::version::Category;
use shop::catalog::{
    Image, Price, Product, ProductOption, ProductStatus, Seo, Variant, list, version,
};
use shop::error::{Error, FieldError, Result};
use shop::values::channel::Channel;
use shop::values::ids::derived_id;
use shop::values::money::{Currency, Money};
use std::collections::BTreeMap;

/// `GET
/// /api/v1/products?category=&vendor=&type=&tag=&min_price=&max_price=&availability=&sort=&currency=&limit=&cursor=`
///
/// # Errors
/// 400 `malformed_cursor`; 404 for a category without products; 410 `cursor_expired`; 422
/// `unknown_currency`, `invalid_limit`, `invalid_price`, `invalid_availability`, `invalid_sort`.
pub async fn list_products(call: &mut Call<'_>) -> Result<Reply> {
    let query = read_query(call)?;
    let cursor = read_cursor(call)?;
    let (catalog, stocks) = (call.app.catalog(), call.app.public_stocks());
    let (page, products) = list::list_products(&catalog, &stocks, &query, cursor).await?;
    let list = List {
        data: products
            .iter()
            .map(|product| ProductView::of(&call.channel, product, query.currency))
            .collect(),
        next_cursor: page
            .next
            .map(|next| encode_cursor(&format!("{}:{}", next.seq, next.offset))),
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
    let product = version::get_product(&call.app.catalog(), call.param(0)).await?;
    Ok(Reply::json(200, &ProductView::of(&call.channel, &product, currency))?.public())
}

/// `GET /api/v1/categories`: those that have products, parents before their children.
///
/// # Errors
/// When the published catalog can't be read.
pub async fn list_categories(call: &mut Call<'_>) -> Result<Reply> {
    let categories = version::list_categories(&call.app.catalog()).await?;
    let list = List {
        data: categories.iter().map(CategoryNode::of).collect(),
        next_cursor: None,
        total: categories.len(),
    };
    Ok(Reply::json(200, &list)?.public())
}

fn read_query(call: &Call<'_>) -> Result<ListQuery> {
    let given = |name: &str| call.query(name).filter(|value| !value.is_empty());
    let mut errors = Vec::new();
    let mut price = |name: &'static str| {
        let text = given(name)?;
        let price = text.parse().ok().filter(|price: &i64| *price >= 0);
        if price.is_none() {
            let detail = "A whole number of minor units.";
            errors.push(FieldError::new(name, "invalid_price", detail));
        }
        price
    };
    let (min_price, max_price) = (price("min_price"), price("max_price"));
    let sort = match given("sort") {
        None => Sort::default(),
        Some(word) => Sort::from_word(&word).unwrap_or_else(|| {
            let detail = "One of price, -price, newest, title.";
            errors.push(FieldError::new("sort", "invalid_sort", detail));
            Sort::default()
        }),
    };
    let available = match given("availability").as_deref() {
        None => None,
        Some("in_stock") => Some(true),
        Some("out") => Some(false),
        Some(_) => {
            let detail = "in_stock or out.";
            errors.push(FieldError::new(
                "availability",
                "invalid_availability",
                detail,
            ));
            None
        }
    };
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    Ok(ListQuery {
        category: given("category"),
        text: None,
        vendor: given("vendor"),
        r#type: given("type"),
        tag: given("tag"),
        currency: call.currency()?,
        min_price,
        max_price,
        available,
        sort,
        limit: limit(call)?,
    })
}

fn read_cursor(call: &Call<'_>) -> Result<Option<Cursor>> {
    let Some(text) = decode_cursor(call)? else {
        return Ok(None);
    };
    text.split_once(':')
        .and_then(|(seq, offset)| {
            Some(Cursor {
                seq: seq.parse().ok().filter(|seq| *seq > 0)?,
                offset: offset.parse().ok()?,
            })
        })
        .map(Some)
        .ok_or_else(malformed_cursor)
}

/// A category and where it stands in the tree.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct CategoryNode<'a> {
    id: String,
    handle: &'a str,
    title: &'a str,
    /// Handle of the category above.
    #[cfg_attr(test, schema(required))]
    parent: Option<&'a str>,
    /// Products in it and below.
    product_count: usize,
}

impl<'a> CategoryNode<'a> {
    fn of(category: &'a Category) -> Self {
        Self {
            id: category_id(&category.handle),
            handle: &category.handle,
            title: &category.title,
            parent: category.parent.as_deref(),
            product_count: category.products,
        }
    }
}

fn category_id(handle: &str) -> String {
    derived_id("cat", handle)
}

/// A product in one currency. It carries no stock: its JSON is the same for as long as its version
/// is.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct ProductView<'a> {
    id: &'a str,
    handle: &'a str,
    title: &'a str,
    description_html: &'a str,
    vendor: &'a str,
    r#type: &'a str,
    tags: &'a [String],
    status: ProductStatus,
    categories: Vec<CategoryView<'a>>,
    options: &'a [ProductOption],
    variants: Vec<VariantView<'a>>,
    /// Their addresses are whole, with the shop's origin where they are its own.
    images: Vec<Image>,
    #[cfg_attr(test, schema(required))]
    price_range: Option<PriceRangeView>,
    features: &'a [String],
    specifications: &'a BTreeMap<String, String>,
    metadata: &'a BTreeMap<String, String>,
    seo: &'a Seo,
    created_at: String,
    updated_at: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct CategoryView<'a> {
    id: String,
    handle: String,
    title: &'a str,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct VariantView<'a> {
    id: &'a str,
    sku: &'a str,
    title: &'a str,
    options: BTreeMap<&'a str, &'a str>,
    #[cfg_attr(test, schema(required))]
    price: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    compare_at_price: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    barcode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    weight_grams: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    image: Option<String>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct PriceRangeView {
    min: Money,
    max: Money,
}

impl<'a> ProductView<'a> {
    fn of(channel: &Channel, product: &'a Product, currency: Currency) -> Self {
        let origin = channel.origin.as_str();
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
                .map(|variant| VariantView::of(origin, product, variant, currency))
                .collect(),
            images: images_of(origin, product),
            price_range: price_range_of(&product.variants, currency),
            features: &product.features,
            specifications: &product.specifications,
            metadata: &product.metadata,
            seo: &product.seo,
            created_at: instant(product.created_at),
            updated_at: instant(product.updated_at),
        }
    }
}

impl<'a> VariantView<'a> {
    fn of(origin: &str, product: &'a Product, variant: &'a Variant, currency: Currency) -> Self {
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
            image: variant
                .image
                .as_deref()
                .and_then(|url| absolute(origin, url)),
        }
    }
}

fn images_of(origin: &str, product: &Product) -> Vec<Image> {
    let images = product.images.iter();
    images
        .filter_map(|image| {
            Some(Image {
                url: absolute(origin, &image.url)?,
                ..image.clone()
            })
        })
        .collect()
}

fn categories_of(product: &Product) -> Vec<CategoryView<'_>> {
    (1..=product.category.len())
        .filter_map(|depth| {
            let path = product.category.get(..depth)?;
            let handle = category_handle(path);
            Some(CategoryView {
                id: category_id(&handle),
                handle,
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
