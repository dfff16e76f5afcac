//! The uses of scarce promotions on their way through an order: held with its stock, pinned before
//! it can be paid, consumed when it is, given back when it comes to nothing. Each operation's id
//! names the order, the attempt and the step, so that asking again counts nothing twice. A
//! promotion without limits has no object and is asked nothing.

use crate::error::{Error, Result};
use crate::inventory::hold_ids::{HOLD_SECS, hold_id};
use crate::inventory::hold_refusal::{HoldRefusal, NotHeld};
use crate::inventory::objects::{PromotionObjects, Uses};
use crate::inventory::ports::StockPorts;
use crate::orders::order::Order;
use crate::pricing::quote::QuotePromotion;
use crate::values::ids::customer_of;
use durable::machine::Reply;
use durable::promotion::{Command, Limits, Refusal};
use futures_util::future::try_join_all;

/// Which of `promotions` can't be used now, by anyone or, where it comes by itself, by this
/// customer. Whether this customer has used up a code is told when it is ordered with.
///
/// # Errors
/// 409 `promotion_contended` while others hold the last uses of a code on the clock; when an object
/// does not answer.
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

/// Holds a use of each, in the order of their ids; stops at the first refusal.
///
/// # Errors
/// The first refusal, or a port's failure. What was held until then, which is counted in `taken`,
/// is still held: the caller gives it back.
pub async fn hold_uses(
    ports: &impl StockPorts,
    order_id: &str,
    attempt: u32,
    email: &str,
    promotions: &[QuotePromotion],
    taken: &mut usize,
) -> Result<(), NotHeld> {
    let hold_id = hold_id(order_id, attempt);
    for (id, limits) in scarce(promotions) {
        let command = Command::Hold {
            hold_id: hold_id.clone(),
            customer: customer_of(email),
            limits,
            ttl_secs: HOLD_SECS,
        };
        if let Err(refusal) = ask(ports, id, &hold_id, "hold", command).await? {
            return Err(not_held(id, refusal).into());
        }
        *taken = taken.saturating_add(1);
    }
    Ok(())
}

/// False when a use has ended on its clock, before it could be pinned.
///
/// # Errors
/// A port's failure; pinning again is safe.
pub async fn pin_uses(ports: &impl StockPorts, order: &Order) -> Result<bool> {
    let hold_id = hold_id(&order.id, order.attempt);
    for (id, _) in scarce(&order.terms.promotions) {
        let command = Command::Pin {
            hold_id: hold_id.clone(),
        };
        match ask(ports, id, &hold_id, "pin", command).await? {
            Ok(()) => {}
            Err(Refusal::HoldEnded) => return Ok(false),
            Err(refusal) => return Err(unexpected("pin", id, &hold_id, refusal)),
        }
    }
    Ok(true)
}

/// Gives back the first `taken` of what `attempt` of an order holds: a hold that is still on its
/// way meets the tombstone.
///
/// # Errors
/// A port's failure; releasing again is safe.
pub async fn release_uses(
    ports: &impl StockPorts,
    order_id: &str,
    attempt: u32,
    promotions: &[QuotePromotion],
    taken: usize,
) -> Result<()> {
    let hold_id = hold_id(order_id, attempt);
    for (id, _) in scarce(promotions).into_iter().take(taken) {
        let command = Command::Release {
            hold_id: hold_id.clone(),
        };
        let asked = ask(ports, id, &hold_id, "release", command).await?;
        asked.map_err(|refusal| unexpected("release", id, &hold_id, refusal))?;
    }
    Ok(())
}

/// Makes the uses those of a paid order.
///
/// # Errors
/// A port's failure; asking again is safe.
pub async fn consume_uses(ports: &impl StockPorts, order: &Order) -> Result<()> {
    let hold_id = hold_id(&order.id, order.attempt);
    ask_each(
        ports,
        &order.terms.promotions,
        &hold_id,
        "consume",
        |hold_id| Command::Consume { hold_id },
    )
    .await
}

/// Gives back the uses of a paid order that was cancelled, all of it.
///
/// # Errors
/// A port's failure; asking again is safe.
pub async fn return_uses(ports: &impl StockPorts, order: &Order) -> Result<()> {
    let hold_id = hold_id(&order.id, order.attempt);
    ask_each(
        ports,
        &order.terms.promotions,
        &hold_id,
        "return",
        |hold_id| Command::Return { hold_id },
    )
    .await
}

/// Those that can be used up, in the order of their ids: two checkouts that want the same ones ask
/// in the same order.
fn scarce(promotions: &[QuotePromotion]) -> Vec<(&str, Limits)> {
    let mut scarce: Vec<(&str, Limits)> = promotions
        .iter()
        .filter_map(|promotion| Some((&*promotion.id, promotion.limits?)))
        .collect();
    scarce.sort_unstable_by_key(|(id, _)| *id);
    scarce
}

async fn ask_each(
    ports: &impl StockPorts,
    promotions: &[QuotePromotion],
    hold_id: &str,
    step: &str,
    command: impl Fn(String) -> Command,
) -> Result<()> {
    for (id, _) in scarce(promotions) {
        let asked = ask(ports, id, hold_id, step, command(hold_id.to_owned())).await?;
        asked.map_err(|refusal| unexpected(step, id, hold_id, refusal))?;
    }
    Ok(())
}

async fn ask(
    ports: &impl StockPorts,
    id: &str,
    hold_id: &str,
    step: &str,
    command: Command,
) -> Result<Result<(), Refusal>> {
    let operation_id = format!("{hold_id}:{step}");
    Ok(
        match ports.promotions().ask(id, operation_id, command).await? {
            Reply::Done { .. } => Ok(()),
            Reply::Refused { refusal } => Err(refusal),
        },
    )
}

fn not_held(id: &str, refusal: Refusal) -> HoldRefusal {
    let id = id.to_owned();
    match refusal {
        Refusal::UsedUp { contended: true } | Refusal::HoldEnded => {
            HoldRefusal::PromotionContended(id)
        }
        Refusal::UsedUpByCustomer => HoldRefusal::PromotionNotAvailable(id),
        _ => HoldRefusal::PromotionUsedUp(id),
    }
}

/// 409 `promotion_not_available`, whether the address has used it, has ordered before, or is not
/// one of those it is for.
pub fn not_available(id: &str) -> Error {
    HoldRefusal::PromotionNotAvailable(id.to_owned()).into()
}

/// What a promotion object should not have refused.
fn unexpected(step: &str, id: &str, hold_id: &str, refusal: Refusal) -> Error {
    Error::internal(format!("{step} of {id} for {hold_id}: {refusal:?}"))
}
