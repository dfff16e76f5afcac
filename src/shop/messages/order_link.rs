//! Link to an order, for a customer who has lost it. They enter the order number and their email
//! address, and the link is sent to the address that the order was placed with.
//!
//! The response reveals nothing: every request is queued without a lookup and answered alike, so
//! neither the response nor its timing tells whether such an order exists, and nobody but its owner
//! gets an email. At most one link per order is sent in an hour, so that knowing a number and an
//! address is not enough to flood someone's inbox; a rate limit bounds the requests of one visitor.

use crate::codes::Code;
use crate::error::{Error, FieldError, Result};
use crate::messages::email::{EmailJob, LinkRequest, MailKind};
use crate::messages::mail::Mail;
use crate::orders::numbers::read_number;
use crate::orders::record::{OrderFilter, Orders};
use crate::values::ids::{customer_of, equal_secrets};
use crate::values::languages::Language;
use crate::values::mail_addresses::email_fault;
use durable::Timestamp;

/// Prefix of the name of the queue of link requests, in every environment.
pub const LINK_REQUESTS_QUEUE: &str = "link-requests";

/// Seconds within which at most one link per order is sent.
const LINK_EVERY_SECS: i64 = 60 * 60;

/// Accepts a request for a link, whether or not the order exists.
///
/// # Errors
/// 422 for a malformed order number or email address.
pub async fn request_order_link(
    mail: &impl Mail,
    number: &str,
    email: &str,
    language: Language,
) -> Result<()> {
    let order_number = read_number(number);
    let faults = [
        order_number.is_none().then(|| {
            FieldError::new(
                "number",
                Code::InvalidNumber,
                "An order number consists of digits only.",
            )
        }),
        email_fault(email),
    ];
    let Some(order_number) = order_number.filter(|_| email_fault(email).is_none()) else {
        return Err(Error::Invalid(faults.into_iter().flatten().collect()));
    };
    let request = LinkRequest {
        order_number,
        customer: customer_of(email),
        language,
    };
    mail.ask_for_link(&request).await
}

/// Sends the link if the request came from the order's owner. Safe to repeat: within an hour the
/// email is the same.
///
/// # Errors
/// Fails if a port fails; retry later.
pub async fn send_order_link(
    orders: &impl Orders,
    mail: &impl Mail,
    request: &LinkRequest,
    now: Timestamp,
) -> Result<()> {
    let filter = OrderFilter {
        number: Some(request.order_number),
        limit: 1,
        ..OrderFilter::default()
    };
    let found = orders.orders(&filter).await?;
    let order = found
        .into_iter()
        .find(|order| equal_secrets(&customer_of(&order.email), &request.customer));
    let Some(order) = order else {
        return Ok(());
    };
    let hour = now.as_secs().div_euclid(LINK_EVERY_SECS);
    let mut letter = EmailJob::about(MailKind::OrderLink, &order.id).on(&hour.to_string());
    letter.language = request.language;
    mail.post(&letter).await
}
