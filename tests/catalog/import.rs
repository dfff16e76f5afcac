//! Imports while staff change the same products.

use crate::world::World;
use shop::codes::Code;

const FILE: &str = "Handle,Title,Variant SKU,Variant Price\ntee,Tee,TEE,5\nmug,Mug,MUG,6\n";

/// Beginning of the statements that save, which first check the versions.
const SAVE: &str = "INSERT INTO gate";

fn titles(world: &World) -> Vec<serde_json::Value> {
    world.db.ask("SELECT title FROM products ORDER BY handle")
}

#[test]
fn an_edit_while_a_window_is_read_is_not_overwritten_unread() {
    let world = World::default();
    world.import(FILE);
    let dearer = FILE.replace("TEE,5", "TEE,7").replace("MUG,6", "MUG,8");
    world.happens(SAVE, |world| {
        world.db.tell(
            "UPDATE products SET title = 'Edited', version = version + 1 WHERE handle = 'tee'",
        );
    });
    let refused = world.import_once(&dearer, 0).unwrap_err();
    assert_eq!(refused.code(), Code::ProductsChanged);
    assert_eq!(refused.retry_after_secs(), Some(1));
    assert_eq!(titles(&world), ["Mug", "Edited"], "all or none");
    assert_eq!(
        world.db.ask("SELECT amount FROM prices ORDER BY amount"),
        [500, 600]
    );

    let done = world.import(&dearer);
    let change = done
        .changes
        .iter()
        .find(|change| change.handle == "tee")
        .unwrap();
    assert!(
        change
            .fields
            .contains(&"title: \"Edited\" → \"Tee\"".to_owned()),
        "{:?}",
        change.fields
    );
    assert_eq!(titles(&world), ["Mug", "Tee"]);
}

#[test]
fn a_product_that_is_removed_or_added_in_between_is_met_by_the_next_attempt() {
    let world = World::default();
    world.import(FILE);
    let other = FILE.replace("Mug", "Cup");
    world.happens(SAVE, |world| {
        world.db.tell("DELETE FROM products WHERE handle = 'mug'")
    });
    assert_eq!(
        world.import_once(&other, 0).unwrap_err().code(),
        Code::ProductsChanged
    );
    assert_eq!(titles(&world), ["Tee"], "what staff removed stays removed");
    assert_eq!(world.import(&other).created, 1);

    let world = World::default();
    world.happens(SAVE, |world| {
        let theirs = world.clone();
        theirs.import("Handle,Title,Variant SKU,Variant Price\nmug,Theirs,TEE,9\n");
    });
    assert_eq!(
        world.import_once(FILE, 0).unwrap_err().code(),
        Code::ProductsChanged
    );
    assert_eq!(titles(&world), ["Theirs"]);
    let done = world.import(FILE);
    assert_eq!((done.created, done.updated, done.errors.len()), (1, 1, 0));
    assert_eq!(titles(&world), ["Mug", "Tee"]);
}

#[test]
fn a_product_that_was_renamed_is_as_it_was() {
    let world = World::default();
    world.import(FILE);
    world
        .db
        .tell("UPDATE products SET handle = 'cup', version = version + 1 WHERE handle = 'mug'");
    let file = FILE.replace("mug", "cup");
    let done = world.import(&file);
    assert_eq!((done.created, done.updated), (0, 0), "{:?}", done.changes);
}

#[test]
fn two_thousand_variants_come_in_and_out_within_the_calls_of_a_request() {
    let world = World::default();
    let mut file = "Handle,Title,Option1 Name,Option1 Value,Variant Inventory Tracker,Variant Inventory Qty,Variant Price\n".to_owned();
    for at in 0..2_000 {
        let (title, name) = if at == 0 {
            ("Rope", "Length")
        } else {
            ("", "")
        };
        file.push_str(&format!(
            "rope,{title},{name},{at} m,shopify,{},5\n",
            at % 7
        ));
    }
    let mut from_unit = 0;
    let mut requests = 1;
    while let Some(next) = world.import_once(&file, from_unit).unwrap().next_unit {
        assert!(world.calls.get() <= 600);
        assert_eq!(titles(&world).len(), 0, "units come before the product");
        from_unit = next;
        requests += 1;
    }
    assert_eq!(requests, 7);
    assert_eq!(
        world.on_hand.borrow().values().sum::<i64>(),
        (0..2_000).map(|at| at % 7).sum::<i64>()
    );

    let exported = world.export(300);
    assert_eq!(exported.lines().count(), 2_001);
    let done = world.import(&exported);
    assert_eq!((done.created, done.updated, done.errors.len()), (0, 0, 0));
    let elsewhere = World::default();
    elsewhere.import(&exported);
    assert_eq!(elsewhere.export(300), exported);
}

#[test]
fn units_of_a_row_that_is_refused_are_not_received() {
    let world = World::default();
    let file =
        "Handle,Title,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price
mug,Mug,M,shopify,3,9
cup,Cup,M,shopify,40,9
jar,Jar,mug,shopify,5,-9
";
    let done = world.import(file);
    assert_eq!((done.products, done.errors.len()), (1, 2));
    assert_eq!(*world.on_hand.borrow(), [("M".to_owned(), 3)].into());
}

#[test]
fn a_file_without_products_is_told_as_such() {
    let told = |csv: &str| World::default().import_once(csv, 0).unwrap_err().detail();
    for empty in ["", "\u{feff}", " \r\n\n"] {
        assert_eq!(told(empty), "file: The file is empty.");
    }
    for header in [
        "Handle,Title,Variant Price",
        "Handle,Title,Variant Price\r\n,,\r\n\r\n",
    ] {
        assert_eq!(
            told(header),
            "file: The file has a header row but no products."
        );
    }
}
