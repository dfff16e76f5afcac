//! Errors of reading JSON.

use serde::de;
use serde::de::{Expected, Unexpected};
use std::fmt;

/// Reason why a text could not be read.
#[derive(Debug)]
pub struct Error(Box<Fault>);

/// Boxed, so that results of reading are as small as those of `serde_json`, and so is their code.
#[derive(Debug)]
struct Fault {
    fault: serde_json::Error,
    is_unknown_field: bool,
}

impl Error {
    /// True if the JSON has a field that its type does not have.
    #[must_use]
    pub fn is_unknown_field(&self) -> bool {
        self.0.is_unknown_field
    }

    // Not inlined: it stands behind each fault of each type that is read.
    #[inline(never)]
    fn new(fault: serde_json::Error, is_unknown_field: bool) -> Self {
        Self(Box::new(Fault {
            fault,
            is_unknown_field,
        }))
    }

    /// Returns the same error, with `field` at the beginning of its path.
    pub(super) fn within(&self, field: &str) -> Self {
        Self::new(
            de::Error::custom(format_args!("{field}: {}", self.0.fault)),
            self.0.is_unknown_field,
        )
    }
}

impl From<serde_json::Error> for Error {
    fn from(fault: serde_json::Error) -> Self {
        Self::new(fault, false)
    }
}

impl From<Error> for serde_json::Error {
    fn from(error: Error) -> Self {
        error.0.fault
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fault.fmt(f)
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
        Self::new(de::Error::unknown_field(field, expected), true)
    }
}
