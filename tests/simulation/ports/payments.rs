//! The payment provider, as far as it is reached.

use crate::planted::Bug;
use crate::ports::Sim;
use crate::world::World;
use crate::{planted, provider};
use durable::Timestamp;
use shop::error::{Error, Result};
use shop::payments::{
    BalanceEntry, EventSubject, Named, NewRefund, NewSession, Opener, Page, PaymentError, Payments,
    ProviderDispute, ProviderRefund, Session, SessionItem, WebhookEvent, WebhookRequest,
};
use shop::values::money::Currency;

type Asked<T> = Result<T, PaymentError>;

impl Sim {
    async fn ask_provider<T>(
        &self,
        what: &str,
        send: impl Fn(&World) -> Asked<T> + 'static,
    ) -> Asked<T> {
        if self.0.is_left_alone.get() {
            return Err(PaymentError::Unavailable("it is left alone".to_owned()));
        }
        self.call(format!("provider: {what}"), move |world| {
            if !world.provider_takes() {
                return Err(PaymentError::NoRoom("too many calls".to_owned()));
            }
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
    fn largest_charge(&self, _currency: Currency) -> i64 {
        i64::MAX
    }

    fn prepare(&self, session: &NewSession) -> Result<String> {
        Ok(provider::prepare(session))
    }

    fn renew(&self, request: &str, key: &str, expires_at: Timestamp) -> Result<String> {
        Ok(provider::renew(request, key, expires_at))
    }

    async fn open_session(&self, idempotency_key: &str, request: &str) -> Asked<Session> {
        let (key, request) = (idempotency_key.to_owned(), request.to_owned());
        self.ask_provider(&format!("open {key}"), move |world| {
            let now = world.now();
            if planted::is_not_looked_for(world.bug, &request, now) {
                return Err(PaymentError::TooLate("nobody looked".to_owned()));
            }
            let answer = world.provider.borrow_mut().open(&key, &request, now);
            planted::opened(world.bug, answer)
        })
        .await
    }

    async fn session(&self, session_id: &str) -> Asked<Session> {
        let id = session_id.to_owned();
        self.ask_provider(&format!("look at {id}"), move |world| {
            let session = world.provider.borrow().session(&id);
            session.map(|session| planted::session(world, session))
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

    async fn find_session(
        &self,
        order_id: &str,
        key: &str,
        _from: Timestamp,
        _until: Timestamp,
    ) -> Asked<Option<Session>> {
        let id = order_id.to_owned();
        let opener = Opener::Shop {
            key: Some(key.to_owned()),
        };
        self.ask_provider(&format!("find {id}"), move |world| {
            let found = world
                .provider
                .borrow()
                .session_of(|it| it.order_id.as_ref() == Some(&id) && it.opener == opener);
            Ok(found.filter(|_| world.bug != Some(Bug::SessionsNotLookedFor)))
        })
        .await
    }

    async fn session_of_payment(&self, payment_ref: &str) -> Asked<Option<Session>> {
        let money = payment_ref.to_owned();
        self.ask_provider(&format!("whose is {money}"), move |world| {
            let found = world
                .provider
                .borrow()
                .session_of(|it| it.payment_ref.as_ref() == Some(&money));
            Ok(found.map(|session| planted::session(world, session)))
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

    fn verify(&self, _delivery: &WebhookRequest<'_>, _now: Timestamp) -> Result<WebhookEvent> {
        Err(Error::internal("deliveries are not signed here"))
    }

    /// An event's payload is the id of what it is about.
    fn read_event(&self, payload: &str) -> Result<EventSubject> {
        let id = payload.to_owned();
        Ok(match payload.split('_').next() {
            Some("re") => EventSubject::Refund(id),
            Some("du") => EventSubject::Dispute(id),
            _ => {
                let session = self.0.provider.borrow().session(&id);
                let named = match session.map(|session| session.order_id) {
                    Ok(Some(reference)) => Named::Reference(reference),
                    Ok(None) => Named::Nothing,
                    Err(_) => Named::Unsaid,
                };
                EventSubject::Session { id, named }
            }
        })
    }

    async fn undelivered_events(
        &self,
        _since: Timestamp,
        after: Option<&str>,
    ) -> Asked<Page<WebhookEvent>> {
        let end = after.and_then(|after| after.parse().ok());
        self.ask_provider("undelivered events", move |world| {
            let provider = world.provider.borrow();
            let end = end.unwrap_or(provider.undelivered.len());
            let start = end.saturating_sub(EVENTS_A_PAGE);
            let of = |at: usize| WebhookEvent {
                id: format!("{}/undelivered{at}", provider.undelivered[at]),
                kind: "undelivered".to_owned(),
                payload: provider.undelivered[at].clone(),
            };
            Ok(Page {
                items: (start..end).rev().map(of).collect(),
                next: (start > 0).then(|| start.to_string()),
            })
        })
        .await
    }

    async fn balance_entries(
        &self,
        from: Timestamp,
        until: Timestamp,
        after: Option<&str>,
    ) -> Asked<Page<BalanceEntry>> {
        let behind = after.map(str::to_owned);
        self.ask_provider("balance", move |world| {
            Ok(world
                .provider
                .borrow()
                .balance_page(&(from..until), behind.as_deref()))
        })
        .await
    }
}

/// Few, so that a look takes several.
const EVENTS_A_PAGE: usize = 3;
