//! Stories of what the provider does to a session and its money.

use super::*;

/// Something that the provider does to the session `cs_1`, its money or its dispute.
pub(super) type Doing = fn(&mut Provider);

pub(super) const PAID: Doing = |it| assert!(it.pay("cs_1"));

pub(super) const PAID_LESS: Doing = |it| {
    it.sessions.get_mut("cs_1").unwrap().session.amount -= 101;
    assert!(it.pay("cs_1"));
};

pub(super) const PAID_MORE: Doing = |it| {
    it.sessions.get_mut("cs_1").unwrap().session.amount += 101;
    assert!(it.pay("cs_1"));
};

pub(super) const PAID_IN_EUROS: Doing = |it| {
    "EUR".clone_into(&mut it.sessions.get_mut("cs_1").unwrap().session.currency);
    assert!(it.pay("cs_1"));
};

const PAID_SLOWLY: Doing = |it| assert!(it.pay_slowly("cs_1"));

const ARRIVED: Doing = |it| assert!(it.arrive("cs_1"));

const CAME_TO_NOTHING: Doing = |it| assert!(it.fail("cs_1"));

pub(super) const EXPIRED: Doing = |it| assert!(it.end("cs_1").is_ok());

pub(super) const PAID_LATE: Doing = |it| assert!(it.pay_late("cs_1"));

pub(super) const PART_REFUNDED: Doing = |it| assert!(it.refund_elsewhere("cs_1"));

const REFUND_FAILED: Doing = |it| {
    let made_first = it.refunds.keys().next().cloned().unwrap();
    assert!(it.end_refund(&made_first, RefundState::Failed));
};

const DISPUTED: Doing = |it| assert!(it.dispute("cs_1"));

const DISPUTE_WON: Doing = |it| assert!(it.decide("du_pi_cs_1", true));

const DISPUTE_LOST: Doing = |it| assert!(it.decide("du_pi_cs_1", false));

pub(super) const PAID_TWICE: Doing = |it| beside(it, Other::Shops, 500, Provider::pay);

const PAID_A_STRANGER: Doing = |it| beside(it, Other::Strangers, 100, Provider::pay);

const STRANGERS_EXPIRED: Doing =
    |it| beside(it, Other::Strangers, 100, |it, id| it.end(id).is_ok());

const PAID_FOR_NO_ORDER: Doing = |it| beside(it, Other::OfNoOrder, 100, Provider::pay);

fn beside(it: &mut Provider, other: Other, amount: i64, then: fn(&mut Provider, &str) -> bool) {
    let id = it.open_beside("cs_1", other, amount);
    assert!(then(it, &id));
}

pub(super) const STORIES: [(&str, &[Doing]); 9] = [
    ("twice", &[PAID, PAID_TWICE, PART_REFUNDED]),
    ("twice and late", &[PAID_TWICE, EXPIRED, PAID_LATE]),
    (
        "beside strangers",
        &[PAID_A_STRANGER, STRANGERS_EXPIRED, PAID_FOR_NO_ORDER, PAID],
    ),
    ("lost", &[PAID, PART_REFUNDED, DISPUTED, DISPUTE_LOST]),
    ("won", &[PAID, DISPUTED, DISPUTE_WON, PART_REFUNDED]),
    (
        "slow",
        &[PAID_SLOWLY, ARRIVED, PART_REFUNDED, REFUND_FAILED],
    ),
    ("failed", &[PAID_SLOWLY, CAME_TO_NOTHING]),
    ("late", &[EXPIRED, PAID_LATE, PART_REFUNDED]),
    (
        "late and disputed",
        &[EXPIRED, PAID_LATE, DISPUTED, DISPUTE_LOST],
    ),
];
