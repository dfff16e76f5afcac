//! Payments as the shop sees them: sessions on a provider's page and events about them. No word of
//! any provider.

pub mod breaker;
pub mod limits;
pub mod provider;

use crate::error::{Error, Result};
use crate::payments::limits::ChargeLimits;
use crate::payments::provider::ProviderId;
use crate::values::money::Currency;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Seconds that a payment session can be paid: within what providers take, 30 minutes to 24 hours.
pub const SESSION_SECS: u32 = 60 * 60;

/// Seconds that a session must have left to be paid when the provider opens it.
pub const SHORTEST_SESSION_SECS: u32 = 30 * 60;

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The order that is paid; the provider hands it back.
    pub order_id: String,
    /// The idempotency key of the request; the provider hands it back.
    pub key: String,
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
    /// The provider that has it.
    pub provider: ProviderId,
    /// The order that it names: whoever opened it can have it name any.
    pub order_id: Option<String>,
    /// Who opened it.
    pub opener: Opener,
    /// The provider's name of the money that it took: what refunds and disputes are about. None
    /// until someone tried to pay.
    pub payment_ref: Option<String>,
    /// Where it is paid.
    pub url: Option<String>,
    /// Its progress.
    pub state: SessionState,
    /// What is charged, in minor units.
    pub amount: i64,
    /// In this currency, an ISO 4217 code.
    pub currency: String,
}

/// Who opened a session, by what the provider keeps with it and no visitor of a link can write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opener {
    /// The shop, for the order that the session names.
    Shop {
        /// The key of the request. None means that it is a request from before they carried one.
        key: Option<String>,
    },
    /// Someone else who takes money by the same account.
    Other,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Can be paid.
    Open,
    /// The shopper has finished, the money is still on its way.
    Processing,
    /// Paid.
    Paid,
    /// Can no longer be paid, and was not.
    Expired,
    /// Finished by the shopper, but the money did not come, and no longer can.
    Failed,
}

/// How the payment of an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
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

/// A refund to be made.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// `re_…`; the provider hands it back, so that the shop knows its own refunds from those made
    /// at the provider.
    pub refund_id: String,
    /// What is given back.
    pub payment_ref: String,
    /// How much of it, in minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: Currency,
}

/// A refund as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRefund {
    /// The provider's id.
    pub id: String,
    /// The shop's id; none when it was made at the provider.
    pub refund_id: Option<String>,
    /// What is given back.
    pub payment_ref: String,
    /// Minor units.
    pub amount: i64,
    /// Its progress.
    pub state: RefundState,
}

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// On its way.
    Pending,
    /// Given back.
    Succeeded,
    /// Came to nothing: the money is with the shop again.
    Failed,
}

/// A dispute as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderDispute {
    /// The provider's id.
    pub id: String,
    /// What is disputed.
    pub payment_ref: String,
    /// How much of it, in minor units.
    pub amount: i64,
    /// Its progress.
    pub state: DisputeState,
    /// Whether the shop may still refund what is disputed.
    pub refundable: bool,
    /// What the provider has taken from the shop for it and not given back, in minor units.
    pub withdrawn: i64,
    /// What the provider keeps for handling it, in minor units.
    pub fee: i64,
}

/// How far a dispute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// Asked about, or to be decided.
    Open,
    /// Decided for the shop, or an inquiry that ended.
    Won,
    /// Decided against the shop: a loss, not a refund.
    Lost,
}

/// A movement of the shop's balance at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceEntry {
    /// The provider's id.
    pub id: String,
    /// The money that moved; empty: none of an order's.
    pub payment_ref: String,
    /// What kind of movement it is.
    pub kind: BalanceKind,
    /// Minor units; negative: away from the shop.
    pub amount: i64,
    /// What the provider kept for it, in minor units.
    pub fee: i64,
    /// An ISO 4217 code.
    pub currency: String,
    /// When.
    pub at: Timestamp,
}

/// What moved the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceKind {
    /// A payment came in.
    Payment,
    /// A refund went out.
    Refund,
    /// A refund failed and came back.
    RefundFailure,
    /// A dispute took money or gave it back.
    Dispute,
    /// Nothing that an order causes, such as a payout.
    Other,
}

/// A part of a list of the provider's, which has the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The provider's name of where the next page begins; none: this is the last.
    pub next: Option<String>,
}

/// A delivery as it came in: the provider's adapter alone knows which header proves it.
pub struct WebhookRequest<'a> {
    /// A header by name.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// The raw bytes.
    pub body: &'a [u8],
}

/// An event of the provider whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The provider that tells it.
    pub provider: ProviderId,
    /// The provider's id of the event.
    pub id: String,
    /// The provider's word for what happened.
    pub kind: String,
    /// The body as it came.
    pub payload: String,
}

impl WebhookEvent {
    /// Key of the event in the inbox and on its queue.
    #[must_use]
    pub fn key(&self) -> String {
        self.provider.key_of(&self.id)
    }
}

/// An event as it was kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StoredEvent {
    /// The provider that told it.
    pub provider: ProviderId,
    /// The body as it came.
    pub payload: String,
}

/// What an event is about; how that stands is asked of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventSubject {
    /// Something happened to a session.
    Session {
        /// The provider's id.
        id: String,
        /// What it names, as far as the event says.
        named: Named,
    },
    /// Something happened to the money of this name.
    Payment(String),
    /// Something happened to this refund.
    Refund(String),
    /// Something happened to this dispute.
    Dispute(String),
    /// Nothing that concerns the shop.
    Other,
}

/// What a session names, as far as an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// This, which may be the id of an order.
    Reference(String),
    /// Nothing.
    Nothing,
    /// The event does not say.
    Unsaid,
}

/// Why the provider did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentError {
    /// It refused, for good: nothing was done.
    Refused(String),
    /// It refused the request for its age: nothing was done, and nothing will be under this key.
    TooLate(String),
    /// It was not asked, since it is left alone: nothing was done; later, with the same key.
    Unavailable(String),
    /// It answers, but has no room: nothing was done; soon, with the same key.
    NoRoom(String),
    /// It does not accept the shop's credentials: nothing was done, and nothing will be until staff
    /// mend it.
    Misconfigured(String),
    /// No answer that says whether it was done: ask again with the same key.
    Unknown(String),
    /// It answers, but has more than can be read at once: go on later.
    TooMuch(String),
}

impl PaymentError {
    /// As the error of a use case, which is to be tried again.
    #[must_use]
    pub fn into_error(self) -> Error {
        match self {
            Self::Unavailable(_) => Error::Unavailable {
                code: "payments_unavailable",
                retry_after_secs: 10,
            },
            Self::NoRoom(_) => Error::Unavailable {
                code: "payments_overloaded",
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

/// A provider that takes payments on a page of its own. Whatever changes something there carries a
/// key that was stored before, and the exact request that was stored with it.
pub trait Payments {
    /// The amounts that it charges in a currency.
    fn limits(&self, currency: Currency) -> ChargeLimits;
    /// The exact request for a session, to be kept before the first call, so that every retry sends
    /// the same.
    fn prepare(&self, session: &NewSession) -> Result<String>;
    /// `request` for another key, with another end of the session.
    fn renew(&self, request: &str, key: &str, expires_at: Timestamp) -> Result<String>;
    /// Opens the session that `request` describes; the same key never opens two.
    async fn open_session(
        &self,
        idempotency_key: &str,
        request: &str,
    ) -> Result<Session, PaymentError>;
    /// The session as it stands at the provider.
    async fn session(&self, session_id: &str) -> Result<Session, PaymentError>;
    /// Ends a session so that it can't be paid, and returns it as it stands: perhaps it was paid
    /// before.
    async fn expire_session(
        &self,
        idempotency_key: &str,
        session_id: &str,
    ) -> Result<Session, PaymentError>;
    /// The lines of a session's page.
    async fn session_items(&self, session_id: &str) -> Result<Vec<SessionItem>, PaymentError>;
    /// The session of an order that was opened with a key, among those opened from one instant to
    /// another, for when the key itself tells no more than a failure.
    async fn find_session(
        &self,
        order_id: &str,
        key: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Session>, PaymentError>;
    /// The session that took the money of this name.
    async fn session_of_payment(&self, payment_ref: &str) -> Result<Option<Session>, PaymentError>;

    /// The exact request for a refund, to be kept before the first call.
    fn prepare_refund(&self, refund: &NewRefund) -> Result<String>;
    /// Makes the refund that `request` describes; the same key never makes two.
    async fn create_refund(
        &self,
        idempotency_key: &str,
        request: &str,
    ) -> Result<ProviderRefund, PaymentError>;
    /// A refund as it stands.
    async fn refund(&self, provider_id: &str) -> Result<ProviderRefund, PaymentError>;
    /// Every refund of this money, whoever made it.
    async fn refunds_of(&self, payment_ref: &str) -> Result<Vec<ProviderRefund>, PaymentError>;
    /// A dispute as it stands.
    async fn dispute(&self, provider_id: &str) -> Result<ProviderDispute, PaymentError>;

    /// The event in a delivery, once its signature holds. Nothing of the body is read before.
    ///
    /// # Errors
    /// 400 when the delivery is not the provider's, or is of another mode or account.
    fn verify(&self, delivery: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookEvent>;
    /// The subject of a stored event.
    fn read_event(&self, payload: &str) -> Result<EventSubject>;
    /// Events since then whose delivery did not succeed so far: the page that begins `after` an
    /// earlier one.
    async fn undelivered_events(
        &self,
        since: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<WebhookEvent>, PaymentError>;
    /// Movements of the shop's balance from one instant until before another: the page that begins
    /// `after` an earlier one.
    async fn balance_entries(
        &self,
        from: Timestamp,
        until: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<BalanceEntry>, PaymentError>;
}

/// The inbox of the providers' events, and the queue of their keys.
pub trait Inbox {
    /// Keeps an event; false when it is already there.
    async fn receive(&self, event: &WebhookEvent, now: Timestamp) -> Result<bool>;
    /// Hands the key of an event to the consumer, after a delay.
    async fn enqueue(&self, event_key: &str, delay_secs: u32) -> Result<()>;
    /// Keeps events; the keys of those that were not there yet.
    async fn receive_all(&self, events: &[WebhookEvent], now: Timestamp) -> Result<Vec<String>>;
    /// Hands the keys of events to the consumer.
    async fn enqueue_all(&self, event_keys: &[String]) -> Result<()>;
    /// An event by its key.
    async fn event(&self, event_key: &str) -> Result<Option<StoredEvent>>;
    /// Notes that an event is dealt with.
    async fn processed(&self, event_key: &str, outcome: &str, now: Timestamp) -> Result<()>;
    /// Keys of events that were due before `before` and that nobody has dealt with; each is handed
    /// out to one caller at a time.
    async fn unseen(&self, before: Timestamp, limit: u32) -> Result<Vec<String>>;
}
