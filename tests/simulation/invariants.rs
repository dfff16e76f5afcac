//! Invariants that hold at every step, once the shop was left alone for its bound, and when every
//! session has ended.

use crate::actors::{CUSTOMERS, PROMOTIONS, SKUS, UNITS};
use crate::evidence::{
    Evidence, Holds, PaymentEvidence, StockEvidence, USES, at_rest, holds, ids, is_left_to_staff,
    none,
};
use crate::provider::Account;
use crate::world::World;
use durable::cart::Periods as CartPeriods;
use durable::promotion::{View, customer_key};
use serde_json::Value;
use shop::checkout::record::Checkout;
use shop::codes::Code;
use shop::error::Error;
use shop::inventory::hold_ids::HOLD_SECS;
use shop::orders::order::Order;
use shop::orders::transitions::{OrderEventKind, OrderStatus, judge};
use shop::payments::{Opener, ProviderRefund, Session, SessionState};
use shop::values::ids::customer_of;

/// At every step: nothing is oversold, nothing can be paid without its units, and every order is
/// the fold of its events.
pub fn at_every_step(world: &World) -> Holds {
    if !world.touched.take() {
        return Ok(());
    }
    for sku in SKUS {
        let view = world.stock.view(sku, world.now());
        holds(view.held + view.committed <= view.on_hand, || {
            format!("{sku} is oversold: {view:?}")
        })?;
        holds(
            view.available >= 0 && view.held >= 0 && view.committed >= 0,
            || format!("{sku} counts below zero: {view:?}"),
        )?;
    }
    for (id, total, per_customer) in PROMOTIONS {
        let view = world.promotions.view(id, world.now());
        holds(view.held + view.consumed <= total, || {
            format!("{id} is used too often: {view:?}")
        })?;
        for customer in CUSTOMERS {
            let uses = world
                .promotions
                .row(id, &customer_key(&customer_of(customer)));
            let uses: u32 = uses.map_or(0, |row| row.parse().unwrap());
            holds(uses <= per_customer, || {
                format!("{id} is used {uses} times by {customer}")
            })?;
        }
    }
    let provider = world.provider.borrow();
    for Account { session, .. } in provider.sessions.values() {
        if provider.is_own(&session.id) {
            payable_means_pinned(world, session)?;
        }
    }
    drop(provider);
    pending_orders_have_their_own(world)?;
    orders_are_the_fold_of_their_moves(world)
}

/// The units of a session that can still be paid, or that was paid without its order being
/// cancelled, are pinned.
fn payable_means_pinned(world: &World, session: &Session) -> Holds {
    if !matches!(session.state, SessionState::Open | SessionState::Processing) {
        return Ok(());
    }
    let order_id = session.order_id.as_deref().unwrap_or_default();
    for line in world.db.ask(&format!(
        "SELECT sku FROM order_lines WHERE order_id = '{order_id}'"
    )) {
        let sku = line.as_str().unwrap();
        let pinned = (1..10).any(|attempt| {
            let row = world.stock.row(sku, &format!("hold/{order_id}:{attempt}"));
            row.is_some_and(|row| is_pinned(&row))
        });
        holds(pinned, || {
            format!(
                "{} of {order_id} can be paid, but {sku} is not pinned",
                session.id
            )
        })?;
    }
    for id in ids(
        world,
        &format!("SELECT promotion FROM ({USES}) WHERE order_id = '{order_id}'"),
    ) {
        let pinned = (1..10).any(|attempt| {
            let row = world
                .promotions
                .row(&id, &format!("use/{order_id}:{attempt}"));
            row.is_some_and(|row| is_pinned(&row))
        });
        holds(pinned, || {
            format!(
                "{} of {order_id} can be paid, but its use of {id} is not pinned",
                session.id
            )
        })?;
    }
    Ok(())
}

fn is_pinned(row: &str) -> bool {
    let hold: Value = serde_json::from_str(row).unwrap();
    hold["status"] == "pinned"
}

fn is_reserved(row: &str) -> bool {
    let hold: Value = serde_json::from_str(row).unwrap();
    hold["status"]["reserved"].is_object()
}

/// A pending order has its cart. While its first holds can't have expired, it also has its units,
/// unless they were first held by another request long before.
fn pending_orders_have_their_own(world: &World) -> Holds {
    let pending = world.db.ask(
        "SELECT json_object('id', id, 'cart', cart_id, 'version', version) FROM orders WHERE status = 'pending_payment'",
    );
    for order in pending {
        let order: Value = serde_json::from_str(order.as_str().unwrap()).unwrap();
        let (id, cart_id) = (
            order["id"].as_str().unwrap(),
            order["cart"].as_str().unwrap(),
        );
        let cart = world.carts.view(cart_id, world.now());
        holds(cart.frozen_by.as_deref() == Some(id), || {
            format!("{id} is pending, and {cart_id} is not its own: {cart:?}")
        })?;
        let lapses_at = cart.changed_at.map(|at| at.plus_secs(HOLD_SECS));
        if cart.joined || order["version"] != 1 || lapses_at.is_none_or(|at| at <= world.now()) {
            continue;
        }
        for sku in ids(
            world,
            &format!("SELECT sku FROM order_lines WHERE order_id = '{id}'"),
        ) {
            let row = world.stock.row(&sku, &format!("hold/{id}:1"));
            let has_units = row.is_some_and(|row| is_pinned(&row) || is_reserved(&row));
            holds(has_units, || format!("{id} was placed without {sku}"))?;
        }
    }
    Ok(())
}

fn orders_are_the_fold_of_their_moves(world: &World) -> Holds {
    let orders = world.db.ask(
        "SELECT json_object('id', id, 'status', status, 'version', version, 'moves', json((
            SELECT json_group_array(json_object('version', version, 'happening', happening) ORDER BY version)
            FROM order_events WHERE order_id = orders.id))) FROM orders",
    );
    for order in orders {
        let order: Value = serde_json::from_str(order.as_str().unwrap()).unwrap();
        let mut status = OrderStatus::PendingPayment;
        let mut version = 0;
        for told in order["moves"].as_array().unwrap() {
            version += 1;
            holds(told["version"] == version, || {
                format!("moves are missing: {order}")
            })?;
            let happening: OrderEventKind =
                serde_json::from_value(told["happening"].clone()).unwrap();
            if happening != OrderEventKind::Placed {
                let outcome = judge(status, happening);
                status = outcome
                    .ok_or_else(|| {
                        format!("the table knows no {happening:?} in {status:?}: {order}")
                    })?
                    .status;
            }
        }
        holds(order["version"] == version, || {
            format!("a version without its move: {order}")
        })?;
        holds(
            order["status"] == serde_json::to_value(status).unwrap(),
            || format!("a status without its move: {order}"),
        )?;
    }
    Ok(())
}

/// An order reported to a shopper exists and stays the same.
pub fn answered(world: &World, order: &Order) {
    let found = world.db.ask(&format!(
        "SELECT number FROM orders WHERE id = '{}'",
        order.id
    ));
    assert_eq!(
        found,
        [Value::from(order.number)],
        "{} was answered and is not there",
        order.id
    );
    let digits = order.number.to_string().len();
    assert!((6..=8).contains(&digits), "{} can be counted", order.number);
}

/// A key with an order is answered with that order, even if its quote has expired since, and a
/// refusal leaves no trace.
pub fn refused(world: &World, checkout: &Checkout, error: &Error) {
    let Checkout {
        order_id,
        cart_id,
        idempotency_key: key,
        ..
    } = checkout;
    if error.code() == Code::QuoteExpired {
        let sql = format!(
            "SELECT order_id FROM checkouts WHERE cart_id = '{cart_id}' AND idempotency_key = '{key}'"
        );
        assert_eq!(
            ids(world, &sql),
            [""; 0],
            "{key} was refused and has an order"
        );
    }
    // Another request with the key may still be working on the same order, and a repeated message
    // may hold again.
    if world.keys.borrow()[key] > 1 || world.storm.get().repeat > 0 {
        return;
    }
    let hold_id = format!("{order_id}:1");
    for sku in SKUS {
        let row = world.stock.row(sku, &format!("hold/{hold_id}"));
        let is_held = row.is_some_and(|row| is_reserved(&row));
        assert!(!is_held, "{order_id} was refused ({error}) and holds {sku}");
    }
    let frozen_by = world.carts.view(cart_id, world.now()).frozen_by;
    assert_ne!(
        frozen_by.as_deref(),
        Some(order_id.as_str()),
        "{cart_id} is frozen for a refusal"
    );
}

/// Within the bound, nothing is half done.
pub fn within_the_bound(world: &World) -> Holds {
    none(
        world,
        "what placed an order is not kept with it",
        "SELECT id FROM orders WHERE id NOT IN (SELECT order_id FROM checkouts) UNION SELECT order_id FROM checkouts WHERE order_id NOT IN (SELECT id FROM orders)",
    )?;
    none(
        world,
        "a task is undone",
        "SELECT order_id || ' ' || effect || ' ' || COALESCE(last_error, '') FROM outbox WHERE done_at IS NULL",
    )?;
    none(
        world,
        "two orders of one key",
        "SELECT order_id FROM checkouts GROUP BY cart_id, idempotency_key HAVING COUNT(*) > 1",
    )?;
    frozen_carts_have_orders(world, CartPeriods::default().abandoned_secs)
}

/// A frozen cart has an order. The exception is a cart frozen by a request that outlived its
/// checkout: it asks about its order after `patience_secs`.
fn frozen_carts_have_orders(world: &World, patience_secs: u32) -> Holds {
    let now = world.now();
    for cart_id in world.carts.names() {
        let cart = world.carts.view(&cart_id, now);
        let Some(order_id) = cart.frozen_by else {
            continue;
        };
        let known = ids(
            world,
            &format!("SELECT status FROM orders WHERE id = '{order_id}'"),
        );
        let waits =
            |status: &String| matches!(status.as_str(), "pending_payment" | "payment_review");
        let asks_later = cart
            .changed_at
            .is_some_and(|at| now < at.plus_secs(patience_secs));
        holds(
            matches!(known.as_slice(), [status] if waits(status))
                || (known.is_empty() && asks_later),
            || format!("{cart_id} is frozen by {order_id}: {known:?}"),
        )?;
    }
    Ok(())
}

/// Checks, once every session has ended, that money, goods and books agree.
pub fn at_the_end(world: &World) -> Holds {
    within_the_bound(world)?;
    frozen_carts_have_orders(world, 0)?;
    strays_are_given_back_or_told(world)?;
    no_request_comes_too_late(world)?;
    at_rest(world)
}

/// The provider of this world rejects a session only if its request is too old, and the shop does
/// not send such requests.
fn no_request_comes_too_late(world: &World) -> Holds {
    let refused = ids(
        world,
        "SELECT order_id FROM order_events WHERE happening = 'payment_refused'",
    );
    holds(refused.is_empty(), || {
        format!("{refused:?} came to nothing, since their requests were sent too late")
    })
}

/// Money that names an order but came through another session: the shop's own is refunded in full,
/// a stranger's is left alone, and staff are notified of each once. Money that names no order of
/// the shop leaves no trace.
fn strays_are_given_back_or_told(world: &World) -> Holds {
    let provider = world.provider.borrow();
    let sessions = provider.sessions.values().map(|it| &it.session);
    for session in sessions.filter(|it| !provider.is_own(&it.id)) {
        let Session { id, amount, .. } = session;
        let order_id = session.order_id.as_deref().unwrap_or_default();
        let told = ids(
            world,
            &format!(
                "SELECT subject FROM findings WHERE kind = 'stray_payment' AND error LIKE '{id} %'"
            ),
        );
        let is_paid = session.state == SessionState::Paid;
        let is_orders = order_id != "ord_of_nobody" && *amount > 0;
        let telling = usize::from(is_paid && is_orders);
        holds(told == vec![order_id; telling], || {
            format!("{session:?}, of which staff are told: {told:?}")
        })?;
        let back = provider.refunded(session) + provider.withdrawn(session);
        let is_shops = matches!(session.opener, Opener::Shop { .. });
        holds(
            !(is_paid && is_shops) || back == *amount || is_left_to_staff(world, order_id),
            || format!("{session:?}, of which {back} went back"),
        )?;
        let refunds = provider.refunds.values();
        let is_of_session =
            |it: &&ProviderRefund| Some(&it.payment_ref) == session.payment_ref.as_ref();
        let by_shop = refunds
            .filter(is_of_session)
            .filter(|it| it.refund_id.is_some());
        let by_shop = by_shop.count();
        holds(by_shop <= usize::from(is_paid && is_shops), || {
            format!("{session:?} was refunded {by_shop} times")
        })?;
    }
    Ok(())
}

impl Evidence for World {
    fn ask(&self, sql: &str) -> Vec<Value> {
        self.db.ask(sql)
    }

    fn stocks(&self) -> Vec<StockEvidence> {
        let stock_of = |sku: &str| StockEvidence {
            sku: sku.to_owned(),
            received: UNITS.into(),
            view: self.stock.view(sku, self.now()),
        };
        SKUS.iter().map(|sku| stock_of(sku)).collect()
    }

    fn promotions(&self) -> Vec<(String, View)> {
        let view_of = |id: &str| (id.to_owned(), self.promotions.view(id, self.now()));
        PROMOTIONS.iter().map(|(id, ..)| view_of(id)).collect()
    }

    fn payments(&self) -> Vec<PaymentEvidence> {
        let provider = self.provider.borrow();
        let evidence_of = |session: &Session| PaymentEvidence {
            session_id: session.id.clone(),
            order_id: session.order_id.as_deref().unwrap_or_default().to_owned(),
            state: session.state,
            amount: session.amount,
            refunded: provider.refunded(session),
            withdrawn: provider.withdrawn(session),
        };
        let sessions = provider.sessions.values().map(|it| &it.session);
        let own = sessions.filter(|it| provider.is_own(&it.id));
        own.map(evidence_of).collect()
    }

    fn disputed(&self) -> i64 {
        let provider = self.provider.borrow();
        let sessions = provider.sessions.values().map(|it| &it.session);
        let own: Vec<_> = sessions
            .filter(|it| provider.is_own(&it.id))
            .filter_map(|it| it.payment_ref.clone())
            .collect();
        let disputes = provider.disputes.values();
        let of_own = disputes.filter(|it| own.contains(&it.payment_ref));
        of_own.map(|it| it.withdrawn + it.fee).sum()
    }

    fn confirmations(&self, order_id: &str) -> u32 {
        let mails = self.mails.borrow();
        mails.get(order_id).copied().unwrap_or_default()
    }
}
