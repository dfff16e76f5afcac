//! Configuration, read once per isolate from variables and secrets.

use crate::app::brand::BRAND;
use crate::store::customers::turnstile::{Turnstile, check_widget};
use crate::store::messages::mail_providers::{Account, Carrier};
use crate::store::operations::standard_webhooks::WebhookSecret;
use crate::store::payments::stripe::account::{STRIPE_API, StripeConfig};
use shop::checkout::pending::PendingLimits;
use shop::codes::Code;
use shop::customers::challenge::Widget;
use shop::customers::staff::StaffKeys;
use shop::error::{Error, Result};
use shop::messages::letterhead::named_sender;
use shop::operations::finding_deliveries::{checked_address, checked_url};
use shop::operations::production::{Environment, Opening, check_opening, check_secrets_are_set};
use shop::payments::provider::ProviderId;
use shop::values::channel::{Channel, ChannelId};
use shop::values::ids::Signer;
use shop::values::money::Currency;
use std::iter;
use std::rc::Rc;
use worker::Env;

/// Configuration of the shop.
pub struct Config {
    /// The shop's single storefront.
    pub channel: Rc<Channel>,
    /// True when search engines may index the shop; false while it is only being tried out.
    pub is_public: bool,
    /// Seconds that an unchanged cart is kept, by its object and by the browser.
    pub cart_kept_secs: u32,
    /// Origins that may call the API from a browser.
    pub cors_origins: Vec<String>,
    /// Origins that a shopper's browser is sent to for payment, for the CSP's `form-action`.
    pub payment_origins: String,
    /// Signs cart tokens and order links.
    pub signer: Signer,
    /// Maximum bytes of products that an isolate caches, and the same again for finished responses.
    pub isolate_cache_bytes: usize,
    /// Limits on the number of orders that wait for payment.
    pub pending: PendingLimits,
    /// True on a developer's own machine.
    pub in_development: bool,
    /// API keys of staff, until staff have accounts.
    pub staff: StaffKeys,
    /// Provider that sends emails.
    pub mail: Carrier,
    /// Email address of the staff who are notified of findings; empty means nobody is.
    pub findings_mail: String,
    pub(super) findings_webhook_url: String,
    pub(super) findings_webhook_secret: String,
    pub(super) challenge: Option<Turnstile>,
    /// The provider that takes the payments of new orders.
    pub new_payments: ProviderId,
    /// Providers that can be asked, and whose deliveries can be verified; in production by live
    /// secrets alone.
    pub providers: Vec<ProviderId>,
    pub(super) stripe: StripeConfig,
}

impl Config {
    /// Returns the challenge widget of checkout; `None` means that checkout has no challenge.
    #[must_use]
    pub fn widget(&self) -> Option<Widget<'_>> {
        self.challenge.as_ref().map(Turnstile::widget)
    }

    pub(super) fn new(env: &Env) -> Result<Self> {
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
                "config: in production, payments must go to Stripe",
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
                "config: TURNSTILE_API_BASE can only be set in development",
            ));
        }
        let cors_origins = words(&var("CORS_ORIGINS"));
        let config = Self {
            channel: Rc::new(read_channel(&var("SHOP_URL"), &var("CURRENCIES"))?),
            is_public: environment != Environment::Staging,
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
            isolate_cache_bytes: var("ISOLATE_CACHE_BYTES").parse().map_err(|_| {
                Error::internal("config: ISOLATE_CACHE_BYTES must be a whole number of bytes")
            })?,
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
                    from: named_sender(BRAND.sender, &var("MAIL_FROM")),
                },
                in_development,
            )?,
            findings_mail: var("FINDINGS_MAIL"),
            findings_webhook_url: var("FINDINGS_WEBHOOK_URL"),
            findings_webhook_secret: secret("FINDINGS_WEBHOOK_SECRET"),
            new_payments: ProviderId::Stripe,
            providers: stripe
                .is_usable(production)
                .then_some(ProviderId::Stripe)
                .into_iter()
                .collect(),
            stripe,
        };
        if production {
            config.check_findings()?;
        }
        Ok(config)
    }

    /// Checks that payments can be taken and their webhooks verified. In production, only live
    /// secrets count.
    ///
    /// # Errors
    /// 503 `payments_not_configured`.
    pub fn check_payments(&self) -> Result<()> {
        self.check_provider(self.new_payments)
    }

    /// Checks that a provider can be asked.
    ///
    /// # Errors
    /// 503 `payments_not_configured`.
    pub fn check_provider(&self, provider: ProviderId) -> Result<()> {
        if self.providers.contains(&provider) {
            return Ok(());
        }
        Err(Self::no_payments())
    }

    pub(super) const fn no_payments() -> Error {
        Error::Unavailable {
            code: Code::PaymentsNotConfigured,
            retry_after_secs: 300,
        }
    }

    pub(super) fn check_secrets(&self) -> Result<()> {
        if self.staff.is_empty() {
            return Err(Error::internal("config: no staff key is set"));
        }
        self.mail.check()?;
        self.check_findings()?;
        self.check_payments()
    }

    pub(super) fn check_findings(&self) -> Result<()> {
        checked_address(&self.findings_mail)?;
        self.findings_webhook().map(drop)
    }

    /// Returns the webhook that findings are posted to, with its signing key; `None` means no
    /// address is set. A secret without an address is accepted, because the secret is set first.
    pub(super) fn findings_webhook(&self) -> Result<Option<(&str, WebhookSecret)>> {
        if self.findings_webhook_url.is_empty() {
            return Ok(None);
        }
        let url = checked_url(&self.findings_webhook_url, self.in_development)?;
        let secret = WebhookSecret::read(&self.findings_webhook_secret).ok_or_else(|| {
            Error::internal(
                "config: FINDINGS_WEBHOOK_SECRET must be `whsec_` followed by 24 to 64 bytes in Base64",
            )
        })?;
        Ok(Some((url, secret)))
    }
}

/// Returns the names of required secrets that are not set. Named staff keys make up for the unnamed
/// one.
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

fn read_channel(shop_url: &str, codes: &str) -> Result<Channel> {
    let currencies = read_currencies(codes)?;
    let default_currency = *currencies
        .first()
        .ok_or_else(|| Error::internal("config: CURRENCIES is empty"))?;
    Ok(Channel {
        id: ChannelId::default(),
        languages: BRAND.languages,
        origin: shop_url.trim_end_matches('/').to_owned(),
        default_currency,
        currencies,
    })
}

fn read_currencies(codes: &str) -> Result<Vec<Currency>> {
    let currencies = words(codes)
        .iter()
        .map(|code| {
            Currency::from_code(code).ok_or_else(|| {
                Error::internal(format!(
                    "config: CURRENCIES contains `{code}`, which is not a currency"
                ))
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(currencies)
}

fn read_secs(name: &str, text: &str) -> Result<u32> {
    text.parse()
        .map_err(|_| Error::internal(format!("config: {name} must be a number of seconds")))
}

/// Reads a count of at least 1: a shop that allows no pending order sells nothing.
fn read_count(name: &str, text: &str) -> Result<u32> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| {
        Error::internal(format!(
            "config: {name} must be a whole number of at least 1"
        ))
    })
}

fn words(list: &str) -> Vec<String> {
    list.split(',')
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}
