//! Naive model of stock: a plain list of holds, and sums by scanning.

use super::*;

/// The expected behaviour of stock, written as plainly as possible.
#[derive(Default)]
pub(super) struct Model {
    pub(super) on_hand: i64,
    rules: Settings,
    holds: Vec<ModelHold>,
    changes: u64,
    carried_out: BTreeSet<String>,
    pub(super) now: Timestamp,
}

struct ModelHold {
    pub(super) id: String,
    pub(super) quantity: i64,
    shipped: i64,
    /// Digest of the customer whom the limit counts.
    buyer: Option<String>,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Reserved(Timestamp),
    Pinned,
    Committed,
    Shipped(Timestamp),
    Released(Timestamp),
}

impl Model {
    pub(super) fn check(&mut self, request: &Request<Command>, now: Timestamp, reply: &StockReply) {
        self.lapse(now);
        let Request::Do {
            operation_id,
            command,
        } = request
        else {
            return assert_eq!(*reply, done(self.view(), false));
        };
        if self.carried_out.contains(operation_id) {
            return assert_eq!(*reply, done(self.view(), true));
        }
        let objections = self.objections(command);
        if let Reply::Refused { refusal } = reply {
            return assert!(objections.contains(refusal), "{refusal:?}: {objections:?}");
        }
        assert_eq!(objections, vec![], "{command:?} had to be refused");
        self.changes += u64::from(self.follow(command, now));
        self.carried_out.insert(operation_id.clone());
        assert_eq!(*reply, done(self.view(), false));
    }

    fn lapse(&mut self, now: Timestamp) {
        self.now = now;
        for hold in &mut self.holds {
            if matches!(hold.fate, Fate::Reserved(until) if until <= now) {
                hold.fate = Fate::Released(after_secs(now, TOMBSTONE_SECS));
                self.changes += 1;
            }
        }
    }

    /// Returns every reason to refuse `command`.
    fn objections(&self, command: &Command) -> Vec<Refusal> {
        let mut objections = vec![];
        if let Some(quantity) = self.quantity_of(command)
            && !(1..=MAX_QUANTITY).contains(&quantity)
        {
            objections.push(Refusal::QuantityOutOfRange { max: MAX_QUANTITY });
        }
        if let Command::Adjust { reason, .. }
        | Command::Count { reason, .. }
        | Command::WriteOff { reason, .. }
        | Command::Return { reason, .. } = command
            && (reason.trim().is_empty() || reason.len() > MAX_REASON_BYTES)
        {
            let max = MAX_REASON_BYTES;
            objections.push(Refusal::ReasonOutOfRange { max });
        }
        match command {
            Command::Receive { .. } | Command::Return { .. } => {}
            Command::Adjust { by, .. } => {
                objections.extend(self.too_few(i64::from(*by), self.rules.backorder_cap));
            }
            Command::Count { quantity, .. } => {
                let by = i64::from(*quantity) - self.on_hand;
                objections.extend(
                    self.too_few(by, self.rules.backorder_cap)
                        .filter(|_| by != 0),
                );
            }
            Command::WriteOff { quantity, .. } => {
                objections.extend(self.too_few(-i64::from(*quantity), self.rules.backorder_cap));
            }
            Command::Configure { settings } => {
                let limit = settings.purchase_limit.unwrap_or(1);
                let numbers = [settings.backorder_cap, settings.low_threshold, limit];
                if limit == 0 || numbers.iter().any(|number| *number > MAX_QUANTITY) {
                    objections.push(Refusal::SettingsOutOfRange { max: MAX_QUANTITY });
                }
                if *settings != self.rules {
                    objections.extend(self.too_few(0, settings.backorder_cap));
                }
            }
            Command::Hold {
                hold_id,
                quantity,
                customer,
                ..
            } => match self.hold(hold_id) {
                Some((_, Fate::Released(_) | Fate::Shipped(_))) => {
                    objections.push(Refusal::HoldEnded);
                }
                Some((left, _)) if left != i64::from(*quantity) => {
                    objections.push(Refusal::HoldMismatch);
                }
                Some(_) => {}
                None => {
                    objections.extend(self.over_limit(*quantity, customer.as_deref()));
                    if self.available() < i64::from(*quantity) {
                        objections.push(Refusal::Short {
                            wanted: *quantity,
                            available: self.available(),
                            contended: self.reserved() > 0,
                            version: self.changes,
                        });
                    }
                }
            },
            Command::Extend { hold_id, .. } => match self.hold(hold_id) {
                None | Some((_, Fate::Released(_) | Fate::Shipped(_))) => {
                    objections.push(Refusal::HoldEnded);
                }
                Some(_) => {}
            },
            Command::Pin { hold_id } | Command::Commit { hold_id } => match self.hold(hold_id) {
                None | Some((_, Fate::Released(_))) => objections.push(Refusal::HoldEnded),
                Some(_) => {}
            },
            Command::Release { hold_id } => {
                if let Some((_, Fate::Committed | Fate::Shipped(_))) = self.hold(hold_id) {
                    objections.push(Refusal::AlreadyCommitted);
                }
            }
            Command::Restock { hold_id } => match self.hold(hold_id) {
                None | Some((_, Fate::Reserved(_) | Fate::Pinned)) => {
                    objections.push(Refusal::NotCommitted);
                }
                Some(_) => {}
            },
            Command::Ship { hold_id, quantity } => match self.hold(hold_id) {
                Some((left, Fate::Committed)) => {
                    let on_hand = self.on_hand;
                    if *quantity == 0 || i64::from(*quantity) > left {
                        let max = left.try_into().unwrap();
                        objections.push(Refusal::QuantityOutOfRange { max });
                    }
                    if i64::from(*quantity) > on_hand {
                        objections.push(Refusal::NotOnHand { on_hand });
                    }
                }
                _ => objections.push(Refusal::NotCommitted),
            },
        }
        objections
    }

    /// Returns the number of units that `command` moves, if it moves any.
    fn quantity_of(&self, command: &Command) -> Option<u32> {
        match command {
            Command::Receive { quantity }
            | Command::WriteOff { quantity, .. }
            | Command::Return { quantity, .. }
            | Command::Hold { quantity, .. } => Some(*quantity),
            Command::Adjust { by, .. } => Some(by.unsigned_abs()),
            Command::Count { quantity, .. } => {
                let by = i64::from(*quantity) - self.on_hand;
                u32::try_from(by.abs()).ok().filter(|by| *by != 0)
            }
            _ => None,
        }
    }

    fn too_few(&self, change: i64, backorder_cap: u32) -> Option<Refusal> {
        let on_hand = self.on_hand + change;
        let promised = self.promised();
        let enough = on_hand >= 0 && on_hand + i64::from(backorder_cap) >= promised;
        (!enough).then_some(Refusal::BelowPromised { promised })
    }

    fn over_limit(&self, quantity: u32, customer: Option<&str>) -> Option<Refusal> {
        let limit = self.rules.purchase_limit?;
        let is_theirs = |hold: &&ModelHold| customer.is_some() && hold.buyer.as_deref() == customer;
        let theirs = self.holds.iter().filter(is_theirs);
        let bought: i64 = theirs.map(ModelHold::bought).sum();
        let left = (i64::from(limit) - bought).max(0).try_into().unwrap();
        (quantity > left).then_some(Refusal::OverLimit { limit, left })
    }

    /// Carries out `command`, to which there is no objection. Returns true when it made a
    /// difference.
    fn follow(&mut self, command: &Command, now: Timestamp) -> bool {
        let forget_at = after_secs(now, TOMBSTONE_SECS);
        let settled_at = after_secs(now, SETTLED_SECS);
        let (id, fate) = match command {
            Command::Receive { quantity } | Command::Return { quantity, .. } => {
                self.on_hand += i64::from(*quantity);
                return true;
            }
            Command::WriteOff { quantity, .. } => {
                self.on_hand -= i64::from(*quantity);
                return true;
            }
            Command::Adjust { by, .. } => {
                self.on_hand += i64::from(*by);
                return true;
            }
            Command::Count { quantity, .. } => {
                let changed = self.on_hand != i64::from(*quantity);
                self.on_hand = i64::from(*quantity);
                return changed;
            }
            Command::Configure { settings } => {
                let changed = self.rules != *settings;
                self.rules = *settings;
                return changed;
            }
            Command::Ship { hold_id, quantity } => {
                let quantity = i64::from(*quantity);
                self.on_hand -= quantity;
                let hold = self.find(hold_id).unwrap();
                hold.quantity -= quantity;
                hold.shipped += quantity;
                if hold.quantity == 0 {
                    hold.fate = Fate::Shipped(settled_at);
                }
                return true;
            }
            Command::Extend { hold_id, ttl_secs } => {
                let later = after_secs(now, *ttl_secs);
                let hold = self.find(hold_id).unwrap();
                let Fate::Reserved(end) = hold.fate else {
                    return false;
                };
                hold.fate = Fate::Reserved(end.max(later));
                return later > end;
            }
            Command::Hold {
                hold_id, ttl_secs, ..
            } => (hold_id, Fate::Reserved(after_secs(now, *ttl_secs))),
            Command::Pin { hold_id } => (hold_id, Fate::Pinned),
            Command::Commit { hold_id } => (hold_id, Fate::Committed),
            Command::Release { hold_id } => (hold_id, Fate::Released(forget_at)),
            Command::Restock { hold_id } => {
                let hold = self.find(hold_id).unwrap();
                let changed = hold.fate == Fate::Committed;
                if changed {
                    hold.fate = Fate::Released(settled_at);
                }
                return changed;
            }
        };
        let limited = self.rules.purchase_limit.is_some();
        let quantity = self.quantity_of(command).map_or(0, i64::from);
        let Some(hold) = self.find(id) else {
            let buyer = match command {
                Command::Hold { customer, .. } if limited => customer.clone(),
                _ => None,
            };
            self.holds.push(ModelHold {
                id: id.clone(),
                quantity,
                shipped: 0,
                buyer,
                fate,
            });
            return true;
        };
        let moves = rank(fate) > rank(hold.fate);
        if moves {
            hold.fate = fate;
        }
        moves
    }

    fn find(&mut self, id: &str) -> Option<&mut ModelHold> {
        let now = self.now;
        let newest = self.holds.iter_mut().rfind(|hold| hold.id == id)?;
        Some(newest).filter(|hold| hold.fate.is_known(now))
    }

    fn hold(&self, id: &str) -> Option<(i64, Fate)> {
        let newest = self.holds.iter().rfind(|hold| hold.id == id)?;
        let is_known = newest.fate.is_known(self.now);
        is_known.then_some((newest.quantity, newest.fate))
    }

    fn sum(&self, counts: impl Fn(Fate) -> bool) -> i64 {
        let counted = self.holds.iter().filter(|hold| counts(hold.fate));
        counted.map(|hold| hold.quantity).sum()
    }

    fn reserved(&self) -> i64 {
        self.sum(|fate| matches!(fate, Fate::Reserved(_)))
    }

    pub(super) fn held(&self) -> i64 {
        self.sum(|fate| matches!(fate, Fate::Reserved(_) | Fate::Pinned))
    }

    fn promised(&self) -> i64 {
        self.held() + self.sum(|fate| fate == Fate::Committed)
    }

    pub(super) fn available(&self) -> i64 {
        self.on_hand + i64::from(self.rules.backorder_cap) - self.promised()
    }

    pub(super) fn view(&self) -> View {
        let free = self.on_hand - self.promised();
        View {
            on_hand: self.on_hand,
            held: self.held(),
            reserved: self.reserved(),
            committed: self.sum(|fate| fate == Fate::Committed),
            available: self.available(),
            settings: self.rules,
            stock: match free {
                free if free > i64::from(self.rules.low_threshold) => Availability::InStock,
                1.. => Availability::Low,
                _ if self.available() > 0 => Availability::Preorder,
                _ => Availability::Out,
            },
            version: self.changes,
        }
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let ends = self.holds.iter().filter_map(|hold| match hold.fate {
            Fate::Reserved(at) => Some(at),
            _ => None,
        });
        ends.min()
    }
}

impl Fate {
    fn is_known(self, now: Timestamp) -> bool {
        match self {
            Self::Shipped(until) | Self::Released(until) => now < until,
            _ => true,
        }
    }
}

impl ModelHold {
    /// Returns the number of units that its buyer has, or may yet have.
    fn bought(&self) -> i64 {
        match self.fate {
            Fate::Released(_) => self.shipped,
            _ => self.shipped + self.quantity,
        }
    }
}

/// Ranks the states of a hold. A hold only ever moves up: a second hold, pin, commit or release
/// finds nothing left to do.
fn rank(fate: Fate) -> u8 {
    match fate {
        Fate::Reserved(_) => 0,
        Fate::Pinned => 1,
        Fate::Committed => 2,
        Fate::Shipped(_) | Fate::Released(_) => 3,
    }
}

fn done(view: View, replayed: bool) -> StockReply {
    Reply::Done { view, replayed }
}

pub(super) fn after(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(millis))
}

pub(super) fn after_secs(at: Timestamp, secs: u32) -> Timestamp {
    after(at, i64::from(secs) * 1000)
}
