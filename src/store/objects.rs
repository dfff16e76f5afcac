//! The Durable Objects as ports: one caller for all machines, with the naming function and the command type of the object's own
//! crate.

use crate::error::{Error, Result};
use crate::shop::ports::{CartObjects, StockObjects};
use durable::machine::{Reply, Request};
use durable::{cart, stock};
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::wasm_bindgen::JsValue;
use worker::{Method, ObjectNamespace, RequestInit};

/// How often a call that the platform calls retryable is made in all.
const MAX_CALLS: u32 = 3;

/// The objects of one class.
#[derive(Debug)]
pub struct Objects(pub ObjectNamespace);

impl StockObjects for Objects {
    async fn ask(
        &self,
        sku: &str,
        operation_id: String,
        command: stock::Command,
    ) -> Result<stock::Reply> {
        let request = Request::Do {
            operation_id,
            command,
        };
        self.call(&stock::object_name(sku, 0), &request).await
    }

    async fn view(&self, sku: &str) -> Result<stock::View> {
        let reply: stock::Reply = self
            .call(
                &stock::object_name(sku, 0),
                &Request::<stock::Command>::View,
            )
            .await?;
        seen(reply)
    }
}

impl CartObjects for Objects {
    async fn ask(
        &self,
        cart_id: &str,
        operation_id: String,
        command: cart::Command,
    ) -> Result<cart::Reply> {
        let request = Request::Do {
            operation_id,
            command,
        };
        self.call(&cart::object_name(cart_id), &request).await
    }

    async fn view(&self, cart_id: &str) -> Result<cart::Cart> {
        let reply: cart::Reply = self
            .call(&cart::object_name(cart_id), &Request::<cart::Command>::View)
            .await?;
        seen(reply)
    }
}

impl Objects {
    /// Calls the object `name`. A call that failed on its way is made again on a new stub: every command carries an operation
    /// id, so that it is carried out once. An overloaded object is left alone.
    async fn call<C: Serialize, T: DeserializeOwned>(
        &self,
        name: &str,
        request: &Request<C>,
    ) -> Result<T> {
        let body = serde_json::to_string(request).map_err(Error::internal)?;
        let mut calls: u32 = 1;
        loop {
            match self.call_once(name, &body).await {
                Ok(reply) => {
                    return serde_json::from_slice(&reply)
                        .map_err(|error| Error::internal(format!("object reply: {error}")));
                }
                Err(error) if calls < MAX_CALLS && is_retryable(&error) => {
                    calls = calls.saturating_add(1);
                }
                Err(error) => return Err(unavailable(&error)),
            }
        }
    }

    async fn call_once(&self, name: &str, body: &str) -> worker::Result<Vec<u8>> {
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_body(Some(JsValue::from_str(body)));
        let request = worker::Request::new_with_init("https://object/", &init)?;
        let mut response = self
            .0
            .get_by_name(name)?
            .fetch_with_request(request)
            .await?;
        if response.status_code() != 200 {
            let status = response.status_code();
            return Err(worker::Error::RustError(format!(
                "object answered {status}"
            )));
        }
        response.bytes().await
    }
}

fn seen<V, R>(reply: Reply<V, R>) -> Result<V> {
    match reply {
        Reply::Done { view, .. } => Ok(view),
        Reply::Refused { .. } => Err(Error::internal("an object refused to be looked at")),
    }
}

/// The platform marks errors (developers.cloudflare.com/durable-objects/best-practices/error-handling).
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
        return Error::Unavailable {
            code: "overloaded",
            retry_after_secs: 1,
        };
    }
    Error::internal(format!("object: {error}"))
}
