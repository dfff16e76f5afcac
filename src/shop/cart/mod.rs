//! Cart as shown to shoppers: the object's lines with titles, pictures and prices from the
//! published catalog, and availability from the published stock.
//!
//! These are for display only. The price of an order is determined by its quote, from the published
//! price rows.

pub mod of_order;
pub mod ports;

use crate::catalog::Product;
use crate::catalog::availability::{PublicStocks, public_stock_of};
use crate::catalog::version::{PublishedCatalog, find_product_of_sku};
use crate::codes::Code;
use crate::error::{Error, Result};
use crate::values::ids::{CartId, OrderId, Sku};
use crate::values::money::{Currency, Money, sum, times};
use durable::cart;
use durable::cart::{Cart, Change, Command, Refusal};
use durable::machine::Reply;
use durable::stock::{Availability, PublicStock};
use serde_json::json;

/// A cart with catalog data for its lines.
#[derive(Clone, Debug)]
pub struct PricedCart {
    /// Number of changes so far.
    pub version: u64,
    /// Lines, in the order they were added.
    pub lines: Vec<PricedLine>,
    /// Sum of the lines.
    pub subtotal: Money,
    /// Id of the order that has frozen it. `None` means that it is not frozen.
    pub frozen_by: Option<OrderId>,
}

/// A line of a cart.
#[derive(Clone, Debug)]
pub struct PricedLine {
    /// Stock keeping unit.
    pub sku: Sku,
    /// Number of units.
    pub quantity: u32,
    /// Handle of the product. `None` means that it is no longer on sale.
    pub handle: Option<String>,
    /// Title of the product.
    pub title: String,
    /// Title of the variant.
    pub variant_title: String,
    /// URL of a picture.
    pub image: Option<String>,
    /// Price of one unit. `None` means that it can't be bought in this currency.
    pub unit_price: Option<Money>,
    /// Unit price times quantity.
    pub line_total: Option<Money>,
    /// Availability according to the published copy; checkout asks the stock object.
    pub stock: Availability,
}

/// Result of changing a cart.
#[derive(Clone, Debug)]
pub struct ChangedCart {
    /// Cart right after the change.
    pub cart: Cart,
    /// True if an earlier request with the same key made the change.
    pub replayed: bool,
}

/// Changes a cart, once per `operation_id`.
///
/// # Errors
/// 422 for a quantity, a note or a number of lines beyond the limits, and for the operation id of a
/// different change; 412 for a stale version; 409 while an order has frozen the cart.
pub async fn change_cart(
    carts: &impl CartObjects,
    cart_id: &CartId,
    operation_id: String,
    if_version: Option<u64>,
    change: Change,
) -> Result<ChangedCart> {
    let command = Command { if_version, change };
    match carts.ask(cart_id, operation_id, command).await? {
        Reply::Done { view, replayed } => Ok(ChangedCart {
            cart: view,
            replayed,
        }),
        Reply::Refused { refusal } => Err(refused(refusal)),
    }
}

/// Merges a guest's cart into the shopper's own at login: for each SKU, the larger of the two
/// quantities is kept. Safe to repeat, even after a crash between its steps: nothing is merged
/// twice.
///
/// 1. The shopper's cart takes over the lines, once for this version of the guest's cart.
/// 2. The guest's cart is emptied, unless it has changed in the meantime; then it is merged again
///    the next time.
///
/// A guest's cart frozen by an order is left unchanged.
///
/// # Errors
/// 409 `cart_in_checkout` while an order has frozen the shopper's own cart; nothing has changed
/// then.
pub async fn merge_carts(
    carts: &impl CartObjects,
    guest_id: &CartId,
    own_id: &CartId,
) -> Result<Cart> {
    let guest = carts.view(guest_id).await?;
    let has_nothing = guest.lines.is_empty() && guest.note.is_empty();
    if guest_id == own_id || has_nothing || guest.frozen_by.is_some() {
        return carts.view(own_id).await;
    }
    let version = guest.version;
    let merge = Change::Merge {
        lines: guest.lines,
        note: guest.note,
    };
    let operation_id = format!("merge:{guest_id}:{version}");
    let merged = change_cart(carts, own_id, operation_id.clone(), None, merge).await?;
    match change_cart(carts, guest_id, operation_id, Some(version), Change::Clear).await {
        Ok(_) | Err(Error::PreconditionFailed { .. } | Error::Conflict { .. }) => Ok(merged.cart),
        Err(error) => Err(error),
    }
}

/// Adds titles, prices in `currency` and availability to the lines of `cart`.
///
/// # Errors
/// Fails if the published catalog or stock can't be read.
pub async fn price_cart(
    catalog: &impl PublishedCatalog,
    stocks: &impl PublicStocks,
    cart: &Cart,
    currency: Currency,
) -> Result<PricedCart> {
    let skus = skus_of(cart);
    let asked: Vec<&Sku> = skus.iter().collect();
    let known = stocks.public_stocks(&asked).await?;
    let mut lines = Vec::with_capacity(cart.lines.len());
    for (line, sku) in cart.lines.iter().zip(skus) {
        let product = find_product_of_sku(catalog, &sku).await?;
        lines.push(priced_line(
            sku,
            line.quantity,
            product.as_deref(),
            known.get(&line.sku).copied(),
            currency,
        )?);
    }
    let amounts = lines
        .iter()
        .filter_map(|line| line.line_total)
        .map(|total| total.amount);
    Ok(PricedCart {
        version: cart.version,
        subtotal: Money::new(sum(amounts)?, currency),
        frozen_by: cart.frozen_by.clone().map(OrderId::new),
        lines,
    })
}

impl PricedCart {
    /// Number of units in all lines.
    #[must_use]
    pub fn quantity(&self) -> u32 {
        self.lines
            .iter()
            .fold(0, |sum, line| sum.saturating_add(line.quantity))
    }
}

/// Returns the SKUs in a cart.
#[must_use]
pub fn skus_of(cart: &Cart) -> Vec<Sku> {
    let lines = cart.lines.iter();
    lines.map(|line| Sku::new(line.sku.clone())).collect()
}

fn priced_line(
    sku: Sku,
    quantity: u32,
    product: Option<&Product>,
    known: Option<PublicStock>,
    currency: Currency,
) -> Result<PricedLine> {
    let variant = product.and_then(|product| product.variant(&sku));
    let unit_price = variant.and_then(|variant| variant.price(currency));
    let line_total = match unit_price {
        Some(price) => Some(Money::new(times(price.amount, quantity)?, currency)),
        None => None,
    };
    Ok(PricedLine {
        quantity,
        handle: product.map(|product| product.handle.clone()),
        title: product.map_or_else(
            || "No longer available".to_owned(),
            |product| product.title.clone(),
        ),
        variant_title: variant
            .map(|variant| variant.title.clone())
            .unwrap_or_default(),
        image: product
            .and_then(|product| product.picture_of(&sku))
            .map(str::to_owned),
        unit_price,
        line_total,
        stock: product.map_or(Availability::Out, |product| {
            public_stock_of(product, &sku, known).stock
        }),
        sku,
    })
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::QuantityOutOfRange { max } => invalid_quantity(max),
        Refusal::TooManyLines { max } => Error::invalid(
            "sku",
            Code::TooManyLines,
            format!("A cart holds at most {max} different items."),
        ),
        Refusal::NoteTooLong { max } => Error::invalid(
            "note",
            Code::NoteTooLong,
            format!("A note can be at most {max} bytes long."),
        ),
        Refusal::Empty => Error::invalid("cart", Code::CartEmpty, "The cart is empty."),
        Refusal::FrozenBy { order_id } => Error::conflict(
            Code::CartInCheckout,
            "An order from this cart is being placed or paid. The cart can be changed again once that has ended.",
            json!({"order_id": order_id}),
        ),
        Refusal::Stale { version } => Error::PreconditionFailed { version },
        refusal @ (Refusal::KeyReused | Refusal::Joined) => {
            Error::internal(format!("change of a cart: {refusal:?}"))
        }
    }
}

/// Returns a 422 for a quantity that a cart can't hold.
pub fn invalid_quantity(max: u32) -> Error {
    Error::invalid(
        "quantity",
        Code::InvalidQuantity,
        format!("Must be a whole number from 1 to {max}."),
    )
}

/// Cart objects, one per cart.
pub trait CartObjects {
    /// Carries out `command` once per `operation_id`.
    async fn ask(
        &self,
        cart_id: &CartId,
        operation_id: String,
        command: Command,
    ) -> Result<cart::Reply>;
    /// Returns the current cart.
    async fn view(&self, cart_id: &CartId) -> Result<Cart>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use durable::Timestamp;
    use durable::cart::{Line, MAX_QUANTITY, Reply as CartReply};
    use durable::machine::Machine;
    use futures_util::FutureExt;
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    /// Real cart machines with one failing call: it fails before it is received, or after it was
    /// carried out.
    #[derive(Default)]
    struct Carts {
        carts: RefCell<BTreeMap<CartId, Cart>>,
        answers: RefCell<BTreeMap<(CartId, String), Cart>>,
        calls: Cell<usize>,
        fault: Option<(usize, bool)>,
    }

    impl Carts {
        fn answer(&self, cart_id: &CartId, operation_id: String, command: &Command) -> CartReply {
            let operation = (cart_id.to_owned(), operation_id);
            if let Some(view) = self.answers.borrow().get(&operation).cloned() {
                let replayed = true;
                return Reply::Done { view, replayed };
            }
            let mut carts = self.carts.borrow_mut();
            let cart = carts.entry(cart_id.to_owned()).or_default();
            let now = Timestamp::default();
            let events = match cart.decide(command, now) {
                Ok(events) => events,
                Err(refusal) => return Reply::Refused { refusal },
            };
            events.iter().for_each(|event| cart.apply(event, now));
            let view = cart.clone();
            self.answers.borrow_mut().insert(operation, view.clone());
            let replayed = false;
            Reply::Done { view, replayed }
        }

        fn put(&self, cart_id: &str, change: Change) {
            let if_version = None;
            let operation_id = format!("test {}", self.answers.borrow().len());
            self.answer(
                &cart_id.into(),
                operation_id,
                &Command { if_version, change },
            );
        }

        fn lines(&self, cart_id: &str) -> Vec<Line> {
            let carts = self.carts.borrow();
            carts.get(cart_id).map_or(vec![], |cart| cart.lines.clone())
        }
    }

    impl CartObjects for Carts {
        async fn ask(
            &self,
            id: &CartId,
            operation_id: String,
            command: Command,
        ) -> Result<CartReply> {
            self.calls.set(self.calls.get() + 1);
            let fault = self.fault.filter(|(nth, _)| *nth == self.calls.get());
            if fault.is_some_and(|(_, landed)| !landed) {
                return Err(Error::internal("planned"));
            }
            let reply = self.answer(id, operation_id, &command);
            match fault {
                Some(_) => Err(Error::internal("planned")),
                None => Ok(reply),
            }
        }

        async fn view(&self, id: &CartId) -> Result<Cart> {
            Ok(self.carts.borrow().get(id).cloned().unwrap_or_default())
        }
    }

    fn add(sku: &str, quantity: u32) -> Change {
        Change::Add {
            sku: sku.to_owned(),
            quantity,
            at_most: MAX_QUANTITY,
        }
    }

    fn line(sku: &str, quantity: u32) -> Line {
        let sku = sku.to_owned();
        Line { sku, quantity }
    }

    fn shopper_with_two_carts(fault: Option<(usize, bool)>) -> Carts {
        let carts = Carts {
            fault,
            ..Carts::default()
        };
        carts.put("own", add("LAMP", 1));
        carts.put("guest", add("CHAIR", 2));
        carts.put("guest", add("LAMP", 3));
        carts
    }

    fn merge(carts: &Carts) -> Result<Cart> {
        let merged = merge_carts(carts, &"guest".into(), &"own".into()).now_or_never();
        merged.expect("nothing is waited for")
    }

    #[test]
    fn a_merge_that_fails_anywhere_is_merged_once_when_repeated() {
        let faults = [(1, false), (1, true), (2, false), (2, true)].map(Some);
        for fault in faults.into_iter().chain([None]) {
            let carts = shopper_with_two_carts(fault);
            assert_eq!(merge(&carts).is_err(), fault.is_some());
            for _ in 0..2 {
                merge(&carts).unwrap();
                assert_eq!(carts.lines("own"), [line("LAMP", 3), line("CHAIR", 2)]);
                assert_eq!(carts.lines("guest"), []);
            }
        }
    }

    #[test]
    fn what_was_merged_and_then_taken_out_does_not_come_back() {
        let carts = shopper_with_two_carts(Some((2, false)));
        assert!(merge(&carts).is_err());
        let sku = "CHAIR".to_owned();
        carts.put("own", Change::Remove { sku });

        merge(&carts).unwrap();

        assert_eq!(carts.lines("own"), [line("LAMP", 3)]);
        assert_eq!(carts.lines("guest"), []);
    }

    #[test]
    fn a_cart_that_an_order_has_is_left_alone() {
        let order_id = || "ord_1".to_owned();
        let frozen = || Change::Freeze {
            order_id: order_id(),
            checkout: None,
        };
        let carts = shopper_with_two_carts(None);
        carts.put("guest", frozen());
        merge(&carts).unwrap();
        assert_eq!(carts.lines("own"), [line("LAMP", 1)]);

        let carts = shopper_with_two_carts(None);
        carts.put("own", frozen());
        assert_eq!(merge(&carts).unwrap_err().code(), Code::CartInCheckout);
        assert_eq!(carts.lines("guest"), [line("CHAIR", 2), line("LAMP", 3)]);
    }
}
