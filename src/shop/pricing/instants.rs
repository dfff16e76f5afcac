//! Instants in settings, as people and the API write them (RFC 3339), and as they are stored.

use chrono::{DateTime, SecondsFormat};
use durable::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Parses an RFC 3339 instant. `None` means the text is not one.
#[must_use]
pub fn read_instant(text: &str) -> Option<Timestamp> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp::from_millis(at.timestamp_millis()))
}

/// Formats an instant as RFC 3339, in UTC.
#[must_use]
pub fn write_instant(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.as_millis())
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Serializer for `#[serde(with)]`.
///
/// # Errors
/// Those of the underlying serializer.
pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(write_instant).serialize(serializer)
}

/// Deserializer for `#[serde(with)]`.
///
/// # Errors
/// Fails if the text is not an RFC 3339 instant.
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    read_instant(&text)
        .map(Some)
        .ok_or_else(|| de::Error::custom("must be an instant such as 2026-11-20T07:15:00Z"))
}
