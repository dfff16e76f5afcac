//! A miniature Durable Object: a machine, its keeper and SQLite, which can lose its memory.

use durable::Timestamp;
use durable::keeper::Keeper;
use durable::machine::{Machine, Place, ReplyOf, Request};
use durable::news::ObjectEvent;
use durable::testing::Sqlite;
use proptest::prelude::ProptestConfig;
use std::env;
use std::fmt::Debug;

/// A machine, its storage, and a second copy of the machine that is fed by the journal alone.
pub struct Object<M> {
    sql: Sqlite,
    fresh: M,
    keeper: Keeper<M>,
    replayed: M,
    read_to: u64,
    latest: Timestamp,
}

/// Runs `usual` sequences, or as many as `PROPTEST_CASES` says.
pub fn sequences(usual: u32) -> ProptestConfig {
    ProptestConfig {
        cases: env::var("PROPTEST_CASES").map_or(usual, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Name of every object.
pub const NAME: &str = "one#0";

impl<M: Machine + Debug> Object<M> {
    pub fn new(fresh: M) -> Self {
        let sql = Sqlite::empty();
        Self {
            keeper: Keeper::open(&sql, NAME, fresh.clone()).unwrap(),
            replayed: fresh.clone(),
            read_to: 0,
            latest: Timestamp::default(),
            fresh,
            sql,
        }
    }

    pub fn machine(&self) -> &M {
        self.keeper.machine()
    }

    pub fn answer(&mut self, request: &Request<M::Command>, now: Timestamp) -> ReplyOf<M> {
        self.latest = self.latest.max(now);
        self.keeper.carry_out(&self.sql, request, now).unwrap()
    }

    /// Does the work of an alarm.
    pub fn ring(&mut self, now: Timestamp) {
        self.latest = self.latest.max(now);
        self.keeper.wake(&self.sql, now).unwrap();
        self.keeper.tidy(&self.sql, now).unwrap();
    }

    /// Returns the stored row under `key`.
    pub fn row(&self, key: &str) -> Option<String> {
        let rows = self.keeper.rows(&self.sql, &[key.to_owned()]).unwrap();
        rows.into_iter().next().unwrap()
    }

    /// Returns the messages sent since the last call.
    pub fn news(&mut self) -> Vec<ObjectEvent> {
        let news = self.keeper.news(&self.sql, 1000).unwrap();
        if let Some((last, _)) = news.last() {
            self.keeper.heard(&self.sql, *last).unwrap();
        }
        assert!(!self.keeper.has_news());
        let read = |(_, message): &(i64, String)| serde_json::from_str(message).unwrap();
        news.iter().map(read).collect()
    }

    /// Drops what is in memory, as the platform may at any time.
    pub fn evict(&mut self) {
        self.keeper = Keeper::open(&self.sql, NAME, self.fresh.clone()).unwrap();
    }

    /// Returns the events journaled since the last call, each with its instant. Asserts that what
    /// is stored yields the machine in memory in two ways: by its rows, and by replaying its
    /// journal from the empty machine, which forgets nothing.
    pub fn new_events(&mut self) -> Vec<(Timestamp, M::Event)> {
        let mut entries = self.keeper.log(&self.sql, None, 8).unwrap();
        entries.retain(|entry| entry.seq > self.read_to);
        let mut events = vec![];
        for entry in entries.into_iter().rev() {
            assert_eq!(entry.seq, self.read_to + 1, "an entry is missing");
            self.read_to = entry.seq;
            events.extend(entry.events.into_iter().map(|event| (entry.at, event)));
        }
        for (at, event) in &events {
            self.replayed.apply(event, *at);
        }
        let mut open = self.replayed.clone();
        open.let_go();
        assert_eq!(&open, self.machine(), "the journal tells another");
        self.past_is_kept();
        let restored = Keeper::open(&self.sql, NAME, self.fresh.clone()).unwrap();
        assert_eq!(restored.machine(), self.machine(), "the rows tell another");
        events
    }

    /// Asserts that each past row matches the journal until it may be forgotten.
    fn past_is_kept(&self) {
        for key in self.replayed.keys() {
            let Place::Past { forget_at } = self.replayed.place(&key) else {
                continue;
            };
            if forget_at.is_none_or(|at| self.latest < at) {
                let told = self.replayed.row(&key).unwrap();
                assert_eq!(self.row(&key), told, "{key}");
            }
        }
    }
}
