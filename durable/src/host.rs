//! The Durable Object classes: one [`Keeper`] per object, and the boards. The only file of this
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

use crate::Timestamp;
use crate::board::{Board, Frame, PUBLISH_EVERY_SECS, Posts, bucket_of, copy_key};
use crate::cart::{Cart, Periods};
use crate::keeper::{Keeper, KeeperError, Parameter, Row, Sql};
use crate::machine::{Inspection, Machine, digest_of};
use crate::promotion::Promotion;
use crate::stock::Stock;
use serde::Serialize;
use std::cell::{Cell, RefCell};
use worker::{
    BatchMessageBuilder, Date, DurableObject, Env, Error, Request, Response, Result, SqlStorage,
    SqlStorageValue, State, WebSocket, WebSocketIncomingMessage, WebSocketPair,
    WebSocketRequestResponsePair, console_error, durable_object, wasm_bindgen,
};

/// Seconds until a failed alarm is retried.
const ALARM_RETRY_SECS: u32 = 10;

/// Number of messages that one alarm sends; the queue accepts 100 at once.
const NEWS_AT_ONCE: u32 = 100;

/// Maximum number of watchers of one board; the platform accepts 32,768.
const MAX_WATCHERS: usize = 30_000;

/// Durable Object that decides over the units of one SKU.
#[durable_object]
pub struct StockObject {
    host: Host<Stock>,
}

impl DurableObject for StockObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            host: Host::new(state, env, Stock::default()),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        self.host.answer(request).await
    }

    async fn alarm(&self) -> Result<Response> {
        self.host.ring().await
    }
}

/// Durable Object that counts the uses of one promotion.
#[durable_object]
pub struct PromotionObject {
    host: Host<Promotion>,
}

impl DurableObject for PromotionObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            host: Host::new(state, env, Promotion::default()),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        self.host.answer(request).await
    }

    async fn alarm(&self) -> Result<Response> {
        self.host.ring().await
    }
}

/// Durable Object that keeps one cart.
#[durable_object]
pub struct CartObject {
    host: Host<Cart>,
}

impl DurableObject for CartObject {
    fn new(state: State, env: Env) -> Self {
        let cart = Cart::new(periods(&env));
        Self {
            host: Host::new(state, env, cart),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        self.host.answer(request).await
    }

    async fn alarm(&self) -> Result<Response> {
        self.host.ring().await
    }
}

fn periods(env: &Env) -> Periods {
    let var = |name: &str| env.var(name).ok()?.to_string().parse().ok();
    let defaults = Periods::default();
    Periods {
        abandoned_secs: var("CART_ABANDONED_SECS").unwrap_or(defaults.abandoned_secs),
        kept_secs: var("CART_KEPT_SECS").unwrap_or(defaults.kept_secs),
    }
}

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

/// Durable Object that shows the public stock of one bucket of SKUs.
#[durable_object]
pub struct BoardObject {
    state: State,
    env: Env,
    sql: ObjectSql,
    board: RefCell<Option<Board>>,
    watchers: Cell<Option<usize>>,
    is_armed: Cell<bool>,
    published_at: Cell<Timestamp>,
}

impl DurableObject for BoardObject {
    fn new(state: State, env: Env) -> Self {
        if let Ok(ping) = WebSocketRequestResponsePair::new("ping", "pong") {
            state.set_websocket_auto_response(&ping);
        }
        Self {
            sql: ObjectSql(state.storage().sql()),
            state,
            env,
            board: RefCell::default(),
            watchers: Cell::default(),
            is_armed: Cell::default(),
            published_at: Cell::default(),
        }
    }

    /// `POST /` accepts [`Posts`]. `GET /watch?sku=` opens a WebSocket that receives the SKU's
    /// availability at once and again whenever it changes.
    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let url = request.url()?;
        if url.path() == "/watch" {
            let sku = url.query_pairs().find(|(name, _)| name == "sku");
            return self.watch(&sku.unwrap_or_default().1);
        }
        let posts = crate::json::read(&request.bytes().await?)?;
        self.post(posts).map_err(worker_error)?;
        self.arm(now()).await?;
        Response::empty()
    }

    async fn alarm(&self) -> Result<Response> {
        self.is_armed.set(false);
        let now = now();
        self.published_at.set(now);
        if let Err(error) = self.publish().await {
            log_error("board_not_published", &error);
            self.arm(now).await?;
        }
        Response::empty()
    }

    async fn websocket_message(
        &self,
        socket: WebSocket,
        _message: WebSocketIncomingMessage,
    ) -> Result<()> {
        socket.close(Some(1008), Some("nothing is asked here"))
    }

    async fn websocket_close(
        &self,
        socket: WebSocket,
        code: usize,
        reason: String,
        _was_clean: bool,
    ) -> Result<()> {
        self.watchers.set(None);
        // Completes the closing handshake. Codes below 3000 can't be sent back: they belong to the
        // protocol or mean that there was no code.
        let code = u16::try_from(code).ok().filter(|code| *code >= 3000);
        // Fails if the client has already gone, which is fine.
        let _ = socket.close(Some(code.unwrap_or(1000)), Some(reason));
        Ok(())
    }

    async fn websocket_error(&self, _socket: WebSocket, _error: Error) -> Result<()> {
        self.watchers.set(None);
        Ok(())
    }
}

impl BoardObject {
    fn post(&self, posts: Posts) -> Kept<()> {
        let newer = self.on_board(|board| board.post(posts))?;
        if newer.is_empty() {
            return Ok(());
        }
        let rows = serde_json::to_string(&newer)?;
        let kept = self.sql.exec(
            "INSERT INTO words (sku, stock) SELECT key, value FROM json_each(?) WHERE true
             ON CONFLICT (sku) DO UPDATE SET stock = excluded.stock",
            &[Parameter::Text(&rows)],
        );
        if let Err(error) = kept {
            self.board.take();
            return Err(error);
        }
        for (sku, stock) in &newer {
            let stock = stock.stock;
            let frame = serde_json::to_string(&Frame { sku, stock })?;
            for watcher in self.state.get_websockets_with_tag(&tag(sku)) {
                // Fails if the client has gone; the close handler deals with that.
                let _ = watcher.send_with_str(&frame);
            }
        }
        Ok(())
    }

    fn watch(&self, sku: &str) -> Result<Response> {
        let watchers = self.watchers.get();
        let watchers = watchers.unwrap_or_else(|| self.state.get_websockets().len());
        if watchers >= MAX_WATCHERS {
            return Response::error("too many watchers", 503);
        }
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        self.state.accept_websocket_with_tags(&server, &[&tag(sku)]);
        self.watchers.set(Some(watchers.saturating_add(1)));
        let known = self.on_board(|board| board.of(sku)).map_err(worker_error)?;
        if let Some(stock) = known {
            let stock = stock.stock;
            server.send_with_str(serde_json::to_string(&Frame { sku, stock })?)?;
        }
        Response::from_websocket(client)
    }

    async fn publish(&self) -> Result<()> {
        let (key, copy) = self
            .on_board(|board| {
                let bucket = board.all().keys().next().map(|sku| bucket_of(sku));
                (bucket.map(copy_key), serde_json::to_string(board.all()))
            })
            .map_err(worker_error)?;
        let Some(key) = key else {
            return Ok(());
        };
        let copies = self.env.kv("CATALOG")?;
        copies.put(&key, copy?)?.execute().await?;
        Ok(())
    }

    /// Sets the alarm for the next copy. Posts without anything new set it too, because an earlier
    /// failure may have left it unset.
    async fn arm(&self, now: Timestamp) -> Result<()> {
        if self.is_armed.replace(true) {
            return Ok(());
        }
        let at = self.published_at.get().plus_secs(PUBLISH_EVERY_SECS);
        let set = set_alarm(&self.state, at.max(now), now).await;
        self.is_armed.set(set.is_ok());
        set
    }

    fn on_board<T>(&self, work: impl FnOnce(&mut Board) -> T) -> Kept<T> {
        let mut board = self.board.borrow_mut();
        let board = match &mut *board {
            Some(board) => board,
            absent => absent.insert(read_board(&self.sql)?),
        };
        Ok(work(board))
    }
}

fn read_board(sql: &ObjectSql) -> Kept<Board> {
    sql.exec(
        "CREATE TABLE IF NOT EXISTS words (sku TEXT PRIMARY KEY, stock TEXT NOT NULL) WITHOUT ROWID",
        &[],
    )?;
    let mut known = Posts::new();
    for row in sql.exec("SELECT sku, stock FROM words", &[])? {
        let Ok([Some(sku), Some(stock)]) = <[Option<String>; 2]>::try_from(row) else {
            return Err(KeeperError::Shape("words"));
        };
        known.insert(sku, crate::json::read(&stock)?);
    }
    Ok(Board::new(known))
}

/// Returns the tag of a SKU's watchers: a digest, because the platform limits the length of tags.
fn tag(sku: &str) -> String {
    digest_of(&sku).unwrap_or_default()
}

type Kept<T> = std::result::Result<T, KeeperError>;

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

/// SQLite database of the object.
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
