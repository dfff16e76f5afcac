//! [`Database`] on D1.
//!
//! All rows of a result cross from JavaScript as one JSON text: a crossing for each field would
//! cost more than the text.

use crate::store::platform::pause::Pause;
use crate::store::sql::{Database, Parameter, SqlError, Statement};
use crate::store::steady::{Patience, Steady};
use serde::de::DeserializeOwned;
use worker::console_warn;
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Array, JSON, Promise, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::worker_sys::types::{D1Database, D1PreparedStatement, D1Result};

/// The shop's database.
pub type D1 = Steady<Binding, Pause>;

/// The binding of a database.
#[derive(Debug)]
pub struct Binding(D1Database);

impl D1 {
    /// Creates a database on a binding; `pause` is the wait before a retry.
    #[must_use]
    pub fn of(binding: worker::D1Database, pause: Pause) -> Self {
        Self {
            db: Binding(JsValue::from(binding).unchecked_into()),
            patience: pause,
        }
    }
}

impl D1 {
    /// Returns the size of the database in bytes, which comes with every response.
    ///
    /// # Errors
    /// Fails if the database doesn't answer, or doesn't report its size.
    pub async fn size_bytes(&self) -> Result<i64, SqlError> {
        self.db.size_bytes().await
    }
}

impl Patience for Pause {
    fn note(&self, error: &SqlError) {
        if let SqlError::Interrupted(message) | SqlError::Overloaded(message) = error {
            let line = serde_json::json!({"level": "warn", "event": "database_unavailable", "error": message});
            console_warn!("{line}");
        }
    }

    async fn pause(&self) {
        self.wait().await;
    }
}

impl Binding {
    fn prepare(&self, statement: Statement) -> Result<D1PreparedStatement, SqlError> {
        let values: Array = statement.parameters.into_iter().map(to_js).collect();
        let prepared = self.0.prepare(statement.sql).map_err(sql_error)?;
        prepared.bind(values).map_err(sql_error)
    }

    async fn rows(&self, statement: Statement) -> Result<String, SqlError> {
        let result = settled(self.prepare(statement)?.all()).await?;
        json_of(result)
    }

    async fn size_bytes(&self) -> Result<i64, SqlError> {
        let asked = self.prepare(Statement::new("SELECT 1"))?.all();
        let result = settled(asked).await?.unchecked_into::<D1Result>();
        let meta = result.meta().map_err(sql_error)?;
        let size = Reflect::get(&meta, &JsValue::from_str("size_after")).map_err(sql_error)?;
        let size = size.as_f64().filter(|size| size.is_finite());
        let missing = || SqlError::Failed("no size of the database".to_owned());
        whole(size.ok_or_else(missing)?)
    }

    /// Runs statements as one transaction and returns the result of each.
    async fn transaction(&self, statements: Vec<Statement>) -> Result<Array, SqlError> {
        let prepared = Array::new();
        for statement in statements {
            prepared.push(self.prepare(statement)?.as_ref());
        }
        let results = settled(self.0.batch(prepared)).await?;
        Ok(results.unchecked_into())
    }

    async fn rows_of_last(&self, statements: Vec<Statement>) -> Result<String, SqlError> {
        let results = self.transaction(statements).await?;
        json_of(results.at(-1))
    }
}

impl Database for Binding {
    async fn query<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>, SqlError> {
        read(&self.rows(statement).await?)
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
        self.transaction(statements).await?;
        Ok(())
    }

    async fn batch_then_query<T: DeserializeOwned>(
        &self,
        mut statements: Vec<Statement>,
        query: Statement,
    ) -> Result<Vec<T>, SqlError> {
        statements.push(query);
        read(&self.rows_of_last(statements).await?)
    }
}

async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, SqlError> {
    let promise = promise.map_err(sql_error)?;
    JsFuture::from(promise).await.map_err(sql_error)
}

fn json_of(result: JsValue) -> Result<String, SqlError> {
    let rows = result.unchecked_into::<D1Result>().results();
    let rows = rows.map_err(sql_error)?.unwrap_or_default();
    let json = JSON::stringify(&rows).map_err(sql_error)?;
    Ok(json.into())
}

fn read<T: DeserializeOwned>(rows: &str) -> Result<Vec<T>, SqlError> {
    durable::json::read(rows).map_err(|error| SqlError::Failed(format!("row: {error}")))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "D1 has no BigInt; amounts and instants stay within 2^53 − 1"
)]
fn to_js(parameter: Parameter) -> JsValue {
    match parameter {
        Parameter::Null => JsValue::NULL,
        Parameter::Integer(integer) => JsValue::from_f64(integer as f64),
        Parameter::Text(text) => JsValue::from_str(&text),
    }
}

fn whole(number: f64) -> Result<i64, SqlError> {
    let digits = format!("{number:.0}");
    digits
        .parse()
        .map_err(|_| SqlError::Failed(format!("no whole number: {digits}")))
}

fn sql_error(error: JsValue) -> SqlError {
    SqlError::of(worker::Error::from(error).to_string())
}
