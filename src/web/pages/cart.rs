//! The cart page and its forms.

use crate::web::http::call::{Call, Form};
use crate::web::http::order_token::keep_open;
use crate::web::http::reply::Reply;
use crate::web::pages::icons::{BAG, icon};
use crate::web::pages::layout::page_with;
use crate::web::pages::metadata;
use crate::web::pages::metadata::Metadata;
use crate::web::pages::orders::{CART, LEADS_TO};
use crate::web::pages::paths::{encoded, product_path};
use crate::web::pages::pictures::{Fetched, picture};
use crate::web::pages::products::stock_words;
use crate::web::pages::visit::{PageContext, order_path};
use durable::cart::{Cart, Change, MAX_QUANTITY};
use maud::{Markup, html};
use shop::cart::ports::CartPorts;
use shop::cart::{CartObjects, PricedCart, PricedLine, invalid_quantity, price_cart};
use shop::catalog::availability::most_for_one;
use shop::catalog::version::get_product_of_sku;
use shop::checkout::freezing::change_cart;
use shop::error::Result;
use shop::orders::links::status_path;
use shop::values::ids::{OrderId, Sku};

/// `GET /cart`: the cart page.
///
/// # Errors
/// 401 for a forged cookie.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = PageContext::of(call).await?;
    let cart = match call.identity().cart()? {
        Some(own) => call.app.carts().view(&own.id).await?,
        None => Cart::default(),
    };
    let priced = price_cart(
        &call.app.catalog(),
        &call.app.public_stocks(),
        &cart,
        visit.currency,
    )
    .await?;
    let content = html! {
        section class="cart" id="cart" data-count=(priced.quantity()) {
            @if priced.lines.is_empty() { (empty_cart(&visit)) } @else { (cart_page(&visit, &priced)) }
        }
    };
    let metadata = Metadata {
        title: visit.texts().your_cart,
        description: &(visit.texts().about_the_cart)(),
        path: "/cart",
        image: None,
        structured: Vec::new(),
    };
    let head = metadata::tags(&visit, &metadata);
    let title = visit.texts().your_cart;
    let reply = page_with(200, &visit, title, &head, &content);
    // Whoever holds the cart may also see the order that has frozen it.
    Ok(match &priced.frozen_by {
        Some(order_id) => keep_open(reply, call, order_id),
        None => reply,
    })
}

/// `POST /cart/items` with `sku` and `quantity`: adds units, then redirects to the cart.
///
/// # Errors
/// 422 `unknown_sku`, `invalid_quantity`; 409 `cart_in_checkout`.
pub async fn add(call: &mut Call<'_>) -> Result<Reply> {
    let form = call.form().await?;
    let quantity = read_quantity(&form, 1)?;
    let sku = Sku::new(form.get("sku").to_owned());
    get_product_of_sku(&call.app.catalog(), &sku).await?;
    let at_most = most_for_one(&call.app.public_stocks(), &sku).await?;
    let added = Change::Add {
        sku: sku.into_string(),
        quantity,
        at_most,
    };
    change(call, added).await
}

/// `POST /cart/items/{sku}` with `quantity`: sets the quantity; 0 removes the line.
///
/// # Errors
/// Those of [`add`].
pub async fn set(call: &mut Call<'_>) -> Result<Reply> {
    let form = call.form().await?;
    let quantity = read_quantity(&form, 0)?;
    let sku = Sku::new(call.param(0).to_owned());
    if quantity > 0 {
        get_product_of_sku(&call.app.catalog(), &sku).await?;
    }
    let at_most = most_for_one(&call.app.public_stocks(), &sku).await?;
    let set = Change::Set {
        sku: sku.into_string(),
        quantity,
        at_most,
    };
    change(call, set).await
}

async fn change(call: &Call<'_>, change: Change) -> Result<Reply> {
    let own = call.identity().cart_or_new()?;
    let (app, operation_id) = (call.app, call.operation_id()?);
    change_cart(app, &own.id, operation_id, None, change, app.now).await?;
    let visit = PageContext::of(call).await?;
    Ok(Reply::see_other(visit.link("/cart")).with("Set-Cookie", own.cookie(call.app)))
}

/// Reads the quantity of the button that was pressed, or else the one that was typed.
fn read_quantity(form: &Form, min: u32) -> Result<u32> {
    let typed = form.get("quantity");
    let pressed = Some(form.get("step")).filter(|step| !step.is_empty());
    pressed
        .unwrap_or(typed)
        .parse()
        .ok()
        .filter(|quantity| (min..=MAX_QUANTITY).contains(quantity))
        .ok_or_else(|| invalid_quantity(MAX_QUANTITY))
}

fn empty_cart(visit: &PageContext) -> Markup {
    let texts = visit.texts();
    html! {
        div class="empty" {
            (icon(BAG))
            h1 { (texts.cart_is_empty) }
            p { (texts.cart_is_empty_hint) }
            p { a class="button" href=(visit.link("/products")) { (texts.browse_all) } }
        }
    }
}

fn cart_page(visit: &PageContext, cart: &PricedCart) -> Markup {
    let texts = visit.texts();
    let changeable = cart.frozen_by.is_none();
    html! {
        h1 { (texts.your_cart) }
        @if let Some(order_id) = &cart.frozen_by {
            div class="notice" {
                p { (texts.cart_in_checkout) " " a href=(order_path(visit, order_id)) { (texts.see_the_order) } }
                (change_cart_form(visit, order_id))
            }
        }
        ul class="lines" {
            @for line in &cart.lines { (cart_line(visit, line, changeable)) }
        }
        div class="sum" {
            p class="total" { (texts.subtotal) " " strong { (visit.money(cart.subtotal)) } }
            p class="quiet" { (texts.shipping_and_tax_later) }
            @if changeable {
                a class="button wide" href=(visit.link("/checkout")) { (texts.check_out) }
            }
        }
    }
}

fn cart_line(visit: &PageContext, line: &PricedLine, changeable: bool) -> Markup {
    let texts = visit.texts();
    html! {
        li {
            @if let Some(image) = &line.image { (picture(image, "", (88, 88), Fetched::Now)) } @else { span class="no-image" {} }
            div {
                @match &line.handle {
                    Some(handle) => a class="title" href=(visit.link(&product_path(handle, Some(&line.sku)))) { bdi { (line.title) } },
                    None => span class="title" { (texts.no_longer_on_sale) },
                }
                @if !line.variant_title.is_empty() { p class="quiet" { bdi { (line.variant_title) } } }
                (stock_words(visit, &line.sku, line.stock))
                @if changeable { (line_forms(visit, line)) } @else { p { (texts.quantity) " " (line.quantity) } }
            }
            p class="price" {
                @match line.line_total {
                    Some(total) => (visit.money(total)),
                    None => span class="quiet" { ((texts.not_sold_in)(visit.currency.code())) },
                }
            }
        }
    }
}

/// Returns the form that changes a quantity, by its buttons or by typing. Enter presses its first
/// button.
fn line_forms(visit: &PageContext, line: &PricedLine) -> Markup {
    let texts = visit.texts();
    let action = visit.link(&format!("/cart/items/{}", encoded(&line.sku)));
    let id = format!("quantity-{}", line.sku);
    let (less, more) = (
        line.quantity.saturating_sub(1),
        line.quantity.saturating_add(1),
    );
    html! {
        div class="change" {
            form class="stepper" method="post" action=(action) data-swap="cart" data-auto {
                button class="update secondary scriptless" { (texts.update) }
                button id=(format!("less-{}", line.sku)) name="step" value=(less) aria-label=((texts.one_less)(&line.title)) { "−" }
                label class="unseen" for=(id) { (texts.quantity) }
                input id=(id) type="number" name="quantity" value=(line.quantity) min="0" max=(MAX_QUANTITY) inputmode="numeric" required;
                button id=(format!("more-{}", line.sku)) name="step" value=(more) aria-label=((texts.one_more)(&line.title)) disabled[more > MAX_QUANTITY] { "+" }
            }
            form method="post" action=(action) data-swap="cart" {
                button class="link" name="step" value="0" aria-label=((texts.remove_item)(&line.title)) { (texts.remove) }
            }
        }
    }
}

/// Returns the button that unfreezes a cart by cancelling its order. The order can't be paid any
/// more, and the cart is shown.
#[must_use]
pub fn change_cart_form(visit: &PageContext, order_id: &OrderId) -> Markup {
    html! {
        form method="post" action=(visit.link(&format!("{}/cancel", status_path(order_id)))) {
            button class="secondary" name=(LEADS_TO) value=(CART) { (visit.texts().cancel_and_change) }
        }
    }
}
