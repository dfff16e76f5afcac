//! What the pages say, a file a language. A language that leaves something unsaid does not compile.

mod countries_de;
mod de;
mod en;

use crate::shop::languages::Language;
use crate::shop::transitions::Happening;

/// The words of one language.
pub struct Words {
    // Every page
    pub skip_to_content: &'static str,
    pub tagline: &'static str,
    pub main_navigation: &'static str,
    pub search: &'static str,
    pub search_products: &'static str,
    pub cart: &'static str,
    pub your_cart: &'static str,
    pub close: &'static str,
    pub help: &'static str,
    pub find_your_order: &'static str,
    pub shop: &'static str,
    pub shop_all: &'static str,
    pub language: &'static str,
    pub currency: &'static str,
    pub browse_all: &'static str,

    // Home
    pub new: &'static str,
    pub buy: &'static str,
    pub shop_by_category: &'static str,
    pub featured: &'static str,
    pub opens_soon: &'static str,
    pub nothing_on_sale: &'static str,

    // Lists
    pub all_products: &'static str,
    pub products: &'static str,
    pub results_for: fn(&str) -> String,
    pub products_found: fn(usize) -> String,
    pub nothing_matches: &'static str,
    pub breadcrumb: &'static str,
    pub filters: &'static str,
    pub apply: &'static str,
    pub clear_filters: &'static str,
    pub brand: &'static str,
    pub kind: &'static str,
    pub any: &'static str,
    pub price: &'static str,
    pub price_from: &'static str,
    pub price_to: &'static str,
    pub no_amount: &'static str,
    pub in_stock_only: &'static str,
    pub sort_by: &'static str,
    pub sort_featured: &'static str,
    pub sort_price_ascending: &'static str,
    pub sort_price_descending: &'static str,
    pub sort_newest: &'static str,
    pub sort_title: &'static str,
    pub pages: &'static str,
    pub page: fn(usize) -> String,
    pub previous: &'static str,
    pub next: &'static str,

    // Prices and stock
    pub from_price: fn(&str) -> String,
    pub price_before: &'static str,
    pub sale: &'static str,
    pub not_sold_in: fn(&str) -> String,
    pub in_stock: &'static str,
    pub low_stock: &'static str,
    pub sold_out: &'static str,
    pub preorder: &'static str,
    pub ships_from: fn(&str) -> String,
    pub purchase_limit: fn(u32) -> String,

    // Product
    pub pictures: &'static str,
    pub enlarge: fn(&str) -> String,
    pub show_picture: fn(&str) -> String,
    pub quantity: &'static str,
    pub add_to_cart: &'static str,
    pub added_to_cart: &'static str,
    pub delivery: &'static str,
    pub working_days: fn(u16, u16) -> String,
    pub everywhere: &'static str,
    pub elsewhere: &'static str,
    pub shipping_and_delivery: &'static str,
    pub returns: &'static str,
    pub sku: &'static str,
    pub features: &'static str,
    pub specifications: &'static str,
    pub related: &'static str,

    // Cart
    pub cart_is_empty: &'static str,
    pub cart_is_empty_hint: &'static str,
    pub cart_in_checkout: &'static str,
    pub see_the_order: &'static str,
    pub go_to_cart: &'static str,
    pub back_to_cart: &'static str,
    pub no_longer_on_sale: &'static str,
    pub update: &'static str,
    pub remove: &'static str,
    pub remove_item: fn(&str) -> String,
    pub one_less: fn(&str) -> String,
    pub one_more: fn(&str) -> String,
    pub subtotal: &'static str,
    pub shipping_and_tax_later: &'static str,
    pub check_out: &'static str,

    // Checkout
    pub checkout: &'static str,
    pub steps: &'static str,
    pub step_address: &'static str,
    pub step_review: &'static str,
    pub step_payment: &'static str,
    pub please_check: &'static str,
    pub contact: &'static str,
    pub email: &'static str,
    pub delivery_address: &'static str,
    pub billing_address: &'static str,
    pub same_as_delivery: &'static str,
    pub full_name: &'static str,
    pub address: &'static str,
    pub address_more: &'static str,
    pub company: &'static str,
    /// By the country's word for a part of a city.
    pub neighborhood: fn(&str) -> &'static str,
    pub phone: &'static str,
    pub phone_optional: &'static str,
    pub needs_phone: &'static str,
    /// By the country's word for it, as the addresses' metadata have it.
    pub city: fn(&str) -> &'static str,
    /// The same of a region.
    pub region: fn(&str) -> &'static str,
    /// The same of a postal code.
    pub postal_code: fn(&str) -> &'static str,
    pub fields_of_country: &'static str,
    pub country: &'static str,
    pub choose_country: &'static str,
    pub shipping: &'static str,
    pub free: &'static str,
    pub arrives: fn(&str) -> String,
    pub ready_for_pick_up: fn(&str) -> String,
    pub promotion_code: &'static str,
    pub vat_number: &'static str,
    pub shipping_and_tax_next: &'static str,
    pub continue_to_review: &'static str,
    pub order_summary: &'static str,
    pub review_your_order: &'static str,
    pub ship_to: &'static str,
    pub change_address: &'static str,
    pub place_order: &'static str,
    pub payment_follows: &'static str,
    pub challenge_hint: &'static str,
    pub challenge_without_script: &'static str,
    pub challenge_may_help: &'static str,
    pub promotion_checked_at_order: &'static str,
    pub discount: &'static str,
    pub tax: &'static str,
    pub included_tax: &'static str,
    pub no_tax_there: &'static str,
    pub tax_is_owed_by_buyer: &'static str,
    pub total: &'static str,
    pub countries: fn() -> Vec<(&'static str, &'static str)>,
    pub fault: fn(&str) -> Option<&'static str>,

    // Orders
    pub order_number: fn(i64) -> String,
    pub status_unplaced: &'static str,
    pub status_pending: &'static str,
    pub status_confirmed: &'static str,
    pub status_completed: &'static str,
    pub status_paid_late: &'static str,
    pub status_expired: &'static str,
    pub status_cancelled: &'static str,
    pub status_cancelled_refund: &'static str,
    pub status_review: &'static str,
    pub pay_now: &'static str,
    pub being_cancelled: &'static str,
    pub payment_takes_days: &'static str,
    pub payment_link_follows: &'static str,
    pub cancel_order: &'static str,
    pub cancel_and_change: &'static str,
    pub keep_this_address: &'static str,
    pub parcels: &'static str,
    pub parcel: &'static str,
    pub track_parcel: &'static str,
    pub delivered: &'static str,
    pub on_its_way_since: &'static str,
    pub what_happened: &'static str,
    pub by_you: &'static str,
    pub happening: fn(Happening) -> &'static str,

    // Invoice
    pub invoice: &'static str,
    pub invoice_number: fn(i64) -> String,
    pub proforma: &'static str,
    pub proforma_of: fn(i64) -> String,
    pub proforma_note: &'static str,
    pub billed_to: &'static str,
    pub items: &'static str,
    pub item: &'static str,
    pub each: &'static str,
    pub amount: &'static str,
    pub refund_of: fn(&str) -> String,
    pub back_to_order: &'static str,
    pub invoice_paid: &'static str,
    pub invoice_unpaid: &'static str,
    pub invoice_refunded: &'static str,
    pub invoice_charged_back: &'static str,
    pub invoice_partly_refunded: &'static str,
    pub invoice_not_due: &'static str,
    pub order_number_field: &'static str,
    pub order_code: &'static str,
    pub open_your_order: &'static str,
    pub open_your_order_hint: &'static str,
    pub open_the_order: &'static str,
    pub have_a_code: &'static str,
    pub find_your_order_hint: &'static str,
    pub send_the_link: &'static str,
    pub look_into_your_mail: &'static str,
    pub link_is_sent: &'static str,
    pub try_another: &'static str,
    pub error_too_many: &'static str,

    // Errors
    pub error_not_found: &'static str,
    pub not_found_hint: &'static str,
    pub error_cart_token: &'static str,
    pub error_sold_out: &'static str,
    pub error_contended: &'static str,
    pub error_refused: &'static str,
    pub error_unavailable: &'static str,
    pub error_internal: &'static str,
    pub internal_hint: &'static str,
    pub error_gone: &'static str,
    pub error_request: &'static str,
    pub try_again: &'static str,
    pub try_again_in: fn(u32) -> String,
    pub at_most_of: fn(&str, i64) -> String,
    pub explained: fn(&str) -> Option<&'static str>,
    pub request: &'static str,

    // Descriptions for who searches
    pub about_the_shop: &'static str,
    pub about_a_list: fn(&str, usize) -> String,
    pub about_the_cart: &'static str,

    // Without a network
    pub offline: &'static str,
    pub offline_hint: &'static str,
    pub kept_for_later: &'static str,
    pub kept_for_later_hint: &'static str,
    pub kept_was_sent: &'static str,
    pub kept_was_refused: &'static str,
    pub update_ready: &'static str,
    pub reload: &'static str,
}

/// The words of `language`.
pub const fn of(language: Language) -> &'static Words {
    match language {
        Language::English => &en::WORDS,
        Language::German => &de::WORDS,
    }
}

impl Words {
    /// The name of a country; its code, where it has none.
    pub fn country_name(&self, code: &str) -> String {
        let countries = (self.countries)();
        countries
            .into_iter()
            .find(|(known, _)| *known == code)
            .map_or(code, |(_, name)| name)
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::countries::COUNTRIES;

    #[test]
    fn every_country_has_a_name_in_every_language() {
        for language in Language::ALL {
            let words = of(language);
            assert_eq!((words.countries)().len(), COUNTRIES.len());
            for country in COUNTRIES.iter() {
                assert_ne!(words.country_name(country.code), country.code);
            }
        }
    }
}
