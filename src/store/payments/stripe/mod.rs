//! [`Payments`] by Stripe's hosted Checkout Sessions: card data never passes through the shop. No
//! code outside this folder uses Stripe's terms.
//!
//! Every POST carries an Idempotency-Key, which was stored with its exact body before the first
//! call. A timeout or a 5xx means *unknown*, not failed: the request is sent again under the same
//! key (docs.stripe.com/api/idempotent_requests).

pub mod account;
mod balance;
mod client;
mod disputes;
mod events;
mod patience;
mod refunds;
mod sessions;
mod signature;
mod wire;

use crate::store::payments::stripe::account::Stripe;
use durable::Timestamp;
use shop::error::Result;
use shop::payments::limits::ChargeLimits;
use shop::payments::{
    BalanceEntry, EventSubject, NewRefund, NewSession, Page, PaymentError, Payments,
    ProviderDispute, ProviderRefund, Session, SessionItem, WebhookEvent, WebhookRequest,
};
use shop::values::ids::OrderId;
use shop::values::money::Currency;

pub use patience::Patience;

impl Payments for Stripe {
    fn limits(&self, currency: Currency) -> ChargeLimits {
        wire::limits(currency)
    }

    fn prepare(&self, session: &NewSession) -> Result<String> {
        sessions::prepare(session)
    }

    fn renew(&self, request: &str, key: &str, expires_at: Timestamp) -> Result<String> {
        Ok(sessions::renew(request, key, expires_at))
    }

    async fn open_session(
        &self,
        idempotency_key: &str,
        request: &str,
    ) -> Result<Session, PaymentError> {
        let answer = self
            .post("checkout/sessions", idempotency_key, request)
            .await?;
        sessions::read(answer)
    }

    async fn session(&self, session_id: &str) -> Result<Session, PaymentError> {
        let path = format!(
            "checkout/sessions/{}?expand[]=payment_intent",
            client::checked_id(session_id)?
        );
        sessions::read(self.get(&path).await?)
    }

    /// Stripe refuses to expire a session that is no longer open, and stores that refusal under the
    /// key. In that case the answer is the session's current state.
    async fn expire_session(
        &self,
        idempotency_key: &str,
        session_id: &str,
    ) -> Result<Session, PaymentError> {
        let path = format!(
            "checkout/sessions/{}/expire",
            client::checked_id(session_id)?
        );
        match self.post(&path, idempotency_key, "").await {
            Ok(answer) => sessions::read(answer),
            Err(PaymentError::Refused(_) | PaymentError::Unknown(_)) => {
                sessions::ended(self.session(session_id).await?)
            }
            Err(error) => Err(error),
        }
    }

    async fn session_items(&self, session_id: &str) -> Result<Vec<SessionItem>, PaymentError> {
        let path = format!(
            "checkout/sessions/{}/line_items",
            client::checked_id(session_id)?
        );
        sessions::read_items(self.list(&path, &[]).await?)
    }

    async fn find_session(
        &self,
        order_id: &OrderId,
        key: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Session>, PaymentError> {
        let (from, until) = (from.as_secs().to_string(), until.as_secs().to_string());
        let created = [("created[gte]", &*from), ("created[lte]", &*until)];
        let mut after = None;
        loop {
            let page = self
                .page("checkout/sessions", &created, after.as_deref())
                .await?;
            let mut sessions = page.items.into_iter();
            if let Some(found) = sessions.find(|it| sessions::is_opened_with(it, order_id, key)) {
                return sessions::read(found).map(Some);
            }
            after = page.next;
            if after.is_none() {
                return Ok(None);
            }
        }
    }

    /// A refund or dispute of another business on the same account may name no payment, and Stripe
    /// accepts no empty filter.
    async fn session_of_payment(&self, payment_ref: &str) -> Result<Option<Session>, PaymentError> {
        if payment_ref.is_empty() {
            return Ok(None);
        }
        let listed = self
            .list(
                "checkout/sessions",
                &[
                    ("payment_intent", payment_ref),
                    ("expand[]", "data.payment_intent"),
                ],
            )
            .await?;
        listed.into_iter().next().map(sessions::read).transpose()
    }

    fn prepare_refund(&self, refund: &NewRefund) -> Result<String> {
        refunds::prepare(refund)
    }

    async fn create_refund(
        &self,
        idempotency_key: &str,
        request: &str,
    ) -> Result<ProviderRefund, PaymentError> {
        refunds::read(self.post("refunds", idempotency_key, request).await?)
    }

    async fn refund(&self, provider_id: &str) -> Result<ProviderRefund, PaymentError> {
        refunds::read(self.get_one("refunds", provider_id).await?)
    }

    async fn refunds_of(&self, payment_ref: &str) -> Result<Vec<ProviderRefund>, PaymentError> {
        let listed = self
            .list("refunds", &[("payment_intent", payment_ref)])
            .await?;
        listed.into_iter().map(refunds::read).collect()
    }

    async fn dispute(&self, provider_id: &str) -> Result<ProviderDispute, PaymentError> {
        disputes::read(self.get_one("disputes", provider_id).await?)
    }

    /// 1. The signature matches the raw bytes. 2. The body can be parsed. 3. The event belongs to
    ///    the shop's account and mode.
    fn verify(&self, delivery: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookEvent> {
        let header = (delivery.header)("Stripe-Signature");
        signature::verify(
            header.as_deref(),
            delivery.body,
            &self.config.webhook_secrets,
            now,
        )
        .map_err(events::invalid_signature)?;
        events::read(delivery.body, self.is_live())
    }

    fn read_event(&self, payload: &str) -> Result<EventSubject> {
        events::notice_of(payload)
    }

    async fn undelivered_events(
        &self,
        since: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<WebhookEvent>, PaymentError> {
        let since = since.as_secs().to_string();
        let filters = [("delivery_success", "false"), ("created[gte]", &*since)];
        let page = self.page("events", &filters, after).await?;
        let events = page.items.iter();
        Ok(Page {
            items: events
                .filter_map(|event| events::read(event.to_string().as_bytes(), self.is_live()).ok())
                .collect(),
            next: page.next,
        })
    }

    async fn balance_entries(
        &self,
        from: Timestamp,
        until: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<BalanceEntry>, PaymentError> {
        let (from, until) = (from.as_secs().to_string(), until.as_secs().to_string());
        let filters = [
            ("created[gte]", &*from),
            ("created[lt]", &*until),
            ("expand[]", "data.source"),
        ];
        let page = self.page("balance_transactions", &filters, after).await?;
        let entries: Result<_, _> = page.items.into_iter().map(balance::read).collect();
        Ok(Page {
            items: entries?,
            next: page.next,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::payments::stripe::account::{MAX_PAGES, STRIPE_API, StripeConfig};
    use futures_util::FutureExt;
    use std::cell::Cell;
    use std::rc::Rc;

    #[test]
    fn money_without_a_name_is_no_orders() {
        let stripe = nowhere(MAX_PAGES);
        let found = stripe.session_of_payment("").now_or_never();
        assert_eq!(found, Some(Ok(None)));
    }

    #[test]
    fn a_list_that_is_too_long_is_no_outage() {
        let (stripe, now) = (nowhere(0), Timestamp::default());
        let read = stripe.balance_entries(now, now, None).now_or_never();
        assert!(matches!(read, Some(Err(PaymentError::TooMuch(_)))));
    }

    fn nowhere(pages: u32) -> Stripe {
        Stripe {
            config: StripeConfig {
                api_base: STRIPE_API.to_owned(),
                secret_key: String::new(),
                webhook_secrets: vec![],
            },
            pages_left: Rc::new(Cell::new(pages)),
            patience: Rc::default(),
            clock: Timestamp::default,
            entropy: || 0,
        }
    }

    #[test]
    fn real_money_is_taken_with_real_secrets_at_stripe_alone() {
        let (key, secret) = ("sk_live_51AbCdEfGhIjKlMnOp", "whsec_AbCdEfGhIjKlMnOpQr");
        for (api_base, secret_key, webhook_secrets, usable, usable_for_real) in [
            (STRIPE_API, key, vec![secret], true, true),
            (STRIPE_API, key, vec![secret, secret], true, true),
            (
                STRIPE_API,
                "rk_live_51AbCdEfGhIjKlMnOp",
                vec![secret],
                true,
                true,
            ),
            (
                STRIPE_API,
                "sk_test_51AbCdEfGhIjKlMnOp",
                vec![secret],
                true,
                false,
            ),
            (STRIPE_API, "sk_live_", vec![secret], true, false),
            (
                STRIPE_API,
                "sk_live_your-key-goes-here",
                vec![secret],
                true,
                false,
            ),
            (STRIPE_API, key, vec!["whsec_changeme"], true, false),
            (STRIPE_API, key, vec![secret, "secret"], true, false),
            ("https://sandbox.example", key, vec![secret], true, false),
            (STRIPE_API, "", vec![secret], false, false),
            (STRIPE_API, key, vec![], false, false),
        ] {
            let config = StripeConfig {
                api_base: api_base.into(),
                secret_key: secret_key.into(),
                webhook_secrets: webhook_secrets.into_iter().map(str::to_owned).collect(),
            };
            let found = (config.is_usable(false), config.is_usable(true));
            assert_eq!(found, (usable, usable_for_real), "{api_base} {secret_key}");
        }
    }
}
