//! Emails about an order: their texts, and the rules by which each is sent once.
//!
//! An email is done when it was sent, not when it was queued. Its row is written together with the
//! completion of its task. A sweep queues every email again that was not sent in time, so a lost
//! queue message delays an email but does not lose it. Before the provider is called, an email is
//! claimed by its row, unique per order, kind and subject; the row's id is the provider's
//! idempotency key. A sender that dies leaves a claim that lapses, and the next attempt uses the
//! same key. An email is thus sent exactly once if the provider supports such keys, and otherwise
//! at least once.
//!
//! Providers remember keys for a day. An email whose last attempt is older and may have succeeded
//! is not sent again blindly: it is given up, as is one whose address the provider rejects, and
//! staff are notified.

#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::messages::labels::Labels;
use crate::messages::letterhead::Letterhead;
use crate::orders::links::OrderLinks;
use crate::orders::order::{Order, Task};
use crate::orders::record::Orders;
use crate::orders::transitions::Effect;
use crate::values::ids::{OrderId, derived_id};
use crate::values::languages::Language;
use crate::values::money::Money;
use durable::Timestamp;
use maud::{DOCTYPE, Markup, html};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Prefix of the name of the queue of outgoing email, in every environment.
pub const OUTGOING_QUEUE: &str = "outgoing";

/// Seconds after which a claim belongs to a sender that died.
pub const CLAIM_SECS: u32 = 60;

/// Seconds after an attempt, or after the message was queued, until the sweep queues an unsent
/// email again.
pub const SENT_WITHIN_SECS: u32 = 15 * 60;

/// Seconds for which a provider certainly remembers an idempotency key; Resend keeps them for 24
/// hours.
pub const KEY_KEPT_SECS: u32 = 23 * 60 * 60;

/// Maximum number of emails queued again by one sweep.
const QUEUED_AGAIN_AT_ONCE: u32 = 100;

/// Kind of an email.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// The order is paid and being processed.
    OrderConfirmation,
    /// Money is refunded.
    Refund,
    /// The payment failed, or the goods are gone.
    PaymentProblem,
    /// Link to the order, requested by its owner.
    OrderLink,
}

/// An email to a shopper, as a message in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailJob {
    /// Kind of email.
    pub kind: MailKind,
    /// Id of the order.
    pub order_id: OrderId,
    /// Id of the refund, or the hour of the link request; empty for the order as a whole.
    #[serde(default)]
    pub subject: String,
    /// Language of the email.
    #[serde(default)]
    pub language: Language,
}

/// Message on the queue of outgoing email.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outgoing {
    /// An email to be sent.
    Letter(EmailJob),
    /// A request for a link, to be checked first.
    LinkRequest(LinkRequest),
}

impl EmailJob {
    /// Builds the job of an email about an order as a whole.
    #[must_use]
    pub fn about(kind: MailKind, order_id: &OrderId) -> Self {
        Self {
            kind,
            order_id: order_id.to_owned(),
            subject: String::new(),
            language: Language::default(),
        }
    }

    /// Returns the email that carries out `task`. `None` means that the task sends none.
    #[must_use]
    pub fn of_task(order_id: &OrderId, task: &Task) -> Option<Self> {
        let about = |kind| Self::about(kind, order_id);
        match task.effect {
            Effect::SendConfirmation => Some(about(MailKind::OrderConfirmation)),
            Effect::SendRefund => Some(about(MailKind::Refund).on(&task.subject)),
            Effect::SendPaymentProblem => Some(about(MailKind::PaymentProblem)),
            _ => None,
        }
    }

    /// Sets the subject: the id of a refund, or an hour.
    #[must_use]
    pub fn on(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.subject);
        self
    }

    /// Id, `mail_…`: the same for the same email, and also the provider's idempotency key.
    #[must_use]
    pub fn id(&self) -> String {
        derived_id(
            "mail",
            &format!("{}\0{:?}\0{}", self.order_id, self.kind, self.subject),
        )
    }
}

/// An email in the form that providers accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// A single address.
    pub to: String,
    /// A single line.
    pub subject: String,
    /// Plain text, for all email clients.
    pub text: String,
    /// HTML, for the clients that show it.
    pub html: String,
}

/// Outcome of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The caller is to send the email.
    Yours,
    /// Another sender has claimed it.
    Taken,
    /// It was already sent.
    Sent,
    /// It will not be sent; staff have been notified.
    GivenUp,
    /// An attempt longer ago than providers remember keys may have sent it.
    Uncertain,
}

/// Outcome of sending an email.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SendOutcome {
    /// It was sent, now or earlier.
    Sent,
    /// Another sender has claimed it, or the provider is busy: try again after this many seconds.
    Later(u32),
    /// It will not be sent; staff have been notified.
    GivenUp,
}

/// Reason why a provider did not accept an email.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailFailure {
    /// It will never accept this email, because it does not send to the address.
    Rejected(String),
    /// It is busy for this many seconds.
    Busy(u32),
    /// It refused for a reason that can be fixed: a key, a sender, a quota.
    Refused(String),
    /// It did not answer, or failed; the email may have been sent.
    Unknown(String),
}

impl MailFailure {
    /// True if the provider confirmed that it did not accept the email.
    const fn is_certain(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}

impl fmt::Display for MailFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(reason) | Self::Refused(reason) | Self::Unknown(reason) => {
                write!(f, "mail provider: {reason}")
            }
            Self::Busy(secs) => write!(f, "mail provider: busy for {secs} s"),
        }
    }
}

/// Sends an email, once.
///
/// # Errors
/// Fails if a port fails; retry later.
pub async fn send_letter(
    orders: &impl Orders,
    mails: &impl Mails,
    provider: &impl MailProvider,
    letter: &EmailJob,
    links: &OrderLinks,
    letterhead: &Letterhead<'_>,
    now: Timestamp,
) -> Result<SendOutcome> {
    match mails.claim(letter, now).await? {
        Claim::Sent => return Ok(SendOutcome::Sent),
        Claim::Taken => return Ok(SendOutcome::Later(CLAIM_SECS)),
        Claim::GivenUp => return Ok(SendOutcome::GivenUp),
        Claim::Uncertain => {
            let reason = "an attempt more than 23 hours ago may have sent it";
            mails.give_up(letter, reason, now).await?;
            return Ok(SendOutcome::GivenUp);
        }
        Claim::Yours => {}
    }
    let order = orders
        .order(&letter.order_id)
        .await?
        .ok_or_else(|| Error::internal(format!("no order {}", letter.order_id)))?;
    let message = compose(letter, &order, links, letterhead)?;
    let id = letter.id();
    match provider.send(&id, letter, &message).await {
        Ok(()) => {
            mails.sent(&id, now).await?;
            Ok(SendOutcome::Sent)
        }
        Err(MailFailure::Rejected(reason)) => {
            mails.give_up(letter, &reason, now).await?;
            Ok(SendOutcome::GivenUp)
        }
        Err(failure) => {
            let error = failure.to_string();
            mails.failed(&id, &error, failure.is_certain()).await?;
            match failure {
                MailFailure::Busy(secs) => Ok(SendOutcome::Later(secs)),
                _ => Err(Error::internal(error)),
            }
        }
    }
}

/// Queues again the emails that were not sent in time, and returns their number.
///
/// # Errors
/// Fails if a port fails; the claimed emails become due again later.
pub async fn queue_unsent_letters(
    mails: &impl Mails,
    mail: &impl Mail,
    now: Timestamp,
) -> Result<usize> {
    let letters = mails.take_due(QUEUED_AGAIN_AT_ONCE, now).await?;
    for letter in &letters {
        mail.post(letter).await?;
    }
    Ok(letters.len())
}

/// Composes the text of an email.
///
/// # Errors
/// Fails if it is about a refund that the order does not have.
pub fn compose(
    letter: &EmailJob,
    order: &Order,
    links: &OrderLinks,
    letterhead: &Letterhead<'_>,
) -> Result<Message> {
    let number = order.number;
    let links = links.clone().in_language(letter.language);
    let way = Way {
        labels: Labels::of(letter.language),
        link: links.status(&order.id),
        look_up: links.look_up(),
        number,
        code: links.code(&order.id),
    };
    let (subject, paragraphs) = match letter.kind {
        MailKind::OrderConfirmation => (
            format!("Order {number} is confirmed"),
            vec!["Thank you for your order! We have received your payment and are preparing your parcel.".to_owned()],
        ),
        MailKind::Refund => (
                format!("Your refund for order {number}"),
                vec![
                    format!("Your refund of {} is on its way to the payment method you used.", refunded(order, &letter.subject)?),
                    "Depending on your bank, it can take five to ten working days to arrive.".to_owned(),
                ],
        ),
        MailKind::OrderLink => match letter.language {
            Language::English => (
                format!("The link to your order {number}"),
                vec!["Someone, hopefully you, requested the link to this order. Anyone who has the link can see the order, so please keep it to yourself.".to_owned()],
            ),
            Language::German => (
                format!("Der Link zu Ihrer Bestellung {number}"),
                vec!["Jemand, hoffentlich Sie, hat den Link zu dieser Bestellung angefordert. Wer den Link hat, kann die Bestellung sehen. Geben Sie ihn daher bitte nicht weiter.".to_owned()],
            ),
        },
        MailKind::PaymentProblem => (
            format!("Your payment for order {number} did not go through"),
            vec![
                "We could not complete your order, and its items are no longer reserved for you.".to_owned(),
                "If you have been charged, we will refund the full amount. You do not need to do anything.".to_owned(),
            ],
        ),
    };
    let lines: Vec<(String, Money)> = order
        .lines
        .iter()
        .map(|line| (line.name(), Money::new(line.line_total, order.currency)))
        .collect();
    let total = Money::new(order.totals.total, order.currency);
    // Emails that anyone can have sent to any address, by requesting a link or ordering without
    // paying, contain nothing that they typed.
    let label = match letter.kind {
        MailKind::OrderConfirmation | MailKind::Refund if order.totals.total > 0 => {
            order.shipping_address.label()
        }
        _ => vec![],
    };
    Ok(Message {
        to: order.email.clone(),
        text: as_text(&paragraphs, &lines, total, &label, &way, letterhead),
        html: as_html(
            &subject,
            &paragraphs,
            &lines,
            total,
            &label,
            &way,
            letterhead,
        )
        .into_string(),
        subject,
    })
}

fn refunded(order: &Order, refund_id: &str) -> Result<Money> {
    let refund = order.refunds.iter().find(|refund| refund.id == refund_id);
    refund
        .map(|refund| refund.amount)
        .ok_or_else(|| Error::internal(format!("no refund {refund_id}")))
}

/// Ways to open an order.
struct Way {
    labels: &'static Labels,
    link: String,
    look_up: String,
    number: i64,
    code: String,
}

fn as_text(
    paragraphs: &[String],
    lines: &[(String, Money)],
    total: Money,
    label: &[String],
    way: &Way,
    letterhead: &Letterhead<'_>,
) -> String {
    let labels = way.labels;
    let mut parts = paragraphs.to_vec();
    let mut listed: Vec<String> = lines
        .iter()
        .map(|(name, amount)| format!("{name}: {amount}"))
        .collect();
    listed.push(format!("{}: {total}", labels.total));
    parts.push(listed.join("\n"));
    if !label.is_empty() {
        parts.push(format!("{}:\n{}", labels.ship_to, label.join("\n")));
    }
    parts.push(format!("{}: {}", labels.open, way.link));
    parts.push(format!(
        "{}: {}?by=code\n{}: {}\n{}: {}",
        labels.look_up, way.look_up, labels.number, way.number, labels.code, way.code
    ));
    parts.push(letterhead.as_text());
    parts.join("\n\n")
}

/// Email clients support neither style sheets nor scripts reliably, so this is plain structure.
fn as_html(
    subject: &str,
    paragraphs: &[String],
    lines: &[(String, Money)],
    total: Money,
    label: &[String],
    way: &Way,
    letterhead: &Letterhead<'_>,
) -> Markup {
    let labels = way.labels;
    html! {
        (DOCTYPE)
        html lang=(labels.lang) {
            head { meta charset="utf-8"; title { (subject) } }
            body {
                h1 { (subject) }
                @for paragraph in paragraphs { p { (paragraph) } }
                table {
                    @for (name, amount) in lines {
                        tr { td { (name) } td align="right" { (amount) } }
                    }
                    tr { th align="left" { (labels.total) } th align="right" { (total) } }
                }
                @if !label.is_empty() {
                    h2 { (labels.ship_to) }
                    p { @for line in label { (line) br; } }
                }
                p { a href=(way.link) { (labels.open) } }
                p {
                    (labels.look_up) ": " a href=(format!("{}?by=code", way.look_up)) { (way.look_up) } br;
                    (labels.number) ": " (way.number) br;
                    (labels.code) ": " strong { (way.code) }
                }
                (letterhead.as_html())
            }
        }
    }
}

/// A request for the link to an order, as a message in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRequest {
    /// Order number.
    pub order_number: i64,
    /// Digest of the email address that the order must have been placed with.
    pub customer: String,
    /// Language of the email.
    #[serde(default)]
    pub language: Language,
}

/// Queue of emails to shoppers. Each is sent later, once.
pub trait Mail {
    /// Queues an email.
    async fn post(&self, letter: &EmailJob) -> Result<()>;
    /// Queues a request for the link to an order.
    async fn ask_for_link(&self, request: &LinkRequest) -> Result<()>;
}

/// Store of emails. A row is written when its task is completed ([`Orders::finish_round`]), or else
/// by its first claim.
pub trait Mails {
    /// Claims an email: among simultaneous callers, only one may send it.
    async fn claim(&self, letter: &EmailJob, now: Timestamp) -> Result<Claim>;
    /// Records that an email was sent.
    async fn sent(&self, mail_id: &str, now: Timestamp) -> Result<()>;
    /// Records a failed attempt, and releases the claim. `certain` is true if the provider
    /// confirmed that it did not accept the email.
    async fn failed(&self, mail_id: &str, error: &str, certain: bool) -> Result<()>;
    /// Records that an email will not be sent, together with a finding for staff.
    async fn give_up(&self, letter: &EmailJob, reason: &str, now: Timestamp) -> Result<()>;
    /// Claims emails that should have been sent by `now`, longest-waiting first; each is given to
    /// one caller at a time.
    async fn take_due(&self, limit: u32, now: Timestamp) -> Result<Vec<EmailJob>>;
}

/// An email provider.
pub trait MailProvider {
    /// Sends an email; if the provider supports idempotency keys, the same key never sends two.
    async fn send(
        &self,
        idempotency_key: &str,
        letter: &EmailJob,
        message: &Message,
    ) -> Result<(), MailFailure>;
}
