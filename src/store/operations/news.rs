//! Events that the objects sent, in D1: the newest for each SKU and each cart, in whatever order
//! and however often events arrive.

use crate::store::sql::{Database, Statement, to_json, to_word};
use durable::Timestamp;
use durable::news::ObjectEvent;
use shop::error::Result;
use shop::operations::news::NewsRecord;

/// [`NewsRecord`] on a database.
#[derive(Debug)]
pub struct NewsD1<D>(pub D);

impl<D: Database> NewsRecord for NewsD1<D> {
    async fn keep(&self, news: &[ObjectEvent], now: Timestamp) -> Result<()> {
        let mut statements = Vec::new();
        for news in news {
            statements.extend(keep_newest(news, now)?);
        }
        if statements.is_empty() {
            return Ok(());
        }
        Ok(self.0.batch(statements).await?)
    }
}

fn keep_newest(news: &ObjectEvent, now: Timestamp) -> Result<Option<Statement>> {
    Ok(Some(match news {
        ObjectEvent::StockChanged { sku, stock } => Statement::new(
            "INSERT INTO stock_words (sku, word, promise_at, purchase_limit, version, told_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (sku) DO UPDATE SET word = excluded.word, promise_at = excluded.promise_at,
                 purchase_limit = excluded.purchase_limit, version = excluded.version, told_at = excluded.told_at
             WHERE excluded.version > stock_words.version",
        )
        .bind(sku.as_str())
        .bind(to_word(&stock.stock)?)
        .bind(stock.promise_at)
        .bind(stock.purchase_limit)
        .bind(version(stock.version))
        .bind(now),
        ObjectEvent::CartAbandoned {
            cart_id,
            version: at,
            lines,
            idle_since,
        } => keep_cart(cart_id, *at, Some(to_json(lines)?), *idle_since),
        ObjectEvent::CartDeleted {
            cart_id,
            version: at,
        } => keep_cart(cart_id, *at, None, now),
        ObjectEvent::CartFrozen { .. } => return Ok(None),
    }))
}

fn keep_cart(cart_id: &str, at: u64, lines: Option<String>, idle_since: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO abandoned_carts (cart_id, version, lines, idle_since) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (cart_id) DO UPDATE SET version = excluded.version, lines = excluded.lines,
             idle_since = excluded.idle_since
         WHERE excluded.version > abandoned_carts.version",
    )
    .bind(cart_id)
    .bind(version(at))
    .bind(lines)
    .bind(idle_since)
}

fn version(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::orders::sqlite::{database, values};
    use crate::store::sql::SqlError;
    use durable::cart::Line;
    use durable::stock::{Availability, PublicStock};
    use futures_util::FutureExt;
    use rusqlite::{Connection, params_from_iter};
    use serde::de::DeserializeOwned;

    struct Memory(Connection);

    impl Memory {
        fn new() -> Self {
            Self(database())
        }

        fn rows(&self, sql: &str) -> Vec<String> {
            let mut statement = self.0.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.map(Result::unwrap).collect()
        }
    }

    impl Database for &Memory {
        async fn query<T: DeserializeOwned>(&self, _: Statement) -> Result<Vec<T>, SqlError> {
            panic!("nothing is read here")
        }

        async fn batch_then_query<T: DeserializeOwned>(
            &self,
            _: Vec<Statement>,
            _: Statement,
        ) -> Result<Vec<T>, SqlError> {
            panic!("nothing is read here")
        }

        async fn batch(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
            for statement in statements {
                let values = params_from_iter(values(&statement));
                self.0.execute(statement.sql, values).unwrap();
            }
            Ok(())
        }
    }

    fn keep(memory: &Memory, news: &[ObjectEvent], at_secs: u32) {
        let now = Timestamp::default().plus_secs(at_secs);
        let kept = NewsD1(memory).keep(news, now).now_or_never();
        kept.expect("nothing is waited for").unwrap();
    }

    fn changed(stock: Availability, version: u64) -> ObjectEvent {
        ObjectEvent::StockChanged {
            sku: "PHONE".to_owned(),
            stock: PublicStock {
                stock,
                version,
                ..PublicStock::default()
            },
        }
    }

    #[test]
    fn the_newest_word_stays_whatever_the_order() {
        let told = [
            changed(Availability::InStock, 1),
            changed(Availability::Low, 4),
            changed(Availability::Out, 9),
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 1]] {
            let memory = Memory::new();
            for at in order {
                keep(&memory, &[told[at].clone()], 0);
            }
            let words = memory.rows("SELECT word || version FROM stock_words");
            assert_eq!(words, ["out9"]);
        }
    }

    #[test]
    fn a_cart_that_is_gone_stays_gone_whatever_news_of_it_come_late() {
        let cart_id = || "cart_1".to_owned();
        let abandoned = ObjectEvent::CartAbandoned {
            cart_id: cart_id(),
            version: 3,
            lines: vec![Line {
                sku: "PHONE".to_owned(),
                quantity: 2,
            }],
            idle_since: Timestamp::default(),
        };
        let deleted = ObjectEvent::CartDeleted {
            cart_id: cart_id(),
            version: 4,
        };
        let memory = Memory::new();
        let left = || memory.rows("SELECT COALESCE(lines, 'gone') FROM abandoned_carts");

        keep(&memory, &[abandoned.clone(), abandoned.clone()], 1);
        assert_eq!(left(), [r#"[{"sku":"PHONE","quantity":2}]"#]);
        keep(&memory, &[deleted, abandoned], 2);
        assert_eq!(left(), ["gone"]);
    }
}
