//! Handles in files: they are kept, and so are products whose handles were made by dropping
//! accents.

use crate::world::{World, now};
use shop::catalog::Product;
use shop::catalog::record::CatalogRecord;
use shop::publishing::csv::notices::NoticeCode;
use shop::publishing::products::update_product;
use shop::values::ids::Sku;
use storefront::store::catalog::record::CatalogD1;

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
    let file = "Handle,Title,Variant SKU,Variant Price\na,One,S,5\nb,Two,S,6\n";
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

const HEADER: &str = "Handle,Title,Variant Price,Variant Inventory Tracker,Variant Inventory Qty\n";

/// Rows that yield three handles.
const SHARING: [&str; 6] = [
    "a_b,Underscore,5,shopify,1\n",
    "a-b,Hyphen,5,shopify,2\n",
    "a__b,Two,5,shopify,3\n",
    "tac™,Sign,5,shopify,4\n",
    "tac,Plain,5,shopify,5\n",
    "Cafe\u{301}!,Café,5,shopify,6\n",
];

fn records(world: &World) -> Vec<serde_json::Value> {
    world.db.ask(
        "SELECT json_array(handle, products.title, sku) FROM products JOIN variants ON product_id = products.id ORDER BY handle",
    )
}

fn is_plain(world: &World, handle: &str, title: &str) -> bool {
    let expected = format!("[\"{handle}\",\"{title}\",\"{handle}\"]");
    records(world).contains(&serde_json::Value::String(expected))
}

#[test]
fn products_whose_handles_become_one_are_told_apart() {
    let world = World::default();
    let done = world.import(&format!("{HEADER}{}", SHARING.concat()));
    assert_eq!(done.errors, []);
    assert_eq!(done.created, 6);
    let notice = &done.notices[0];
    assert_eq!((notice.code, notice.count), (NoticeCode::SharedHandle, 3));
    assert!(
        notice.examples[0].starts_with("line 2: a_b is now a-b-"),
        "{notice:?}"
    );
    assert!(is_plain(&world, "a-b", "Hyphen"), "{:?}", records(&world));
    assert!(is_plain(&world, "tac", "Plain"), "{:?}", records(&world));

    let before = (records(&world), world.on_hand.borrow().clone());
    let mut rows = SHARING;
    for _ in 0..rows.len() {
        rows.rotate_left(1);
        let again = world.import(&format!("{HEADER}{}", rows.concat()));
        assert_eq!(
            (again.created, again.updated, again.errors.len()),
            (0, 0, 0),
            "{:?}",
            again.changes
        );
    }
    assert_eq!((records(&world), world.on_hand.borrow().clone()), before);
    let exported = world.export_round_trips();
    for handle in ["a_b,", "a-b,", "a__b,", "tac™,", "tac,"] {
        assert!(exported.contains(&format!("\n{handle}")), "{exported}");
    }
}

#[test]
fn they_are_told_apart_in_windows_and_stay_so_in_any_order() {
    let world = World::default();
    let send = |rows: &[&str]| {
        world.db.tell("DELETE FROM import_names");
        let mut counts = (0, 0);
        for (line, row) in (2_u64..).zip(rows) {
            let done = world.import_rest(&format!("{HEADER}{row}"), line).unwrap();
            assert_eq!(done.errors, [], "{row}");
            counts = (counts.0 + done.created, counts.1 + done.updated);
        }
        counts
    };
    assert_eq!(send(&SHARING), (6, 0));
    assert!(
        is_plain(&world, "a-b", "Underscore"),
        "{:?}",
        records(&world)
    );
    let mut rows = SHARING;
    for _ in 0..rows.len() {
        rows.rotate_left(1);
        assert_eq!(send(&rows), (0, 0));
        assert_eq!(
            world.import(&format!("{HEADER}{}", rows.concat())).updated,
            0
        );
    }
    world.export_round_trips();

    let repeated = world.import_rest(&format!("{HEADER}A_B,Again,5,,\n"), 9);
    let repeated = repeated.unwrap();
    assert_eq!((repeated.created, repeated.updated), (0, 0));
    assert_eq!(repeated.errors[0].column, "Handle");
}

#[test]
fn a_handle_that_is_written_otherwise_is_the_same_product_if_it_is_alike() {
    let world = World::default();
    world.import("Handle,Title,Variant SKU,Variant Price\nBlue Shirt,Shirt,SH,5\n");
    for file in [
        "Handle,Title,Variant SKU,Variant Price\nblue-shirt,Shirt,,5\n",
        "Handle,Title,Variant SKU,Variant Price\nblue_shirt,Shirt,SH,5\n",
        "Handle,Title,Variant SKU,Variant Price\nblue--shirt,Blouse,SH,5\n",
    ] {
        let done = world.import(file);
        assert_eq!((done.created, done.updated), (0, 1), "{:?}", done.changes);
    }
    let other = world.import("Handle,Title,Variant SKU,Variant Price\nblue-shirt,Other,O,5\n");
    assert_eq!((other.created, other.updated), (1, 0));
}

/// Sends the first product of the record with changes by staff.
fn change_by_staff(world: &World, change: impl FnOnce(&mut Product)) {
    let record = CatalogD1(world.clone());
    let found = now(record.products(&["prod_1".into()])).unwrap();
    let mut product = found[0].clone();
    change(&mut product);
    now(update_product(
        &record,
        &"prod_1".into(),
        product,
        None,
        world.now.get(),
    ))
    .unwrap();
}

#[test]
fn a_product_that_staff_send_without_skus_keeps_its_own() {
    let world = World::default();
    world.import("Handle,Title,Variant Price,Option1 Name,Option1 Value,Variant SKU\nहिन-दी,Book,5,Size,S,\nहिन-दी,,5,,M,OWN\n");
    let skus = || {
        records(&world)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    for handle in ["हिन्दी", "हिन्दी", "book"] {
        change_by_staff(&world, |product| {
            product.handle = handle.to_owned();
            for (variant, size) in product.variants.iter_mut().zip(["s", "m"]) {
                variant.sku = Sku::new(format!("{handle}-{size}"));
                variant.sku_generated = true;
            }
        });
        let skus = skus();
        assert!(skus.iter().any(|it| it.contains("OWN")), "{skus:?}");
        assert!(skus.iter().any(|it| it.contains("हिन-दी-s")), "{skus:?}");
    }
}

#[test]
fn an_equal_title_takes_nobodys_handle_in_another_window() {
    let world = World::default();
    world.import(&format!("{HEADER}gift-card,Gift Card,25,shopify,10\n"));
    let stock = world.on_hand.borrow().clone();
    let row = |handle: &str, price: u32| format!("{HEADER}{handle},Gift Card,{price},shopify,10\n");
    let newcomer = world.import_rest(&row("gift_card", 50), 2).unwrap();
    assert_eq!((newcomer.created, newcomer.updated), (1, 0));
    let itself = world.import_rest(&row("gift-card", 25), 3).unwrap();
    assert_eq!((itself.created, itself.updated), (0, 0));
    let now = world.on_hand.borrow();
    assert_eq!(now.get("gift-card"), stock.get("gift-card"), "{now:?}");
}

#[test]
fn marks_make_another_product() {
    let world = World::default();
    world.import(&format!("{HEADER}cafe,Cafe,5,,\n"));
    let both = world.import(&format!("{HEADER}cafe\u{301},Café,5,,\ncafe,Cafe,5,,\n"));
    assert_eq!((both.created, both.updated), (1, 0), "{:?}", both.changes);
    assert!(is_plain(&world, "cafe", "Cafe"), "{:?}", records(&world));
}

#[test]
fn a_product_that_staff_have_changed_is_the_files_still() {
    let world = World::default();
    let file = format!("{HEADER}tac™-wipes,Wipes,5,shopify,10\n");
    world.import(&file);
    change_by_staff(&world, |product| {
        product.title = "Tac Wipes".to_owned();
        for variant in &mut product.variants {
            variant.sku = "TAC-1".into();
            variant.sku_generated = false;
            variant.source.clear();
        }
    });
    let again = world.import(&file);
    assert_eq!(
        (again.created, again.updated),
        (0, 1),
        "{:?}",
        again.changes
    );
}

#[test]
fn a_file_that_writes_the_handle_as_the_shop_does_has_the_last_word() {
    let world = World::default();
    let row = |handle: &str| format!("{HEADER}{handle},Shirt,5.00,shopify,10\n");
    assert_eq!(world.import(&row("Blue Shirt")).created, 1);
    assert_eq!(world.import(&row("blue-shirt")).created, 0);
    let window = world.import_rest(&row("blue-shirt"), 2).unwrap();
    assert_eq!((window.created, window.updated), (0, 0));
}

#[test]
fn one_sku_of_several_takes_nobodys_handle_in_another_window() {
    let world = World::default();
    let header = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Variant SKU\n";
    world.import(&format!("{header}Lamp!,Lamp,Size,S,5,S\nLamp!,,,T,5,T\n"));
    let newcomer = world.import_rest(&format!("{header}lamp,Other,Size,S,5,S\n"), 2);
    assert_eq!(newcomer.unwrap().updated, 0);
    let itself = world.import_rest(&format!("{header}Lamp!,Lamp,Size,T,5,T\n"), 3);
    assert_eq!(itself.unwrap().updated, 1);
}
