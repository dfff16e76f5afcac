//! [`OrderStandings`] in SQL. All callers in this isolate share one query every two seconds
//! ([`SharedReads`]).

use crate::store::platform::pause::wait;
use crate::store::sql::{Database, Statement, from_word, to_json};
use durable::Timestamp;
use serde::Deserialize;
use shop::codes::Code;
use shop::error::{Error, Result};
use shop::orders::shared_reads::{SharedReads, Turn};
use shop::orders::standing::{OrderStanding, OrderStandings};
use shop::values::ids::{CartId, OrderId};
use std::cell::RefCell;

thread_local! {
    static READS: RefCell<SharedReads<Option<OrderStanding>>> = RefCell::default();
}

/// Maximum length in bytes of an ID that is looked up; no order has a longer one.
const MAX_ID_BYTES: usize = 64;

/// Seconds after which clients should ask again when there are too many of them.
const OVERLOADED_SECS: u32 = 10;

/// [`OrderStandings`] on a database.
#[derive(Debug)]
pub struct OrderStandingsD1<D> {
    /// The database.
    pub db: D,
    /// Current time, which moves on while a request waits.
    pub clock: fn() -> Timestamp,
}

impl<D: Database> OrderStandings for OrderStandingsD1<D> {
    async fn standing(&self, order_id: &OrderId) -> Result<Option<OrderStanding>> {
        if order_id.len() > MAX_ID_BYTES {
            return Ok(None);
        }
        let asked_at = (self.clock)();
        loop {
            let now = (self.clock)();
            match READS.with_borrow_mut(|reads| reads.turn(order_id, asked_at, now)) {
                Turn::Found(standing) => return Ok(standing),
                Turn::Read(order_ids) => self.read_for_all(&order_ids, now).await?,
                Turn::Wait(millis) => wait(millis).await,
                Turn::GiveUp => {
                    return Err(Error::Unavailable {
                        code: Code::Overloaded,
                        retry_after_secs: OVERLOADED_SECS,
                    });
                }
            }
        }
    }
}

impl<D: Database> OrderStandingsD1<D> {
    async fn read_for_all(&self, order_ids: &[String], began_at: Timestamp) -> Result<()> {
        let read = self.read(order_ids).await;
        READS.with_borrow_mut(|reads| match read {
            Ok(found) => {
                reads.end(began_at, found, &None);
                Ok(())
            }
            Err(error) => {
                reads.fail(began_at);
                Err(error)
            }
        })
    }

    async fn read(&self, order_ids: &[String]) -> Result<Vec<(String, Option<OrderStanding>)>> {
        let statement = Statement::new(STANDINGS).bind(to_json(&order_ids)?);
        let rows: Vec<StandingRow> = self.db.query(statement).await?;
        // A row that a later version wrote and this one can't read must not fail the other callers.
        let readable = rows.into_iter().filter_map(|row| row.into_standing().ok());
        Ok(readable.collect())
    }
}

/// Reads two rows per order, by key.
const STANDINGS: &str = "
SELECT o.id, o.cart_id, o.created_at, o.status, o.version, p.status AS payment_status, p.url AS payment_url, p.expires_at AS payment_expires_at
FROM json_each(?1) AS asked CROSS JOIN orders AS o ON o.id = asked.value CROSS JOIN payments AS p ON p.order_id = o.id";

#[derive(Deserialize)]
struct StandingRow {
    id: String,
    cart_id: CartId,
    created_at: i64,
    status: String,
    version: u64,
    payment_status: String,
    payment_url: Option<String>,
    payment_expires_at: i64,
}

impl StandingRow {
    fn into_standing(self) -> Result<(String, Option<OrderStanding>)> {
        let standing = OrderStanding {
            cart_id: self.cart_id,
            created_at: Timestamp::from_millis(self.created_at),
            status: from_word(&self.status)?,
            version: self.version,
            payment_status: from_word(&self.payment_status)?,
            payment_url: self.payment_url,
            payment_expires_at: Timestamp::from_millis(self.payment_expires_at),
        };
        Ok((self.id, Some(standing)))
    }
}
