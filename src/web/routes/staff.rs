//! The API for staff.

use crate::web::api::{admin, orders, refunds};
use crate::web::http::guard::Access;
use crate::web::http::route::{Keys, Route, routes};
use shop::customers::limits::Limit;
use worker::Method;

/// Every one of them. The first that matches answers.
pub static STAFF: &[Route] = routes! {
    Post   "/api/v1/products"                                            Staff Staff admin::products::create_product;
    Put    "/api/v1/products/{id}"                                       Staff Staff admin::products::update_product;
    Delete "/api/v1/products/{id}"                                       Staff Staff admin::products::delete_product;
    Put    "/api/v1/orders/{id}/status"                                  Staff Staff orders::set_order_status;
    Post   "/api/v1/orders/{id}/fulfillments"                            Staff Staff orders::create_fulfillment, Own;
    Post   "/api/v1/orders/{id}/fulfillments/{fulfillment_id}/delivered" Staff Staff orders::deliver_fulfillment, Again;
    Post   "/api/v1/orders/{id}/returns"                                 Staff Staff orders::create_return, Own;
    Post   "/api/v1/orders/{id}/refunds"                                 Staff Staff refunds::create_refund, Own;
    Get    "/api/v1/admin/findings"                                      Staff Staff admin::findings::list_findings;
    Post   "/api/v1/admin/findings/{id}/close"                           Staff Staff admin::findings::close_finding, Again;
    Post   "/api/v1/admin/catalog/import"                                Staff Staff admin::catalog::import_products, Own;
    Get    "/api/v1/admin/catalog/export"                                Staff Staff admin::catalog::export_products;
    Post   "/api/v1/admin/catalog/publish"                               Staff Staff admin::catalog::publish_catalog;
    Get    "/api/v1/admin/catalog/publishes/{seq}"                       Staff Staff admin::catalog::get_publish;
    Delete "/api/v1/admin/catalog/publishes/{seq}"                       Staff Staff admin::catalog::cancel_publish;
    Post   "/api/v1/admin/catalog/rollback"                              Staff Staff admin::catalog::rollback_catalog;
    Get    "/api/v1/admin/media"                                         Staff Staff admin::media::list_media;
    Post   "/api/v1/admin/media"                                         Staff Staff admin::media::create_media, Own;
    Delete "/api/v1/admin/media/{name}"                                  Staff Staff admin::media::remove_media;
    Get    "/api/v1/admin/products/{id}"                                 Staff Staff admin::products::get_recorded_product;
    Get    "/api/v1/admin/stock/{sku}"                                   Staff Staff admin::stock::get_stock;
    Post   "/api/v1/admin/stock/{sku}"                                   Staff Staff admin::stock::change_stock, Own;
    Get    "/api/v1/admin/stock/{sku}/movements"                         Staff Staff admin::stock::list_stock_movements;
    Get    "/api/v1/admin/stock/{sku}/check"                             Staff Staff admin::stock::check_stock;
    Post   "/api/v1/admin/stock/{sku}/repair"                            Staff Staff admin::stock::repair_stock, Again;
    Get    "/api/v1/admin/settings"                                      Staff Staff admin::settings::get_settings;
    Put    "/api/v1/admin/settings"                                      Staff Staff admin::settings::set_settings;
    Get    "/api/v1/admin/settings/currencies"                           Staff Staff admin::settings::get_currencies;
    Put    "/api/v1/admin/settings/currencies"                           Staff Staff admin::settings::set_currencies;
    Get    "/api/v1/admin/settings/markets"                              Staff Staff admin::settings::get_markets;
    Put    "/api/v1/admin/settings/markets"                              Staff Staff admin::settings::set_markets;
    Get    "/api/v1/admin/settings/tax-zones"                            Staff Staff admin::settings::get_tax_zones;
    Put    "/api/v1/admin/settings/tax-zones"                            Staff Staff admin::settings::set_tax_zones;
    Get    "/api/v1/admin/settings/shipping-zones"                       Staff Staff admin::settings::get_shipping_zones;
    Put    "/api/v1/admin/settings/shipping-zones"                       Staff Staff admin::settings::set_shipping_zones;
    Get    "/api/v1/admin/settings/promotions"                           Staff Staff admin::settings::get_promotions;
    Put    "/api/v1/admin/settings/promotions"                           Staff Staff admin::settings::set_promotions;
    Get    "/api/v1/admin/scheduled-prices/{sku}"                        Staff Staff admin::settings::get_scheduled_prices;
    Put    "/api/v1/admin/scheduled-prices/{sku}"                        Staff Staff admin::settings::set_scheduled_prices;
    Get    "/api/v1/admin/dead-letters"                                  Staff Staff admin::dead_letters::list_dead_letters;
    Post   "/api/v1/admin/dead-letters/replay"                           Staff Staff admin::dead_letters::replay_letters;
    Get    "/api/v1/admin/dead-letters/{id}"                             Staff Staff admin::dead_letters::get_dead_letter;
    Post   "/api/v1/admin/dead-letters/{id}/replay"                      Staff Staff admin::dead_letters::replay_letter;
    Post   "/api/v1/admin/dead-letters/{id}/discard"                     Staff Staff admin::dead_letters::discard_letter;
    Get    "/api/v1/admin/payments/provider"                             Staff Staff admin::payments::get_payment_provider;
    Get    "/api/v1/admin/payments/{order_id}"                           Staff Staff admin::payments::get_payment;
};
