//! The merchant's settings: everything that prices depend on besides the catalog. They are one
//! document in sections; each change creates a new version of the whole, and a quote names the
//! version it was made by.

use crate::codes::Code;
use crate::error::{Error, FieldError, Result};
use crate::pricing::prices::{Currencies, ScheduledPrice, problems_of_schedule};
use crate::pricing::promotions::Promotion;
use crate::pricing::promotions::problems::problems_of_promotions;
use crate::pricing::shipping::ShippingZone;
use crate::pricing::shipping::problems::problems_of_shipping_zones;
use crate::pricing::tax::{Market, TaxZone, problems_of_markets, problems_of_tax_zones};
use crate::values::ids::{Sku, customer_of};
use crate::values::mail_addresses::read_address;
use crate::values::money::Currency;
use crate::values::written::Written;
use durable::Timestamp;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// Settings that prices depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Settings {
    /// Conversion of prices; takes effect at the next publish.
    pub currencies: Currencies,
    /// Countries grouped by whether prices include tax.
    pub markets: Vec<Market>,
    /// Places and their tax rates.
    pub tax_zones: Vec<TaxZone>,
    /// Places and their shipping methods.
    pub shipping_zones: Vec<ShippingZone>,
    /// Promotions.
    pub promotions: Vec<Promotion>,
}

/// One version of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsVersion {
    /// Version number; increases by one with each change.
    pub version: u64,
    /// Settings of that version.
    pub settings: Settings,
}

/// Returns the current settings.
///
/// # Errors
/// Fails if the settings can't be read.
pub async fn get_settings(record: &impl SettingsRecord) -> Result<Rc<SettingsVersion>> {
    record.current_settings().await
}

/// Changes the settings, as a whole or one section.
///
/// # Errors
/// 422 with the path of every contradiction; 412 for a stale version; 503 `settings_busy` if they
/// were changed at the same time and no version was requested.
pub async fn change_settings(
    record: &impl SettingsRecord,
    sold_in: &[Currency],
    if_version: Option<u64>,
    now: Timestamp,
    change: impl FnOnce(&mut Settings),
) -> Result<SettingsVersion> {
    let current = record.current_settings().await?;
    if if_version.is_some_and(|version| version != current.version) {
        let version = current.version;
        return Err(Error::PreconditionFailed { version });
    }
    let mut settings = current.settings.clone();
    change(&mut settings);
    settings.forget_addresses();
    let problems = settings.problems(sold_in);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let next = SettingsVersion {
        version: current.version.saturating_add(1),
        settings,
    };
    match record.save_settings(&next, now).await? {
        Written::Landed(()) => Ok(next),
        Written::Lost if if_version.is_some() => Err(Error::PreconditionFailed {
            version: next.version,
        }),
        Written::Lost => Err(Error::Unavailable {
            code: Code::SettingsBusy,
            retry_after_secs: 1,
        }),
    }
}

/// Returns the scheduled prices of a SKU.
///
/// # Errors
/// Fails if the prices can't be read.
pub async fn get_scheduled_prices(
    record: &impl SettingsRecord,
    sku: &Sku,
) -> Result<Vec<ScheduledPrice>> {
    record.scheduled_prices(sku).await
}

/// Sets the scheduled prices of a SKU, which no product needs to have yet.
///
/// # Errors
/// 422 with the path of every contradiction.
pub async fn set_scheduled_prices(
    record: &impl SettingsRecord,
    sold_in: &[Currency],
    sku: &Sku,
    prices: Vec<ScheduledPrice>,
    now: Timestamp,
) -> Result<Vec<ScheduledPrice>> {
    let problems = problems_of_schedule(&prices, sold_in);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    record.save_scheduled_prices(sku, &prices, now).await?;
    Ok(prices)
}

impl Settings {
    /// Reports contradictions, each with its path; `sold_in` are the currencies that the shop sells
    /// in.
    #[must_use]
    pub fn problems(&self, sold_in: &[Currency]) -> Vec<FieldError> {
        let mut problems = self.currencies.problems(sold_in);
        problems.extend(problems_of_markets(&self.markets));
        problems.extend(problems_of_tax_zones(&self.tax_zones));
        problems.extend(problems_of_shipping_zones(&self.shipping_zones));
        problems.extend(problems_of_promotions(&self.promotions));
        problems
    }

    /// Replaces customers' email addresses by digests, which tell customers apart just as well.
    fn forget_addresses(&mut self) {
        for customer in self.promotions.iter_mut().flat_map(|it| &mut it.customers) {
            if let Some(address) = read_address(customer) {
                *customer = customer_of(&address);
            }
        }
    }
}

/// Store of the merchant's settings, which keeps each version unchanged.
pub trait SettingsRecord {
    /// Returns the current settings.
    async fn current_settings(&self) -> Result<Rc<SettingsVersion>>;
    /// Saves the next version. `Lost` means that a version with its number exists already.
    async fn save_settings(&self, next: &SettingsVersion, now: Timestamp) -> Result<Written>;
    /// Returns the scheduled prices of a SKU.
    async fn scheduled_prices(&self, sku: &Sku) -> Result<Vec<ScheduledPrice>>;
    /// Replaces the scheduled prices of a SKU. A price that should have begun by `now` begins now.
    async fn save_scheduled_prices(
        &self,
        sku: &Sku,
        prices: &[ScheduledPrice],
        now: Timestamp,
    ) -> Result<()>;
}
