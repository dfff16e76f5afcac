//! Checkout in two pages: the address, then the price. Placing the order leads to the payment page.

mod form;

use crate::web::http::call::{Call, Form, idempotency_key};
use crate::web::http::guard;
use crate::web::http::order_token::keep_open;
use crate::web::http::reply::{Reply, headers_of};
use crate::web::pages::challenge;
use crate::web::pages::checkout::form::{
    Offered, address_form, asks_for_fields, nothing_typed, request_of, typed_in,
};
use crate::web::pages::error::sentences_of;
use crate::web::pages::head::not_to_be_found;
use crate::web::pages::layout::{page, page_with};
use crate::web::pages::paths::encoded;
use crate::web::pages::pictures::{Fetched, picture};
use crate::web::pages::purchase::{label, quote_lines, shipping, totals};
use crate::web::pages::visit::{PageContext, order_path};
use maud::{Markup, html};
use shop::cart::ports::CartPorts;
use shop::cart::{CartObjects, PricedCart, price_cart};
use shop::checkout::freezing::order_in_the_way;
use shop::checkout::ports::CheckoutPorts;
use shop::checkout::quoting::list_shipping_methods;
use shop::checkout::record::Checkout;
use shop::checkout::{place_order, quoting};
use shop::codes::Code;
use shop::error::{Error, FieldError, Result};
use shop::orders::transitions::OrderStatus;
use shop::pricing::places::Destination;
use shop::pricing::price_list::Prices;
use shop::pricing::quote::Quote;
use shop::values::ids::{CartId, OrderId, QuoteId, digest_of};
use shop::values::money::Money;

/// `GET /checkout`: the address form, for a cart that can become an order; for any other, the cart
/// page. `?quote=` fills in the values of that quote, `?country=` sets the country.
///
/// # Errors
/// 401 for a forged cookie.
pub async fn ask(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let Some(own) = call.identity().cart()? else {
        return Ok(Reply::see_other(visit.link("/cart")));
    };
    let cart = call.app.carts().view(&own.id).await?;
    if cart.lines.is_empty() || cart.frozen_by.is_some() {
        return Ok(Reply::see_other(visit.link("/cart")));
    }
    let typed = match call.query("quote") {
        Some(id) => quote_of_cart(call, &QuoteId::new(id), &own.id)
            .await?
            .map(|quote| typed_in(&quote)),
        None => None,
    };
    let typed = typed.unwrap_or_else(|| nothing_typed(call));
    address_page(call, visit, 200, &cart, &typed, &[]).await
}

/// `POST /checkout`: creates the quote. Errors are shown beside their fields, with the typed values
/// kept. The button beside a country only shows the fields of that country.
///
/// # Errors
/// Those that don't concern a field.
pub async fn quote(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?.at("/checkout");
    let form = call.form().await?;
    let Some(own) = call.identity().cart()? else {
        return Ok(Reply::see_other(visit.link("/cart")));
    };
    let app = call.app;
    let cart = app.carts().view(&own.id).await?;
    if asks_for_fields(&form) {
        return address_page(call, visit, 200, &cart, &form, &[]).await;
    }
    let request = request_of(&form, &visit);
    let has_codes = !request.codes.is_empty();
    let unique = app.unique()?;
    let quoted = quoting::create_quote(
        app,
        &call.channel,
        &unique,
        &own.id,
        &cart,
        request,
        app.now,
    );
    let tries = app.code_tries(guard::network(call), &own.id);
    match tries.count(has_codes, app.now, quoted).await {
        Ok(quote) => Ok(Reply::see_other(
            visit.link(&format!("/checkout/{}", quote.id)),
        )),
        Err(Error::Invalid(errors)) => address_page(call, visit, 422, &cart, &form, &errors).await,
        Err(error @ Error::TooMany { code, .. }) => {
            let fault = FieldError::new("codes.0", code, error.detail());
            let mut page = address_page(call, visit, 429, &cart, &form, &[fault]).await?;
            page.headers.extend(headers_of(&error));
            Ok(page)
        }
        Err(error) => Err(error),
    }
}

/// `GET /checkout/{quote_id}`: the review page with the final price.
///
/// # Errors
/// 404 for a quote of another cart.
pub async fn review(call: &mut Call<'_>) -> Result<Reply> {
    let own = call.identity().cart()?.ok_or(Error::NotFound("quote"))?;
    let quote_id = QuoteId::new(call.param(0).to_owned());
    let quote = quote_of_cart(call, &quote_id, &own.id)
        .await?
        .ok_or(Error::NotFound("quote"))?;
    let visit = PageContext::of_or_in(call, quote.currency).await;
    let key = call.app.new_id("key")?;
    Ok(review_page(call, &visit, 200, &quote, &key, &[]).await)
}

/// `POST /checkout/{quote_id}`: places the order and redirects to its payment. The key in the form
/// makes a double click place only one order.
///
/// # Errors
/// 409 with the reason.
pub async fn place(call: &mut Call<'_>) -> Result<Reply> {
    let form = call.form().await?;
    call.app.config.check_payments()?;
    let visit = PageContext::of(call).await?;
    let Some(own) = call.identity().cart()? else {
        return Ok(Reply::see_other(visit.link("/cart")));
    };
    let app = call.app;
    let quote_id = QuoteId::new(call.param(0).to_owned());
    let checkout = Checkout {
        order_id: OrderId::new(app.new_id("ord")?),
        cart_id: own.id,
        idempotency_key: idempotency_key(form.get("key"))?,
        request_hash: digest_of(quote_id.as_str().as_bytes()),
        quote_id,
        billing_address: None,
        jitter: app.jitter(),
        visitor: guard::visitor(call, form.get(challenge::FIELD)),
    };
    let links = app.order_links().in_language(call.language);
    let placed = match place_order(app, &checkout, &links, app.now).await {
        Ok(placed) => placed.order,
        Err(error) => return not_placed(call, &visit, &checkout, error).await,
    };
    let pay_at = placed
        .payment
        .url
        .filter(|_| placed.status == OrderStatus::PendingPayment);
    // The browser returns from payment without a token in its URL.
    let there = Reply::see_other(pay_at.unwrap_or_else(|| order_path(&visit, &placed.id)));
    Ok(keep_open(there, call, &placed.id))
}

/// Redirects to the order that is in the way. Shows the form if its address is no longer complete,
/// or the same page again if a proof may raise the limit that was reached.
async fn not_placed(
    call: &Call<'_>,
    visit: &PageContext,
    checkout: &Checkout,
    error: Error,
) -> Result<Reply> {
    if let Some(order_id) = order_in_the_way(&error) {
        let there = Reply::see_other(order_path(visit, &order_id));
        return Ok(keep_open(there, call, &order_id));
    }
    if let Error::Invalid(errors) = &error
        && let Some(quote) = quote_of_cart(call, &checkout.quote_id, &checkout.cart_id).await?
    {
        let cart = call.app.carts().view(&checkout.cart_id).await?;
        let visit = PageContext::of_or_in(call, quote.currency)
            .await
            .at("/checkout");
        return address_page(call, visit, 422, &cart, &typed_in(&quote), errors).await;
    }
    let asks_for_proof = call.app.config.widget().is_some();
    if !asks_for_proof || !matches!(error, Error::TooMany { .. }) {
        return Err(error);
    }
    let quote = quote_of_cart(call, &checkout.quote_id, &checkout.cart_id).await?;
    let Some(quote) = quote else {
        return Err(error);
    };
    let here = format!("/checkout/{}", encoded(quote.id.as_str()));
    let visit = PageContext::of_or_in(call, quote.currency).await.at(&here);
    let texts = visit.texts();
    let mut told = sentences_of(texts, &error);
    if error.code() == Code::TooManyUnprovedOrders || checkout.visitor.solution.is_none() {
        told.insert(0, texts.challenge_may_help.to_owned());
    }
    let key = &checkout.idempotency_key;
    let mut page = review_page(call, &visit, 429, &quote, key, &told).await;
    page.headers.extend(headers_of(&error));
    Ok(page)
}

async fn quote_of_cart(
    call: &Call<'_>,
    quote_id: &QuoteId,
    cart_id: &CartId,
) -> Result<Option<Quote>> {
    let quote = call.app.prices().quote(quote_id).await?;
    Ok(quote.filter(|quote| quote.cart_id == *cart_id))
}

async fn address_page(
    call: &Call<'_>,
    visit: PageContext,
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
    Ok(page(status, &visit, visit.texts().checkout, &content))
}

/// Returns the shipping methods for the place that the form names, or all methods while it names no
/// place that is shipped to. If the cart can't be priced at all, the reason is among the form's
/// errors.
async fn methods_for(
    call: &Call<'_>,
    visit: &PageContext,
    cart: &durable::cart::Cart,
    typed: &Form,
) -> Offered {
    let (prices, now) = (call.app.prices(), call.app.now);
    let there = Destination::of(&request_of(typed, visit).shipping_address);
    let currency = visit.currency;
    if !there.country.is_empty()
        && let Ok(methods) = list_shipping_methods(&prices, currency, cart, Some(there), now).await
    {
        return Offered::There(methods);
    }
    let methods = list_shipping_methods(&prices, currency, cart, None, now).await;
    Offered::Anywhere(methods.unwrap_or_default())
}

fn cart_summary(visit: &PageContext, cart: &PricedCart) -> Markup {
    let texts = visit.texts();
    html! {
        aside class="summary" aria-labelledby="summary" {
            h2 id="summary" { (texts.order_summary) }
            ul class="lines" {
                @for line in &cart.lines {
                    li {
                        @if let Some(image) = &line.image { (picture(image, "", (64, 64), Fetched::Now)) }
                        div {
                            span class="title" { bdi { (line.title) } }
                            p class="quiet" { @if !line.variant_title.is_empty() { bdi { (line.variant_title) } " · " } (texts.quantity) " " (line.quantity) }
                        }
                        @if let Some(total) = line.line_total { span class="price" { (visit.money(total)) } }
                    }
                }
            }
            p class="total" { (texts.subtotal) " " strong { (visit.money(cart.subtotal)) } }
            p class="quiet" { (texts.shipping_and_tax_next) }
        }
    }
}

/// Renders the price of a quote and the button that orders it. `told` explains why it was not
/// ordered just now.
async fn review_page(
    call: &Call<'_>,
    visit: &PageContext,
    status: u16,
    quote: &Quote,
    key: &str,
    told: &[String],
) -> Reply {
    let config = &call.app.config;
    let head = html! { (not_to_be_found()) (challenge::script(config)) };
    let content = review_content(call, visit, quote, key, told).await;
    let title = visit.texts().review_your_order;
    let mut reply = page_with(status, visit, title, &head, &content);
    reply.headers.extend(challenge::policy(config));
    reply
}

async fn review_content(
    call: &Call<'_>,
    visit: &PageContext,
    quote: &Quote,
    key: &str,
    told: &[String],
) -> Markup {
    let texts = visit.texts();
    let total = visit.money(Money::new(quote.totals.total, quote.currency));
    let lines = quote_lines(call, visit, &quote.lines, quote.currency).await;
    html! {
        (steps(visit, Step::Review))
        div class="checkout" {
            div class="stack" {
                h1 { (texts.review_your_order) }
                @if !told.is_empty() {
                    div class="notice fault" role="alert" { @for sentence in told { p { (sentence) } } }
                }
                div class="panel" {
                    div class="parties" {
                        section { h2 { (texts.ship_to) } (label(visit, &quote.shipping_address)) }
                        section {
                            h2 { (texts.billed_to) }
                            @match &quote.billing_address {
                                Some(billing) => (label(visit, billing)),
                                None => p { (texts.same_as_delivery) },
                            }
                        }
                        section { h2 { (texts.shipping) } (shipping(visit, &quote.terms.shipping)) }
                        section { h2 { (texts.contact) } p { bdi { (quote.email) } } }
                    }
                    p { a href=(visit.link(&format!("/checkout?quote={}", encoded(quote.id.as_str())))) { (texts.change_address) } }
                }
                (lines)
            }
            aside class="summary" aria-labelledby="summary" {
                h2 id="summary" { (texts.order_summary) }
                ul class="lines" {
                    @for promotion in quote.terms.promotions.iter().filter(|it| it.discount > 0) {
                        li {
                            div {
                                bdi { (promotion.title) }
                                @if promotion.checked_at_order { p class="quiet" { (texts.promotion_checked_at_order) } }
                            }
                            span class="price" { (visit.money(Money::new(promotion.discount.saturating_neg(), quote.currency))) }
                        }
                    }
                }
                (totals(visit, &quote.totals, &quote.terms, quote.currency))
                form method="post" action=(visit.link(&format!("/checkout/{}", encoded(quote.id.as_str())))) {
                    input type="hidden" name="key" value=(key);
                    (challenge::widget(visit, &call.app.config))
                    button class="wide" { (texts.place_order) " · " (total) }
                }
                p class="quiet" { (texts.payment_follows) }
            }
        }
    }
}

/// Step of the checkout that a page belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Step {
    Cart,
    Address,
    Review,
    Payment,
}

fn steps(visit: &PageContext, now: Step) -> Markup {
    let texts = visit.texts();
    let all = [
        (Step::Cart, texts.cart),
        (Step::Address, texts.step_address),
        (Step::Review, texts.step_review),
        (Step::Payment, texts.step_payment),
    ];
    html! {
        nav class="steps" aria-label=(texts.steps) {
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
