//! The ports of the shop in this world: its own stores over SQLite, and objects, provider, inbox and mail that go wrong.

use crate::planted::{self, Bug};
use crate::provider;
use crate::scheduler::pause;
use crate::world::World;
use durable::machine::{ReplyOf, Request};
use durable::{Timestamp, cart, promotion, stock};
use serde::de::{DeserializeOwned, IgnoredAny};
use std::rc::Rc;
use storefront::error::{Error, Result};
use storefront::shop::mail::Letter;
use storefront::shop::orders::LinkRequest;
use storefront::shop::payments::{
    BalanceEntry, Delivery, NewRefund, NewSession, Notice, PaymentError, ProviderDispute,
    ProviderRefund, Session, SessionItem, WebhookEvent,
};
use storefront::shop::ports::{
    CartObjects, Inbox, Mail, Orders, Payments, Ports, Prices, PromotionObjects, StockObjects,
};
use storefront::shop::promotions::Uses;
use storefront::store::orders_d1::OrdersD1;
use storefront::store::prices_d1::PricesD1;
use storefront::store::sql::{Database, SqlError, Statement};

/// The world as the shop sees it.
#[derive(Clone)]
pub struct Sim(pub Rc<World>);

/// What becomes of one call.
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

    /// A call whose message may be lost, be late or come twice; `send` is what it does when it arrives.
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

impl Ports for Sim {
    fn prices(&self) -> impl Prices {
        PricesD1 {
            db: self.clone(),
            known: Rc::clone(&self.0.settings),
        }
    }

    fn stock(&self) -> impl StockObjects {
        self.clone()
    }

    fn promotions(&self) -> impl PromotionObjects {
        self.clone()
    }

    fn carts(&self) -> impl CartObjects {
        self.clone()
    }

    fn orders(&self) -> impl Orders {
        OrdersD1(self.clone())
    }

    fn payments(&self) -> impl Payments {
        self.clone()
    }

    fn inbox(&self) -> impl Inbox {
        self.clone()
    }

    fn mail(&self) -> impl Mail {
        self.clone()
    }
}

impl Database for Sim {
    async fn query<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>, SqlError> {
        // A query that writes is asked once: who asks it can't tell a repeat from the first.
        let fate = self.fate().await;
        if matches!(fate, Fate::Fails | Fate::Late) {
            return Err(SqlError::Failed("the database fails".to_owned()));
        }
        let rows = planted::rows(self.0.bug, statement.sql, self.0.db.query(&statement)?);
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
    /// A batch is not sent twice by the platform, but its answer can be lost, and it can land after its sender gave up.
    async fn write<T: DeserializeOwned>(
        &self,
        statements: Vec<Statement>,
        query: Option<Statement>,
    ) -> Result<Vec<T>, SqlError> {
        let fate = self.fate().await;
        let world = &self.0;
        world.touched.set(true);
        let statements = planted::statements(world.bug, statements);
        let what = statements.first().map(told).unwrap_or_default();
        let land = move |world: &World| world.db.batch(&statements, query.as_ref());
        let lost = |fault: &str| Err(SqlError::Failed(format!("the database {fault}")));
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

/// The beginning of a statement, for the trace.
fn told(statement: &Statement) -> String {
    let words: Vec<&str> = statement.sql.split_whitespace().take(3).collect();
    let parameters: String = format!("{:?}", statement.parameters)
        .chars()
        .take(120)
        .collect();
    format!("{} {parameters}", words.join(" "))
}

impl StockObjects for Sim {
    async fn ask(
        &self,
        sku: &str,
        operation_id: String,
        command: stock::Command,
    ) -> Result<stock::Reply> {
        let request = planted::request(
            self.0.bug,
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

    async fn view(&self, sku: &str) -> Result<stock::View> {
        let name = sku.to_owned();
        self.call(format!("look at {sku}"), move |world| {
            world.stock.view(&name, world.now())
        })
        .await
        .map_err(Error::internal)
    }
}

/// An object that loses its memory now and then.
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
        cart_id: &str,
        operation_id: String,
        command: cart::Command,
    ) -> Result<cart::Reply> {
        let freezes = matches!(command.change, cart::Change::Freeze { .. });
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

    async fn view(&self, cart_id: &str) -> Result<cart::Cart> {
        let name = cart_id.to_owned();
        self.call(format!("look at {cart_id}"), move |world| {
            world.carts.view(&name, world.now())
        })
        .await
        .map_err(Error::internal)
    }
}

type Asked<T> = Result<T, PaymentError>;

impl Sim {
    async fn ask_provider<T>(
        &self,
        what: &str,
        send: impl Fn(&World) -> Asked<T> + 'static,
    ) -> Asked<T> {
        self.call(format!("provider: {what}"), move |world| {
            if world.provider_answers() {
                return send(world);
            }
            Err(PaymentError::Unknown("the provider is gone".to_owned()))
        })
        .await
        .map_err(PaymentError::Unknown)?
    }
}

fn not_used<T>() -> Asked<T> {
    Err(PaymentError::Unknown("this world has none".to_owned()))
}

impl Payments for Sim {
    fn prepare(&self, session: &NewSession) -> Result<String> {
        Ok(provider::prepare(session))
    }

    fn renew(&self, request: &str, expires_at: Timestamp) -> Result<String> {
        Ok(provider::renew(request, expires_at))
    }

    async fn open_session(&self, idempotency_key: &str, request: &str) -> Asked<Session> {
        let (key, request) = (idempotency_key.to_owned(), request.to_owned());
        self.ask_provider(&format!("open {key}"), move |world| {
            world
                .provider
                .borrow_mut()
                .open(&key, &request, world.now())
        })
        .await
    }

    async fn session(&self, session_id: &str) -> Asked<Session> {
        let id = session_id.to_owned();
        self.ask_provider(&format!("look at {id}"), move |world| {
            world.provider.borrow().session(&id)
        })
        .await
    }

    async fn expire_session(&self, _idempotency_key: &str, session_id: &str) -> Asked<Session> {
        let id = session_id.to_owned();
        self.ask_provider(&format!("end {id}"), move |world| {
            world.provider.borrow_mut().end(&id)
        })
        .await
    }

    async fn session_items(&self, _session_id: &str) -> Asked<Vec<SessionItem>> {
        not_used()
    }

    async fn find_session(&self, order_id: &str, _since: Timestamp) -> Asked<Option<Session>> {
        let id = order_id.to_owned();
        self.ask_provider(&format!("find {id}"), move |world| {
            let found = world
                .provider
                .borrow()
                .session_of(|it| it.order_id.as_ref() == Some(&id));
            Ok(found.filter(|_| world.bug != Some(Bug::SessionsNotLookedFor)))
        })
        .await
    }

    async fn session_of_payment(&self, payment_ref: &str) -> Asked<Option<Session>> {
        let money = payment_ref.to_owned();
        self.ask_provider(&format!("whose is {money}"), move |world| {
            Ok(world
                .provider
                .borrow()
                .session_of(|it| it.payment_ref.as_ref() == Some(&money)))
        })
        .await
    }

    fn prepare_refund(&self, refund: &NewRefund) -> Result<String> {
        Ok(provider::prepare_refund(refund))
    }

    async fn create_refund(&self, idempotency_key: &str, request: &str) -> Asked<ProviderRefund> {
        let (key, request) = (idempotency_key.to_owned(), request.to_owned());
        let pending = self.0.random.chance(300);
        self.ask_provider(&format!("refund {key}"), move |world| {
            world.provider.borrow_mut().refund(&key, &request, pending)
        })
        .await
    }

    async fn refund(&self, provider_id: &str) -> Asked<ProviderRefund> {
        let id = provider_id.to_owned();
        self.ask_provider(&format!("look at {id}"), move |world| {
            let found = world.provider.borrow().refunds.get(&id).cloned();
            found.ok_or_else(|| PaymentError::Refused("no such refund".to_owned()))
        })
        .await
    }

    async fn refunds_of(&self, payment_ref: &str) -> Asked<Vec<ProviderRefund>> {
        let money = payment_ref.to_owned();
        self.ask_provider(&format!("refunds of {money}"), move |world| {
            let provider = world.provider.borrow();
            Ok(provider
                .refunds
                .values()
                .filter(|it| it.payment_ref == money)
                .cloned()
                .collect())
        })
        .await
    }

    async fn dispute(&self, provider_id: &str) -> Asked<ProviderDispute> {
        let id = provider_id.to_owned();
        self.ask_provider(&format!("look at {id}"), move |world| {
            let found = world.provider.borrow().disputes.get(&id).cloned();
            found.ok_or_else(|| PaymentError::Refused("no such dispute".to_owned()))
        })
        .await
    }

    fn verify(&self, _delivery: &Delivery<'_>, _now: Timestamp) -> Result<WebhookEvent> {
        Err(Error::internal("deliveries are not signed here"))
    }

    /// An event's payload is the id of what it is about.
    fn read_event(&self, payload: &str) -> Result<Notice> {
        let id = payload.to_owned();
        Ok(match payload.split('_').next() {
            Some("re") => Notice::Refund(id),
            Some("du") => Notice::Dispute(id),
            _ => Notice::Session(id),
        })
    }

    async fn undelivered_events(&self, _since: Timestamp) -> Asked<Vec<WebhookEvent>> {
        self.ask_provider("undelivered events", |world| {
            let provider = world.provider.borrow();
            let of = |(at, about): (usize, &String)| WebhookEvent {
                id: format!("{about}/undelivered{at}"),
                kind: "undelivered".to_owned(),
                payload: about.clone(),
            };
            Ok(provider.undelivered.iter().enumerate().map(of).collect())
        })
        .await
    }

    /// Nothing is compared in this world: its invariants do.
    async fn balance_entries(
        &self,
        _from: Timestamp,
        _until: Timestamp,
    ) -> Asked<Vec<BalanceEntry>> {
        Ok(vec![])
    }
}

impl Inbox for Sim {
    async fn receive(&self, event: &WebhookEvent, _now: Timestamp) -> Result<bool> {
        let id = event.id.clone();
        self.call(format!("keep {id}"), move |world| {
            let mut inbox = world.inbox.borrow_mut();
            let is_new = !inbox.contains_key(&id);
            inbox.entry(id.clone()).or_insert(false);
            is_new
        })
        .await
        .map_err(Error::internal)
    }

    async fn enqueue(&self, event_id: &str) -> Result<()> {
        let id = event_id.to_owned();
        self.call(format!("queue {id}"), move |world| {
            world.queue.borrow_mut().push(id.clone())
        })
        .await
        .map_err(Error::internal)
    }

    async fn payload(&self, event_id: &str) -> Result<Option<String>> {
        let session_id = event_id.split('/').next().unwrap_or_default().to_owned();
        Ok(self
            .0
            .inbox
            .borrow()
            .contains_key(event_id)
            .then_some(session_id))
    }

    async fn processed(&self, event_id: &str, _outcome: &str, _now: Timestamp) -> Result<()> {
        let id = event_id.to_owned();
        self.call(format!("done {id}"), move |world| {
            world.inbox.borrow_mut().insert(id.clone(), true)
        })
        .await
        .map(|_| ())
        .map_err(Error::internal)
    }

    async fn unseen(&self, _before: Timestamp, _limit: u32) -> Result<Vec<String>> {
        let inbox = self.0.inbox.borrow();
        Ok(inbox
            .iter()
            .filter(|(_, done)| !**done)
            .map(|(id, _)| id.clone())
            .collect())
    }
}

impl Mail for Sim {
    async fn ask_for_link(&self, request: &LinkRequest) -> Result<()> {
        unreachable!("no actor asks for {request:?}")
    }

    async fn post(&self, letter: &Letter) -> Result<()> {
        let id = letter.order_id.clone();
        self.call(format!("mail {id}"), move |world| {
            *world.mails.borrow_mut().entry(id.clone()).or_default() += 1;
        })
        .await
        .map_err(Error::internal)
    }
}
