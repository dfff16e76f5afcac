//! The ports of the shop in this world: its own stores over SQLite, and objects, provider, inbox
//! and mail that fail.

mod letters;
pub mod messages;
mod objects;
pub mod payments;

use crate::planted::{self};
use crate::ports::payments::ProviderOf;
use crate::scheduler::{pause, sleep};
use crate::world::World;
use durable::Timestamp;
use serde::de::{DeserializeOwned, IgnoredAny};
use shop::cart::CartObjects;
use shop::cart::ports::CartPorts;
use shop::checkout::ports::CheckoutPorts;
use shop::checkout::record::Checkouts;
use shop::customers::challenge::Challenge;
use shop::error::Result;
use shop::inventory::objects::{PromotionObjects, StockObjects};
use shop::inventory::ports::StockPorts;
use shop::inventory::refusals::{RefusalMemory, Shortage};
use shop::messages::mail::Mail;
use shop::orders::findings::FindingRecord;
use shop::orders::ports::OrderPorts;
use shop::orders::record::Orders;
use shop::payments::Payments;
use shop::payments::inbox::Inbox;
use shop::payments::provider::ProviderId;
use shop::pricing::price_list::Prices;
use shop::settlement::ports::SettlementPorts;
use shop::settlement::strays::StrayPayments;
use shop::values::clock::Clock;
use shop::values::ids::Sku;
use std::rc::Rc;
use storefront::store::customers::turnstile::Turnstile;
use storefront::store::orders::findings::FindingsD1;
use storefront::store::orders::{OrdersD1, StrayPaymentsD1};
use storefront::store::pricing::price_list::PricesD1;
use storefront::store::sql::{Database, SqlError, Statement};

/// The world as the shop sees it.
#[derive(Clone)]
pub struct Sim(pub Rc<World>);

/// Fate of one call.
enum Fate {
    Works,
    Fails,
    FailsAfter,
    Late,
    Repeats,
}

impl Sim {
    async fn fate(&self) -> Fate {
        pause(&self.0).await;
        let (random, storm) = (&self.0.random, self.0.storm.get());
        if random.chance(storm.fail) {
            Fate::Fails
        } else if random.chance(storm.fail_after) {
            Fate::FailsAfter
        } else if random.chance(storm.late) {
            Fate::Late
        } else if random.chance(storm.repeat) {
            Fate::Repeats
        } else {
            Fate::Works
        }
    }

    /// Makes a call whose message may be lost, late or repeated; `send` is its effect when it
    /// arrives.
    async fn call<T>(
        &self,
        what: String,
        send: impl Fn(&World) -> T + 'static,
    ) -> Result<T, String> {
        let fate = self.fate().await;
        let world = &self.0;
        world.touched.set(true);
        let answer = match fate {
            Fate::Works => Ok(send(world)),
            Fate::Fails => Err("fails"),
            Fate::FailsAfter => {
                send(world);
                Err("fails after landing")
            }
            Fate::Late => {
                let what = what.clone();
                world.later(move |world| {
                    world.note(format!("arrives late: {what}"));
                    send(world);
                });
                Err("is late")
            }
            Fate::Repeats => {
                let answer = send(world);
                world.later(move |world| drop(send(world)));
                Ok(answer)
            }
        };
        world.note(match &answer {
            Ok(_) => what.clone(),
            Err(fault) => format!("{fault}: {what}"),
        });
        pause(world).await;
        answer.map_err(|fault| format!("{what} {fault}"))
    }
}

impl Clock for Sim {
    fn clock(&self) -> Timestamp {
        self.0.now()
    }

    async fn wait(&self, millis: u32) {
        sleep(&self.0, millis.into()).await;
    }
}

impl RefusalMemory for Sim {
    fn remember(&self, sku: &Sku, shortage: Shortage) {
        let (mut refusals, now) = (self.0.refusals.borrow_mut(), self.0.now());
        refusals.remember(sku, shortage, now);
    }

    fn forget(&self, sku: &Sku) {
        self.0.refusals.borrow_mut().forget(sku);
    }

    fn recall(&self, sku: &Sku, quantity: u32) -> Option<Shortage> {
        let (mut refusals, now) = (self.0.refusals.borrow_mut(), self.0.now());
        refusals.recall(sku, quantity, None, now)
    }
}

impl Database for Sim {
    async fn query<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>, SqlError> {
        self.0.count(|costs| costs.reads += 1);
        self.0.count_statements(1);
        if self.0.refuses_writes.get() && !statement.sql.trim_start().starts_with("SELECT") {
            return Err(refused());
        }
        // A query that writes is sent only once, because its caller can't tell a repeat from the
        // first.
        let fate = self.fate().await;
        if matches!(fate, Fate::Fails | Fate::Late) {
            return Err(SqlError::Failed("the database fails".to_owned()));
        }
        let statement = planted::query(self.0.bug, statement);
        let rows = planted::rows(self.0.bug, self.0.db.query(&statement)?);
        if matches!(fate, Fate::FailsAfter) {
            return Err(SqlError::Failed(
                "the database fails after answering".to_owned(),
            ));
        }
        pause(&self.0).await;
        rows.into_iter()
            .map(|row| {
                serde_json::from_value(row).map_err(|error| SqlError::Failed(error.to_string()))
            })
            .collect()
    }

    async fn batch(&self, statements: Vec<Statement>) -> Result<(), SqlError> {
        let _: Vec<IgnoredAny> = self.write(statements, None).await?;
        Ok(())
    }

    async fn batch_then_query<T: DeserializeOwned>(
        &self,
        statements: Vec<Statement>,
        query: Statement,
    ) -> Result<Vec<T>, SqlError> {
        self.write(statements, Some(query)).await
    }
}

impl Sim {
    /// Writes a batch. The platform does not send a batch twice, but its response can be lost, and
    /// it can take effect after the sender gave up.
    async fn write<T: DeserializeOwned>(
        &self,
        statements: Vec<Statement>,
        query: Option<Statement>,
    ) -> Result<Vec<T>, SqlError> {
        self.0.count(|costs| costs.writes += 1);
        self.0
            .count_statements(statements.len() + usize::from(query.is_some()));
        if self.0.refuses_writes.get() {
            return Err(refused());
        }
        let fate = self.fate().await;
        let world = &self.0;
        world.touched.set(true);
        let statements = planted::statements(world.bug, statements);
        let what = statements.first().map(told).unwrap_or_default();
        let places = statements
            .iter()
            .any(|it| it.sql.contains("INTO checkouts"));
        let land = move |world: &World| world.db.batch(&statements, query.as_ref());
        let lost = |fault: &str| Err(SqlError::Failed(format!("the database {fault}")));
        if places && world.random.chance(world.storm.get().linger) {
            world.note(format!("lingers: {what}"));
            world.much_later(move |world| {
                let landed = land(world);
                world.note(format!("lands much later: {:?}", landed.map(|_| ())));
            });
            return Err(SqlError::Failed("the database lingers".to_owned()));
        }
        let rows = match fate {
            Fate::Works | Fate::Repeats => land(world),
            Fate::Fails => lost("fails"),
            Fate::FailsAfter => land(world).and(lost("fails after landing")),
            Fate::Late => {
                world.later(move |world| {
                    let landed = land(world);
                    world.note(format!("lands late: {:?}", landed.map(|_| ())));
                });
                lost("is late")
            }
        };
        world.note(format!("{what}: {:?}", rows.as_ref().map(|_| ())));
        pause(world).await;
        rows?
            .into_iter()
            .map(|row| {
                serde_json::from_value(row).map_err(|error| SqlError::Failed(error.to_string()))
            })
            .collect()
    }
}

fn refused() -> SqlError {
    SqlError::Overloaded("the database takes no writes".to_owned())
}

/// Returns the beginning of a statement, for the trace.
fn told(statement: &Statement) -> String {
    let words: Vec<&str> = statement.sql.split_whitespace().take(3).collect();
    let parameters: String = format!("{:?}", statement.parameters)
        .chars()
        .take(120)
        .collect();
    format!("{} {parameters}", words.join(" "))
}

impl OrderPorts for Sim {
    fn orders(&self) -> impl Orders {
        self.order_record()
    }

    fn findings(&self) -> impl FindingRecord {
        FindingsD1(self.clone())
    }
}

impl StockPorts for Sim {
    fn stock(&self) -> impl StockObjects {
        self.clone()
    }

    fn refusals(&self) -> impl RefusalMemory {
        self.clone()
    }

    fn promotions(&self) -> impl PromotionObjects {
        self.clone()
    }
}

impl CartPorts for Sim {
    fn carts(&self) -> impl CartObjects {
        self.clone()
    }
}

impl SettlementPorts for Sim {
    fn stray_payments(&self) -> impl StrayPayments {
        StrayPaymentsD1(self.clone())
    }

    fn payments(&self, provider: ProviderId) -> Result<impl Payments> {
        Ok(ProviderOf {
            sim: self.clone(),
            id: provider,
        })
    }

    fn inbox(&self) -> impl Inbox {
        self.clone()
    }

    fn mail(&self) -> impl Mail {
        self.clone()
    }
}

impl CheckoutPorts for Sim {
    fn prices(&self) -> impl Prices {
        PricesD1 {
            db: self.clone(),
            known: Rc::clone(&self.0.settings),
            listings: Rc::clone(&self.0.listings),
        }
    }

    fn new_payments(&self) -> ProviderId {
        self.0.new_payments.get()
    }

    fn challenge(&self) -> Option<impl Challenge> {
        None::<&Turnstile>
    }

    fn checkouts(&self) -> impl Checkouts {
        self.order_record()
    }
}

impl Sim {
    fn order_record(&self) -> OrdersD1<Self> {
        OrdersD1 {
            db: self.clone(),
            known: Rc::clone(&self.0.settings),
        }
    }
}
