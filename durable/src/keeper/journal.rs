//! Reading the journal: for staff, and to check the stored rows against it.

use super::schema::{POSITION, STEP};
use super::sql::{KeeperError, Parameter, Row, Sql, number, pairs};
use super::{Keeper, NewEntry};
use crate::Timestamp;
use crate::machine::{Checkup, Entry, Machine};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// Largest integer that JavaScript represents exactly.
const LAST_SEQ: i64 = 9_007_199_254_740_991;

/// Result of comparing the journal with the stored rows.
struct Compared<M: Machine> {
    checkup: Checkup<M::View>,
    folded: M,
    /// Keys of the rows that differ.
    wrong: Vec<String>,
}

impl<M: Machine> Keeper<M> {
    /// Returns journal entries before `before`, newest first, as far back as the journal reaches.
    ///
    /// # Errors
    /// Fails if the database or an entry can't be read.
    pub fn log(
        &self,
        sql: &impl Sql,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Entry<M::Event>>, KeeperError> {
        if !self.has_schema {
            return Ok(vec![]);
        }
        let before = before.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
        let parameters = [
            Parameter::Integer(before.min(LAST_SEQ)),
            Parameter::Integer(limit.into()),
        ];
        sql.exec(
            "SELECT seq, at, operation_id, events FROM journal WHERE seq < ? ORDER BY seq DESC LIMIT ?",
            &parameters,
        )?
        .into_iter()
        .map(entry)
        .collect()
    }

    /// Replays the journal from its snapshot and compares the result with the open rows, one by
    /// one. Past rows are not compared, because no unit is counted by them.
    ///
    /// # Errors
    /// Fails if the database or a row can't be read.
    pub fn check(&self, sql: &impl Sql) -> Result<Checkup<M::View>, KeeperError> {
        let Compared { checkup, .. } = self.compare(sql)?;
        Ok(checkup)
    }

    /// Stores the state that the journal yields. Each repair is written as an entry without events,
    /// even if nothing differed. Returns what was found.
    ///
    /// # Errors
    /// Fails if the database fails. The caller must then drop this keeper.
    pub fn repair(
        &mut self,
        sql: &impl Sql,
        now: Timestamp,
    ) -> Result<Checkup<M::View>, KeeperError> {
        let Compared {
            checkup,
            folded,
            wrong,
        } = self.compare(sql)?;
        let before = std::mem::replace(&mut self.machine, folded).view();
        let entry = NewEntry {
            operation: None,
            events: &[],
            answer: None,
            keys: wrong,
            news: self.machine.news(&self.name, &before, &[]),
        };
        self.write(sql, now, entry)?;
        Ok(checkup)
    }

    fn compare(&self, sql: &impl Sql) -> Result<Compared<M>, KeeperError> {
        let folded = self.fold(sql)?;
        let rows = if self.has_schema {
            self.open_rows(sql)?
        } else {
            vec![]
        };
        let mut stored = BTreeMap::new();
        for (key, value) in &rows {
            stored.insert(key.clone(), crate::json::read::<Value>(value)?);
        }
        let mut wrong = vec![];
        for key in folded.keys() {
            let told = folded
                .row(&key)?
                .map(|row| crate::json::read(&row))
                .transpose()?;
            if stored.remove(&key) != told {
                wrong.push(key);
            }
        }
        wrong.extend(stored.into_keys());
        let checkup = Checkup {
            consistent: wrong.is_empty() && folded == self.machine,
            wrong_rows: wrong.len(),
            stored: self.fresh.clone().restore(&rows)?.view(),
            folded: folded.view(),
        };
        Ok(Compared {
            checkup,
            folded,
            wrong,
        })
    }

    /// Returns the open state according to the journal alone.
    fn fold(&self, sql: &impl Sql) -> Result<M, KeeperError> {
        if !self.has_schema {
            return Ok(self.fresh.clone());
        }
        let snapshot = sql.exec(
            "SELECT key, value FROM snapshot WHERE key <> ? AND value IS NOT NULL",
            &[Parameter::Text(POSITION)],
        )?;
        let mut machine = self.fresh.clone().restore(&pairs(snapshot, "snapshot")?)?;
        let mut after = self.folded_to;
        loop {
            let entries = self.entries_after(sql, after)?;
            let Some(last) = entries.last() else {
                return Ok(machine);
            };
            after = last.seq;
            apply_all(&mut machine, &entries);
            machine.let_go();
        }
    }

    /// Returns the next entries after number `seq`, at most as many as one step handles.
    pub(super) fn entries_after(
        &self,
        sql: &impl Sql,
        seq: u64,
    ) -> Result<Vec<Entry<M::Event>>, KeeperError> {
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        sql.exec(
            "SELECT seq, at, operation_id, events FROM journal WHERE seq > ? ORDER BY seq LIMIT ?",
            &[Parameter::Integer(seq), Parameter::Integer(STEP.into())],
        )?
        .into_iter()
        .map(entry)
        .collect()
    }
}

pub(super) fn apply_all<M: Machine>(machine: &mut M, entries: &[Entry<M::Event>]) {
    for entry in entries {
        for event in &entry.events {
            machine.apply(event, entry.at);
        }
    }
}

fn entry<E: DeserializeOwned>(row: Row) -> Result<Entry<E>, KeeperError> {
    match <[Option<String>; 4]>::try_from(row) {
        Ok([Some(seq), Some(at), operation_id, Some(events)]) => Ok(Entry {
            seq: number(&seq)?,
            at: Timestamp::from_millis(number(&at)?),
            operation_id,
            events: crate::json::read(&events)?,
        }),
        _ => Err(KeeperError::Shape("journal")),
    }
}
