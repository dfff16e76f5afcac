//! Findings told to staff: by a mail that gathers those of a quarter of an hour, and by a signed
//! webhook that the merchant names, one message each. Neither holds anything of a person: kinds,
//! ids, numbers of orders and times.
//!
//! A delivery is a row of a finding and a channel, made from the findings that have none yet, and
//! is done when the channel has taken it: who dies in between leaves a row that is due again, and
//! is sent under the same id, by which the mail provider and the receiver of the webhook tell a
//! repeat. What a mail says never changes once it was begun, as its idempotency key demands.

use crate::error::{Error, Result};
use crate::messages::mail::Message;
use crate::orders::findings::{Channel, finding_id};
use crate::values::ids::derived_id;
use crate::values::mail_addresses::read_address;
use durable::Timestamp;
use futures_util::stream::{self, StreamExt};
use maud::{DOCTYPE, html};

/// Seconds after which a delivery is given up. A mail provider knows the key of a mail for a day,
/// so that it is not tried for longer.
pub const GIVE_UP_SECS: u32 = 23 * 60 * 60;

/// Seconds between two mails.
pub const DIGEST_SECS: u32 = 15 * 60;

/// Findings that one mail tells of at most; the next one tells of the others.
pub const MAX_IN_DIGEST: u32 = 100;

/// Messages to the webhook that one run sends at most, and at once.
const MAX_POSTS: u32 = 10;
const POSTS_AT_ONCE: usize = 5;

/// A finding as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The finding's.
    pub id: i64,
    /// Its kind.
    pub kind: String,
    /// The id or name that it is about.
    pub subject: String,
    /// The number of the order that it is about.
    pub order_number: Option<i64>,
    /// Instant at which it was found.
    pub found_at: Timestamp,
}

impl Notice {
    /// `fnd_…`: the same for every attempt, so that a receiver can tell a repeat.
    #[must_use]
    pub fn message_id(&self) -> String {
        finding_id(self.id)
    }
}

/// The findings of one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Instant at which the digest was begun; no other digest has the same.
    pub begun_at: Timestamp,
    /// The oldest first.
    pub notices: Vec<Notice>,
}

/// The record of deliveries.
pub trait FindingDeliveries {
    /// Makes the deliveries of a channel that findings of the last day have not got, once their
    /// kind is told of.
    async fn enlist(&self, channel: Channel, now: Timestamp) -> Result<()>;
    /// Notices that are due to the webhook; each is handed out once until it is due again.
    async fn take_due(&self, limit: u32, now: Timestamp) -> Result<Vec<Notice>>;
    /// The mail that is due: one that was begun and not sent, or a new one when the last was begun
    /// long enough ago.
    async fn take_digest(&self, now: Timestamp) -> Result<Option<Digest>>;
    /// Notes that a channel has taken them.
    async fn delivered(&self, channel: Channel, ids: &[i64], now: Timestamp) -> Result<()>;
    /// Notes that it has not; those whose time is over are given up.
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
    /// Posts a notice.
    async fn post(&self, notice: &Notice) -> Result<()>;
}

/// The mail of staff.
pub trait FindingMail {
    /// Sends a mail; where the provider knows idempotency keys, the same key never sends two.
    async fn send(&self, idempotency_key: &str, message: &Message) -> Result<()>;
}

/// Posts what is due to the webhook.
///
/// # Errors
/// When the record can't be read or written; what was taken is due again later. A receiver that
/// fails is noted in the record.
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

/// Sends the mail that is due, to `to`.
///
/// # Errors
/// When the record can't be read or written; a mail that was taken is due again later. A provider
/// that fails is noted in the record.
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
        1 => "Your shop has found something to look into".to_owned(),
        count => format!("Your shop has found {count} things to look into"),
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

/// An instant for machines.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    chrono::DateTime::from_timestamp_millis(at.as_millis())
        .unwrap_or_default()
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The address that the webhook is posted to.
///
/// # Errors
/// When it is no `https` address; `http` does in development.
pub fn checked_url(url: &str, in_development: bool) -> Result<&str> {
    if url.starts_with("https://") || (in_development && url.starts_with("http://")) {
        return Ok(url);
    }
    Err(Error::internal(
        "config: FINDINGS_WEBHOOK_URL is no https address",
    ))
}

/// The address that the mail goes to; empty: none.
///
/// # Errors
/// When it is no mail address.
pub fn checked_address(address: &str) -> Result<&str> {
    if address.is_empty() || read_address(address).is_some() {
        return Ok(address);
    }
    Err(Error::internal("config: FINDINGS_MAIL is no mail address"))
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
