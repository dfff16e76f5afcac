//! [`OrderCodeTries`] in SQL. A guess is counted and its order looked up in one transaction, so
//! that of any number of concurrent guesses no more than five are compared.

use crate::store::sql::{Database, Statement};
use durable::Timestamp;
use serde::Deserialize;
use shop::error::{Error, Result};
use shop::orders::codes::{MAX_TRIES, OrderCodeTries, TRIES_SECS, Tried};
use shop::values::ids::OrderId;

/// Maximum number of old guesses that one guess deletes; more than it adds, so that their number
/// falls.
const MAX_FORGOTTEN: u32 = 20;

/// [`OrderCodeTries`] on a database.
#[derive(Debug)]
pub struct OrderCodeTriesD1<D>(pub D);

impl<D: Database> OrderCodeTries for OrderCodeTriesD1<D> {
    async fn count_try(&self, number: i64, network: &str, now: Timestamp) -> Result<Tried> {
        let forgotten = now.minus_secs(TRIES_SECS);
        let forget = Statement::new(FORGET).bind(forgotten).bind(MAX_FORGOTTEN);
        let count = Statement::new(COUNT)
            .bind(number)
            .bind(network)
            .bind(now)
            .bind(forgotten)
            .bind(MAX_TRIES);
        let tried = Statement::new(TRIED).bind(number).bind(network);
        let batch = vec![forget, count];
        let rows: Vec<TriedRow> = self.0.batch_then_query(batch, tried).await?;
        let row = rows.into_iter().next();
        row.map(TriedRow::into_tried)
            .ok_or_else(|| Error::internal("a guess that was counted is not there"))
    }
}

const FORGET: &str = "
DELETE FROM order_code_tries WHERE rowid IN (SELECT rowid FROM order_code_tries WHERE began_at <= ?1 ORDER BY began_at LIMIT ?2)";

const COUNT: &str = "
INSERT INTO order_code_tries (number, network, began_at, tries) VALUES (?1, ?2, ?3, 1)
ON CONFLICT (number, network) DO UPDATE SET tries = iif(began_at <= ?4, 1, MIN(tries, ?5) + 1), began_at = iif(began_at <= ?4, ?3, began_at)";

const TRIED: &str = "
SELECT tries, (SELECT id FROM orders WHERE number = ?1) AS order_id FROM order_code_tries WHERE number = ?1 AND network = ?2";

#[derive(Deserialize)]
struct TriedRow {
    tries: u32,
    order_id: Option<OrderId>,
}

impl TriedRow {
    fn into_tried(self) -> Tried {
        Tried {
            tries: self.tries,
            order_id: self.order_id,
        }
    }
}
