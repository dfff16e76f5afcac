//! Keys of staff. Each has a name, which records of their actions show, and the permissions that it
//! grants.

use crate::codes::Code;
use crate::customers::permissions::{Permission, Permissions};
use crate::error::{Error, Result};
use crate::values::staff_name::StaffName;
use sha2::{Digest, Sha256};

/// Maximum length of a key's name in bytes.
const MAX_NAME_BYTES: usize = 32;

/// Keys of staff, of which only digests are kept.
#[derive(Clone, Debug, Default)]
pub struct StaffKeys(Vec<StaffKey>);

/// A member of staff, identified by a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffMember {
    /// Name shown in records.
    pub name: StaffName,
    /// Permissions of the key.
    pub permissions: Permissions,
}

impl StaffMember {
    /// Checks that the key grants `permission`.
    ///
    /// # Errors
    /// 403 `permission_required`.
    pub fn check(&self, permission: Permission) -> Result<()> {
        if self.permissions.include(permission) {
            return Ok(());
        }
        Err(Error::Forbidden {
            code: Code::PermissionRequired,
        })
    }
}

#[derive(Clone, Debug)]
struct StaffKey {
    member: StaffMember,
    digest: [u8; 32],
}

impl StaffKeys {
    /// Parses the unnamed key, unless it is empty, and a list of named keys such as
    /// `anna:KEY,warehouse:KEY`.
    ///
    /// # Errors
    /// Fails if an entry has no name, no key, or the name or key of another entry. The message
    /// identifies the entry, never its key.
    pub fn read(unnamed: &str, named: &str) -> Result<Self> {
        let mut keys = Self::default();
        if !unnamed.is_empty() {
            keys.add(StaffName::default(), unnamed)?;
        }
        for (name, key) in entries(named)? {
            keys.add(StaffName::of_key(name), key)?;
        }
        Ok(keys)
    }

    /// Returns the owner of the key `shown`. All keys are compared, so that the time taken reveals
    /// nothing about them.
    #[must_use]
    pub fn member_of(&self, shown: &str) -> Option<&StaffMember> {
        let digest: [u8; 32] = Sha256::digest(shown).into();
        self.0.iter().fold(None, |found, key| {
            if key.digest == digest {
                Some(&key.member)
            } else {
                found
            }
        })
    }

    /// True if there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, name: StaffName, key: &str) -> Result<()> {
        let digest: [u8; 32] = Sha256::digest(key).into();
        if self.0.iter().any(|known| known.member.name == name) {
            return Err(fault(&format!("the name {name} is used twice")));
        }
        if self.0.iter().any(|known| known.digest == digest) {
            return Err(fault(&format!("{name} has the same key as another entry")));
        }
        let permissions = Permissions::All;
        let member = StaffMember { name, permissions };
        self.0.push(StaffKey { member, digest });
        Ok(())
    }
}

/// Parses a list such as `anna:KEY,warehouse:KEY` into names and keys.
///
/// # Errors
/// Fails if an entry has no name or no key; the message states its number.
pub fn entries(named: &str) -> Result<Vec<(&str, &str)>> {
    let given = named
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    given
        .enumerate()
        .map(|(at, entry)| {
            entry
                .split_once(':')
                .filter(|(name, key)| is_name(name) && !key.is_empty())
                .ok_or_else(|| {
                    let number = at.saturating_add(1);
                    fault(&format!(
                        "entry {number} is not NAME:KEY, where NAME has 1 to {MAX_NAME_BYTES} of a-z, 0-9, _ and -"
                    ))
                })
        })
        .collect()
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(fits)
}

fn fault(what: &str) -> Error {
    Error::internal(format!("config: STAFF_KEYS: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_its_name() {
        let keys = StaffKeys::read("one", " anna:two, ware-house_2:th:ree ,").unwrap();
        let name = |shown: &str| keys.member_of(shown).map(|member| member.name.as_str());
        assert_eq!(name("one"), Some("staff"));
        assert_eq!(name("two"), Some("staff:anna"));
        assert_eq!(name("th:ree"), Some("staff:ware-house_2"));
        for other in ["", "three", "anna:two", "One", "on", "onee"] {
            assert_eq!(name(other), None, "{other}");
        }
        assert!(StaffKeys::read("", "").unwrap().member_of("").is_none());
    }

    #[test]
    fn a_key_grants_all_and_a_member_with_less_is_refused_the_rest() {
        let keys = StaffKeys::read("one", "anna:two").unwrap();
        let anna = keys.member_of("two").unwrap();
        assert!(anna.check(Permission::RefundOrders).is_ok());
        let packer = StaffMember {
            name: anna.name.clone(),
            permissions: Permissions::Only([Permission::FulfillOrders].into()),
        };
        assert!(packer.check(Permission::FulfillOrders).is_ok());
        let refused = packer.check(Permission::RefundOrders).unwrap_err();
        assert_eq!(
            (refused.status(), refused.code()),
            (403, Code::PermissionRequired)
        );
    }

    #[test]
    fn a_list_that_does_not_read_is_refused_without_telling_a_key() {
        for named in [
            "hidden",
            "Anna:hidden",
            ":hidden",
            "anna:",
            "a b:hidden",
            "anna:hidden,anna:other",
            "anna:hidden,bob:hidden",
            "anna:unnamed",
            &format!("{}:hidden", "a".repeat(33)),
        ] {
            let error = StaffKeys::read("unnamed", named).unwrap_err().to_string();
            assert!(error.contains("STAFF_KEYS"), "{error}");
            assert!(
                !error.contains("hidden") && !error.contains("unnamed"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_operation_tells_who_made_it() {
        let keys = StaffKeys::read("one", "anna:two").unwrap();
        for (shown, own) in [
            ("one", "key:k:1"),
            ("one", "op_1"),
            ("two", "key:staff:bob:1"),
        ] {
            let name = &keys.member_of(shown).unwrap().name;
            let of_operation = StaffName::of_operation(&name.operation_id(own));
            assert_eq!(of_operation.as_ref(), Some(name));
        }
        assert_eq!(StaffName::of_operation("hold:ord_1:1:LAMP"), None);
    }
}
