//! `/api/v1/admin/settings`, for staff: everything that determines prices apart from the catalog,
//! as a whole or by section. Every change creates a new version of all settings; `If-Match`
//! prevents one change from overwriting another. `/api/v1/admin/scheduled-prices/{sku}`: prices for
//! a limited time.

use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shop::error::Result;
use shop::pricing::prices::{Currencies, ScheduledPrice};
use shop::pricing::promotions::Promotion;
use shop::pricing::settings;
use shop::pricing::settings::{Settings, SettingsVersion, change_settings};
use shop::pricing::shipping::ShippingZone;
use shop::pricing::tax::{Market, TaxZone};
use shop::values::ids::Sku;

/// Maximum size in bytes of the settings document; room for some thousand promotions.
const MAX_SETTINGS_BYTES: usize = 512 * 1024;

/// A value, and the version of the settings that it belongs to.
#[derive(Serialize)]
struct Versioned<T> {
    version: u64,
    #[serde(flatten)]
    section: T,
}

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident { $field:ident: $type:ty })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[cfg_attr(test, derive(utoipa::ToSchema))]
        pub(in crate::web::api) struct $name {
            $field: $type,
        }

        impl Section for $name {
            fn of(settings: &Settings) -> Self {
                Self { $field: settings.$field.clone() }
            }

            fn put(self, settings: &mut Settings) {
                settings.$field = self.$field;
            }
        }
    )*};
}

sections! {
    /// Conversion of prices between currencies.
    CurrenciesSection { currencies: Currencies }
    /// Countries in which prices include tax.
    MarketsSection { markets: Vec<Market> }
    /// Taxes by place.
    TaxZonesSection { tax_zones: Vec<TaxZone> }
    /// Shipping methods and prices by place.
    ShippingZonesSection { shipping_zones: Vec<ShippingZone> }
    /// Discounts.
    PromotionsSection { promotions: Vec<Promotion> }
}

/// Scheduled prices of one SKU.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct Schedule {
    /// No two prices in the same currency may overlap in time.
    prices: Vec<ScheduledPrice>,
}

/// `GET /api/v1/admin/settings`: Returns all settings.
///
/// # Errors
/// Only those that every operation may return.
pub async fn get_settings(call: &mut Call<'_>) -> Result<Reply> {
    get::<Settings>(call).await
}

/// `PUT /api/v1/admin/settings`: Replaces all settings. With `If-Match`, a change made in the
/// meantime is not overwritten.
///
/// # Errors
/// 422 naming the place of every contradiction: `required`, `invalid_id`, `duplicate_id`,
/// `invalid_country`, `overlapping_zones`, `overlapping_markets`, `overlapping_rates`,
/// `invalid_place`, `overlapping_tiers`, `unknown_currency`, `duplicate_currency`, `invalid_rate`,
/// `invalid_rounding`, `invalid_class`, `invalid_compound`, `invalid_price`, `invalid_threshold`,
/// `invalid_range`, `invalid_code`, `duplicate_code`, `invalid_email`; 412 `stale_version`; 503
/// `settings_busy`.
pub async fn set_settings(call: &mut Call<'_>) -> Result<Reply> {
    set::<Settings>(call).await
}

/// `GET /api/v1/admin/settings/currencies`: Returns the exchange rates and rounding of prices.
///
/// # Errors
/// Only those that every operation may return.
pub async fn get_currencies(call: &mut Call<'_>) -> Result<Reply> {
    get::<CurrenciesSection>(call).await
}

/// `PUT /api/v1/admin/settings/currencies`: Replaces the rates at which the next publish converts
/// prices missing from the price list.
///
/// # Errors
/// Those of [`set_settings`].
pub async fn set_currencies(call: &mut Call<'_>) -> Result<Reply> {
    set::<CurrenciesSection>(call).await
}

/// `GET /api/v1/admin/settings/markets`: Returns the markets.
///
/// # Errors
/// Only those that every operation may return.
pub async fn get_markets(call: &mut Call<'_>) -> Result<Reply> {
    get::<MarketsSection>(call).await
}

/// `PUT /api/v1/admin/settings/markets`: Replaces the markets: the countries whose prices include
/// tax, or not.
///
/// # Errors
/// Those of [`set_settings`].
pub async fn set_markets(call: &mut Call<'_>) -> Result<Reply> {
    set::<MarketsSection>(call).await
}

/// `GET /api/v1/admin/settings/tax-zones`: Returns the tax zones.
///
/// # Errors
/// Only those that every operation may return.
pub async fn get_tax_zones(call: &mut Call<'_>) -> Result<Reply> {
    get::<TaxZonesSection>(call).await
}

/// `PUT /api/v1/admin/settings/tax-zones`: Replaces the tax zones: the taxes due in each place.
///
/// # Errors
/// Those of [`set_settings`].
pub async fn set_tax_zones(call: &mut Call<'_>) -> Result<Reply> {
    set::<TaxZonesSection>(call).await
}

/// `GET /api/v1/admin/settings/shipping-zones`: Returns the shipping zones.
///
/// # Errors
/// Only those that every operation may return.
pub async fn get_shipping_zones(call: &mut Call<'_>) -> Result<Reply> {
    get::<ShippingZonesSection>(call).await
}

/// `PUT /api/v1/admin/settings/shipping-zones`: Replaces the shipping zones: the destinations,
/// shipping methods and rates.
///
/// # Errors
/// Those of [`set_settings`].
pub async fn set_shipping_zones(call: &mut Call<'_>) -> Result<Reply> {
    set::<ShippingZonesSection>(call).await
}

/// `GET /api/v1/admin/settings/promotions`: Returns the promotions.
///
/// # Errors
/// Only those that every operation may return.
pub async fn get_promotions(call: &mut Call<'_>) -> Result<Reply> {
    get::<PromotionsSection>(call).await
}

/// `PUT /api/v1/admin/settings/promotions`: Replaces the promotions, with their conditions and
/// limits.
///
/// # Errors
/// Those of [`set_settings`].
pub async fn set_promotions(call: &mut Call<'_>) -> Result<Reply> {
    set::<PromotionsSection>(call).await
}

/// `GET /api/v1/admin/scheduled-prices/{sku}`: Returns the scheduled prices of a SKU.
///
/// # Errors
/// Only those that every operation may return.
pub async fn get_scheduled_prices(call: &mut Call<'_>) -> Result<Reply> {
    let sku = Sku::new(call.param(0).to_owned());
    let prices = settings::get_scheduled_prices(&call.app.settings(), &sku).await?;
    Reply::json(200, &Schedule { prices })
}

/// `PUT /api/v1/admin/scheduled-prices/{sku}`: Replaces the scheduled prices of a SKU, which apply
/// for a period in place of its list prices. A publish starts by itself when one begins or ends; it
/// also shows any other change made by then.
///
/// # Errors
/// 422 naming the place of every contradiction: `unknown_currency`, `invalid_price`,
/// `invalid_range`, `overlapping_prices`.
pub async fn set_scheduled_prices(call: &mut Call<'_>) -> Result<Reply> {
    let (Schedule { prices }, _) = call.json().await?;
    let (app, sku) = (call.app, Sku::new(call.param(0).to_owned()));
    let prices = settings::set_scheduled_prices(
        &app.settings(),
        &app.config.channel.currencies,
        &sku,
        prices,
        app.now,
    )
    .await?;
    Reply::json(200, &Schedule { prices })
}

/// A section of the settings.
trait Section: Serialize + DeserializeOwned {
    fn of(settings: &Settings) -> Self;
    fn put(self, settings: &mut Settings);
}

impl Section for Settings {
    fn of(settings: &Settings) -> Self {
        settings.clone()
    }

    fn put(self, settings: &mut Settings) {
        *settings = self;
    }
}

async fn get<S: Section>(call: &Call<'_>) -> Result<Reply> {
    reply::<S>(&*settings::get_settings(&call.app.settings()).await?)
}

async fn set<S: Section>(call: &mut Call<'_>) -> Result<Reply> {
    let (section, _) = call.json_up_to::<S>(MAX_SETTINGS_BYTES).await?;
    let app = call.app;
    let changed = change_settings(
        &app.settings(),
        &app.config.channel.currencies,
        call.if_match()?,
        app.now,
        |settings| section.put(settings),
    )
    .await?;
    reply::<S>(&changed)
}

fn reply<S: Section>(current: &SettingsVersion) -> Result<Reply> {
    let answer = Versioned {
        version: current.version,
        section: S::of(&current.settings),
    };
    Ok(Reply::json(200, &answer)?.with("ETag", format!("\"{}\"", current.version)))
}
