//! Access to an order without an account: for the holder of its link or of its cart, and for staff.

use crate::web::http::call::Call;
use durable::Timestamp;
use shop::aftersales::status;
use shop::aftersales::status::Instruction;
use shop::customers::permissions::Permission;
use shop::error::{Error, Result};
use shop::orders::links::opens_by_query;
use shop::orders::order::{Actor, Order};
use shop::orders::ports::OrderPorts;
use shop::orders::record::Orders;
use shop::values::ids::CartId;

/// Proofs by which the caller may access the order in the URL.
#[derive(Debug)]
pub struct OrderAccess {
    by_token: bool,
    by_old_link: bool,
    cart_id: Option<CartId>,
}

impl OrderAccess {
    /// Collects the proofs that this call shows. A call without any is refused before the database
    /// is queried.
    ///
    /// # Errors
    /// 404.
    pub fn of(call: &Call<'_>) -> Result<Self> {
        let (id, identity) = (&call.order_id(), call.identity());
        let access = Self {
            by_token: identity.holds_link_of(id) || identity.may(Permission::ReadOrders),
            by_old_link: identity.holds_old_link_of(id),
            cart_id: identity.cart().ok().flatten().map(|own| own.id),
        };
        if access.by_token || access.by_old_link || access.cart_id.is_some() {
            return Ok(access);
        }
        Err(Error::NotFound("order"))
    }

    /// Returns true if the proofs grant access to an order of this cart, placed at this time.
    #[must_use]
    pub fn opens(&self, cart_id: &CartId, placed_at: Timestamp, now: Timestamp) -> bool {
        self.by_token
            || self.cart_id.as_deref() == Some(cart_id)
            || (self.by_old_link && opens_by_query(placed_at, now))
    }
}

/// Returns the order in the URL if the caller may see it. Everyone else gets the same error as for
/// an order that doesn't exist.
///
/// # Errors
/// 404.
pub async fn visible_order(call: &Call<'_>) -> Result<Order> {
    let access = OrderAccess::of(call)?;
    let order = call.app.orders().order(&call.order_id()).await?;
    order
        .filter(|order| access.opens(&order.cart_id, order.created_at, call.app.now))
        .ok_or(Error::NotFound("order"))
}

/// Cancels the order in the URL if the caller may see it.
///
/// # Errors
/// 404; 409 `transition_not_allowed`; 412 `stale_version`.
pub async fn cancel_visible_order(call: &Call<'_>, note: Option<String>) -> Result<Order> {
    let order = visible_order(call).await?;
    let instruction = instruction(call, call.identity().actor(), note)?;
    status::cancel_order(call.app, &order.id, instruction, call.app.now).await
}

/// Returns the instruction that `actor` gives by this call.
///
/// # Errors
/// 400 for a malformed `If-Match`.
pub fn instruction(call: &Call<'_>, actor: Actor, note: Option<String>) -> Result<Instruction> {
    Ok(Instruction {
        actor,
        note,
        if_version: call.if_match()?,
        refund_id: call.app.new_id("re")?,
    })
}
