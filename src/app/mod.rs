//! The App: the only module that names a binding, a variable or a secret, and the only one that
//! reads the clock and entropy.
//!
//! Bindings and configuration are the same for every event of an isolate, so they are looked up
//! once.

mod bindings;
pub mod brand;
mod clock;
pub mod config;
mod ports;

use crate::app::bindings::Bindings;
use crate::app::clock::{PAUSE, entropy, now, random_number};
use crate::app::config::Config;
use crate::store::catalog::availability::StockKv;
use crate::store::catalog::copy::{CatalogKv, refresh_is_due, shown_version};
use crate::store::catalog::record::CatalogD1;
use crate::store::messages::mails::MailsD1;
use crate::store::operations::dead_letters::DeadLettersD1;
use crate::store::operations::finding_deliveries::FindingDeliveriesD1;
use crate::store::operations::finding_webhook::Receiver;
use crate::store::operations::idempotency::IdempotencyD1;
use crate::store::operations::news::NewsD1;
use crate::store::operations::retention::RetentionD1;
use crate::store::orders::codes::OrderCodeTriesD1;
use crate::store::orders::standing::OrderStandingsD1;
use crate::store::payments::guarded::BreakerD1;
use crate::store::payments::stripe::Patience;
use crate::store::payments::stripe::account::MAX_PAGES;
use crate::store::platform::d1::D1;
use crate::store::platform::kv::Kv;
use crate::store::platform::media_r2::MediaR2;
use crate::store::platform::objects::Objects;
use crate::store::platform::queues::Queues;
use crate::store::platform::rate_limits::RateLimits;
use crate::store::pricing::settings;
use crate::store::pricing::settings::SettingsD1;
use crate::store::publishing::publish::PublishD1;
use crate::store::settlement::jobs::JobsD1;
use crate::store::sql::{Database, Statement};
use durable::Timestamp;
use serde_json::Value;
use shop::cart::CartObjects;
use shop::cart::ports::CartPorts;
use shop::catalog::one_version::OneVersion;
use shop::catalog::version::Version;
use shop::checkout::code_tries::CodeTries;
use shop::error::{Error, Result};
use shop::inventory::objects::{StockLedgers, StockObjects};
use shop::inventory::ports::StockPorts;
use shop::operations::news::NewsRecord;
use shop::orders::links::OrderLinks;
use shop::values::ids::{CartId, Sku, new_id, unique};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use worker::Env;

/// Context of one event: the isolate's bindings and configuration, and the time.
pub struct App {
    bindings: Rc<Bindings>,
    /// Configuration of the shop.
    pub config: Rc<Config>,
    /// Time at which the event began.
    pub now: Timestamp,
    shown: OnceCell<Rc<Version>>,
    provider_pages_left: Rc<Cell<u32>>,
    provider_patience: Rc<Patience>,
}

thread_local! {
    static REQUESTS: Cell<Option<u128>> = const { Cell::new(None) };
    static ISOLATE: RefCell<Option<(Rc<Bindings>, Rc<Config>)>> = const { RefCell::new(None) };
}

impl App {
    /// Creates the App for an event.
    ///
    /// # Errors
    /// Fails if a binding is missing or the configuration contradicts itself; the message names it.
    pub fn new(env: &Env) -> Result<Self> {
        let known = ISOLATE.with_borrow(Clone::clone);
        let (bindings, config) = match known {
            Some(known) => known,
            None => {
                let fresh = (Rc::new(Bindings::new(env)?), Rc::new(Config::new(env)?));
                ISOLATE.replace(Some(fresh.clone()));
                fresh
            }
        };
        Ok(Self {
            bindings,
            config,
            now: now(),
            shown: OnceCell::new(),
            provider_pages_left: Rc::new(Cell::new(MAX_PAGES)),
            provider_patience: Rc::default(),
        })
    }

    /// Returns the published catalog, pinned to one version for the whole event.
    #[must_use]
    pub fn catalog(&self) -> OneVersion<'_, CatalogKv> {
        OneVersion {
            catalog: self.catalog_copy(),
            shown: &self.shown,
        }
    }

    /// Returns the copy of the catalog that shoppers see.
    #[must_use]
    pub fn catalog_copy(&self) -> CatalogKv {
        CatalogKv {
            kv: self.kv(),
            now: self.now,
            product_bytes: self.config.isolate_cache_bytes,
        }
    }

    fn kv(&self) -> Kv {
        Kv {
            store: self.bindings.catalog.clone(),
            pause: PAUSE,
        }
    }

    /// Returns the record of publishes.
    #[must_use]
    pub fn publish_record(&self) -> PublishD1<Rc<D1>> {
        PublishD1(Rc::clone(&self.bindings.db))
    }

    /// Returns the record of the catalog.
    #[must_use]
    pub fn catalog_record(&self) -> CatalogD1<Rc<D1>> {
        CatalogD1(Rc::clone(&self.bindings.db))
    }

    /// Returns the merchant's settings.
    #[must_use]
    pub fn settings(&self) -> SettingsD1<Rc<D1>> {
        SettingsD1 {
            db: Rc::clone(&self.bindings.db),
            known: Rc::clone(&self.bindings.settings),
        }
    }

    /// Returns the dead letters: messages that failed for good.
    #[must_use]
    pub fn dead_letters(&self) -> DeadLettersD1<Rc<D1>> {
        DeadLettersD1(Rc::clone(&self.bindings.db))
    }

    /// Returns the health of the payment provider.
    #[must_use]
    pub fn provider_health(&self) -> BreakerD1<Rc<D1>> {
        BreakerD1(Rc::clone(&self.bindings.db))
    }

    /// Returns the queues.
    #[must_use]
    pub fn queues(&self) -> Queues {
        self.bindings.queues.clone()
    }

    /// Returns the scheduled jobs.
    #[must_use]
    pub fn jobs(&self) -> JobsD1<Rc<D1>> {
        JobsD1(Rc::clone(&self.bindings.db))
    }

    /// Returns the record of what expires and is deleted.
    #[must_use]
    pub fn retention(&self) -> RetentionD1<Rc<D1>> {
        RetentionD1(Rc::clone(&self.bindings.db))
    }

    /// Returns the stored responses to requests with an idempotency key.
    #[must_use]
    pub fn idempotency_keys(&self) -> IdempotencyD1<Rc<D1>> {
        IdempotencyD1(Rc::clone(&self.bindings.db))
    }

    /// Returns the record of attempts to guess order codes.
    #[must_use]
    pub fn order_code_tries(&self) -> OrderCodeTriesD1<Rc<D1>> {
        OrderCodeTriesD1(Rc::clone(&self.bindings.db))
    }

    /// Returns the status of orders, for clients that wait for a change.
    #[must_use]
    pub fn order_standings(&self) -> OrderStandingsD1<Rc<D1>> {
        OrderStandingsD1 {
            db: Rc::clone(&self.bindings.db),
            clock: now,
        }
    }

    /// Returns the record of emails sent.
    #[must_use]
    pub fn mails(&self) -> MailsD1<Rc<D1>> {
        MailsD1(Rc::clone(&self.bindings.db))
    }

    /// Returns the record of findings that staff were notified of.
    #[must_use]
    pub fn finding_deliveries(&self) -> FindingDeliveriesD1<Rc<D1>> {
        FindingDeliveriesD1(Rc::clone(&self.bindings.db))
    }

    /// Returns the webhook that findings are posted to; `None` means no address is set.
    ///
    /// # Errors
    /// Fails if the address doesn't begin with `https`, or the secret is malformed.
    pub fn finding_receiver(&self) -> Result<Option<Receiver>> {
        let webhook = self.config.findings_webhook()?;
        Ok(webhook.map(|(url, secret)| Receiver {
            url: url.to_owned(),
            secret,
            clock: now,
        }))
    }

    /// Returns the size of the database in bytes.
    ///
    /// # Errors
    /// Fails if the database doesn't report it.
    pub async fn database_bytes(&self) -> Result<i64> {
        Ok(self.bindings.db.size_bytes().await?)
    }

    /// Returns the catalog version that this isolate shows; `None` means it would have to read the
    /// pointer first.
    #[must_use]
    pub fn catalog_seq(&self) -> Option<i64> {
        shown_version(self.now)
    }

    /// Returns the published catalog if its pointer is due to be read again. Only one caller at a
    /// time gets it.
    #[must_use]
    pub fn catalog_to_refresh(&self) -> Option<CatalogKv> {
        refresh_is_due(self.now).then(|| self.catalog_copy())
    }

    /// Returns the settings if those shown on pages are due to be read again. Only one caller at a
    /// time gets them.
    #[must_use]
    pub fn settings_to_refresh(&self) -> Option<SettingsD1<Rc<D1>>> {
        settings::refresh_is_due(self.now).then(|| self.settings())
    }

    /// Returns the ports that a publish writes to, and the queue that continues it.
    #[must_use]
    pub fn publish_ports(&self) -> (PublishD1<Rc<D1>>, CatalogKv, Queues) {
        (self.publish_record(), self.catalog_copy(), self.queues())
    }

    /// Returns the public stock.
    #[must_use]
    pub fn public_stocks(&self) -> StockKv {
        StockKv {
            kv: self.kv(),
            now: self.now,
        }
    }

    /// Returns the journals of the stock objects.
    #[must_use]
    pub fn stock_ledgers(&self) -> impl StockLedgers {
        Objects(self.bindings.stock.clone())
    }

    /// Returns the record of the events that objects sent.
    #[must_use]
    pub fn news_record(&self) -> impl NewsRecord {
        NewsD1(Rc::clone(&self.bindings.db))
    }

    /// Returns the pictures that staff uploaded.
    #[must_use]
    pub fn media(&self) -> MediaR2 {
        MediaR2 {
            bucket: self.bindings.media.clone(),
            images: self.bindings.images.clone(),
        }
    }

    /// Returns the boards, which show the public stock.
    #[must_use]
    pub fn boards(&self) -> Objects {
        Objects(self.bindings.board.clone())
    }

    /// Returns the counter of promotion codes tried from `network` for a cart.
    #[must_use]
    pub fn code_tries(&self, network: String, cart_id: &CartId) -> CodeTries<'_, RateLimits> {
        CodeTries {
            limiters: self.limiters(),
            blocked: &self.bindings.blocked_sources,
            sources: [network, cart_id.to_string()],
        }
    }

    /// Returns the rate limiters.
    #[must_use]
    pub fn limiters(&self) -> RateLimits {
        self.bindings.limits.clone()
    }

    /// Returns the milliseconds since this event began.
    #[must_use]
    pub fn millis_since(&self) -> i64 {
        now().as_millis().saturating_sub(self.now.as_millis())
    }

    /// Creates an unguessable ID.
    ///
    /// # Errors
    /// Fails if the platform provides no entropy.
    pub fn new_id(&self, prefix: &str) -> Result<String> {
        entropy().map(|entropy| new_id(prefix, entropy))
    }

    /// Creates the unguessable part of an ID.
    ///
    /// # Errors
    /// Fails if the platform provides no entropy.
    pub fn unique(&self) -> Result<String> {
        entropy().map(unique)
    }

    /// Creates the ID of a request: unique but not secret, so that the platform is asked for
    /// entropy only once per isolate.
    #[must_use]
    pub fn request_id(&self) -> String {
        let last = REQUESTS
            .get()
            .unwrap_or_else(|| u128::from_le_bytes(entropy().unwrap_or_default()));
        let next = last.wrapping_add(1);
        REQUESTS.set(Some(next));
        new_id("req", next.to_be_bytes())
    }

    /// Returns a random number that spreads work over time; 0 if the platform provides no entropy.
    #[must_use]
    pub fn jitter(&self) -> u32 {
        random_number()
    }

    /// Returns the signer of order links.
    #[must_use]
    pub fn order_links(&self) -> OrderLinks {
        OrderLinks {
            base: self.config.channel.origin.clone(),
            signer: self.config.signer.clone(),
            languages: self.config.channel.languages,
            language: self.config.channel.languages.default,
        }
    }

    /// Checks each part of the shop and returns the results by name.
    pub async fn readiness(&self) -> Vec<(&'static str, Result<()>)> {
        let db = self
            .bindings
            .db
            .query::<Value>(Statement::new("SELECT 1 FROM current_publish"))
            .await;
        let catalog = self.bindings.catalog.get("catalog/current").text().await;
        let nothing = Sku::new("readyz".to_owned());
        let no_cart = CartId::new("readyz".to_owned());
        vec![
            ("db", db.map(|_| ()).map_err(Error::from)),
            ("catalog", catalog.map(|_| ()).map_err(Error::internal)),
            ("stock", self.stock().view(&nothing).await.map(|_| ())),
            ("cart", self.carts().view(&no_cart).await.map(|_| ())),
            ("secrets", self.config.check_secrets()),
        ]
    }
}
