//! Deletion of everything that is stored: each alarm takes one bounded step, and fires again at
//! once while there is more.
//!
//! 1. Past rows that an earlier version stored among the open ones are moved.
//! 2. Past rows that may be forgotten are deleted. They are ignored from that instant on, so
//!    nothing depends on when this happens.
//! 3. The oldest journal entries are folded into the snapshot, so that a check reads at most
//!    [`FOLDED_BEHIND`] of them.
//! 4. Entries older than [`JOURNAL_SECS`] are deleted.
//!
//! A step that is interrupted between its statements is simply repeated.

use super::journal::apply_all;
use super::schema::{POSITION, STEP};
use super::sql::{KeeperError, Parameter, Sql, number, pairs};
use super::{Keeper, past_among_open};
use crate::Timestamp;
use crate::machine::{Machine, Place};
use std::collections::BTreeSet;

/// Maximum number of entries that a check may have to replay.
pub const FOLDED_BEHIND: u64 = 50_000;

/// Seconds that an entry, and with it its operation ID, is kept. The shop retries its messages for
/// less than two days, and staff resend dead letters within weeks. Whatever arrives even later is
/// still decided by the machine: a hold, whether it is known or forgotten, is never committed,
/// shipped or returned twice.
pub const JOURNAL_SECS: u32 = 90 * 24 * 60 * 60;

/// Maximum number of entries kept, whatever their age: some 2 GB of the 10 GB that an object may
/// use.
pub const MOST_ENTRIES: u64 = 4_000_000;

/// Seconds over which rows to be forgotten are collected, so that each does not need its own alarm.
const FORGET_EVERY_SECS: u32 = 5 * 60;

/// Seconds over which expired entries are collected.
const PRUNE_EVERY_SECS: u32 = 24 * 60 * 60;

impl<M: Machine> Keeper<M> {
    /// Deletes what may be deleted, in one bounded step, if any is due.
    ///
    /// # Errors
    /// Fails if the database fails. The caller must then drop this keeper.
    pub fn tidy(&mut self, sql: &impl Sql, now: Timestamp) -> Result<(), KeeperError> {
        if self.tidy_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        if self.is_moving {
            self.move_past(sql)?;
        }
        forget(sql, now)?;
        if self.unfolded() > FOLDED_BEHIND {
            self.fold_step(sql)?;
        }
        self.prune(sql, now)?;
        self.plan(sql)
    }

    /// Determines when there is next something to tidy.
    pub(super) fn plan(&mut self, sql: &impl Sql) -> Result<(), KeeperError> {
        let rows = sql.exec(
            "SELECT (SELECT min(forget_at) FROM past WHERE forget_at IS NOT NULL),
                    (SELECT at FROM journal ORDER BY seq LIMIT 1),
                    (SELECT min(seq) FROM journal),
                    (SELECT max(seq) FROM journal),
                    (SELECT value FROM snapshot WHERE key = ?)",
            &[Parameter::Text(POSITION)],
        )?;
        let row = rows.into_iter().next().unwrap_or_default();
        let Ok([forget_at, oldest_at, oldest, newest, folded_to]) =
            <[Option<String>; 5]>::try_from(row)
        else {
            return Err(KeeperError::Shape("plan"));
        };
        let counted = |text: Option<String>| text.as_deref().map_or(Ok(0), number::<u64>);
        let oldest = counted(oldest)?;
        self.newest = counted(newest)?;
        self.folded_to = counted(folded_to)?;
        self.tidy_at = self.is_overdue(oldest).then(Timestamp::default);
        if let Some(forget_at) = forget_at {
            self.will_be_forgotten(Some(Timestamp::from_millis(number(&forget_at)?)));
        }
        if let Some(oldest_at) = oldest_at.filter(|_| oldest < self.newest) {
            self.will_be_pruned(Timestamp::from_millis(number(&oldest_at)?));
        }
        Ok(())
    }

    pub(super) fn entry_was_written(&mut self, now: Timestamp) {
        self.newest = self.newest.saturating_add(1);
        if self.unfolded() > FOLDED_BEHIND {
            self.tidy_at = Some(Timestamp::default());
        }
        self.will_be_pruned(now);
    }

    pub(super) fn will_be_forgotten(&mut self, forget_at: Option<Timestamp>) {
        if let Some(forget_at) = forget_at {
            self.tidy_by(forget_at.plus_secs(FORGET_EVERY_SECS));
        }
    }

    fn will_be_pruned(&mut self, written_at: Timestamp) {
        self.tidy_by(written_at.plus_secs(JOURNAL_SECS.saturating_add(PRUNE_EVERY_SECS)));
    }

    fn tidy_by(&mut self, at: Timestamp) {
        self.tidy_at = self.tidy_at.into_iter().chain([at]).min();
    }

    const fn is_overdue(&self, oldest: u64) -> bool {
        let entries = self.newest.saturating_sub(oldest);
        self.is_moving || self.unfolded() > FOLDED_BEHIND || entries > MOST_ENTRIES
    }

    /// Returns the number of entries that the snapshot does not cover.
    const fn unfolded(&self) -> u64 {
        self.newest.saturating_sub(self.folded_to)
    }

    fn move_past(&mut self, sql: &impl Sql) -> Result<(), KeeperError> {
        let past = past_among_open::<M>();
        let rows = sql.exec(
            &format!("SELECT key, value FROM state WHERE {past} LIMIT ?"),
            &[Parameter::Integer(STEP.into())],
        )?;
        let rows = pairs(rows, "state")?;
        if rows.is_empty() {
            sql.exec("DROP VIEW IF EXISTS entry", &[])?;
            self.is_moving = false;
            return Ok(());
        }
        let machine = self.fresh.clone().restore(&rows)?;
        let mut moved = vec![];
        for (key, value) in &rows {
            if let Place::Past { forget_at } = machine.place(key) {
                moved.push((key, forget_at, value));
            }
        }
        let moved = serde_json::to_string(&moved)?;
        sql.exec(
            "INSERT OR IGNORE INTO past (key, value, forget_at)
             SELECT value ->> 0, value ->> 2, value ->> 1 FROM json_each(?)",
            &[Parameter::Text(&moved)],
        )?;
        sql.exec(
            "DELETE FROM state WHERE key IN (SELECT value ->> 0 FROM json_each(?))",
            &[Parameter::Text(&moved)],
        )?;
        Ok(())
    }

    /// Folds the next entries into the snapshot: the rows under the keys that they touch, and the
    /// snapshot's position, in one statement.
    fn fold_step(&mut self, sql: &impl Sql) -> Result<(), KeeperError> {
        let entries = self.entries_after(sql, self.folded_to)?;
        let Some(last) = entries.last().map(|entry| entry.seq) else {
            return Ok(());
        };
        let events = entries.iter().flat_map(|entry| &entry.events);
        let mut keys: Vec<String> = events.flat_map(M::touched).collect();
        keys.sort_unstable();
        keys.dedup();
        let known = sql.exec(
            "SELECT key, value FROM snapshot
             WHERE key IN (SELECT value FROM json_each(?)) AND value IS NOT NULL",
            &[Parameter::Text(&serde_json::to_string(&keys)?)],
        )?;
        let known = pairs(known, "snapshot")?;
        let stored: BTreeSet<&str> = known.iter().map(|(key, _)| key.as_str()).collect();
        let mut machine = self.fresh.clone().restore(&known)?;
        apply_all(&mut machine, &entries);
        machine.let_go();
        let mut rows = vec![(POSITION.to_owned(), Some(last.to_string()))];
        for key in keys {
            let row = machine.row(&key)?;
            if row.is_some() || stored.contains(key.as_str()) {
                rows.push((key, row));
            }
        }
        let rows = serde_json::to_string(&rows)?;
        sql.exec(
            "INSERT INTO snapshot (key, value) SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            &[Parameter::Text(&rows)],
        )?;
        sql.exec(
            "DELETE FROM snapshot WHERE value IS NULL AND key IN (SELECT value ->> 0 FROM json_each(?))",
            &[Parameter::Text(&rows)],
        )?;
        self.folded_to = last;
        Ok(())
    }

    /// Deletes entries that are folded and expired, but never the newest, from which numbering
    /// continues.
    fn prune(&mut self, sql: &impl Sql, now: Timestamp) -> Result<(), KeeperError> {
        // Nearly always the oldest entry is kept, and then no other is read.
        if self.last_to_go(sql, 1, now)? == 0 {
            return Ok(());
        }
        let last = self.last_to_go(sql, STEP, now)?;
        if self.folded_to < last {
            self.fold_step(sql)?;
        }
        let last = i64::try_from(last.min(self.folded_to)).unwrap_or(i64::MAX);
        sql.exec(
            "DELETE FROM journal WHERE seq <= ?",
            &[Parameter::Integer(last)],
        )?;
        Ok(())
    }

    /// Returns the number of the last entry in the unbroken run of expired ones among the `limit`
    /// oldest; 0 means that the oldest is kept.
    fn last_to_go(&self, sql: &impl Sql, limit: u32, now: Timestamp) -> Result<u64, KeeperError> {
        let oldest = sql.exec(
            "SELECT seq, at FROM journal ORDER BY seq LIMIT ?",
            &[Parameter::Integer(limit.into())],
        )?;
        let mut last = 0;
        for (seq, at) in pairs(oldest, "journal")? {
            let (seq, at): (u64, i64) = (number(&seq)?, number(&at)?);
            let is_old = Timestamp::from_millis(at).plus_secs(JOURNAL_SECS) <= now;
            let is_too_many = self.newest.saturating_sub(seq) > MOST_ENTRIES;
            if seq == self.newest || !(is_old || is_too_many) {
                break;
            }
            last = seq;
        }
        Ok(last)
    }
}

fn forget(sql: &impl Sql, now: Timestamp) -> Result<(), KeeperError> {
    sql.exec(
        "DELETE FROM past WHERE key IN (SELECT key FROM past WHERE forget_at <= ? ORDER BY forget_at LIMIT ?)",
        &[
            Parameter::Integer(now.as_millis()),
            Parameter::Integer(STEP.into()),
        ],
    )?;
    Ok(())
}
