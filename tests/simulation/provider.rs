//! The payment provider: idempotency keys, sessions that are paid, expire or are expired, refunds,
//! and events about all of these.

use durable::Timestamp;
use serde::{Deserialize, Serialize};
use shop::payments::provider::ProviderId;
use shop::payments::{
    BalanceEntry, DisputeState, NewRefund, NewSession, Opener, Page, PaymentError, ProviderDispute,
    ProviderRefund, RefundState, Session, SessionState,
};
use shop::values::ids::OrderId;
use std::collections::BTreeMap;
use std::ops::Range;

pub struct Provider {
    id: ProviderId,
    pub sessions: BTreeMap<String, Account>,
    by_key: BTreeMap<String, String>,
    /// Refunds by the provider's ID.
    pub refunds: BTreeMap<String, ProviderRefund>,
    /// Disputes by the provider's ID.
    pub disputes: BTreeMap<String, ProviderDispute>,
    /// Subjects of events not delivered yet.
    pub events: Vec<String>,
    /// Subjects of events that were never delivered.
    pub undelivered: Vec<String>,
    /// Balance transactions, newest first.
    pub balance: Vec<BalanceEntry>,
}

/// Number of transactions on a page.
const ENTRIES_A_PAGE: usize = 100;

/// A session and its expiry.
pub struct Account {
    pub session: Session,
    pub expires_at: Timestamp,
}

/// Opener of a session that is not an order's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// An earlier attempt that the shop abandoned.
    Shops,
    /// Someone else who takes payments with the same account.
    Strangers,
    /// Someone else, naming no order of the shop.
    OfNoOrder,
}

/// Exact request for a session.
#[derive(Serialize, Deserialize)]
struct Request {
    order_id: OrderId,
    key: String,
    amount: i64,
    currency: String,
    expires_at: Timestamp,
}

/// Fee that the provider charges for a dispute.
const DISPUTE_FEE: i64 = 15;

/// Minimum time for which a session must be payable when it is opened.
const MIN_LIFE_SECS: u32 = 30 * 60;

pub fn prepare(new: &NewSession) -> String {
    let request = Request {
        order_id: new.order_id.clone(),
        key: new.key.clone(),
        amount: new.items.iter().map(|item| item.amount).sum(),
        currency: new.currency.code().to_owned(),
        expires_at: new.expires_at,
    };
    serde_json::to_string(&request).unwrap()
}

pub fn renew(request: &str, key: &str, expires_at: Timestamp) -> String {
    let request = Request {
        key: key.to_owned(),
        expires_at,
        ..serde_json::from_str(request).unwrap()
    };
    serde_json::to_string(&request).unwrap()
}

pub fn prepare_refund(new: &NewRefund) -> String {
    serde_json::to_string(&(&new.refund_id, &new.payment_ref, new.amount)).unwrap()
}

impl Provider {
    pub const fn new(id: ProviderId) -> Self {
        Self {
            id,
            sessions: BTreeMap::new(),
            by_key: BTreeMap::new(),
            refunds: BTreeMap::new(),
            disputes: BTreeMap::new(),
            events: Vec::new(),
            undelivered: Vec::new(),
            balance: Vec::new(),
        }
    }

    /// Opens a session. The same key yields the same session; a new session must have time left to
    /// be paid.
    pub fn open(
        &mut self,
        key: &str,
        request: &str,
        now: Timestamp,
    ) -> Result<Session, PaymentError> {
        if let Some(id) = self.by_key.get(key) {
            return Ok(self.sessions[id].session.clone());
        }
        if Self::is_too_late(request, now) {
            return Err(PaymentError::TooLate("expires_at is too soon".to_owned()));
        }
        let request: Request = serde_json::from_str(request).unwrap();
        let id = self.next_session_id();
        let session = Session {
            id: id.clone(),
            provider: self.id,
            order_id: Some(request.order_id),
            opener: Opener::Shop {
                key: Some(request.key),
            },
            payment_ref: None,
            url: Some(format!("https://pay.example/{id}")),
            state: SessionState::Open,
            amount: request.amount,
            currency: request.currency,
        };
        self.by_key.insert(key.to_owned(), id.clone());
        self.sessions.insert(
            id,
            Account {
                session: session.clone(),
                expires_at: request.expires_at,
            },
        );
        Ok(session)
    }

    /// Returns true for a request that is too old to open a session.
    pub fn is_too_late(request: &str, now: Timestamp) -> bool {
        let request: Request = serde_json::from_str(request).unwrap();
        request.expires_at < now.plus_secs(MIN_LIFE_SECS)
    }

    /// Opens a session in addition to `id`, which names the same order or another, with another key
    /// of the shop or opened by someone else.
    pub fn open_beside(&mut self, id: &str, other: Other, amount: i64) -> String {
        let Account {
            session,
            expires_at,
        } = &self.sessions[id];
        let key = match &session.opener {
            Opener::Shop { key: Some(key) } => format!("{key}:0"),
            _ => "key_of_nobody".to_owned(),
        };
        let order_id = session.order_id.clone();
        let (order_id, opener) = match other {
            Other::Shops => (order_id, Opener::Shop { key: Some(key) }),
            Other::Strangers => (order_id, Opener::Other),
            Other::OfNoOrder => (Some("ord_of_nobody".into()), Opener::Other),
        };
        let id = self.next_session_id();
        let session = Session {
            id: id.clone(),
            order_id,
            opener,
            payment_ref: None,
            state: SessionState::Open,
            amount,
            ..session.clone()
        };
        let expires_at = *expires_at;
        let account = Account {
            session,
            expires_at,
        };
        self.sessions.insert(id.clone(), account);
        id
    }

    /// Returns true if the shop opened the session with a key that it had stored.
    pub fn is_own(&self, id: &str) -> bool {
        self.by_key.values().any(|known| known == id)
    }

    fn next_session_id(&self) -> String {
        self.id.key_of(&format!("cs_{}", self.sessions.len() + 1))
    }

    pub fn session(&self, id: &str) -> Result<Session, PaymentError> {
        let account = self
            .sessions
            .get(id)
            .ok_or_else(|| PaymentError::Refused("no such session".to_owned()))?;
        Ok(account.session.clone())
    }

    pub fn end(&mut self, id: &str) -> Result<Session, PaymentError> {
        if self.session(id)?.state != SessionState::Open {
            return Err(PaymentError::Refused("it is not open".to_owned()));
        }
        self.become_state(id, SessionState::Expired);
        self.session(id)
    }

    /// Pays a session; false if it is too late.
    pub fn pay(&mut self, id: &str) -> bool {
        self.move_on(id, SessionState::Open, SessionState::Paid)
    }

    /// Pays a session, but the account receives another amount than requested.
    pub fn pay_wrongly(&mut self, id: &str) -> bool {
        let paid = self.pay(id);
        if paid && let Some(account) = self.sessions.get_mut(id) {
            account.session.amount -= 1;
        }
        paid
    }

    /// Pays a session by a delayed method.
    pub fn pay_slowly(&mut self, id: &str) -> bool {
        self.move_on(id, SessionState::Open, SessionState::Processing)
    }

    /// Completes a delayed payment.
    pub fn arrive(&mut self, id: &str) -> bool {
        self.move_on(id, SessionState::Processing, SessionState::Paid)
    }

    pub fn expire(&mut self, now: Timestamp) {
        let due: Vec<String> = self
            .sessions
            .iter()
            .filter(|(_, it)| it.session.state == SessionState::Open && it.expires_at <= now)
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            self.become_state(&id, SessionState::Expired);
        }
    }

    /// Fails a delayed payment.
    pub fn fail(&mut self, id: &str) -> bool {
        self.move_on(id, SessionState::Processing, SessionState::Failed)
    }

    /// Takes money although the session has ended.
    pub fn pay_late(&mut self, id: &str) -> bool {
        self.move_on(id, SessionState::Expired, SessionState::Paid)
    }

    /// Makes a refund. The same key yields the same refund.
    pub fn refund(
        &mut self,
        key: &str,
        request: &str,
        pending: bool,
    ) -> Result<ProviderRefund, PaymentError> {
        let (refund_id, payment_ref, amount): (String, String, i64) =
            serde_json::from_str(request).unwrap();
        if let Some(known) = self.by_key.get(key) {
            return Ok(self.refunds[known].clone());
        }
        let refund = self.make_refund(Some(refund_id), payment_ref, amount, pending)?;
        self.by_key.insert(key.to_owned(), refund.id.clone());
        Ok(refund)
    }

    /// Refunds a part on the provider's side.
    pub fn refund_elsewhere(&mut self, session_id: &str) -> bool {
        let Some(session) = self
            .session(session_id)
            .ok()
            .filter(|it| it.state == SessionState::Paid)
        else {
            return false;
        };
        let part = session.amount / 3;
        part > 0
            && self
                .make_refund(None, session.payment_ref.unwrap(), part, false)
                .is_ok()
    }

    /// Ends a refund, or returns it after it had arrived; false if it can't be.
    pub fn end_refund(&mut self, id: &str, state: RefundState) -> bool {
        let refund = self.refunds.get_mut(id).unwrap();
        let ends = refund.state != RefundState::Failed && refund.state != state;
        if ends {
            refund.state = state;
            self.events.push(id.to_owned());
        }
        ends
    }

    /// Disputes the rest of a payment, once.
    pub fn dispute(&mut self, session_id: &str) -> bool {
        let paid = self.session(session_id).ok();
        let Some(session) = paid.filter(|it| it.state == SessionState::Paid) else {
            return false;
        };
        let payment_ref = session.payment_ref.clone().unwrap();
        let left = session.amount - self.refunded(&session);
        let id = format!("du_{payment_ref}");
        if left == 0 || self.disputes.contains_key(&id) {
            return false;
        }
        self.events.push(id.clone());
        let dispute = ProviderDispute {
            id: id.clone(),
            payment_ref,
            amount: left,
            state: DisputeState::Open,
            refundable: false,
            withdrawn: left,
            fee: DISPUTE_FEE,
        };
        self.disputes.insert(id, dispute);
        true
    }

    /// Decides a dispute; if it is won, the money comes back. False if it was decided before.
    pub fn decide(&mut self, id: &str, won: bool) -> bool {
        let dispute = self.disputes.get_mut(id).unwrap();
        if dispute.state != DisputeState::Open {
            return false;
        }
        if won {
            dispute.state = DisputeState::Won;
            dispute.refundable = true;
            dispute.withdrawn = 0;
        } else {
            dispute.state = DisputeState::Lost;
        }
        self.events.push(id.to_owned());
        true
    }

    /// Returns the amount of a session that the bank has taken and not returned.
    pub fn withdrawn(&self, session: &Session) -> i64 {
        self.disputes
            .values()
            .filter(|it| Some(&it.payment_ref) == session.payment_ref.as_ref())
            .map(|it| it.withdrawn)
            .sum()
    }

    pub fn session_of(&self, which: impl Fn(&Session) -> bool) -> Option<Session> {
        self.sessions
            .values()
            .map(|it| &it.session)
            .find(|it| which(it))
            .cloned()
    }

    fn make_refund(
        &mut self,
        refund_id: Option<String>,
        payment_ref: String,
        amount: i64,
        pending: bool,
    ) -> Result<ProviderRefund, PaymentError> {
        let paid = self
            .sessions
            .values()
            .find(|it| it.session.payment_ref.as_ref() == Some(&payment_ref));
        let Some(paid) = paid.filter(|it| it.session.state == SessionState::Paid) else {
            return Err(PaymentError::Refused("nothing was paid".to_owned()));
        };
        if self.refunded(&paid.session) + amount > paid.session.amount {
            return Err(PaymentError::Refused("more than was paid".to_owned()));
        }
        let is_barred = |it: &ProviderDispute| it.payment_ref == payment_ref && !it.refundable;
        if self.disputes.values().any(is_barred) {
            return Err(PaymentError::Refused("it is disputed".to_owned()));
        }
        let refund = ProviderRefund {
            id: self
                .id
                .key_of(&format!("re_at_provider_{}", self.refunds.len() + 1)),
            refund_id,
            payment_ref,
            amount,
            state: if pending {
                RefundState::Pending
            } else {
                RefundState::Succeeded
            },
        };
        self.refunds.insert(refund.id.clone(), refund.clone());
        self.events.push(refund.id.clone());
        Ok(refund)
    }

    /// Returns the transactions of `window` that follow the one with the ID `after`.
    pub fn balance_page(
        &self,
        window: &Range<Timestamp>,
        after: Option<&str>,
    ) -> Page<BalanceEntry> {
        let of_window = self.balance.iter().filter(|it| window.contains(&it.at));
        let mut left = of_window
            .skip_while(|it| after.is_some_and(|after| it.id != after))
            .skip(usize::from(after.is_some()));
        let items: Vec<_> = left.by_ref().take(ENTRIES_A_PAGE).cloned().collect();
        let last = items.last().map(|it| it.id.clone());
        Page {
            next: left.next().and(last),
            items,
        }
    }

    /// Returns the refunded amount of a session.
    pub fn refunded(&self, session: &Session) -> i64 {
        self.refunds
            .values()
            .filter(|it| it.state != RefundState::Failed)
            .filter(|it| Some(&it.payment_ref) == session.payment_ref.as_ref())
            .map(|it| it.amount)
            .sum()
    }

    fn move_on(&mut self, id: &str, from: SessionState, to: SessionState) -> bool {
        let moves = self.session(id).is_ok_and(|session| session.state == from);
        if moves {
            self.become_state(id, to);
        }
        moves
    }

    fn become_state(&mut self, id: &str, state: SessionState) {
        let account = self.sessions.get_mut(id).unwrap();
        account.session.state = state;
        if state != SessionState::Expired {
            account.session.payment_ref = Some(format!("pi_{id}"));
        }
        self.events.push(id.to_owned());
    }
}
