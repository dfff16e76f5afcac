//! Lives of objects, command by command.

use super::*;

/// Returns a story with every kind of event, two holds that expire before one command, and
/// refusals.
pub(super) fn life_of_stock() -> Story<Stock> {
    let story = [
        (0, receive(4)),
        (1, hold("a", 60)),
        (2, hold("b", 60)),
        (3, hold("c", 600)),
        (4, pin("c")),
        (5, hold("d", 600)),
        (6, hold("too-many", 60)),
        (7, commit("c")),
        (90, hold("e", 600)),
        (91, release("d")),
        (92, release("never-held")),
        (93, commit("a")),
        (94, release("c")),
        (95, ship("a")),
        (96, restock("c")),
        (97, configure(2)),
        (98, hold("ahead", 600)),
        (99, adjust(-9)),
        (100, adjust(-1)),
        (100 + TOMBSTONE_SECS, receive(1)),
    ];
    let mut story: Story<Stock> = story
        .into_iter()
        .map(|(at_secs, command)| (at_secs, request(&at_secs.to_string(), command)))
        .collect();
    story.push((
        101 + TOMBSTONE_SECS,
        request("last", hold("last", 1_000_000)),
    ));
    story.push((102 + TOMBSTONE_SECS, Request::View));
    story
}

pub(super) fn life_of_a_cart() -> Story<Cart> {
    let sku = || "b".to_owned();
    let order_id = || "ord_1".to_owned();
    let story = [
        add("a", 1),
        add("b", 2),
        Change::Set {
            sku: sku(),
            quantity: 3,
            at_most: 2,
        },
        Change::Note {
            note: "ring twice".to_owned(),
        },
        Change::Merge {
            lines: vec![line("a", 7), line("d", 1)],
            note: String::new(),
        },
        Change::Freeze {
            order_id: order_id(),
            checkout: None,
        },
        add("c", 1),
        Change::Thaw {
            order_id: order_id(),
            alone: false,
        },
        Change::Remove { sku: sku() },
        Change::Freeze {
            order_id: order_id(),
            checkout: None,
        },
        Change::Complete {
            order_id: order_id(),
        },
        add("c", 1),
    ];
    let day = 24 * 60 * 60;
    (0..)
        .zip(story)
        .map(|(number, step)| (number * day, request(&number.to_string(), change(step))))
        .collect()
}

fn line(sku: &str, quantity: u32) -> Line {
    let sku = sku.to_owned();
    Line { sku, quantity }
}

/// Creates stock with `holds` open holds and some free units.
pub(super) fn shop_with_holds(holds: u32) -> (Sqlite, Keeper<Stock>) {
    let sql = Sqlite::empty();
    let mut keeper = open(&sql).unwrap();
    in_one_transaction(&sql, || {
        let now = Timestamp::from_millis(0);
        keeper.carry_out(&sql, &request("in", receive(holds + 10)), now)?;
        for number in 0..holds {
            let hold_id = format!("hold-{number:05}");
            keeper.carry_out(&sql, &request(&hold_id, hold(&hold_id, 1_000_000)), now)?;
        }
        Ok(())
    });
    (sql, keeper)
}

pub(super) fn request<C>(operation_id: &str, command: C) -> Request<C> {
    Request::Do {
        operation_id: operation_id.to_owned(),
        command,
    }
}

pub(super) fn change(change: Change) -> cart::Command {
    cart::Command {
        if_version: None,
        change,
    }
}

pub(super) fn add(sku: &str, quantity: u32) -> Change {
    Change::Add {
        sku: sku.to_owned(),
        quantity,
        at_most: MAX_QUANTITY,
    }
}

pub(super) fn receive(quantity: u32) -> stock::Command {
    stock::Command::Receive { quantity }
}

pub(super) fn hold(hold_id: &str, ttl_secs: u32) -> stock::Command {
    stock::Command::Hold {
        hold_id: hold_id.to_owned(),
        quantity: 1,
        ttl_secs,
        customer: Some("someone".to_owned()),
    }
}

fn ship(hold_id: &str) -> stock::Command {
    stock::Command::Ship {
        hold_id: hold_id.to_owned(),
        quantity: 1,
    }
}

fn restock(hold_id: &str) -> stock::Command {
    let hold_id = hold_id.to_owned();
    stock::Command::Restock { hold_id }
}

pub(super) fn adjust(by: i32) -> stock::Command {
    let reason = "counted".to_owned();
    stock::Command::Adjust { by, reason }
}

pub(super) fn count(quantity: u32) -> stock::Command {
    let reason = "counted".to_owned();
    stock::Command::Count { quantity, reason }
}

fn configure(backorder_cap: u32) -> stock::Command {
    let settings = Settings {
        backorder_cap,
        purchase_limit: Some(stock::MAX_QUANTITY),
        ..Settings::default()
    };
    stock::Command::Configure { settings }
}

pub(super) fn pin(hold_id: &str) -> stock::Command {
    let hold_id = hold_id.to_owned();
    stock::Command::Pin { hold_id }
}

pub(super) fn release(hold_id: &str) -> stock::Command {
    let hold_id = hold_id.to_owned();
    stock::Command::Release { hold_id }
}

pub(super) fn commit(hold_id: &str) -> stock::Command {
    let hold_id = hold_id.to_owned();
    stock::Command::Commit { hold_id }
}
