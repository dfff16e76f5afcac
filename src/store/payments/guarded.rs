//! A payment provider behind a circuit breaker ([`shop::payments::breaker`]).
//!
//! Failures are counted in each isolate's memory, so that a payment needs no additional round trip.
//! A change of state is written to D1, where staff see it and every isolate reads it again every
//! few seconds. A new isolate therefore learns of an outage without timeouts of its own, and only
//! one of all isolates sends the probe: the row's version is the guard.

use crate::store::orders::findings;
use crate::store::sql::{Database, SqlError, Statement, from_json, to_json};
use durable::Timestamp;
use serde::Deserialize;
use shop::error::Result;
use shop::orders::findings::{Finding, FindingKind};
use shop::payments::breaker::{Breaker, Health, Outcome, Permit, ProviderHealth};
use shop::payments::limits::ChargeLimits;
use shop::payments::provider::ProviderId;
use shop::payments::{
    BalanceEntry, EventSubject, NewRefund, NewSession, Page, PaymentError, Payments,
    ProviderDispute, ProviderRefund, Session, SessionItem, WebhookEvent, WebhookRequest,
};
use shop::values::ids::OrderId;
use shop::values::money::Currency;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Seconds until an isolate reads the shared state again.
const FRESH_SECS: u32 = 5;

/// The breaker as this isolate knows it.
#[derive(Clone, Copy, Debug)]
pub struct KnownHealth {
    breaker: Breaker,
    /// Version of the row that it was read from.
    version: i64,
    read_at: Timestamp,
}

/// Cache of the breakers by provider, shared by all events of an isolate.
pub type HealthCache = Rc<RefCell<BTreeMap<ProviderId, KnownHealth>>>;

/// The circuit breakers as shown to staff.
#[derive(Debug)]
pub struct BreakerD1<D>(pub D);

impl<D: Database> ProviderHealth for BreakerD1<D> {
    async fn health(&self, provider: ProviderId) -> Result<Health> {
        let statement = Statement::new(
            "SELECT version, breaker, changed_at, last_error FROM circuit_breakers WHERE name = ?1",
        );
        let rows: Vec<HealthRow> = self.0.query(statement.bind(provider.as_str())).await?;
        let Some(row) = rows.into_iter().next() else {
            return Ok(Health {
                breaker: Breaker::CLOSED,
                changed_at: None,
                last_error: None,
            });
        };
        Ok(Health {
            breaker: from_json(&row.breaker)?,
            changed_at: Some(Timestamp::from_millis(row.changed_at)),
            last_error: row.last_error,
        })
    }
}

#[derive(Deserialize)]
struct HealthRow {
    breaker: String,
    changed_at: i64,
    last_error: Option<String>,
}

/// A payment provider with its circuit breaker.
pub struct GuardedPayments<P, D> {
    /// The provider.
    pub provider: P,
    /// Name of the provider, and of its breaker.
    pub id: ProviderId,
    /// Database in which the breaker's state is shared.
    pub db: D,
    /// The breakers as this isolate knows them.
    pub knowledge: HealthCache,
    /// Current time. The time at which the event began is too early, because calls take long.
    pub clock: fn() -> Timestamp,
}

impl<P: Payments, D: Database> GuardedPayments<P, D> {
    /// Makes a call, unless the breaker is open.
    async fn guard<T>(
        &self,
        call: impl Future<Output = Result<T, PaymentError>>,
    ) -> Result<T, PaymentError> {
        self.ask().await?;
        let answer = call.await;
        match &answer {
            Ok(_)
            | Err(
                PaymentError::Refused(_)
                | PaymentError::TooLate(_)
                | PaymentError::Misconfigured(_),
            ) => {
                self.record(Outcome::Answered, None).await;
            }
            Err(PaymentError::Unknown(error)) => {
                self.record(Outcome::Failed, Some(error)).await;
            }
            Err(PaymentError::NoRoom(_)) => self.record(Outcome::NoRoom, None).await,
            // The provider was not called, or not to the end, so this tells nothing about its
            // health.
            Err(PaymentError::Unavailable(_) | PaymentError::TooMuch(_)) => {}
        }
        answer
    }

    async fn ask(&self) -> Result<(), PaymentError> {
        let now = (self.clock)();
        let known = self.known(now).await;
        let (breaker, permit) = known.breaker.ask(now);
        let alone = permit == Permit::Go
            && (breaker == known.breaker || self.write(known, breaker, None, now).await);
        if alone {
            return Ok(());
        }
        Err(PaymentError::Unavailable(
            "it keeps failing, so calls to it are paused".to_owned(),
        ))
    }

    async fn record(&self, outcome: Outcome, error: Option<&str>) {
        let now = (self.clock)();
        let known = self.known(now).await;
        let breaker = known.breaker.record(outcome, now);
        if breaker.is_like(known.breaker) {
            self.keep(Some(KnownHealth { breaker, ..known }));
        } else {
            self.write(known, breaker, error, now).await;
        }
    }

    /// Returns the cached breaker, after reading it again if it is old. Payments go on even if the
    /// database doesn't answer.
    async fn known(&self, now: Timestamp) -> KnownHealth {
        let known = self.knowledge.borrow().get(&self.id).copied();
        if let Some(known) = known.filter(|known| known.read_at.plus_secs(FRESH_SECS) > now) {
            return known;
        }
        let read = self.read(now).await;
        let fresh = match (read, known) {
            (Ok(read), Some(known)) if read.version == known.version => KnownHealth {
                read_at: now,
                ..known
            },
            (Ok(read), _) => read,
            (Err(_), known) => known.unwrap_or(KnownHealth {
                breaker: Breaker::CLOSED,
                version: 0,
                read_at: now,
            }),
        };
        self.keep(Some(fresh));
        fresh
    }

    fn keep(&self, known: Option<KnownHealth>) {
        let mut all = self.knowledge.borrow_mut();
        match known {
            Some(known) => all.insert(self.id, known),
            None => all.remove(&self.id),
        };
    }

    async fn read(&self, now: Timestamp) -> Result<KnownHealth> {
        let statement =
            Statement::new("SELECT version, breaker FROM circuit_breakers WHERE name = ?1");
        let rows: Vec<Row> = self.db.query(statement.bind(self.id.as_str())).await?;
        let row = rows.first();
        Ok(KnownHealth {
            breaker: row.map_or(Ok(Breaker::CLOSED), |row| from_json(&row.breaker))?,
            version: row.map_or(0, |row| row.version),
            read_at: now,
        })
    }

    /// Writes the new state for the other isolates; returns false if another isolate was faster.
    async fn write(
        &self,
        known: KnownHealth,
        breaker: Breaker,
        error: Option<&str>,
        now: Timestamp,
    ) -> bool {
        let version = known.version.saturating_add(1);
        let Ok(json) = to_json(&breaker) else {
            return false;
        };
        let statement = Statement::new(
            "INSERT INTO circuit_breakers (name, version, breaker, changed_at, last_error) VALUES (?5, ?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET version = ?1, breaker = ?2, changed_at = ?3, last_error = COALESCE(?4, last_error)
             WHERE version = ?1 - 1 RETURNING version, breaker",
        )
        .bind(version)
        .bind(json)
        .bind(now)
        .bind(error)
        .bind(self.id.as_str());
        let told = told(self.id, breaker, version, now);
        let written: Result<Vec<Row>, SqlError> = self.db.batch_then_query(told, statement).await;
        let won = written.as_ref().map_or(true, |rows| !rows.is_empty());
        self.keep(won.then_some(KnownHealth {
            breaker,
            version,
            read_at: now,
        }));
        won
    }
}

impl<P: Payments, D: Database> Payments for GuardedPayments<P, D> {
    fn limits(&self, currency: Currency) -> ChargeLimits {
        self.provider.limits(currency)
    }

    fn prepare(&self, session: &NewSession) -> Result<String> {
        self.provider.prepare(session)
    }

    fn renew(&self, request: &str, key: &str, expires_at: Timestamp) -> Result<String> {
        self.provider.renew(request, key, expires_at)
    }

    async fn open_session(&self, key: &str, request: &str) -> Result<Session, PaymentError> {
        self.guard(self.provider.open_session(key, request)).await
    }

    async fn session(&self, session_id: &str) -> Result<Session, PaymentError> {
        self.guard(self.provider.session(session_id)).await
    }

    async fn expire_session(&self, key: &str, session_id: &str) -> Result<Session, PaymentError> {
        self.guard(self.provider.expire_session(key, session_id))
            .await
    }

    async fn session_items(&self, session_id: &str) -> Result<Vec<SessionItem>, PaymentError> {
        self.guard(self.provider.session_items(session_id)).await
    }

    async fn find_session(
        &self,
        order_id: &OrderId,
        key: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Session>, PaymentError> {
        self.guard(self.provider.find_session(order_id, key, from, until))
            .await
    }

    async fn session_of_payment(&self, payment_ref: &str) -> Result<Option<Session>, PaymentError> {
        self.guard(self.provider.session_of_payment(payment_ref))
            .await
    }

    fn prepare_refund(&self, refund: &NewRefund) -> Result<String> {
        self.provider.prepare_refund(refund)
    }

    async fn create_refund(
        &self,
        key: &str,
        request: &str,
    ) -> Result<ProviderRefund, PaymentError> {
        self.guard(self.provider.create_refund(key, request)).await
    }

    async fn refund(&self, provider_id: &str) -> Result<ProviderRefund, PaymentError> {
        self.guard(self.provider.refund(provider_id)).await
    }

    async fn refunds_of(&self, payment_ref: &str) -> Result<Vec<ProviderRefund>, PaymentError> {
        self.guard(self.provider.refunds_of(payment_ref)).await
    }

    async fn dispute(&self, provider_id: &str) -> Result<ProviderDispute, PaymentError> {
        self.guard(self.provider.dispute(provider_id)).await
    }

    fn verify(&self, delivery: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookEvent> {
        self.provider.verify(delivery, now)
    }

    fn read_event(&self, payload: &str) -> Result<EventSubject> {
        self.provider.read_event(payload)
    }

    async fn undelivered_events(
        &self,
        since: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<WebhookEvent>, PaymentError> {
        self.guard(self.provider.undelivered_events(since, after))
            .await
    }

    async fn balance_entries(
        &self,
        from: Timestamp,
        until: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<BalanceEntry>, PaymentError> {
        self.guard(self.provider.balance_entries(from, until, after))
            .await
    }
}

/// Returns the statements of the transaction that changes the breaker.
fn told(provider: ProviderId, breaker: Breaker, version: i64, now: Timestamp) -> Vec<Statement> {
    if !matches!(breaker, Breaker::Open { .. }) {
        return vec![];
    }
    let error =
        "it keeps failing, so calls to it are paused: new orders wait for their payment page";
    let finding = Finding::for_staff(FindingKind::ProviderBreaker, provider.as_str(), error, now);
    findings::save_of_breaker(&finding, version).map_or_else(|_| vec![], |it| vec![it])
}

#[derive(Deserialize)]
struct Row {
    version: i64,
    breaker: String,
}
