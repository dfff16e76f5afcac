//! Holds of an order: a use of every scarce promotion, and the units of every tracked line. They
//! are taken at checkout, pinned before the order can be paid, committed when it is, and given back
//! when it comes to nothing.

use crate::error::Result;
use crate::inventory::hold_ids::{hold_id, tracked_lines};
use crate::inventory::hold_refusal::NotHeld;
use crate::inventory::line_units::{LineUnits, refused};
use crate::inventory::ports::StockPorts;
use crate::inventory::reservation::{Step, hold_each, step_each};
use crate::inventory::uses::{ScarceUse, scarce};
use crate::orders::order::Order;
use crate::pricing::quote::Held;

/// Holds of one attempt at an order, each kind in the order of its names: two checkouts that want
/// the same ones ask in the same order.
pub struct Holds<'a> {
    hold_id: String,
    uses: Vec<ScarceUse<'a>>,
    lines: Vec<LineUnits<'a>>,
    taken: Taken,
}

/// Number of those that were taken, in the order in which they are asked for.
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
    /// Holds of `attempt`, none of them taken by now.
    #[must_use]
    pub fn new(order_id: &str, attempt: u32, (lines, promotions): Held<'a>) -> Self {
        Self {
            hold_id: hold_id(order_id, attempt),
            uses: scarce(promotions),
            lines: tracked_lines(lines).into_iter().map(LineUnits).collect(),
            taken: Taken::default(),
        }
    }

    /// Holds of an order as it stands.
    #[must_use]
    pub fn of(order: &'a Order) -> Self {
        Self::of_attempt(order, order.attempt)
    }

    /// Holds of an attempt at an order, the present or an earlier one.
    #[must_use]
    pub fn of_attempt(order: &'a Order, attempt: u32) -> Self {
        Self::new(&order.id, attempt, order.held())
    }

    /// Takes all; stops at the first refusal.
    ///
    /// # Errors
    /// The first refusal, or a port's failure. What was taken by then is still held:
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

    /// Releases what was taken, and asks nothing of what was not.
    ///
    /// # Errors
    /// A port's failure; giving back again is safe.
    pub async fn give_back(&self, ports: &impl StockPorts) -> Result<()> {
        self.release_first(ports, self.taken).await
    }

    /// Releases all, whoever took them: a hold that is still on its way meets the tombstone.
    ///
    /// # Errors
    /// A port's failure; releasing again is safe.
    pub async fn release(&self, ports: &impl StockPorts) -> Result<()> {
        self.release_first(ports, Taken::ALL).await
    }

    /// Takes all off their clock; false when one has ended before.
    ///
    /// # Errors
    /// A port's failure; pinning again is safe.
    pub async fn pin(&self, ports: &impl StockPorts) -> Result<bool> {
        self.step(ports, Step::Pin).await
    }

    /// Counts all as those of a paid order.
    ///
    /// # Errors
    /// A port's failure; committing again is safe.
    pub async fn commit(&self, ports: &impl StockPorts) -> Result<()> {
        self.step(ports, Step::Commit).await.map(drop)
    }

    /// Gives back those of an order that came to nothing after it was paid.
    ///
    /// # Errors
    /// A port's failure; giving back again is safe.
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
