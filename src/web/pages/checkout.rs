//! Checkout in two pages: where it goes, then what it costs. Placing the order leads to the payment page.

use crate::error::{Error, FieldError, Result};
use crate::shop::addresses::Address;
use crate::shop::cart::{PricedCart, price_cart};
use crate::shop::checkout::{Checkout, CheckoutStep, place_order};
use crate::shop::countries::Country;
use crate::shop::ids::digest_of;
use crate::shop::money::{Currency, Money};
use crate::shop::ports::{CartObjects, Ports, Prices};
use crate::shop::pricing::places::Destination;
use crate::shop::pricing::quote::QuoteShipping;
use crate::shop::pricing::shipping::Delivery;
use crate::shop::pricing::{
    self, Quote, QuoteLine, QuoteRequest, ShippingOffer, list_shipping_methods,
};
use crate::shop::transitions::Status;
use crate::web::call::{Call, Form, idempotency_key};
use crate::web::cart_token::OwnCart;
use crate::web::pages::cart::{in_checkout, order_path};
use crate::web::pages::fields::{Field, Typed};
use crate::web::pages::layout::{Visit, encoded, page};
use crate::web::pages::pictures::{Fetched, picture};
use crate::web::pages::words::Words;
use crate::web::reply::Reply;
use maud::{Markup, html};

/// `GET /checkout`, for a cart that can become an order; any other is shown as it is. `?quote=` fills in what that quote was made for.
///
/// # Errors
/// 401 for a forged cookie.
pub async fn ask(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call).await?;
    let Some(own) = OwnCart::of(call)? else {
        return Ok(Reply::see_other(visit.link("/cart")));
    };
    let cart = call.app.carts().view(&own.id).await?;
    if cart.lines.is_empty() || cart.frozen_by.is_some() {
        return Ok(Reply::see_other(visit.link("/cart")));
    }
    let typed = match call.query("quote") {
        Some(id) => quote_of_cart(call, &id, &own)
            .await?
            .map(|quote| typed_in(&quote)),
        None => None,
    };
    let typed = typed.unwrap_or_else(|| nothing_typed(call));
    address_page(call, visit, 200, &cart, &typed, &[]).await
}

/// `POST /checkout`: makes the quote; a fault is shown beside its field, with what was typed kept.
///
/// # Errors
/// What is not about a field.
pub async fn quote(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call).await?.at("/checkout");
    let form = call.form().await?;
    let Some(own) = OwnCart::of(call)? else {
        return Ok(Reply::see_other(visit.link("/cart")));
    };
    let app = call.app;
    let cart = app.carts().view(&own.id).await?;
    let quoted = pricing::create_quote(
        app,
        &app.config.currencies,
        app.new_id("quote")?,
        &own.id,
        &cart,
        request_of(&form, &visit),
        app.now,
    )
    .await;
    match quoted {
        Ok(quote) => Ok(Reply::see_other(
            visit.link(&format!("/checkout/{}", quote.id)),
        )),
        Err(Error::Invalid(errors)) => address_page(call, visit, 422, &cart, &form, &errors).await,
        Err(error) => Err(error),
    }
}

/// `GET /checkout/{quote_id}`: what it costs, to the last unit that is charged.
///
/// # Errors
/// 404 for a quote of another cart.
pub async fn review(call: &mut Call<'_>) -> Result<Reply> {
    let own = OwnCart::of(call)?.ok_or(Error::NotFound("quote"))?;
    let quote = quote_of_cart(call, call.param(0), &own)
        .await?
        .ok_or(Error::NotFound("quote"))?;
    let visit = Visit::of_or_in(call, quote.currency).await?;
    let key = call.app.new_id("key")?;
    Ok(page(
        200,
        &visit,
        visit.words().review_your_order,
        &review_page(&visit, &quote, &key),
    ))
}

/// `POST /checkout/{quote_id}`: places the order and leads to its payment. The form's key makes a double click one order.
///
/// # Errors
/// 409 with what is in the way.
pub async fn place(call: &mut Call<'_>) -> Result<Reply> {
    let form = call.form().await?;
    call.app.config.check_payments()?;
    let visit = Visit::of(call).await?;
    let Some(own) = OwnCart::of(call)? else {
        return Ok(Reply::see_other(visit.link("/cart")));
    };
    let app = call.app;
    let quote_id = call.param(0).to_owned();
    let checkout = Checkout {
        order_id: app.new_id("ord")?,
        cart_id: own.id,
        idempotency_key: idempotency_key(form.get("key"))?,
        request_hash: digest_of(quote_id.as_bytes()),
        quote_id,
        billing_address: None,
        step: CheckoutStep::Started,
    };
    let links = app.order_links().in_language(call.language);
    let placed = match place_order(app, checkout, &links, app.now).await {
        Ok(placed) => placed.order,
        Err(error) => {
            let order_id = in_checkout(&error).ok_or(error)?;
            return Ok(Reply::see_other(order_path(call, &visit, &order_id)));
        }
    };
    let pay_at = placed
        .payment
        .url
        .filter(|_| placed.status == Status::PendingPayment);
    Ok(Reply::see_other(
        pay_at.unwrap_or_else(|| order_path(call, &visit, &placed.id)),
    ))
}

async fn quote_of_cart(call: &Call<'_>, quote_id: &str, own: &OwnCart) -> Result<Option<Quote>> {
    let quote = call.app.prices().quote(quote_id).await?;
    Ok(quote.filter(|quote| quote.cart_id == own.id))
}

async fn address_page(
    call: &Call<'_>,
    visit: Visit,
    status: u16,
    cart: &durable::cart::Cart,
    typed: &Form,
    errors: &[FieldError],
) -> Result<Reply> {
    let app = call.app;
    let methods = methods_for(call, &visit, cart, typed).await;
    let (catalog, stocks) = (app.catalog(), app.public_stocks());
    let priced = price_cart(&catalog, &stocks, cart, visit.currency).await?;
    let content = html! {
        (steps(&visit, Step::Address))
        div class="checkout" {
            (address_form(&visit, &methods, typed, errors))
            (cart_summary(&visit, &priced))
        }
    };
    Ok(page(status, &visit, visit.words().checkout, &content))
}

/// A form as it comes: the country is the one that the visitor seems to be in.
fn nothing_typed(call: &Call<'_>) -> Form {
    let country = call.header("CF-IPCountry").unwrap_or_default();
    let known = Country::of_code(&country).map(|country| country.code.to_owned());
    Form(
        known
            .map(|code| ("country".to_owned(), code))
            .into_iter()
            .collect(),
    )
}

/// What must have been typed for this quote.
fn typed_in(quote: &Quote) -> Form {
    let address = &quote.shipping_address;
    let or_empty = |value: &Option<String>| value.clone().unwrap_or_default();
    let fields = [
        ("email", quote.email.clone()),
        ("name", address.name.clone()),
        ("line1", address.line1.clone()),
        ("line2", or_empty(&address.line2)),
        ("city", address.city.clone()),
        ("region", or_empty(&address.region)),
        ("postal_code", or_empty(&address.postal_code)),
        ("country", address.country.clone()),
        ("shipping_method", quote.shipping_method.clone()),
        ("vat_number", or_empty(&quote.terms.vat_number)),
        ("code", codes_of(quote)),
    ];
    Form(
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec(),
    )
}

fn codes_of(quote: &Quote) -> String {
    let promotions = quote.terms.promotions.iter();
    let codes: Vec<&str> = promotions.filter_map(|it| it.code.as_deref()).collect();
    codes.join(", ")
}

/// The ways to ship to where the form says; to anywhere, while it says nothing that can be shipped to. What keeps the cart from being
/// priced at all stands in the form's faults.
async fn methods_for(
    call: &Call<'_>,
    visit: &Visit,
    cart: &durable::cart::Cart,
    typed: &Form,
) -> Vec<ShippingOffer> {
    let (prices, now) = (call.app.prices(), call.app.now);
    let there = Destination::of(&request_of(typed, visit).shipping_address);
    let currency = visit.currency;
    if !there.country.is_empty()
        && let Ok(methods) = list_shipping_methods(&prices, currency, cart, Some(there), now).await
    {
        return methods;
    }
    let mut methods = list_shipping_methods(&prices, currency, cart, None, now)
        .await
        .unwrap_or_default();
    for method in &mut methods {
        // When it arrives depends on where.
        method.delivery = None;
    }
    methods
}

fn request_of(form: &Form, visit: &Visit) -> QuoteRequest {
    let optional = |name| Some(form.get(name).to_owned()).filter(|value| !value.is_empty());
    QuoteRequest {
        currency: visit.currency.code().to_owned(),
        shipping_address: Address {
            name: form.get("name").to_owned(),
            line1: form.get("line1").to_owned(),
            line2: optional("line2"),
            city: form.get("city").to_owned(),
            region: optional("region"),
            postal_code: optional("postal_code"),
            country: form.get("country").to_uppercase(),
        },
        shipping_method: form.get("shipping_method").to_owned(),
        email: form.get("email").to_owned(),
        codes: optional("code").map_or_else(Vec::new, |codes| {
            codes.split(',').map(str::to_owned).collect()
        }),
        vat_number: optional("vat_number"),
    }
}

const fn contact_fields(words: &Words) -> [Field; 1] {
    [Field::new("email", words.email, "email", true)]
}

const fn address_fields(words: &Words) -> [Field; 6] {
    [
        Field::new("name", words.full_name, "name", true),
        Field::new("line1", words.address, "address-line1", true),
        Field::new("line2", words.address_more, "address-line2", false),
        Field::new("postal_code", words.postal_code, "postal-code", false),
        Field::new("city", words.city, "address-level2", false),
        Field::new("region", words.region, "address-level1", false),
    ]
}

const fn price_fields(words: &Words) -> [Field; 2] {
    [
        Field::new("code", words.promotion_code, "off", false),
        Field::new("vat_number", words.vat_number, "off", false),
    ]
}

impl Typed<'_> {
    fn country_field(&self) -> Markup {
        let fault = self.fault("country");
        let fault_id = fault.as_ref().map(|_| "country-fault");
        let chosen = self.form.get("country");
        html! {
            div class="field country" {
                label for="country" { (self.words.country) }
                select id="country" name="country" autocomplete="country" required aria-invalid=[fault.as_ref().map(|_| "true")]
                    aria-describedby=[fault_id] autofocus[self.first_fault == Some("country")] {
                    option value="" { (self.words.choose_country) }
                    @for (code, name) in (self.words.countries)() {
                        option value=(code) selected[code == chosen] { (name) }
                    }
                }
                @if let Some(fault) = fault { p class="fault" id=[fault_id] { (fault) } }
            }
        }
    }

    fn shipping_field(&self, visit: &Visit, methods: &[ShippingOffer]) -> Markup {
        let fault = self.fault("shipping_method");
        let chosen = self.form.get("shipping_method");
        html! {
            fieldset aria-describedby=[fault.as_ref().map(|_| "shipping_method-fault")] {
                legend { (self.words.shipping) }
                @for (at, method) in methods.iter().enumerate() {
                    label class="choice" {
                        input type="radio" name="shipping_method" value=(method.id) required
                            checked[chosen == method.id || (at == 0 && chosen.is_empty())];
                        span {
                            bdi { (visit.language.title(&method.title, &method.translations)) }
                            @if let Some(when) = arrival(visit, method.delivery.as_ref(), method.pick_up) { small { (when) } }
                        }
                        strong { (visit.money(Money::new(method.price, visit.currency))) }
                    }
                }
                @if let Some(fault) = fault { p class="fault" id="shipping_method-fault" { (fault) } }
            }
        }
    }
}

fn address_form(
    visit: &Visit,
    methods: &[ShippingOffer],
    form: &Form,
    errors: &[FieldError],
) -> Markup {
    let words = visit.words();
    let (contact, address, price) = (
        contact_fields(words),
        address_fields(words),
        price_fields(words),
    );
    let fields = contact
        .iter()
        .chain(&address)
        .chain(&price)
        .map(|field| field.name);
    let names: Vec<&'static str> = fields.chain(["country", "shipping_method"]).collect();
    let typed = Typed::new(words, form, errors, names);
    html! {
        form method="post" action=(visit.link("/checkout")) class="stack" novalidate {
            h1 { (words.checkout) }
            @if !errors.is_empty() {
                div class="notice fault" role="alert" {
                    p { (words.please_check) }
                    @for fault in typed.elsewhere() { p { (fault) } }
                }
            }
            fieldset {
                legend { (words.contact) }
                @for field in &contact { (typed.text_field(field)) }
            }
            fieldset class="address" {
                legend { (words.delivery_address) }
                (typed.country_field())
                @for field in &address { (typed.text_field(field)) }
            }
            (typed.shipping_field(visit, methods))
            @for field in &price { (typed.text_field(field)) }
            button class="wide" { (words.continue_to_review) }
            p { a href=(visit.link("/cart")) { (words.back_to_cart) } }
        }
    }
}

fn cart_summary(visit: &Visit, cart: &PricedCart) -> Markup {
    let words = visit.words();
    html! {
        aside class="summary" aria-labelledby="summary" {
            h2 id="summary" { (words.order_summary) }
            ul class="lines" {
                @for line in &cart.lines {
                    li {
                        @if let Some(image) = &line.image { (picture(image, "", (64, 64), Fetched::Now)) }
                        div {
                            span class="title" { bdi { (line.title) } }
                            p class="quiet" { @if !line.variant_title.is_empty() { bdi { (line.variant_title) } " · " } (words.quantity) " " (line.quantity) }
                        }
                        @if let Some(total) = line.line_total { span class="price" { (visit.money(total)) } }
                    }
                }
            }
            p class="total" { (words.subtotal) " " strong { (visit.money(cart.subtotal)) } }
            p class="quiet" { (words.shipping_and_tax_next) }
        }
    }
}

fn review_page(visit: &Visit, quote: &Quote, key: &str) -> Markup {
    let words = visit.words();
    let total = visit.money(Money::new(quote.totals.total, quote.currency));
    html! {
        (steps(visit, Step::Review))
        div class="checkout" {
            div class="stack" {
                h1 { (words.review_your_order) }
                section class="panel" aria-labelledby="ship-to" {
                    h2 id="ship-to" { (words.ship_to) }
                    (label(visit, &quote.shipping_address))
                    p class="quiet" { (quote.email) }
                    (shipping(visit, &quote.terms.shipping))
                    p { a href=(visit.link(&format!("/checkout?quote={}", encoded(&quote.id)))) { (words.change_address) } }
                }
                (quote_lines(visit, &quote.lines, quote.currency))
            }
            aside class="summary" aria-labelledby="summary" {
                h2 id="summary" { (words.order_summary) }
                ul class="lines" {
                    @for promotion in quote.terms.promotions.iter().filter(|it| it.discount > 0) {
                        li {
                            div { bdi { (promotion.title) } }
                            span class="price" { (visit.money(Money::new(promotion.discount.saturating_neg(), quote.currency))) }
                        }
                    }
                }
                (totals(visit, &quote.totals, quote.currency))
                form method="post" action=(visit.link(&format!("/checkout/{}", encoded(&quote.id)))) {
                    input type="hidden" name="key" value=(key);
                    button class="wide" { (words.place_order) " · " (total) }
                }
                p class="quiet" { (words.payment_follows) }
            }
        }
    }
}

/// How a quote or an order is shipped, and when it arrives.
#[must_use]
pub fn shipping(visit: &Visit, shipping: &QuoteShipping) -> Markup {
    html! {
        p {
            bdi { (visit.language.title(&shipping.title, &shipping.translations)) }
            @if let Some(when) = arrival(visit, shipping.delivery.as_ref(), shipping.pick_up) { span class="quiet" { " · " (when) } }
        }
    }
}

fn arrival(visit: &Visit, delivery: Option<&Delivery>, pick_up: bool) -> Option<String> {
    let words = visit.words();
    let days = delivery?.days(visit.language)?;
    Some(if pick_up {
        (words.ready_for_pick_up)(&days)
    } else {
        (words.arrives)(&days)
    })
}

/// The lines of a quote or an order.
#[must_use]
pub fn quote_lines(visit: &Visit, lines: &[QuoteLine], currency: Currency) -> Markup {
    let words = visit.words();
    html! {
        ul class="lines" {
            @for line in lines {
                li {
                    div {
                        span class="title" { bdi { (line.title) } }
                        p class="quiet" { @if !line.variant_title.is_empty() { bdi { (line.variant_title) } " · " } (words.quantity) " " (line.quantity) }
                    }
                    span class="price" { (visit.money(Money::new(line.line_total, currency))) }
                }
            }
        }
    }
}

/// The sums of a quote or an order.
#[must_use]
pub fn totals(visit: &Visit, totals: &pricing::Totals, currency: Currency) -> Markup {
    let words = visit.words();
    let money = |amount| visit.money(Money::new(amount, currency));
    html! {
        dl class="totals" {
            dt { (words.subtotal) } dd { (money(totals.subtotal)) }
            @if totals.discount_total > 0 { dt { (words.discount) } dd { (money(totals.discount_total.saturating_neg())) } }
            dt { (words.shipping) } dd { (money(totals.shipping_total)) }
            dt { (if totals.tax_included { words.included_tax } else { words.tax }) } dd { (money(totals.tax_total)) }
            dt class="grand" { (words.total) } dd class="grand" { strong { (money(totals.total)) } }
        }
    }
}

/// An address as on a parcel.
#[must_use]
pub fn label(visit: &Visit, address: &Address) -> Markup {
    let mut lines = address.label();
    if let Some(country) = lines.last_mut() {
        visit
            .words()
            .country_name(&address.country)
            .clone_into(country);
    }
    html! {
        address { @for line in lines { bdi { (line) } br; } }
    }
}

/// Where in the checkout a page stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Step {
    Cart,
    Address,
    Review,
    Payment,
}

fn steps(visit: &Visit, now: Step) -> Markup {
    let words = visit.words();
    let all = [
        (Step::Cart, words.cart),
        (Step::Address, words.step_address),
        (Step::Review, words.step_review),
        (Step::Payment, words.step_payment),
    ];
    html! {
        nav class="steps" aria-label=(words.steps) {
            ol {
                @for (step, name) in all {
                    li class=[(step < now).then_some("done")] aria-current=[(step == now).then_some("step")] {
                        @if step == Step::Cart { a href=(visit.link("/cart")) { (name) } } @else { (name) }
                    }
                }
            }
        }
    }
}
