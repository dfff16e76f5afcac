//! The Durable Object classes: one [`Keeper`] per object, and the boards. The only folder of this
//! crate that knows `worker`.
//!
//! The host makes no decisions. Everything a command writes is one statement, and the alarm is set
//! before anything is awaited, so that the platform commits both together or neither, and no other
//! event of the object sees them half done. After an error, the in-memory machine is dropped and
//! read again: memory is a cache, never the source of truth.
//!
//! The alarm is set only when something is due before the time it is already set to. An alarm that
//! fires too early finds nothing due and is set again. Its handler ends what has expired, tidies,
//! sends the outbox, and deletes an object that is over. It never fails, because the platform gives
//! up on an alarm for good after six failures.

mod board;
mod classes;
mod sql;

use crate::Timestamp;
use crate::host::sql::{Kept, ObjectSql};
use crate::keeper::{Keeper, KeeperError};
use crate::machine::{Inspection, Machine};
use serde::Serialize;
use std::cell::{Cell, RefCell};
use worker::{
    BatchMessageBuilder, Date, Env, Error, Request, Response, Result, State, console_error,
};

/// Seconds until a failed alarm is retried.
const ALARM_RETRY_SECS: u32 = 10;

/// Number of messages that one alarm sends; the queue accepts 100 at once.
const NEWS_AT_ONCE: u32 = 100;

struct Host<M> {
    state: State,
    env: Env,
    sql: ObjectSql,
    fresh: M,
    keeper: RefCell<Option<Keeper<M>>>,
    armed_at: Cell<Option<Timestamp>>,
    send_after: Cell<Timestamp>,
}

impl<M: Machine> Host<M> {
    fn new(state: State, env: Env, fresh: M) -> Self {
        Self {
            sql: ObjectSql(state.storage().sql()),
            state,
            env,
            fresh,
            keeper: RefCell::default(),
            armed_at: Cell::default(),
            send_after: Cell::default(),
        }
    }

    async fn answer(&self, mut request: Request) -> Result<Response> {
        let inspects = request.path() == "/inspect";
        let body = request.bytes().await?;
        let now = now();
        let answered = if inspects {
            self.inspect(&body, now)
        } else {
            self.carry_out(&body, now)
        };
        match answered {
            Ok(Some(answer)) => {
                self.arm(now).await?;
                Response::from_bytes(answer)
            }
            Ok(None) => Response::error("not a request of this object", 400),
            Err(KeeperError::OperationReused) => {
                Response::error("the operation id belongs to another command", 409)
            }
            Err(error) => {
                self.keeper.take();
                log_error("object_failed", &error);
                Response::error("the object could not be read or written", 500)
            }
        }
    }

    /// Answers a command or a view request; `None` means that `body` is neither.
    fn carry_out(&self, body: &[u8], now: Timestamp) -> Kept<Option<Vec<u8>>> {
        let Ok(request) = crate::json::read(body) else {
            return Ok(None);
        };
        let reply = self.on_machine(|keeper, sql| keeper.carry_out(sql, &request, now))?;
        json(&reply)
    }

    /// Answers an inspection; `None` means that `body` is not one.
    fn inspect(&self, body: &[u8], now: Timestamp) -> Kept<Option<Vec<u8>>> {
        let Ok(asked) = crate::json::read(body) else {
            return Ok(None);
        };
        self.on_machine(|keeper, sql| match asked {
            Inspection::Log { before, limit } => json(&keeper.log(sql, before, limit)?),
            Inspection::Check => json(&keeper.check(sql)?),
            Inspection::Repair => json(&keeper.repair(sql, now)?),
            Inspection::Rows { keys } => {
                keeper.wake(sql, now)?;
                json(&keeper.rows(sql, &keys)?)
            }
        })
    }

    async fn ring(&self) -> Result<Response> {
        self.armed_at.set(None);
        let now = now();
        if let Err(error) = self.follow_up(now).await {
            self.keeper.take();
            log_error("alarm_failed", &error);
            self.send_after.set(now.plus_secs(ALARM_RETRY_SECS));
            self.set_alarm(now.plus_secs(ALARM_RETRY_SECS), now).await?;
        }
        Response::empty()
    }

    /// Does the work of an alarm. Each step is safe to repeat.
    async fn follow_up(&self, now: Timestamp) -> Result<()> {
        self.on_machine(|keeper, sql| {
            keeper.wake(sql, now)?;
            keeper.tell_again(sql, now)?;
            keeper.tidy(sql, now)
        })
        .map_err(worker_error)?;
        self.send_news().await?;
        let is_over = self
            .on_machine(|keeper, _| Ok(!keeper.has_news() && keeper.machine().is_over()))
            .map_err(worker_error)?;
        if is_over {
            self.keeper.take();
            return self.state.storage().delete_all().await;
        }
        self.arm(now).await
    }

    async fn send_news(&self) -> Result<()> {
        let news = self
            .on_machine(|keeper, sql| keeper.news(sql, NEWS_AT_ONCE))
            .map_err(worker_error)?;
        let Some((last, _)) = news.last() else {
            return Ok(());
        };
        let last = *last;
        let messages = news.into_iter().map(|(_, message)| message);
        let batch = BatchMessageBuilder::new().messages(messages).build();
        self.env.queue("OBJECT_NEWS")?.send_batch(batch).await?;
        self.on_machine(|keeper, sql| keeper.heard(sql, last))
            .map_err(worker_error)
    }

    /// Sets the alarm for whatever is due next, unless it is already set to fire before then.
    async fn arm(&self, now: Timestamp) -> Result<()> {
        let due_at = self.keeper.borrow().as_ref().and_then(|keeper| {
            let news_at = keeper.has_news().then(|| self.send_after.get().max(now));
            news_at.into_iter().chain(keeper.wake_at()).min()
        });
        match due_at {
            Some(at) if self.armed_at.get().is_none_or(|armed| at < armed) => {
                self.set_alarm(at, now).await
            }
            _ => Ok(()),
        }
    }

    async fn set_alarm(&self, at: Timestamp, now: Timestamp) -> Result<()> {
        self.armed_at.set(Some(at));
        let set = set_alarm(&self.state, at, now).await;
        if set.is_err() {
            self.armed_at.set(None);
        }
        set
    }

    /// Runs `work` on the machine, which is first read if it isn't in memory. Synchronous, so that
    /// no other event can interleave.
    fn on_machine<T>(&self, work: impl FnOnce(&mut Keeper<M>, &ObjectSql) -> Kept<T>) -> Kept<T> {
        let mut keeper = self.keeper.borrow_mut();
        let keeper = match &mut *keeper {
            Some(keeper) => keeper,
            absent => {
                let name = self.state.id().name().unwrap_or_default();
                absent.insert(Keeper::open(&self.sql, &name, self.fresh.clone())?)
            }
        };
        work(keeper, &self.sql)
    }
}

async fn set_alarm(state: &State, at: Timestamp, now: Timestamp) -> Result<()> {
    let millis_from_now = at.as_millis().saturating_sub(now.as_millis());
    state.storage().set_alarm(millis_from_now.max(0)).await
}

#[expect(
    clippy::disallowed_methods,
    reason = "the host is where the machines' time comes from"
)]
fn now() -> Timestamp {
    let millis = Date::now().as_millis();
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

fn json(value: &impl Serialize) -> Kept<Option<Vec<u8>>> {
    Ok(Some(serde_json::to_vec(value)?))
}

fn worker_error(error: impl ToString) -> Error {
    Error::RustError(error.to_string())
}

fn log_error(event: &str, error: &impl ToString) {
    let error = error.to_string();
    let entry = serde_json::json!({"level": "error", "event": event, "error": error});
    console_error!("{entry}");
}
