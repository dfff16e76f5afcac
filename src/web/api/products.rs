//! `/api/v1/products` and `/api/v1/categories`, as published.

use crate::web::api::{List, decode_cursor, encode_cursor, limit, malformed_cursor};
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::views::products::{CategoryNode, ProductView};
use shop::catalog::list::{Cursor, ListQuery, Sort};
use shop::catalog::{list, version};
use shop::codes::Code;
use shop::error::{Error, FieldError, Result};

/// `GET
/// /api/v1/products?category=&vendor=&type=&tag=&min_price=&max_price=&availability=&sort=&currency=&limit=&cursor=`:
/// Lists published products, with filters.
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

/// `GET /api/v1/products/{handle}?currency=`: Returns a published product.
///
/// # Errors
/// 404, 422 `unknown_currency`.
pub async fn get_product(call: &mut Call<'_>) -> Result<Reply> {
    let currency = call.currency()?;
    let product = version::get_product(&call.app.catalog(), call.param(0)).await?;
    Ok(Reply::json(200, &ProductView::of(&call.channel, &product, currency))?.public())
}

/// `GET /api/v1/categories`: Lists the categories that contain products, parents before their
/// children.
///
/// # Errors
/// Fails if the published catalog can't be read.
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
            let detail = "Must be a whole number of minor units.";
            errors.push(FieldError::new(name, Code::InvalidPrice, detail));
        }
        price
    };
    let (min_price, max_price) = (price("min_price"), price("max_price"));
    let sort = match given("sort") {
        None => Sort::default(),
        Some(word) => Sort::from_word(&word).unwrap_or_else(|| {
            let detail = "Must be price, -price, newest or title.";
            errors.push(FieldError::new("sort", Code::InvalidSort, detail));
            Sort::default()
        }),
    };
    let available = match given("availability").as_deref() {
        None => None,
        Some("in_stock") => Some(true),
        Some("out") => Some(false),
        Some(_) => {
            let detail = "Must be in_stock or out.";
            errors.push(FieldError::new(
                "availability",
                Code::InvalidAvailability,
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
