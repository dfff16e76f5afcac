//! Shoppers: they fill carts, request quotes, order concurrently, and pay at once, slowly, late or
//! not at all.

use crate::actors::{CUSTOMERS, SKUS, channel, instruction, links};
use crate::invariants;
use crate::ports::Sim;
use crate::scheduler::{Task, pause, request};
use crate::world::World;
use durable::cart;
use durable::machine::{Reply, Request};
use shop::aftersales::status::cancel_order;
use shop::checkout::pending::{PendingLimits, Visitor};
use shop::checkout::place_order;
use shop::checkout::quoting::create_quote;
use shop::checkout::record::Checkout;
use shop::error::{Error, Result};
use shop::orders::order::{Actor, Order};
use shop::pricing::quote::{Quote, QuoteRequest};
use shop::values::addresses::Address;
use shop::values::ids::{OrderId, QuoteId};
use std::cell::Cell;
use std::rc::Rc;

/// Number of retries of a shopper who got no answer.
const PATIENCE: u32 = 4;

pub async fn shop(sim: Sim, shopping: Rc<Cell<usize>>) {
    let world = &sim.0;
    let cart_id = world.name("cart");
    for _ in 0..=world.random.below(3) {
        fill_cart(&sim, &cart_id).await;
        let shipping = *world.random.pick(&["standard", "gift"]);
        let email = *world.random.pick(&CUSTOMERS);
        let codes = world.random.pick(&[vec![], vec!["one".to_owned()]]).clone();
        if let Some(quote) = ask_for_quote(&sim, &cart_id, shipping, email, codes).await {
            check_out(&sim, &cart_id, &quote).await;
        }
    }
    shopping.set(shopping.get() - 1);
}

async fn fill_cart(sim: &Sim, cart_id: &str) {
    let world = &sim.0;
    for _ in 0..=world.random.below(2) {
        let change = cart::Change::Set {
            sku: (*world.random.pick(&SKUS)).into(),
            quantity: 1 + world.random.below(3) as u32,
            at_most: cart::MAX_QUANTITY,
        };
        put(world, cart_id, change);
        pause(world).await;
    }
}

pub fn put(world: &World, cart_id: &str, change: cart::Change) {
    let request = Request::Do {
        operation_id: world.name("op"),
        command: cart::Command {
            if_version: None,
            change,
        },
    };
    let reply = world.carts.ask(cart_id, &request, world.now());
    if matches!(reply, Reply::Refused { .. }) {
        world.note(format!("{cart_id} takes nothing: {reply:?}"));
    }
}

pub async fn ask_for_quote(
    sim: &Sim,
    cart_id: &str,
    shipping: &str,
    email: &str,
    codes: Vec<String>,
) -> Option<Quote> {
    let world = &sim.0;
    let cart = world.carts.view(cart_id, world.now());
    let (mine, cart_id, quote_id) = (sim.clone(), cart_id.to_owned(), world.name("quote"));
    let asked = QuoteRequest {
        currency: "USD".to_owned(),
        shipping_address: Address {
            name: "Ann".to_owned(),
            line1: "1 Main Street".to_owned(),
            city: "New York".to_owned(),
            region: Some("NY".to_owned()),
            postal_code: Some("10001".to_owned()),
            country: "US".to_owned(),
            ..Address::default()
        },
        billing_address: None,
        shipping_method: shipping.to_owned(),
        email: email.to_owned(),
        codes,
        vat_number: None,
    };
    let quoted = request(world, async move {
        let sold_at = channel();
        let now = mine.0.now();
        create_quote(
            &mine,
            &sold_at,
            &quote_id,
            &cart_id.as_str().into(),
            &cart,
            asked,
            now,
        )
        .await
    })
    .await;
    quoted?.ok()
}

/// Places an order until there is an answer, sometimes twice concurrently, or from another tab.
async fn check_out(sim: &Sim, cart_id: &str, quote: &Quote) {
    let world = &sim.0;
    let key = world.name("key");
    if world.random.chance(200) {
        let other = if world.random.chance(300) {
            world.name("key")
        } else {
            key.clone()
        };
        let twin = place(sim.clone(), cart_id.to_owned(), quote.id.clone(), other);
        world.spawned.borrow_mut().push(Task::actor(async move {
            twin.await;
        }));
    }
    for _ in 0..PATIENCE {
        match place(
            sim.clone(),
            cart_id.to_owned(),
            quote.id.clone(),
            key.clone(),
        )
        .await
        {
            Some(Ok(order)) => return live_on(sim, order).await,
            Some(Err(error)) if is_final(&error) => {
                return world.note(format!("{cart_id} is refused: {error}"));
            }
            _ => pause(world).await,
        }
    }
}

/// Returns true for a refusal, which is final; any other error is worth a retry with the same key.
fn is_final(error: &Error) -> bool {
    matches!(error, Error::Conflict { .. } | Error::Invalid(_))
}

pub async fn place(
    sim: Sim,
    cart_id: String,
    quote_id: QuoteId,
    key: String,
) -> Option<Result<Order>> {
    let world = Rc::clone(&sim.0);
    request(&world, async move {
        let world = &sim.0;
        *world.keys.borrow_mut().entry(key.clone()).or_default() += 1;
        let checkout = Checkout {
            order_id: OrderId::new(world.name("ord")),
            cart_id: cart_id.as_str().into(),
            request_hash: quote_id.as_str().to_owned(),
            quote_id,
            idempotency_key: key,
            billing_address: None,
            jitter: world.random.below(1000) as u32,
            visitor: visitor(),
        };
        let placed = place_order(&sim, &checkout, &links(), world.now()).await;
        match &placed {
            Ok(placed) => invariants::answered(world, &placed.order),
            Err(error) if is_final(error) => invariants::refused(world, &checkout, error),
            Err(_) => {}
        }
        Ok(placed?.order)
    })
    .await
}

/// Returns a visitor from one of many networks: limits on pending orders are not part of the
/// simulation.
fn visitor() -> Visitor {
    Visitor {
        network: "network".to_owned(),
        limits: PendingLimits {
            orders_per_address: u32::MAX,
            orders_per_network: u32::MAX,
            units_per_network: u32::MAX,
        },
        solution: None,
    }
}

/// Orders every free unit and pays at once, as a latecomer.
pub async fn buy_the_rest(sim: Sim) {
    let world = &sim.0;
    let cart_id = world.name("cart");
    for sku in SKUS {
        let free = world.stock.view(sku, world.now()).available;
        let change = cart::Change::Set {
            sku: sku.into(),
            quantity: u32::try_from(free).unwrap(),
            at_most: cart::MAX_QUANTITY,
        };
        put(world, &cart_id, change);
    }
    let quote = ask_for_quote(&sim, &cart_id, "standard", "eve@example.com", vec![]).await;
    let Some(quote) = quote else { return };
    let placed = place(sim.clone(), cart_id, quote.id, world.name("key")).await;
    if let Some(Ok(order)) = placed
        && let Some(id) = session_of(world, &order)
    {
        let paid = world.provider.borrow_mut().pay(&id);
        world.note(format!("a latecomer pays {id} of {}: {paid}", order.id));
    }
}

fn session_of(world: &World, order: &Order) -> Option<String> {
    let provider = world.provider.borrow();
    let found = provider.sessions.values().find(|it| {
        it.session.order_id.as_deref() == Some(&order.id) && provider.is_own(&it.session.id)
    });
    found.map(|it| it.session.id.clone())
}

/// Continues an order: pays at once or slowly, cancels, or abandons it.
async fn live_on(sim: &Sim, order: Order) {
    let world = &sim.0;
    for _ in 0..world.random.below(12) {
        pause(world).await;
    }
    match (world.random.below(6), session_of(world, &order)) {
        (0, Some(id)) if world.random.chance(100) => {
            let paid = world.provider.borrow_mut().pay_wrongly(&id);
            world.note(format!(
                "a shopper pays {id} of {} wrongly: {paid}",
                order.id
            ));
        }
        (0..=2, Some(id)) => {
            world.touched.set(true);
            let paid = world.provider.borrow_mut().pay(&id);
            world.note(format!("a shopper pays {id} of {}: {paid}", order.id));
        }
        (3, Some(id)) => {
            let paid = world.provider.borrow_mut().pay_slowly(&id);
            world.note(format!(
                "a shopper pays {id} of {} slowly: {paid}",
                order.id
            ));
        }
        (4, _) => cancel(sim, &order.id, Actor::Shopper).await,
        (5, Some(id)) if world.random.chance(300) => {
            let paid = world.provider.borrow_mut().pay_late(&id);
            world.note(format!("a shopper pays {id} of {} late: {paid}", order.id));
        }
        _ => {}
    }
}

async fn cancel(sim: &Sim, order_id: &OrderId, actor: Actor) {
    let (mine, order_id, instruction) =
        (sim.clone(), order_id.to_owned(), instruction(&sim.0, actor));
    let cancelled = request(&sim.0, async move {
        cancel_order(&mine, &order_id, instruction, mine.0.now()).await
    })
    .await;
    if let Some(Ok(order)) = cancelled {
        invariants::answered(&sim.0, &order);
    }
}
