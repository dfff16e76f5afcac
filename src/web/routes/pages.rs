//! Pages for shoppers.

use crate::web::http::guard::Access;
use crate::web::http::route::{Keys, Route, routes};
use crate::web::pages;
use shop::customers::limits::Limit;
use worker::Method;

/// Routes of the pages, in the order in which they are tried.
pub static PAGES: &[Route] = routes! {
    Get  "/"                       Anyone    Uncounted pages::home::show;
    Get  "/products"               Anyone    Uncounted pages::lists::list;
    Get  "/products/{handle}"      Anyone    Uncounted pages::products::show;
    Get  "/collections/{category}" Anyone    Uncounted pages::lists::list_category;
    Get  "/cart"                   Anyone    Personal  pages::cart::show;
    Post "/cart/items"             Anyone    Cart      pages::cart::add;
    Post "/cart/items/{sku}"       Anyone    Cart      pages::cart::set;
    Get  "/checkout"               Anyone    Personal  pages::checkout::ask;
    Post "/checkout"               Anyone    Checkout  pages::checkout::quote;
    Get  "/checkout/{quote_id}"    Anyone    Personal  pages::checkout::review;
    Post "/checkout/{quote_id}"    Anyone    Checkout  pages::checkout::place;
    Get  "/_design"                Developer Uncounted pages::design::show;
    Get  "/policies/{name}"        Anyone    Uncounted pages::policies::show;
    Get  "/orders"                 Anyone    Uncounted pages::lookup::ask;
    Post "/orders"                 Anyone    Lookup    pages::lookup::send;
    Post "/orders/code"            Anyone    Lookup    pages::lookup::open;
    Get  "/orders/{id}"            Anyone    Personal  pages::orders::show;
    Get  "/orders/{id}/invoice"    Anyone    Personal  pages::orders::show_invoice;
    Post "/orders/{id}/open"       Anyone    Personal  pages::orders::open;
    Post "/orders/{id}/cancel"     Anyone    Checkout  pages::orders::cancel;
};
