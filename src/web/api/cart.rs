//! `/api/v1/cart`: every response is the whole cart, with its token in `Cart-Token` and its version
//! in `ETag`.

use crate::web::api::whole;
use crate::web::http::call::Call;
use crate::web::http::cart_token::{HEADER, OwnCart};
use crate::web::http::guard;
use crate::web::http::reply::Reply;
use crate::web::views::absolute;
use crate::web::views::pricing::{QuoteView, ShippingOffersView};
use durable::cart::{Cart, Change, MAX_QUANTITY};
use durable::stock::Availability;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use shop::cart::ports::CartPorts;
use shop::cart::{CartObjects, ChangedCart, PricedCart, invalid_quantity, price_cart};
use shop::catalog::availability::most_for_one;
use shop::catalog::version::read_sku;
use shop::checkout::freezing::change_cart;
use shop::checkout::ports::CheckoutPorts;
use shop::checkout::quoting;
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::pricing::places::Destination;
use shop::pricing::quote::QuoteRequest;
use shop::values::channel::Channel;
use shop::values::money::{Currency, Money};
use shop::values::typing::plain_text;

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct NewItem {
    sku: String,
    #[cfg_attr(test, schema(value_type = u32))]
    quantity: Number,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ItemQuantity {
    #[cfg_attr(test, schema(value_type = u32))]
    quantity: Number,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct NewNote {
    note: String,
}

/// `GET /api/v1/cart?currency=`: Returns the cart at current prices.
///
/// # Errors
/// 401 `invalid_cart_token`, 422 `unknown_currency`.
pub async fn get_cart(call: &mut Call<'_>) -> Result<Reply> {
    match call.identity().cart()? {
        Some(own) => {
            let cart = call.app.carts().view(&own.id).await?;
            whole_cart(call, &own, &cart).await
        }
        None => whole_cart(call, &OwnCart::new(call.app)?, &Cart::default()).await,
    }
}

/// `POST /api/v1/cart/items {sku, quantity}`: Adds units of a SKU, up to the limit of a line.
///
/// # Errors
/// 422 `unknown_sku`, `invalid_quantity`, `over_limit`, `too_many_lines`; 412 `stale_version`; 409
/// `cart_in_checkout`.
pub async fn add_cart_item(call: &mut Call<'_>) -> Result<Reply> {
    let (item, _) = call.json::<NewItem>().await?;
    let quantity = read_quantity(&item.quantity)?;
    let own = call.identity().cart_or_new()?;
    let sku = read_sku(&call.app.catalog(), &item.sku).await?;
    let at_most = most_for_one(&call.app.public_stocks(), &sku).await?;
    let added = Change::Add {
        sku: sku.into_string(),
        quantity,
        at_most,
    };
    change(call, &own, added).await
}

/// `PUT /api/v1/cart/items/{sku} {quantity}`: Sets the quantity of a line, up to the limit of a
/// line.
///
/// # Errors
/// Those of [`add_cart_item`].
pub async fn set_cart_item(call: &mut Call<'_>) -> Result<Reply> {
    let (item, _) = call.json::<ItemQuantity>().await?;
    let quantity = read_quantity(&item.quantity)?;
    let own = call.identity().cart_or_new()?;
    let sku = read_sku(&call.app.catalog(), call.param(0)).await?;
    let at_most = most_for_one(&call.app.public_stocks(), &sku).await?;
    let set = Change::Set {
        sku: sku.into_string(),
        quantity,
        at_most,
    };
    change(call, &own, set).await
}

/// `DELETE /api/v1/cart/items/{sku}`: Removes a line. Removing a line that does not exist is not an
/// error.
///
/// # Errors
/// 412 `stale_version`, 409 `cart_in_checkout`.
pub async fn remove_cart_item(call: &mut Call<'_>) -> Result<Reply> {
    let own = call.identity().cart_or_new()?;
    let typed = call.param(0);
    // A line may outlive its product, so a SKU without a product is removed exactly as it was sent.
    let sku = match plain_text(typed) {
        plain if plain == typed => plain,
        _ => match read_sku(&call.app.catalog(), typed).await {
            Err(Error::Invalid(_)) => typed.to_owned(),
            read => read?.into_string(),
        },
    };
    change(call, &own, Change::Remove { sku }).await
}

/// `DELETE /api/v1/cart`: Removes all lines and the note.
///
/// # Errors
/// 412 `stale_version`, 409 `cart_in_checkout`.
pub async fn clear_cart(call: &mut Call<'_>) -> Result<Reply> {
    let own = call.identity().cart_or_new()?;
    change(call, &own, Change::Clear).await
}

/// `PUT /api/v1/cart/note {note}`: Sets the note to the merchant. An empty note removes it.
///
/// # Errors
/// 422 `note_too_long`, 412 `stale_version`, 409 `cart_in_checkout`.
pub async fn set_cart_note(call: &mut Call<'_>) -> Result<Reply> {
    let (NewNote { note }, _) = call.json::<NewNote>().await?;
    let own = call.identity().cart_or_new()?;
    change(call, &own, Change::Note { note }).await
}

/// `GET /api/v1/cart/shipping-methods?country=&region=&postal_code=&currency=`: Lists the shipping
/// methods for the cart and destination, with their prices. Without a country, lists each method at
/// its lowest price.
///
/// # Errors
/// 401 `invalid_cart_token`; 422 `not_shipped_there`, `unknown_sku`, `not_sold_in_currency`,
/// `amount_too_large`.
pub async fn list_shipping_methods(call: &mut Call<'_>) -> Result<Reply> {
    let (currency, now) = (call.currency()?, call.app.now);
    let cart = match call.identity().cart()? {
        Some(own) => call.app.carts().view(&own.id).await?,
        None => Cart::default(),
    };
    let [region, postal_code] = ["region", "postal_code"].map(|name| call.query(name));
    let destination = call
        .query("country")
        .map(|country| Destination::new(&country, region.as_deref(), postal_code.as_deref()));
    let prices = call.app.prices();
    let offers = quoting::list_shipping_methods(&prices, currency, &cart, destination, now).await?;
    Reply::json(200, &ShippingOffersView::of(&offers, currency))
}

/// `POST /api/v1/cart/quote {currency, shipping_address, billing_address?, shipping_method, email,
/// codes[], vat_number?}`: Prices the cart for an address and shipping method.
///
/// # Errors
/// 422 naming each field: `required`, `too_long`, `control_character`, `invalid_email`,
/// `invalid_country`, `invalid_region`, `invalid_postal_code`, `invalid_phone`, `phone_required`,
/// `unknown_shipping_method`, `cart_empty`, `unknown_sku`, `not_sold_in_currency`,
/// `amount_too_large`, `not_shipped_there`, `below_smallest_charge`, `above_largest_charge`,
/// `invalid_vat_number`, `too_many_codes`, `unknown_code`, `code_not_started`, `code_ended`,
/// `code_used_up`, `code_not_met`. 409 `promotion_contended`. 429 `too_many_failed_codes`:
/// meanwhile, a quote without codes can be requested.
pub async fn create_quote(call: &mut Call<'_>) -> Result<Reply> {
    let (request, _) = call.json::<QuoteRequest>().await?;
    let own = call.identity().cart_or_new()?;
    let cart = call.app.carts().view(&own.id).await?;
    let (has_codes, unique) = (!request.codes.is_empty(), call.app.unique()?);
    let quote = quoting::create_quote(
        call.app,
        &call.channel,
        &unique,
        &own.id,
        &cart,
        request,
        call.app.now,
    );
    let tries = call.app.code_tries(guard::network(call), &own.id);
    let quote = tries.count(has_codes, call.app.now, quote).await?;
    Ok(Reply::json(201, &QuoteView::of(&quote))?.with(HEADER, own.token))
}

async fn change(call: &Call<'_>, own: &OwnCart, change: Change) -> Result<Reply> {
    let (app, operation_id, if_version) = (call.app, call.operation_id()?, call.if_match()?);
    let ChangedCart { cart, replayed } =
        change_cart(app, &own.id, operation_id, if_version, change, app.now).await?;
    let reply = whole_cart(call, own, &cart).await?;
    Ok(if replayed {
        reply.with("Idempotent-Replayed", "true")
    } else {
        reply
    })
}

async fn whole_cart(call: &Call<'_>, own: &OwnCart, cart: &Cart) -> Result<Reply> {
    let currency = call.currency()?;
    let priced = price_cart(
        &call.app.catalog(),
        &call.app.public_stocks(),
        cart,
        currency,
    )
    .await?;
    Ok(Reply::json(
        200,
        &CartView::of(&call.channel, own, cart, &priced, currency),
    )?
    .with("ETag", format!("\"{}\"", cart.version))
    .with(HEADER, own.token.clone()))
}

fn read_quantity(number: &Number) -> Result<u32> {
    whole(number, 1..=MAX_QUANTITY.into()).ok_or_else(|| invalid_quantity(MAX_QUANTITY))
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct CartView<'a> {
    id: &'a str,
    version: u64,
    #[cfg_attr(test, schema(value_type = String))]
    currency: Currency,
    lines: Vec<LineView<'a>>,
    subtotal: Money,
    quantity: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    order_id: Option<&'a str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct LineView<'a> {
    sku: &'a str,
    quantity: u32,
    title: &'a str,
    variant_title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    image: Option<String>,
    #[cfg_attr(test, schema(required))]
    unit_price: Option<Money>,
    #[cfg_attr(test, schema(required))]
    line_total: Option<Money>,
    #[cfg_attr(test, schema(schema_with = crate::web::views::schemas::availability))]
    stock: Availability,
}

impl<'a> CartView<'a> {
    fn of(
        channel: &Channel,
        own: &'a OwnCart,
        stored: &'a Cart,
        cart: &'a PricedCart,
        currency: Currency,
    ) -> Self {
        let whole = |url: &str| absolute(&channel.origin, url);
        Self {
            id: &own.id,
            version: cart.version,
            currency,
            lines: cart
                .lines
                .iter()
                .map(|line| LineView {
                    sku: &line.sku,
                    quantity: line.quantity,
                    title: &line.title,
                    variant_title: &line.variant_title,
                    image: line.image.as_deref().and_then(whole),
                    unit_price: line.unit_price,
                    line_total: line.line_total,
                    stock: line.stock,
                })
                .collect(),
            subtotal: cart.subtotal,
            quantity: cart.quantity(),
            note: &stored.note,
            order_id: cart.frozen_by.as_deref(),
        }
    }
}

/// Returns 422 for a caller without a cart.
pub fn no_cart() -> Error {
    Error::invalid(
        "cart",
        Code::CartEmpty,
        "There is no cart to order from. Send its Cart-Token header.",
    )
}
