//! The Durable Objects: the product's keeper and machines over SQLite, one database each. An object
//! can lose its memory at any time.

use durable::Timestamp;
use durable::keeper::Keeper;
use durable::machine::{Machine, Reply, ReplyOf, Request};
use durable::news::ObjectEvent;
use durable::testing::Sqlite;
use std::cell::RefCell;
use std::collections::BTreeMap;

pub struct ObjectsOf<M: Machine>(RefCell<BTreeMap<String, Object<M>>>);

struct Object<M: Machine> {
    sql: Sqlite,
    keeper: Keeper<M>,
}

impl<M: Machine> Default for ObjectsOf<M> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<M: Machine + Default> ObjectsOf<M> {
    pub fn ask(&self, name: &str, request: &Request<M::Command>, now: Timestamp) -> ReplyOf<M> {
        let mut objects = self.0.borrow_mut();
        let object = objects
            .entry(name.to_owned())
            .or_insert_with(|| Object::new(name));
        object
            .sql
            .transaction(|| object.keeper.carry_out(&object.sql, request, now))
            .unwrap()
    }

    pub fn view(&self, name: &str, now: Timestamp) -> M::View {
        match self.ask(name, &Request::View, now) {
            Reply::Done { view, .. } => view,
            Reply::Refused { .. } => unreachable!("a look is not refused"),
        }
    }

    /// Fires the object's alarm: ends what has expired and returns its events.
    pub fn ring(&self, now: Timestamp) -> Vec<ObjectEvent> {
        let mut news = vec![];
        for object in self.0.borrow_mut().values_mut() {
            object.keeper.wake(&object.sql, now).unwrap();
            object.keeper.tidy(&object.sql, now).unwrap();
            for (seq, message) in object.keeper.news(&object.sql, 100).unwrap() {
                news.push(serde_json::from_str(&message).unwrap());
                object.keeper.heard(&object.sql, seq).unwrap();
            }
        }
        news
    }

    /// Returns a row as stored by the object.
    pub fn row(&self, name: &str, key: &str) -> Option<String> {
        let objects = self.0.borrow();
        let object = objects.get(name)?;
        let rows = object.keeper.rows(&object.sql, &[key.to_owned()]).unwrap();
        rows.into_iter().next().flatten()
    }

    pub fn names(&self) -> Vec<String> {
        self.0.borrow().keys().cloned().collect()
    }

    /// Drops the object's memory.
    pub fn evict(&self, name: &str) {
        if let Some(object) = self.0.borrow_mut().get_mut(name) {
            object.keeper = open(&object.sql, name);
        }
    }
}

impl<M: Machine + Default> Object<M> {
    fn new(name: &str) -> Self {
        let sql = Sqlite::empty();
        Self {
            keeper: open(&sql, name),
            sql,
        }
    }
}

fn open<M: Machine + Default>(sql: &Sqlite, name: &str) -> Keeper<M> {
    Keeper::open(sql, name, M::default()).unwrap()
}
