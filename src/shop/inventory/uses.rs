//! Uses of limited promotions held for an order. A promotion without limits has no object, and
//! nothing is asked.

use crate::error::{Error, Result};
use crate::inventory::hold_ids::HOLD_SECS;
use crate::inventory::hold_refusal::HoldRefusal;
use crate::inventory::objects::{PromotionObjects, Uses};
use crate::inventory::ports::StockPorts;
use crate::inventory::reservation::{Reservation, Step};
use crate::pricing::quote::QuotePromotion;
use crate::values::ids::customer_of;
use durable::promotion::{Command, Limits, Promotion, Refusal, Reply};
use futures_util::future::try_join_all;

/// One use of a limited promotion, held by its object.
pub(super) struct ScarceUse<'a> {
    id: &'a str,
    limits: Limits,
}

impl ScarceUse<'_> {
    /// Returns the refusal of an order that can't have this use.
    pub(super) fn refused(&self, refusal: Refusal) -> HoldRefusal {
        let id = self.id.to_owned();
        match refusal {
            Refusal::UsedUp { contended: true } | Refusal::HoldEnded => {
                HoldRefusal::PromotionContended(id)
            }
            Refusal::UsedUpByCustomer => HoldRefusal::PromotionNotAvailable(id),
            _ => HoldRefusal::PromotionUsedUp(id),
        }
    }
}

impl Reservation for ScarceUse<'_> {
    type Machine = Promotion;

    fn name(&self) -> &str {
        self.id
    }

    fn hold(&self, hold_id: String, email: &str) -> Command {
        Command::Hold {
            hold_id,
            customer: customer_of(email),
            limits: self.limits,
            ttl_secs: HOLD_SECS,
        }
    }

    fn command(step: Step, hold_id: String) -> (&'static str, Command) {
        match step {
            Step::Pin => ("pin", Command::Pin { hold_id }),
            Step::Release => ("release", Command::Release { hold_id }),
            Step::Commit => ("consume", Command::Consume { hold_id }),
            Step::Restock => ("return", Command::Return { hold_id }),
        }
    }

    fn has_ended(refusal: &Refusal) -> bool {
        *refusal == Refusal::HoldEnded
    }

    async fn ask(
        &self,
        ports: &impl StockPorts,
        operation_id: String,
        command: Command,
    ) -> Result<Reply> {
        let objects = ports.promotions();
        objects.ask(self.id, operation_id, command).await
    }
}

/// Returns the ids of those `promotions` that can't be used now: by anyone, or, for automatic
/// promotions, by this customer. Whether this customer has already used a code is checked when the
/// order is placed.
///
/// # Errors
/// 409 `promotion_contended` while others hold the last uses of a code; or an object's failure.
pub async fn used_up(
    objects: &impl PromotionObjects,
    promotions: &[QuotePromotion],
    customer: &str,
) -> Result<Vec<String>> {
    let asked = promotions.iter().filter_map(|promotion| {
        let limits = promotion.limits?;
        Some(async move {
            let uses = objects.uses(&promotion.id, customer).await?;
            is_used_up(promotion, limits, uses).map(|is_up| is_up.then(|| promotion.id.clone()))
        })
    });
    Ok(try_join_all(asked).await?.into_iter().flatten().collect())
}

fn is_used_up(promotion: &QuotePromotion, limits: Limits, uses: Uses) -> Result<bool> {
    let by_all = uses.all.is_used_up(limits);
    if promotion.code.is_none() {
        let by_customer = limits.per_customer.is_some_and(|it| uses.of_customer >= it);
        return Ok(by_all || by_customer);
    }
    if by_all && uses.all.reserved > 0 {
        return Err(HoldRefusal::PromotionContended(promotion.id.clone()).into());
    }
    Ok(by_all)
}

/// Returns the promotions with limits, sorted by id.
pub(super) fn scarce(promotions: &[QuotePromotion]) -> Vec<ScarceUse<'_>> {
    let scarce = promotions.iter().filter_map(|promotion| {
        Some(ScarceUse {
            id: &promotion.id,
            limits: promotion.limits?,
        })
    });
    let mut scarce: Vec<ScarceUse<'_>> = scarce.collect();
    scarce.sort_unstable_by_key(|it| it.id);
    scarce
}

/// Returns a 409 `promotion_not_available`, the same whether the customer has already used the
/// promotion, has ordered before, or is not among those it is for.
pub fn not_available(id: &str) -> Error {
    HoldRefusal::PromotionNotAvailable(id.to_owned()).into()
}
