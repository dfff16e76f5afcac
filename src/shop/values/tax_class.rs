//! Tax classes shared by catalog and pricing.

/// Returns the class [`STANDARD`], as the default of optional fields.
#[must_use]
pub fn standard() -> String {
    STANDARD.to_owned()
}

/// True for the class [`STANDARD`].
#[must_use]
pub fn is_standard(class: &str) -> bool {
    class == STANDARD
}

/// Tax class of goods taxed at the usual rate.
pub const STANDARD: &str = "standard";
