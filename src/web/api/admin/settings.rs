//! `/api/v1/admin/settings`, for staff: what prices are made of beside the catalog, whole or by
//! section. Every change makes a new version of the whole; `If-Match` keeps one from overwriting
//! another. `/api/v1/admin/scheduled-prices/{sku}`: prices for a while.

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

/// Largest document of settings, in bytes: some thousand promotions.
const MAX_SETTINGS_BYTES: usize = 512 * 1024;

/// Something, and the version of the settings it is of.
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
    /// How prices are converted.
    CurrenciesSection { currencies: Currencies }
    /// Where prices include tax.
    MarketsSection { markets: Vec<Market> }
    /// Where which tax is due.
    TaxZonesSection { tax_zones: Vec<TaxZone> }
    /// Where is shipped, and how.
    ShippingZonesSection { shipping_zones: Vec<ShippingZone> }
    /// Reasons to charge less.
    PromotionsSection { promotions: Vec<Promotion> }
}

/// Prices of one SKU for a while.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct Schedule {
    /// No two of one currency at the same time.
    prices: Vec<ScheduledPrice>,
}

/// `GET /api/v1/admin/settings`
///
/// # Errors
/// None of its own.
pub async fn get_settings(call: &mut Call<'_>) -> Result<Reply> {
    get::<Settings>(call).await
}

/// `PUT /api/v1/admin/settings`, with `If-Match` where a change in between must not be overwritten:
/// all of them anew.
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

/// `GET /api/v1/admin/settings/currencies`
///
/// # Errors
/// None of its own.
pub async fn get_currencies(call: &mut Call<'_>) -> Result<Reply> {
    get::<CurrenciesSection>(call).await
}

/// `PUT /api/v1/admin/settings/currencies`: the rates at which the next publish converts what the
/// price list leaves out.
///
/// # Errors
/// As [`set_settings`].
pub async fn set_currencies(call: &mut Call<'_>) -> Result<Reply> {
    set::<CurrenciesSection>(call).await
}

/// `GET /api/v1/admin/settings/markets`
///
/// # Errors
/// None of its own.
pub async fn get_markets(call: &mut Call<'_>) -> Result<Reply> {
    get::<MarketsSection>(call).await
}

/// `PUT /api/v1/admin/settings/markets`: in which countries prices include tax.
///
/// # Errors
/// As [`set_settings`].
pub async fn set_markets(call: &mut Call<'_>) -> Result<Reply> {
    set::<MarketsSection>(call).await
}

/// `GET /api/v1/admin/settings/tax-zones`
///
/// # Errors
/// None of its own.
pub async fn get_tax_zones(call: &mut Call<'_>) -> Result<Reply> {
    get::<TaxZonesSection>(call).await
}

/// `PUT /api/v1/admin/settings/tax-zones`: which tax is due where.
///
/// # Errors
/// As [`set_settings`].
pub async fn set_tax_zones(call: &mut Call<'_>) -> Result<Reply> {
    set::<TaxZonesSection>(call).await
}

/// `GET /api/v1/admin/settings/shipping-zones`
///
/// # Errors
/// None of its own.
pub async fn get_shipping_zones(call: &mut Call<'_>) -> Result<Reply> {
    get::<ShippingZonesSection>(call).await
}

/// `PUT /api/v1/admin/settings/shipping-zones`: where is shipped, how and at what price.
///
/// # Errors
/// As [`set_settings`].
pub async fn set_shipping_zones(call: &mut Call<'_>) -> Result<Reply> {
    set::<ShippingZonesSection>(call).await
}

/// `GET /api/v1/admin/settings/promotions`
///
/// # Errors
/// None of its own.
pub async fn get_promotions(call: &mut Call<'_>) -> Result<Reply> {
    get::<PromotionsSection>(call).await
}

/// `PUT /api/v1/admin/settings/promotions`: what takes something off, for whom and how often.
///
/// # Errors
/// As [`set_settings`].
pub async fn set_promotions(call: &mut Call<'_>) -> Result<Reply> {
    set::<PromotionsSection>(call).await
}

/// `GET /api/v1/admin/scheduled-prices/{sku}`
///
/// # Errors
/// None of its own.
pub async fn get_scheduled_prices(call: &mut Call<'_>) -> Result<Reply> {
    let prices = settings::get_scheduled_prices(&call.app.settings(), call.param(0)).await?;
    Reply::json(200, &Schedule { prices })
}

/// `PUT /api/v1/admin/scheduled-prices/{sku}`: prices for a while, in place of the list's. A
/// publish begins by itself when one begins or ends, and shows whatever else has been changed by
/// then.
///
/// # Errors
/// 422 naming the place of every contradiction: `unknown_currency`, `invalid_price`,
/// `invalid_range`, `overlapping_prices`.
pub async fn set_scheduled_prices(call: &mut Call<'_>) -> Result<Reply> {
    let (Schedule { prices }, _) = call.json().await?;
    let (app, sku) = (call.app, call.param(0));
    let prices = settings::set_scheduled_prices(
        &app.settings(),
        &app.config.channel.currencies,
        sku,
        prices,
        app.now,
    )
    .await?;
    Reply::json(200, &Schedule { prices })
}

/// A part of the settings.
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
