//! Name of a member of staff, as shown in records.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Name of a staff member in records: `staff`, or `staff:anna` for a named key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StaffName(String);

impl StaffName {
    /// Returns the name for the key called `name`.
    #[must_use]
    pub fn of_key(name: &str) -> Self {
        Self(format!("{PREFIX}{name}"))
    }

    /// Parses the name in a record. `None` means that it names no member of staff.
    #[must_use]
    pub fn of_record(word: &str) -> Option<Self> {
        let is_staff = word == UNNAMED || word.starts_with(PREFIX);
        is_staff.then(|| Self(word.to_owned()))
    }

    /// Returns the operation id of a change by this person, which records their name. Operations
    /// with the unnamed key keep the id `own` unchanged.
    #[must_use]
    pub fn operation_id(&self, own: &str) -> String {
        if self.0 == UNNAMED {
            return own.to_owned();
        }
        format!("{self}:{own}")
    }

    /// Returns the member of staff who made the change with this operation id. `None` means that it
    /// was not made by staff.
    #[must_use]
    pub fn of_operation(id: &str) -> Option<Self> {
        if let Some((name, _)) = id.strip_prefix(PREFIX).and_then(|it| it.split_once(':')) {
            return Some(Self::of_key(name));
        }
        let is_own = id.starts_with("key:") || id.starts_with("op_");
        is_own.then(Self::default)
    }

    /// Name as shown in records.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Name for the unnamed key.
const UNNAMED: &str = "staff";

const PREFIX: &str = "staff:";

impl Default for StaffName {
    fn default() -> Self {
        Self(UNNAMED.to_owned())
    }
}

impl fmt::Display for StaffName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
