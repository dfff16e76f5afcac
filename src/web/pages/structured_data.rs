//! Structured data of pages by schema.org, as JSON-LD. Required and recommended fields follow
//! Google's product snippets, merchant listings, breadcrumbs and organizations.

use crate::app::brand::{BRAND, SHOP_NAME};
use crate::web::pages::paths::product_path;
use crate::web::pages::visit::PageContext;
use crate::web::views::absolute;
use durable::board::Posts;
use durable::stock::Availability;
use serde_json::{Value, json};
use shop::catalog::availability::public_stock_of;
use shop::catalog::barcodes::gtin;
use shop::catalog::html::text_of;
use shop::catalog::{Product, Variant};

/// Returns the organization that owns the shop, and the website.
#[must_use]
pub fn shop(origin: &str, visit: &PageContext) -> Vec<Value> {
    let url = format!("{origin}/");
    vec![
        json!({
            "@context": "https://schema.org",
            "@type": "Organization",
            "name": SHOP_NAME,
            "legalName": BRAND.legal_name,
            "address": BRAND.address.join(", "),
            "email": BRAND.support_email,
            "contactPoint": {
                "@type": "ContactPoint",
                "contactType": "customer support",
                "email": BRAND.support_email,
                "telephone": BRAND.support_phone,
            },
            "url": url,
            "logo": absolute(origin, BRAND.icon_512),
        }),
        json!({
            "@context": "https://schema.org",
            "@type": "WebSite",
            "name": SHOP_NAME,
            "url": url,
            "inLanguage": visit.language.code(),
        }),
    ]
}

/// Returns the breadcrumbs from the whole catalog to a page, which is the last step, as titles and
/// paths.
#[must_use]
pub fn breadcrumbs(origin: &str, visit: &PageContext, steps: &[(&str, String)]) -> Value {
    let items: Vec<Value> = (1_usize..)
        .zip(steps)
        .map(|(position, (name, path))| {
            json!({
                "@type": "ListItem",
                "position": position,
                "name": name,
                "item": format!("{origin}{}", visit.link(path)),
            })
        })
        .collect();
    json!({
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": items,
    })
}

/// Returns a product with an offer for each variant sold in the page's currency. `stocks` is the
/// known public stock of its SKUs.
#[must_use]
pub fn product(origin: &str, visit: &PageContext, product: &Product, stocks: &Posts) -> Value {
    let images = product.images.iter();
    let images: Vec<String> = images
        .filter_map(|image| absolute(origin, &image.url))
        .collect();
    let offers = product.variants.iter().filter_map(|variant| {
        let stock = public_stock_of(
            product,
            &variant.sku,
            stocks.get(variant.sku.as_str()).copied(),
        );
        offer(origin, visit, product, variant, stock.stock)
    });
    let only = match product.variants.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let brand = (!product.vendor.is_empty()).then_some(&product.vendor);
    known(json!({
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.title,
        "url": format!("{origin}{}", visit.link(&product_path(&product.handle, None))),
        "description": text_of(&product.description_html),
        "image": images,
        "brand": brand.map(|name| json!({"@type": "Brand", "name": name})),
        "category": product.category.join(" > "),
        "sku": only.map(|variant| &variant.sku),
        "gtin": only.and_then(gtin_of),
        "offers": offers.collect::<Vec<_>>(),
    }))
}

fn offer(
    origin: &str,
    visit: &PageContext,
    product: &Product,
    variant: &Variant,
    stock: Availability,
) -> Option<Value> {
    let price = variant.price(visit.currency)?;
    let path = product_path(&product.handle, Some(&variant.sku));
    Some(known(json!({
        "@type": "Offer",
        "name": variant.title,
        "sku": variant.sku,
        "gtin": gtin_of(variant),
        "url": format!("{origin}{}", visit.link(&path)),
        "price": price.to_decimal(),
        "priceCurrency": price.currency.code(),
        "availability": availability(stock),
        "itemCondition": "https://schema.org/NewCondition",
    })))
}

fn gtin_of(variant: &Variant) -> Option<&str> {
    variant.barcode.as_deref().and_then(gtin)
}

/// Returns a document without its unknown values.
fn known(document: Value) -> Value {
    let Value::Object(members) = document else {
        return document;
    };
    let is_known = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    let members = members.into_iter().filter(|(_, value)| is_known(value));
    Value::Object(members.collect())
}

const fn availability(stock: Availability) -> &'static str {
    match stock {
        Availability::InStock => "https://schema.org/InStock",
        Availability::Low => "https://schema.org/LimitedAvailability",
        Availability::Out => "https://schema.org/OutOfStock",
        Availability::Preorder => "https://schema.org/PreOrder",
    }
}
