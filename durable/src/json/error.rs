//! Errors of reading JSON.

use serde::de;
use serde::de::{Expected, Unexpected};
use std::fmt;

/// Reason why a text could not be read.
#[derive(Debug)]
pub struct Error {
    fault: serde_json::Error,
    is_unknown_field: bool,
}

impl Error {
    /// True if the JSON has a field that its type does not have.
    #[must_use]
    pub const fn is_unknown_field(&self) -> bool {
        self.is_unknown_field
    }

    /// Returns the same error, with `field` at the beginning of its path.
    pub(super) fn within(&self, field: &str) -> Self {
        Self {
            fault: de::Error::custom(format_args!("{field}: {}", self.fault)),
            is_unknown_field: self.is_unknown_field,
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(fault: serde_json::Error) -> Self {
        Self {
            fault,
            is_unknown_field: false,
        }
    }
}

impl From<Error> for serde_json::Error {
    fn from(error: Error) -> Self {
        error.fault
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        serde_json::Error::custom(message).into()
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        serde_json::Error::invalid_type(found, expected).into()
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        serde_json::Error::invalid_value(found, expected).into()
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self {
            fault: de::Error::unknown_field(field, expected),
            is_unknown_field: true,
        }
    }
}
