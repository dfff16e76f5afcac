//! [`Challenge`] by Cloudflare Turnstile (developers.cloudflare.com/turnstile). The widget on a
//! page gives the browser a token, and `siteverify` accepts each token once. A repeated call with
//! the same idempotency key gets the same answer.

use crate::store::platform::console;
use crate::store::platform::http::{Answer, Outgoing, send};
use crate::store::platform::url::{Url, form_urlencoded};
use serde::Deserialize;
use serde_json::json;
use shop::customers::challenge::{Challenge, Solution, Widget};
use shop::error::{Error, Result};
use std::time::Duration;

/// Origin of the widget's script and frame, and of the API that verifies tokens.
const ORIGIN: &str = "https://challenges.cloudflare.com";

/// Script that turns every element of class `cf-turnstile` into a widget and adds the field
/// `cf-turnstile-response` to its form.
const SCRIPT: &str = "https://challenges.cloudflare.com/turnstile/v0/api.js";

const ACTION: &str = "checkout";

/// Maximum wait for an answer; short, because a shopper is waiting.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Prefixes of the keys that Cloudflare publishes for tests, which let everyone pass, fail or solve
/// a challenge.
const KEYS_FOR_TESTS: [&str; 3] = ["1x0000000000", "2x0000000000", "3x0000000000"];

/// Turnstile widget of the merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turnstile {
    site_key: String,
    secret: String,
    api_base: String,
    hosts: Vec<String>,
}

impl Turnstile {
    /// Creates the widget with these keys, which accepts solutions from pages of `origins`; `None`
    /// means there is no site key. A secret without a site key is accepted, because the secret is
    /// set first and removed last. An empty `api_base` means Cloudflare's own.
    ///
    /// # Errors
    /// Fails if the secret is missing.
    pub fn read<'a>(
        site_key: &str,
        secret: &str,
        api_base: &str,
        origins: impl Iterator<Item = &'a String>,
    ) -> Result<Option<Self>> {
        let (site_key, secret) = (site_key.trim(), secret.trim());
        if site_key.is_empty() {
            return Ok(None);
        }
        if secret.is_empty() {
            return Err(Error::internal(
                "config: TURNSTILE_SITE_KEY is set but TURNSTILE_SECRET is not",
            ));
        }
        let host_of = |origin: &String| Url::parse(origin).ok()?.host_str().map(str::to_owned);
        let api_base = if api_base.is_empty() {
            ORIGIN
        } else {
            api_base.trim_end_matches('/')
        };
        Ok(Some(Self {
            site_key: site_key.to_owned(),
            secret: secret.to_owned(),
            api_base: api_base.to_owned(),
            hosts: origins.filter_map(host_of).collect(),
        }))
    }

    /// Returns the widget that a page shows.
    #[must_use]
    pub fn widget(&self) -> Widget<'_> {
        Widget {
            site_key: &self.site_key,
            action: ACTION,
            origin: ORIGIN,
            script: SCRIPT,
        }
    }

    async fn ask(&self, solution: &Solution, use_id: &str) -> Verdict {
        let url = format!("{}/turnstile/v0/siteverify", self.api_base);
        let form = self.form(solution, use_id);
        let request = Outgoing {
            url: &url,
            headers: vec![("Content-Type", "application/x-www-form-urlencoded")],
            body: Some(&form),
            ..Outgoing::default()
        };
        match send(&request, TIMEOUT, Answer::text).await {
            Ok(body) => self.judge(&body),
            Err(error) => Verdict::Unanswered(error.to_string()),
        }
    }

    fn form(&self, solution: &Solution, use_id: &str) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("secret", &self.secret)
            .append_pair("response", &solution.token)
            .append_pair("idempotency_key", use_id);
        if !solution.address.is_empty() {
            form.append_pair("remoteip", &solution.address);
        }
        form.finish()
    }

    fn judge(&self, body: &str) -> Verdict {
        let Ok(answer) = durable::json::read::<Siteverify>(body) else {
            return Verdict::Unanswered("an answer that does not read".to_owned());
        };
        if !answer.success {
            return answer.verdict_of_errors();
        }
        // With test keys, Cloudflare returns a host and an action of its own.
        if is_key_for_tests(&self.secret) {
            return Verdict::Accepted;
        }
        let host = answer.hostname.unwrap_or_default();
        if !host.is_empty() && !self.hosts.contains(&host) {
            return Verdict::Refused(format!("solved on {host}"));
        }
        if answer.action.as_deref() != Some(ACTION) {
            return Verdict::Refused("solved for another action".to_owned());
        }
        Verdict::Accepted
    }
}

impl Challenge for &Turnstile {
    async fn accepts(&self, solution: &Solution, use_id: &str) -> bool {
        match self.ask(solution, use_id).await {
            Verdict::Accepted => true,
            Verdict::Refused(reason) => {
                console::warn(
                    &json!({"level": "warn", "event": "challenge_refused", "reason": reason}),
                );
                false
            }
            Verdict::Unanswered(reason) => {
                console::error(
                    &json!({"level": "error", "event": "challenge_unanswered", "error": reason}),
                );
                false
            }
        }
    }
}

/// Rejects Cloudflare's test keys, which let anyone pass.
///
/// # Errors
/// The message names the variable.
pub fn check_widget(site_key: &str, secret: &str) -> Result<()> {
    let keys = [
        ("TURNSTILE_SITE_KEY", site_key),
        ("TURNSTILE_SECRET", secret),
    ];
    match keys.into_iter().find(|(_, key)| is_key_for_tests(key)) {
        Some((name, _)) => Err(Error::internal(format!(
            "config: production stays closed: {name} is a test key"
        ))),
        None => Ok(()),
    }
}

fn is_key_for_tests(key: &str) -> bool {
    let key = key.trim();
    KEYS_FOR_TESTS.iter().any(|start| key.starts_with(start))
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Refused(String),
    /// The solution could not be checked.
    Unanswered(String),
}

#[derive(Deserialize)]
struct Siteverify {
    success: bool,
    hostname: Option<String>,
    action: Option<String>,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
}

/// Error codes that concern the shop or the provider, not the solution.
const CODES_OF_OURS: [&str; 4] = [
    "bad-request",
    "internal-error",
    "invalid-input-secret",
    "missing-input-secret",
];

impl Siteverify {
    fn verdict_of_errors(&self) -> Verdict {
        let reason = self.error_codes.join(", ");
        let is_of_ours = |code: &String| CODES_OF_OURS.contains(&code.as_str());
        if self.error_codes.iter().any(is_of_ours) {
            return Verdict::Unanswered(reason);
        }
        Verdict::Refused(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::iter;

    fn widget(secret: &str) -> Turnstile {
        let origins = ["https://shop.test", "https://front.test:8443"].map(str::to_owned);
        let widget = Turnstile::read("0x4AAAsite", secret, "", origins.iter());
        widget.unwrap().unwrap()
    }

    #[test]
    fn it_is_off_without_a_site_key_and_needs_its_secret() {
        let read = |site_key, secret| Turnstile::read(site_key, secret, "", iter::empty());
        for secret in ["", " ", "secret"] {
            assert_eq!(read("", secret).unwrap(), None);
        }
        assert!(read("site", "secret").unwrap().is_some());
        let error = read("site", " ").unwrap_err().to_string();
        assert!(error.contains("TURNSTILE_SECRET"), "{error}");
    }

    #[test]
    fn a_solution_is_good_where_and_for_what_it_was_asked() {
        let accepted = |body| widget("0x4AAAsecret").judge(body) == Verdict::Accepted;
        for (body, is_good) in [
            (
                r#"{"success":true,"hostname":"shop.test","action":"checkout"}"#,
                true,
            ),
            (
                r#"{"success":true,"hostname":"front.test","action":"checkout","cdata":"","metadata":{}}"#,
                true,
            ),
            (r#"{"success":true,"action":"checkout"}"#, true),
            (
                r#"{"success":true,"hostname":"","action":"checkout"}"#,
                true,
            ),
            (
                r#"{"success":true,"hostname":"evil.test","action":"checkout"}"#,
                false,
            ),
            (
                r#"{"success":true,"hostname":"shop.test","action":"login"}"#,
                false,
            ),
            (r#"{"success":true,"hostname":"shop.test"}"#, false),
            (
                r#"{"success":false,"hostname":"shop.test","action":"checkout"}"#,
                false,
            ),
        ] {
            assert_eq!(accepted(body), is_good, "{body}");
        }
        let of_tests = widget("1x0000000000000000000000000000000AA");
        let body = r#"{"success":true,"hostname":"example.com"}"#;
        assert_eq!(of_tests.judge(body), Verdict::Accepted);
    }

    #[test]
    fn a_refusal_of_the_shop_is_none_of_the_solution() {
        let widget = widget("0x4AAAsecret");
        for (body, is_refusal) in [
            (
                r#"{"success":false,"error-codes":["timeout-or-duplicate"]}"#,
                true,
            ),
            (
                r#"{"success":false,"error-codes":["invalid-input-response"]}"#,
                true,
            ),
            (
                r#"{"success":false,"error-codes":["invalid-input-secret"]}"#,
                false,
            ),
            (
                r#"{"success":false,"error-codes":["internal-error"]}"#,
                false,
            ),
            ("<html>", false),
            ("{}", false),
        ] {
            let verdict = widget.judge(body);
            assert_eq!(
                matches!(verdict, Verdict::Refused(_)),
                is_refusal,
                "{body}: {verdict:?}"
            );
        }
    }

    const REAL: &str = "0x4AAAAAAABkMYinukE8nzYS";

    #[test]
    fn production_is_not_opened_with_keys_for_tests() {
        for key in [
            "1x00000000000000000000AA",
            "2x00000000000000000000AB",
            "1x00000000000000000000BB",
            "2x00000000000000000000BB",
            "3x00000000000000000000FF",
            "1x0000000000000000000000000000000AA",
            "2x0000000000000000000000000000000AA",
            "3x0000000000000000000000000000000AA",
        ] {
            for (name, site_key, secret) in [
                ("TURNSTILE_SITE_KEY", key, REAL),
                ("TURNSTILE_SECRET", REAL, key),
            ] {
                let refusal = check_widget(site_key, secret).unwrap_err().to_string();
                assert!(
                    refusal.contains(name) && !refusal.contains(key),
                    "{refusal}"
                );
            }
        }
        check_widget(REAL, REAL).unwrap();
        check_widget("", "").unwrap();
    }
}
