//! Publishes that run concurrently, change nothing, or are interrupted.

use crate::world::{HOUR_SECS, World};
use serde_json::Value;
use shop::codes::Code;
use shop::publishing::publish::record::PublishState;
use std::collections::BTreeSet;

fn world_with(titles: &[&str]) -> World {
    let world = World::default();
    change(&world, titles);
    world
}

fn change(world: &World, titles: &[&str]) {
    let rows = titles.iter().enumerate();
    let rows: String = rows
        .map(|(at, title)| format!("p-{at},{title},SKU-{at},5\n"))
        .collect();
    world.import(&format!("Handle,Title,Variant SKU,Variant Price\n{rows}"));
}

/// Returns the version that the pointer names.
fn shown(world: &World) -> Value {
    let seq = world.pointer.get().unwrap().seq;
    serde_json::from_str(&world.documents.borrow()[&format!("version-{seq}")]).unwrap()
}

/// Returns the keys that the current version leads to.
fn needed(world: &World) -> BTreeSet<String> {
    let version = shown(world);
    let keys = |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).unwrap() };
    let mut needed: BTreeSet<String> = ["cards", "handles", "skus"]
        .iter()
        .flat_map(|name| keys(&version[name]))
        .collect();
    let documents = world.documents.borrow();
    for key in keys(&version["cards"]) {
        let cards: Vec<Value> = serde_json::from_str(&documents[&key]).unwrap();
        needed.extend(
            cards
                .iter()
                .map(|card| card["document"].as_str().unwrap().to_owned()),
        );
    }
    needed.insert(format!("version-{}", version["seq"]));
    needed
}

fn copied(world: &World) -> BTreeSet<String> {
    world.documents.borrow().keys().cloned().collect()
}

#[test]
fn a_publish_that_changes_nothing_makes_no_version() {
    let world = world_with(&["A"]);
    let first = world.publish();
    change(&world, &["B"]);
    let second = world.publish();
    assert_eq!(
        (first.state, second.state),
        (PublishState::Done, PublishState::Done)
    );
    for _ in 0..2 {
        let again = world.publish();
        assert_eq!(
            (again.state, again.version.as_str()),
            (PublishState::Unchanged, second.version.as_str())
        );
        assert_eq!(world.pointer.get().unwrap().seq, second.seq);
        assert_eq!(
            world.roll_back(Some(again.seq)).unwrap_err().code(),
            Code::VersionNotKept
        );
    }
    let before = world.pointer.get();
    assert_eq!(world.roll_back(None).unwrap().version, first.version);
    // If it had crashed before it set the pointer, the repeat would set it.
    world.pointer.set(before);
    assert_eq!(
        world.roll_back(Some(first.seq)).unwrap_err().code(),
        Code::AlreadyShown
    );
    assert_eq!(world.pointer.get().unwrap().seq, first.seq);

    // After a rollback, the rolled-back change is published again, and a change that restores the
    // current state is no change.
    change(&world, &["A"]);
    world.db.tell("UPDATE products SET updated_at = created_at");
    assert_eq!(world.publish().state, PublishState::Unchanged);
    let listed = "SELECT json_extract(listing, '$.title') FROM listings WHERE seq <= (SELECT seq FROM current_publish) ORDER BY seq DESC LIMIT 1";
    assert_eq!(world.db.ask(listed), ["A"]);
    change(&world, &["B"]);
    assert_eq!(world.publish().state, PublishState::Done);
    assert_eq!(world.db.ask(listed), ["B"]);
    assert_eq!(world.roll_back(None).unwrap().version, first.version);
}

#[test]
fn who_asks_while_a_publish_is_under_way_joins_it() {
    let world = world_with(&["A"]);
    world.happens("FROM publish_cards", |world| {
        let joined = world.ask_for_publish().unwrap();
        assert_eq!(joined.state, PublishState::Running);
    });
    let publish = world.ask_for_publish().unwrap();
    assert_eq!(publish.state, PublishState::Done);
    assert_eq!(world.db.ask("SELECT COUNT(*) FROM publishes"), [1]);

    // The publish ends between the attempt to begin another and the look at what blocks it.
    change(&world, &["B"]);
    world.pass(2);
    world.takes.set(0);
    world.ask_for_publish().unwrap_err();
    world.takes.set(usize::MAX);
    world.happens("SELECT MAX(seq) FROM publishes)", |world| {
        assert_eq!(world.drive(2).unwrap().state, PublishState::Done);
    });
    let joined = world.ask_for_publish().unwrap();
    assert_eq!((joined.seq, joined.state), (2, PublishState::Done));
}

#[test]
fn a_publish_that_somebody_else_ends_keeps_its_content() {
    let world = world_with(&["A", "B", "C"]);
    world.happens("FROM publish_cards", |world| {
        assert_eq!(world.drive(1).unwrap().state, PublishState::Done);
    });
    assert_eq!(world.ask_for_publish().unwrap().state, PublishState::Done);
    assert_eq!(shown(&world)["products"], 3);
    assert!(needed(&world).is_subset(&copied(&world)));
}

#[test]
fn what_a_broken_publish_wrote_is_collected_and_nothing_else() {
    let world = world_with(&["A", "B"]);
    world.publish();
    // Products are written, then only some of the directories: neither the step nor the version
    // takes effect.
    for takes in [1, 3] {
        change(&world, &[&format!("X{takes}"), &format!("Y{takes}")]);
        world.pass(2);
        world.takes.set(takes);
        let mut failed = world.ask_for_publish();
        while failed.is_err() {
            world.takes.set(0);
            failed = world.ask_for_publish();
        }
        assert_eq!(failed.unwrap().state, PublishState::Failed);
        world.takes.set(usize::MAX);
    }
    let left = copied(&world).len() - needed(&world).len();
    assert!(left >= 4, "{left} documents are left");
    world.pass(24 * HOUR_SECS);
    world.sweep();
    assert_eq!(
        copied(&world).len() - needed(&world).len(),
        left,
        "kept for a day at least"
    );
    world.pass(25 * HOUR_SECS);
    world.sweep();
    assert_eq!(copied(&world), needed(&world));
    assert_eq!(
        world
            .db
            .ask("SELECT COUNT(*) FROM documents WHERE written = 0"),
        [0]
    );

    assert_eq!(world.publish().state, PublishState::Done);
    assert!(needed(&world).is_subset(&copied(&world)));
}

#[test]
fn what_a_broken_publish_wrote_is_of_use_to_the_next() {
    let world = world_with(&["A", "B"]);
    world.takes.set(3);
    let mut failed = world.ask_for_publish();
    while failed.is_err() {
        world.takes.set(0);
        failed = world.ask_for_publish();
    }
    let before = copied(&world);
    world.takes.set(usize::MAX);
    assert_eq!(world.publish().state, PublishState::Done);
    assert!(
        before.is_subset(&needed(&world)),
        "no product is written twice"
    );
    world.pass(49 * HOUR_SECS);
    world.sweep();
    assert_eq!(
        copied(&world),
        needed(&world),
        "nothing that is shown is collected with the broken one"
    );
}

#[test]
fn versions_that_nobody_was_shown_for_two_days_go_and_what_others_share_stays() {
    let world = world_with(&["A", "B"]);
    for title in ["C", "D", "E"] {
        world.publish();
        change(&world, &["A", title]);
    }
    world.publish();
    world.pass(49 * HOUR_SECS);
    world.sweep();
    assert_eq!(copied(&world), needed(&world));
    assert_eq!(
        world.roll_back(None).unwrap_err().code(),
        Code::VersionNotKept
    );
}
