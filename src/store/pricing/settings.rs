//! The merchant's settings in D1, as immutable rows of which the last applies, and the schedule of
//! prices.
//!
//! An isolate caches the settings it read last, already parsed. A query that prices something also
//! reads the newest version number, and the document only if it differs from the cached one, so the
//! cache is never stale. Pages that only display settings are shown the cached ones for at most
//! [`SHOWN_SECS`]; well before that, the isolate refreshes them after it has sent a response.

use crate::store::sql::{Database, Statement, TextRow, from_json, to_json, written};
use durable::Timestamp;
use serde::Deserialize;
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::pricing::prices::ScheduledPrice;
use shop::pricing::settings::{SettingsRecord, SettingsVersion};
use shop::values::ids::Sku;
use shop::values::written::Written;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Cache of the settings that an isolate read last.
pub type SettingsCache = Rc<RefCell<Option<Rc<SettingsVersion>>>>;

/// Seconds that pages are shown the cached settings, and seconds after which the isolate refreshes
/// them once it has sent a response.
const SHOWN_SECS: u32 = 30;
const REFRESH_SECS: u32 = 10;

thread_local! {
    static LOOKED_AT: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

/// Returns true when the settings shown on pages are due to be read again; true for one caller at a
/// time.
#[must_use]
pub fn refresh_is_due(now: Timestamp) -> bool {
    let is_due = LOOKED_AT
        .get()
        .is_some_and(|looked_at| now >= looked_at.plus_secs(REFRESH_SECS));
    if is_due {
        LOOKED_AT.set(Some(now));
    }
    is_due
}

/// [`SettingsRecord`] on D1.
#[derive(Debug)]
pub struct SettingsD1<D> {
    /// The database.
    pub db: D,
    /// Settings that were read last.
    pub known: SettingsCache,
}

/// The newest version, and its document unless that is the cached one.
#[derive(Debug, Deserialize)]
pub struct SettingsRow {
    settings_version: u64,
    settings: Option<String>,
}

/// Selects the columns of a [`SettingsRow`]; `?1` is the cached version.
macro_rules! select_settings {
    () => {
        "(SELECT MAX(version) FROM settings) AS settings_version, \
         (SELECT document FROM settings WHERE version = (SELECT MAX(version) FROM settings) AND version <> ?1) AS settings"
    };
}
pub(crate) use select_settings;

impl<D: Database> SettingsRecord for SettingsD1<D> {
    async fn current_settings(&self) -> Result<Rc<SettingsVersion>> {
        let statement =
            Statement::new(concat!("SELECT ", select_settings!())).bind(known_version(&self.known));
        let rows: Vec<SettingsRow> = self.db.query(statement).await?;
        let row = rows.into_iter().next();
        let row = row.ok_or_else(|| Error::internal("no settings"))?;
        remember(&self.known, row)
    }

    async fn save_settings(&self, next: &SettingsVersion, now: Timestamp) -> Result<Written> {
        let version = i64::try_from(next.version).map_err(Error::internal)?;
        let statement = Statement::new(
            "INSERT INTO settings (version, document, created_at) VALUES (?1, ?2, ?3)",
        )
        .bind(version)
        .bind(to_json(&next.settings)?)
        .bind(now);
        written(self.db.batch(vec![statement]).await)
    }

    async fn scheduled_prices(&self, sku: &Sku) -> Result<Vec<ScheduledPrice>> {
        let statement = Statement::new(
            "SELECT price AS value FROM scheduled_prices WHERE sku = ?1 ORDER BY rowid",
        )
        .bind(sku.as_str());
        let rows: Vec<TextRow> = self.db.query(statement).await?;
        rows.iter().map(|row| from_json(&row.value)).collect()
    }

    async fn save_scheduled_prices(
        &self,
        sku: &Sku,
        prices: &[ScheduledPrice],
        now: Timestamp,
    ) -> Result<()> {
        let mut statements =
            vec![Statement::new("DELETE FROM scheduled_prices WHERE sku = ?1").bind(sku.as_str())];
        for price in prices {
            // A price that should have begun by now begins now. Otherwise, no publish would show
            // it: the last one may be later.
            let valid_from = price.valid_from.map_or(now, |from| from.max(now));
            statements.push(
                Statement::new(INSERT_SCHEDULED)
                    .bind(sku.as_str())
                    .bind(valid_from)
                    .bind(price.valid_until.map_or(END_OF_TIME, Timestamp::as_millis))
                    .bind(to_json(price)?),
            );
        }
        Ok(self.db.batch(statements).await?)
    }
}

impl<D: Database> SettingsD1<D> {
    /// Returns the settings for pages that display them: a few seconds old, or the last ones read
    /// while D1 doesn't answer.
    ///
    /// # Errors
    /// Fails if no settings were ever read.
    pub async fn shown_settings(&self, now: Timestamp) -> Result<Rc<SettingsVersion>> {
        let kept = self.known.borrow().clone();
        let is_fresh = |looked_at: Timestamp| now < looked_at.plus_secs(SHOWN_SECS);
        if let Some(kept) = &kept
            && LOOKED_AT.get().is_some_and(is_fresh)
        {
            return Ok(Rc::clone(kept));
        }
        LOOKED_AT.set(Some(now));
        match (self.current_settings().await, kept) {
            (Err(_), Some(kept)) => Ok(kept),
            (outcome, _) => outcome,
        }
    }
}

const INSERT_SCHEDULED: &str =
    "INSERT INTO scheduled_prices (sku, valid_from, valid_until, price) VALUES (?1, ?2, ?3, ?4)";

/// Largest instant that JavaScript represents exactly.
const END_OF_TIME: i64 = (1 << 53) - 1;

/// Returns the cached version, to be passed to the query.
#[must_use]
pub fn known_version(known: &SettingsCache) -> i64 {
    let version = known.borrow().as_ref().map(|known| known.version);
    version
        .and_then(|version| i64::try_from(version).ok())
        .unwrap_or(0)
}

/// Returns the settings of a row and caches them for the next reader.
///
/// # Errors
/// Fails if the document can't be parsed.
pub fn remember(known: &SettingsCache, row: SettingsRow) -> Result<Rc<SettingsVersion>> {
    let kept = known.borrow().clone();
    match (row.settings, kept) {
        (Some(document), _) => {
            let fresh = Rc::new(SettingsVersion {
                version: row.settings_version,
                settings: from_json(&document)?,
            });
            known.replace(Some(Rc::clone(&fresh)));
            Ok(fresh)
        }
        (None, Some(kept)) if kept.version == row.settings_version => Ok(kept),
        _ => Err(Error::Unavailable {
            code: Code::SettingsBusy,
            retry_after_secs: 1,
        }),
    }
}
