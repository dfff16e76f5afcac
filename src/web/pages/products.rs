//! The product list and the product page.

use crate::app::App;
use crate::error::{Error, Result};
use crate::shop::catalog::{
    self, Card, ListQuery, Listed, Product, Sort, Variant, category_handle, list_products_from,
    text_of,
};
use crate::shop::money::{Currency, Money};
use crate::shop::ports::PublicStocks;
use crate::shop::stock::public_stock_of;
use crate::web::api::instant;
use crate::web::assets::kept_address;
use crate::web::call::Call;
use crate::web::pages::layout::{Visit, encoded, page_with};
use crate::web::pages::metadata::{self, Metadata, about_a_list};
use crate::web::pages::pictures::{Fetched, picture};
use crate::web::pages::structured_data;
use crate::web::reply::Reply;
use durable::Timestamp;
use durable::board::Posts;
use durable::cart::MAX_QUANTITY;
use durable::stock::{PublicStock, Word};
use maud::{Markup, PreEscaped, html};

/// Products on a page.
const PAGE_SIZE: usize = 24;

/// `GET /products?page=`
///
/// # Errors
/// 404 for a page beyond the last.
pub async fn list(call: &mut Call<'_>) -> Result<Reply> {
    list_page(call, None).await
}

/// `GET /collections/{category}?page=`
///
/// # Errors
/// 404 for a category without products.
pub async fn list_category(call: &mut Call<'_>) -> Result<Reply> {
    let category = call.param(0).to_owned();
    list_page(call, Some(&category)).await
}

/// `GET /products/{handle}?sku=`; 301 from a handle that the product had before.
///
/// # Errors
/// 404.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call)?;
    let product = catalog::get_product(&call.app.catalog(), call.param(0)).await?;
    let sku = call.query("sku");
    if product.handle != call.param(0) {
        let path = product_path(&product.handle, sku.as_deref());
        return Ok(Reply::moved(visit.link(&path)));
    }
    let chosen = sku
        .as_deref()
        .and_then(|sku| product.variant(sku))
        .or_else(|| product.variants.first())
        .ok_or(Error::NotFound("product"))?;
    let skus: Vec<&str> = product
        .variants
        .iter()
        .map(|variant| variant.sku.as_str())
        .collect();
    let known = call.app.public_stocks().public_stocks(&skus).await?;
    let stock = public_stock_of(&product, &chosen.sku, known.get(&chosen.sku).copied());
    let head = html! {
        (metadata_of(call.app, &visit, &product, &known))
        script type="module" src=(kept_address("/js/stock.js")) {}
    };
    let content = product_page(&visit, &product, chosen, stock);
    Ok(page_with(200, &visit, &product.title, &head, &content).public())
}

/// The variants share the address of their product; each is an offer of it.
fn metadata_of(app: &App, visit: &Visit, product: &Product, stocks: &Posts) -> Markup {
    let origin = app.config.shop_url.as_str();
    let titles = (1..=product.category.len()).filter_map(|depth| product.category.get(..depth));
    let mut steps = vec![("All products", "/products".to_owned())];
    steps.extend(titles.filter_map(|path| {
        Some((
            path.last()?.as_str(),
            collection_path(&category_handle(path)),
        ))
    }));
    let path = product_path(&product.handle, None);
    steps.push((&product.title, path.clone()));
    let seo = &product.seo;
    let described = text_of(&product.description_html);
    let description = [seo.description.as_str(), &described, &product.title];
    let metadata = Metadata {
        title: if seo.title.is_empty() {
            &product.title
        } else {
            &seo.title
        },
        description: description
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_default(),
        path: &path,
        image: product.images.first(),
        structured: vec![
            structured_data::product(origin, visit, product, stocks),
            structured_data::breadcrumbs(origin, visit, &steps),
        ],
    };
    metadata::tags(app, visit, &metadata)
}

/// The public word of a SKU, as people read it; a page with `/js/stock.js` keeps it current.
#[must_use]
pub fn stock_words(sku: &str, stock: Word) -> Markup {
    html! {
        p class="stock" role="status" data-stock-sku=(sku) data-stock=(word(stock)) {
            @for each in [Word::InStock, Word::Low, Word::Out, Word::Preorder] {
                span data-word=(word(each)) hidden[each != stock] { (words_for(each)) }
            }
        }
    }
}

const fn word(stock: Word) -> &'static str {
    match stock {
        Word::InStock => "in_stock",
        Word::Low => "low",
        Word::Out => "out",
        Word::Preorder => "preorder",
    }
}

const fn words_for(stock: Word) -> &'static str {
    match stock {
        Word::InStock => "In stock",
        Word::Low => "Only a few left",
        Word::Out => "Sold out",
        Word::Preorder => "Order ahead",
    }
}

/// The address of a product, or of one of its variants.
#[must_use]
pub fn product_path(handle: &str, sku: Option<&str>) -> String {
    let path = format!("/products/{}", encoded(handle));
    match sku {
        Some(sku) => format!("{path}?sku={}", encoded(sku)),
        None => path,
    }
}

/// The address of a category.
#[must_use]
pub fn collection_path(category: &str) -> String {
    format!("/collections/{}", encoded(category))
}

/// Cards of products, in a grid.
#[must_use]
pub fn card_grid(visit: &Visit, cards: &[&Card]) -> Markup {
    html! {
        ul class="cards" {
            @for card in cards {
                li {
                    a href=(visit.link(&format!("/products/{}", encoded(&card.handle)))) {
                        @if let Some(image) = &card.image {
                            (picture(&image.url, "", (300, 300), Fetched::Late))
                        } @else {
                            span class="no-image" {}
                        }
                        span class="title" { (card.title) }
                    }
                    (card_price(card, visit.currency))
                }
            }
        }
    }
}

async fn list_page(call: &Call<'_>, category: Option<&str>) -> Result<Reply> {
    let visit = Visit::of(call)?;
    let number = call
        .query("page")
        .map_or(Some(1), |number| number.parse::<usize>().ok())
        .filter(|number| (1..=10_000).contains(number))
        .ok_or(Error::NotFound("page"))?;
    let filter = Filter::of(call);
    let query = filter.query(&visit, category);
    let offset = number.saturating_sub(1).saturating_mul(PAGE_SIZE);
    let listed = list_products_from(
        &call.app.catalog(),
        &call.app.public_stocks(),
        &query,
        offset,
    )
    .await?;
    if listed.items.is_empty() && number > 1 {
        return Err(Error::NotFound("page"));
    }
    let title = listed
        .category
        .as_ref()
        .map_or("All products", |category| category.title.as_str());
    let content = list_content(&visit, title, call.path(), number, &filter, &listed);
    let path = match number {
        1 => call.path().to_owned(),
        _ => format!("{}?page={number}", call.path()),
    };
    let mut steps = vec![("All products", "/products".to_owned())];
    if let Some(category) = &listed.category {
        steps.push((&category.title, collection_path(&category.handle)));
    }
    let metadata = Metadata {
        title,
        description: &about_a_list(visit.language, title, listed.total),
        path: &path,
        image: None,
        structured: vec![structured_data::breadcrumbs(
            &call.app.config.shop_url,
            &visit,
            &steps,
        )],
    };
    let head = metadata::tags(call.app, &visit, &metadata);
    Ok(page_with(200, &visit, title, &head, &content).public())
}

/// What the shopper chose in the form above the list; what does not read is as if not chosen.
struct Filter {
    vendor: String,
    min: String,
    max: String,
    in_stock: bool,
    sort: String,
}

impl Filter {
    fn of(call: &Call<'_>) -> Self {
        let given = |name: &str| call.query(name).unwrap_or_default().trim().to_owned();
        Self {
            vendor: given("vendor"),
            min: given("min"),
            max: given("max"),
            in_stock: given("in_stock") == "true",
            sort: given("sort"),
        }
    }

    fn query(&self, visit: &Visit, category: Option<&str>) -> ListQuery {
        let price = |text: &str| {
            Money::parse_decimal(text, visit.currency)
                .ok()
                .map(|money| money.amount)
        };
        ListQuery {
            category: category.map(str::to_owned),
            vendor: Some(self.vendor.clone()).filter(|vendor| !vendor.is_empty()),
            min_price: price(&self.min),
            max_price: price(&self.max),
            available: self.in_stock.then_some(true),
            sort: Sort::from_word(&self.sort).unwrap_or_default(),
            ..ListQuery::all(visit.currency, PAGE_SIZE)
        }
    }

    /// The address of a page of the list, with what was chosen.
    fn link(&self, visit: &Visit, path: &str, number: usize) -> String {
        let chosen = [
            ("vendor", &self.vendor),
            ("min", &self.min),
            ("max", &self.max),
            ("sort", &self.sort),
        ];
        let mut link = format!("{path}?page={number}");
        for (name, value) in chosen.iter().filter(|(_, value)| !value.is_empty()) {
            link.push_str(&format!("&{name}={}", encoded(value)));
        }
        if self.in_stock {
            link.push_str("&in_stock=true");
        }
        visit.link(&link)
    }
}

fn list_content(
    visit: &Visit,
    title: &str,
    path: &str,
    number: usize,
    filter: &Filter,
    listed: &Listed,
) -> Markup {
    let cards: Vec<&Card> = listed.items.iter().collect();
    html! {
        h1 { (title) }
        (filter_form(visit, path, filter, listed))
        @if cards.is_empty() {
            p { "Nothing here matches." }
        } @else {
            p class="quiet" { (listed.total) @if listed.total == 1 { " product" } @else { " products" } }
            (card_grid(visit, &cards))
        }
        nav class="pages" aria-label="Pages" {
            @if number > 1 { a rel="prev" href=(filter.link(visit, path, number.saturating_sub(1))) { "Previous" } }
            @if listed.next.is_some() { a rel="next" href=(filter.link(visit, path, number.saturating_add(1))) { "Next" } }
        }
    }
}

fn filter_form(visit: &Visit, path: &str, filter: &Filter, listed: &Listed) -> Markup {
    let sorts = [
        ("", "Featured"),
        ("price", "Price, low to high"),
        ("-price", "Price, high to low"),
        ("newest", "Newest"),
        ("title", "Title"),
    ];
    html! {
        form class="filter" method="get" action=(visit.language.path(path)) {
            @if let Some(currency) = visit.chosen_currency() { input type="hidden" name="currency" value=(currency); }
            label { "Sort by "
                select name="sort" {
                    @for (word, words) in sorts { option value=(word) selected[word == filter.sort] { (words) } }
                }
            }
            @if listed.vendors.len() > 1 {
                label { "Brand "
                    select name="vendor" {
                        option value="" { "All" }
                        @for vendor in &listed.vendors { option value=(vendor) selected[*vendor == filter.vendor] { (vendor) } }
                    }
                }
            }
            label { "From " input name="min" value=(filter.min) inputmode="decimal" size="6"; }
            label { "to " input name="max" value=(filter.max) inputmode="decimal" size="6"; " " (visit.currency) }
            label { input type="checkbox" name="in_stock" value="true" checked[filter.in_stock]; " In stock only" }
            button { "Apply" }
        }
    }
}

fn product_page(visit: &Visit, product: &Product, chosen: &Variant, stock: PublicStock) -> Markup {
    let image = chosen
        .image
        .as_deref()
        .or_else(|| product.images.first().map(|image| image.url.as_str()));
    html! {
        (breadcrumb(visit, product))
        article class="product" {
            div class="gallery" {
                @if let Some(url) = image {
                    (picture(url, alt_of(product, url), (640, 640), Fetched::First))
                }
                ul {
                    @for other in product.images.iter().filter(|other| Some(other.url.as_str()) != image) {
                        li { (picture(&other.url, &other.alt, (96, 96), Fetched::Late)) }
                    }
                }
            }
            div class="buy" {
                p class="vendor" { (product.vendor) }
                h1 { (product.title) }
                (variant_price(chosen, visit.currency))
                (stock_words(&chosen.sku, stock.stock))
                @if let Some(at) = stock.promise_at { p class="quiet" { "Expected to ship from " (day(at)) } }
                @if let Some(limit) = stock.purchase_limit { p class="quiet" { "At most " (limit) " per customer" } }
                @if product.variants.len() > 1 { (variant_choice(visit, product, chosen)) }
                (buy_form(visit, chosen))
                p class="quiet" { "SKU " (chosen.sku) }
            }
            div class="description" { (PreEscaped(&product.description_html)) }
        }
    }
}

fn breadcrumb(visit: &Visit, product: &Product) -> Markup {
    html! {
        nav class="breadcrumb" aria-label="Breadcrumb" {
            ol {
                li { a href=(visit.link("/products")) { "All products" } }
                @for depth in 1..=product.category.len() {
                    @if let Some(path) = product.category.get(..depth) {
                        li { a href=(visit.link(&collection_path(&category_handle(path)))) { (path.last().map_or("", String::as_str)) } }
                    }
                }
            }
        }
    }
}

fn variant_choice(visit: &Visit, product: &Product, chosen: &Variant) -> Markup {
    html! {
        nav aria-label="Variants" {
            ul class="chips" {
                @for variant in &product.variants {
                    @let path = format!("/products/{}?sku={}", encoded(&product.handle), encoded(&variant.sku));
                    li { a href=(visit.link(&path)) aria-current=[(variant.sku == chosen.sku).then_some("true")] { (variant.title) } }
                }
            }
        }
    }
}

fn buy_form(visit: &Visit, chosen: &Variant) -> Markup {
    if chosen.price(visit.currency).is_none() {
        return html! { p class="notice" { "Not sold in " (visit.currency) "." } };
    }
    html! {
        form method="post" action=(visit.link("/cart/items")) {
            input type="hidden" name="sku" value=(chosen.sku);
            label { "Quantity "
                input type="number" name="quantity" value="1" min="1" max=(MAX_QUANTITY) inputmode="numeric" required;
            }
            button { "Add to cart" }
        }
    }
}

fn variant_price(variant: &Variant, currency: Currency) -> Markup {
    html! {
        p class="price" {
            @if let Some(price) = variant.price(currency) { (price) }
            @if let Some(before) = variant.compare_at_price(currency) { " " s { (before) } }
        }
    }
}

/// `2026-11-20`
fn day(at: Timestamp) -> String {
    instant(at).chars().take(10).collect()
}

fn card_price(card: &Card, currency: Currency) -> Markup {
    let Some(range) = card.price_ranges.get(currency.code()) else {
        return html! { span class="price quiet" { "Not sold in " (currency) } };
    };
    html! {
        span class="price" {
            @if range.min < range.max { "From " }
            (Money::new(range.min, currency))
        }
    }
}

fn alt_of<'a>(product: &'a Product, url: &str) -> &'a str {
    product
        .images
        .iter()
        .find(|image| image.url == url)
        .map_or(product.title.as_str(), |image| image.alt.as_str())
}
