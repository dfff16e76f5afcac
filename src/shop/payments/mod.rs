//! Payments as the shop sees them: sessions on a provider's payment page, and events about them.
//! Names no provider.

pub mod breaker;
pub mod inbox;
pub mod limits;
pub mod provider;

use crate::codes::Code;
use crate::error::{Error, Result};
use crate::payments::limits::ChargeLimits;
use crate::payments::provider::ProviderId;
use crate::values::ids::OrderId;
use crate::values::money::Currency;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Seconds for which a payment session can be paid; providers allow 30 minutes to 24 hours.
pub const SESSION_SECS: u32 = 60 * 60;

/// Minimum seconds that a session must have left when the provider opens it.
pub const SHORTEST_SESSION_SECS: u32 = 30 * 60;

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Id of the order to be paid; the provider returns it.
    pub order_id: OrderId,
    /// Idempotency key of the request; the provider returns it.
    pub key: String,
    /// Customer's email address, for a receipt.
    pub email: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Lines to be charged; they add up to the total.
    pub items: Vec<SessionItem>,
    /// Time after which it can no longer be paid.
    pub expires_at: Timestamp,
    /// URL for the shopper to go to after paying.
    pub success_url: String,
    /// URL for the shopper to return to without paying.
    pub cancel_url: String,
}

/// A line on a payment page.
#[derive(Clone, Debug)]
pub struct SessionItem {
    /// Name shown to the shopper.
    pub name: String,
    /// Price of all units of the line, in minor units.
    pub amount: i64,
}

/// A session as known to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The provider's id of the session.
    pub id: String,
    /// Provider of the session.
    pub provider: ProviderId,
    /// Id of the order that it names. Whoever opened the session may have named any order.
    pub order_id: Option<OrderId>,
    /// Opener of the session.
    pub opener: Opener,
    /// The provider's reference for the payment, which refunds and disputes use. `None` means that
    /// nobody has tried to pay yet.
    pub payment_ref: Option<String>,
    /// URL of the payment page.
    pub url: Option<String>,
    /// State of the session.
    pub state: SessionState,
    /// Amount to be charged, in minor units.
    pub amount: i64,
    /// ISO 4217 code of the currency.
    pub currency: String,
}

/// Opener of a session, determined from data that the provider stores with it and that no visitor
/// of a link can write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opener {
    /// The shop, for the order that the session names.
    Shop {
        /// Idempotency key of the request. `None` means that the request is older than such keys.
        key: Option<String>,
    },
    /// Anyone else who takes payments with the same account.
    Other,
}

/// State of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// It can be paid.
    Open,
    /// The shopper has finished, and the money is on its way.
    Processing,
    /// It was paid.
    Paid,
    /// It can no longer be paid, and was not.
    Expired,
    /// The shopper finished, but the money did not arrive and no longer can.
    Failed,
}

/// Status of an order's payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The session is being requested; the link follows.
    Preparing,
    /// It can be paid.
    Open,
    /// The shopper has finished, and the money is on its way.
    Processing,
    /// It was paid.
    Paid,
    /// It failed or was never made.
    Failed,
}

/// A refund to be made.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// Id, `re_…`. The provider returns it, so that the shop can tell its own refunds from those
    /// made at the provider.
    pub refund_id: String,
    /// The provider's reference for the payment.
    pub payment_ref: String,
    /// Amount in minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
}

/// A refund as known to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRefund {
    /// The provider's id.
    pub id: String,
    /// The shop's id. `None` means that the refund was made at the provider.
    pub refund_id: Option<String>,
    /// The provider's reference for the payment.
    pub payment_ref: String,
    /// Amount in minor units.
    pub amount: i64,
    /// State of the refund.
    pub state: RefundState,
}

/// State of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// On its way.
    Pending,
    /// Paid out.
    Succeeded,
    /// Failed; the money is back with the shop.
    Failed,
}

/// A dispute as known to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderDispute {
    /// The provider's id.
    pub id: String,
    /// The provider's reference for the disputed payment.
    pub payment_ref: String,
    /// Disputed amount in minor units.
    pub amount: i64,
    /// State of the dispute.
    pub state: DisputeState,
    /// True if the shop may still refund the payment.
    pub refundable: bool,
    /// Amount taken from the shop by the provider and not returned, in minor units.
    pub withdrawn: i64,
    /// The provider's fee for handling the dispute, in minor units.
    pub fee: i64,
}

/// State of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// An inquiry, or a dispute that is not decided yet.
    Open,
    /// Decided in the shop's favor, or an inquiry that was closed.
    Won,
    /// Decided against the shop: a loss, not a refund.
    Lost,
}

/// A transaction on the shop's balance at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceEntry {
    /// The provider's id.
    pub id: String,
    /// The provider's reference for the payment; empty if it belongs to none.
    pub payment_ref: String,
    /// Kind of transaction.
    pub kind: BalanceKind,
    /// Amount in minor units; negative if money left the shop's balance.
    pub amount: i64,
    /// Fee kept by the provider, in minor units.
    pub fee: i64,
    /// ISO 4217 code of the currency.
    pub currency: String,
    /// Time of the transaction.
    pub at: Timestamp,
}

/// Kind of a balance transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceKind {
    /// A payment received.
    Payment,
    /// A refund paid out.
    Refund,
    /// A failed refund that was returned.
    RefundFailure,
    /// Money taken or returned for a dispute.
    Dispute,
    /// Something that no order causes, such as a payout.
    Other,
}

/// A page of a list from the provider, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Items on the page.
    pub items: Vec<T>,
    /// The provider's cursor for the next page. `None` means that this is the last.
    pub next: Option<String>,
}

/// A webhook request as received. Only the provider's adapter knows which header authenticates it.
pub struct WebhookRequest<'a> {
    /// Returns a header by name.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// Raw body.
    pub body: &'a [u8],
}

/// A webhook event from the provider with a valid signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEvent {
    /// Provider that sent the event.
    pub provider: ProviderId,
    /// The provider's id of the event.
    pub id: String,
    /// The provider's name for the kind of event.
    pub kind: String,
    /// Body as received.
    pub payload: String,
}

impl WebhookEvent {
    /// Key of the event in the inbox and on its queue.
    #[must_use]
    pub fn key(&self) -> String {
        self.provider.key_of(&self.id)
    }
}

/// Subject of an event. Its current state is then requested from the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventSubject {
    /// A session.
    Session {
        /// The provider's id of the session.
        id: String,
        /// Reference that the session carries, as far as the event says.
        named: Named,
    },
    /// The payment with this provider reference.
    Payment(String),
    /// The refund with this provider id.
    Refund(String),
    /// The dispute with this provider id.
    Dispute(String),
    /// Nothing that concerns the shop.
    Other,
}

/// Reference that a session carries, as far as an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// This reference, which may be the id of an order.
    Reference(OrderId),
    /// No reference.
    Nothing,
    /// The event does not say.
    Unsaid,
}

/// Reason why a request to the provider was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentError {
    /// The provider refused permanently; nothing was done.
    Refused(String),
    /// The provider refused the request because of its age. Nothing was done, and nothing will be
    /// done with this key.
    TooLate(String),
    /// The provider was not called because the breaker is open. Nothing was done; retry later with
    /// the same key.
    Unavailable(String),
    /// The provider is overloaded. Nothing was done; retry soon with the same key.
    NoRoom(String),
    /// The provider rejects the shop's credentials. Nothing was done, and nothing will be until
    /// staff correct them.
    Misconfigured(String),
    /// No conclusive answer about whether it was done; retry with the same key.
    Unknown(String),
    /// The answer has more data than can be read at once; continue later.
    TooMuch(String),
}

impl PaymentError {
    /// Converts it to the error of a use case, to be retried.
    #[must_use]
    pub fn into_error(self) -> Error {
        match self {
            Self::Unavailable(_) => Error::Unavailable {
                code: Code::PaymentsUnavailable,
                retry_after_secs: 10,
            },
            Self::NoRoom(_) => Error::Unavailable {
                code: Code::PaymentsOverloaded,
                retry_after_secs: 10,
            },
            other => Error::internal(format!("payment provider: {other}")),
        }
    }
}

impl fmt::Display for PaymentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, message) = match self {
            Self::Refused(message) => ("refused", message),
            Self::TooLate(message) => ("too late", message),
            Self::Unavailable(message) => ("unavailable", message),
            Self::NoRoom(message) => ("no room", message),
            Self::Misconfigured(message) => ("misconfigured", message),
            Self::Unknown(message) => ("unknown", message),
            Self::TooMuch(message) => ("too much", message),
        };
        write!(f, "{word}: {message}")
    }
}

/// A provider that takes payments on its own page. Every request that changes something there
/// carries a key and a body that were both stored before the first call.
pub trait Payments {
    /// Returns the limits on charges in a currency.
    fn limits(&self, currency: Currency) -> ChargeLimits;
    /// Returns the exact body of a session request. It is stored before the first call, so that
    /// every retry sends the same.
    fn prepare(&self, session: &NewSession) -> Result<String>;
    /// Returns `request` with another key and another end of the session.
    fn renew(&self, request: &str, key: &str, expires_at: Timestamp) -> Result<String>;
    /// Opens the session that `request` describes; the same key never opens two.
    async fn open_session(
        &self,
        idempotency_key: &str,
        request: &str,
    ) -> Result<Session, PaymentError>;
    /// Returns the current state of a session.
    async fn session(&self, session_id: &str) -> Result<Session, PaymentError>;
    /// Ends a session so that it can no longer be paid, and returns its state: it may have been
    /// paid just before.
    async fn expire_session(
        &self,
        idempotency_key: &str,
        session_id: &str,
    ) -> Result<Session, PaymentError>;
    /// Returns the lines of a session's payment page.
    async fn session_items(&self, session_id: &str) -> Result<Vec<SessionItem>, PaymentError>;
    /// Returns the session of an order that was opened with a key between two times. Needed if
    /// repeating the request with that key only yields an error.
    async fn find_session(
        &self,
        order_id: &OrderId,
        key: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Session>, PaymentError>;
    /// Returns the session in which this payment was made.
    async fn session_of_payment(&self, payment_ref: &str) -> Result<Option<Session>, PaymentError>;

    /// Returns the exact body of a refund request, to be stored before the first call.
    fn prepare_refund(&self, refund: &NewRefund) -> Result<String>;
    /// Makes the refund that `request` describes; the same key never makes two.
    async fn create_refund(
        &self,
        idempotency_key: &str,
        request: &str,
    ) -> Result<ProviderRefund, PaymentError>;
    /// Returns the current state of a refund.
    async fn refund(&self, provider_id: &str) -> Result<ProviderRefund, PaymentError>;
    /// Returns all refunds of this payment, including those made at the provider.
    async fn refunds_of(&self, payment_ref: &str) -> Result<Vec<ProviderRefund>, PaymentError>;
    /// Returns the current state of a dispute.
    async fn dispute(&self, provider_id: &str) -> Result<ProviderDispute, PaymentError>;

    /// Returns the event in a webhook request after verifying its signature; nothing in the body is
    /// read before that.
    ///
    /// # Errors
    /// 400 if the request is not from the provider, or is for another mode or account.
    fn verify(&self, delivery: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookEvent>;
    /// Returns the subject of a stored event.
    fn read_event(&self, payload: &str) -> Result<EventSubject>;
    /// Returns a page of events since then that have not been delivered; `after` is the cursor of
    /// the previous page.
    async fn undelivered_events(
        &self,
        since: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<WebhookEvent>, PaymentError>;
    /// Returns a page of the balance transactions in a period (`until` is exclusive); `after` is
    /// the cursor of the previous page.
    async fn balance_entries(
        &self,
        from: Timestamp,
        until: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<BalanceEntry>, PaymentError>;
}
