//! Processing of object events: the stored availability, the boards that show it, abandoned carts,
//! and carts frozen for an order.
//!
//! Safe to repeat and in any order, because the store and the boards keep the newest version of
//! each SKU and cart. The store is written first, so that a board never shows anything newer than
//! the data it could be rebuilt from.

use crate::checkout::freezing::settle_cart;
use crate::checkout::ports::CheckoutPorts;
use crate::error::Result;
use crate::inventory::objects::Boards;
use crate::values::ids::{CartId, OrderId};
use durable::Timestamp;
use durable::board::{Posts, bucket_of};
use durable::news::ObjectEvent;
use std::collections::BTreeMap;

/// Prefix of the name of the queue for object events, in every environment.
pub const NEWS_QUEUE: &str = "object-news";

/// Stores object events and shows them on the boards.
///
/// # Errors
/// Fails if a port fails; processing the same events again is safe.
pub async fn hear_news(
    ports: &impl CheckoutPorts,
    record: &impl NewsRecord,
    boards: &impl Boards,
    news: &[ObjectEvent],
    now: Timestamp,
) -> Result<()> {
    record.keep(news, now).await?;
    for (bucket, posts) in posts_by_bucket(news) {
        boards.post(bucket, &posts).await?;
    }
    answer_carts(ports, news, now).await
}

/// Completes or thaws the frozen carts whose orders have ended.
///
/// # Errors
/// Fails if a port fails; calling it again is safe.
pub async fn answer_carts(
    ports: &impl CheckoutPorts,
    news: &[ObjectEvent],
    now: Timestamp,
) -> Result<()> {
    for news in news {
        if let ObjectEvent::CartFrozen { cart_id, order_id } = news {
            let cart_id = CartId::new(cart_id.clone());
            let order_id = OrderId::new(order_id.clone());
            settle_cart(ports, &cart_id, &order_id, now).await?;
        }
    }
    Ok(())
}

/// Groups the newest stock of each SKU by bucket.
fn posts_by_bucket(news: &[ObjectEvent]) -> BTreeMap<u32, Posts> {
    let mut buckets = BTreeMap::<u32, Posts>::new();
    for news in news {
        let ObjectEvent::StockChanged { sku, stock } = news else {
            continue;
        };
        let posts = buckets.entry(bucket_of(sku)).or_default();
        let newest = posts.entry(sku.clone()).or_insert(*stock);
        if newest.version < stock.version {
            *newest = *stock;
        }
    }
    buckets
}

/// Store of object events.
pub trait NewsRecord {
    /// Stores the newest state of each SKU and cart, all or none.
    async fn keep(&self, news: &[ObjectEvent], now: Timestamp) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use durable::stock::{Availability, PublicStock};

    #[test]
    fn each_board_hears_the_newest_of_its_skus_once() {
        let changed = |sku: &str, stock, version| ObjectEvent::StockChanged {
            sku: sku.to_owned(),
            stock: PublicStock {
                stock,
                version,
                ..PublicStock::default()
            },
        };
        let news = [
            changed("a", Availability::Low, 2),
            changed("a", Availability::Out, 3),
            changed("a", Availability::InStock, 1),
            changed("b", Availability::Low, 1),
            ObjectEvent::CartDeleted {
                cart_id: "cart_1".to_owned(),
                version: 1,
            },
        ];

        let told: Posts = posts_by_bucket(&news).into_values().flatten().collect();

        let words: Vec<Availability> = told.values().map(|stock| stock.stock).collect();
        assert_eq!(words, [Availability::Out, Availability::Low]);
        for (bucket, posts) in posts_by_bucket(&news) {
            assert!(posts.keys().all(|sku| bucket_of(sku) == bucket));
        }
    }
}
