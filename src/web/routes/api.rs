//! The public API.

use crate::web::api::{cart, order_status, orders, products, stock};
use crate::web::http::guard::Access;
use crate::web::http::route::{Keys, Route, routes};
use shop::customers::limits::Limit;
use worker::Method;

/// Routes of the public API, in the order in which they are tried.
pub static API: &[Route] = routes! {
    Get    "/api/v1/products"              Anyone Uncounted products::list_products;
    Get    "/api/v1/products/{handle}"     Anyone Uncounted products::get_product;
    Get    "/api/v1/categories"            Anyone Uncounted products::list_categories;
    Get    "/api/v1/stock"                 Anyone Uncounted stock::list_stocks;
    Get    "/api/v1/stock/{sku}"           Anyone Uncounted stock::get_stock;
    Get    "/api/v1/stock/{sku}/live"      Anyone Personal  stock::watch_stock;
    Get    "/api/v1/cart"                  Anyone Personal  cart::get_cart;
    Post   "/api/v1/cart/items"            Anyone Cart      cart::add_cart_item, Own;
    Put    "/api/v1/cart/items/{sku}"      Anyone Cart      cart::set_cart_item;
    Delete "/api/v1/cart/items/{sku}"      Anyone Cart      cart::remove_cart_item;
    Delete "/api/v1/cart"                  Anyone Cart      cart::clear_cart;
    Put    "/api/v1/cart/note"             Anyone Cart      cart::set_cart_note;
    Get    "/api/v1/cart/shipping-methods" Anyone Personal  cart::list_shipping_methods;
    Post   "/api/v1/cart/quote"            Anyone Checkout  cart::create_quote, Again;
    Post   "/api/v1/orders"                Anyone Checkout  orders::create_order, Own;
    Get    "/api/v1/orders"                Anyone Personal  orders::list_orders;
    Get    "/api/v1/orders/{id}"           Anyone Personal  orders::get_order;
    Get    "/api/v1/orders/{id}/status"    Anyone Personal  order_status::get_order_status;
    Post   "/api/v1/orders/{id}/cancel"    Anyone Checkout  orders::cancel_order, Again;
};
