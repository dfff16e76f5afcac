//! Notification of staff about findings: by a digest email every fifteen minutes, and by a signed
//! request per finding to a webhook that the merchant configures. Neither contains personal data:
//! only kinds, ids, order numbers and times.
//!
//! A delivery is a row for one finding and one channel, created for findings that have none yet,
//! and done once the channel has accepted it. A process that dies in between leaves a row that
//! becomes due again and is sent with the same id, by which the email provider and the webhook's
//! receiver recognize a repeat. The content of an email never changes once it was begun, as its
//! idempotency key requires.

use crate::error::{Error, Result};
use crate::messages::email::Message;
use crate::orders::findings::{Channel, finding_id};
use crate::values::ids::derived_id;
use crate::values::mail_addresses::read_address;
use durable::Timestamp;
use futures_util::stream::{self, StreamExt};
use maud::{DOCTYPE, html};

/// Seconds after which a delivery is given up. An email provider remembers a key for a day, so it
/// is not retried for longer.
pub const GIVE_UP_SECS: u32 = 23 * 60 * 60;

/// Seconds between two digest emails.
pub const DIGEST_SECS: u32 = 15 * 60;

/// Maximum number of findings in one email; the next one contains the others.
pub const MAX_IN_DIGEST: u32 = 100;

/// Maximum number of webhook requests sent in one run, and at the same time.
const MAX_POSTS: u32 = 10;
const POSTS_AT_ONCE: usize = 5;

/// A finding as reported to staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Id of the finding.
    pub id: i64,
    /// Kind of the finding.
    pub kind: String,
    /// Id or name that it concerns.
    pub subject: String,
    /// Number of the order that it concerns. `None` means that it concerns none.
    pub order_number: Option<i64>,
    /// Time at which it was found.
    pub found_at: Timestamp,
}

impl Notice {
    /// Message id, `fnd_…`: the same for every attempt, so that a receiver can recognize a repeat.
    #[must_use]
    pub fn message_id(&self) -> String {
        finding_id(self.id)
    }
}

/// Findings in one email.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Time at which the digest was begun; unique among digests.
    pub begun_at: Timestamp,
    /// Findings, oldest first.
    pub notices: Vec<Notice>,
}

/// Store of deliveries.
pub trait FindingDeliveries {
    /// Creates the missing deliveries of a channel for findings of the last day, once their kind is
    /// due to be reported.
    async fn enlist(&self, channel: Channel, now: Timestamp) -> Result<()>;
    /// Claims notices that are due for the webhook; each is given out once until it is due again.
    async fn take_due(&self, limit: u32, now: Timestamp) -> Result<Vec<Notice>>;
    /// Claims the email that is due: one that was begun but not sent, or a new one if the last was
    /// begun long enough ago.
    async fn take_digest(&self, now: Timestamp) -> Result<Option<Digest>>;
    /// Records that a channel has accepted these findings.
    async fn delivered(&self, channel: Channel, ids: &[i64], now: Timestamp) -> Result<()>;
    /// Records that a channel has failed; deliveries past their time limit are given up.
    async fn failed(
        &self,
        channel: Channel,
        ids: &[i64],
        error: &str,
        now: Timestamp,
    ) -> Result<()>;
}

/// The merchant's webhook.
pub trait FindingWebhook {
    /// Sends a notice to the webhook.
    async fn post(&self, notice: &Notice) -> Result<()>;
}

/// Email to staff.
pub trait FindingMail {
    /// Sends an email. If the provider supports idempotency keys, the same key never sends two.
    async fn send(&self, idempotency_key: &str, message: &Message) -> Result<()>;
}

/// Sends all due notices to the webhook.
///
/// # Errors
/// Fails if the store can't be read or written; claimed notices become due again later. A failure
/// of the receiver is only recorded.
pub async fn push_to_webhook(
    deliveries: &impl FindingDeliveries,
    webhook: &impl FindingWebhook,
    now: Timestamp,
) -> Result<()> {
    deliveries.enlist(Channel::Webhook, now).await?;
    let due = deliveries.take_due(MAX_POSTS, now).await?;
    let outcomes: Vec<Result<()>> = stream::iter(&due)
        .map(async |notice| {
            let outcome = webhook.post(notice).await;
            note(deliveries, Channel::Webhook, &[notice.id], outcome, now).await
        })
        .buffer_unordered(POSTS_AT_ONCE)
        .collect()
        .await;
    outcomes.into_iter().collect()
}

/// Sends the digest email that is due to `to`.
///
/// # Errors
/// Fails if the store can't be read or written; a claimed email becomes due again later. A failure
/// of the provider is only recorded.
pub async fn push_by_mail(
    deliveries: &impl FindingDeliveries,
    mail: &impl FindingMail,
    to: &str,
    shop_url: &str,
    now: Timestamp,
) -> Result<()> {
    deliveries.enlist(Channel::Mail, now).await?;
    let Some(digest) = deliveries.take_digest(now).await? else {
        return Ok(());
    };
    let key = derived_id(
        "mail",
        &format!("findings\0{}", digest.begun_at.as_millis()),
    );
    let outcome = mail.send(&key, &compose(&digest, to, shop_url)).await;
    let ids: Vec<i64> = digest.notices.iter().map(|notice| notice.id).collect();
    note(deliveries, Channel::Mail, &ids, outcome, now).await
}

async fn note(
    deliveries: &impl FindingDeliveries,
    channel: Channel,
    ids: &[i64],
    outcome: Result<()>,
    now: Timestamp,
) -> Result<()> {
    match outcome {
        Ok(()) => deliveries.delivered(channel, ids, now).await,
        Err(error) => {
            let error = error.to_string();
            deliveries.failed(channel, ids, &error, now).await
        }
    }
}

fn compose(digest: &Digest, to: &str, shop_url: &str) -> Message {
    let subject = match digest.notices.len() {
        1 => "Your shop has a new finding".to_owned(),
        count => format!("Your shop has {count} new findings"),
    };
    let lines: Vec<String> = digest.notices.iter().map(line).collect();
    let list = format!("{shop_url}/api/v1/admin/findings");
    Message {
        to: to.to_owned(),
        text: format!("{}\n\nAll findings: {list}", lines.join("\n")),
        html: html! {
            (DOCTYPE)
            html lang="en" {
                head { meta charset="utf-8"; title { (subject) } }
                body {
                    h1 { (subject) }
                    ul { @for line in &lines { li { (line) } } }
                    p { "All findings: " (list) }
                }
            }
        }
        .into_string(),
        subject,
    }
}

fn line(notice: &Notice) -> String {
    let number = notice.order_number;
    let order = number.map_or_else(String::new, |number| format!("order {number}, "));
    format!(
        "{}: {order}{} (finding {}, {})",
        notice.kind,
        notice.subject,
        notice.id,
        rfc3339(notice.found_at)
    )
}

/// Formats an instant in RFC 3339.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    chrono::DateTime::from_timestamp_millis(at.as_millis())
        .unwrap_or_default()
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Returns the webhook's URL after checking it.
///
/// # Errors
/// Fails unless it is an `https` URL; `http` is accepted in development.
pub fn checked_url(url: &str, in_development: bool) -> Result<&str> {
    if url.starts_with("https://") || (in_development && url.starts_with("http://")) {
        return Ok(url);
    }
    Err(Error::internal(
        "config: FINDINGS_WEBHOOK_URL must be an https URL",
    ))
}

/// Returns the address for findings after checking it; empty means no email.
///
/// # Errors
/// Fails if it is not an email address.
pub fn checked_address(address: &str) -> Result<&str> {
    if address.is_empty() || read_address(address).is_some() {
        return Ok(address);
    }
    Err(Error::internal(
        "config: FINDINGS_MAIL must be an email address",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_checked_by_the_name_of_its_variable() {
        for address in ["", "staff@shop.test"] {
            assert_eq!(checked_address(address).unwrap(), address);
        }
        for address in ["staff", "@shop.test", "staff@shop", "a@b.test, c@d.test"] {
            let error = checked_address(address).unwrap_err().to_string();
            assert!(error.contains("FINDINGS_MAIL"), "{error}");
        }
        for (url, in_development, is_good) in [
            ("https://hooks.test/x", false, true),
            ("http://hooks.test/x", false, false),
            ("http://127.0.0.1:9000", true, true),
            ("ftp://hooks.test", true, false),
            ("hooks.test", false, false),
        ] {
            let checked = checked_url(url, in_development);
            assert_eq!(checked.is_ok(), is_good, "{url}");
        }
    }
}
