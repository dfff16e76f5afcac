//! Two payment providers in one world: every request about a payment goes to the provider that the
//! payment names, whichever takes new payments now.

use crate::ports::Sim;
use crate::ports::payments::ProviderOf;
use crate::recovery::{calm, ordered};
use crate::scheduler;
use crate::world::World;
use durable::Timestamp;
use shop::aftersales::refunds::{AskedRefund, create_refund};
use shop::error::Result;
use shop::operations::dead_letters::MessageQueues;
use shop::orders::findings::Finding;
use shop::orders::moving::find_order;
use shop::orders::order::{Order, RefundStatus};
use shop::orders::progress::OrderPaymentStatus;
use shop::orders::transitions::OrderStatus;
use shop::payments::breaker::{Breaker, ProviderHealth};
use shop::payments::inbox::Inbox;
use shop::payments::provider::ProviderId;
use shop::payments::{
    BalanceEntry, BalanceKind, PaymentError, Payments, RefundState, Session, WebhookEvent,
};
use shop::settlement::check::check_payment;
use shop::settlement::events::handle_event;
use shop::settlement::ports::SettlementPorts;
use shop::settlement::reconciliation::balance::compare_balance;
use shop::settlement::reconciliation::undelivered::heal_undelivered;
use shop::values::staff_name::StaffName;
use std::cell::RefCell;
use std::rc::Rc;
use storefront::store::payments::guarded::{BreakerD1, GuardedPayments, HealthCache};
use storefront::store::payments::inbox::InboxD1;
use storefront::store::settlement::jobs::JobsD1;

const BOTH: [ProviderId; 2] = [ProviderId::Stripe, ProviderId::Second];

const DAY_MILLIS: i64 = 86_400_000;

#[test]
fn an_order_is_settled_and_refunded_by_the_provider_of_its_payment() {
    let world = calm(2);
    let orders = ordered_at_both(&world);
    for (order, provider) in orders.iter().zip(BOTH) {
        assert_eq!(order.payment.provider, provider);
        pay(&world, order);
        assert_eq!(looked_at(&world, order).status, OrderStatus::Confirmed);
    }
    for (order, (provider, other)) in orders.iter().zip(BOTH.into_iter().zip([BOTH[1], BOTH[0]])) {
        world.new_payments.set(other);
        refund(&world, order);
        let order = looked_at(&world, order);
        assert_eq!(order.payment_status(), OrderPaymentStatus::Refunded);
        let session = session_of(&world, &order);
        let at = |provider| world.provider_of(provider).borrow().refunded(&session);
        assert_eq!((at(provider), at(other)), (order.totals.total, 0));
    }
}

#[test]
fn an_event_is_about_what_its_own_provider_has() {
    let world = calm(2);
    let orders = ordered_at_both(&world);
    world.new_payments.set(ProviderId::Stripe);
    for (order, provider) in orders.iter().zip(BOTH) {
        pay(&world, order);
        tell(&world, provider, order.payment.session_id.as_ref().unwrap());
        assert_eq!(found(&world, order).status, OrderStatus::Confirmed);
    }
}

/// The shopper paid at one provider, and with the same request at the other.
#[test]
fn money_at_another_provider_than_the_orders_goes_back_there() {
    let world = calm(1);
    let order = ordered(&world, 0).unwrap();
    pay(&world, &order);
    looked_at(&world, &order);
    assert_eq!(paid_back_at_second(&world, &order), order.totals.total);
    assert!(world.provider.borrow().refunds.is_empty());
    let order = found(&world, &order);
    assert_eq!(order.status, OrderStatus::Confirmed);
    assert!(order.refunds.is_empty());
    let kept = world.db.ask("SELECT provider FROM stray_payments");
    assert_eq!(kept, ["second"]);
}

/// Its key is the order's, whose own session nobody knows yet.
#[test]
fn money_at_another_provider_does_not_confirm_an_order() {
    let world = calm(1);
    world.is_left_alone.set(true);
    let order = ordered(&world, 0).unwrap();
    world.is_left_alone.set(false);
    assert_eq!(order.payment.session_id, None);
    assert_eq!(paid_back_at_second(&world, &order), order.totals.total);
    assert_eq!(found(&world, &order).status, OrderStatus::PendingPayment);
}

#[test]
fn a_provider_is_reconciled_with_what_it_took_and_has_told() {
    let world = calm(2);
    let orders = ordered_at_both(&world);
    for (order, provider) in orders.iter().zip(BOTH) {
        pay(&world, order);
        looked_at(&world, order);
        let session = session_of(&world, order);
        let about = session.id.clone();
        let mut provider = world.provider_of(provider).borrow_mut();
        provider.undelivered.push(about);
        provider.balance.push(entry(&session, world.now()));
    }
    world.advance(2 * DAY_MILLIS);
    for provider in BOTH {
        let kind = |it: &Finding| (it.kind, it.subject.clone());
        let told: Vec<_> = reconciled(&world, provider).iter().map(kind).collect();
        assert_eq!(told.len(), 1, "one event, no difference: {told:?}");
        world.provider_of(provider).borrow_mut().balance.clear();
    }
    let keys: Vec<String> = world.inbox.borrow().keys().cloned().collect();
    assert_eq!(
        keys,
        ["cs_1/undelivered0", "second:second:cs_1/undelivered0"]
    );
}

#[test]
fn one_providers_outage_is_not_the_others() {
    let world = calm(0);
    let sim = Sim(Rc::clone(&world));
    once(&world, async move {
        let known = HealthCache::default();
        let guarded = |id| GuardedPayments {
            id,
            provider: ProviderOf {
                sim: sim.clone(),
                id,
            },
            db: sim.clone(),
            knowledge: Rc::clone(&known),
            clock: Timestamp::default,
        };
        let [first, second] = BOTH.map(guarded);
        for _ in 0..5 {
            let failed = first.session_items("none").await;
            assert!(matches!(failed, Err(PaymentError::Unknown(_))));
        }
        let (left_alone, asked) = (first.session("cs_1").await, second.session("cs_1").await);
        assert!(matches!(left_alone, Err(PaymentError::Unavailable(_))));
        assert!(matches!(asked, Err(PaymentError::Refused(_))));
        let staff = BreakerD1(sim.clone());
        let seen = |health: Result<_>| -> Breaker {
            let health: shop::payments::breaker::Health = health.unwrap();
            health.breaker
        };
        let [stripe, other] = BOTH.map(|id| staff.health(id));
        assert!(matches!(seen(stripe.await), Breaker::Open { .. }));
        assert_eq!(seen(other.await), Breaker::CLOSED);
    });
    let told = world.db.ask("SELECT subject FROM findings");
    assert_eq!(told, ["stripe"]);
}

#[test]
fn two_providers_may_call_their_events_alike() {
    let world = calm(0);
    let (sim, queue) = (Sim(Rc::clone(&world)), Queue::default());
    let sent = queue.clone();
    once(&world, async move {
        let inbox = InboxD1 {
            db: sim.clone(),
            queues: queue,
        };
        let now = sim.0.now();
        for provider in BOTH {
            let event = told_by(provider, "evt_1");
            assert!(inbox.receive(&event, now).await.unwrap());
            assert!(!inbox.receive(&event, now).await.unwrap());
            let again = [event.clone(), told_by(provider, "evt_2")];
            let fresh = inbox.receive_all(&again, now).await.unwrap();
            assert_eq!(fresh, [again[1].key()]);
            inbox.enqueue(&event.key(), 0).await.unwrap();
        }
        for (key, provider) in ["evt_1", "second:evt_1"].into_iter().zip(BOTH) {
            let kept = inbox.event(key).await.unwrap().unwrap();
            assert_eq!(
                (kept.provider, kept.payload),
                (provider, format!("of {key}"))
            );
        }
        let unseen = inbox.unseen(now.plus_secs(1), 10).await.unwrap();
        assert_eq!(unseen.len(), 4);
    });
    assert_eq!(*sent.0.borrow(), ["evt_1", "second:evt_1"]);
}

/// Version N−1 writes no provider: into rows that are kept, and messages on their way.
#[test]
fn what_names_no_provider_is_stripes() {
    let world = calm(1);
    let order = ordered(&world, 0).unwrap();
    let session = order.payment.session_id.clone().unwrap();
    world.db.tell(&format!(
        "INSERT INTO webhook_events (id, kind, payload, received_at) VALUES ('evt_1', 'told', '{session}', 0);
         INSERT INTO payments (id, order_id, status, request, expires_at) VALUES ('pay_1', 'ord_1', 'open', '', 0)"
    ));
    let of_payment = world
        .db
        .ask("SELECT provider FROM payments WHERE id = 'pay_1'");
    assert_eq!(of_payment, ["stripe"]);
    let sim = Sim(Rc::clone(&world));
    let kept = once(&world, async move {
        let inbox = InboxD1 {
            db: sim,
            queues: Queue::default(),
        };
        inbox.event("evt_1").await.unwrap().unwrap()
    });
    assert_eq!((kept.provider, kept.payload), (ProviderId::Stripe, session));
}

/// An order at each.
fn ordered_at_both(world: &Rc<World>) -> Vec<Order> {
    let numbered = (0..).zip(BOTH);
    let placed = numbered.map(|(number, provider)| {
        world.new_payments.set(provider);
        ordered(world, number).unwrap()
    });
    placed.collect()
}

fn pay(world: &World, order: &Order) {
    let session_id = order.payment.session_id.as_ref().unwrap();
    let provider = world.provider_of(order.payment.provider);
    assert!(provider.borrow_mut().pay(session_id));
}

/// Pays the order's request at the second provider, which is not its own; what goes back.
fn paid_back_at_second(world: &Rc<World>, order: &Order) -> i64 {
    let (payment, now) = (&order.payment, world.now());
    let opened = world
        .second
        .borrow_mut()
        .open(&payment.key(), &payment.request, now);
    let id = opened.unwrap().id;
    assert!(world.second.borrow_mut().pay(&id));
    tell(world, ProviderId::Second, &id);
    end_refunds(world, ProviderId::Second);
    let second = world.second.borrow();
    second.refunded(&second.session(&id).unwrap())
}

fn session_of(world: &World, order: &Order) -> Session {
    let session_id = order.payment.session_id.as_ref().unwrap();
    let provider = world.provider_of(order.payment.provider);
    provider.borrow().session(session_id).unwrap()
}

/// The shop gives all of it back, and the provider carries that out.
fn refund(world: &Rc<World>, order: &Order) {
    let (sim, id) = (Sim(Rc::clone(world)), order.id.clone());
    once(world, async move {
        let all = AskedRefund {
            amount: None,
            reason: None,
        };
        let refund_id = sim.0.name("re");
        let (by, now) = (StaffName::default(), sim.0.now());
        create_refund(&sim, &id, &refund_id, all, &by, now)
            .await
            .unwrap();
    });
    end_refunds(world, order.payment.provider);
    let order = found(world, order);
    assert_eq!(order.refunds.len(), 1);
    assert_ne!(order.refunds[0].status, RefundStatus::Failed);
}

/// Whatever was on its way has arrived, and the shop is told.
fn end_refunds(world: &Rc<World>, provider: ProviderId) {
    let ids: Vec<String> = {
        let mut provider = world.provider_of(provider).borrow_mut();
        let ids: Vec<String> = provider.refunds.keys().cloned().collect();
        for id in &ids {
            provider.end_refund(id, RefundState::Succeeded);
        }
        ids
    };
    for id in ids {
        tell(world, provider, &id);
    }
}

/// Delivers an event about this, and has it dealt with.
fn tell(world: &Rc<World>, provider: ProviderId, about: &str) {
    let sim = Sim(Rc::clone(world));
    let event = WebhookEvent {
        id: format!("{about}/told"),
        payload: about.to_owned(),
        ..told_by(provider, about)
    };
    once(world, async move {
        let now = sim.0.now();
        sim.inbox().receive(&event, now).await.unwrap();
        handle_event(&sim, &event.key(), now).await.unwrap();
    });
}

fn told_by(provider: ProviderId, id: &str) -> WebhookEvent {
    WebhookEvent {
        provider,
        id: id.to_owned(),
        kind: "told".to_owned(),
        payload: format!("of {}", provider.key_of(id)),
    }
}

/// The order after its payment was looked at.
fn looked_at(world: &Rc<World>, order: &Order) -> Order {
    let (sim, id) = (Sim(Rc::clone(world)), order.id.clone());
    once(world, async move {
        let now = sim.0.now();
        check_payment(&sim, &id, now).await.unwrap()
    })
}

fn found(world: &Rc<World>, order: &Order) -> Order {
    let (sim, id) = (Sim(Rc::clone(world)), order.id.clone());
    once(world, async move { find_order(&sim, &id).await.unwrap() })
}

fn entry(session: &Session, at: Timestamp) -> BalanceEntry {
    BalanceEntry {
        id: format!("txn_{}", session.id),
        payment_ref: session.payment_ref.clone().unwrap(),
        kind: BalanceKind::Payment,
        amount: session.amount,
        fee: 0,
        currency: session.currency.clone(),
        at,
    }
}

/// Returns the findings of reconciling with a provider in two runs, of a day each.
fn reconciled(world: &Rc<World>, provider: ProviderId) -> Vec<Finding> {
    let sim = Sim(Rc::clone(world));
    once(world, async move {
        let (jobs, now) = (JobsD1(sim.clone()), sim.0.now());
        let day_before = now.minus_secs(24 * 60 * 60);
        let mut findings = heal_undelivered(&sim, &jobs, provider, now).await.unwrap();
        for at in [day_before, now] {
            let differing = compare_balance(&sim, &jobs, provider, at).await;
            findings.extend(differing.unwrap());
        }
        findings
    })
}

fn once<T: 'static>(world: &Rc<World>, work: impl Future<Output = T> + 'static) -> T {
    scheduler::once(world, work, || Ok(()))
}

/// Messages that were sent.
#[derive(Clone, Default)]
struct Queue(Rc<RefCell<Vec<String>>>);

impl MessageQueues for Queue {
    async fn send_later(&self, _queue: &str, body: &str, _delay_secs: u32) -> Result<()> {
        self.0.borrow_mut().push(body.to_owned());
        Ok(())
    }

    async fn send_all(&self, _queue: &str, bodies: &[String]) -> Result<()> {
        self.0.borrow_mut().extend_from_slice(bodies);
        Ok(())
    }
}
