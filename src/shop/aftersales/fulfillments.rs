//! Partial fulfillments, their delivery, and returns. The id of each record is derived from the
//! caller's key, so that a repeat finds it.

use crate::aftersales::recorded::{Recorded, same_record};
use crate::codes::Code;
use crate::error::{Error, Result};
use crate::orders::moves::{OrderRecord, Transition};
use crate::orders::moving::{find_order, move_order, not_allowed};
use crate::orders::order::{Actor, Order};
use crate::orders::records::{Fulfillment, Return, Tracking, Units};
use crate::orders::transitions::{OrderEventKind, OrderStatus};
use crate::settlement::effects;
use crate::settlement::ports::SettlementPorts;
use crate::values::ids::{OrderId, Sku};
use crate::values::money::{Money, split_in, sum};
use crate::values::staff_name::StaffName;
use crate::values::text::check_text;
use durable::Timestamp;

/// A fulfillment to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFulfillment {
    /// Units to ship. `None` means all that are left.
    pub lines: Option<Vec<Units>>,
    /// Carrier and tracking number.
    pub tracking: Tracking,
}

/// A return to be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReturn {
    /// Units returned.
    pub lines: Vec<Units>,
    /// True if they go back on sale.
    pub restock: bool,
    /// Reason for the return.
    pub reason: Option<String>,
}

/// Ships units: some of an order, or all that are left. A repeat with the same id changes nothing.
///
/// # Errors
/// 404; 409 `transition_not_allowed`, `nothing_left`; 422 naming the line.
pub async fn create_fulfillment(
    ports: &impl SettlementPorts,
    order_id: &OrderId,
    id: &str,
    new: NewFulfillment,
    by: &StaffName,
    now: Timestamp,
) -> Result<Recorded> {
    check_texts(&new.tracking)?;
    let order = find_order(ports, order_id).await?;
    let replayed = order.fulfillments.iter().any(|known| known.id == id);
    let order = move_order(ports, order, now, |order| {
        if let Some(known) = order.fulfillments.iter().find(|known| known.id == id) {
            let same = known.tracking == new.tracking
                && new.lines.as_ref().is_none_or(|lines| *lines == known.lines);
            return same_record(same);
        }
        let transition = Transition::of(
            order,
            OrderEventKind::Shipped,
            Actor::Staff(by.clone()),
            now,
        )
        .ok_or_else(|| not_allowed(order))?;
        let left = order.unshipped();
        let lines = match &new.lines {
            Some(lines) => among(lines, &left)?,
            None => left,
        };
        if lines.is_empty() {
            return Err(not_allowed(order));
        }
        Ok(Some(transition.with(OrderRecord::Shipped(Fulfillment {
            id: id.to_owned(),
            lines,
            tracking: new.tracking.clone(),
            shipped_at: now,
            delivered_at: None,
        }))))
    })
    .await?;
    let order = effects::drive_or_leave(ports, order, now).await;
    Ok(Recorded { order, replayed })
}

/// Records the delivery of a fulfillment; the last one completes the order. A repeat changes
/// nothing.
///
/// # Errors
/// 404; 409 `transition_not_allowed`.
pub async fn deliver_fulfillment(
    ports: &impl SettlementPorts,
    order_id: &OrderId,
    id: &str,
    by: &StaffName,
    now: Timestamp,
) -> Result<Order> {
    let order = find_order(ports, order_id).await?;
    move_order(ports, order, now, |order| {
        let known = order.fulfillments.iter().find(|known| known.id == id);
        let known = known.ok_or(Error::NotFound("fulfillment"))?;
        if known.delivered_at.is_some() {
            return Ok(None);
        }
        let others_arrived = order
            .fulfillments
            .iter()
            .all(|other| other.id == id || other.delivered_at.is_some());
        let all_arrived = others_arrived && order.unshipped().is_empty();
        let happening = match order.status {
            OrderStatus::Confirmed if all_arrived => OrderEventKind::Completed,
            _ => OrderEventKind::Delivered,
        };
        Transition::of(order, happening, Actor::Staff(by.clone()), now)
            .map(|transition| Some(transition.with(OrderRecord::Arrived(id.to_owned()))))
            .ok_or_else(|| not_allowed(order))
    })
    .await
}

/// Books returned units, back on sale or not. A repeat with the same id changes nothing.
///
/// # Errors
/// 404; 409 `transition_not_allowed`; 422 naming the line.
pub async fn create_return(
    ports: &impl SettlementPorts,
    order_id: &OrderId,
    id: &str,
    new: NewReturn,
    by: &StaffName,
    now: Timestamp,
) -> Result<Recorded> {
    check_text("reason", new.reason.as_deref())?;
    let order = find_order(ports, order_id).await?;
    let replayed = order.returns.iter().any(|known| known.id == id);
    let order = move_order(ports, order, now, |order| {
        if let Some(known) = order.returns.iter().find(|known| known.id == id) {
            let same = known.lines == new.lines
                && known.restock == new.restock
                && known.reason == new.reason;
            return same_record(same);
        }
        let transition = Transition::of(
            order,
            OrderEventKind::Returned,
            Actor::Staff(by.clone()),
            now,
        )
        .ok_or_else(|| not_allowed(order))?;
        let lines = among(&new.lines, &order.returnable())?;
        let worth = worth_of(order, &lines)?;
        Ok(Some(transition.with(OrderRecord::Returned(Return {
            id: id.to_owned(),
            lines,
            restock: new.restock,
            reason: new.reason.clone(),
            worth,
            returned_at: now,
        }))))
    })
    .await?;
    let order = effects::drive_or_leave(ports, order, now).await;
    Ok(Recorded { order, replayed })
}

/// Returns the amount paid for `units`, beyond the worth of earlier returns. Shipping is split over
/// the lines by largest remainder, and over the units of a line so that together they are worth the
/// line. Whatever the order and the parts, all units together are worth the total, and each part
/// can be refunded, since it is a multiple of the smallest amount that can be charged.
///
/// # Errors
/// Fails if an amount overflows.
pub fn worth_of(order: &Order, units: &[Units]) -> Result<Money> {
    let of_lines: Vec<i64> = order
        .lines
        .iter()
        .map(|line| order.totals.charged(line))
        .collect::<Result<_>>()?;
    let beside = sum([
        order.totals.total,
        sum(of_lines.iter().copied())?.saturating_neg(),
    ])?;
    let step = order.currency.charge_increment();
    let shares = split_in(beside, &of_lines, step)?;
    let mut worth = 0;
    for ((line, of_line), share) in order.lines.iter().zip(&of_lines).zip(&shares) {
        let before = quantity_of(&line.sku, order.returns.iter().flat_map(|it| &it.lines));
        let after = before.saturating_add(quantity_of(&line.sku, units));
        let all = sum([*of_line, *share])?;
        worth = sum([
            worth,
            part_of(all, after, line.quantity, step)?,
            part_of(all, before, line.quantity, step)?.saturating_neg(),
        ])?;
    }
    Ok(Money::new(worth, order.currency))
}

/// Returns the worth of `count` out of `of` equal units, rounded down to a multiple of `step`; all
/// of them are worth the whole amount.
fn part_of(amount: i64, count: u32, of: u32, step: i64) -> Result<i64> {
    let part = || -> Option<i64> {
        let product = i128::from(amount).checked_mul(count.into())?;
        let steps = product.checked_div(i128::from(of).checked_mul(step.into())?)?;
        i64::try_from(steps).ok()?.checked_mul(step)
    };
    part().ok_or_else(|| Error::internal("an amount does not fit"))
}

fn quantity_of<'a>(sku: &Sku, units: impl IntoIterator<Item = &'a Units>) -> u32 {
    units
        .into_iter()
        .filter(|units| units.sku == *sku)
        .fold(0, |sum, units| sum.saturating_add(units.quantity))
}

/// Returns `wanted` if each SKU occurs once, and no quantity exceeds what is left.
fn among(wanted: &[Units], left: &[Units]) -> Result<Vec<Units>> {
    if wanted.is_empty() {
        return Err(Error::invalid(
            "lines",
            Code::Required,
            "List at least one line.",
        ));
    }
    for (at, units) in wanted.iter().enumerate() {
        let max = quantity_of(&units.sku, left);
        let stands_once = wanted.iter().filter(|other| other.sku == units.sku).count() == 1;
        if units.quantity == 0 || units.quantity > max || !stands_once {
            let detail = format!("At most {max} of {}, and each SKU only once.", units.sku);
            return Err(Error::invalid(
                format!("lines.{at}"),
                Code::InvalidQuantity,
                detail,
            ));
        }
    }
    Ok(wanted.to_vec())
}

fn check_texts(tracking: &Tracking) -> Result<()> {
    check_text("carrier", tracking.carrier.as_deref())?;
    check_text("tracking_number", tracking.tracking_number.as_deref())?;
    check_text("tracking_url", tracking.tracking_url.as_deref())?;
    let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    if tracking
        .tracking_url
        .as_deref()
        .is_some_and(|url| !is_web(url))
    {
        return Err(Error::invalid(
            "tracking_url",
            Code::InvalidUrl,
            "Must be a URL that begins with https://.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::records::{record_id, record_id_of_key};
    use crate::orders::samples::{line, order};
    use crate::pricing::quote::QuoteLine;
    use crate::values::ids::derived_id;
    use crate::values::money::Currency;
    use proptest::prelude::*;

    prop_compose! {
        fn any_lines()(lines in prop::collection::vec((0..5_000_000_i64, 1..9_u32, 0..=100_i64, 0..400_i64), 1..8)) -> Vec<QuoteLine> {
            lines.into_iter().enumerate().map(|(at, (unit_price, quantity, off, tax))| {
                let line = line(at, unit_price, quantity);
                let discount = line.line_total * off / 100;
                QuoteLine { discount, tax: (line.line_total - discount) * tax / 1000, ..line }
            }).collect()
        }
    }

    proptest! {
        #[test]
        fn what_comes_back_unit_by_unit_is_worth_what_was_paid(
            mut lines in any_lines(),
            shipping in 0..100_000_i64,
            code in prop::sample::select(vec!["USD", "JPY", "ISK", "KWD", "MGA", "CLF"]),
            tax_included in any::<bool>(),
            shuffle in any::<u64>(),
        ) {
            let step = Currency::from_code(code).unwrap().charge_increment();
            for line in &mut lines {
                for amount in [&mut line.unit_price, &mut line.line_total, &mut line.discount, &mut line.tax] {
                    *amount *= step;
                }
            }
            let mut order = order(code, lines, shipping * step, tax_included);
            let mut units: Vec<Sku> = order.lines.iter()
                .flat_map(|line| std::iter::repeat_n(line.sku.clone(), line.quantity as usize))
                .collect();
            units.sort_by_key(|sku| derived_id("at", &format!("{shuffle}{sku}")));
            for (at, sku) in units.into_iter().enumerate() {
                let lines = vec![Units { sku, quantity: 1 }];
                let worth = worth_of(&order, &lines).unwrap();
                prop_assert!(worth.amount >= 0 && worth.amount % step == 0, "{worth:?} can't be given back");
                order.returns.push(Return {
                    id: format!("ret_{at}"), lines, restock: false, reason: None, worth, returned_at: Timestamp::default(),
                });
            }
            let worth: i64 = order.returns.iter().map(|it| it.worth.amount).sum();
            prop_assert_eq!(worth, order.totals.total);
        }
    }

    #[test]
    fn no_more_comes_back_than_is_out() {
        let left = [Units {
            sku: "A".into(),
            quantity: 2,
        }];
        let wanted = |sku: &str, quantity| Units {
            sku: sku.into(),
            quantity,
        };
        assert!(among(&[wanted("A", 2)], &left).is_ok());
        for refused in [
            vec![],
            vec![wanted("A", 3)],
            vec![wanted("A", 0)],
            vec![wanted("B", 1)],
            vec![wanted("A", 1), wanted("A", 1)],
        ] {
            assert!(among(&refused, &left).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn no_key_of_staff_names_a_record_of_the_shop() {
        for reason in ["too late", "dp_1", "rest of re_1"] {
            let own = record_id("re", &"ord_1".into(), reason);
            assert_ne!(record_id_of_key("re", &"ord_1".into(), reason), own);
        }
    }
}
