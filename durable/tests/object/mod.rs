//! A Durable Object in miniature: a host that runs each request inside one transaction, and can lose its memory.

use crate::sqlite::Sqlite;
use durable::Timestamp;
use durable::keeper::{Keeper, Parameter, Sql};
use durable::machine::{Machine, ReplyOf, Request};
use std::fmt::Debug;

/// A machine, where it is stored, and a second copy of it that hears of the journal only.
pub struct Object<M> {
    sql: Sqlite,
    keeper: Keeper<M>,
    replayed: M,
    read_to: i64,
}

impl<M: Machine + Debug + PartialEq> Object<M> {
    pub fn new() -> Self {
        let sql = Sqlite::empty();
        Self {
            keeper: Keeper::open(&sql).unwrap(),
            replayed: M::default(),
            read_to: 0,
            sql,
        }
    }

    pub fn machine(&self) -> &M {
        self.keeper.machine()
    }

    pub fn answer(&mut self, request: &Request<M::Command>, now: Timestamp) -> ReplyOf<M> {
        self.sql
            .transaction(|| self.keeper.carry_out(&self.sql, request, now))
            .unwrap()
    }

    /// Forgets what is in memory, as the platform may at any time.
    pub fn evict(&mut self) {
        self.keeper = Keeper::open(&self.sql).unwrap();
    }

    /// What was written to the journal since the last call, each event with its instant. What is stored must tell the machine
    /// in memory, twice: by its rows, and by its journal replayed from the empty machine.
    pub fn new_events(&mut self) -> Vec<(Timestamp, M::Event)> {
        let rows = self
            .sql
            .exec(
                "SELECT seq, at, events FROM journal WHERE seq > ? ORDER BY seq",
                &[Parameter::Integer(self.read_to)],
            )
            .unwrap();
        let mut events = vec![];
        for row in rows {
            let columns = <[Option<String>; 3]>::try_from(row).unwrap();
            let [seq, at, stored] = columns.map(Option::unwrap);
            self.read_to = seq.parse().unwrap();
            let at = Timestamp::from_millis(at.parse().unwrap());
            let stored: Vec<M::Event> = serde_json::from_str(&stored).unwrap();
            events.extend(stored.into_iter().map(|event| (at, event)));
        }
        for (_, event) in &events {
            self.replayed.apply(event);
        }
        assert_eq!(&self.replayed, self.machine(), "the journal tells another");
        let restored = Keeper::<M>::open(&self.sql).unwrap();
        assert_eq!(restored.machine(), self.machine(), "the rows tell another");
        events
    }
}
