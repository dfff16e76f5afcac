//! Who lives in the world: shoppers with two hands and little patience, the provider's webhooks, the queue's consumer, the cron,
//! staff, and a merchant who changes prices.

use crate::invariants;
use crate::planted::Bug;
use crate::ports::Sim;
use crate::scheduler::{Task, pause, request, run};
use crate::world::World;
use durable::machine::{Reply, Request};
use durable::{cart, stock};
use std::cell::Cell;
use std::rc::Rc;
use storefront::error::{Error, Result};
use storefront::shop::addresses::Address;
use storefront::shop::checkout::{Checkout, CheckoutStep, place_order};
use storefront::shop::fulfillments::{
    NewFulfillment, NewReturn, Tracking, create_fulfillment, create_return, deliver_fulfillment,
};
use storefront::shop::ids::Signer;
use storefront::shop::money::{Currency, Money};
use storefront::shop::news::answer_carts;
use storefront::shop::orders::{
    Actor, Instruction, Order, OrderLinks, cancel_order, set_order_status,
};
use storefront::shop::payments::{RefundState, WebhookEvent};
use storefront::shop::ports::{Inbox, Orders, Ports};
use storefront::shop::pricing::{Quote, QuoteRequest, create_quote};
use storefront::shop::reconciliation;
use storefront::shop::refunds::{AskedRefund, create_refund};
use storefront::shop::settlement;
use storefront::shop::sweep::{self, BOUND_SECS};
use storefront::shop::transitions::Status;
use storefront::store::jobs_d1::JobsD1;

pub const SKUS: [&str; 3] = ["A", "B", "C"];

/// Promotions that can be used up: how often by all, and by each customer.
pub const PROMOTIONS: [(&str, u32, u32); 2] = [("one", 1, 1), ("few", 4, 3)];

pub const CUSTOMERS: [&str; 2] = ["ann@example.com", "bob@example.com"];

/// Units of each SKU: fewer than the shoppers want.
const UNITS: u32 = 5;

const SHOPPERS: usize = 4;

/// How often a shopper whose answer was lost asks again.
const PATIENCE: u32 = 4;

/// The storm, then the calm, then the end.
pub fn play(world: &Rc<World>) -> Result<(), String> {
    fill(world);
    let sim = Sim(Rc::clone(world));
    let shopping = Rc::new(Cell::new(SHOPPERS));
    let mut actors: Vec<Task> = (0..SHOPPERS)
        .map(|_| Task::actor(shop(sim.clone(), Rc::clone(&shopping))))
        .collect();
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        webhooks,
    )));
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        consumer,
    )));
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        cron,
    )));
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        staff,
    )));
    actors.push(Task::actor(while_shopping(
        sim.clone(),
        Rc::clone(&shopping),
        bank,
    )));
    actors.push(Task::actor(while_shopping(sim.clone(), shopping, merchant)));
    run(world, actors, || invariants::at_every_step(world))?;
    heal(world, &sim)
}

/// Left alone, the shop finishes everything within its bound; and when every session has ended, all is settled.
fn heal(world: &Rc<World>, sim: &Sim) -> Result<(), String> {
    world.calm();
    world.note("the calm".to_owned());
    world.advance(60_000);
    calm_minutes(world, sim, BOUND_SECS / 60 + 1)?;
    invariants::within_the_bound(world)?;
    calm_minutes(world, sim, 65)?;
    let sessions: Vec<String> = world.provider.borrow().sessions.keys().cloned().collect();
    for id in sessions {
        if world.random.chance(300) {
            world.provider.borrow_mut().fail(&id);
        }
        if world.random.chance(400) {
            world.provider.borrow_mut().pay_late(&id);
        }
        world.provider.borrow_mut().arrive(&id);
    }
    deliver_all(world);
    calm_minutes(world, sim, BOUND_SECS / 60 + 1)?;
    // A dispute that is won can lead to a refund, which can be on its way once more.
    for _ in 0..3 {
        decide_everything(world);
        deliver_all(world);
        calm_minutes(world, sim, BOUND_SECS / 60 + 1)?;
    }
    invariants::at_the_end(world)
}

fn decide_everything(world: &World) {
    let mut provider = world.provider.borrow_mut();
    let disputes: Vec<String> = provider.disputes.keys().cloned().collect();
    for id in disputes {
        let won = world.random.chance(500);
        provider.decide(&id, won);
    }
    let pending = provider
        .refunds
        .values()
        .filter(|it| it.state == RefundState::Pending);
    let pending: Vec<String> = pending.map(|it| it.id.clone()).collect();
    for id in pending {
        let fails = world.random.chance(100);
        let state = if fails {
            RefundState::Failed
        } else {
            RefundState::Succeeded
        };
        provider.end_refund(&id, state);
    }
}

/// What is left is never delivered, and so fetched.
fn deliver_all(world: &World) {
    let mut provider = world.provider.borrow_mut();
    let left = std::mem::take(&mut provider.events);
    provider.undelivered.extend(left);
}

fn calm_minutes(world: &Rc<World>, sim: &Sim, minutes: u32) -> Result<(), String> {
    for _ in 0..minutes {
        world.advance(60_000);
        let minute = {
            let sim = sim.clone();
            async move {
                for _ in 0..20 {
                    consumer(sim.clone()).await;
                }
                cron(sim).await;
            }
        };
        run(world, vec![Task::actor(minute)], || {
            invariants::at_every_step(world)
        })?;
    }
    Ok(())
}

fn fill(world: &World) {
    publish(world, 1, 1000);
    for sku in SKUS {
        let command = stock::Command::Receive { quantity: UNITS };
        let request = Request::Do {
            operation_id: "first".to_owned(),
            command,
        };
        world.stock.ask(sku, &request, world.now());
    }
}

/// A publish that sells every SKU at `price`, but for the one that is free.
fn publish(world: &World, seq: i64, price: i64) {
    let listing = |title: &str, price: i64| {
        format!(
            r#"{{"title":"{title}","variant_title":"","handle":"{title}","tracked":true,"prices":{{"USD":{{"amount":{price}}}}}}}"#
        )
    };
    world.db.tell(&format!(
        "INSERT INTO publishes (seq, version, created_at) VALUES ({seq}, 'v{seq}', 0)"
    ));
    for sku in SKUS {
        let listing = listing(sku, price);
        world.db.tell(&format!(
            "INSERT INTO listings (sku, seq, listing) VALUES ('{sku}', {seq}, '{listing}')"
        ));
    }
    world.db.tell(&format!("INSERT INTO current_publish (id, seq) VALUES (1, {seq}) ON CONFLICT (id) DO UPDATE SET seq = {seq}"));
    if seq == 1 {
        world.db.tell(
            r#"UPDATE settings SET document = json_insert(document, '$.shipping_zones[0].methods[#]',
                json('{"id":"gift","title":"On the house","rates":[{"price":{"amount":0,"currency":"USD"}}]}'),
                '$.promotions[#]', json('{"id":"one","title":"One","code":"ONE","limits":{"total":1},"benefit":{"kind":"percentage","off_ppm":100000}}'),
                '$.promotions[#]', json('{"id":"few","title":"Few","limits":{"total":4,"per_customer":3},"benefit":{"kind":"percentage","off_ppm":50000}}'))"#,
        );
    }
}

async fn while_shopping<F: Future<Output = ()>>(
    sim: Sim,
    shopping: Rc<Cell<usize>>,
    turn: impl Fn(Sim) -> F,
) {
    while shopping.get() > 0 {
        pause(&sim.0).await;
        turn(sim.clone()).await;
    }
}

async fn shop(sim: Sim, shopping: Rc<Cell<usize>>) {
    let world = &sim.0;
    let cart_id = world.name("cart");
    for _ in 0..=world.random.below(3) {
        fill_cart(&sim, &cart_id).await;
        if let Some(quote) = ask_for_quote(&sim, &cart_id).await {
            check_out(&sim, &cart_id, &quote).await;
        }
    }
    shopping.set(shopping.get() - 1);
}

async fn fill_cart(sim: &Sim, cart_id: &str) {
    let world = &sim.0;
    for _ in 0..=world.random.below(2) {
        let change = cart::Change::Set {
            sku: (*world.random.pick(&SKUS)).to_owned(),
            quantity: 1 + world.random.below(3) as u32,
            at_most: cart::MAX_QUANTITY,
        };
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
        pause(world).await;
    }
}

async fn ask_for_quote(sim: &Sim, cart_id: &str) -> Option<Quote> {
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
        shipping_method: (*world.random.pick(&["standard", "gift"])).to_owned(),
        email: (*world.random.pick(&CUSTOMERS)).to_owned(),
        codes: world.random.pick(&[vec![], vec!["one".to_owned()]]).clone(),
        vat_number: None,
    };
    let quoted = request(world, async move {
        let usd = [Currency::from_code("USD").unwrap()];
        let now = mine.0.now();
        create_quote(&mine, &usd, quote_id, &cart_id, &cart, asked, now).await
    })
    .await;
    quoted?.ok()
}

/// Places an order until there is an answer, now and then with both hands at once, or from another tab.
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
                world.note(format!("{cart_id} is refused: {error}"));
                invariants::refused(world, cart_id, &key, &error);
                return;
            }
            _ => pause(world).await,
        }
    }
}

/// A refusal ends it; anything else is worth asking again with the same key.
fn is_final(error: &Error) -> bool {
    matches!(error, Error::Conflict { .. } | Error::Invalid(_))
}

async fn place(sim: Sim, cart_id: String, quote_id: String, key: String) -> Option<Result<Order>> {
    let world = Rc::clone(&sim.0);
    request(&world, async move {
        let world = &sim.0;
        let checkout = Checkout {
            order_id: world.name("ord"),
            cart_id,
            request_hash: quote_id.clone(),
            quote_id,
            idempotency_key: key,
            billing_address: None,
            step: CheckoutStep::Started,
        };
        let placed = place_order(&sim, checkout, &links(), world.now()).await?;
        invariants::answered(world, &placed.order);
        Ok(placed.order)
    })
    .await
}

/// What shoppers do with an order: pay, at once or slowly, cancel, or forget about it.
async fn live_on(sim: &Sim, order: Order) {
    let world = &sim.0;
    for _ in 0..world.random.below(12) {
        pause(world).await;
    }
    let session_id = {
        let provider = world.provider.borrow();
        let of_order = provider
            .sessions
            .values()
            .find(|it| it.session.order_id.as_deref() == Some(&order.id));
        of_order.map(|it| it.session.id.clone())
    };
    match (world.random.below(6), session_id) {
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

async fn cancel(sim: &Sim, order_id: &str, actor: Actor) {
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

/// Delivers events: late, in any order, now and then twice or not at all.
async fn webhooks(sim: Sim) {
    let world = &sim.0;
    if world.random.chance(700) || world.provider.borrow().events.is_empty() {
        return;
    }
    let at = world
        .random
        .below(world.provider.borrow().events.len() as u64) as usize;
    let session_id = world.provider.borrow_mut().events.swap_remove(at);
    if world.random.chance(100) {
        world.provider.borrow_mut().undelivered.push(session_id);
        return;
    }
    let id = format!("{session_id}/{}", world.name("evt"));
    let (mine, about) = (sim.clone(), session_id.clone());
    let delivered = request(world, async move {
        let event = WebhookEvent {
            id: id.clone(),
            kind: "session".to_owned(),
            payload: session_id,
        };
        let kept = mine.inbox().receive(&event, mine.0.now()).await.is_ok();
        if kept {
            let _ = mine.inbox().enqueue(&id).await;
        }
        kept
    })
    .await;
    if delivered != Some(true) {
        world.provider.borrow_mut().undelivered.push(about);
    }
}

async fn consumer(sim: Sim) {
    let world = &sim.0;
    if world.queue.borrow().is_empty() {
        return;
    }
    let at = world.random.below(world.queue.borrow().len() as u64) as usize;
    let id = world.queue.borrow_mut().swap_remove(at);
    let (mine, event_id) = (sim.clone(), id.clone());
    let handled = request(world, async move {
        settlement::handle_event(&mine, &event_id, mine.0.now()).await
    })
    .await;
    let tries_left = world.random.chance(700);
    if !matches!(handled, Some(Ok(()))) && tries_left {
        world.queue.borrow_mut().push(id);
    }
}

async fn cron(sim: Sim) {
    let world = &sim.0;
    if world.storm.get().jump > 0 && world.random.chance(900) {
        return;
    }
    let mine = sim.clone();
    request(world, async move {
        sweep::run(&mine, &links(), mine.0.now()).await.map(drop)
    })
    .await;
    let mine = sim.clone();
    request(world, async move {
        reconciliation::run(&mine, &JobsD1(mine.clone()), mine.0.now())
            .await
            .map(drop)
    })
    .await;
    hear_carts(sim).await;
}

/// The carts' alarms ring, and the queue of their news is consumed; what fails is told again.
async fn hear_carts(sim: Sim) {
    let world = &sim.0;
    if world.bug == Some(Bug::CartsNotHeard) {
        return;
    }
    let rung = world.carts.ring(world.now());
    world.news.borrow_mut().extend(rung);
    let news = world.news.take();
    let (mine, told) = (sim.clone(), news.clone());
    let heard = request(world, async move {
        answer_carts(&mine, &told, mine.0.now()).await
    })
    .await;
    if !matches!(heard, Some(Ok(()))) {
        world.news.borrow_mut().extend(news);
    }
}

/// Ships, delivers, takes back and cancels whatever it finds.
async fn staff(sim: Sim) {
    let world = &sim.0;
    if world.random.chance(600) {
        return;
    }
    let orders = world
        .db
        .ask("SELECT id FROM orders WHERE status IN ('confirmed', 'completed') ORDER BY number");
    if orders.is_empty() {
        return;
    }
    let order_id = world.random.pick(&orders).as_str().unwrap().to_owned();
    let (mine, work) = (sim.clone(), world.random.below(8));
    request(world, async move { handle(&mine, &order_id, work).await }).await;
}

async fn handle(sim: &Sim, order_id: &str, work: u64) {
    let world = &sim.0;
    let now = world.now();
    let Ok(Some(order)) = sim.orders().order(order_id).await else {
        return;
    };
    let id = world.name("rec");
    let _ = match work {
        0 | 1 => {
            let mut lines = order.unshipped();
            lines.truncate(1);
            let new = NewFulfillment {
                lines: Some(lines),
                tracking: Tracking::default(),
            };
            create_fulfillment(sim, order_id, &id, new, now)
                .await
                .map(drop)
        }
        2 => {
            let new = NewFulfillment {
                lines: None,
                tracking: Tracking::default(),
            };
            create_fulfillment(sim, order_id, &id, new, now)
                .await
                .map(drop)
        }
        3 => match order.fulfillments.first() {
            Some(parcel) => deliver_fulfillment(sim, order_id, &parcel.id, now)
                .await
                .map(drop),
            None => Ok(()),
        },
        4 => {
            let new = NewReturn {
                lines: order.returnable(),
                restock: world.random.chance(500),
                reason: None,
            };
            create_return(sim, order_id, &id, new, now).await.map(drop)
        }
        6 if world.random.chance(500) => {
            let asked = AskedRefund {
                amount: Some(Money::new(100, order.currency)),
                reason: None,
            };
            create_refund(sim, order_id, &id, asked, now)
                .await
                .map(drop)
        }
        6 => {
            if let Some(session_id) = &order.payment.session_id {
                let made = world.provider.borrow_mut().refund_elsewhere(session_id);
                world.note(format!("{session_id} is refunded elsewhere: {made}"));
            }
            Ok(())
        }
        5 => set_order_status(
            sim,
            order_id,
            Status::Completed,
            instruction(world, Actor::Staff),
            now,
        )
        .await
        .map(drop),
        _ if world.random.chance(300) => set_order_status(
            sim,
            order_id,
            Status::Cancelled,
            instruction(world, Actor::Staff),
            now,
        )
        .await
        .map(drop),
        _ => Ok(()),
    };
}

/// Disputes payments, decides disputes, and sends refunds back, also those that had arrived.
async fn bank(sim: Sim) {
    let world = &sim.0;
    if world.random.chance(980) {
        return;
    }
    let mut provider = world.provider.borrow_mut();
    let some = |ids: Vec<String>| {
        ids.get(world.random.below(ids.len() as u64) as usize)
            .cloned()
    };
    let told = match world.random.below(3) {
        0 => some(provider.sessions.keys().cloned().collect())
            .map(|id| format!("{id} is disputed: {}", provider.dispute(&id))),
        1 => some(provider.disputes.keys().cloned().collect()).map(|id| {
            let won = world.random.chance(500);
            format!("{id} is decided, won: {won}: {}", provider.decide(&id, won))
        }),
        _ => some(provider.refunds.keys().cloned().collect()).map(|id| {
            let failed = provider.end_refund(&id, RefundState::Failed);
            format!("{id} comes back: {failed}")
        }),
    };
    told.into_iter().for_each(|line| world.note(line));
}

async fn merchant(sim: Sim) {
    let world = &sim.0;
    if world.random.chance(995) {
        return;
    }
    let seq = world.db.ask("SELECT MAX(seq) + 1 FROM publishes")[0]
        .as_i64()
        .unwrap();
    publish(world, seq, *world.random.pick(&[0, 900, 1000, 1100]));
    world.note(format!("publish {seq}"));
}

fn instruction(world: &World, actor: Actor) -> Instruction {
    Instruction {
        actor,
        note: None,
        if_version: None,
        refund_id: world.name("re"),
    }
}

fn links() -> OrderLinks {
    OrderLinks {
        base: "https://shop.example".to_owned(),
        signer: Signer::new("secret"),
        language: storefront::shop::languages::Language::default(),
    }
}
