//! What the use cases need of the world. `store` implements each port on a binding; tests implement those that a simulation
//! must break.

use crate::error::Result;
use crate::shop::breaker::Health;
use crate::shop::catalog::{Index, Product};
use crate::shop::checkout::Checkout;
use crate::shop::dead_letters::{DeadLetter, Failure, LetterStatus, Resolution};
use crate::shop::mail::{Claim, Letter, Message};
use crate::shop::orders::{Effect, Order, OrderEvent, Payment, Transition};
use crate::shop::payments::{
    BalanceEntry, Delivery, NewRefund, NewSession, Notice, PaymentError, ProviderDispute,
    ProviderRefund, Session, SessionItem, WebhookEvent,
};
use crate::shop::pricing::{Listing, Quote, ShippingMethod, TaxRate};
use durable::{Timestamp, cart, stock};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Everything that checkout, settlement and the sweep touch.
pub trait Ports {
    /// Published prices, shipping methods, tax.
    fn prices(&self) -> impl Prices;
    /// The stock objects.
    fn stock(&self) -> impl StockObjects;
    /// The cart objects.
    fn carts(&self) -> impl CartObjects;
    /// Checkouts, orders, their effects.
    fn orders(&self) -> impl Orders;
    /// The payment provider.
    fn payments(&self) -> impl Payments;
    /// The inbox of the provider's events.
    fn inbox(&self) -> impl Inbox;
    /// What goes out to shoppers.
    fn mail(&self) -> impl Mail;
}

/// The published copy of the catalog: immutable documents behind one pointer.
pub trait PublishedCatalog {
    /// The version that shoppers see now; an empty one before the first publish.
    async fn index(&self) -> Result<Rc<Index>>;
    /// An earlier version, while it is kept.
    async fn index_of(&self, version: &str) -> Result<Option<Rc<Index>>>;
    /// The product document with this digest.
    async fn product(&self, document: &str) -> Result<Rc<Product>>;
}

/// Where a publish writes the copy.
pub trait CatalogCopy {
    /// Writes a product document under its digest; writing it twice is fine.
    async fn put_product(&self, document: &str, json: &str) -> Result<()>;
    /// Writes a version's index.
    async fn put_index(&self, index: &Index) -> Result<()>;
    /// Shows this version to shoppers.
    async fn point_to(&self, version: &str) -> Result<()>;
}

/// The record of the catalog, and of what was published at which price.
pub trait CatalogRecord {
    /// Inserts or replaces products, all or none.
    async fn save_products(&self, products: &[Product], now: Timestamp) -> Result<()>;
    /// The products that a publish shows, in the merchant's order.
    async fn active_products(&self) -> Result<Vec<Product>>;
    /// The highest publish so far, and what it listed under each SKU.
    async fn last_listings(&self) -> Result<(i64, BTreeMap<String, Listing>)>;
    /// Writes publish `seq` with the listings that changed (none: no longer sold), unless another has taken its number.
    async fn save_publish(
        &self,
        seq: i64,
        version: &str,
        changed: &BTreeMap<String, Option<Listing>>,
        now: Timestamp,
    ) -> Result<()>;
    /// Makes publish `seq` the one that orders are priced from.
    async fn make_current(&self, seq: i64) -> Result<()>;
}

/// What orders are priced from: rows that a publish wrote and nothing changes.
pub trait Prices {
    /// What is sold now under each of `skus`, and the publish it belongs to.
    async fn listings(&self, skus: &[String]) -> Result<(i64, BTreeMap<String, Listing>)>;
    /// The ways to ship, in the merchant's order.
    async fn shipping_methods(&self) -> Result<Vec<ShippingMethod>>;
    /// The tax on everything.
    async fn tax_rate(&self) -> Result<TaxRate>;
    /// Keeps a quote.
    async fn save_quote(&self, quote: &Quote, now: Timestamp) -> Result<()>;
    /// A quote by id.
    async fn quote(&self, quote_id: &str) -> Result<Option<Quote>>;
}

/// One object per SKU.
pub trait StockObjects {
    /// Carries out `command` once per `operation_id`.
    async fn ask(
        &self,
        sku: &str,
        operation_id: String,
        command: stock::Command,
    ) -> Result<stock::Reply>;
    /// The stock as it stands.
    async fn view(&self, sku: &str) -> Result<stock::View>;
}

/// One object per cart.
pub trait CartObjects {
    /// Carries out `command` once per `operation_id`.
    async fn ask(
        &self,
        cart_id: &str,
        operation_id: String,
        command: cart::Command,
    ) -> Result<cart::Reply>;
    /// The cart as it stands.
    async fn view(&self, cart_id: &str) -> Result<cart::Cart>;
}

/// How a write that must not overwrite another went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It landed.
    Landed,
    /// Another write was first; read again and decide again.
    Lost,
}

/// Checkouts, orders and what must follow from them. Each write is one transaction.
pub trait Orders {
    /// Keeps a new checkout; lost when its key or its cart already has one.
    async fn begin_checkout(&self, checkout: &Checkout, now: Timestamp) -> Result<Written>;
    /// The checkout of a cart under an idempotency key.
    async fn checkout_by_key(&self, cart_id: &str, key: &str) -> Result<Option<Checkout>>;
    /// The live checkout of a cart: the one that has it frozen.
    async fn live_checkout(&self, cart_id: &str) -> Result<Option<Checkout>>;
    /// Checkouts that have not come to an order or to nothing since `before`.
    async fn stuck_checkouts(&self, before: Timestamp, limit: u32) -> Result<Vec<Checkout>>;
    /// Turns a checkout into an order with its first payment and effects; lost when it was already decided.
    async fn place(
        &self,
        order: &Order,
        payment: &Payment,
        effects: &[Effect],
        now: Timestamp,
    ) -> Result<Written>;
    /// Decides that a checkout comes to nothing; lost when it was already decided.
    async fn refuse_checkout(&self, order_id: &str, now: Timestamp) -> Result<Written>;
    /// Forgets a refused checkout, so that its key and its cart are free.
    async fn forget_checkout(&self, order_id: &str) -> Result<()>;

    /// An order with its lines.
    async fn order(&self, order_id: &str) -> Result<Option<Order>>;
    /// What has happened to an order, oldest first.
    async fn timeline(&self, order_id: &str) -> Result<Vec<OrderEvent>>;
    /// The payment of an order's last attempt.
    async fn payment(&self, order_id: &str) -> Result<Option<Payment>>;
    /// Notes the session that the provider opened for a payment.
    async fn open_payment(&self, payment_id: &str, session: &Session, now: Timestamp)
    -> Result<()>;
    /// Moves an order on; lost when it is no longer at the version it was judged at.
    async fn transition(&self, transition: &Transition, now: Timestamp) -> Result<Written>;
    /// Counts up the attempt of an order, unless someone else just did.
    async fn next_attempt(&self, order_id: &str, from: u32) -> Result<()>;
    /// Pending orders whose payment session has ended before `before`.
    async fn overdue_orders(&self, before: Timestamp, limit: u32) -> Result<Vec<String>>;

    /// Effects of an order that are still to be carried out, oldest first.
    async fn undone_effects(&self, order_id: &str) -> Result<Vec<Effect>>;
    /// Orders that have effects due by `now`.
    async fn orders_with_due_effects(&self, now: Timestamp, limit: u32) -> Result<Vec<String>>;
    /// Notes that an effect has been carried out.
    async fn effect_done(&self, order_id: &str, effect: Effect, now: Timestamp) -> Result<()>;
    /// Notes that an effect failed, and tries it again later.
    async fn effect_failed(
        &self,
        order_id: &str,
        effect: Effect,
        error: &str,
        now: Timestamp,
    ) -> Result<()>;
}

/// A provider that takes payments on a page of its own. Whatever changes something there carries a key that was stored before,
/// and the exact request that was stored with it.
pub trait Payments {
    /// The exact request for a session, to be kept before the first call, so that every retry sends the same.
    fn prepare(&self, session: &NewSession) -> Result<String>;
    /// Opens the session that `request` describes; the same key never opens two.
    async fn open_session(
        &self,
        idempotency_key: &str,
        request: &str,
    ) -> Result<Session, PaymentError>;
    /// The session as it stands at the provider.
    async fn session(&self, session_id: &str) -> Result<Session, PaymentError>;
    /// Ends a session so that it can't be paid, and returns it as it stands: perhaps it was paid before.
    async fn expire_session(
        &self,
        idempotency_key: &str,
        session_id: &str,
    ) -> Result<Session, PaymentError>;
    /// The lines of a session's page.
    async fn session_items(&self, session_id: &str) -> Result<Vec<SessionItem>, PaymentError>;
    /// The session of an order among those opened since, for when the answer to opening it was lost.
    async fn find_session(
        &self,
        order_id: &str,
        since: Timestamp,
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
    fn verify(&self, delivery: &Delivery<'_>, now: Timestamp) -> Result<WebhookEvent>;
    /// What a stored event is about.
    fn read_event(&self, payload: &str) -> Result<Notice>;
    /// Events since then whose delivery never succeeded.
    async fn undelivered_events(&self, since: Timestamp)
    -> Result<Vec<WebhookEvent>, PaymentError>;
    /// Movements of the shop's balance from one instant until before another.
    async fn balance_entries(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<BalanceEntry>, PaymentError>;
}

/// How the payment provider is.
pub trait ProviderHealth {
    /// As it was last seen to change.
    async fn health(&self) -> Result<Health>;
}

/// The inbox of the provider's events, and the queue of their ids.
pub trait Inbox {
    /// Keeps an event; false when it is already there.
    async fn receive(&self, event: &WebhookEvent, now: Timestamp) -> Result<bool>;
    /// Hands the event's id to the consumer.
    async fn enqueue(&self, event_id: &str) -> Result<()>;
    /// The payload of an event.
    async fn payload(&self, event_id: &str) -> Result<Option<String>>;
    /// Notes that an event is dealt with.
    async fn processed(&self, event_id: &str, outcome: &str, now: Timestamp) -> Result<()>;
    /// Events that were due before `before` and that nobody has dealt with; each is handed out to one caller at a time.
    async fn unseen(&self, before: Timestamp, limit: u32) -> Result<Vec<String>>;
}

/// Messages that failed, once or for good.
pub trait DeadLetters {
    /// Notes that an attempt at a message failed, and returns how many have.
    async fn failed(&self, message: &str, error: &str, now: Timestamp) -> Result<u32>;
    /// Keeps a message that failed for good.
    async fn bury(&self, queue: &str, message_id: &str, body: &str, now: Timestamp) -> Result<()>;
    /// The ids of letters that wait for staff, oldest first.
    async fn dead(&self, limit: u32) -> Result<Vec<String>>;
    /// Letters, newest first, from the one after a letter's id on.
    async fn letters(
        &self,
        status: LetterStatus,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>>;
    /// How many letters there are.
    async fn count(&self, status: LetterStatus) -> Result<u32>;
    /// One letter.
    async fn letter(&self, id: &str) -> Result<Option<DeadLetter>>;
    /// The last failures of a message, oldest first.
    async fn history(&self, message: &str) -> Result<Vec<Failure>>;
    /// Notes what staff does with a letter; lost when it was dealt with before.
    async fn resolve(&self, id: &str, resolution: &Resolution, now: Timestamp) -> Result<Written>;
    /// Takes a replay back whose queue refused.
    async fn revive(&self, id: &str) -> Result<()>;
}

/// The shop's queues, by name.
pub trait MessageQueues {
    /// Puts a message into a queue.
    async fn send(&self, queue: &str, body: &str) -> Result<()>;
}

/// What goes out to shoppers. A letter is handed over and sent later, once.
pub trait Mail {
    /// Hands a letter to the queue of what goes out.
    async fn post(&self, letter: &Letter) -> Result<()>;
}

/// Which letters were sent.
pub trait Mails {
    /// Claims a letter: of all who try at once, one may send it.
    async fn claim(&self, letter: &Letter, now: Timestamp) -> Result<Claim>;
    /// Notes that a letter was sent.
    async fn sent(&self, mail_id: &str, now: Timestamp) -> Result<()>;
    /// Notes that it was not, and gives the claim back.
    async fn failed(&self, mail_id: &str, error: &str) -> Result<()>;
}

/// Who carries mails.
pub trait MailProvider {
    /// Sends a mail; where the provider knows idempotency keys, the same key never sends two.
    async fn send(&self, idempotency_key: &str, letter: &Letter, message: &Message) -> Result<()>;
}
