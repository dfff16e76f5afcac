//! Class that shows the availability of a bucket of SKUs to whoever watches.

use crate::Timestamp;
use crate::board::{Board, Frame, PUBLISH_EVERY_SECS, Posts, bucket_of, copy_key};
use crate::host::sql::{Kept, ObjectSql};
use crate::host::{log_error, now, set_alarm, worker_error};
use crate::keeper::{KeeperError, Parameter, Sql};
use crate::machine::digest_of;
use std::cell::{Cell, RefCell};
use worker::{
    DurableObject, Env, Error, Request, Response, Result, State, WebSocket,
    WebSocketIncomingMessage, WebSocketPair, WebSocketRequestResponsePair, durable_object,
    wasm_bindgen,
};

/// Maximum number of watchers of one board; the platform accepts 32,768.
const MAX_WATCHERS: usize = 30_000;

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
        let posts = crate::json::read(&request.bytes().await?).map_err(serde_json::Error::from)?;
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
