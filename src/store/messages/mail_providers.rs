//! [`MailProvider`] by an HTTP API (Resend or Postmark, by configuration) or, without one, by a
//! line in the log.
//!
//! Resend honours an idempotency key for 24 hours. Postmark has none, so an email whose response
//! was lost is sent again.

use crate::store::platform::console;
use crate::store::platform::http::{Answer, NoAnswer, Outgoing, send};
use serde_json::{Value, json};
use shop::error::{Error, Result};
use shop::messages::email::{EmailJob, Message};
use shop::messages::mail::{MailFailure, MailProvider};
use shop::operations::finding_deliveries::FindingMail;
use shop::values::mail_addresses::{in_ascii, read_sender, sender_in_ascii};
use std::time::Duration;

/// Maximum wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Seconds to wait when a provider asks for a pause without naming its length, and the maximum
/// pause that it may ask for.
const BUSY_SECS: u32 = 5;
const MAX_BUSY_SECS: u32 = 60 * 60;

/// Provider of emails, by configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// No provider: emails are logged, with their text only if `with_text` allows it.
    Log {
        /// True when the log may contain the text of emails.
        with_text: bool,
    },
    /// Resend (resend.com/docs/api-reference/emails/send-email).
    Resend(Account),
    /// Postmark (postmarkapp.com/developer/api/email-api).
    Postmark(Account),
}

/// An account at a mail provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Base URL of the API, such as `https://api.resend.com`.
    pub api_base: String,
    /// API key or token.
    pub api_key: String,
    /// Sender, such as `Shop <orders@shop.example>`.
    pub from: String,
}

impl Carrier {
    /// Returns the provider with this name.
    ///
    /// # Errors
    /// Fails if the name is unknown.
    pub fn new(name: &str, mut account: Account, with_text: bool) -> Result<Self> {
        let mut at = |base: &str| {
            if account.api_base.is_empty() {
                base.clone_into(&mut account.api_base);
            }
            account.clone()
        };
        match name {
            "log" => Ok(Self::Log { with_text }),
            "resend" => Ok(Self::Resend(at("https://api.resend.com"))),
            "postmark" => Ok(Self::Postmark(at("https://api.postmarkapp.com"))),
            other => Err(Error::internal(format!(
                "config: MAIL_PROVIDER must be log, resend or postmark, not `{other}`"
            ))),
        }
    }

    /// Checks that emails can be sent.
    ///
    /// # Errors
    /// Fails if the account has no key or no sender, or the sender is not an email address.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Resend(account) | Self::Postmark(account)
                if account.api_key.is_empty() || account.from.is_empty() =>
            {
                Err(Error::internal(
                    "config: MAIL_API_KEY and MAIL_FROM must be set to send mail",
                ))
            }
            Self::Resend(account) | Self::Postmark(account)
                if read_sender(&account.from).is_none() =>
            {
                Err(Error::internal(
                    "config: MAIL_FROM must be an address such as `Shop <orders@shop.example>`",
                ))
            }
            _ => Ok(()),
        }
    }
}

impl MailProvider for Carrier {
    async fn send(
        &self,
        idempotency_key: &str,
        letter: &EmailJob,
        message: &Message,
    ) -> Result<(), MailFailure> {
        self.check()
            .map_err(|error| MailFailure::Refused(error.to_string()))?;
        match self {
            Self::Log { with_text } => {
                console::info(&log_line(letter, message, *with_text));
                Ok(())
            }
            Self::Resend(account) => post_resend(account, idempotency_key, message).await,
            Self::Postmark(account) => post_postmark(account, idempotency_key, message).await,
        }
    }
}

impl FindingMail for Carrier {
    async fn send(&self, idempotency_key: &str, message: &Message) -> Result<()> {
        self.check()?;
        let sent = match self {
            Self::Log { .. } => {
                let line =
                    json!({"level": "info", "event": "findings_mail", "subject": message.subject});
                console::info(&line);
                return Ok(());
            }
            Self::Resend(account) => post_resend(account, idempotency_key, message).await,
            Self::Postmark(account) => post_postmark(account, idempotency_key, message).await,
        };
        sent.map_err(|error| Error::internal(error.to_string()))
    }
}

async fn post_resend(account: &Account, key: &str, message: &Message) -> Result<(), MailFailure> {
    let headers = [
        ("Authorization", format!("Bearer {}", account.api_key)),
        ("Idempotency-Key", key.to_owned()),
    ];
    let url = format!("{}/emails", account.api_base);
    post(&url, &headers, &resend_body(account, message)).await
}

async fn post_postmark(account: &Account, key: &str, message: &Message) -> Result<(), MailFailure> {
    let headers = [("X-Postmark-Server-Token", account.api_key.clone())];
    let body = postmark_body(account, key, message);
    post(&format!("{}/email", account.api_base), &headers, &body).await
}

fn log_line(letter: &EmailJob, message: &Message, with_text: bool) -> Value {
    let mut line = json!({
        "level": "info", "event": "mail", "kind": letter.kind, "order_id": letter.order_id, "subject": message.subject,
    });
    if with_text && let Some(line) = line.as_object_mut() {
        line.insert("text".to_owned(), Value::from(message.text.as_str()));
    }
    line
}

fn resend_body(account: &Account, message: &Message) -> Value {
    json!({
        "from": sender_in_ascii(&account.from), "to": [in_ascii(&message.to)], "subject": message.subject, "text": message.text, "html": message.html,
    })
}

fn postmark_body(account: &Account, key: &str, message: &Message) -> Value {
    json!({
        "From": sender_in_ascii(&account.from), "To": in_ascii(&message.to), "Subject": message.subject, "TextBody": message.text, "HtmlBody": message.html,
        "MessageStream": "outbound", "Metadata": {"mail_id": key},
    })
}

async fn post(url: &str, headers: &[(&str, String)], body: &Value) -> Result<(), MailFailure> {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
    let body = body.to_string();
    let request = Outgoing {
        url,
        headers: headers
            .chain([("Content-Type", "application/json")])
            .collect(),
        body: Some(&body),
        ..Outgoing::default()
    };
    match send(&request, TIMEOUT, judge).await {
        Ok(judgement) => judgement,
        Err(NoAnswer::Unsent(reason)) => Err(MailFailure::Refused(reason)),
        Err(NoAnswer::Lost(reason)) => Err(MailFailure::Unknown(reason)),
    }
}

async fn judge(answer: Answer) -> Result<Result<(), MailFailure>, NoAnswer> {
    let status = answer.status();
    if (200..300).contains(&status) {
        return Ok(Ok(()));
    }
    let retry_after = answer.header("Retry-After");
    let reason = answer.text().await.unwrap_or_default();
    Ok(Err(failure_of(status, retry_after.as_deref(), &reason)))
}

/// Interprets the response to an email. Only refusals of the recipient's address are final. Any
/// other refusal, such as an unverified sender or a revoked key, would apply to every email and is
/// fixed by staff.
fn failure_of(status: u16, retry_after: Option<&str>, body: &str) -> MailFailure {
    let told = format!("status {status}");
    match status {
        429 => {
            let secs = retry_after.and_then(|secs| secs.trim().parse().ok());
            MailFailure::Busy(secs.unwrap_or(BUSY_SECS).clamp(1, MAX_BUSY_SECS))
        }
        400 | 406 | 422 if is_about_address(body) => {
            MailFailure::Rejected(format!("{told}: the provider refuses the address"))
        }
        400..500 if status != 408 => MailFailure::Refused(told),
        _ => MailFailure::Unknown(told),
    }
}

/// Returns true when the refusal concerns the recipient's address. Resend names the field. Postmark
/// returns error code 406 for an address it no longer sends to, and 300 with the field for one that
/// is malformed.
fn is_about_address(body: &str) -> bool {
    let answer: Value = durable::json::read(body).unwrap_or_default();
    let message = answer.get("message").or_else(|| answer.get("Message"));
    let message = message.and_then(Value::as_str).unwrap_or_default();
    let code = answer.get("ErrorCode").and_then(Value::as_u64);
    code == Some(406) || message.contains("`to`") || message.contains("'To'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use shop::messages::email::MailKind;

    fn account(api_key: &str) -> Account {
        Account {
            api_base: String::new(),
            api_key: api_key.into(),
            from: "Shop <orders@shop.test>".into(),
        }
    }

    fn message() -> Message {
        Message {
            to: "ann@shopper.test".into(),
            subject: "Order 1001 is confirmed".into(),
            text: "Thank you".into(),
            html: "<p>Thank you</p>".into(),
        }
    }

    #[test]
    fn a_carrier_is_complete_or_says_so() {
        let log = Carrier::new("log", account(""), true).unwrap();
        assert!(log.check().is_ok());
        let Carrier::Resend(resend) = Carrier::new("resend", account("k"), true).unwrap() else {
            panic!("another carrier");
        };
        assert_eq!(resend.api_base.as_str(), "https://api.resend.com");
        assert!(Carrier::Resend(resend).check().is_ok());
        let keyless = Carrier::new("postmark", account(""), true).unwrap();
        assert!(keyless.check().is_err());
        let from = "Shop orders@shop.test".into();
        let nobodys = Account {
            from,
            ..account("k")
        };
        let refusal = Carrier::Postmark(nobodys).check().unwrap_err();
        assert!(refusal.to_string().contains("MAIL_FROM"), "{refusal}");
        assert!(Carrier::new("pigeon", account("k"), true).is_err());
    }

    #[test]
    fn the_log_never_has_the_address_and_seldom_the_text() {
        let letter = EmailJob::about(MailKind::OrderConfirmation, &"ord_1".into());
        let quiet = log_line(&letter, &message(), false).to_string();
        assert!(
            !quiet.contains("ann@") && !quiet.contains("Thank you"),
            "{quiet}"
        );
        let open = log_line(&letter, &message(), true).to_string();
        assert!(
            !open.contains("ann@") && open.contains("Thank you"),
            "{open}"
        );
    }

    #[test]
    fn only_a_refused_address_is_for_good() {
        use MailFailure::{Busy, Refused, Rejected, Unknown};
        let resend =
            r#"{"statusCode":422,"name":"validation_error","message":"Invalid `to` field."}"#;
        let sender =
            r#"{"statusCode":422,"name":"invalid_from_address","message":"Invalid `from` field."}"#;
        let inactive = r#"{"ErrorCode":406,"Message":"You tried to send to a recipient that has been marked as inactive."}"#;
        for body in [resend, inactive] {
            assert!(matches!(failure_of(422, None, body), Rejected(_)), "{body}");
        }
        for (status, body) in [(422, sender), (422, "no JSON"), (401, "{}"), (403, "{}")] {
            assert!(
                matches!(failure_of(status, None, body), Refused(_)),
                "{status} {body}"
            );
        }
        assert_eq!(failure_of(429, Some("7"), ""), Busy(7));
        assert_eq!(failure_of(429, Some("soon"), ""), Busy(BUSY_SECS));
        assert_eq!(failure_of(429, Some("99999"), ""), Busy(MAX_BUSY_SECS));
        for status in [408, 500, 503] {
            assert!(
                matches!(failure_of(status, None, resend), Unknown(_)),
                "{status}"
            );
        }
    }

    #[test]
    fn each_provider_gets_its_own_words() {
        let resend = resend_body(&account("k"), &message());
        assert_eq!(resend["to"], json!(["ann@shopper.test"]));
        assert_eq!(resend["html"], "<p>Thank you</p>");
        let postmark = postmark_body(&account("k"), "mail_1", &message());
        let foreign = Account {
            from: "Bücher <post@bücher.test>".into(),
            ..account("k")
        };
        let sender = "Bücher <post@xn--bcher-kva.test>";
        assert_eq!(resend_body(&foreign, &message())["from"], sender);
        assert_eq!(
            postmark_body(&foreign, "mail_1", &message())["From"],
            sender
        );
        assert_eq!(postmark["To"], "ann@shopper.test");
        assert_eq!(postmark["TextBody"], "Thank you");
        assert_eq!(postmark["Metadata"]["mail_id"], "mail_1");
    }
}
