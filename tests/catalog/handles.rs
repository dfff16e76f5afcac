//! Handles of files: what they keep, and products whose handles were made by cutting marks.

use crate::world::World;

const FILE: &str = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Variant Inventory Tracker,Variant Inventory Qty\n\
    हिन्दी-किताब,Book,Size,S,5,shopify,7\n\
    हिन्दी-किताब,,,M,5,shopify,3\n\
    নীল-শাড়ি,Sari,,,5,,\n\
    เสื้อยืด-สีแดง,Shirt,,,5,,\n\
    tac™-wipes,Wipes,,,5,,\n\
    a_b_c,Letters,,,5,,\n\
    double--dash,Dash,,,5,,\n";

#[test]
fn an_import_of_odd_handles_repeats() {
    let world = World::default();
    let first = world.import(FILE);
    assert_eq!(first.errors, []);
    assert_eq!(first.created, 6);
    let handles: Vec<&str> = first.changes.iter().map(|it| it.handle.as_str()).collect();
    for handle in [
        "हिन्दी-किताब",
        "เสื้อยืด-สีแดง",
        "tac-wipes",
        "a-b-c",
        "double-dash",
    ] {
        assert!(handles.contains(&handle), "{handle} in {handles:?}");
    }
    let again = world.import(FILE);
    assert_eq!(
        (again.created, again.updated),
        (0, 0),
        "{:?}",
        again.changes
    );
    assert_eq!(again.errors, []);
    world.export_round_trips();
}

#[test]
fn a_product_whose_handle_was_cut_stays_the_same_product() {
    let world = World::default();
    let cut = FILE.replace("हिन्दी-किताब", "हिन-दी-किताब");
    assert_eq!(world.import(&cut).created, 6);
    let stock = world.on_hand.borrow().clone();
    assert_eq!(stock.get("हिन-दी-किताब-s"), Some(&7), "{stock:?}");

    let found = world.import(FILE);
    assert_eq!(found.errors, []);
    assert_eq!(found.created, 0, "{:?}", found.changes);
    assert_eq!(*world.on_hand.borrow(), stock);
    let again = world.import(FILE);
    assert_eq!(
        (again.created, again.updated),
        (0, 0),
        "{:?}",
        again.changes
    );
    world.export_round_trips();
}

#[test]
fn of_two_handles_that_were_cut_to_one_the_product_keeps_its_own() {
    let world = World::default();
    world.import("Handle,Title,Variant Price\nनीन-द,Blue,5\n");
    let file = "Handle,Title,Variant Price\nनीन्द,Blue,5\nनीऩद,Bluer,6\n";
    let found = world.import(file);
    assert_eq!(found.errors, []);
    assert_eq!(
        (found.created, found.updated),
        (1, 1),
        "{:?}",
        found.changes
    );
    let turned = world.import("Handle,Title,Variant Price\nनीऩद,Bluer,6\nनीन्द,Blue,5\n");
    assert_eq!(
        (turned.created, turned.updated),
        (0, 0),
        "{:?}",
        turned.changes
    );
    assert_eq!(turned.errors, []);
}

#[test]
fn a_name_that_two_products_share_is_the_earlier_ones() {
    for file in [
        "Handle,Title,Variant SKU,Variant Price\na-b,One,A,5\na_b,Two,B,6\n",
        "Handle,Title,Variant SKU,Variant Price\na,One,S,5\nb,Two,S,6\n",
    ] {
        let world = World::default();
        let done = world.import(file);
        assert_eq!(done.created, 1);
        let places: Vec<u64> = done.errors.iter().map(|error| error.line).collect();
        assert_eq!(places, [3]);
        assert!(
            done.errors[0].detail.contains("line 2"),
            "{:?}",
            done.errors
        );
        let again = world.import(file);
        assert_eq!((again.created, again.updated), (0, 0));
    }
}
