//! Letters about an order: their texts, and the rules by which each is sent once.
//!
//! A letter is done when it was sent, not when it was queued. Its row is written with the note that
//! its task was carried out; a sweep queues every letter again that was not sent in time, so that a
//! lost message delays a letter and loses none. A letter is claimed by its row, unique per order,
//! kind and subject, before the provider is asked, and is sent with the row's id as the provider's
//! idempotency key. A sender that dies leaves a claim that lapses; the next attempt sends with the
//! same key. So a letter goes out once where the provider knows such keys, and at least once where
//! it does not.
//!
//! Providers keep keys for a day. A letter that may have been sent so long ago is not sent again
//! blindly: it is given up, as is one whose address the provider refuses, and staff are told.

use crate::error::{Error, Result};
use crate::messages::letterhead::Letterhead;
use crate::orders::links::OrderLinks;
use crate::orders::order::{Order, Task};
use crate::orders::record::Orders;
use crate::orders::transitions::Effect;
use crate::values::ids::derived_id;
use crate::values::languages::Language;
use crate::values::money::Money;
use durable::Timestamp;
use maud::{DOCTYPE, Markup, html};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The queue of letters; an environment's own begins with this name.
pub const OUTGOING_QUEUE: &str = "outgoing";

/// Seconds after which a claim is that of a sender that died.
pub const CLAIM_SECS: u32 = 60;

/// Seconds after an attempt, or after the message was queued, until the sweep queues a letter again
/// that was not sent.
pub const SENT_WITHIN_SECS: u32 = 15 * 60;

/// Seconds for which a provider is sure to know an idempotency key: Resend keeps them for 24 hours.
pub const KEY_KEPT_SECS: u32 = 23 * 60 * 60;

/// Letters that one sweep queues again at most.
const QUEUED_AGAIN_AT_ONCE: u32 = 100;

/// Subject of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// The order is paid and goes its way.
    OrderConfirmation,
    /// Money goes back.
    Refund,
    /// The payment came to nothing, or the goods are gone.
    PaymentProblem,
    /// The way back to the order, for its owner who asked.
    OrderLink,
}

/// Something for the shopper to know, as it waits in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailJob {
    /// Subject of the mail.
    pub kind: MailKind,
    /// Of which order.
    pub order_id: String,
    /// Of which refund, in which hour; empty: of the order as a whole.
    #[serde(default)]
    pub subject: String,
    /// Language of the mail.
    #[serde(default)]
    pub language: Language,
}

/// Message on the queue of outgoing mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outgoing {
    /// To be sent.
    Letter(EmailJob),
    /// To be looked into first.
    LinkRequest(LinkRequest),
}

impl EmailJob {
    /// A letter about an order as a whole.
    #[must_use]
    pub fn about(kind: MailKind, order_id: &str) -> Self {
        Self {
            kind,
            order_id: order_id.to_owned(),
            subject: String::new(),
            language: Language::default(),
        }
    }

    /// The letter that carries `task` out; none when it is no letter.
    #[must_use]
    pub fn of_task(order_id: &str, task: &Task) -> Option<Self> {
        let about = |kind| Self::about(kind, order_id);
        match task.effect {
            Effect::SendConfirmation => Some(about(MailKind::OrderConfirmation)),
            Effect::SendRefund => Some(about(MailKind::Refund).on(&task.subject)),
            Effect::SendPaymentProblem => Some(about(MailKind::PaymentProblem)),
            _ => None,
        }
    }

    /// The same letter about one refund.
    #[must_use]
    pub fn on(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.subject);
        self
    }

    /// `mail_…`: the same for the same letter, and so the provider's idempotency key.
    #[must_use]
    pub fn id(&self) -> String {
        derived_id(
            "mail",
            &format!("{}\0{:?}\0{}", self.order_id, self.kind, self.subject),
        )
    }
}

/// A mail as a provider takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// For every reader.
    pub text: String,
    /// For those that show it.
    pub html: String,
}

/// Outcome of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The letter is the caller's to send.
    Yours,
    /// Another sender has it.
    Taken,
    /// It was sent.
    Sent,
    /// It will not be sent; staff were told.
    GivenUp,
    /// An attempt longer ago than providers keep keys may have sent it.
    Uncertain,
}

/// Outcome of sending a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SendOutcome {
    /// It was sent, now or before.
    Sent,
    /// Another sender has it, or the provider asks for patience: worth another look after so many
    /// seconds.
    Later(u32),
    /// It will not be sent; staff were told.
    GivenUp,
}

/// Reason why a provider did not take a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailFailure {
    /// It will never take this letter: the address is none that it sends to.
    Rejected(String),
    /// It takes no more for so many seconds.
    Busy(u32),
    /// It did not take it, for a reason that may be mended: a key, a sender, a quota.
    Refused(String),
    /// It did not answer, or failed: the letter may have been sent.
    Unknown(String),
}

impl MailFailure {
    /// True if the provider said that it did not take the letter.
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

/// Sends a letter, once.
///
/// # Errors
/// When a port fails: to be tried again.
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

/// Queues the letters again that were not sent in time; the number of them.
///
/// # Errors
/// When a port fails; what was taken then is due again later.
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

/// Text of a letter.
///
/// # Errors
/// When it is about a refund that the order does not have.
pub fn compose(
    letter: &EmailJob,
    order: &Order,
    links: &OrderLinks,
    letterhead: &Letterhead<'_>,
) -> Result<Message> {
    let number = order.number;
    let links = links.clone().in_language(letter.language);
    let way = Way {
        link: links.status(&order.id),
        look_up: links.look_up(),
        number,
        code: links.code(&order.id),
    };
    let (subject, paragraphs) = match letter.kind {
        MailKind::OrderConfirmation => (
            format!("Order {number} is confirmed"),
            vec!["Thank you! Your payment has arrived and your order is on its way to our warehouse.".to_owned()],
        ),
        MailKind::Refund => (
                format!("Your refund for order {number}"),
                vec![
                    format!("{} is on its way back to you, by the means you paid with.", refunded(order, &letter.subject)?),
                    "Depending on your bank it takes five to ten working days to arrive.".to_owned(),
                ],
        ),
        MailKind::OrderLink => match letter.language {
            Language::English => (
                format!("The way to your order {number}"),
                vec!["Someone, hopefully you, asked for the link to this order. Whoever has it can see the order: keep it to yourself.".to_owned()],
            ),
            Language::German => (
                format!("Der Weg zu Ihrer Bestellung {number}"),
                vec!["Jemand, hoffentlich Sie, hat den Link zu dieser Bestellung angefordert. Wer ihn hat, kann die Bestellung sehen: Geben Sie ihn nicht weiter.".to_owned()],
            ),
        },
        MailKind::PaymentProblem => (
            format!("Your payment for order {number} did not go through"),
            vec![
                "We could not complete your order, and its goods are no longer reserved for you.".to_owned(),
                "Should anything have been charged, it goes back to you in full without your doing.".to_owned(),
            ],
        ),
    };
    let lines: Vec<(String, Money)> = order
        .lines
        .iter()
        .map(|line| (line.name(), Money::new(line.line_total, order.currency)))
        .collect();
    let total = Money::new(order.totals.total, order.currency);
    // What anyone can have sent to any address, by asking for a link or by ordering without paying,
    // holds nothing that they typed.
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

/// The words before the address of a delivery.
const SHIP_TO: &str = "Delivery address";

/// The ways to an order.
struct Way {
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
    let mut parts = paragraphs.to_vec();
    let mut listed: Vec<String> = lines
        .iter()
        .map(|(name, amount)| format!("{name}: {amount}"))
        .collect();
    listed.push(format!("Total with shipping and tax: {total}"));
    parts.push(listed.join("\n"));
    if !label.is_empty() {
        parts.push(format!("{SHIP_TO}:\n{}", label.join("\n")));
    }
    parts.push(format!("Your order: {}", way.link));
    parts.push(format!(
        "Or enter its number {} and the code {} at {}?by=code",
        way.number, way.code, way.look_up
    ));
    parts.push(letterhead.as_text());
    parts.join("\n\n")
}

/// Mail readers know neither style sheets nor scripts: structure alone.
fn as_html(
    subject: &str,
    paragraphs: &[String],
    lines: &[(String, Money)],
    total: Money,
    label: &[String],
    way: &Way,
    letterhead: &Letterhead<'_>,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (subject) } }
            body {
                h1 { (subject) }
                @for paragraph in paragraphs { p { (paragraph) } }
                table {
                    @for (name, amount) in lines {
                        tr { td { (name) } td align="right" { (amount) } }
                    }
                    tr { th align="left" { "Total with shipping and tax" } th align="right" { (total) } }
                }
                @if !label.is_empty() {
                    h2 { (SHIP_TO) }
                    p { @for line in label { (line) br; } }
                }
                p { a href=(way.link) { "Your order" } }
                p {
                    "Or enter its number " (way.number) " and the code " strong { (way.code) } " at "
                    a href=(format!("{}?by=code", way.look_up)) { (way.look_up) }
                }
                (letterhead.as_html())
            }
        }
    }
}

/// A wish for the link of an order, as it waits in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRequest {
    /// The number by which people call the order.
    pub order_number: i64,
    /// Digest of the address that it must have been placed with.
    pub customer: String,
    /// Language of the mail.
    #[serde(default)]
    pub language: Language,
}

/// Letters to shoppers. Each is handed over and sent later, once.
pub trait Mail {
    /// Hands a letter to the queue of what goes out.
    async fn post(&self, letter: &EmailJob) -> Result<()>;
    /// Hands a wish for the link of an order to the same queue.
    async fn ask_for_link(&self, request: &LinkRequest) -> Result<()>;
}

/// The record of letters. A row is written with the note that its task is done
/// ([`Orders::finish_round`]), else by its first claim.
pub trait Mails {
    /// Claims a letter: of all who try at once, one may send it.
    async fn claim(&self, letter: &EmailJob, now: Timestamp) -> Result<Claim>;
    /// Notes that a letter was sent.
    async fn sent(&self, mail_id: &str, now: Timestamp) -> Result<()>;
    /// Notes that an attempt failed, and gives the claim back. `certain` when the provider said
    /// that it did not take the letter.
    async fn failed(&self, mail_id: &str, error: &str, certain: bool) -> Result<()>;
    /// Notes that a letter will not be sent, and tells staff why, both or neither.
    async fn give_up(&self, letter: &EmailJob, reason: &str, now: Timestamp) -> Result<()>;
    /// Letters that should have been sent by `now`, those first that wait longest; each is handed
    /// out to one caller at a time.
    async fn take_due(&self, limit: u32, now: Timestamp) -> Result<Vec<EmailJob>>;
}

/// A carrier of mails.
pub trait MailProvider {
    /// Sends a mail; where the provider knows idempotency keys, the same key never sends two.
    async fn send(
        &self,
        idempotency_key: &str,
        letter: &EmailJob,
        message: &Message,
    ) -> Result<(), MailFailure>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::samples::{line, order};
    use crate::values::ids::Signer;
    use crate::values::languages::Languages;

    const LETTERHEAD: Letterhead<'_> = Letterhead {
        shop: "Ohm",
        legal_name: "Ohm Ltd",
        address: &["1 Example Street", "Springfield"],
        email: "help@shop.test",
        phone: Some("+1 555 010 0199"),
    };

    #[test]
    fn every_letter_ends_with_who_wrote_it() {
        let order = order("USD", vec![line(1, 500, 1)], 0, true);
        for kind in [
            MailKind::OrderConfirmation,
            MailKind::PaymentProblem,
            MailKind::OrderLink,
        ] {
            let letter = EmailJob::about(kind, "ord_1");
            let sent = compose(&letter, &order, &links(), &LETTERHEAD).unwrap();
            let end =
                "Ohm\nOhm Ltd, 1 Example Street, Springfield\nhelp@shop.test · +1 555 010 0199";
            assert!(sent.text.ends_with(end), "{}", sent.text);
            assert!(
                sent.html.contains("Ohm Ltd, 1 Example Street"),
                "{}",
                sent.html
            );
        }
    }

    fn links() -> OrderLinks {
        OrderLinks {
            base: "https://shop.test".to_owned(),
            signer: Signer::new("key"),
            languages: Languages {
                default: Language::English,
                others: &[],
            },
            language: Language::English,
        }
    }

    #[test]
    fn what_can_be_sent_to_anyone_for_nothing_holds_nothing_that_was_typed() {
        let says_street = |kind, total: i64| {
            let mut order = order("USD", vec![line(1, total, 1)], 0, true);
            order.shipping_address.line1 = "https://evil.test".to_owned();
            order.shipping_address.country = "US".to_owned();
            let sent = compose(
                &EmailJob::about(kind, "ord_1"),
                &order,
                &links(),
                &LETTERHEAD,
            )
            .unwrap();
            assert_eq!(sent.text.contains("evil"), sent.html.contains("evil"));
            sent.text.contains("evil")
        };
        assert!(says_street(MailKind::OrderConfirmation, 500));
        assert!(!says_street(MailKind::OrderConfirmation, 0));
        assert!(!says_street(MailKind::PaymentProblem, 500));
        assert!(!says_street(MailKind::OrderLink, 500));
    }
}
