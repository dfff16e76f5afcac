//! Tests of letters and of the rules by which each is sent once.

use super::*;
use crate::messages::email::MailKind;
use crate::orders::samples::{line, order};
use crate::values::ids::Signer;
use crate::values::languages::{Language, Languages};

const LETTERHEAD: Letterhead<'_> = Letterhead {
    shop: "Ohm",
    legal_name: "Ohm Ltd",
    address: &["1 Example Street", "Springfield"],
    email: "help@shop.test",
    phone: Some("+1 555 010 0199"),
};

#[test]
fn every_letter_ends_with_who_wrote_it() {
    let order = order("USD", vec![line(1, 500, 1)], 0, true);
    for kind in [
        MailKind::OrderConfirmation,
        MailKind::PaymentProblem,
        MailKind::OrderLink,
    ] {
        let letter = EmailJob::about(kind, &"ord_1".into());
        let sent = compose(&letter, &order, &links(), &LETTERHEAD).unwrap();
        let end = "Ohm\nOhm Ltd, 1 Example Street, Springfield\nhelp@shop.test · +1 555 010 0199";
        assert!(sent.text.ends_with(end), "{}", sent.text);
        assert!(
            sent.html.contains("Ohm Ltd, 1 Example Street"),
            "{}",
            sent.html
        );
    }
}

fn links() -> OrderLinks {
    OrderLinks {
        base: "https://shop.test".to_owned(),
        signer: Signer::new("key"),
        languages: Languages {
            default: Language::English,
            others: &[],
        },
        language: Language::English,
    }
}

#[test]
fn what_can_be_sent_to_anyone_for_nothing_holds_nothing_that_was_typed() {
    let says_street = |kind, total: i64| {
        let mut order = order("USD", vec![line(1, total, 1)], 0, true);
        order.shipping_address.line1 = "https://evil.test".to_owned();
        order.shipping_address.country = "US".to_owned();
        let sent = compose(
            &EmailJob::about(kind, &"ord_1".into()),
            &order,
            &links(),
            &LETTERHEAD,
        )
        .unwrap();
        assert_eq!(sent.text.contains("evil"), sent.html.contains("evil"));
        sent.text.contains("evil")
    };
    assert!(says_street(MailKind::OrderConfirmation, 500));
    assert!(!says_street(MailKind::OrderConfirmation, 0));
    assert!(!says_street(MailKind::PaymentProblem, 500));
    assert!(!says_street(MailKind::OrderLink, 500));
}
