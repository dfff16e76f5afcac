//! Exports while the catalog changes.

use crate::world::World;
use shop::codes::Code;

fn file(count: usize, column: &str) -> String {
    let rows = (0..count).map(|at| format!("p-{at},P {at},5,kept\n"));
    format!(
        "Handle,Title,Variant Price,{column}\n{}",
        rows.collect::<String>()
    )
}

#[test]
fn a_column_that_appears_on_the_way_begins_the_export_anew() {
    let world = World::default();
    world.import(&file(120, "Cost per item"));
    let first = world.export_page(None).unwrap();
    let cursor = first.next.unwrap().to_string();
    assert!(world.export_page(Some(&cursor)).is_ok());
    world.import("Handle,Title,Variant Price,Bin\nlate,Late,5,7\n");
    let refused = world.export_page(Some(&cursor)).unwrap_err();
    assert_eq!(refused.code(), Code::ExportOutdated);
    let whole = world.export(300);
    let columns = whole.lines().next().unwrap().split(',').count();
    assert!(whole.lines().all(|line| line.split(',').count() == columns));
}

#[test]
fn the_pages_of_a_product_are_of_one_version() {
    let world = World::default();
    let rows = (0..700).map(|at| format!("rope,{},{at} m,5\n", if at == 0 { "Rope" } else { "" }));
    world.import(&format!(
        "Handle,Title,Option1 Value,Variant Price\n{}",
        rows.collect::<String>()
    ));
    let cursor = world.export_page(None).unwrap().next.unwrap().to_string();
    assert!(world.export_page(Some(&cursor)).is_ok());
    world.import("Handle,Title,Variant Price\nmug,Mug,5\n");
    assert!(
        world.export_page(Some(&cursor)).is_ok(),
        "another product does not matter"
    );
    world
        .db
        .tell("UPDATE products SET version = version + 1 WHERE handle = 'rope'");
    assert_eq!(
        world.export_page(Some(&cursor)).unwrap_err().code(),
        Code::ExportOutdated
    );
    world.db.tell("DELETE FROM products WHERE handle = 'rope'");
    assert_eq!(
        world.export_page(Some(&cursor)).unwrap_err().code(),
        Code::ExportOutdated
    );
    assert!(world.export(300).contains("mug"));
}

#[test]
fn a_page_is_bounded_by_its_descriptions_too() {
    let world = World::default();
    let body = "x".repeat(800_000);
    for at in 0..4 {
        world.import(&format!(
            "Handle,Title,Body (HTML),Variant Price\np-{at},P,{body},5\n"
        ));
    }
    let first = world.export_page(None).unwrap();
    assert!(first.csv.len() < 1_000_000, "{} bytes", first.csv.len());
    assert_eq!(world.export(300).lines().count(), 5);
}
