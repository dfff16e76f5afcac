//! The name of a member of staff, as records show it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Staff as records name them: `staff`, or `staff:anna` for a key with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StaffName(String);

impl StaffName {
    /// The name of the key that is called `name`.
    #[must_use]
    pub fn of_key(name: &str) -> Self {
        Self(format!("{PREFIX}{name}"))
    }

    /// The name in a record; none when the record names nobody of staff.
    #[must_use]
    pub fn of_record(word: &str) -> Option<Self> {
        let is_staff = word == UNNAMED || word.starts_with(PREFIX);
        is_staff.then(|| Self(word.to_owned()))
    }

    /// The operation id `own` of a change that this person makes, which tells by whom it was made.
    /// What the key without a name does keeps its id as it is.
    #[must_use]
    pub fn operation_id(&self, own: &str) -> String {
        if self.0 == UNNAMED {
            return own.to_owned();
        }
        format!("{self}:{own}")
    }

    /// The member of staff who made the change with this operation id. None means that nobody of
    /// staff did.
    #[must_use]
    pub fn of_operation(id: &str) -> Option<Self> {
        if let Some((name, _)) = id.strip_prefix(PREFIX).and_then(|it| it.split_once(':')) {
            return Some(Self::of_key(name));
        }
        let is_own = id.starts_with("key:") || id.starts_with("op_");
        is_own.then(Self::default)
    }

    /// As records show it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of the key that has none.
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
