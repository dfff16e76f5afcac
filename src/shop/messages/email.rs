//! Emails as they are queued and sent.

use crate::orders::order::Task;
use crate::orders::transitions::Effect;
use crate::values::ids::{OrderId, derived_id};
use crate::values::languages::Language;
use serde::{Deserialize, Serialize};

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
