//! The cart page and its forms.

use crate::error::{Error, Result};
use crate::shop::cart::{PricedCart, PricedLine, change_cart, invalid_quantity, price_cart};
use crate::shop::catalog::get_product_of_sku;
use crate::shop::ports::{CartObjects, Ports};
use crate::shop::stock::most_for_one;
use crate::web::call::{Call, Form};
use crate::web::cart_token::OwnCart;
use crate::web::pages::layout::{Visit, encoded, page_with};
use crate::web::pages::metadata::{self, Metadata, about_the_cart};
use crate::web::pages::pictures::{Fetched, picture};
use crate::web::pages::products::stock_words;
use crate::web::reply::Reply;
use durable::cart::{Cart, Change, MAX_QUANTITY};
use maud::{Markup, html};

/// `GET /cart`
///
/// # Errors
/// 401 for a forged cookie.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let visit = Visit::of(call)?;
    let cart = match OwnCart::of(call)? {
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
    let content = if priced.lines.is_empty() {
        empty_cart(&visit)
    } else {
        cart_page(call, &visit, &priced)
    };
    let metadata = Metadata {
        title: "Cart",
        description: &about_the_cart(visit.language),
        path: "/cart",
        image: None,
        structured: Vec::new(),
    };
    let head = metadata::tags(call.app, &visit, &metadata);
    Ok(page_with(200, &visit, "Cart", &head, &content))
}

/// `POST /cart/items` with `sku` and `quantity`: so many more, then back to the cart.
///
/// # Errors
/// 422 `unknown_sku`, `invalid_quantity`; 409 `cart_in_checkout`.
pub async fn add(call: &mut Call<'_>) -> Result<Reply> {
    let form = call.form().await?;
    let quantity = read_quantity(&form, 1)?;
    let sku = form.get("sku").to_owned();
    get_product_of_sku(&call.app.catalog(), &sku).await?;
    let at_most = most_for_one(&call.app.public_stocks(), &sku).await?;
    let added = Change::Add {
        sku,
        quantity,
        at_most,
    };
    change(call, added).await
}

/// `POST /cart/items/{sku}` with `quantity`: so many from now on; 0 takes it out.
///
/// # Errors
/// As [`add`].
pub async fn set(call: &mut Call<'_>) -> Result<Reply> {
    let form = call.form().await?;
    let quantity = read_quantity(&form, 0)?;
    let sku = call.param(0).to_owned();
    if quantity > 0 {
        get_product_of_sku(&call.app.catalog(), &sku).await?;
    }
    let at_most = most_for_one(&call.app.public_stocks(), &sku).await?;
    let set = Change::Set {
        sku,
        quantity,
        at_most,
    };
    change(call, set).await
}

async fn change(call: &Call<'_>, change: Change) -> Result<Reply> {
    let visit = Visit::of(call)?;
    let own = OwnCart::of_or_new(call)?;
    change_cart(
        &call.app.carts(),
        &own.id,
        call.operation_id()?,
        None,
        change,
    )
    .await?;
    Ok(Reply::see_other(visit.link("/cart")).with("Set-Cookie", own.cookie(call.app)))
}

fn read_quantity(form: &Form, min: u32) -> Result<u32> {
    form.get("quantity")
        .parse()
        .ok()
        .filter(|quantity| (min..=MAX_QUANTITY).contains(quantity))
        .ok_or_else(|| invalid_quantity(MAX_QUANTITY))
}

fn empty_cart(visit: &Visit) -> Markup {
    html! {
        section class="notice" {
            h1 { "Your cart is empty" }
            p { a class="button" href=(visit.link("/products")) { "Find something you like" } }
        }
    }
}

fn cart_page(call: &Call<'_>, visit: &Visit, cart: &PricedCart) -> Markup {
    html! {
        h1 { "Your cart" }
        @if let Some(order_id) = &cart.frozen_by {
            p class="notice" {
                "An order from this cart is waiting for its payment. "
                a href=(call.app.order_links().status_path(order_id)) { "See the order" }
            }
        }
        ul class="lines" {
            @for line in &cart.lines { (cart_line(visit, line, cart.frozen_by.is_none())) }
        }
        p class="total" { "Subtotal " strong { (cart.subtotal) } }
        p class="quiet" { "Shipping and tax are added at checkout." }
        @if cart.frozen_by.is_none() {
            p { a class="button" href=(visit.link("/checkout")) { "Check out" } }
        }
    }
}

fn cart_line(visit: &Visit, line: &PricedLine, changeable: bool) -> Markup {
    html! {
        li {
            @if let Some(image) = &line.image { (picture(image, "", (80, 80), Fetched::Now)) }
            div {
                @match &line.handle {
                    Some(handle) => a href=(visit.link(&format!("/products/{}?sku={}", encoded(handle), encoded(&line.sku)))) { (line.title) },
                    None => span { (line.title) },
                }
                @if !line.variant_title.is_empty() { p class="quiet" { (line.variant_title) } }
                (stock_words(&line.sku, line.stock))
                @if changeable { (line_forms(visit, line)) } @else { p { "Quantity " (line.quantity) } }
            }
            @match line.line_total {
                Some(total) => span class="price" { (total) },
                None => span class="price quiet" { "Not available in " (visit.currency) },
            }
        }
    }
}

fn line_forms(visit: &Visit, line: &PricedLine) -> Markup {
    let action = visit.link(&format!("/cart/items/{}", encoded(&line.sku)));
    html! {
        form method="post" action=(action) class="inline" {
            label { "Quantity "
                input type="number" name="quantity" value=(line.quantity) min="0" max=(MAX_QUANTITY) inputmode="numeric" required;
            }
            button class="quiet" { "Update" }
        }
        form method="post" action=(action) class="inline" {
            input type="hidden" name="quantity" value="0";
            button class="quiet" aria-label=(format!("Remove {}", line.title)) { "Remove" }
        }
    }
}

/// 409 for a shopper whose cart has an order already.
pub fn in_checkout(error: &Error) -> Option<String> {
    match error {
        Error::Conflict {
            code: "cart_in_checkout",
            data,
            ..
        } => data.get("order_id")?.as_str().map(str::to_owned),
        _ => None,
    }
}
