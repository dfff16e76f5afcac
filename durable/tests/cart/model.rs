//! Naive model of a cart, which lists every reason to refuse.

use super::*;

pub(super) fn assert_well_formed(cart: &Cart) {
    let skus: BTreeSet<_> = cart.lines.iter().map(|line| &line.sku).collect();
    assert_eq!(skus.len(), cart.lines.len(), "a SKU has two lines");
    assert!(cart.lines.len() <= MAX_LINES);
    for line in &cart.lines {
        assert!((1..=MAX_QUANTITY).contains(&line.quantity), "{line:?}");
    }
    assert!(
        cart.frozen_by.is_none() || !cart.lines.is_empty(),
        "an empty cart is ordered"
    );
}

/// The expected behaviour of a cart, written as plainly as possible.
#[derive(Default)]
pub(super) struct Model {
    changes: u64,
    pub(super) lines: Vec<(String, u32)>,
    pub(super) note: String,
    order: Option<String>,
    /// The checkout that froze it: key and request.
    pub(super) checkout: Option<(String, String)>,
    joined: bool,
    /// Instant since which it has been left unchanged; `None` means never touched, or deleted.
    alone_since: Option<Timestamp>,
    reported: bool,
    /// Instant at which it last asked about its order.
    asked_at: Option<Timestamp>,
    pub(super) told: Vec<ObjectEvent>,
    answers: BTreeMap<String, String>,
}

impl Model {
    /// Lets time pass over a cart that is left unchanged. While an order has frozen it, all it does
    /// is ask about the order.
    pub(super) fn idle(&mut self, now: Timestamp) {
        let Some(since) = self.alone_since else {
            return;
        };
        if let Some(order_id) = self.order.clone() {
            if self.asked_at.unwrap_or(since).plus_secs(ABANDONED_SECS) <= now {
                self.asked_at = Some(now);
                let cart_id = object::NAME.to_owned();
                self.told
                    .push(ObjectEvent::CartFrozen { cart_id, order_id });
            }
            return;
        }
        if !self.lines.is_empty() && !self.reported && since.plus_secs(ABANDONED_SECS) <= now {
            self.reported = true;
            self.told.push(ObjectEvent::CartAbandoned {
                cart_id: object::NAME.to_owned(),
                version: self.changes,
                lines: self.lines(),
                idle_since: since,
            });
        }
        if since.plus_secs(KEPT_SECS) <= now {
            self.lines = vec![];
            self.note.clear();
            self.alone_since = None;
            self.reported = false;
            self.changes += 1;
            self.told.push(ObjectEvent::CartDeleted {
                cart_id: object::NAME.to_owned(),
                version: self.changes,
            });
        }
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let since = self.alone_since?;
        if self.order.is_some() {
            return Some(self.asked_at.unwrap_or(since).plus_secs(ABANDONED_SECS));
        }
        let reports = !self.lines.is_empty() && !self.reported;
        Some(since.plus_secs(if reports { ABANDONED_SECS } else { KEPT_SECS }))
    }

    pub(super) fn is_over(&self) -> bool {
        self.changes > 0 && self.alone_since.is_none()
    }

    pub(super) fn check(
        &mut self,
        request: &Request<Command>,
        now: Timestamp,
        reply: &Reply<Cart, Refusal>,
    ) {
        let Request::Do {
            operation_id,
            command,
        } = request
        else {
            return self.assert_done(reply, false);
        };
        if let Some(first) = self.answers.get(operation_id) {
            // A repeated checkout continues with what it froze; any other repeat gets the current
            // state.
            if matches!(command.change, Change::Freeze { .. }) {
                return assert_eq!(as_sent(reply), first.replace(":false}", ":true}"));
            }
            return self.assert_done(reply, true);
        }
        let objections = self.objections(command);
        if let Reply::Refused { refusal } = reply {
            return assert!(objections.contains(refusal), "{refusal:?}: {objections:?}");
        }
        assert_eq!(objections, vec![], "{command:?} had to be refused");
        self.follow(&command.change, now);
        self.assert_done(reply, false);
        self.answers.insert(operation_id.clone(), as_sent(reply));
    }

    fn assert_done(&self, reply: &Reply<Cart, Refusal>, is_repeat: bool) {
        let Reply::Done { view, replayed } = reply else {
            return assert_eq!(format!("{reply:?}"), "done");
        };
        assert_eq!(*replayed, is_repeat);
        self.assert_like(view);
    }

    pub(super) fn assert_like(&self, cart: &Cart) {
        assert_eq!(cart.version, self.changes);
        assert_eq!(cart.lines, self.lines());
        assert_eq!(cart.note, self.note);
        assert_eq!(cart.frozen_by, self.order);
        let checkout = cart.frozen_for.clone().map(|it| (it.key, it.request));
        assert_eq!(checkout, self.checkout);
        assert_eq!(cart.joined, self.joined);
        assert_eq!(cart.changed_at, self.alone_since);
        assert_eq!(cart.abandoned, self.reported);
        assert_eq!(cart.asked_at, self.asked_at);
    }

    /// Returns every reason to refuse `command`.
    fn objections(&self, command: &Command) -> Vec<Refusal> {
        let mut objections = vec![];
        if command.if_version.is_some_and(|seen| seen != self.changes) {
            objections.push(Refusal::Stale {
                version: self.changes,
            });
        }
        if let Some(order_id) = &self.order
            && self.must_move(&command.change)
        {
            let order_id = order_id.clone();
            objections.push(Refusal::FrozenBy { order_id });
        }
        if self.is_of_its_key(&command.change) && !self.joins(&command.change) {
            objections.push(Refusal::KeyReused);
        }
        if let Change::Thaw {
            order_id,
            alone: true,
        } = &command.change
            && self.joined
            && self.order.as_ref() == Some(order_id)
        {
            objections.push(Refusal::Joined);
        }
        let asked = match &command.change {
            Change::Add { quantity, .. } => Some(*quantity),
            Change::Set { quantity, .. } if *quantity > 0 => Some(*quantity),
            _ => None,
        };
        if asked.is_some_and(|asked| asked == 0 || asked > MAX_QUANTITY) {
            objections.push(Refusal::QuantityOutOfRange { max: MAX_QUANTITY });
        }
        if let Change::Note { note } = &command.change
            && note.len() > MAX_NOTE_BYTES
        {
            let max = MAX_NOTE_BYTES;
            objections.push(Refusal::NoteTooLong { max });
        }
        if matches!(command.change, Change::Freeze { .. }) && self.lines.is_empty() {
            objections.push(Refusal::Empty);
        }
        objections
    }

    /// Returns true when `change` needs a cart that isn't frozen by another order.
    fn must_move(&self, change: &Change) -> bool {
        match change {
            Change::Add { .. }
            | Change::Set { .. }
            | Change::Remove { .. }
            | Change::Clear
            | Change::Note { .. }
            | Change::Merge { .. } => true,
            Change::Freeze { order_id, .. } => {
                self.order.as_ref() != Some(order_id) && !self.is_of_its_key(change)
            }
            Change::Thaw { .. } | Change::Complete { .. } => false,
        }
    }

    /// Returns true when `change` freezes for another order under the key that froze the cart.
    fn is_of_its_key(&self, change: &Change) -> bool {
        let Change::Freeze {
            order_id,
            checkout: Some(checkout),
        } = change
        else {
            return false;
        };
        let is_key = |(key, _): &(String, String)| *key == checkout.key;
        self.order.as_ref() != Some(order_id) && self.checkout.as_ref().is_some_and(is_key)
    }

    fn joins(&self, change: &Change) -> bool {
        let Change::Freeze {
            checkout: Some(checkout),
            ..
        } = change
        else {
            return false;
        };
        let whole = (checkout.key.clone(), checkout.request.clone());
        self.is_of_its_key(change) && self.checkout == Some(whole)
    }

    /// Carries out `change`, to which there is no objection. Each line and the note count as one
    /// change.
    fn follow(&mut self, change: &Change, now: Timestamp) {
        let before = self.changes;
        match change {
            Change::Add { sku, quantity, .. } => {
                self.put(sku, (self.quantity(sku) + quantity).min(MAX_QUANTITY));
            }
            Change::Set { sku, quantity, .. } => self.put(sku, *quantity),
            Change::Remove { sku } => self.put(sku, 0),
            Change::Clear => self.empty(),
            Change::Note { note } => self.write(note),
            Change::Merge { lines, note } => {
                for line in lines {
                    let larger = self
                        .quantity(&line.sku)
                        .max(line.quantity.clamp(1, MAX_QUANTITY));
                    self.put(&line.sku, larger);
                }
                if self.note.is_empty() && note.len() <= MAX_NOTE_BYTES {
                    self.write(note);
                }
            }
            Change::Freeze { .. } if self.joins(change) => self.joined = true,
            Change::Freeze { order_id, .. } if self.order.as_ref() == Some(order_id) => {}
            Change::Freeze { order_id, checkout } => {
                self.order = Some(order_id.clone());
                let checkout = checkout.clone();
                self.checkout = checkout.map(|it| (it.key, it.request));
                self.changes += 1;
            }
            Change::Thaw { order_id, .. } | Change::Complete { order_id }
                if self.order.as_ref() != Some(order_id) => {}
            Change::Thaw { .. } => {
                self.let_go();
                self.changes += 1;
            }
            Change::Complete { .. } => {
                self.let_go();
                self.lines = vec![];
                self.note.clear();
                self.changes += 1;
            }
        }
        if self.changes > before {
            self.alone_since = Some(now);
            self.asked_at = None;
            self.reported = false;
        }
    }

    fn let_go(&mut self) {
        self.order = None;
        self.checkout = None;
        self.joined = false;
    }

    fn write(&mut self, note: &str) {
        self.changes += u64::from(self.note != note);
        self.note = note.to_owned();
    }

    fn empty(&mut self) {
        self.changes += u64::from(!self.lines.is_empty() || !self.note.is_empty());
        self.lines = vec![];
        self.note.clear();
    }

    fn put(&mut self, sku: &str, quantity: u32) {
        self.changes += u64::from(self.quantity(sku) != quantity);
        match self.lines.iter_mut().find(|(known, _)| known == sku) {
            Some(line) => line.1 = quantity,
            None => self.lines.push((sku.to_owned(), quantity)),
        }
        self.lines.retain(|(_, quantity)| *quantity > 0);
    }

    pub(super) fn quantity(&self, sku: &str) -> u32 {
        let line = self.lines.iter().find(|(known, _)| known == sku);
        line.map_or(0, |(_, quantity)| *quantity)
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let lines = self.lines.iter().cloned();
        lines
            .map(|(sku, quantity)| Line { sku, quantity })
            .collect()
    }
}

fn as_sent(reply: &Reply<Cart, Refusal>) -> String {
    serde_json::to_string(reply).unwrap()
}
