//! The Durable Objects as ports: one caller for all machines, with the naming function and the
//! command type of the object's own crate. It uses the platform's own types, because those of
//! `worker` read a response through a stream, chunk by chunk.

use durable::board::{Posts, bucket_of};
use durable::machine::{Checkup, Inspection, Reply, Request};
use durable::{board, cart, promotion, stock};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shop::cart::CartObjects;
use shop::codes::Code;
use shop::error::{Error, Result, key_reused};
use shop::inventory::objects::{
    Boards, PromotionObjects, StockLedgers, StockMovement, StockObjects, Uses,
};
use shop::values::ids::{CartId, Sku};
use worker::js_sys::futures::JsFuture;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::RequestInit;
use worker::worker_sys::types::DurableObject;
use worker::{Headers, ObjectNamespace, WebSocket, console_warn, web_sys};

/// Maximum number of attempts at a call whose error the platform marks as retryable: an object that
/// was reset answers the second one.
const MAX_CALLS: u32 = 2;

/// Seconds after which an object that did not answer should be called again.
const RETRY_SECS: u32 = 1;

/// Objects are found by name; the path of this URL only selects the kind of request.
const ADDRESS: &str = "https://object/";

/// The objects of one class.
#[derive(Debug)]
pub struct Objects(pub ObjectNamespace);

impl StockObjects for Objects {
    async fn ask(
        &self,
        sku: &Sku,
        operation_id: String,
        command: stock::Command,
    ) -> Result<stock::Reply> {
        let request = Request::Do {
            operation_id,
            command,
        };
        self.call(&stock::object_name(sku, 0), &request).await
    }

    async fn view(&self, sku: &Sku) -> Result<stock::View> {
        let reply: stock::Reply = self
            .call(
                &stock::object_name(sku, 0),
                &Request::<stock::Command>::View,
            )
            .await?;
        seen(reply)
    }
}

impl PromotionObjects for Objects {
    async fn ask(
        &self,
        id: &str,
        operation_id: String,
        command: promotion::Command,
    ) -> Result<promotion::Reply> {
        let request = Request::Do {
            operation_id,
            command,
        };
        self.call(&promotion::object_name(id), &request).await
    }

    async fn uses(&self, id: &str, customer: &str) -> Result<Uses> {
        let keys = vec![
            promotion::TOTALS_KEY.to_owned(),
            promotion::customer_key(customer),
        ];
        let rows: [Option<String>; 2] = self
            .inspect(&promotion::object_name(id), Inspection::Rows { keys })
            .await?;
        let [all, of_customer] = rows;
        Ok(Uses {
            all: read_row(all)?,
            of_customer: read_row(of_customer)?,
        })
    }
}

impl CartObjects for Objects {
    async fn ask(
        &self,
        cart_id: &CartId,
        operation_id: String,
        command: cart::Command,
    ) -> Result<cart::Reply> {
        let request = Request::Do {
            operation_id,
            command,
        };
        self.call(&cart::object_name(cart_id), &request).await
    }

    async fn view(&self, cart_id: &CartId) -> Result<cart::Cart> {
        let reply: cart::Reply = self
            .call(&cart::object_name(cart_id), &Request::<cart::Command>::View)
            .await?;
        seen(reply)
    }
}

impl StockLedgers for Objects {
    async fn movements(
        &self,
        sku: &Sku,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StockMovement>> {
        let name = stock::object_name(sku, 0);
        self.inspect(&name, Inspection::Log { before, limit }).await
    }

    async fn check(&self, sku: &Sku) -> Result<Checkup<stock::View>> {
        let name = stock::object_name(sku, 0);
        self.inspect(&name, Inspection::Check).await
    }

    async fn repair(&self, sku: &Sku) -> Result<Checkup<stock::View>> {
        let name = stock::object_name(sku, 0);
        self.inspect(&name, Inspection::Repair).await
    }
}

impl Boards for Objects {
    async fn post(&self, bucket: u32, posts: &Posts) -> Result<()> {
        let body = serde_json::to_string(posts).map_err(Error::internal)?;
        self.deliver(&board::object_name(bucket), ADDRESS, &body)
            .await?;
        Ok(())
    }
}

impl Objects {
    /// Opens a WebSocket that receives the public availability of `sku` at once and again whenever
    /// it changes. Call on the namespace of boards.
    ///
    /// # Errors
    /// 503 while the board accepts no more watchers.
    pub async fn watch(&self, sku: &Sku) -> Result<WebSocket> {
        let name = board::object_name(bucket_of(sku));
        let encoded =
            percent_encoding::utf8_percent_encode(sku, percent_encoding::NON_ALPHANUMERIC);
        let address = format!("{ADDRESS}watch?sku={encoded}");
        let opened = self.open_socket(&name, &address).await;
        opened
            .map_err(|error| unavailable(&error))?
            .ok_or(Error::Unavailable {
                code: Code::TooManyWatchers,
                retry_after_secs: 60,
            })
    }

    async fn open_socket(&self, name: &str, address: &str) -> worker::Result<Option<WebSocket>> {
        let headers = Headers::new();
        headers.set("Upgrade", "websocket")?;
        let mut init = worker::RequestInit::new();
        init.with_headers(headers);
        let request = worker::Request::new_with_init(address, &init)?;
        let stub = self.0.get_by_name(name)?;
        Ok(stub.fetch_with_request(request).await?.websocket())
    }

    async fn inspect<T: DeserializeOwned>(&self, name: &str, asked: Inspection) -> Result<T> {
        let body = serde_json::to_string(&asked).map_err(Error::internal)?;
        let address = format!("{ADDRESS}inspect");
        read(&self.deliver(name, &address, &body).await?)
    }

    async fn call<C: Serialize, T: DeserializeOwned>(
        &self,
        name: &str,
        request: &Request<C>,
    ) -> Result<T> {
        let body = serde_json::to_string(request).map_err(Error::internal)?;
        read(&self.deliver(name, ADDRESS, &body).await?)
    }

    /// Calls the object `name`. A call that failed on the way is made again on a new stub; every
    /// command carries an operation ID, so it is carried out only once. An overloaded object is not
    /// called again.
    async fn deliver(&self, name: &str, address: &str, body: &str) -> Result<String> {
        let mut calls: u32 = 1;
        loop {
            match self.deliver_once(name, address, body).await {
                Ok((200, answer)) => return Ok(answer),
                Ok((409, _)) => return Err(key_reused()),
                Ok((500.., answer)) => return Err(failed(&answer)),
                Ok((status, _)) => {
                    return Err(Error::internal(format!("object answered {status}")));
                }
                Err(error) if calls < MAX_CALLS && is_retryable(&error) => {
                    calls = calls.saturating_add(1);
                }
                Err(error) => return Err(unavailable(&error)),
            }
        }
    }

    async fn deliver_once(
        &self,
        name: &str,
        address: &str,
        body: &str,
    ) -> worker::Result<(u16, String)> {
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_body(&JsValue::from_str(body));
        let request = web_sys::Request::new_with_str_and_init(address, &init)?;
        let stub: DurableObject = self.0.get_by_name(name)?.into_rpc();
        let response = JsFuture::from(stub.fetch_with_request(&request)?).await?;
        let response = response.dyn_into::<web_sys::Response>()?;
        let answer = JsFuture::from(response.text()?).await?;
        Ok((response.status(), answer.as_string().unwrap_or_default()))
    }
}

fn read<T: DeserializeOwned>(answer: &str) -> Result<T> {
    durable::json::read(answer).map_err(|error| Error::internal(format!("object reply: {error}")))
}

/// Reads a row; a missing row is the default.
fn read_row<T: DeserializeOwned + Default>(row: Option<String>) -> Result<T> {
    row.map_or_else(|| Ok(T::default()), |row| read(&row))
}

fn seen<V, R>(reply: Reply<V, R>) -> Result<V> {
    match reply {
        Reply::Done { view, .. } => Ok(view),
        Reply::Refused { .. } => Err(Error::internal("an object refused to be looked at")),
    }
}

/// The platform marks errors
/// (developers.cloudflare.com/durable-objects/best-practices/error-handling).
fn is_retryable(error: &worker::Error) -> bool {
    marked(error, "retryable") && !marked(error, "overloaded")
}

fn marked(error: &worker::Error, name: &str) -> bool {
    let worker::Error::UnknownJsError { original, .. } = error else {
        return false;
    };
    worker::js_sys::Reflect::get(original, &JsValue::from_str(name))
        .is_ok_and(|mark| mark.is_truthy())
}

fn unavailable(error: &worker::Error) -> Error {
    if marked(error, "overloaded") {
        return refused_for_now(Code::Overloaded, "warn", &error.to_string());
    }
    if marked(error, "retryable") {
        return refused_for_now(Code::ObjectUnavailable, "warn", &error.to_string());
    }
    failed(&error.to_string())
}

/// Returns the error for an object that failed internally. How far it got is unknown, and its
/// memory is lost. The same operation, requested again, is carried out only once.
fn failed(error: &str) -> Error {
    refused_for_now(Code::ObjectUnavailable, "error", error)
}

fn refused_for_now(code: Code, level: &str, error: &str) -> Error {
    let line = serde_json::json!({"level": level, "event": code, "error": error});
    console_warn!("{line}");
    Error::Unavailable {
        code,
        retry_after_secs: RETRY_SECS,
    }
}
