//! Prices that an isolate quotes from its cache while others publish, and the retention of quotes.

use crate::world::{World, now};
use durable::Timestamp;
use shop::pricing::price_list::{PriceList, Prices};
use shop::values::ids::Sku;
use std::rc::Rc;
use storefront::store::pricing::price_list::{ListingCache, PricesD1};
use storefront::store::pricing::settings::SettingsCache;
use storefront::store::sql::{Statement, TextRow};

#[derive(Clone)]
struct Isolate {
    world: World,
    listings: ListingCache,
}

impl Isolate {
    fn of(world: &World) -> Self {
        Self {
            world: world.clone(),
            listings: ListingCache::default(),
        }
    }

    fn record(&self) -> PricesD1<World> {
        PricesD1 {
            db: self.world.clone(),
            known: SettingsCache::default(),
            listings: Rc::clone(&self.listings),
        }
    }

    fn list(&self, skus: &[&str]) -> PriceList {
        let skus: Vec<Sku> = skus.iter().map(|sku| Sku::from(*sku)).collect();
        now(self.record().price_list(&skus, "")).unwrap()
    }

    /// Returns the prices in cents, in the order of the SKUs; `None` for a SKU that is not for
    /// sale.
    fn prices(&self, skus: &[&str]) -> Vec<Option<i64>> {
        let list = self.list(skus);
        let price = |sku: &&str| Some(list.listings.get(*sku)?.prices["USD"].amount);
        skus.iter().map(price).collect()
    }
}

fn sell(world: &World, mug: u32, cup: u32) -> i64 {
    let rows = format!("mug,Mug,M,{mug}\ncup,Cup,C,{cup}\n");
    world.import(&format!("Handle,Title,Variant SKU,Variant Price\n{rows}"));
    world.publish().seq
}

#[test]
fn a_price_is_that_of_the_current_publish_whatever_was_kept() {
    let world = World::default();
    let isolate = Isolate::of(&world);
    assert_eq!(isolate.prices(&["M"]), [None]);
    let first = sell(&world, 9, 5);
    assert_eq!(isolate.prices(&["M", "X"]), [Some(900), None]);
    assert_eq!(isolate.prices(&["C", "M"]), [Some(500), Some(900)]);
    sell(&world, 10, 5);
    assert_eq!(isolate.prices(&["M", "C"]), [Some(1000), Some(500)]);
    world.roll_back(Some(first)).unwrap();
    assert_eq!(isolate.prices(&["C", "M"]), [Some(500), Some(900)]);
}

#[test]
fn what_one_publish_lists_is_sent_once() {
    let world = World::default();
    let isolate = Isolate::of(&world);
    sell(&world, 9, 5);
    let kept = isolate.list(&["M"]);
    world.db.tell("UPDATE listings SET listing = NULL");
    assert_eq!(isolate.prices(&["M", "C"]), [Some(900), None]);
    assert!(Rc::ptr_eq(
        &kept.listings["M"],
        &isolate.list(&["M"]).listings["M"]
    ));
}

#[test]
fn a_publish_between_what_is_kept_and_what_is_asked_is_seen_whole() {
    let world = World::default();
    let isolate = Isolate::of(&world);
    sell(&world, 9, 5);
    isolate.list(&["M"]);
    let other = isolate.clone();
    world.happens("AS has_ordered", move |world| {
        sell(world, 10, 6);
        other.list(&["C"]);
    });
    assert_eq!(isolate.prices(&["M", "C"]), [Some(1000), Some(600)]);
    assert_eq!(isolate.prices(&["M", "C"]), [Some(1000), Some(600)]);
}

#[test]
fn quotes_that_had_their_time_go_and_checkouts_without_an_order() {
    let world = World::default();
    for (at, id) in ["old", "stuck", "older", "young", "late"]
        .iter()
        .enumerate()
    {
        let created_at = [20, 20, 10, 90, 15][at];
        world.db.tell(&format!(
            "INSERT INTO quotes (id, body, created_at) VALUES ('{id}', '{{}}', {created_at})"
        ));
    }
    world.db.tell(
        "INSERT INTO checkouts (order_id, cart_id, idempotency_key, request_hash, quote_id, step, live, updated_at)
            VALUES ('placed', 'cart', 'key', 'hash', 'old', 'placed', 1, 0), ('died', 'cart', 'key', 'hash', 'stuck', 'started', 1, 0),
                ('young', 'cart', 'key', 'hash', 'stuck', 'started', 1, 90)",
    );
    let prices = Isolate::of(&world).record();
    let kept = |limit, before| {
        now(prices.forget_quotes(Timestamp::from_millis(before), limit)).unwrap();
        let ids = Statement::new("SELECT id AS value FROM quotes ORDER BY rowid");
        let rows: Vec<TextRow> = world.db.query(&ids).unwrap();
        rows.into_iter().map(|row| row.value).collect::<Vec<_>>()
    };
    assert_eq!(kept(1, 50), ["stuck", "older", "young", "late"]);
    assert_eq!(
        world
            .db
            .ask("SELECT order_id FROM checkouts ORDER BY order_id"),
        ["placed", "young"]
    );
    assert_eq!(kept(9, 50), ["young", "late"]);
    assert_eq!(kept(9, 99), [""; 0]);
}
