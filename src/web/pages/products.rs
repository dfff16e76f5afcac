//! The product page. Choosing a variant follows a link to that variant's URL, so it works with and
//! without a script.

use crate::web::assets::kept_address;
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::pages::icons::{ZOOM, icon};
use crate::web::pages::layout::page_with;
use crate::web::pages::lists::card_grid;
use crate::web::pages::metadata::Metadata;
use crate::web::pages::paths::{collection_path, product_path};
use crate::web::pages::pictures::{Fetched, address, picture};
use crate::web::pages::visit::PageContext;
use crate::web::pages::{delivery, head, metadata, structured_data};
use durable::board::Posts;
use durable::cart::MAX_QUANTITY;
use durable::stock::{Availability, PublicStock};
use futures_util::future::join;
use maud::{Markup, PreEscaped, html};
use shop::catalog::availability::{PublicStocks, public_stock_of};
use shop::catalog::handles::category_handle;
use shop::catalog::html::text_of;
use shop::catalog::related::list_related_products;
use shop::catalog::{Card, Image, Product, ProductOption, ProductStatus, Variant, version};
use shop::error::{Error, Result};
use shop::pricing::settings::SettingsVersion;
use shop::values::ids::Sku;
use shop::values::money::Currency;
use shop::values::typing::plain_text;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Number of related products.
const RELATED: usize = 4;

/// `GET /products/{handle}?sku=`: a product. Returns 301 for an earlier handle of the product.
///
/// # Errors
/// 404.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let catalog = call.app.catalog();
    let product = version::get_product(&catalog, call.param(0)).await?;
    let sku = call.query("sku").map(Sku::new);
    if product.handle != call.param(0) {
        let path = product_path(&product.handle, sku.as_ref());
        return Ok(Reply::moved(visit.link(&path)));
    }
    let chosen = sku
        .as_ref()
        .and_then(|sku| {
            product
                .variant(sku)
                .or_else(|| product.variant(&Sku::new(plain_text(sku))))
        })
        .or_else(|| product.variants.first())
        .ok_or(Error::NotFound("product"))?;
    let skus: Vec<&Sku> = product
        .variants
        .iter()
        .map(|variant| &variant.sku)
        .collect();
    let public_stocks = call.app.public_stocks();
    let (stocks, settings) = join(
        public_stocks.public_stocks(&skus),
        delivery::settings(call.app),
    )
    .await;
    let offer = Offer {
        product: &product,
        chosen,
        stocks: stocks?,
        settings,
    };
    let related = list_related_products(&catalog, &product, RELATED).await?;
    let head = html! {
        @if product.status == ProductStatus::Unlisted { (head::not_to_be_found()) }
        (offer.metadata(&visit))
        script type="module" src=(kept_address("/js/stock.js")) {}
    };
    let content = html! {
        (breadcrumb(&visit, &product))
        (offer.view(&visit))
        (related_products(&visit, &related))
    };
    Ok(page_with(200, &visit, &product.title, &head, &content).public())
}

/// Renders the availability of a SKU as a text, which a page with `/js/stock.js` keeps current.
#[must_use]
pub fn stock_words(visit: &PageContext, sku: &Sku, stock: Availability) -> Markup {
    let texts = visit.texts();
    let all = [
        (Availability::InStock, texts.in_stock),
        (Availability::Low, texts.low_stock),
        (Availability::Out, texts.sold_out),
        (Availability::Preorder, texts.preorder),
    ];
    html! {
        p class="stock" role="status" data-stock-sku=(sku) data-stock=(word(stock)) {
            @for (each, name) in all {
                span data-word=(word(each)) hidden[each != stock] { (name) }
            }
        }
    }
}

const fn word(stock: Availability) -> &'static str {
    match stock {
        Availability::InStock => "in_stock",
        Availability::Low => "low",
        Availability::Out => "out",
        Availability::Preorder => "preorder",
    }
}

/// A product, its chosen variant, the variant's availability, and its delivery.
struct Offer<'a> {
    product: &'a Product,
    chosen: &'a Variant,
    stocks: Posts,
    settings: Option<Rc<SettingsVersion>>,
}

impl Offer<'_> {
    fn stock_of(&self, variant: &Variant) -> PublicStock {
        public_stock_of(
            self.product,
            &variant.sku,
            self.stocks.get(variant.sku.as_str()).copied(),
        )
    }

    /// Returns the metadata. The variants share the URL of their product; each is an offer of it.
    fn metadata(&self, visit: &PageContext) -> Markup {
        let product = self.product;
        let origin = visit.channel.origin.as_str();
        let mut steps = vec![(visit.texts().all_products, "/products".to_owned())];
        steps.extend(category_steps(product));
        let path = product_path(&product.handle, None);
        steps.push((&product.title, path.clone()));
        let seo = &product.seo;
        let described = text_of(&product.description_html);
        let title = [&seo.title, &product.title];
        let description = [&seo.description, &described, &product.title];
        let metadata = Metadata {
            title: first_of(&title),
            description: first_of(&description),
            path: &path,
            image: product.images.first(),
            structured: vec![
                structured_data::product(origin, visit, product, &self.stocks),
                structured_data::breadcrumbs(origin, visit, &steps),
            ],
        };
        metadata::tags(visit, &metadata)
    }

    /// Renders the part of the page that is replaced when another variant is chosen.
    fn view(&self, visit: &PageContext) -> Markup {
        html! {
            article class="product" id="product" {
                (self.gallery(visit))
                (self.buy_box(visit))
                div class="about" { (about(visit, self.product)) }
            }
        }
    }

    fn buy_box(&self, visit: &PageContext) -> Markup {
        let texts = visit.texts();
        let stock = self.stock_of(self.chosen);
        html! {
            div class="buy" {
                @if !self.product.vendor.is_empty() { p class="vendor" { (self.product.vendor) } }
                h1 { bdi { (self.product.title) } }
                (variant_price(visit, self.chosen))
                @for (at, option) in self.product.options.iter().enumerate() { (self.option_choice(visit, at, option)) }
                (stock_words(visit, &self.chosen.sku, stock.stock))
                @if let Some(at) = stock.promise_at { p class="quiet" { ((texts.ships_from)(&visit.language.date(at))) } }
                (self.buy_form(visit, stock.stock))
                @if let Some(limit) = stock.purchase_limit { p class="quiet" { ((texts.purchase_limit)(limit)) } }
                @if let Some(it) = &self.settings { (delivery::estimate(visit, &it.settings.shipping_zones, self.product, self.chosen)) }
                ul class="assurances" {
                    li { a href=(visit.link("/policies/shipping")) { (texts.shipping_and_delivery) } }
                    li { a href=(visit.link("/policies/returns")) { (texts.returns) } }
                }
                p class="quiet sku" { (texts.sku) " " (self.chosen.sku) }
            }
        }
    }

    fn gallery(&self, visit: &PageContext) -> Markup {
        let texts = visit.texts();
        let images = self.images();
        html! {
            div class="gallery" data-gallery {
                @if images.is_empty() { span class="no-image" {} }
                ul class="frames" aria-label=(texts.pictures) {
                    @for (at, image) in images.iter().enumerate() {
                        li id=(format!("picture-{at}")) {
                            a href=[address(&image.url)] class="frame" data-zoom aria-label=((texts.enlarge)(&image.alt)) {
                                (picture(&image.url, &image.alt, (720, 720), if at == 0 { Fetched::First } else { Fetched::Late }))
                                (icon(ZOOM))
                            }
                        }
                    }
                }
                @if images.len() > 1 {
                    ul class="thumbnails" {
                        @for (at, image) in images.iter().enumerate() {
                            li {
                                a href=(format!("#picture-{at}")) aria-label=((texts.show_picture)(&image.alt)) {
                                    (picture(&image.url, "", (80, 80), Fetched::Late))
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Returns the pictures that can be shown, that of the chosen variant first.
    fn images(&self) -> Vec<Image> {
        let mut images = self.named_images();
        images.retain(|image| address(&image.url).is_some());
        images
    }

    fn named_images(&self) -> Vec<Image> {
        let product = self.product;
        let Some(url) = &self.chosen.image else {
            return product.images.clone();
        };
        let known = product.images.iter().find(|image| image.url == *url);
        let first = known.cloned().unwrap_or_else(|| Image {
            url: url.clone(),
            alt: product.title.clone(),
            width: None,
            height: None,
        });
        let others = product.images.iter().filter(|image| image.url != *url);
        std::iter::once(first).chain(others.cloned()).collect()
    }

    fn option_choice(&self, visit: &PageContext, at: usize, option: &ProductOption) -> Markup {
        let texts = visit.texts();
        let chosen = self.chosen.option_values.get(at).map_or("", String::as_str);
        let heading = format!("option-{at}");
        let swatches = self.swatches(at, option);
        let prices = self.prices_differ_by(visit.currency, at);
        html! {
            div class="option" role="group" aria-labelledby=(heading) {
                p id=(heading) { (option.name) ": " strong { bdi { (chosen) } } }
                ul class=(if swatches.is_empty() { "choices" } else { "choices swatches" }) {
                    @for (value_at, value) in option.values.iter().enumerate() {
                        @if let Some(variant) = self.variant_with(at, value) {
                            li {
                                a id=(format!("choice-{at}-{value_at}")) href=(visit.link(&product_path(&self.product.handle, Some(&variant.sku))))
                                    data-swap="product" data-history="replace" data-stock=(word(self.stock_of(variant).stock)) aria-current=[(value == chosen).then_some("true")] {
                                    @if let Some(url) = swatches.get(value_at) { (picture(url, "", (64, 64), Fetched::Now)) }
                                    span { bdi { (value) } }
                                    @if self.stock_of(variant).stock == Availability::Out { small { (texts.sold_out) } }
                                    @else if prices && let Some(price) = variant.price(visit.currency) { small { (visit.money(price)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Returns the variant to link to for `value`: the chosen one with this value instead, or else
    /// the first that has it.
    fn variant_with(&self, at: usize, value: &str) -> Option<&Variant> {
        let has_value =
            |variant: &&Variant| variant.option_values.get(at).is_some_and(|it| it == value);
        let is_same_otherwise = |variant: &&Variant| {
            let values = variant.option_values.iter().zip(&self.chosen.option_values);
            values
                .enumerate()
                .all(|(other, (a, b))| other == at || a == b)
        };
        let mut having = self.product.variants.iter().filter(has_value);
        let mut exact = having.clone().filter(is_same_otherwise);
        exact.next().or_else(|| having.next())
    }

    /// Returns a picture for each value of an option, if the pictures differ by this option.
    fn swatches(&self, at: usize, option: &ProductOption) -> Vec<&str> {
        let pictures: Vec<&str> = option
            .values
            .iter()
            .filter_map(|value| self.picture_of(at, value))
            .collect();
        let different: BTreeSet<&str> = pictures.iter().copied().collect();
        if different.len() < 2 || different.len() < option.values.len() {
            return Vec::new();
        }
        pictures
    }

    /// Returns the picture shared by all variants with `value`.
    fn picture_of(&self, at: usize, value: &str) -> Option<&str> {
        let variants = self.product.variants.iter();
        let mut pictures = variants
            .filter(|variant| variant.option_values.get(at).is_some_and(|it| it == value))
            .map(|variant| variant.image.as_deref());
        let first = pictures.next()??;
        pictures.all(|other| other == Some(first)).then_some(first)
    }

    fn prices_differ_by(&self, currency: Currency, at: usize) -> bool {
        let prices: BTreeSet<i64> = self
            .product
            .options
            .get(at)
            .into_iter()
            .flat_map(|option| &option.values)
            .filter_map(|value| self.variant_with(at, value)?.price(currency))
            .map(|price| price.amount)
            .collect();
        prices.len() > 1
    }

    fn buy_form(&self, visit: &PageContext, stock: Availability) -> Markup {
        let texts = visit.texts();
        if self.chosen.price(visit.currency).is_none() {
            return html! { p class="notice" { ((texts.not_sold_in)(visit.currency.code())) } };
        }
        html! {
            form class="add" method="post" action=(visit.link("/cart/items")) data-adds=(texts.added_to_cart) {
                input type="hidden" name="sku" value=(self.chosen.sku);
                div class="field" {
                    label for="quantity" { (texts.quantity) }
                    input id="quantity" type="number" name="quantity" value="1" min="1" max=(MAX_QUANTITY) inputmode="numeric" required;
                }
                button disabled[stock == Availability::Out] data-needs-stock { (texts.add_to_cart) }
            }
        }
    }
}

fn breadcrumb(visit: &PageContext, product: &Product) -> Markup {
    let texts = visit.texts();
    html! {
        nav class="breadcrumb" aria-label=(texts.breadcrumb) {
            ol {
                li { a href=(visit.link("/products")) { (texts.all_products) } }
                @for (title, path) in category_steps(product) { li { a href=(visit.link(&path)) { (title) } } }
            }
        }
    }
}

/// Returns title and path of the categories that lead to a product.
fn category_steps(product: &Product) -> impl Iterator<Item = (&str, String)> {
    let depths = 1..=product.category.len();
    depths.filter_map(|depth| {
        let path = product.category.get(..depth)?;
        Some((
            path.last()?.as_str(),
            collection_path(&category_handle(path)),
        ))
    })
}

/// Returns the first text that isn't empty.
fn first_of<'a>(texts: &[&'a String]) -> &'a str {
    texts
        .iter()
        .find(|text| !text.is_empty())
        .map_or("", |text| text.as_str())
}

fn variant_price(visit: &PageContext, variant: &Variant) -> Markup {
    let texts = visit.texts();
    html! {
        p class="price" {
            @if let Some(price) = variant.price(visit.currency) { (visit.money(price)) }
            @if let Some(before) = variant.compare_at_price(visit.currency) {
                " " s { span class="unseen" { (texts.price_before) " " } (visit.money(before)) }
                " " span class="badge sale" { (texts.sale) }
            }
        }
    }
}

fn about(visit: &PageContext, product: &Product) -> Markup {
    let texts = visit.texts();
    html! {
        @if !product.description_html.is_empty() {
            div class="description" lang=[visit.language_of_products()] { (PreEscaped(&product.description_html)) }
        }
        @if !product.features.is_empty() {
            section class="features" aria-labelledby="features" {
                h2 id="features" { (texts.features) }
                ul lang=[visit.language_of_products()] { @for feature in &product.features { li { (feature) } } }
            }
        }
        @if !product.specifications.is_empty() {
            section class="specifications" aria-labelledby="specifications" {
                h2 id="specifications" { (texts.specifications) }
                dl lang=[visit.language_of_products()] { @for (name, value) in &product.specifications { div { dt { (name) } dd { (value) } } } }
            }
        }
    }
}

fn related_products(visit: &PageContext, related: &[Card]) -> Markup {
    let cards: Vec<&Card> = related.iter().collect();
    html! {
        @if !cards.is_empty() {
            section aria-labelledby="related" {
                h2 id="related" { (visit.texts().related) }
                (card_grid(visit, &cards))
            }
        }
    }
}
