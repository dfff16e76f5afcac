//! The objects: messages to them get lost, arrive late or twice, and they lose their memory.

use crate::planted;
use crate::ports::Sim;
use crate::world::World;
use durable::machine::{ReplyOf, Request};
use durable::{cart, promotion, stock};
use shop::cart::CartObjects;
use shop::error::{Error, Result};
use shop::inventory::objects::{PromotionObjects, StockObjects, Uses};
use shop::values::ids::{CartId, Sku};

impl StockObjects for Sim {
    async fn ask(
        &self,
        sku: &Sku,
        operation_id: String,
        command: stock::Command,
    ) -> Result<stock::Reply> {
        self.0.count(|costs| costs.of_stock += 1);
        if planted::is_granted_from_memory(&self.0, sku, &command) {
            let view = self.0.stock.view(sku, self.0.now());
            let replayed = false;
            return Ok(stock::Reply::Done { view, replayed });
        }
        let request = planted::request(
            &self.0,
            Request::Do {
                operation_id,
                command,
            },
        );
        let (sku, what) = (sku.to_owned(), format!("{sku} {request:?}"));
        self.call(what, move |world| look_and_ask(world, &sku, &request))
            .await
            .map_err(Error::internal)
    }

    async fn view(&self, sku: &Sku) -> Result<stock::View> {
        self.0.count(|costs| costs.of_stock += 1);
        let name = sku.to_owned();
        self.call(format!("look at {sku}"), move |world| {
            world.stock.view(&name, world.now())
        })
        .await
        .map_err(Error::internal)
    }
}

/// An object that occasionally loses its memory.
fn look_and_ask(
    world: &World,
    sku: &str,
    request: &Request<stock::Command>,
) -> ReplyOf<stock::Stock> {
    if world.random.chance(20) {
        world.stock.evict(sku);
    }
    let reply = world.stock.ask(sku, request, world.now());
    world.note(format!("{sku} answers {reply:?}"));
    reply
}

impl PromotionObjects for Sim {
    async fn ask(
        &self,
        id: &str,
        operation_id: String,
        command: promotion::Command,
    ) -> Result<promotion::Reply> {
        let request = planted::use_request(
            self.0.bug,
            Request::Do {
                operation_id,
                command,
            },
        );
        let (id, what) = (id.to_owned(), format!("{id} {request:?}"));
        self.call(what, move |world| {
            if world.random.chance(20) {
                world.promotions.evict(&id);
            }
            let reply = world.promotions.ask(&id, &request, world.now());
            world.note(format!("{id} answers {reply:?}"));
            reply
        })
        .await
        .map_err(Error::internal)
    }

    async fn uses(&self, id: &str, customer: &str) -> Result<Uses> {
        let (name, key) = (id.to_owned(), promotion::customer_key(customer));
        self.call(format!("uses of {id}"), move |world| Uses {
            all: world.promotions.view(&name, world.now()),
            of_customer: count(world.promotions.row(&name, &key)),
        })
        .await
        .map_err(Error::internal)
    }
}

fn count(row: Option<String>) -> u32 {
    row.map_or(0, |row| row.parse().unwrap())
}

impl CartObjects for Sim {
    async fn ask(
        &self,
        cart_id: &CartId,
        operation_id: String,
        command: cart::Command,
    ) -> Result<cart::Reply> {
        self.0.count(|costs| costs.of_carts += 1);
        let freezes = matches!(command.change, cart::Change::Freeze { .. });
        let command = planted::cart_command(self.0.bug, command);
        let request = Request::Do {
            operation_id,
            command,
        };
        let (cart_id, what) = (cart_id.to_owned(), format!("{cart_id} {request:?}"));
        let lingers = freezes && self.0.random.chance(self.0.storm.get().linger);
        let send = move |world: &World| world.carts.ask(&cart_id, &request, world.now());
        if lingers {
            self.0.note(format!("lingers: {what}"));
            self.0.much_later(move |world| drop(send(world)));
            return Err(Error::internal("the request lingers"));
        }
        self.call(what, send).await.map_err(Error::internal)
    }

    async fn view(&self, cart_id: &CartId) -> Result<cart::Cart> {
        self.0.count(|costs| costs.of_carts += 1);
        let name = cart_id.to_owned();
        self.call(format!("look at {cart_id}"), move |world| {
            world.carts.view(&name, world.now())
        })
        .await
        .map_err(Error::internal)
    }
}
