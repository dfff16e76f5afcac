//! The API for staff, each route with the permission that it requires.

use crate::web::api::{admin, orders, refunds};
use crate::web::http::guard::Access;
use crate::web::http::route::{Keys, Route, routes};
use shop::customers::limits::Limit;
use shop::customers::permissions::Permission;
use worker::Method;

/// Routes for staff, in the order in which they are tried.
pub static STAFF: &[Route] = routes! {
    Post   "/api/v1/products"                                            Staff(ChangeCatalog)     Staff admin::products::create_product;
    Put    "/api/v1/products/{id}"                                       Staff(ChangeCatalog)     Staff admin::products::update_product;
    Delete "/api/v1/products/{id}"                                       Staff(ChangeCatalog)     Staff admin::products::delete_product;
    Put    "/api/v1/orders/{id}/status"                                  Staff(ChangeOrders)      Staff orders::set_order_status;
    Post   "/api/v1/orders/{id}/fulfillments"                            Staff(FulfillOrders)     Staff orders::create_fulfillment, Own;
    Post   "/api/v1/orders/{id}/fulfillments/{fulfillment_id}/delivered" Staff(FulfillOrders)     Staff orders::deliver_fulfillment, Again;
    Post   "/api/v1/orders/{id}/returns"                                 Staff(FulfillOrders)     Staff orders::create_return, Own;
    Post   "/api/v1/orders/{id}/refunds"                                 Staff(RefundOrders)      Staff refunds::create_refund, Own;
    Get    "/api/v1/admin/findings"                                      Staff(ReadFindings)      Staff admin::findings::list_findings;
    Post   "/api/v1/admin/findings/{id}/close"                           Staff(CloseFindings)     Staff admin::findings::close_finding, Again;
    Post   "/api/v1/admin/catalog/import"                                Staff(ChangeCatalog)     Staff admin::catalog::import_products, Own;
    Get    "/api/v1/admin/catalog/export"                                Staff(ReadCatalog)       Staff admin::catalog::export_products;
    Post   "/api/v1/admin/catalog/publish"                               Staff(PublishCatalog)    Staff admin::catalog::publish_catalog;
    Get    "/api/v1/admin/catalog/publishes/{seq}"                       Staff(ReadCatalog)       Staff admin::catalog::get_publish;
    Delete "/api/v1/admin/catalog/publishes/{seq}"                       Staff(PublishCatalog)    Staff admin::catalog::cancel_publish;
    Post   "/api/v1/admin/catalog/rollback"                              Staff(PublishCatalog)    Staff admin::catalog::rollback_catalog;
    Get    "/api/v1/admin/media"                                         Staff(ReadCatalog)       Staff admin::media::list_media;
    Post   "/api/v1/admin/media"                                         Staff(ChangeCatalog)     Staff admin::media::create_media, Own;
    Delete "/api/v1/admin/media/{name}"                                  Staff(ChangeCatalog)     Staff admin::media::remove_media;
    Get    "/api/v1/admin/products/{id}"                                 Staff(ReadCatalog)       Staff admin::products::get_recorded_product;
    Get    "/api/v1/admin/stock/{sku}"                                   Staff(ReadStock)         Staff admin::stock::get_stock;
    Post   "/api/v1/admin/stock/{sku}"                                   Staff(ChangeStock)       Staff admin::stock::change_stock, Own;
    Get    "/api/v1/admin/stock/{sku}/movements"                         Staff(ReadStock)         Staff admin::stock::list_stock_movements;
    Get    "/api/v1/admin/stock/{sku}/check"                             Staff(ReadStock)         Staff admin::stock::check_stock;
    Post   "/api/v1/admin/stock/{sku}/repair"                            Staff(ChangeStock)       Staff admin::stock::repair_stock, Again;
    Get    "/api/v1/admin/settings"                                      Staff(ReadSettings)      Staff admin::settings::get_settings;
    Put    "/api/v1/admin/settings"                                      Staff(ChangeSettings)    Staff admin::settings::set_settings;
    Get    "/api/v1/admin/settings/currencies"                           Staff(ReadSettings)      Staff admin::settings::get_currencies;
    Put    "/api/v1/admin/settings/currencies"                           Staff(ChangeSettings)    Staff admin::settings::set_currencies;
    Get    "/api/v1/admin/settings/markets"                              Staff(ReadSettings)      Staff admin::settings::get_markets;
    Put    "/api/v1/admin/settings/markets"                              Staff(ChangeSettings)    Staff admin::settings::set_markets;
    Get    "/api/v1/admin/settings/tax-zones"                            Staff(ReadSettings)      Staff admin::settings::get_tax_zones;
    Put    "/api/v1/admin/settings/tax-zones"                            Staff(ChangeSettings)    Staff admin::settings::set_tax_zones;
    Get    "/api/v1/admin/settings/shipping-zones"                       Staff(ReadSettings)      Staff admin::settings::get_shipping_zones;
    Put    "/api/v1/admin/settings/shipping-zones"                       Staff(ChangeSettings)    Staff admin::settings::set_shipping_zones;
    Get    "/api/v1/admin/settings/promotions"                           Staff(ReadSettings)      Staff admin::settings::get_promotions;
    Put    "/api/v1/admin/settings/promotions"                           Staff(ChangeSettings)    Staff admin::settings::set_promotions;
    Get    "/api/v1/admin/scheduled-prices/{sku}"                        Staff(ReadCatalog)       Staff admin::settings::get_scheduled_prices;
    Put    "/api/v1/admin/scheduled-prices/{sku}"                        Staff(ChangeCatalog)     Staff admin::settings::set_scheduled_prices;
    Get    "/api/v1/admin/dead-letters"                                  Staff(ReadDeadLetters)   Staff admin::dead_letters::list_dead_letters;
    Post   "/api/v1/admin/dead-letters/replay"                           Staff(HandleDeadLetters) Staff admin::dead_letters::replay_letters;
    Get    "/api/v1/admin/dead-letters/{id}"                             Staff(ReadDeadLetters)   Staff admin::dead_letters::get_dead_letter;
    Post   "/api/v1/admin/dead-letters/{id}/replay"                      Staff(HandleDeadLetters) Staff admin::dead_letters::replay_letter;
    Post   "/api/v1/admin/dead-letters/{id}/discard"                     Staff(HandleDeadLetters) Staff admin::dead_letters::discard_letter;
    Get    "/api/v1/admin/payments/provider"                             Staff(ReadPayments)      Staff admin::payments::get_payment_provider;
    Get    "/api/v1/admin/payments/{order_id}"                           Staff(ReadPayments)      Staff admin::payments::get_payment;
};
