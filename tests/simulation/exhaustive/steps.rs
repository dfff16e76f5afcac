//! Steps of a shopper, of the provider and of its news, and the state that they lead to.

use super::*;
use shop::values::ids::QuoteId;

const CART: &str = "cart_of_ann";

pub(super) async fn order(sim: Sim) {
    let quote = sim.0.db.ask("SELECT id FROM quotes")[0].clone();
    let quote_id = QuoteId::new(quote.as_str().unwrap().to_owned());
    place(sim, CART.to_owned(), quote_id, "key".to_owned()).await;
}

pub(super) const SOME_UNITS: [(&str, u32); 2] = [("A", 2), ("B", 1)];

pub(super) const LAST_UNITS: [(&str, u32); 2] = [("A", 5), ("B", 1)];

pub(super) fn quoted() -> Rc<World> {
    quoted_for(&SOME_UNITS, &[])
}

/// A calm world in which someone is about to order.
pub(super) fn quoted_for(units: &[(&str, u32)], codes: &[&str]) -> Rc<World> {
    let world = World::new(0, None);
    world.calm();
    fill(&world);
    quote_for(&world, units, "standard", codes);
    world
}

pub(super) fn quote_for(
    world: &Rc<World>,
    units: &[(&str, u32)],
    shipping: &'static str,
    codes: &[&str],
) {
    for &(sku, quantity) in units {
        let change = cart::Change::Set {
            sku: sku.into(),
            quantity,
            at_most: cart::MAX_QUANTITY,
        };
        put(world, CART, change);
    }
    let sim = Sim(Rc::clone(world));
    let codes = codes.iter().map(|code| (*code).to_owned()).collect();
    go(world, async move {
        let quote = ask_for_quote(&sim, CART, shipping, CUSTOMERS[0], codes).await;
        assert!(quote.is_some());
    });
}

pub(super) fn ordered() -> Rc<World> {
    ordered_of(&SOME_UNITS, &[])
}

pub(super) fn ordered_of(units: &[(&str, u32)], codes: &[&str]) -> Rc<World> {
    let world = quoted_for(units, codes);
    go(&world, order(Sim(Rc::clone(&world))));
    world
}

pub(super) fn go(world: &Rc<World>, work: impl Future<Output = ()> + 'static) {
    run(world, vec![Task::actor(work)], || {
        invariants::at_every_step(world)
    })
    .unwrap();
}

/// Event that the provider sends of what it does.
pub(super) fn news_of(world: &World, doing: Doing) -> String {
    let mut provider = world.provider.borrow_mut();
    doing(&mut provider);
    provider.events.pop().unwrap()
}

pub(super) fn tell(world: &Rc<World>, about: &str) {
    go(world, deliver(Sim(Rc::clone(world)), about.to_owned()));
}

/// Left alone for longer than the sweep needs; refunds on their way arrive.
pub(super) fn rest(world: &Rc<World>) {
    for _ in 0..5 {
        let news = arrived(&mut world.provider.borrow_mut());
        for about in news {
            tell(world, &about);
        }
        world.advance(4 * 60_000);
        go(world, cron(Sim(Rc::clone(world))));
        go(world, postman(Sim(Rc::clone(world))));
    }
}

/// Every refund that is on its way arrives; what there is to tell.
fn arrived(provider: &mut Provider) -> Vec<String> {
    let ids: Vec<String> = provider.refunds.keys().cloned().collect();
    for id in ids {
        provider.end_refund(&id, RefundState::Succeeded);
    }
    take(&mut provider.events)
}

const STATE: &[&str] = &[
    "SELECT status FROM orders",
    "SELECT status || ' ' || COALESCE(captured_amount, 0) FROM payments",
    "SELECT account || ' ' || SUM(amount) FROM ledger_entries GROUP BY account HAVING SUM(amount) <> 0 ORDER BY account",
    "SELECT amount || ' ' || status FROM refunds ORDER BY amount, status",
    "SELECT state || ' ' || withdrawn || ' ' || fee FROM disputes ORDER BY id",
    "SELECT effect FROM outbox WHERE done_at IS NULL",
    "SELECT amount || ' ' || COALESCE(refund_status, 'told') FROM stray_payments ORDER BY session_id",
    "SELECT error FROM findings WHERE kind = 'stray_payment' ORDER BY error",
];

pub(super) fn state(world: &World) -> Vec<Value> {
    let units = SKUS.map(|sku| {
        let view = world.stock.view(sku, world.now());
        Value::from(format!(
            "{sku} {} {} {}",
            view.on_hand, view.held, view.committed
        ))
    });
    let told = STATE.iter().flat_map(|sql| world.db.ask(sql));
    told.chain(units).collect()
}
