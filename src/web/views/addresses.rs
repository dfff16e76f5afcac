//! Addresses as shown with orders.

use serde::Serialize;
use shop::values::addresses::Address;

/// Address of an order.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web) struct AddressView<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    company: Option<&'a str>,
    line1: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    line2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    neighborhood: Option<&'a str>,
    city: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    postal_code: Option<&'a str>,
    /// ISO 3166-1 alpha-2.
    country: &'a str,
    /// Digits, preceded by `+` if they begin with a country code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schema(nullable = false))]
    phone: Option<&'a str>,
    /// Lines of a label in the country's format; the last is the country's name in English.
    formatted: Vec<String>,
}

impl<'a> AddressView<'a> {
    pub(in crate::web) fn of(address: &'a Address) -> Self {
        Self {
            name: &address.name,
            company: address.company.as_deref(),
            line1: &address.line1,
            line2: address.line2.as_deref(),
            neighborhood: address.neighborhood.as_deref(),
            city: &address.city,
            region: address.region.as_deref(),
            postal_code: address.postal_code.as_deref(),
            country: &address.country,
            phone: address.phone.as_deref(),
            formatted: address.label(),
        }
    }
}
