//! Words of tax classes that catalog and pricing share.

/// The name of the class [`STANDARD`], for fields that may be left out.
#[must_use]
pub fn standard() -> String {
    STANDARD.to_owned()
}

/// True for the class [`STANDARD`].
#[must_use]
pub fn is_standard(class: &str) -> bool {
    class == STANDARD
}

/// The class of what is taxed like most things.
pub const STANDARD: &str = "standard";
