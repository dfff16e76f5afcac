//! The App: the only file that names a binding, a variable or a secret, and the only one that reads the clock and entropy.
//!
//! Bindings and configuration are the same for every event of an isolate, so they are looked up once.

use crate::store::catalog_d1::CatalogD1;
use crate::store::catalog_kv::{CatalogKv, refresh_is_due, shown_version};
use crate::store::d1::D1;
use crate::store::dead_letters_d1::DeadLettersD1;
use crate::store::finding_deliveries_d1::FindingDeliveriesD1;
use crate::store::finding_webhook::Receiver;
use crate::store::findings_d1::FindingsD1;
use crate::store::guarded_payments::{BreakerD1, GuardedPayments, HealthCache};
use crate::store::idempotency_d1::IdempotencyD1;
use crate::store::inbox_d1::InboxD1;
use crate::store::jobs_d1::JobsD1;
use crate::store::mail_providers::{Account, Carrier};
use crate::store::mails_d1::MailsD1;
use crate::store::media_r2::{Images, MediaR2};
use crate::store::news_d1::NewsD1;
use crate::store::objects::Objects;
use crate::store::order_code_tries_d1::OrderCodeTriesD1;
use crate::store::order_standings_d1::OrderStandingsD1;
use crate::store::orders_d1::{OrdersD1, StrayPaymentsD1};
use crate::store::pause::{Pause, wait};
use crate::store::prices_d1::{ListingCache, PricesD1};
use crate::store::publish_d1::PublishD1;
use crate::store::queues::{Outgoing, Queues};
use crate::store::rate_limits::{Classes, RateLimits};
use crate::store::refusals::RefusalsHere;
use crate::store::retention_d1::RetentionD1;
use crate::store::settings_d1::{self, SettingsCache, SettingsD1};
use crate::store::sql::{Database, Statement};
use crate::store::standard_webhooks::WebhookSecret;
use crate::store::stock_kv::StockKv;
use crate::store::stripe::Patience;
use crate::store::stripe::account::MAX_PAGES;
use crate::store::stripe::account::{STRIPE_API, Stripe, StripeConfig};
use crate::store::turnstile::{Turnstile, check_widget};
use durable::Timestamp;
use serde_json::Value;
use shop::cart::CartObjects;
use shop::cart::ports::CartPorts;
use shop::catalog::one_version::OneVersion;
use shop::catalog::version::Version;
use shop::checkout::code_tries::{BlockedSources, CodeTries};
use shop::checkout::pending::PendingLimits;
use shop::checkout::ports::CheckoutPorts;
use shop::checkout::record::Checkouts;
use shop::customers::challenge::{Challenge, Widget};
use shop::customers::staff::StaffKeys;
use shop::error::{Error, Result};
use shop::inventory::objects::{PromotionObjects, StockLedgers, StockObjects};
use shop::inventory::ports::StockPorts;
use shop::inventory::refusals::RefusalMemory;
use shop::messages::mail::Mail;
use shop::operations::finding_deliveries::{checked_address, checked_url};
use shop::operations::news::NewsRecord;
use shop::operations::production::{Environment, Opening, check_opening, check_secrets_are_set};
use shop::orders::findings::FindingRecord;
use shop::orders::links::OrderLinks;
use shop::orders::ports::OrderPorts;
use shop::orders::record::Orders;
use shop::payments::{Inbox, Payments};
use shop::pricing::price_list::Prices;
use shop::settlement::ports::SettlementPorts;
use shop::settlement::strays::StrayPayments;
use shop::values::clock::Clock;
use shop::values::ids::{Entropy, Signer, new_id, unique};
use shop::values::languages::Language;
use shop::values::money::Currency;
use std::cell::{Cell, OnceCell, RefCell};
use std::iter;
use std::rc::Rc;
use worker::js_sys::Date;
use worker::{Bucket, Env, KvStore, ObjectNamespace};

/// What configures the shop.
pub struct Config {
    /// Origin of links in mails and payment sessions.
    pub shop_url: String,
    /// Whether search engines may look: not while a shop is only tried out.
    pub is_public: bool,
    /// What the shop sells in; the first is the default. Never empty.
    pub currencies: Vec<Currency>,
    /// Seconds that a cart left alone is kept, by its object and by a browser.
    pub cart_kept_secs: u32,
    /// Origins that may call the API from a browser.
    pub cors_origins: Vec<String>,
    /// Where a shopper's browser is sent to pay, for the CSP's `form-action`.
    pub payment_origins: String,
    /// Signs cart tokens and order links.
    pub signer: Signer,
    /// Bytes of products, and again of finished answers, that an isolate keeps.
    pub isolate_cache_bytes: usize,
    /// How many orders may wait for their payment.
    pub pending: PendingLimits,
    /// Whether this is a developer's own machine.
    pub in_development: bool,
    /// Staff's keys, until accounts arrive.
    pub staff: StaffKeys,
    /// A carrier of mails.
    pub mail: Carrier,
    /// Address of staff that findings are mailed to; empty: none.
    pub findings_mail: String,
    findings_webhook_url: String,
    findings_webhook_secret: String,
    challenge: Option<Turnstile>,
    takes_payments: bool,
    stripe: StripeConfig,
}

/// One event: the isolate's bindings and configuration, and the time.
pub struct App {
    bindings: Rc<Bindings>,
    /// What configures the shop.
    pub config: Rc<Config>,
    /// The time of this event.
    pub now: Timestamp,
    shown: OnceCell<Rc<Version>>,
    provider_pages_left: Rc<Cell<u32>>,
    provider_patience: Rc<Patience>,
}

struct Bindings {
    catalog: KvStore,
    db: Rc<D1>,
    stock: ObjectNamespace,
    cart: ObjectNamespace,
    promotion: ObjectNamespace,
    queues: Queues,
    payments_knowledge: HealthCache,
    settings: SettingsCache,
    listings: ListingCache,
    limits: RateLimits,
    blocked_sources: RefCell<BlockedSources>,
    board: ObjectNamespace,
    media: Bucket,
    images: Images,
}

thread_local! {
    static REQUESTS: Cell<Option<u128>> = const { Cell::new(None) };
    static ISOLATE: RefCell<Option<(Rc<Bindings>, Rc<Config>)>> = const { RefCell::new(None) };
}

impl App {
    /// The App of an event.
    ///
    /// # Errors
    /// When a binding is missing or the configuration contradicts itself; the message names it.
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

    /// The published catalog, in one version for the whole event.
    #[must_use]
    pub fn catalog(&self) -> OneVersion<'_, CatalogKv> {
        OneVersion {
            catalog: self.catalog_copy(),
            shown: &self.shown,
        }
    }

    /// The copy of the catalog that shoppers are shown.
    #[must_use]
    pub fn catalog_copy(&self) -> CatalogKv {
        CatalogKv {
            kv: self.bindings.catalog.clone(),
            now: self.now,
            product_bytes: self.config.isolate_cache_bytes,
            pause: PAUSE,
        }
    }

    /// The record of publishes.
    #[must_use]
    pub fn publish_record(&self) -> PublishD1<Rc<D1>> {
        PublishD1(Rc::clone(&self.bindings.db))
    }

    /// The record of the catalog.
    #[must_use]
    pub fn catalog_record(&self) -> CatalogD1<Rc<D1>> {
        CatalogD1(Rc::clone(&self.bindings.db))
    }

    /// The merchant's settings.
    #[must_use]
    pub fn settings(&self) -> SettingsD1<Rc<D1>> {
        SettingsD1 {
            db: Rc::clone(&self.bindings.db),
            known: Rc::clone(&self.bindings.settings),
        }
    }

    /// Messages that failed.
    #[must_use]
    pub fn dead_letters(&self) -> DeadLettersD1<Rc<D1>> {
        DeadLettersD1(Rc::clone(&self.bindings.db))
    }

    /// The health of the payment provider.
    #[must_use]
    pub fn provider_health(&self) -> BreakerD1<Rc<D1>> {
        BreakerD1(Rc::clone(&self.bindings.db))
    }

    /// The queues by name.
    #[must_use]
    pub fn queues(&self) -> Queues {
        self.bindings.queues.clone()
    }

    /// Scheduled jobs.
    #[must_use]
    pub fn jobs(&self) -> JobsD1<Rc<D1>> {
        JobsD1(Rc::clone(&self.bindings.db))
    }

    /// What is kept for a while.
    #[must_use]
    pub fn retention(&self) -> RetentionD1<Rc<D1>> {
        RetentionD1(Rc::clone(&self.bindings.db))
    }

    /// The first answers to requests with a key.
    #[must_use]
    pub fn idempotency_keys(&self) -> IdempotencyD1<Rc<D1>> {
        IdempotencyD1(Rc::clone(&self.bindings.db))
    }

    /// Guesses at the codes of orders.
    #[must_use]
    pub fn order_code_tries(&self) -> OrderCodeTriesD1<Rc<D1>> {
        OrderCodeTriesD1(Rc::clone(&self.bindings.db))
    }

    /// Standings of orders, for those who wait for them.
    #[must_use]
    pub fn order_standings(&self) -> OrderStandingsD1<Rc<D1>> {
        OrderStandingsD1 {
            db: Rc::clone(&self.bindings.db),
            clock: now,
        }
    }

    /// Which mails were sent.
    #[must_use]
    pub fn mails(&self) -> MailsD1<Rc<D1>> {
        MailsD1(Rc::clone(&self.bindings.db))
    }

    /// What staff were told.
    #[must_use]
    pub fn finding_deliveries(&self) -> FindingDeliveriesD1<Rc<D1>> {
        FindingDeliveriesD1(Rc::clone(&self.bindings.db))
    }

    /// The webhook that findings are posted to; none when no address is set.
    ///
    /// # Errors
    /// When the address is no `https` address, or the secret is none.
    pub fn finding_receiver(&self) -> Result<Option<Receiver>> {
        let webhook = self.config.findings_webhook()?;
        Ok(webhook.map(|(url, secret)| Receiver {
            url: url.to_owned(),
            secret,
            clock: now,
        }))
    }

    /// Bytes of the database.
    ///
    /// # Errors
    /// When it does not tell.
    pub async fn database_bytes(&self) -> Result<i64> {
        Ok(self.bindings.db.size_bytes().await?)
    }

    /// The catalog version that this isolate shows now, while it knows without asking.
    #[must_use]
    pub fn catalog_seq(&self) -> Option<i64> {
        shown_version(self.now)
    }

    /// The published catalog, where its pointer should be looked at again; for one caller at a time.
    #[must_use]
    pub fn catalog_to_refresh(&self) -> Option<CatalogKv> {
        refresh_is_due(self.now).then(|| self.catalog_copy())
    }

    /// The settings, where those that pages show should be looked at again; for one caller at a time.
    #[must_use]
    pub fn settings_to_refresh(&self) -> Option<SettingsD1<Rc<D1>>> {
        settings_d1::refresh_is_due(self.now).then(|| self.settings())
    }

    /// What a publish writes to, and what carries it on.
    #[must_use]
    pub fn publish_ports(&self) -> (PublishD1<Rc<D1>>, CatalogKv, Queues) {
        (self.publish_record(), self.catalog_copy(), self.queues())
    }

    /// What the public may know of stock.
    #[must_use]
    pub fn public_stocks(&self) -> StockKv {
        StockKv {
            kv: self.bindings.catalog.clone(),
            now: self.now,
            pause: PAUSE,
        }
    }

    /// The logs of the stock objects.
    #[must_use]
    pub fn stock_ledgers(&self) -> impl StockLedgers {
        Objects(self.bindings.stock.clone())
    }

    /// The record of what the objects told.
    #[must_use]
    pub fn news_record(&self) -> impl NewsRecord {
        NewsD1(Rc::clone(&self.bindings.db))
    }

    /// Pictures that staff upload.
    #[must_use]
    pub fn media(&self) -> MediaR2 {
        MediaR2 {
            bucket: self.bindings.media.clone(),
            images: self.bindings.images.clone(),
        }
    }

    /// The boards that show what the public may know of stock.
    #[must_use]
    pub fn boards(&self) -> Objects {
        Objects(self.bindings.board.clone())
    }

    /// The tries of promotion codes from `network`, for a cart.
    #[must_use]
    pub fn code_tries(&self, network: String, cart_id: &str) -> CodeTries<'_, RateLimits> {
        CodeTries {
            limiters: self.limiters(),
            blocked: &self.bindings.blocked_sources,
            sources: [network, cart_id.to_owned()],
        }
    }

    /// The counters of requests.
    #[must_use]
    pub fn limiters(&self) -> RateLimits {
        self.bindings.limits.clone()
    }

    /// Milliseconds since this event began.
    #[must_use]
    pub fn millis_since(&self) -> i64 {
        now().as_millis().saturating_sub(self.now.as_millis())
    }

    /// A new unguessable id.
    ///
    /// # Errors
    /// When the platform gives no entropy.
    pub fn new_id(&self, prefix: &str) -> Result<String> {
        entropy().map(|entropy| new_id(prefix, entropy))
    }

    /// The unguessable part of an id.
    ///
    /// # Errors
    /// When the platform gives no entropy.
    pub fn unique(&self) -> Result<String> {
        entropy().map(unique)
    }

    /// The id of a request: unlike any other, but not a secret, so that the platform is asked for entropy once an isolate.
    #[must_use]
    pub fn request_id(&self) -> String {
        let last = REQUESTS
            .get()
            .unwrap_or_else(|| u128::from_le_bytes(entropy().unwrap_or_default()));
        let next = last.wrapping_add(1);
        REQUESTS.set(Some(next));
        new_id("req", next.to_be_bytes())
    }

    /// A random number, to spread what would happen at once; 0 when the platform gives no entropy.
    #[must_use]
    pub fn jitter(&self) -> u32 {
        random_number()
    }

    /// Links to orders.
    #[must_use]
    pub fn order_links(&self) -> OrderLinks {
        OrderLinks {
            base: self.config.shop_url.clone(),
            signer: self.config.signer.clone(),
            language: Language::default(),
        }
    }

    /// Whether each part of the shop answers, by name.
    pub async fn readiness(&self) -> Vec<(&'static str, Result<()>)> {
        let db = self
            .bindings
            .db
            .query::<Value>(Statement::new("SELECT 1 FROM current_publish"))
            .await;
        let catalog = self.bindings.catalog.get("catalog/current").text().await;
        vec![
            ("db", db.map(|_| ()).map_err(Error::from)),
            ("catalog", catalog.map(|_| ()).map_err(Error::internal)),
            ("stock", self.stock().view("readyz").await.map(|_| ())),
            ("cart", self.carts().view("readyz").await.map(|_| ())),
            ("secrets", self.config.check_secrets()),
        ]
    }
}

impl Clock for App {
    fn clock(&self) -> Timestamp {
        now()
    }

    async fn wait(&self, millis: u32) {
        wait(millis).await;
    }
}

impl Bindings {
    fn new(env: &Env) -> Result<Self> {
        Ok(Self {
            catalog: env.kv("CATALOG").map_err(Error::internal)?,
            db: Rc::new(D1::of(env.d1("DB").map_err(Error::internal)?, PAUSE)),
            stock: env.durable_object("STOCK").map_err(Error::internal)?,
            cart: env.durable_object("CART").map_err(Error::internal)?,
            promotion: env.durable_object("PROMOTION").map_err(Error::internal)?,
            queues: Queues {
                publishes: env.queue("CATALOG_PUBLISHES").map_err(Error::internal)?,
                events: env.queue("STRIPE_EVENTS").map_err(Error::internal)?,
                outgoing: env.queue("OUTGOING").map_err(Error::internal)?,
                link_requests: env.queue("LINK_REQUESTS").map_err(Error::internal)?,
                jobs: env.queue("JOBS").map_err(Error::internal)?,
            },
            payments_knowledge: HealthCache::default(),
            settings: SettingsCache::default(),
            listings: ListingCache::default(),
            blocked_sources: RefCell::default(),
            limits: RateLimits(Rc::new(Classes {
                personal: env
                    .rate_limiter("PERSONAL_READS")
                    .map_err(Error::internal)?,
                carts: env.rate_limiter("CART_CHANGES").map_err(Error::internal)?,
                new_carts: env.rate_limiter("NEW_CARTS").map_err(Error::internal)?,
                checkouts: env
                    .rate_limiter("CHECKOUT_STEPS")
                    .map_err(Error::internal)?,
                lookups: env.rate_limiter("ORDER_LOOKUPS").map_err(Error::internal)?,
                failed_codes: env.rate_limiter("FAILED_CODES").map_err(Error::internal)?,
                staff: env.rate_limiter("STAFF_CALLS").map_err(Error::internal)?,
            })),
            board: env.durable_object("BOARD").map_err(Error::internal)?,
            media: env.bucket("MEDIA").map_err(Error::internal)?,
            images: env.get_binding("IMAGES").map_err(Error::internal)?,
        })
    }
}

impl Config {
    /// The widget of the challenge of checkout; none: the shop asks for none.
    #[must_use]
    pub fn widget(&self) -> Option<Widget<'_>> {
        self.challenge.as_ref().map(Turnstile::widget)
    }

    fn new(env: &Env) -> Result<Self> {
        let var = |name: &str| {
            env.var(name)
                .map(|value| value.to_string())
                .unwrap_or_default()
        };
        let secret = |name: &str| {
            env.secret(name)
                .map(|value| value.to_string())
                .unwrap_or_default()
        };
        let environment = Environment::read(&var("ENVIRONMENT"));
        let production = environment == Environment::Production;
        let in_development = environment == Environment::Development;
        let stripe = StripeConfig {
            api_base: var("STRIPE_API_BASE"),
            secret_key: secret("STRIPE_SECRET_KEY"),
            webhook_secrets: words(&secret("STRIPE_WEBHOOK_SECRET")),
        };
        if production && stripe.api_base != STRIPE_API {
            return Err(Error::internal(
                "config: production takes payments at Stripe alone",
            ));
        }
        if production {
            check_secrets_are_set(&unset_secrets(env))?;
            check_opening(&Opening {
                shop_url: &var("SHOP_URL"),
                mail_provider: &var("MAIL_PROVIDER"),
                mail_from: &var("MAIL_FROM"),
                signing_keys: &secret("SIGNING_KEY"),
                admin_api_key: &secret("ADMIN_API_KEY"),
                staff_keys: &secret("STAFF_KEYS"),
                findings_webhook_secret: &secret("FINDINGS_WEBHOOK_SECRET"),
            })?;
            check_widget(&var("TURNSTILE_SITE_KEY"), &secret("TURNSTILE_SECRET"))?;
        }
        if !in_development && !var("TURNSTILE_API_BASE").is_empty() {
            return Err(Error::internal(
                "config: TURNSTILE_API_BASE is for development alone",
            ));
        }
        let cors_origins = words(&var("CORS_ORIGINS"));
        let config = Self {
            shop_url: var("SHOP_URL").trim_end_matches('/').to_owned(),
            is_public: environment != Environment::Staging,
            currencies: read_currencies(&var("CURRENCIES"))?,
            cart_kept_secs: read_secs("CART_KEPT_SECS", &var("CART_KEPT_SECS"))?,
            challenge: Turnstile::read(
                &var("TURNSTILE_SITE_KEY"),
                &secret("TURNSTILE_SECRET"),
                &var("TURNSTILE_API_BASE"),
                iter::once(&var("SHOP_URL")).chain(&cors_origins),
            )?,
            cors_origins,
            payment_origins: stripe.payment_origin().to_owned(),
            signer: Signer::new(&required(
                "SIGNING_KEY",
                words(&secret("SIGNING_KEY")).join(","),
            )?),
            isolate_cache_bytes: var("ISOLATE_CACHE_BYTES")
                .parse()
                .map_err(|_| Error::internal("config: ISOLATE_CACHE_BYTES is no number"))?,
            pending: PendingLimits {
                orders_per_address: read_count(
                    "PENDING_ORDERS_PER_ADDRESS",
                    &var("PENDING_ORDERS_PER_ADDRESS"),
                )?,
                orders_per_network: read_count(
                    "PENDING_ORDERS_PER_NETWORK",
                    &var("PENDING_ORDERS_PER_NETWORK"),
                )?,
                units_per_network: read_count(
                    "PENDING_UNITS_PER_NETWORK",
                    &var("PENDING_UNITS_PER_NETWORK"),
                )?,
            },
            in_development,
            staff: StaffKeys::read(&secret("ADMIN_API_KEY"), &secret("STAFF_KEYS"))?,
            mail: Carrier::new(
                &var("MAIL_PROVIDER"),
                Account {
                    api_base: var("MAIL_API_BASE"),
                    api_key: secret("MAIL_API_KEY"),
                    from: var("MAIL_FROM"),
                },
                in_development,
            )?,
            findings_mail: var("FINDINGS_MAIL"),
            findings_webhook_url: var("FINDINGS_WEBHOOK_URL"),
            findings_webhook_secret: secret("FINDINGS_WEBHOOK_SECRET"),
            takes_payments: stripe.is_usable(production),
            stripe,
        };
        if production {
            config.check_findings()?;
        }
        Ok(config)
    }

    /// The currency that prices are shown in unless asked otherwise.
    ///
    /// # Errors
    /// Never, once the configuration was read.
    pub fn default_currency(&self) -> Result<Currency> {
        self.currencies
            .first()
            .copied()
            .ok_or_else(|| Error::internal("config: CURRENCIES names none"))
    }

    /// Whether payments can be taken and deliveries verified; in production by live secrets alone.
    ///
    /// # Errors
    /// 503 `payments_not_configured`.
    pub fn check_payments(&self) -> Result<()> {
        if self.takes_payments {
            return Ok(());
        }
        Err(Error::Unavailable {
            code: "payments_not_configured",
            retry_after_secs: 300,
        })
    }

    fn check_secrets(&self) -> Result<()> {
        if self.staff.is_empty() {
            return Err(Error::internal("config: no key of staff is set"));
        }
        self.mail.check()?;
        self.check_findings()?;
        self.check_payments()
    }

    fn check_findings(&self) -> Result<()> {
        checked_address(&self.findings_mail)?;
        self.findings_webhook().map(drop)
    }

    /// Webhook that findings are posted to, and its signing key; none when no address is set. A secret alone is no fault: it is set first.
    fn findings_webhook(&self) -> Result<Option<(&str, WebhookSecret)>> {
        if self.findings_webhook_url.is_empty() {
            return Ok(None);
        }
        let url = checked_url(&self.findings_webhook_url, self.in_development)?;
        let secret = WebhookSecret::read(&self.findings_webhook_secret).ok_or_else(|| {
            Error::internal(
                "config: FINDINGS_WEBHOOK_SECRET is not `whsec_` and Base64 of 24 to 64 bytes",
            )
        })?;
        Ok(Some((url, secret)))
    }
}

/// The secrets that a shop can't sell without and that are not set. Keys of staff that have names make up for the one that has none.
#[must_use]
pub fn unset_secrets(env: &Env) -> Vec<&'static str> {
    let is_set = |name: &str| {
        env.secret(name)
            .is_ok_and(|value| !words(&value.to_string()).is_empty())
    };
    let has_staff = is_set("STAFF_KEYS");
    NEEDED_SECRETS
        .into_iter()
        .filter(|name| !(is_set(name) || (has_staff && *name == "ADMIN_API_KEY")))
        .collect()
}

const NEEDED_SECRETS: [&str; 5] = [
    "ADMIN_API_KEY",
    "MAIL_API_KEY",
    "SIGNING_KEY",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
];

fn required(name: &str, value: String) -> Result<String> {
    if value.is_empty() {
        return Err(Error::internal(format!("config: {name} is not set")));
    }
    Ok(value)
}

fn read_currencies(codes: &str) -> Result<Vec<Currency>> {
    let currencies = words(codes)
        .iter()
        .map(|code| {
            Currency::from_code(code).ok_or_else(|| {
                Error::internal(format!(
                    "config: CURRENCIES names `{code}`, which is no currency"
                ))
            })
        })
        .collect::<Result<Vec<_>>>()?;
    if currencies.is_empty() {
        return Err(Error::internal("config: CURRENCIES names none"));
    }
    Ok(currencies)
}

fn read_secs(name: &str, text: &str) -> Result<u32> {
    text.parse()
        .map_err(|_| Error::internal(format!("config: {name} is no number of seconds")))
}

/// At least one: a shop that lets none wait sells nothing.
fn read_count(name: &str, text: &str) -> Result<u32> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| Error::internal(format!("config: {name} is no number from 1 on")))
}

fn words(list: &str) -> Vec<String> {
    list.split(',')
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
#[expect(
    clippy::cast_possible_truncation,
    reason = "whole milliseconds since 1970 fit for 285,000 years"
)]
fn now() -> Timestamp {
    Timestamp::from_millis(Date::now() as i64)
}

/// What stores wait before they try again.
const PAUSE: Pause = Pause {
    entropy: random_number,
};

/// A random number; 0 when the platform gives no entropy.
fn random_number() -> u32 {
    let bytes = entropy().unwrap_or_default();
    bytes
        .iter()
        .take(4)
        .fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where entropy comes from"
)]
fn entropy() -> Result<Entropy> {
    let mut entropy = Entropy::default();
    getrandom::fill(&mut entropy).map_err(Error::internal)?;
    Ok(entropy)
}

impl OrderPorts for App {
    fn orders(&self) -> impl Orders {
        self.order_record()
    }

    fn findings(&self) -> impl FindingRecord {
        FindingsD1(Rc::clone(&self.bindings.db))
    }
}

impl StockPorts for App {
    fn stock(&self) -> impl StockObjects {
        Objects(self.bindings.stock.clone())
    }

    fn refusals(&self) -> impl RefusalMemory {
        RefusalsHere { clock: now }
    }

    fn promotions(&self) -> impl PromotionObjects {
        Objects(self.bindings.promotion.clone())
    }
}

impl CartPorts for App {
    fn carts(&self) -> impl CartObjects {
        Objects(self.bindings.cart.clone())
    }
}

impl SettlementPorts for App {
    fn stray_payments(&self) -> impl StrayPayments {
        StrayPaymentsD1(Rc::clone(&self.bindings.db))
    }

    fn payments(&self) -> impl Payments {
        GuardedPayments {
            provider: Stripe {
                config: self.config.stripe.clone(),
                pages_left: Rc::clone(&self.provider_pages_left),
                patience: Rc::clone(&self.provider_patience),
                clock: now,
                entropy: random_number,
            },
            db: Rc::clone(&self.bindings.db),
            knowledge: Rc::clone(&self.bindings.payments_knowledge),
            clock: now,
        }
    }

    fn inbox(&self) -> impl Inbox {
        InboxD1 {
            db: Rc::clone(&self.bindings.db),
            queues: self.bindings.queues.clone(),
        }
    }

    fn mail(&self) -> impl Mail {
        Outgoing(self.bindings.queues.clone())
    }
}

impl CheckoutPorts for App {
    fn prices(&self) -> impl Prices {
        PricesD1 {
            db: Rc::clone(&self.bindings.db),
            known: Rc::clone(&self.bindings.settings),
            listings: Rc::clone(&self.bindings.listings),
        }
    }

    fn challenge(&self) -> Option<impl Challenge> {
        self.config.challenge.as_ref()
    }

    fn checkouts(&self) -> impl Checkouts {
        self.order_record()
    }
}

impl App {
    fn order_record(&self) -> OrdersD1<Rc<D1>> {
        OrdersD1 {
            db: Rc::clone(&self.bindings.db),
            known: Rc::clone(&self.bindings.settings),
        }
    }
}
