//! A shop's catalog in memory: the real use cases and SQL, with a copy, a queue and stock objects
//! that only count.

use crate::database::SqliteDb;
use durable::machine::Reply;
use durable::stock::Command;
use durable::{Timestamp, stock};
use futures_util::FutureExt;
use serde::de::DeserializeOwned;
use shop::error::{Error, Result};
use shop::inventory::objects::StockObjects;
use shop::publishing::export::{ExportCursor, ExportPage, export_products};
use shop::publishing::import::options::ImportOptions;
use shop::publishing::import::{ImportSummary, import_products};
use shop::publishing::publish::record::{
    CatalogCopy, Pointer, Publish, PublishQueue, PublishState,
};
use shop::publishing::publish::{
    continue_publish, publish_catalog, rollback_catalog, sweep_catalog,
};
use shop::values::ids::{ProductId, Sku};
use shop::values::money::Currency;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use storefront::store::catalog::record::CatalogD1;
use storefront::store::publishing::publish::PublishD1;
use storefront::store::sql::{Database, SqlError, Statement};

pub const HOUR_SECS: u32 = 60 * 60;

type Event = Box<dyn FnOnce(&World)>;

/// One shop. `happens` inserts a concurrent event between two statements.
#[derive(Clone, Default)]
pub struct World(Rc<Parts>);

pub struct Parts {
    pub db: SqliteDb,
    /// Documents of the published copy.
    pub documents: RefCell<BTreeMap<String, String>>,
    pub pointer: Cell<Option<Pointer>>,
    /// Number of documents that the copy accepts before it fails.
    pub takes: Cell<usize>,
    pub on_hand: RefCell<BTreeMap<String, i64>>,
    operations: RefCell<Vec<String>>,
    /// Number of calls to stock objects.
    pub calls: Cell<usize>,
    pub now: Cell<Timestamp>,
    ids: Cell<u32>,
    event: RefCell<Option<(&'static str, Event)>>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            db: SqliteDb::migrated(),
            documents: RefCell::default(),
            pointer: Cell::default(),
            takes: Cell::new(usize::MAX),
            on_hand: RefCell::default(),
            operations: RefCell::default(),
            calls: Cell::default(),
            now: Cell::new(Timestamp::from_millis(1_800_000_000_000)),
            ids: Cell::default(),
            event: RefCell::default(),
        }
    }
}

impl std::ops::Deref for World {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl World {
    /// Makes `event` happen right before the next statement that contains `words`.
    pub fn happens(&self, words: &'static str, event: impl FnOnce(&World) + 'static) {
        *self.event.borrow_mut() = Some((words, Box::new(event)));
    }

    pub fn pass(&self, secs: u32) {
        self.now.set(self.now.get().plus_secs(secs));
    }

    /// Exports everything. Importing the export again changes nothing, and an empty shop that
    /// imports it has the same export.
    pub fn export_round_trips(&self) -> String {
        let exported = self.export(300);
        let again = self.import(&exported);
        assert_eq!(
            (again.created, again.updated),
            (0, 0),
            "{:?}",
            again.changes
        );
        assert_eq!(again.errors, []);
        assert_eq!(self.export(300), exported);
        let elsewhere = Self::default();
        assert_eq!(elsewhere.import(&exported).errors, []);
        assert_eq!(elsewhere.export(300), exported);
        exported
    }

    /// Imports a whole file, as the command line tool does.
    pub fn import(&self, csv: &str) -> ImportSummary {
        let mut from_unit = 0;
        loop {
            let done = self.import_once(csv, from_unit).unwrap();
            match done.next_unit {
                Some(next) => from_unit = next,
                None => return done,
            }
        }
    }

    pub fn import_bytes(&self, csv: &[u8]) -> Result<ImportSummary> {
        self.request(csv, 0, None)
    }

    /// Sends one request of an import.
    pub fn import_once(&self, csv: &str, from_unit: usize) -> Result<ImportSummary> {
        self.request(csv.as_bytes(), from_unit, None)
    }

    /// Imports a later window, whose rows begin on `first_line`.
    pub fn import_rest(&self, csv: &str, first_line: u64) -> Result<ImportSummary> {
        self.request(csv.as_bytes(), 0, Some(first_line))
    }

    fn request(
        &self,
        csv: &[u8],
        from_unit: usize,
        first_line: Option<u64>,
    ) -> Result<ImportSummary> {
        self.calls.set(0);
        let options = ImportOptions {
            import_id: "imp".to_owned(),
            first_line,
            last: true,
            dry_run: false,
            set_stock: false,
            from_unit,
        };
        now(import_products(
            &CatalogD1(self.clone()),
            self,
            csv,
            &options,
            &usd(),
            || Ok(ProductId::new(self.new_id())),
            self.now.get(),
        ))
    }

    /// Returns one page of an export.
    pub fn export_page(&self, cursor: Option<&str>) -> Result<ExportPage> {
        self.calls.set(0);
        let cursor = cursor.map(|text| text.parse::<ExportCursor>().unwrap());
        now(export_products(
            &CatalogD1(self.clone()),
            self,
            &usd(),
            cursor,
        ))
    }

    /// Returns a whole export whose pages make at most `calls` calls to objects each.
    pub fn export(&self, calls: usize) -> String {
        let (mut csv, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.export_page(cursor.as_deref()).unwrap();
            assert!(self.calls.get() <= calls, "{} calls", self.calls.get());
            csv.extend(page.csv);
            match page.next {
                Some(next) => cursor = Some(next.to_string()),
                None => return String::from_utf8(csv).unwrap(),
            }
        }
    }

    /// Starts a publish and drives it to its end, as the queue does.
    pub fn publish(&self) -> Publish {
        self.pass(2);
        let mut publish = self.ask_for_publish().unwrap();
        while publish.state == PublishState::Running {
            self.pass(2);
            publish = self.drive(publish.seq).unwrap();
        }
        publish
    }

    pub fn ask_for_publish(&self) -> Result<Publish> {
        let record = PublishD1(self.clone());
        now(publish_catalog(&record, self, self, self.now.get()))
    }

    pub fn drive(&self, seq: i64) -> Result<Publish> {
        let record = PublishD1(self.clone());
        now(continue_publish(&record, self, self, seq, self.now.get()))
    }

    pub fn roll_back(&self, seq: Option<i64>) -> Result<Publish> {
        self.pass(2);
        let record = PublishD1(self.clone());
        now(rollback_catalog(&record, self, seq, self.now.get()))
    }

    pub fn sweep(&self) {
        let record = PublishD1(self.clone());
        now(sweep_catalog(&record, self, self, self.now.get())).unwrap();
    }

    fn new_id(&self) -> String {
        self.ids.set(self.ids.get() + 1);
        format!("prod_{}", self.ids.get())
    }

    fn look(&self, statement: &Statement) {
        let mut event = self.event.borrow_mut();
        if event
            .as_ref()
            .is_none_or(|(words, _)| !statement.sql.contains(words))
        {
            return;
        }
        let due = event.take();
        drop(event);
        if let Some((_, event)) = due {
            event(self);
        }
    }
}

pub fn usd() -> Vec<Currency> {
    vec![Currency::from_code("USD").unwrap()]
}

/// Runs a future to its end: nothing here waits.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

impl Database for World {
    async fn query<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>, SqlError> {
        self.look(&statement);
        self.db.query(&statement)
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
        for statement in &statements {
            self.look(statement);
        }
        self.db.batch(&statements, None).map(|_| ())
    }

    async fn batch_then_query<T: DeserializeOwned>(
        &self,
        _: Vec<Statement>,
        _: Statement,
    ) -> Result<Vec<T>, SqlError> {
        panic!("not asked here")
    }
}

impl CatalogCopy for World {
    async fn put_document(&self, key: &str, json: &str) -> Result<()> {
        let Some(takes) = self.takes.get().checked_sub(1) else {
            return Err(Error::internal("the copy fails"));
        };
        self.takes.set(takes);
        self.documents
            .borrow_mut()
            .insert(key.to_owned(), json.to_owned());
        Ok(())
    }

    async fn pointer(&self) -> Result<Option<Pointer>> {
        Ok(self.pointer.get())
    }

    async fn point_to(&self, pointer: Pointer) -> Result<()> {
        self.pointer.set(Some(pointer));
        Ok(())
    }

    async fn delete_documents(&self, keys: &[String]) -> Result<()> {
        self.documents
            .borrow_mut()
            .retain(|key, _| !keys.contains(key));
        Ok(())
    }
}

impl PublishQueue for World {
    async fn enqueue_publish(&self, _: i64, _: u32) -> Result<()> {
        Ok(())
    }
}

impl StockObjects for World {
    async fn ask(&self, sku: &Sku, operation_id: String, command: Command) -> Result<stock::Reply> {
        self.calls.set(self.calls.get() + 1);
        let by = match command {
            Command::Receive { quantity } => i64::from(quantity),
            Command::Count { quantity, .. } => i64::from(quantity) - self.seen(sku).on_hand,
            other => panic!("not asked here: {other:?}"),
        };
        let replayed = self.operations.borrow().contains(&operation_id);
        if !replayed {
            self.operations.borrow_mut().push(operation_id);
            *self
                .on_hand
                .borrow_mut()
                .entry(sku.as_str().to_owned())
                .or_default() += by;
        }
        let view = self.seen(sku);
        Ok(Reply::Done { view, replayed })
    }

    async fn view(&self, sku: &Sku) -> Result<stock::View> {
        self.calls.set(self.calls.get() + 1);
        Ok(self.seen(sku))
    }
}

impl World {
    fn seen(&self, sku: &str) -> stock::View {
        stock::View {
            on_hand: self.on_hand.borrow().get(sku).copied().unwrap_or(0),
            ..stock::View::default()
        }
    }
}
