//! Labels in the emails about an order.

use crate::values::languages::Language;

/// Labels that every email about an order has, in one language.
pub(super) struct Labels {
    pub(super) lang: &'static str,
    pub(super) total: &'static str,
    pub(super) ship_to: &'static str,
    pub(super) open: &'static str,
    pub(super) look_up: &'static str,
    pub(super) number: &'static str,
    pub(super) code: &'static str,
}

const ENGLISH: Labels = Labels {
    lang: "en",
    total: "Total including shipping and tax",
    ship_to: "Delivery address",
    open: "View your order",
    look_up: "Or enter your order number and code here",
    number: "Order number",
    code: "Code",
};

const GERMAN: Labels = Labels {
    lang: "de",
    total: "Gesamtsumme mit Versand und Steuern",
    ship_to: "Lieferadresse",
    open: "Bestellung ansehen",
    look_up: "Oder geben Sie Bestellnummer und Code hier ein",
    number: "Bestellnummer",
    code: "Code",
};

impl Labels {
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
        }
    }
}
