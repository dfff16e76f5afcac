//! Products as staff edit them: `/api/v1/products` for changes, `/api/v1/admin/products/{id}` for
//! reading the record. Shoppers see a change after the next publish.

use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::views::products::RecordedProduct;
use serde::Deserialize;
use shop::catalog::handles::product_handle;
use shop::catalog::html::sanitise_html;
use shop::catalog::{Image, Price, Product, ProductOption, ProductStatus, Seo, Variant};
use shop::error::{Error, Result};
use shop::publishing::csv::variants::generated_skus;
use shop::publishing::products;
use shop::values::ids::{ProductId, Sku, VariantId};
use shop::values::money::{Currency, Money};
use shop::values::tax_class::standard;
use std::collections::BTreeMap;

/// Maximum size in bytes of a product as JSON: the same as for an imported one.
const MAX_PRODUCT_BYTES: usize = 2_000_000;

/// `POST /api/v1/products`: Creates a product, and returns it with 201. A missing handle or SKU is
/// made from the title and options.
///
/// # Errors
/// 422 naming each field, `required`, `too_long`, `control_character`, `invalid_variants`,
/// `handle_taken`, `sku_taken`; 409 `publish_in_progress`.
pub async fn create_product(call: &mut Call<'_>) -> Result<Reply> {
    let product = read_product(call).await?;
    let app = call.app;
    let record = app.catalog_record();
    let product = products::create_product(
        &record,
        product,
        || app.new_id("prod").map(ProductId::new),
        app.now,
    )
    .await?;
    reply(201, &product)
}

/// `PUT /api/v1/products/{id}`: Replaces a product. With `If-Match`, a change made in the meantime
/// is not overwritten.
///
/// # Errors
/// Those of [`create_product`]; 404; 412 `stale_version`.
pub async fn update_product(call: &mut Call<'_>) -> Result<Reply> {
    let product = read_product(call).await?;
    let (app, if_match) = (call.app, call.if_match()?);
    let record = app.catalog_record();
    let product =
        products::update_product(&record, &id_of(call), product, if_match, app.now).await?;
    reply(200, &product)
}

/// `DELETE /api/v1/products/{id}`: Deletes a product.
///
/// # Errors
/// 404; 412 `stale_version`; 409 `publish_in_progress`.
pub async fn delete_product(call: &mut Call<'_>) -> Result<Reply> {
    let record = call.app.catalog_record();
    products::delete_product(&record, &id_of(call), call.if_match()?).await?;
    Ok(Reply::empty(204))
}

/// `GET /api/v1/admin/products/{id}`: Returns a product as staff last saved it, published or not.
///
/// # Errors
/// 404.
pub async fn get_recorded_product(call: &mut Call<'_>) -> Result<Reply> {
    let record = call.app.catalog_record();
    reply(
        200,
        &products::get_recorded_product(&record, &id_of(call)).await?,
    )
}

/// A product as sent by staff.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct ProductInput {
    /// The product's name in its URL; derived from the title if missing.
    #[serde(default)]
    handle: Option<String>,
    title: String,
    /// Sanitised before it is stored.
    #[serde(default)]
    description_html: String,
    #[serde(default)]
    vendor: String,
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    status: ProductStatus,
    /// Path from the root category.
    #[serde(default)]
    category: Vec<String>,
    /// Names of the options that a shopper chooses from.
    #[serde(default)]
    options: Vec<String>,
    variants: Vec<VariantInput>,
    #[serde(default)]
    images: Vec<Image>,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    specifications: BTreeMap<String, String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    seo: Seo,
}

/// A variant as sent by staff.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct VariantInput {
    /// Derived from the handle and options if missing.
    #[serde(default)]
    sku: Option<String>,
    /// One value for each option.
    #[serde(default)]
    option_values: Vec<String>,
    /// One price for each currency in which it is sold.
    prices: Vec<Money>,
    #[serde(default)]
    compare_at_prices: Vec<Money>,
    #[serde(default)]
    barcode: Option<String>,
    #[serde(default)]
    weight_grams: Option<u32>,
    #[serde(default)]
    image: Option<String>,
    /// False when stock is not tracked.
    #[serde(default = "yes")]
    tracked: bool,
    /// `standard`, `exempt`, or a class of the merchant's own.
    #[serde(default = "standard")]
    tax_class: String,
}

const fn yes() -> bool {
    true
}

/// Returns the product's id in the path.
fn id_of(call: &Call<'_>) -> ProductId {
    ProductId::new(call.param(0).to_owned())
}

async fn read_product(call: &mut Call<'_>) -> Result<Product> {
    let (input, _) = call.json_up_to::<ProductInput>(MAX_PRODUCT_BYTES).await?;
    let mut product = input.into_unclean_product();
    let problems = product.problems(&call.app.config.channel.currencies);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    // Sanitised after the checks, because invalid text is rejected rather than dropped.
    product.description_html = sanitise_html(&product.description_html);
    Ok(product)
}

fn reply(status: u16, product: &Product) -> Result<Reply> {
    Ok(Reply::json(status, &RecordedProduct::of(product))?
        .with("ETag", format!("\"{}\"", product.version)))
}

impl ProductInput {
    /// Returns the product with its description as sent.
    fn into_unclean_product(self) -> Product {
        let handle = product_handle(self.handle.as_deref().unwrap_or(&self.title));
        let choices: Vec<Vec<String>> = self
            .variants
            .iter()
            .map(|variant| variant.option_values.clone())
            .collect();
        let variants: Vec<Variant> = self
            .variants
            .into_iter()
            .zip(generated_skus(&handle, &choices))
            .map(|(variant, sku)| variant.into_variant(sku))
            .collect();
        let options = (0_usize..).zip(self.options);
        Product {
            options: options
                .map(|(at, name)| ProductOption::of(name, at, &variants))
                .collect(),
            description_html: self.description_html,
            handle,
            title: self.title,
            vendor: self.vendor,
            r#type: self.r#type,
            tags: self.tags,
            status: self.status,
            category: self.category,
            variants,
            images: self.images,
            seo: self.seo,
            features: self.features,
            specifications: self.specifications,
            metadata: self.metadata,
            ..Product::default()
        }
    }
}

impl VariantInput {
    fn into_variant(self, generated_sku: Sku) -> Variant {
        let before = |currency: Currency| {
            self.compare_at_prices
                .iter()
                .find(|before| before.currency == currency)
                .map(|before| before.amount)
        };
        let prices = self.prices.iter().map(|price| {
            let amount = price.amount;
            let compare_at_amount = before(price.currency).filter(|before| *before > amount);
            (
                price.currency.code().to_owned(),
                Price {
                    amount,
                    compare_at_amount,
                    converted: false,
                    conversion: None,
                },
            )
        });
        let prices = prices.collect();
        Variant {
            id: VariantId::default(),
            sku_generated: self.sku.is_none(),
            prices,
            title: self.option_values.join(" / "),
            sku: self.sku.map_or(generated_sku, Sku::new),
            option_values: self.option_values,
            barcode: self.barcode,
            weight_grams: self.weight_grams,
            image: self.image,
            tracked: self.tracked,
            tax_class: self.tax_class,
            source: BTreeMap::new(),
        }
    }
}
