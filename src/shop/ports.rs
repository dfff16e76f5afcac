//! What the use cases need of the world. `store` implements each port on a binding; tests implement those that a simulation
//! must break.

use crate::error::Result;
use crate::shop::breaker::Health;
use crate::shop::catalog::{Card, Product, ProductName, Version};
use crate::shop::challenge::{Challenge, Proof};
use crate::shop::checkout::{Checkout, Found, RefusalMemory};
use crate::shop::dead_letters::{DeadLetter, Failure, LetterStatus, Resolution};
use crate::shop::idempotency::{KeptAnswer, KeyHolder, KeyedRequest};
use crate::shop::mail::{Claim, Letter, MailFailure, Message};
use crate::shop::media::{Media, StoredMedia};
use crate::shop::money::Currency;
use crate::shop::orders::{LinkRequest, Order, OrderFilter, Transition};
use crate::shop::payments::{
    BalanceEntry, Delivery, NewRefund, NewSession, Notice, Page, PaymentError, ProviderDispute,
    ProviderRefund, Session, SessionItem, WebhookEvent,
};
use crate::shop::pricing::prices::{Repricing, ScheduledPrice};
use crate::shop::pricing::{Listing, PriceList, Quote};
use crate::shop::promotions::Uses;
use crate::shop::publish::{ClaimedDocument, Pointer, Publish, Step};
use crate::shop::reconciliation::{Fee, Movements};
use crate::shop::settings::SettingsVersion;
use crate::shop::settlement::Round;
use crate::shop::stray_payments::StrayPayments;
use crate::shop::sweep::Finding;
use durable::board::Posts;
use durable::machine::{Checkup, Entry};
use durable::news::News;
use durable::{Timestamp, cart, promotion, stock};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// Everything that checkout, settlement and the sweep touch.
pub trait Ports {
    /// Published prices, shipping methods, tax.
    fn prices(&self) -> impl Prices;
    /// The stock objects.
    fn stock(&self) -> impl StockObjects;
    /// What the isolate remembers of their refusals.
    fn refusals(&self) -> impl RefusalMemory;
    /// The objects of promotions that can be used up.
    fn promotions(&self) -> impl PromotionObjects;
    /// The cart objects.
    fn carts(&self) -> impl CartObjects;
    /// Checkouts, orders, their effects.
    fn orders(&self) -> impl Orders;
    /// The record of stray payments.
    fn stray_payments(&self) -> impl StrayPayments;
    /// The payment provider.
    fn payments(&self) -> impl Payments;
    /// The inbox of the provider's events.
    fn inbox(&self) -> impl Inbox;
    /// What goes out to shoppers.
    fn mail(&self) -> impl Mail;
    /// The challenge of checkout; none where the shop asks for none.
    fn challenge(&self) -> Option<impl Challenge>;
    /// The time as it is now, for a deadline that must be judged when it counts: an event may have begun long ago.
    fn clock(&self) -> Timestamp;
    /// Ends after so many milliseconds, for work that is paced.
    async fn wait(&self, millis: u32);
}

/// The published copy of the catalog: immutable documents behind one pointer. Reading a document that the copy does not have
/// yet fails with [`crate::shop::catalog::not_copied`].
pub trait PublishedCatalog {
    /// The version that shoppers see now; an empty one before the first publish.
    async fn current(&self) -> Result<Rc<Version>>;
    /// The version that they saw before it.
    async fn previous(&self) -> Result<Option<Rc<Version>>>;
    /// The version of a publish, while it is kept.
    async fn version(&self, seq: i64) -> Result<Option<Rc<Version>>>;
    /// A directory: names, and the keys they lead to.
    async fn directory(&self, key: &str) -> Result<Rc<BTreeMap<String, String>>>;
    /// Cards of one category.
    async fn cards(&self, key: &str) -> Result<Rc<Vec<Card>>>;
    /// A product.
    async fn product(&self, key: &str) -> Result<Rc<Product>>;
}

/// Where a publish writes the copy.
pub trait CatalogCopy {
    /// Writes a document under its key; writing it twice is fine.
    async fn put_document(&self, key: &str, json: &str) -> Result<()>;
    /// What shoppers are pointed to.
    async fn pointer(&self) -> Result<Option<Pointer>>;
    /// Shows a version to shoppers.
    async fn point_to(&self, pointer: Pointer) -> Result<()>;
    /// Removes documents that no kept version has.
    async fn delete_documents(&self, keys: &[String]) -> Result<()>;
}

/// How many products are read at once: a request has little memory, and few calls.
#[derive(Clone, Copy, Debug)]
pub struct PageSize {
    /// At most.
    pub products: u32,
    /// Their variants, at most; 4 KB of description count as one.
    pub variants: usize,
}

/// The record of the catalog: what the merchant edits. While a publish is under way every change is refused with 409
/// `publish_in_progress`, so that a version is the record of one moment.
pub trait CatalogRecord {
    /// Inserts or replaces products, all or none; each counts up its version. Lost when one is at another version than it says,
    /// which is none for a new product.
    async fn save_products(&self, products: &[Product], now: Timestamp) -> Result<Written>;
    /// Removes a product; lost when it is at another version than `if_version`.
    async fn delete_product(&self, id: &str, if_version: u64) -> Result<Written>;
    /// The products with these ids, in no order.
    async fn products(&self, ids: &[String]) -> Result<Vec<Product>>;
    /// The products with these handles, in no order.
    async fn products_by_handle(&self, handles: &[String]) -> Result<Vec<Product>>;
    /// Columns of imported files that the record keeps without knowing them.
    async fn source_columns(&self) -> Result<Vec<String>>;
    /// Products behind `position` in the merchant's order, each with its own: as many as fit, and one at least.
    async fn products_after(&self, position: i64, size: PageSize) -> Result<Vec<(i64, Product)>>;
    /// The ids of the products that have these SKUs.
    async fn owners_of_skus(&self, skus: &[String]) -> Result<BTreeMap<String, String>>;
    /// Products whose pictures, variants or descriptions name `picture`, at most `limit`, in the merchant's order.
    async fn products_naming(&self, picture: &str, limit: usize) -> Result<Vec<ProductName>>;
    /// Claims names for lines of an import, and returns those that an earlier line has, with it.
    async fn claim_names(
        &self,
        import_id: &str,
        names: &[(String, u64)],
        now: Timestamp,
    ) -> Result<BTreeMap<String, u64>>;
}

/// The record of publishes, and of what was published at which price.
pub trait PublishRecord {
    /// The publish that began last; it alone may be under way.
    async fn last_publish(&self) -> Result<Option<Publish>>;
    /// A publish by number.
    async fn publish(&self, seq: i64) -> Result<Option<Publish>>;
    /// The number of the version that orders are priced from, and of the one before.
    async fn current_publish(&self) -> Result<Option<Pointer>>;
    /// Begins a publish, unless one is under way; every change of the record is refused until it has ended.
    async fn begin_publish(&self, now: Timestamp) -> Result<Written>;
    /// Active products behind `position` in the merchant's order, each with its own: as many as fit, and one at least.
    async fn active_products_after(
        &self,
        position: i64,
        size: PageSize,
    ) -> Result<Vec<(i64, Product)>>;
    /// What makes the record's prices those of publish `seq`: rates and scheduled prices of `skus`, as of when it began.
    async fn repricing(&self, seq: i64, skus: &[String]) -> Result<Repricing>;
    /// Whether a scheduled price began or ended since the last publish.
    async fn is_price_due(&self, now: Timestamp) -> Result<bool>;
    /// What was listed last under each of `skus`.
    async fn last_listings(&self, skus: &[String]) -> Result<BTreeMap<String, Listing>>;
    /// Keeps documents for publish `seq`, with keys that no other content ever had, whether they are written already or not.
    async fn claim_documents(&self, seq: i64, digests: &[&str]) -> Result<Vec<ClaimedDocument>>;
    /// Notes the outcome of a step: new documents, cards, changed listings, and how far the publish has come. Lost when the
    /// publish is no longer where the step began.
    async fn save_step(&self, step: &Step, now: Timestamp) -> Result<Written>;
    /// The cards of publish `seq`.
    async fn cards(&self, seq: i64) -> Result<Vec<Card>>;
    /// Makes publish `seq` the one that orders are priced from, at most once a second; SKUs without a card are no longer listed.
    async fn finish_publish(&self, seq: i64, version: &str, now: Timestamp) -> Result<Written>;
    /// Ends publish `seq`, whose content is what shoppers see: it is no version of its own.
    async fn end_unchanged(&self, seq: i64, version: &str, now: Timestamp) -> Result<()>;
    /// Switches to an earlier publish that is still kept, at most once a second, and not while one is under way.
    async fn switch_back(&self, seq: i64, now: Timestamp) -> Result<Written>;
    /// Counts a failed attempt, and returns how many there were since the publish last moved.
    async fn publish_failed(&self, seq: i64, error: &str) -> Result<u32>;
    /// Gives a publish up: nothing of it was ever seen, and nothing stays but documents, for the next one.
    async fn abandon_publish(&self, seq: i64, error: &str, now: Timestamp) -> Result<()>;
    /// No longer keeps versions that nobody has been shown since `before`, nor what was given up before, nor the documents that
    /// nothing else has.
    async fn condemn_documents(&self, before: Timestamp) -> Result<()>;
    /// Keys of documents that are no longer kept, to be deleted.
    async fn condemned_documents(&self, limit: u32) -> Result<Vec<String>>;
    /// Notes that documents have been deleted.
    async fn documents_deleted(&self, keys: &[String]) -> Result<()>;
}

/// Carries a publish on, beyond the request that began it.
pub trait PublishQueue {
    /// Asks for the next steps of publish `seq`, `delay_secs` from now.
    async fn enqueue_publish(&self, seq: i64, delay_secs: u32) -> Result<()>;
}

/// What orders are priced from: rows that a publish wrote and nothing changes.
pub trait Prices {
    /// What a cart with these SKUs is priced from, for a shopper with this mail address.
    async fn price_list(&self, skus: &[String], email: &str) -> Result<PriceList>;
    /// Keeps a quote, and forgets the cart's others but one that a checkout under way needs.
    async fn save_quote(&self, quote: &Quote, now: Timestamp) -> Result<()>;
    /// A quote by id.
    async fn quote(&self, quote_id: &str) -> Result<Option<Quote>>;
    /// Forgets the oldest quotes, at most `limit`, that were made before `before`.
    async fn forget_quotes(&self, before: Timestamp, limit: u32) -> Result<()>;
}

/// Pictures that staff upload, under their names.
pub trait MediaFiles {
    /// Keeps a picture; keeping it twice is fine.
    async fn put(&self, media: &Media, content: Vec<u8>) -> Result<()>;
    /// Removes one; false when there is none.
    async fn delete(&self, name: &str) -> Result<bool>;
    /// Those behind the name `after`, by name, at most `limit`; and the name to go on behind, where there are more.
    async fn list(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<StoredMedia>, Option<String>)>;
}

/// The merchant's settings, each version as it was written.
pub trait SettingsRecord {
    /// As they are now.
    async fn current_settings(&self) -> Result<Rc<SettingsVersion>>;
    /// Writes the next version; lost when there is one already.
    async fn save_settings(&self, next: &SettingsVersion, now: Timestamp) -> Result<Written>;
    /// The scheduled prices of a SKU.
    async fn scheduled_prices(&self, sku: &str) -> Result<Vec<ScheduledPrice>>;
    /// Replaces the scheduled prices of a SKU; what should have begun by `now` begins then.
    async fn save_scheduled_prices(
        &self,
        sku: &str,
        prices: &[ScheduledPrice],
        now: Timestamp,
    ) -> Result<()>;
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

/// One object per promotion that can be used up.
pub trait PromotionObjects {
    /// Carries out `command` once per `operation_id`.
    async fn ask(
        &self,
        id: &str,
        operation_id: String,
        command: promotion::Command,
    ) -> Result<promotion::Reply>;
    /// How often it has been used, by all and by a customer.
    async fn uses(&self, id: &str, customer: &str) -> Result<Uses>;
}

/// What staff ask of a stock object.
pub trait StockLedgers {
    /// Movements before number `before`, newest first.
    async fn movements(&self, sku: &str, before: Option<u64>, limit: u32) -> Result<Vec<Movement>>;
    /// Compares the counters with the movements.
    async fn check(&self, sku: &str) -> Result<Checkup<stock::View>>;
    /// Sets the counters to what the movements tell; returns what was found.
    async fn repair(&self, sku: &str) -> Result<Checkup<stock::View>>;
}

/// An entry of a stock object's log, its events as the object wrote them.
pub type Movement = Entry<serde_json::Value>;

/// The published copy of what the public may know of SKUs.
pub trait PublicStocks {
    /// What is known of each of `skus`; nothing of those that were never stocked.
    async fn public_stocks(&self, skus: &[&str]) -> Result<Posts>;
}

/// The objects that show what the public may know.
pub trait Boards {
    /// Shows `posts`, where they are newer than what is shown.
    async fn post(&self, bucket: u32, posts: &Posts) -> Result<()>;
}

/// The record of what the objects told.
pub trait NewsRecord {
    /// Keeps the newest of each SKU and cart, all or none.
    async fn keep(&self, news: &[News], now: Timestamp) -> Result<()>;
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written<T = ()> {
    /// It landed; what it made.
    Landed(T),
    /// Another write was first; read again and decide again.
    Lost,
}

/// Choice of due tasks to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueTasks {
    /// All: first those of new orders that wait for their payment page, the newest first; then the others, the oldest first.
    All,
    /// None of orders that wait for their payment page, the oldest first.
    ButPayments,
}

/// Checkouts, orders and what must follow from them. Each write is one transaction.
pub trait Orders {
    /// The order that stands for a request already, its quote, and what its SKUs would be priced from now.
    async fn find_checkout(&self, checkout: &Checkout) -> Result<Found>;
    /// Writes `order` with its payment and tasks as what `checkout` has come to, and returns the number that it was given; lost when that
    /// was decided before, or its key or its cart has another order. Fails with 429 where as much is pending as may be.
    async fn place(
        &self,
        order: &Order,
        checkout: &Checkout,
        proof: Proof,
        now: Timestamp,
    ) -> Result<Written<i64>>;
    /// Decides that an order comes to nothing; lost when that was decided before, or it was placed.
    async fn refuse_checkout(&self, order_id: &str, now: Timestamp) -> Result<Written>;

    /// An order with everything that belongs to it.
    async fn order(&self, order_id: &str) -> Result<Option<Order>>;
    /// Orders, the newest first.
    async fn orders(&self, filter: &OrderFilter) -> Result<Vec<Order>>;
    /// Moves an order on; lost when it is no longer at the version it was judged at.
    async fn transition(&self, transition: &Transition, now: Timestamp) -> Result<Written<Order>>;
    /// Notes how a round of tasks went.
    async fn finish_round(&self, order_id: &str, round: &Round, now: Timestamp) -> Result<Order>;
    /// True when any order has tasks due by `now`, or a payment that has to be looked at.
    async fn is_any_due(&self, now: Timestamp) -> Result<bool>;
    /// Takes orders that have tasks due by `now`: nobody else is given them before `taken_until`. They are about as many as `calls` to
    /// the payment provider drive: a session whose request is too old takes two, anything else one at most.
    async fn take_orders_with_due_tasks(
        &self,
        which: DueTasks,
        now: Timestamp,
        taken_until: Timestamp,
        calls: u32,
    ) -> Result<Vec<String>>;
    /// Pending orders whose payment has to be looked at by `now`, those first that wait longest; the next look is at `again_at`.
    async fn take_overdue_orders(
        &self,
        now: Timestamp,
        again_at: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>>;

    /// Keeps what a sweep found, and forgets what is older than `forget_before`.
    async fn save_findings(&self, findings: &[Finding], forget_before: Timestamp) -> Result<()>;
}

/// Keys of requests, and the first answers to them.
pub trait IdempotencyKeys {
    /// Takes a key, unless another request has it; who has it now.
    async fn claim(&self, request: &KeyedRequest, now: Timestamp) -> Result<KeyHolder>;
    /// Keeps the answer of the request that has the key.
    async fn keep(&self, request: &KeyedRequest, answer: &KeptAnswer) -> Result<()>;
    /// Frees the key of a request that came to nothing.
    async fn release(&self, request: &KeyedRequest) -> Result<()>;
}

/// A provider that takes payments on a page of its own. Whatever changes something there carries a key that was stored before,
/// and the exact request that was stored with it.
pub trait Payments {
    /// The most that it charges at once, in minor units.
    fn largest_charge(&self, currency: Currency) -> i64;
    /// The exact request for a session, to be kept before the first call, so that every retry sends the same.
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
    /// Ends a session so that it can't be paid, and returns it as it stands: perhaps it was paid before.
    async fn expire_session(
        &self,
        idempotency_key: &str,
        session_id: &str,
    ) -> Result<Session, PaymentError>;
    /// The lines of a session's page.
    async fn session_items(&self, session_id: &str) -> Result<Vec<SessionItem>, PaymentError>;
    /// The session of an order that was opened with a key, among those opened from one instant to another, for when the key itself
    /// tells no more than a failure.
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
    fn verify(&self, delivery: &Delivery<'_>, now: Timestamp) -> Result<WebhookEvent>;
    /// What a stored event is about.
    fn read_event(&self, payload: &str) -> Result<Notice>;
    /// Events since then whose delivery did not succeed so far: the page that begins `after` an earlier one.
    async fn undelivered_events(
        &self,
        since: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<WebhookEvent>, PaymentError>;
    /// Movements of the shop's balance from one instant until before another: the page that begins `after` an earlier one.
    async fn balance_entries(
        &self,
        from: Timestamp,
        until: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<BalanceEntry>, PaymentError>;
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
    /// Hands the event's id to the consumer, after a delay.
    async fn enqueue(&self, event_id: &str, delay_secs: u32) -> Result<()>;
    /// Keeps events; the ids of those that were not there yet.
    async fn receive_all(&self, events: &[WebhookEvent], now: Timestamp) -> Result<Vec<String>>;
    /// Hands the ids of events to the consumer.
    async fn enqueue_all(&self, event_ids: &[String]) -> Result<()>;
    /// The payload of an event.
    async fn payload(&self, event_id: &str) -> Result<Option<String>>;
    /// Notes that an event is dealt with.
    async fn processed(&self, event_id: &str, outcome: &str, now: Timestamp) -> Result<()>;
    /// Events that were due before `before` and that nobody has dealt with; each is handed out to one caller at a time.
    async fn unseen(&self, before: Timestamp, limit: u32) -> Result<Vec<String>>;
}

/// Jobs that run now and then, as far as each has come, and what they look at.
pub trait Jobs {
    /// Takes the turn of a job that is due, with what it kept of its progress; none when it is not due, or another has the turn,
    /// which counts as lost at `lost_at`.
    async fn take_turn<P: DeserializeOwned + Default>(
        &self,
        job: &str,
        lost_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<P>>;
    /// Ends the turn that was taken with `lost_at`: how far the job is, and when it is due again. False when it took so long that it
    /// counts as lost, and perhaps another has its turn: then nothing is noted.
    async fn end_turn<P: Serialize>(
        &self,
        job: &str,
        lost_at: Timestamp,
        progress: &P,
        due_at: Timestamp,
    ) -> Result<bool>;
    /// Books fees of orders' payments, each once.
    async fn book_fees(&self, fees: &[Fee]) -> Result<()>;
    /// Keeps what the provider's balance moved, each movement once.
    async fn keep_entries(&self, entries: &[BalanceEntry]) -> Result<()>;
    /// Forgets some of the movements from before then.
    async fn forget_entries(&self, before: Timestamp) -> Result<()>;
    /// Of the payments that moved in `slice`, those whose two sides differ by what they moved in `window`: no more than
    /// [`MAX_SUSPECTS`](crate::shop::reconciliation::MAX_SUSPECTS).
    async fn suspects(
        &self,
        slice: &Range<Timestamp>,
        window: &Range<Timestamp>,
    ) -> Result<Vec<String>>;
    /// What the provider and the ledger moved of these payments in `window`.
    async fn movements(
        &self,
        payment_refs: &[String],
        window: &Range<Timestamp>,
    ) -> Result<Movements>;
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
    async fn send(&self, queue: &str, body: &str) -> Result<()> {
        self.send_later(queue, body, 0).await
    }
    /// Puts a message into a queue, which hands it out after a delay.
    async fn send_later(&self, queue: &str, body: &str, delay_secs: u32) -> Result<()>;
    /// Puts messages into a queue, at most a hundred.
    async fn send_all(&self, queue: &str, bodies: &[String]) -> Result<()>;
}

/// What goes out to shoppers. A letter is handed over and sent later, once.
pub trait Mail {
    /// Hands a letter to the queue of what goes out.
    async fn post(&self, letter: &Letter) -> Result<()>;
    /// Hands a wish for the link of an order to the same queue.
    async fn ask_for_link(&self, request: &LinkRequest) -> Result<()>;
}

/// The record of letters. A row is written with the note that its task is done ([`Orders::finish_round`]), else by its first claim.
pub trait Mails {
    /// Claims a letter: of all who try at once, one may send it.
    async fn claim(&self, letter: &Letter, now: Timestamp) -> Result<Claim>;
    /// Notes that a letter was sent.
    async fn sent(&self, mail_id: &str, now: Timestamp) -> Result<()>;
    /// Notes that an attempt failed, and gives the claim back. `certain` when the provider said that it did not take the letter.
    async fn failed(&self, mail_id: &str, error: &str, certain: bool) -> Result<()>;
    /// Notes that a letter will not be sent, and tells staff why, both or neither.
    async fn give_up(&self, letter: &Letter, reason: &str, now: Timestamp) -> Result<()>;
    /// Letters that should have been sent by `now`, those first that wait longest; each is handed out to one caller at a time.
    async fn take_due(&self, limit: u32, now: Timestamp) -> Result<Vec<Letter>>;
}

/// Who carries mails.
pub trait MailProvider {
    /// Sends a mail; where the provider knows idempotency keys, the same key never sends two.
    async fn send(
        &self,
        idempotency_key: &str,
        letter: &Letter,
        message: &Message,
    ) -> Result<(), MailFailure>;
}
