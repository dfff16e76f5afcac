//! Settings that a shop must not go live with: keys that can be guessed, and made-up addresses.

use crate::customers::staff::entries;
use crate::error::{Error, Result};
use crate::values::mail_addresses::read_sender;
use std::collections::BTreeSet;

/// Minimum length of a key in characters.
const MIN_KEY_CHARS: usize = 32;

/// Minimum number of different characters in a key; 32 random hexadecimal digits contain about
/// fourteen.
const MIN_DIFFERENT_CHARS: usize = 8;

/// Words that mark a placeholder, in lower case.
const PLACEHOLDERS: [&str; 10] = [
    "changeme",
    "change_me",
    "change-me",
    "placeholder",
    "example",
    "your_",
    "your-",
    "secret",
    "password",
    "replace",
];

/// Hosts, or suffixes of hosts, that belong to nobody.
const MADE_UP_HOSTS: [&str; 6] = [
    "example.com",
    "example.net",
    "example.org",
    "example",
    "invalid",
    "localhost",
];

/// Environment that the shop runs in, from the variable `ENVIRONMENT`. Any value that names no
/// other environment means production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// A developer's own machine.
    Development,
    /// A rehearsal on the platform, not indexed by search engines.
    Staging,
    /// The live shop.
    Production,
}

impl Environment {
    /// Parses the variable.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match text {
            "dev" => Self::Development,
            "staging" => Self::Staging,
            _ => Self::Production,
        }
    }
}

/// Checks that every required secret is set.
///
/// # Errors
/// The message names the missing secrets.
pub fn check_secrets_are_set(unset: &[&str]) -> Result<()> {
    if unset.is_empty() {
        return Ok(());
    }
    let unset = unset.join(", ");
    Err(Error::internal(format!(
        "config: production stays closed: these secrets are not set: {unset}"
    )))
}

/// Instructions shown to a visitor of a shop that is not configured.
#[must_use]
pub fn how_to_configure(unset: &[&str]) -> String {
    let secrets = match unset {
        [] => "The log names the variable to correct.".to_owned(),
        unset => format!(
            "These secrets are not set: {}. Set each with `npx wrangler secret put NAME`.",
            unset.join(", ")
        ),
    };
    format!(
        "This shop is not configured yet. On your own machine, `npm run dev` starts it. {secrets}"
    )
}

/// Settings in which a mistake would open the shop to strangers.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// Value of `SHOP_URL`.
    pub shop_url: &'a str,
    /// Value of `MAIL_PROVIDER`.
    pub mail_provider: &'a str,
    /// Value of `MAIL_FROM`.
    pub mail_from: &'a str,
    /// Value of `SIGNING_KEY`: one key, or several separated by commas.
    pub signing_keys: &'a str,
    /// Value of `ADMIN_API_KEY`.
    pub admin_api_key: &'a str,
    /// Value of `STAFF_KEYS`.
    pub staff_keys: &'a str,
    /// Value of `FINDINGS_WEBHOOK_SECRET`.
    pub findings_webhook_secret: &'a str,
}

/// Checks that no setting can be guessed or is made up.
///
/// # Errors
/// The message names the variable, never its value.
pub fn check_opening(opening: &Opening<'_>) -> Result<()> {
    let Opening {
        shop_url,
        mail_provider,
        mail_from,
        ..
    } = *opening;
    let host = shop_url
        .strip_prefix("https://")
        .ok_or_else(|| fault("SHOP_URL", "does not begin with https://"))?;
    if is_made_up(host) {
        return Err(fault(
            "SHOP_URL",
            "must use a real domain: no example, local or numeric host",
        ));
    }
    if mail_provider == "log" {
        return Err(fault("MAIL_PROVIDER", "is `log`, which sends no mail"));
    }
    check_sender(mail_from)?;
    check_keys(opening)
}

fn check_sender(mail_from: &str) -> Result<()> {
    let Some(address) = read_sender(mail_from) else {
        let shape = "must be an address such as `Shop <orders@shop.example>`";
        return Err(fault("MAIL_FROM", shape));
    };
    let host = address.rsplit('@').next();
    if host.is_some_and(|host| is_made_up(&host.to_ascii_lowercase())) {
        return Err(fault(
            "MAIL_FROM",
            "must use a real domain: no example, local or numeric host",
        ));
    }
    Ok(())
}

fn check_keys(opening: &Opening<'_>) -> Result<()> {
    let mut keys: Vec<(&str, &str)> = words(opening.signing_keys)
        .map(|key| ("SIGNING_KEY", key))
        .collect();
    keys.extend(Some(("ADMIN_API_KEY", opening.admin_api_key)).filter(|(_, key)| !key.is_empty()));
    let of_findings = opening.findings_webhook_secret;
    let of_findings = of_findings.strip_prefix("whsec_").unwrap_or(of_findings);
    keys.extend(Some(("FINDINGS_WEBHOOK_SECRET", of_findings)).filter(|(_, key)| !key.is_empty()));
    let named = entries(opening.staff_keys)?;
    keys.extend(named.iter().map(|(_, key)| ("STAFF_KEYS", *key)));
    let mut known = BTreeSet::new();
    for (name, key) in keys {
        if let Some(weakness) = weakness(key) {
            return Err(fault(name, weakness));
        }
        if !known.insert(key) {
            return Err(fault(name, "contains the same key twice"));
        }
    }
    Ok(())
}

/// Returns the reason why a key can be guessed. `None` means that it looks hard to guess.
#[must_use]
pub fn weakness(key: &str) -> Option<&'static str> {
    if key.chars().count() < MIN_KEY_CHARS {
        return Some("contains a key of fewer than 32 characters");
    }
    let lower = key.to_ascii_lowercase();
    if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
        return Some("contains a placeholder instead of a key");
    }
    let different: BTreeSet<char> = key.chars().collect();
    if different.len() < MIN_DIFFERENT_CHARS || repeats_itself(key) {
        return Some("contains a key that is not random");
    }
    None
}

/// True for a text that consists of a repeated shorter text.
fn repeats_itself(text: &str) -> bool {
    let bytes = text.as_bytes();
    let half = bytes.len().div_euclid(2);
    (1..=half).any(|period| {
        let later = bytes.iter().skip(period);
        later.zip(bytes).all(|(later, earlier)| later == earlier)
    })
}

fn is_made_up(host: &str) -> bool {
    let host = host.split([':', '/']).next().unwrap_or(host);
    let is_number =
        host.starts_with('[') || host.bytes().all(|it| matches!(it, b'0'..=b'9' | b'.'));
    is_number
        || MADE_UP_HOSTS.iter().any(|made_up| {
            host.strip_suffix(made_up)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

fn fault(name: &str, what: &str) -> Error {
    Error::internal(format!("config: production stays closed: {name} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "f3a91c07be5d42868a0e6bd1974fc25e";
    const OTHER: &str = "Zk3vQ9xLr0TfWm7aYpBn2sEdHu5gJc8K";

    fn good() -> Opening<'static> {
        Opening {
            shop_url: "https://shop.test",
            mail_provider: "resend",
            mail_from: "Shop <orders@shop.test>",
            signing_keys: KEY,
            admin_api_key: OTHER,
            staff_keys: "",
            findings_webhook_secret: "",
        }
    }

    fn refusal(opening: Opening<'_>) -> String {
        check_opening(&opening).unwrap_err().to_string()
    }

    #[test]
    fn a_shop_with_real_keys_and_addresses_is_opened() {
        check_opening(&good()).unwrap();
        let rolled = format!("{OTHER}9, {KEY}");
        let named = format!("anna:{KEY}1,warehouse:{OTHER}1");
        check_opening(&Opening {
            signing_keys: &rolled,
            admin_api_key: "",
            staff_keys: &named,
            ..good()
        })
        .unwrap();
    }

    #[test]
    fn whatever_names_no_other_environment_is_production() {
        assert_eq!(Environment::read("dev"), Environment::Development);
        assert_eq!(Environment::read("staging"), Environment::Staging);
        for text in ["production", "", "Dev", "development", "dev ", "test"] {
            assert_eq!(Environment::read(text), Environment::Production, "{text}");
        }
    }

    #[test]
    fn each_secret_that_is_not_set_is_named_with_the_cure() {
        check_secrets_are_set(&[]).unwrap();
        let unset = ["ADMIN_API_KEY", "SIGNING_KEY"];
        let refusal = check_secrets_are_set(&unset).unwrap_err().to_string();
        for text in [refusal, how_to_configure(&unset)] {
            assert!(unset.iter().all(|name| text.contains(name)), "{text}");
        }
        assert!(how_to_configure(&unset).contains("npx wrangler secret put"));
        assert!(how_to_configure(&[]).contains("`npm run dev`"));
    }

    #[test]
    fn a_made_up_address_is_named() {
        for shop_url in [
            "http://shop.test",
            "https://shop.example.com",
            "https://example.org/",
            "https://shop.example",
            "https://localhost:8787",
            "https://127.0.0.1",
            "https://[::1]",
            "",
        ] {
            assert!(refusal(Opening { shop_url, ..good() }).contains("SHOP_URL"));
        }
        let mail_provider = "log";
        assert!(
            refusal(Opening {
                mail_provider,
                ..good()
            })
            .contains("MAIL_PROVIDER")
        );
        for mail_from in [
            "Shop <orders@example.com>",
            "orders@Example.COM",
            "",
            "Shop",
            "Shop orders@shop.test",
            "Shop <orders@shop..test>",
            "Shop <orders@shop.test",
        ] {
            let refusal = refusal(Opening {
                mail_from,
                ..good()
            });
            assert!(refusal.contains("MAIL_FROM"), "{mail_from:?} {refusal}");
        }
        let shop_url = "https://myexample.com";
        check_opening(&Opening { shop_url, ..good() }).unwrap();
    }

    #[test]
    fn a_key_that_can_be_guessed_is_refused_by_the_name_of_its_variable() {
        let weak = [
            &KEY[1..],
            &"a".repeat(40),
            &"0123456789abcdef".repeat(3),
            "changeme-f3a91c07be5d42868a0e6bd1974fc25e",
            "YOUR_SIGNING_KEY_OF_32_OR_MORE_CHARACTERS",
            "secret-secret-secret-secret-secret-secret",
        ];
        for key in weak {
            let signing_keys = &*format!("{KEY},{key}");
            let staff_keys = &*format!("anna:{key}");
            for (name, opening) in [
                (
                    "SIGNING_KEY",
                    Opening {
                        signing_keys,
                        ..good()
                    },
                ),
                (
                    "ADMIN_API_KEY",
                    Opening {
                        admin_api_key: key,
                        ..good()
                    },
                ),
                (
                    "STAFF_KEYS",
                    Opening {
                        staff_keys,
                        ..good()
                    },
                ),
                (
                    "FINDINGS_WEBHOOK_SECRET",
                    Opening {
                        findings_webhook_secret: key,
                        ..good()
                    },
                ),
            ] {
                let refusal = refusal(opening);
                assert!(refusal.contains(name), "{refusal}");
                assert!(!refusal.contains(key), "{refusal}");
            }
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let admin_api_key = KEY;
        assert!(
            refusal(Opening {
                admin_api_key,
                ..good()
            })
            .contains("twice")
        );
        let staff_keys = &*format!("anna:{KEY}");
        assert!(
            refusal(Opening {
                staff_keys,
                ..good()
            })
            .contains("twice")
        );
    }
}
