//! Holds of an order: one use of each limited promotion, and the units of each tracked line. They
//! are taken at checkout, pinned before the order can be paid, committed when it is paid, and
//! released when it ends unpaid.

use crate::error::Result;
use crate::inventory::hold_ids::{hold_id, tracked_lines};
use crate::inventory::hold_refusal::NotHeld;
use crate::inventory::line_units::{LineUnits, refused};
use crate::inventory::ports::StockPorts;
use crate::inventory::reservation::{Step, hold_each, step_each};
use crate::inventory::uses::{ScarceUse, scarce};
use crate::orders::order::Order;
use crate::pricing::quote::Held;
use crate::values::ids::OrderId;

/// Holds of one attempt at an order, each kind in alphabetical order, so that two checkouts of the
/// same things ask in the same order.
pub struct Holds<'a> {
    hold_id: String,
    uses: Vec<ScarceUse<'a>>,
    lines: Vec<LineUnits<'a>>,
    taken: Taken,
}

/// Number of holds taken so far, in the order in which they are requested.
#[derive(Clone, Copy, Default)]
struct Taken {
    uses: usize,
    lines: usize,
}

impl Taken {
    const ALL: Self = Self {
        uses: usize::MAX,
        lines: usize::MAX,
    };
}

impl<'a> Holds<'a> {
    /// Returns the holds of `attempt`, none of them taken yet.
    #[must_use]
    pub fn new(order_id: &OrderId, attempt: u32, (lines, promotions): Held<'a>) -> Self {
        Self {
            hold_id: hold_id(order_id, attempt),
            uses: scarce(promotions),
            lines: tracked_lines(lines).into_iter().map(LineUnits).collect(),
            taken: Taken::default(),
        }
    }

    /// Returns the holds of an order's current attempt.
    #[must_use]
    pub fn of(order: &'a Order) -> Self {
        Self::of_attempt(order, order.attempt)
    }

    /// Returns the holds of the current or an earlier attempt at an order.
    #[must_use]
    pub fn of_attempt(order: &'a Order, attempt: u32) -> Self {
        Self::new(&order.id, attempt, order.held())
    }

    /// Takes all holds, and stops at the first refusal.
    ///
    /// # Errors
    /// The first refusal, or a port's failure. Holds taken before it remain: see
    /// [`Self::give_back`].
    pub async fn take(&mut self, ports: &impl StockPorts, email: &str) -> Result<(), NotHeld> {
        let Self {
            hold_id,
            uses,
            lines,
            taken,
        } = self;
        let held = hold_each(ports, hold_id, email, uses, &mut taken.uses);
        if let Some((used_up, refusal)) = held.await? {
            return Err(used_up.refused(refusal).into());
        }
        let held = hold_each(ports, hold_id, email, lines, &mut taken.lines);
        if let Some((short, refusal)) = held.await? {
            let others = lines.iter().skip(taken.lines.saturating_add(1));
            return Err(refused(ports, short, &refusal, others).await?.into());
        }
        Ok(())
    }

    /// Releases the holds that were taken, without asking about the others.
    ///
    /// # Errors
    /// Fails if a port fails; calling it again is safe.
    pub async fn give_back(&self, ports: &impl StockPorts) -> Result<()> {
        self.release_first(ports, self.taken).await
    }

    /// Releases all holds, whoever took them. A hold request still in flight finds the tombstone.
    ///
    /// # Errors
    /// Fails if a port fails; releasing again is safe.
    pub async fn release(&self, ports: &impl StockPorts) -> Result<()> {
        self.release_first(ports, Taken::ALL).await
    }

    /// Pins all holds. Returns false if one of them has already ended.
    ///
    /// # Errors
    /// Fails if a port fails; pinning again is safe.
    pub async fn pin(&self, ports: &impl StockPorts) -> Result<bool> {
        self.step(ports, Step::Pin).await
    }

    /// Commits all holds to a paid order.
    ///
    /// # Errors
    /// Fails if a port fails; committing again is safe.
    pub async fn commit(&self, ports: &impl StockPorts) -> Result<()> {
        self.step(ports, Step::Commit).await.map(drop)
    }

    /// Returns the committed units and uses of an order that was cancelled after payment.
    ///
    /// # Errors
    /// Fails if a port fails; calling it again is safe.
    pub async fn restock(&self, ports: &impl StockPorts) -> Result<()> {
        self.step(ports, Step::Restock).await.map(drop)
    }

    async fn step(&self, ports: &impl StockPorts, step: Step) -> Result<bool> {
        let hold_id = &self.hold_id;
        Ok(step_each(ports, hold_id, self.lines.iter(), step).await?
            && step_each(ports, hold_id, self.uses.iter(), step).await?)
    }

    async fn release_first(&self, ports: &impl StockPorts, taken: Taken) -> Result<()> {
        let uses = self.uses.iter().take(taken.uses);
        let lines = self.lines.iter().take(taken.lines);
        step_each(ports, &self.hold_id, uses, Step::Release).await?;
        step_each(ports, &self.hold_id, lines, Step::Release).await?;
        Ok(())
    }
}
