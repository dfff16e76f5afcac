//! A Durable Object in miniature: SQLite in memory, and a host that runs each request inside one transaction.

use durable::Timestamp;
use durable::keeper::{Keeper, KeeperError, Parameter, Row, Sql};
use durable::machine::{Machine, ReplyOf, Request};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, params_from_iter};
use std::fmt::Debug;

/// A database in memory.
pub struct Sqlite(pub Connection);

impl Sqlite {
    pub fn empty() -> Self {
        Self(Connection::open_in_memory().unwrap())
    }

    /// Runs `work` whole or not at all.
    pub fn transaction<T>(
        &self,
        work: impl FnOnce() -> Result<T, KeeperError>,
    ) -> Result<T, KeeperError> {
        let transaction = self.0.unchecked_transaction().map_err(refused)?;
        let outcome = work()?; // an early return drops the transaction, which rolls it back
        transaction.commit().map_err(refused)?;
        Ok(outcome)
    }
}

impl Sql for Sqlite {
    fn exec(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, KeeperError> {
        let mut statement = self.0.prepare_cached(sql).map_err(refused)?;
        let columns = statement.column_count();
        statement
            .query_map(params_from_iter(parameters.iter().map(to_sql)), |row| {
                (0..columns)
                    .map(|column| row.get_ref(column).map(to_text))
                    .collect()
            })
            .map_err(refused)?
            .collect::<Result<_, _>>()
            .map_err(refused)
    }
}

/// A machine, where it is stored, and a second copy of it that hears of the journal only.
pub struct Object<M> {
    pub sql: Sqlite,
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

fn to_sql<'a>(parameter: &'a Parameter<'a>) -> ToSqlOutput<'a> {
    match parameter {
        Parameter::Null => ToSqlOutput::Owned(Value::Null),
        Parameter::Integer(integer) => ToSqlOutput::Owned(Value::Integer(*integer)),
        Parameter::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
    }
}

fn to_text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Integer(integer) => Some(integer.to_string()),
        ValueRef::Real(real) => Some(real.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
    }
}

fn refused(error: rusqlite::Error) -> KeeperError {
    KeeperError::Sql(error.to_string())
}
