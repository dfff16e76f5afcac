//! Payments as the shop sees them: sessions on a provider's page and events about them. No word of any provider.

use crate::shop::money::Currency;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Seconds that a payment session can be paid: within what providers take (Stripe: 30 minutes to 24 hours).
pub const SESSION_SECS: u32 = 60 * 60;

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The order that is paid; the provider hands it back.
    pub order_id: String,
    /// Where a receipt may go.
    pub email: String,
    /// ISO 4217.
    pub currency: Currency,
    /// What is charged, line by line, in minor units; the sum is the total.
    pub items: Vec<SessionItem>,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// Where the shopper goes after paying.
    pub success_url: String,
    /// Where the shopper goes instead.
    pub cancel_url: String,
}

/// A line of a payment page.
#[derive(Clone, Debug)]
pub struct SessionItem {
    /// As the shopper reads it.
    pub name: String,
    /// Minor units, for all units of the line.
    pub amount: i64,
}

/// A session as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The provider's id.
    pub id: String,
    /// The order it pays.
    pub order_id: Option<String>,
    /// Where it is paid.
    pub url: Option<String>,
    /// How far it is.
    pub state: SessionState,
    /// What is charged, in minor units.
    pub amount: i64,
    /// In this currency, an ISO 4217 code.
    pub currency: String,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Can be paid.
    Open,
    /// The shopper has finished, the money is still on its way.
    Processing,
    /// Paid.
    Paid,
    /// Can no longer be paid, and was not.
    Expired,
}

/// How the payment of an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The session is being asked for; the link follows.
    Preparing,
    /// Can be paid.
    Open,
    /// Finished by the shopper, the money is on its way.
    Processing,
    /// Paid.
    Paid,
    /// Came to nothing.
    Failed,
}

/// An event of the provider whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The provider's id of the event.
    pub id: String,
    /// The provider's word for what happened.
    pub kind: String,
    /// The body as it came.
    pub payload: String,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something happened to this session.
    Session(String),
    /// Nothing that concerns the shop.
    Other,
}

/// Why the provider did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentError {
    /// It refused, for good: nothing was done.
    Refused(String),
    /// No answer that says whether it was done: ask again with the same key.
    Unknown(String),
}

impl fmt::Display for PaymentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(message) => write!(f, "refused: {message}"),
            Self::Unknown(message) => write!(f, "unknown: {message}"),
        }
    }
}
