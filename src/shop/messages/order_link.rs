//! Link to an order for someone who has lost it: they name the order, and its link goes to the
//! address that the order was placed with.
//!
//! The caller learns nothing: every request is queued unread and answered alike, so that neither
//! the answer nor its time tells whether there is such an order, and nobody but its owner gets a
//! mail. At most one link of an order is sent in an hour, so that knowing its number and address is
//! no way to flood someone; a rate limit bounds how often one visitor may ask.

use crate::codes::Code;
use crate::error::{Error, FieldError, Result};
use crate::messages::mail::{EmailJob, LinkRequest, Mail, MailKind};
use crate::orders::numbers::read_number;
use crate::orders::record::{OrderFilter, Orders};
use crate::values::ids::{customer_of, equal_secrets};
use crate::values::languages::Language;
use crate::values::mail_addresses::email_fault;
use durable::Timestamp;

/// The queue of wishes for links; an environment's own begins with this name.
pub const LINK_REQUESTS_QUEUE: &str = "link-requests";

/// Seconds in which at most one link of an order goes out.
const LINK_EVERY_SECS: i64 = 60 * 60;

/// Takes the wish for a link, whether or not there is such an order.
///
/// # Errors
/// 422 for what can be no number or no address.
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
                "An order number has digits only.",
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

/// Posts the link, if it was the order's owner who asked. Safe to repeat: the letter is the same
/// within the hour.
///
/// # Errors
/// When a port fails: to be tried again.
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
