//! Lists of products (all, a category, or search results), with filters, sorting and pages.

use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::pages::head::not_to_be_found;
use crate::web::pages::icons::{SEARCH, icon};
use crate::web::pages::layout::{page_with, search_form};
use crate::web::pages::locale::texts::Texts;
use crate::web::pages::metadata::Metadata;
use crate::web::pages::paths::{collection_path, encoded, product_path};
use crate::web::pages::pictures::{Fetched, picture};
use crate::web::pages::visit::PageContext;
use crate::web::pages::{metadata, structured_data};
use maud::{Markup, html};
use shop::catalog::Card;
use shop::catalog::list::{Facet, ListQuery, Listed, Sort, list_products_from};
use shop::error::{Error, Result};
use shop::values::money::Money;
use shop::values::typing::plain_text;

/// Number of products on a page.
const PAGE_SIZE: usize = 24;

/// Maximum number of characters of a search that are used.
const MAX_TEXT_CHARS: usize = 100;

/// `GET /products?q=&page=`: all products, or search results.
///
/// # Errors
/// 404 for a page beyond the last.
pub async fn list(call: &mut Call<'_>) -> Result<Reply> {
    list_page(call, None).await
}

/// `GET /collections/{category}?page=`: products of a category. Returns 301 for an earlier handle
/// of the category.
///
/// # Errors
/// 404 for a category without products.
pub async fn list_category(call: &mut Call<'_>) -> Result<Reply> {
    let category = call.param(0).to_owned();
    list_page(call, Some(&category)).await
}

/// Renders product cards in a grid.
#[must_use]
pub fn card_grid(visit: &PageContext, cards: &[&Card]) -> Markup {
    html! {
        ul class="cards" {
            @for card in cards {
                li class="card" {
                    a href=(visit.link(&product_path(&card.handle, None))) {
                        @if let Some(image) = &card.image {
                            (picture(&image.url, "", (300, 300), Fetched::Late))
                        } @else {
                            span class="no-image" {}
                        }
                        span class="title" { bdi { (card.title) } }
                    }
                    (card_price(visit, card))
                }
            }
        }
    }
}

async fn list_page(call: &Call<'_>, category: Option<&str>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let number = call
        .query("page")
        .map_or(Some(1), |number| number.parse::<usize>().ok())
        .filter(|number| (1..=10_000).contains(number))
        .ok_or(Error::NotFound("page"))?;
    let filter = Filter::of(call);
    let offset = number.saturating_sub(1).saturating_mul(PAGE_SIZE);
    let listed = list_products_from(
        &call.app.catalog(),
        &call.app.public_stocks(),
        &filter.query(&visit, category),
        offset,
    )
    .await?;
    if listed.items.is_empty() && number > 1 {
        return Err(Error::NotFound("page"));
    }
    if let (Some(asked), Some(found)) = (category, &listed.category)
        && found.handle != asked
        && found.had(asked)
    {
        let path = collection_path(&found.handle);
        return Ok(Reply::moved(filter.link(&visit, &path, number)));
    }
    let list = List {
        path: call.path(),
        number,
        filter,
        listed,
    };
    let title = list.title(visit.texts());
    let head = list.head(&visit, &title);
    Ok(page_with(200, &visit, &title, &head, &list.content(&visit, &title)).public())
}

/// The shopper's choices in the form beside the list. A price that can't be parsed filters nothing,
/// and an error is shown beside its field.
#[derive(Clone)]
struct Filter {
    text: String,
    vendor: String,
    kind: String,
    min: String,
    max: String,
    in_stock: bool,
    sort: String,
}

struct List<'a> {
    path: &'a str,
    number: usize,
    filter: Filter,
    listed: Listed,
}

impl Filter {
    fn of(call: &Call<'_>) -> Self {
        let given = |name: &str| -> String {
            let value = call.query(name).unwrap_or_default();
            value.trim().chars().take(MAX_TEXT_CHARS).collect()
        };
        Self {
            text: given("q"),
            vendor: given("vendor"),
            kind: given("type"),
            min: given("min"),
            max: given("max"),
            in_stock: given("in_stock") == "true",
            sort: given("sort"),
        }
    }

    fn query(&self, visit: &PageContext, category: Option<&str>) -> ListQuery {
        let chosen = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        ListQuery {
            category: category.map(str::to_owned),
            text: chosen(&self.text),
            vendor: chosen(&self.vendor),
            r#type: chosen(&self.kind),
            min_price: amount_of(visit, &self.min),
            max_price: amount_of(visit, &self.max),
            available: self.in_stock.then_some(true),
            sort: Sort::from_word(&self.sort).unwrap_or_default(),
            ..ListQuery::all(visit.currency, PAGE_SIZE)
        }
    }

    /// Returns the same list without filters.
    fn cleared(&self) -> Self {
        Self {
            text: self.text.clone(),
            sort: self.sort.clone(),
            vendor: String::new(),
            kind: String::new(),
            min: String::new(),
            max: String::new(),
            in_stock: false,
        }
    }

    fn is_narrow(&self) -> bool {
        let given = [&self.vendor, &self.kind, &self.min, &self.max];
        self.in_stock || given.iter().any(|value| !value.is_empty())
    }

    /// Returns the URL of page `number` with these choices.
    fn link(&self, visit: &PageContext, path: &str, number: usize) -> String {
        let in_stock = if self.in_stock { "true" } else { "" };
        let number = if number > 1 {
            number.to_string()
        } else {
            String::new()
        };
        let chosen = [
            ("q", self.text.as_str()),
            ("sort", &self.sort),
            ("vendor", &self.vendor),
            ("type", &self.kind),
            ("min", &self.min),
            ("max", &self.max),
            ("in_stock", in_stock),
            ("page", &number),
        ];
        let query: Vec<String> = chosen
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        if query.is_empty() {
            return visit.link(path);
        }
        visit.link(&format!("{path}?{}", query.join("&")))
    }
}

impl List<'_> {
    fn title(&self, texts: &Texts) -> String {
        if !self.filter.text.is_empty() {
            return (texts.results_for)(&self.filter.text);
        }
        let category = self.listed.category.as_ref();
        category.map_or_else(
            || texts.all_products.to_owned(),
            |category| category.title.clone(),
        )
    }

    /// Returns the tags of the head. Search engines may index a category, but not the results of a
    /// search.
    fn head(&self, visit: &PageContext, title: &str) -> Markup {
        if !self.filter.text.is_empty() {
            return not_to_be_found();
        }
        let path = match self.number {
            1 => self.path.to_owned(),
            number => format!("{}?page={number}", self.path),
        };
        let mut steps = vec![(visit.texts().all_products, "/products".to_owned())];
        if let Some(category) = &self.listed.category {
            steps.push((&category.title, collection_path(&category.handle)));
        }
        let origin = &visit.channel.origin;
        let metadata = Metadata {
            title,
            description: &(visit.texts().about_a_list)(title, self.listed.total),
            path: &path,
            image: None,
            structured: vec![structured_data::breadcrumbs(origin, visit, &steps)],
        };
        metadata::tags(visit, &metadata)
    }

    fn content(&self, visit: &PageContext, title: &str) -> Markup {
        html! {
            (self.breadcrumb(visit))
            h1 { bdi { (title) } }
            div class="list" id="list" {
                (self.filter_form(visit))
                (self.results(visit))
            }
        }
    }

    fn breadcrumb(&self, visit: &PageContext) -> Markup {
        let texts = visit.texts();
        html! {
            @if self.listed.category.is_some() || !self.filter.text.is_empty() {
                nav class="breadcrumb" aria-label=(texts.breadcrumb) {
                    ol { li { a href=(visit.link("/products")) { (texts.all_products) } } }
                }
            }
        }
    }

    fn results(&self, visit: &PageContext) -> Markup {
        let texts = visit.texts();
        let cards: Vec<&Card> = self.listed.items.iter().collect();
        html! {
            section class="results" aria-label=(texts.products) {
                p class="tally" role="status" { ((texts.products_found)(self.listed.total)) }
                @if cards.is_empty() {
                    div class="empty" {
                        (icon(SEARCH))
                        p { (texts.nothing_matches) }
                        (search_form(visit, "search-again", &self.filter.text))
                        p {
                            @if self.filter.is_narrow() {
                                a class="button secondary" href=(self.filter.cleared().link(visit, self.path, 1)) { (texts.clear_filters) }
                            } @else {
                                a class="button secondary" href=(visit.link("/products")) { (texts.browse_all) }
                            }
                        }
                    }
                } @else {
                    (card_grid(visit, &cards))
                    (self.pagination(visit))
                }
            }
        }
    }

    fn filter_form(&self, visit: &PageContext) -> Markup {
        let texts = visit.texts();
        let sorts = [
            ("", texts.sort_featured),
            ("price", texts.sort_price_ascending),
            ("-price", texts.sort_price_descending),
            ("newest", texts.sort_newest),
            ("title", texts.sort_title),
        ];
        let filter = &self.filter;
        html! {
            form class="filter" method="get" action=(visit.path(self.path)) data-swap="list" data-auto {
                @if !filter.text.is_empty() { input type="hidden" name="q" value=(filter.text); }
                div class="field" {
                    label for="sort" { (texts.sort_by) }
                    select id="sort" name="sort" {
                        @for (word, name) in sorts { option value=(word) selected[word == filter.sort] { (name) } }
                    }
                }
                details class="narrow" open[filter.is_narrow()] {
                    summary { (texts.filters) }
                    (facet_choice("vendor", texts.brand, texts.any, &self.listed.vendors, &filter.vendor))
                    (facet_choice("type", texts.kind, texts.any, &self.listed.types, &filter.kind))
                    fieldset {
                        legend { (texts.price) " (" (visit.currency) ")" }
                        div class="range" {
                            (price_bound(visit, "min", texts.price_from, &filter.min))
                            (price_bound(visit, "max", texts.price_to, &filter.max))
                        }
                    }
                    label class="choice" for="in_stock" {
                        input id="in_stock" type="checkbox" name="in_stock" value="true" checked[filter.in_stock];
                        (texts.in_stock_only)
                    }
                }
                @if let Some(currency) = visit.chosen_currency() { input type="hidden" name="currency" value=(currency); }
                button class="secondary scriptless" { (texts.apply) }
                @if filter.is_narrow() {
                    a href=(filter.cleared().link(visit, self.path, 1)) data-swap="list" { (texts.clear_filters) }
                }
            }
        }
    }

    fn pagination(&self, visit: &PageContext) -> Markup {
        let texts = visit.texts();
        let last = self.listed.total.div_ceil(PAGE_SIZE);
        let link = |number| self.filter.link(visit, self.path, number);
        html! {
            @if last > 1 {
                nav class="pagination" aria-label=(texts.pages) {
                    @if self.number > 1 { a rel="prev" href=(link(self.number.saturating_sub(1))) { (texts.previous) } }
                    ol {
                        @for number in pages_around(self.number, last) {
                            li { a href=(link(number)) aria-label=((texts.page)(number)) aria-current=[(number == self.number).then_some("page")] { (number) } }
                        }
                    }
                    @if self.number < last { a rel="next" href=(link(self.number.saturating_add(1))) { (texts.next) } }
                }
            }
        }
    }
}

/// Renders the field for a minimum or maximum price.
fn price_bound(visit: &PageContext, name: &str, label: &str, typed: &str) -> Markup {
    let is_faulty = !typed.is_empty() && amount_of(visit, typed).is_none();
    let fault_id = is_faulty.then(|| format!("{name}-fault"));
    html! {
        div {
            label class="unseen" for=(name) { (label) }
            input id=(name) name=(name) value=(typed) inputmode="decimal" maxlength="14" placeholder=(label)
                aria-invalid=[is_faulty.then_some("true")] aria-describedby=[fault_id.as_deref()];
            @if is_faulty { p class="fault" id=[fault_id.as_deref()] { (visit.texts().no_amount) } }
        }
    }
}

/// Parses an amount in the currency of the page, as its speakers type it, with or without the
/// currency sign; `None` means that it can't be parsed.
fn amount_of(visit: &PageContext, typed: &str) -> Option<i64> {
    let plain = plain_text(typed);
    let is_sign = |it: char| matches!(it, ' ' | '$' | '£' | '¥' | '\u{20a0}'..='\u{20cf}');
    let decimal = visit.language.decimal(plain.trim_matches(is_sign));
    let money = Money::parse_decimal(&decimal, visit.currency).ok()?;
    Some(money.amount)
}

/// Renders the choice among the values of a facet, each with the number of products it leaves.
fn facet_choice(name: &str, legend: &str, any: &str, facets: &[Facet], chosen: &str) -> Markup {
    html! {
        @if facets.len() > 1 || !chosen.is_empty() {
            div class="field" {
                label for=(name) { (legend) }
                select id=(name) name=(name) {
                    option value="" { (any) }
                    @for facet in facets {
                        option value=(facet.value) selected[facet.is(chosen)] { (facet.value) " (" (facet.count) ")" }
                    }
                }
            }
        }
    }
}

fn card_price(visit: &PageContext, card: &Card) -> Markup {
    let texts = visit.texts();
    let Some(range) = card.price_ranges.get(visit.currency.code()) else {
        return html! { p class="price quiet" { ((texts.not_sold_in)(visit.currency.code())) } };
    };
    let money = |amount| visit.money(Money::new(amount, visit.currency));
    let before = range.compare_at.filter(|before| *before > range.max);
    html! {
        p class="price" {
            @if range.min < range.max { ((texts.from_price)(&money(range.min))) } @else { (money(range.min)) }
            @if let Some(before) = before {
                " " s { span class="unseen" { (texts.price_before) " " } (money(before)) }
                " " span class="badge sale" { (texts.sale) }
            }
        }
    }
}

/// Returns the pages worth a link: the first, the last, and those beside the current one.
fn pages_around(current: usize, last: usize) -> Vec<usize> {
    (1..=last)
        .filter(|number| *number == 1 || *number == last || number.abs_diff(current) <= 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_links_its_ends_and_what_is_near() {
        assert_eq!(pages_around(1, 1), [1]);
        assert_eq!(pages_around(5, 9), [1, 4, 5, 6, 9]);
        assert_eq!(pages_around(9, 9), [1, 8, 9]);
    }
}
