//! Products and categories as shown to shoppers and staff.

use crate::web::views::{absolute, instant};
use serde::Serialize;
use shop::catalog::handles::category_handle;
use shop::catalog::version::Category;
use shop::catalog::{Image, Price, Product, ProductOption, ProductStatus, Seo, Variant};
use shop::values::channel::Channel;
use shop::values::ids::derived_id;
use shop::values::money::{Currency, Money};
use std::collections::BTreeMap;

/// A category and its place in the tree.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct CategoryNode<'a> {
    id: String,
    handle: &'a str,
    title: &'a str,
    /// Handle of the parent category.
    #[cfg_attr(test, schema(required))]
    parent: Option<&'a str>,
    /// Number of products in it and in the categories below it.
    product_count: usize,
}

impl<'a> CategoryNode<'a> {
    pub(in crate::web) fn of(category: &'a Category) -> Self {
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

/// A product in one currency. It contains no stock, so its JSON stays the same as long as its
/// version does.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct ProductView<'a> {
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
    /// Images with absolute URLs, using the shop's origin for its own.
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
pub(in crate::web) struct CategoryView<'a> {
    id: String,
    handle: String,
    title: &'a str,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct VariantView<'a> {
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
pub(in crate::web) struct PriceRangeView {
    min: Money,
    max: Money,
}

impl<'a> ProductView<'a> {
    pub(in crate::web) fn of(channel: &Channel, product: &'a Product, currency: Currency) -> Self {
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

/// A product as shown to staff.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct RecordedProduct<'a> {
    id: &'a str,
    version: u64,
    handle: &'a str,
    title: &'a str,
    description_html: &'a str,
    vendor: &'a str,
    r#type: &'a str,
    tags: &'a [String],
    status: ProductStatus,
    category: &'a [String],
    options: Vec<&'a str>,
    variants: Vec<RecordedVariant<'a>>,
    images: &'a [Image],
    features: &'a [String],
    specifications: &'a BTreeMap<String, String>,
    metadata: &'a BTreeMap<String, String>,
    seo: &'a Seo,
    created_at: String,
    updated_at: String,
}

/// A variant as shown to staff.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct RecordedVariant<'a> {
    id: &'a str,
    sku: &'a str,
    option_values: &'a [String],
    prices: Vec<Money>,
    compare_at_prices: Vec<Money>,
    #[cfg_attr(test, schema(required))]
    barcode: Option<&'a str>,
    #[cfg_attr(test, schema(required))]
    weight_grams: Option<u32>,
    #[cfg_attr(test, schema(required))]
    image: Option<&'a str>,
    tracked: bool,
    tax_class: &'a str,
}

impl<'a> RecordedProduct<'a> {
    pub(in crate::web) fn of(product: &'a Product) -> Self {
        Self {
            id: &product.id,
            version: product.version,
            handle: &product.handle,
            title: &product.title,
            description_html: &product.description_html,
            vendor: &product.vendor,
            r#type: &product.r#type,
            tags: &product.tags,
            status: product.status,
            category: &product.category,
            options: product
                .options
                .iter()
                .map(|option| option.name.as_str())
                .collect(),
            variants: product.variants.iter().map(RecordedVariant::of).collect(),
            images: &product.images,
            features: &product.features,
            specifications: &product.specifications,
            metadata: &product.metadata,
            seo: &product.seo,
            created_at: instant(product.created_at),
            updated_at: instant(product.updated_at),
        }
    }
}

impl<'a> RecordedVariant<'a> {
    fn of(variant: &'a Variant) -> Self {
        let currencies: Vec<Currency> = variant
            .prices
            .keys()
            .filter_map(|code| Currency::from_code(code))
            .collect();
        let money = |price: fn(&Variant, Currency) -> Option<Money>| {
            currencies
                .iter()
                .filter_map(|currency| price(variant, *currency))
                .collect()
        };
        Self {
            id: &variant.id,
            sku: &variant.sku,
            option_values: &variant.option_values,
            prices: money(Variant::price),
            compare_at_prices: money(Variant::compare_at_price),
            barcode: variant.barcode.as_deref(),
            weight_grams: variant.weight_grams,
            image: variant.image.as_deref(),
            tracked: variant.tracked,
            tax_class: &variant.tax_class,
        }
    }
}
