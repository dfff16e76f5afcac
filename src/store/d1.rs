//! [`Database`] on D1.

use crate::store::sql::{Database, Parameter, SqlError, Statement};
use serde::de::DeserializeOwned;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement};

/// The shop's database.
#[derive(Debug)]
pub struct D1(pub D1Database);

impl D1 {
    fn prepare(&self, statement: Statement) -> Result<D1PreparedStatement, SqlError> {
        let values: Vec<JsValue> = statement.parameters.into_iter().map(to_js).collect();
        self.0
            .prepare(statement.sql)
            .bind(&values)
            .map_err(sql_error)
    }
}

impl Database for D1 {
    async fn query<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>, SqlError> {
        let result = self.prepare(statement)?.all().await.map_err(sql_error)?;
        result.results().map_err(sql_error)
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
        let statements = statements
            .into_iter()
            .map(|statement| self.prepare(statement))
            .collect::<Result<Vec<_>, _>>()?;
        self.0.batch(statements).await.map_err(sql_error)?;
        Ok(())
    }

    async fn batch_then_query<T: DeserializeOwned>(
        &self,
        mut statements: Vec<Statement>,
        query: Statement,
    ) -> Result<Vec<T>, SqlError> {
        statements.push(query);
        let statements = statements
            .into_iter()
            .map(|statement| self.prepare(statement))
            .collect::<Result<Vec<_>, _>>()?;
        let results = self.0.batch(statements).await.map_err(sql_error)?;
        match results.last() {
            Some(result) => result.results().map_err(sql_error),
            None => Ok(vec![]),
        }
    }
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

fn sql_error(error: worker::Error) -> SqlError {
    SqlError::of(error.to_string())
}
