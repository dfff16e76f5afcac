//! The payment providers, while they can be reached.

use crate::planted::Bug;
use crate::ports::Sim;
use crate::ports::messages::SECOND;
use crate::world::World;
use crate::{planted, provider};
use durable::Timestamp;
use shop::error::{Error, Result};
use shop::payments::limits::ChargeLimits;
use shop::payments::provider::ProviderId;
use shop::payments::{
    BalanceEntry, EventSubject, Named, NewRefund, NewSession, Opener, Page, PaymentError, Payments,
    ProviderDispute, ProviderRefund, Session, SessionItem, WebhookEvent, WebhookRequest,
};
use shop::values::ids::OrderId;
use shop::values::money::Currency;

type Asked<T> = Result<T, PaymentError>;

/// A provider of this world.
pub struct ProviderOf {
    pub sim: Sim,
    pub id: ProviderId,
}

impl ProviderOf {
    async fn ask_provider<T>(
        &self,
        what: &str,
        send: impl Fn(&World) -> Asked<T> + 'static,
    ) -> Asked<T> {
        if self.sim.0.is_left_alone.get() {
            return Err(PaymentError::Unavailable("it is left alone".to_owned()));
        }
        self.sim
            .call(format!("provider: {what}"), move |world| {
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

impl Payments for ProviderOf {
    fn limits(&self, _currency: Currency) -> ChargeLimits {
        ChargeLimits {
            smallest: 50,
            largest: i64::MAX,
            step: 1,
        }
    }

    fn prepare(&self, session: &NewSession) -> Result<String> {
        Ok(provider::prepare(session))
    }

    fn renew(&self, request: &str, key: &str, expires_at: Timestamp) -> Result<String> {
        Ok(provider::renew(request, key, expires_at))
    }

    async fn open_session(&self, idempotency_key: &str, request: &str) -> Asked<Session> {
        let at = self.id;
        let (key, request) = (idempotency_key.to_owned(), request.to_owned());
        self.ask_provider(&format!("open {key}"), move |world| {
            let now = world.now();
            if planted::is_not_looked_for(world.bug, &request, now) {
                return Err(PaymentError::TooLate("nobody looked".to_owned()));
            }
            let answer = world.provider_of(at).borrow_mut().open(&key, &request, now);
            planted::opened(world.bug, answer)
        })
        .await
    }

    async fn session(&self, session_id: &str) -> Asked<Session> {
        let at = self.id;
        let id = session_id.to_owned();
        self.ask_provider(&format!("look at {id}"), move |world| {
            let session = world.provider_of(at).borrow().session(&id);
            session.map(|session| planted::session(world, session))
        })
        .await
    }

    async fn expire_session(&self, _idempotency_key: &str, session_id: &str) -> Asked<Session> {
        let at = self.id;
        let id = session_id.to_owned();
        self.ask_provider(&format!("end {id}"), move |world| {
            world.provider_of(at).borrow_mut().end(&id)
        })
        .await
    }

    async fn session_items(&self, _session_id: &str) -> Asked<Vec<SessionItem>> {
        not_used()
    }

    async fn find_session(
        &self,
        order_id: &OrderId,
        key: &str,
        _from: Timestamp,
        _until: Timestamp,
    ) -> Asked<Option<Session>> {
        let at = self.id;
        let id = order_id.to_owned();
        let opener = Opener::Shop {
            key: Some(key.to_owned()),
        };
        self.ask_provider(&format!("find {id}"), move |world| {
            let found = world
                .provider_of(at)
                .borrow()
                .session_of(|it| it.order_id.as_ref() == Some(&id) && it.opener == opener);
            Ok(found.filter(|_| world.bug != Some(Bug::SessionsNotLookedFor)))
        })
        .await
    }

    async fn session_of_payment(&self, payment_ref: &str) -> Asked<Option<Session>> {
        let at = self.id;
        let money = payment_ref.to_owned();
        self.ask_provider(&format!("whose is {money}"), move |world| {
            let found = world
                .provider_of(at)
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
        let at = self.id;
        let (key, request) = (idempotency_key.to_owned(), request.to_owned());
        let pending = self.sim.0.random.chance(300);
        self.ask_provider(&format!("refund {key}"), move |world| {
            world
                .provider_of(at)
                .borrow_mut()
                .refund(&key, &request, pending)
        })
        .await
    }

    async fn refund(&self, provider_id: &str) -> Asked<ProviderRefund> {
        let at = self.id;
        let id = provider_id.to_owned();
        self.ask_provider(&format!("look at {id}"), move |world| {
            let found = world.provider_of(at).borrow().refunds.get(&id).cloned();
            found.ok_or_else(|| PaymentError::Refused("no such refund".to_owned()))
        })
        .await
    }

    async fn refunds_of(&self, payment_ref: &str) -> Asked<Vec<ProviderRefund>> {
        let at = self.id;
        let money = payment_ref.to_owned();
        self.ask_provider(&format!("refunds of {money}"), move |world| {
            let provider = world.provider_of(at).borrow();
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
        let at = self.id;
        let id = provider_id.to_owned();
        self.ask_provider(&format!("look at {id}"), move |world| {
            let found = world.provider_of(at).borrow().disputes.get(&id).cloned();
            found.ok_or_else(|| PaymentError::Refused("no such dispute".to_owned()))
        })
        .await
    }

    fn verify(&self, _delivery: &WebhookRequest<'_>, _now: Timestamp) -> Result<WebhookEvent> {
        Err(Error::internal("deliveries are not signed here"))
    }

    /// Reads an event. Its payload is the ID of its subject.
    fn read_event(&self, payload: &str) -> Result<EventSubject> {
        let id = payload.to_owned();
        let plain = payload.strip_prefix(SECOND).unwrap_or(payload);
        Ok(match plain.split('_').next() {
            Some("re") => EventSubject::Refund(id),
            Some("du") => EventSubject::Dispute(id),
            _ => {
                let session = self.sim.0.provider_of(self.id).borrow().session(&id);
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
        let at = self.id;
        let end = after.and_then(|after| after.parse().ok());
        self.ask_provider("undelivered events", move |world| {
            let provider = world.provider_of(at).borrow();
            let end = end.unwrap_or(provider.undelivered.len());
            let start = end.saturating_sub(EVENTS_A_PAGE);
            let of = |nth: usize| WebhookEvent {
                provider: at,
                id: format!("{}/undelivered{nth}", provider.undelivered[nth]),
                kind: "undelivered".to_owned(),
                payload: provider.undelivered[nth].clone(),
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
        let at = self.id;
        let behind = after.map(str::to_owned);
        self.ask_provider("balance", move |world| {
            Ok(world
                .provider_of(at)
                .borrow()
                .balance_page(&(from..until), behind.as_deref()))
        })
        .await
    }
}

/// Small, so that a look at the events takes several pages.
const EVENTS_A_PAGE: usize = 3;
