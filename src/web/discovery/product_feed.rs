//! Product feed for Google Merchant Center: RSS 2.0 with Google's `g:` names, with one item for
//! each variant sold in the requested currency (Product data specification).
//!
//! The feed is split into parts, because a request may read only so many documents. Each part names
//! the next.

use crate::app::brand::SHOP_NAME;
use crate::web::discovery::sitemap::xml;
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::pages::metadata::shortened;
use crate::web::pages::paths::product_path;
use crate::web::pages::visit::PageContext;
use crate::web::views::absolute;
use crate::web::views::instant;
use durable::board::Posts;
use durable::stock::{Availability, PublicStock};
use maud::{Markup, html};
use shop::catalog::availability::{PublicStocks, public_stock_of};
use shop::catalog::barcodes::gtin;
use shop::catalog::html::text_of;
use shop::catalog::parts::list_products_part;
use shop::catalog::{Product, Variant};
use shop::error::{Error, Result};
use shop::values::ids::Sku;
use shop::values::money::Money;

/// Number of products in a part. Each product is a document of its own, and a request may read a
/// thousand.
const PRODUCTS_A_PART: usize = 400;

/// Maximum lengths of ID, brand, title and description that Google accepts, in characters.
const ID_CHARS: usize = 50;
const BRAND_CHARS: usize = 70;
const TITLE_CHARS: usize = 150;
const DESCRIPTION_CHARS: usize = 5_000;

/// Number of additional pictures.
const MORE_PICTURES: usize = 10;

/// `GET /feeds/google.xml?currency=&part=`: a part of the product feed.
///
/// # Errors
/// 404 beyond the last part; 422 `unknown_currency`.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let part = call
        .query("part")
        .map_or(Some(1), |part| part.parse().ok())
        .filter(|part| (1..=10_000).contains(part))
        .ok_or(Error::NotFound("page"))?;
    let products = list_products_part(&call.app.catalog(), part, PRODUCTS_A_PART).await?;
    if products.is_empty() && part > 1 {
        return Err(Error::NotFound("page"));
    }
    let skus: Vec<&Sku> = products
        .iter()
        .flat_map(|product| product.variants.iter().map(|variant| &variant.sku))
        .collect();
    let feed = Feed {
        origin: &call.channel.origin,
        stocks: call.app.public_stocks().public_stocks(&skus).await?,
        visit,
    };
    let next = (products.len() == PRODUCTS_A_PART).then(|| part.saturating_add(1));
    Ok(xml(&html! {
        rss version="2.0" xmlns:g="http://base.google.com/ns/1.0" xmlns:atom="http://www.w3.org/2005/Atom" {
            channel {
                title { (SHOP_NAME) }
                link { (feed.origin) (feed.visit.link("/")) }
                description { (SHOP_NAME) }
                @if let Some(next) = next {
                    atom:link rel="next" href={ (feed.origin) (feed.visit.link(&format!("/feeds/google.xml?part={next}"))) } {}
                }
                @for product in &products {
                    @for variant in &product.variants { (feed.item(product, variant)) }
                }
            }
        }
    }))
}

struct Feed<'a> {
    origin: &'a str,
    visit: PageContext,
    stocks: Posts,
}

impl Feed<'_> {
    /// Returns the item of a variant; nothing if it is not sold in the currency.
    fn item(&self, product: &Product, variant: &Variant) -> Markup {
        let currency = self.visit.currency;
        let Some(price) = variant.price(currency) else {
            return html! {};
        };
        let before = variant.compare_at_price(currency);
        let stock = public_stock_of(
            product,
            &variant.sku,
            self.stocks.get(variant.sku.as_str()).copied(),
        );
        let path = product_path(&product.handle, Some(&variant.sku));
        html! {
            item {
                g:id { (text(id(variant))) }
                g:title { (shortened(&text(&title(product, variant)), TITLE_CHARS)) }
                g:description { (shortened(&text(&description(product)), DESCRIPTION_CHARS)) }
                g:link { (self.origin) (self.visit.link(&path)) }
                (self.pictures(product, variant))
                g:condition { "new" }
                (availability(stock))
                g:price { (amount(before.unwrap_or(price))) }
                @if before.is_some() { g:sale_price { (amount(price)) } }
                (identifiers(product, variant))
                @if product.variants.len() > 1 {
                    g:item_group_id { (text(&product.id)) }
                    (choices(product, variant))
                }
                @if !product.category.is_empty() { g:product_type { (text(&product.category.join(" > "))) } }
                @if let Some(grams) = variant.weight_grams.filter(|grams| *grams > 0) { g:shipping_weight { (grams) " g" } }
            }
        }
    }

    fn pictures(&self, product: &Product, variant: &Variant) -> Markup {
        let own = variant.image.iter();
        let all = product.images.iter().map(|image| &image.url);
        let mut pictures: Vec<String> = Vec::new();
        for address in own.chain(all).filter_map(|url| absolute(self.origin, url)) {
            if !pictures.contains(&address) {
                pictures.push(address);
            }
        }
        let mut pictures = pictures.iter();
        html! {
            @if let Some(first) = pictures.next() { g:image_link { (first) } }
            @for other in pictures.take(MORE_PICTURES) { g:additional_image_link { (other) } }
        }
    }
}

/// Returns the SKU, or a substitute if it is longer than Google accepts.
fn id(variant: &Variant) -> &str {
    if variant.sku.chars().count() <= ID_CHARS {
        return &variant.sku;
    }
    &variant.id
}

fn title(product: &Product, variant: &Variant) -> String {
    if variant.title.is_empty() {
        return product.title.clone();
    }
    format!("{} – {}", product.title, variant.title)
}

/// Returns the description. Google requires one, so the title stands in if there is none.
fn description(product: &Product) -> String {
    let described = text_of(&product.description_html);
    if described.is_empty() {
        return product.title.clone();
    }
    described
}

fn availability(stock: PublicStock) -> Markup {
    let word = match stock.stock {
        Availability::InStock | Availability::Low => "in_stock",
        Availability::Out => "out_of_stock",
        Availability::Preorder => "preorder",
    };
    html! {
        g:availability { (word) }
        @if stock.stock == Availability::Preorder && let Some(at) = stock.promise_at { g:availability_date { (instant(at)) } }
    }
}

/// Returns the product identifiers. Without a GTIN, brand and part number identify a product;
/// without a brand, nothing does.
fn identifiers(product: &Product, variant: &Variant) -> Markup {
    let gtin = variant.barcode.as_deref().and_then(gtin);
    html! {
        @if !product.vendor.is_empty() { g:brand { (shortened(&text(&product.vendor), BRAND_CHARS)) } }
        @match gtin {
            Some(gtin) => g:gtin { (gtin) },
            None if product.vendor.is_empty() => g:identifier_exists { "no" },
            None => g:mpn { (text(id(variant))) },
        }
    }
}

/// Returns the attributes by which Google tells variants apart, if the shop's options have such
/// names.
fn choices(product: &Product, variant: &Variant) -> Markup {
    let named = |names: &[&str]| {
        product
            .options
            .iter()
            .zip(&variant.option_values)
            .find(|(option, _)| names.contains(&option.name.to_lowercase().as_str()))
            .map(|(_, value)| text(value))
    };
    html! {
        @if let Some(color) = named(&["color", "colour", "finish"]) { g:color { (color) } }
        @if let Some(size) = named(&["size", "capacity", "storage"]) { g:size { (size) } }
        @if let Some(material) = named(&["material"]) { g:material { (material) } }
    }
}

/// Returns an amount such as `1199.00 USD`.
fn amount(money: Money) -> String {
    format!("{} {}", money.to_decimal(), money.currency)
}

/// Removes characters that XML 1.0 can't contain, not even escaped.
fn text(text: &str) -> String {
    text.chars()
        .filter(
            |character| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..),
        )
        .collect()
}
