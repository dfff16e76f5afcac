//! Runs a [`Keeper`] inside a Durable Object; the only file of this crate that knows `worker`.
//!
//! The host does no thinking. A command runs whole inside `Storage::transaction`, without an await between reading and writing
//! the state, so no other event of the object sees it half done, and a statement that fails undoes those before it. After
//! an error the in-memory machine is dropped and read anew: memory is a cache, never the truth.
//!
//! The alarm is armed inside the same transaction, and only when the machine wants to wake earlier than already armed: an
//! alarm that rings too early finds nothing due and arms itself again. Its handler never fails, because the platform drops
//! an alarm for good after six failures.

use crate::Timestamp;
use crate::cart::Cart;
use crate::keeper::{Keeper, KeeperError, Parameter, Row, Sql};
use crate::machine::Machine;
use crate::stock::Stock;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use worker::{
    Date, DurableObject, Env, Request, Response, Result, SqlStorage, SqlStorageValue, State,
    Storage, console_error, durable_object, wasm_bindgen,
};

/// Seconds until an alarm that failed is tried again.
const ALARM_RETRY_SECS: u32 = 10;

/// The object that referees one SKU.
#[durable_object]
pub struct StockObject {
    host: Host<Stock>,
}

impl DurableObject for StockObject {
    fn new(state: State, _env: Env) -> Self {
        Self {
            host: Host::new(state),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        self.host.answer(request).await
    }

    async fn alarm(&self) -> Result<Response> {
        self.host.ring().await
    }
}

/// The object that keeps one cart.
#[durable_object]
pub struct CartObject {
    host: Host<Cart>,
}

impl DurableObject for CartObject {
    fn new(state: State, _env: Env) -> Self {
        Self {
            host: Host::new(state),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        self.host.answer(request).await
    }

    async fn alarm(&self) -> Result<Response> {
        self.host.ring().await
    }
}

struct Host<M> {
    state: State,
    keeper: Rc<RefCell<Option<Keeper<M>>>>,
    armed_at: Cell<Option<Timestamp>>,
}

impl<M: Machine + 'static> Host<M> {
    fn new(state: State) -> Self {
        Self {
            state,
            keeper: Rc::default(),
            armed_at: Cell::default(),
        }
    }

    async fn answer(&self, mut request: Request) -> Result<Response> {
        let body = request.bytes().await?;
        let Ok(request) = serde_json::from_slice(&body) else {
            return Response::error("not a request of this object", 400);
        };
        let reply = self
            .transact(move |keeper, sql, now| keeper.carry_out(sql, &request, now))
            .await;
        match reply {
            Ok(reply) => json(&reply),
            Err(error) => {
                console_error!(r#"{{"level":"error","event":"object_failed","error":"{error}"}}"#);
                Response::error("the object could not be read or written", 500)
            }
        }
    }

    async fn ring(&self) -> Result<Response> {
        self.armed_at.set(None);
        let woken = self
            .transact(|keeper, sql, now| keeper.wake(sql, now))
            .await;
        if let Err(error) = woken {
            console_error!(r#"{{"level":"error","event":"alarm_failed","error":"{error}"}}"#);
            let now = now();
            set_alarm(&self.state.storage(), now.plus_secs(ALARM_RETRY_SECS), now).await?;
        }
        Response::empty()
    }

    /// Runs `work` on the machine, and the alarm it asks for, as one transaction.
    async fn transact<T: 'static>(
        &self,
        work: impl FnOnce(&mut Keeper<M>, &ObjectSql, Timestamp) -> Kept<T> + 'static,
    ) -> Result<T> {
        let keeper = Rc::clone(&self.keeper);
        let sql = ObjectSql(self.state.storage().sql());
        let alarms = self.state.storage();
        let armed_at = self.armed_at.get();
        let landed = Rc::new(RefCell::new(None));
        let landing = Rc::clone(&landed);

        let committed = self
            .state
            .storage()
            .transaction(move |_| async move {
                let now = now();
                let (outcome, wake_at) = on_machine(&keeper, &sql, now, work)
                    .map_err(|error| worker::Error::RustError(error.to_string()))?;
                let wake_at = wake_at.filter(|at| armed_at.is_none_or(|armed| *at < armed));
                if let Some(at) = wake_at {
                    set_alarm(&alarms, at, now).await?;
                }
                landing.replace(Some((outcome, wake_at)));
                Ok(())
            })
            .await;

        let landed = landed.take();
        match (committed, landed) {
            (Ok(()), Some((outcome, wake_at))) => {
                self.armed_at.set(wake_at.or(armed_at));
                Ok(outcome)
            }
            (outcome, _) => {
                self.keeper.take();
                self.armed_at.set(None);
                Err(outcome.err().unwrap_or(worker::Error::Infallible))
            }
        }
    }
}

type Kept<T> = std::result::Result<T, KeeperError>;

/// Reads the machine if it is not in memory, and works on it; without an await, so nothing comes between.
fn on_machine<M: Machine, T>(
    keeper: &RefCell<Option<Keeper<M>>>,
    sql: &ObjectSql,
    now: Timestamp,
    work: impl FnOnce(&mut Keeper<M>, &ObjectSql, Timestamp) -> Kept<T>,
) -> Kept<(T, Option<Timestamp>)> {
    let mut keeper = keeper.borrow_mut();
    let keeper = match &mut *keeper {
        Some(keeper) => keeper,
        absent => absent.insert(Keeper::open(sql)?),
    };
    let outcome = work(keeper, sql, now)?;
    Ok((outcome, keeper.machine().wake_at()))
}

async fn set_alarm(storage: &Storage, at: Timestamp, now: Timestamp) -> Result<()> {
    let millis_from_now = at.as_millis().saturating_sub(now.as_millis());
    storage.set_alarm(millis_from_now).await
}

#[expect(
    clippy::disallowed_methods,
    reason = "the host is where the machines' time comes from"
)]
fn now() -> Timestamp {
    let millis = Date::now().as_millis();
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

fn json(value: &impl Serialize) -> Result<Response> {
    let body = serde_json::to_vec(value)?;
    Response::from_bytes(body)
}

/// The object's own SQLite.
struct ObjectSql(SqlStorage);

impl Sql for ObjectSql {
    fn exec(&self, sql: &str, parameters: &[Parameter<'_>]) -> Kept<Vec<Row>> {
        let bindings: Vec<SqlStorageValue> = parameters.iter().map(to_value).collect();
        self.0
            .exec(sql, bindings)
            .map_err(|error| KeeperError::Sql(error.to_string()))?
            .raw()
            .map(|row| match row {
                Ok(columns) => Ok(columns.into_iter().map(to_text).collect()),
                Err(error) => Err(KeeperError::Sql(error.to_string())),
            })
            .collect()
    }
}

fn to_value(parameter: &Parameter<'_>) -> SqlStorageValue {
    match parameter {
        Parameter::Null => SqlStorageValue::Null,
        Parameter::Integer(integer) => SqlStorageValue::Integer(*integer),
        Parameter::Text(text) => SqlStorageValue::String((*text).to_owned()),
    }
}

fn to_text(value: SqlStorageValue) -> Option<String> {
    match value {
        SqlStorageValue::Null | SqlStorageValue::Blob(_) => None,
        SqlStorageValue::Boolean(boolean) => Some(i64::from(boolean).to_string()),
        SqlStorageValue::Integer(integer) => Some(integer.to_string()),
        SqlStorageValue::Float(float) => Some(float.to_string()),
        SqlStorageValue::String(text) => Some(text),
    }
}
