//! Checkout in two pages: where it goes, then what it costs. Placing the order leads to the payment page.

use crate::error::{Error, FieldError, Result};
use crate::shop::addresses::Address;
use crate::shop::checkout::{Checkout, CheckoutStep, place_order};
use crate::shop::countries::COUNTRIES;
use crate::shop::ids::digest_of;
use crate::shop::money::Money;
use crate::shop::ports::{CartObjects, Ports, Prices};
use crate::shop::pricing::{self, Quote, QuoteRequest, ShippingMethod};
use crate::shop::transitions::Status;
use crate::web::call::{Call, Form, idempotency_key};
use crate::web::cart_token::OwnCart;
use crate::web::pages::cart::in_checkout;
use crate::web::pages::layout::{Visit, encoded, page};
use crate::web::reply::Reply;
use maud::{Markup, html};

/// `GET /checkout`, for a cart that can become an order; any other is shown as it is.
///
/// # Errors
/// 401 for a forged cookie.
pub async fn ask(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call)?;
    let Some(own) = OwnCart::of(call)? else {
        return Ok(Reply::see_other(visit.link("/cart")));
    };
    let cart = call.app.carts().view(&own.id).await?;
    if cart.lines.is_empty() || cart.frozen_by.is_some() {
        return Ok(Reply::see_other(visit.link("/cart")));
    }
    let methods = call.app.prices().shipping_methods().await?;
    Ok(page(
        200,
        &visit,
        "Checkout",
        &address_form(&visit, &methods, &Form(vec![]), &[]),
    ))
}

/// `POST /checkout`: makes the quote; a fault is shown beside its field, with what was typed kept.
///
/// # Errors
/// What is not about a field.
pub async fn quote(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call)?;
    let form = call.form().await?;
    let Some(own) = OwnCart::of(call)? else {
        return Ok(Reply::see_other(visit.link("/cart")));
    };
    let app = call.app;
    let cart = app.carts().view(&own.id).await?;
    let request = request_of(&form, &visit);
    let quoted = pricing::create_quote(
        &app.prices(),
        &app.config.currencies,
        app.new_id("quote")?,
        &own.id,
        &cart,
        request,
        app.now,
    )
    .await;
    match quoted {
        Ok(quote) => Ok(Reply::see_other(
            visit.link(&format!("/checkout/{}", quote.id)),
        )),
        Err(Error::Invalid(errors)) => {
            let methods = app.prices().shipping_methods().await?;
            Ok(page(
                422,
                &visit,
                "Checkout",
                &address_form(&visit, &methods, &form, &errors),
            ))
        }
        Err(error) => Err(error),
    }
}

/// `GET /checkout/{quote_id}`: what it costs, to the last unit that is charged.
///
/// # Errors
/// 404 for a quote of another cart.
pub async fn review(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call)?;
    let own = OwnCart::of(call)?;
    let quote = call
        .app
        .prices()
        .quote(call.param(0))
        .await?
        .filter(|quote| own.is_some_and(|own| own.id == quote.cart_id))
        .ok_or(Error::NotFound("quote"))?;
    let key = call.app.new_id("key")?;
    Ok(page(
        200,
        &visit,
        "Review your order",
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
    let own = OwnCart::of(call)?.ok_or(Error::NotFound("cart"))?;
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
    let placed = match place_order(app, checkout, &app.order_links(), app.now).await {
        Ok(placed) => placed.order,
        Err(error) => {
            let order_id = in_checkout(&error).ok_or(error)?;
            return Ok(Reply::see_other(app.order_links().status_path(&order_id)));
        }
    };
    let pay_at = placed
        .payment
        .url
        .filter(|_| placed.status == Status::PendingPayment);
    Ok(Reply::see_other(pay_at.unwrap_or_else(|| {
        app.order_links().status_path(&placed.id)
    })))
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
        codes: vec![],
    }
}

/// A text field: its name, label, `autocomplete` word, and whether it is needed.
const FIELDS: [(&str, &str, &str, bool); 8] = [
    ("email", "Email", "email", true),
    ("name", "Full name", "name", true),
    ("line1", "Address", "address-line1", true),
    ("line2", "Flat, company (optional)", "address-line2", false),
    ("city", "City", "address-level2", false),
    ("region", "State or region", "address-level1", false),
    ("postal_code", "Postal code", "postal-code", false),
    ("country", "Country code, such as US", "country", true),
];

fn address_form(
    visit: &Visit,
    methods: &[ShippingMethod],
    form: &Form,
    errors: &[FieldError],
) -> Markup {
    let shown = |field: &str| FIELDS.iter().any(|(name, ..)| is_of(field, name));
    html! {
        h1 { "Checkout" }
        @for error in errors.iter().filter(|error| !shown(&error.field)) { p class="fault" { (error.detail) } }
        form method="post" action=(visit.link("/checkout")) class="stack" {
            @for (name, label, autocomplete, required) in FIELDS {
                (text_field(name, label, autocomplete, required, form.get(name), errors))
            }
            datalist id="countries" { @for country in COUNTRIES { option value=(country.code) { (country.name) } } }
            fieldset {
                legend { "Shipping" }
                @for (at, method) in methods.iter().enumerate() {
                    @if let Some(amount) = method.prices.get(visit.currency.code()) {
                        label class="choice" {
                            input type="radio" name="shipping_method" value=(method.id) required
                                checked[form.get("shipping_method") == method.id || (at == 0 && form.get("shipping_method").is_empty())];
                            (method.title) " " strong { (Money::new(*amount, visit.currency)) }
                        }
                    }
                }
            }
            button { "Continue to review" }
        }
    }
}

/// A field with its fault beside it: described by it rather than named, so that the label stays the field's name.
fn text_field(
    name: &str,
    label: &str,
    autocomplete: &str,
    required: bool,
    value: &str,
    errors: &[FieldError],
) -> Markup {
    let fault = errors.iter().find(|error| is_of(&error.field, name));
    let fault_id = fault.map(|_| format!("{name}-fault"));
    html! {
        div class="field" {
            label for=(name) { (label) }
            input id=(name) type=(if name == "email" { "email" } else { "text" }) name=(name) value=(value)
                autocomplete=(autocomplete) required[required] list=[(name == "country").then_some("countries")] aria-invalid=[fault.map(|_| "true")]
                aria-describedby=[fault_id.as_ref()] autofocus[fault.is_some() && errors.first() == fault];
            @if let Some(fault) = fault { p class="fault" id=[fault_id] { (fault.detail) } }
        }
    }
}

/// Whether a fault of `field`, the path of a request, is about the input `name`.
fn is_of(field: &str, name: &str) -> bool {
    field.rsplit('.').next() == Some(name)
}

fn review_page(visit: &Visit, quote: &Quote, key: &str) -> Markup {
    let money = |amount| Money::new(amount, quote.currency);
    html! {
        h1 { "Review your order" }
        ul class="lines" {
            @for line in &quote.lines {
                li { div { (line.name()) } span class="price" { (money(line.line_total)) } }
            }
        }
        (totals(&quote.totals, quote.currency))
        (label(&quote.shipping_address))
        form method="post" action=(visit.link(&format!("/checkout/{}", encoded(&quote.id)))) {
            input type="hidden" name="key" value=(key);
            button { "Place order and pay " (money(quote.totals.total)) }
        }
        p { a href=(visit.link("/checkout")) { "Change the address" } }
    }
}

/// An address as on a parcel. Each line has a direction of its own, whatever stands beside it.
#[must_use]
pub fn label(address: &Address) -> Markup {
    html! {
        address { @for line in address.label() { bdi { (line) } br; } }
    }
}

/// The sums of a quote or an order.
#[must_use]
pub fn totals(totals: &pricing::Totals, currency: crate::shop::money::Currency) -> Markup {
    let money = |amount| Money::new(amount, currency);
    html! {
        dl class="totals" {
            dt { "Subtotal" } dd { (money(totals.subtotal)) }
            @if totals.discount_total > 0 { dt { "Discount" } dd { (money(totals.discount_total.saturating_neg())) } }
            dt { "Shipping" } dd { (money(totals.shipping_total)) }
            dt { "Tax" } dd { (money(totals.tax_total)) }
            dt { "Total" } dd { strong { (money(totals.total)) } }
        }
    }
}
