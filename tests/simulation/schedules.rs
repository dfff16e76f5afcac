//! Scheduled prices that should have begun before they were set.

use crate::actors::fill;
use crate::ports::Sim;
use crate::scheduler::{Task, run};
use crate::world::World;
use shop::pricing::prices::ScheduledPrice;
use shop::pricing::settings::SettingsRecord;
use shop::publishing::publish::record::PublishRecord;
use shop::values::money::Currency;
use std::rc::Rc;
use storefront::store::pricing::settings::SettingsD1;
use storefront::store::publishing::publish::PublishD1;

#[test]
fn a_price_that_should_have_begun_is_due_at_once() {
    for begun_secs_ago in [None, Some(60), Some(0)] {
        let world = World::new(0, None);
        world.calm();
        fill(&world);
        let now = world.now();
        world.db.tell(&format!(
            "UPDATE publishes SET created_at = {}",
            now.minus_secs(1).as_millis()
        ));
        let sim = Sim(Rc::clone(&world));
        let look = async move {
            let settings = SettingsD1 {
                db: sim.clone(),
                known: Rc::default(),
            };
            let price = ScheduledPrice {
                currency: Currency::from_code("USD").unwrap(),
                amount: 500,
                compare_at_amount: None,
                valid_from: begun_secs_ago.map(|secs| now.minus_secs(secs)),
                valid_until: None,
            };
            let publishes = PublishD1(sim);
            assert!(!publishes.is_price_due(now).await.unwrap());
            let saved = settings
                .save_scheduled_prices(&"A".into(), &[price], now)
                .await;
            assert!(saved.is_ok());
            assert!(
                publishes.is_price_due(now).await.unwrap(),
                "{begun_secs_ago:?}"
            );
        };
        run(&world, vec![Task::actor(look)], || Ok(())).unwrap();
    }
}
