//! Text of the emails about an order, plain and as HTML.

use crate::error::{Error, Result};
use crate::messages::email::{EmailJob, MailKind, Message};
use crate::messages::labels::Labels;
use crate::messages::letterhead::Letterhead;
use crate::orders::links::OrderLinks;
use crate::orders::order::Order;
use crate::values::languages::Language;
use crate::values::money::Money;
use maud::{DOCTYPE, Markup, html};

/// Composes the text of an email.
///
/// # Errors
/// Fails if it is about a refund that the order does not have.
pub fn compose(
    letter: &EmailJob,
    order: &Order,
    links: &OrderLinks,
    letterhead: &Letterhead<'_>,
) -> Result<Message> {
    let number = order.number;
    let links = links.clone().in_language(letter.language);
    let way = Way {
        labels: Labels::of(letter.language),
        link: links.status(&order.id),
        look_up: links.look_up(),
        number,
        code: links.code(&order.id),
    };
    let (subject, paragraphs) = match letter.kind {
        MailKind::OrderConfirmation => (
            format!("Order {number} is confirmed"),
            vec!["Thank you for your order! We have received your payment and are preparing your parcel.".to_owned()],
        ),
        MailKind::Refund => (
                format!("Your refund for order {number}"),
                vec![
                    format!("Your refund of {} is on its way to the payment method you used.", refunded(order, &letter.subject)?),
                    "Depending on your bank, it can take five to ten working days to arrive.".to_owned(),
                ],
        ),
        MailKind::OrderLink => match letter.language {
            Language::English => (
                format!("The link to your order {number}"),
                vec!["Someone, hopefully you, requested the link to this order. Anyone who has the link can see the order, so please keep it to yourself.".to_owned()],
            ),
            Language::German => (
                format!("Der Link zu Ihrer Bestellung {number}"),
                vec!["Jemand, hoffentlich Sie, hat den Link zu dieser Bestellung angefordert. Wer den Link hat, kann die Bestellung sehen. Geben Sie ihn daher bitte nicht weiter.".to_owned()],
            ),
        },
        MailKind::PaymentProblem => (
            format!("Your payment for order {number} did not go through"),
            vec![
                "We could not complete your order, and its items are no longer reserved for you.".to_owned(),
                "If you have been charged, we will refund the full amount. You do not need to do anything.".to_owned(),
            ],
        ),
    };
    let lines: Vec<(String, Money)> = order
        .lines
        .iter()
        .map(|line| (line.name(), Money::new(line.line_total, order.currency)))
        .collect();
    let total = Money::new(order.totals.total, order.currency);
    // Emails that anyone can have sent to any address, by requesting a link or ordering without
    // paying, contain nothing that they typed.
    let label = match letter.kind {
        MailKind::OrderConfirmation | MailKind::Refund if order.totals.total > 0 => {
            order.shipping_address.label()
        }
        _ => vec![],
    };
    Ok(Message {
        to: order.email.clone(),
        text: as_text(&paragraphs, &lines, total, &label, &way, letterhead),
        html: as_html(
            &subject,
            &paragraphs,
            &lines,
            total,
            &label,
            &way,
            letterhead,
        )
        .into_string(),
        subject,
    })
}

fn refunded(order: &Order, refund_id: &str) -> Result<Money> {
    let refund = order.refunds.iter().find(|refund| refund.id == refund_id);
    refund
        .map(|refund| refund.amount)
        .ok_or_else(|| Error::internal(format!("no refund {refund_id}")))
}

/// Ways to open an order.
struct Way {
    labels: &'static Labels,
    link: String,
    look_up: String,
    number: i64,
    code: String,
}

fn as_text(
    paragraphs: &[String],
    lines: &[(String, Money)],
    total: Money,
    label: &[String],
    way: &Way,
    letterhead: &Letterhead<'_>,
) -> String {
    let labels = way.labels;
    let mut parts = paragraphs.to_vec();
    let mut listed: Vec<String> = lines
        .iter()
        .map(|(name, amount)| format!("{name}: {amount}"))
        .collect();
    listed.push(format!("{}: {total}", labels.total));
    parts.push(listed.join("\n"));
    if !label.is_empty() {
        parts.push(format!("{}:\n{}", labels.ship_to, label.join("\n")));
    }
    parts.push(format!("{}: {}", labels.open, way.link));
    parts.push(format!(
        "{}: {}?by=code\n{}: {}\n{}: {}",
        labels.look_up, way.look_up, labels.number, way.number, labels.code, way.code
    ));
    parts.push(letterhead.as_text());
    parts.join("\n\n")
}

/// Email clients support neither style sheets nor scripts reliably, so this is plain structure.
fn as_html(
    subject: &str,
    paragraphs: &[String],
    lines: &[(String, Money)],
    total: Money,
    label: &[String],
    way: &Way,
    letterhead: &Letterhead<'_>,
) -> Markup {
    let labels = way.labels;
    html! {
        (DOCTYPE)
        html lang=(labels.lang) {
            head { meta charset="utf-8"; title { (subject) } }
            body {
                h1 { (subject) }
                @for paragraph in paragraphs { p { (paragraph) } }
                table {
                    @for (name, amount) in lines {
                        tr { td { (name) } td align="right" { (amount) } }
                    }
                    tr { th align="left" { (labels.total) } th align="right" { (total) } }
                }
                @if !label.is_empty() {
                    h2 { (labels.ship_to) }
                    p { @for line in label { (line) br; } }
                }
                p { a href=(way.link) { (labels.open) } }
                p {
                    (labels.look_up) ": " a href=(format!("{}?by=code", way.look_up)) { (way.look_up) } br;
                    (labels.number) ": " (way.number) br;
                    (labels.code) ": " strong { (way.code) }
                }
                (letterhead.as_html())
            }
        }
    }
}
