//! Files after the shapes of merchants' own, and what must come out of each.

use crate::world::World;
use storefront::shop::import::ImportSummary;
use storefront::shop::product_csv::NoticeCode;

fn count(summary: &ImportSummary, code: NoticeCode) -> usize {
    let of_code = summary.notices.iter().filter(|notice| notice.code == code);
    of_code.map(|notice| notice.count).sum()
}

fn places(summary: &ImportSummary) -> Vec<(u64, &str)> {
    let errors = summary.errors.iter();
    errors
        .map(|error| (error.line, error.column.as_str()))
        .collect()
}

#[test]
fn every_column_of_the_newer_template_is_read_or_named() {
    let world = World::default();
    let done = world.import(include_str!("files/shopify-2025.csv"));
    assert_eq!(
        (done.products, done.variants, places(&done)),
        (1, 2, vec![])
    );
    let ask = |sql: &'static str| world.db.ask(sql);
    assert_eq!(ask("SELECT status FROM products"), ["unlisted"]);
    assert_eq!(
        ask("SELECT sku FROM variants ORDER BY position"),
        ["SHIRT", "linen-shirt-blue-s"]
    );
    assert_eq!(
        ask("SELECT DISTINCT barcode FROM variants"),
        ["4006381333931"]
    );
    assert_eq!(ask("SELECT amount FROM prices ORDER BY amount"), [99, 1200]);
    assert_eq!(
        ask("SELECT images -> 0 ->> 'url' FROM products"),
        ["https://cdn.example/1.jpg"]
    );
    for (code, times) in [
        (NoticeCode::RepeatedSku, 1),
        (NoticeCode::NoQuantity, 1),
        (NoticeCode::SoldWhenOut, 1),
        (NoticeCode::Unlisted, 1),
        (NoticeCode::VideoLeftOut, 1),
    ] {
        assert_eq!(count(&done, code), times, "{code:?}");
    }
    let ignored: Vec<&str> = done
        .notices
        .iter()
        .filter(|notice| notice.code == NoticeCode::IgnoredColumn)
        .map(|notice| notice.subject.as_str())
        .collect();
    assert_eq!(
        ignored,
        [
            "Color (product.metafields.shopify.color-pattern)",
            "Cost per item",
            "Gift card",
            "Google Shopping / Gender",
            "Google Shopping / Google product category",
            "Included / International",
            "Price / International",
            "Variant Fulfillment Service",
            "Variant Requires Shipping",
            "Variant Weight Unit",
        ]
    );
    world.export_round_trips();
}

#[test]
fn a_file_with_every_fault_brings_in_what_is_sound_and_names_the_rest() {
    let world = World::default();
    let done = world.import(include_str!("files/every-fault.csv"));
    assert_eq!(
        world.db.ask("SELECT handle FROM products ORDER BY handle"),
        ["mug", "pin", "tee"]
    );
    assert_eq!(
        places(&done),
        [
            (2, ""),
            (7, ""),
            (11, "Option1 Value"),
            (12, "Variant Price")
        ]
    );
    assert_eq!(
        world.db.ask("SELECT sku FROM variants ORDER BY sku"),
        ["MUG", "PIN", "TEE-M", "TEE-S", "pin-blue"]
    );
    assert_eq!(count(&done, NoticeCode::NoQuantity), 1);
    assert_eq!(count(&done, NoticeCode::RepeatedSku), 1);
    assert_eq!(count(&done, NoticeCode::Unlisted), 1);
}

#[test]
fn a_sorted_file_deletes_no_variant() {
    let world = World::default();
    let head = "Handle,Title,Option1 Name,Option1 Value,Variant Price\n";
    let together =
        format!("{head}adj,Adj,Size,S,5\nadj,,,M,6\nother,Other,Title,Default Title,7\n");
    world.import(&together);
    let apart = format!("{head}adj,Adj,Size,S,5\nother,Other,Title,Default Title,7\nadj,,,M,6\n");
    let done = world.import(&apart);
    assert_eq!((done.updated, places(&done)), (0, vec![]));
    let bad = format!("{head}adj,Adj,Size,S,5\nother,Other,Title,Default Title,7\nadj,,,M,6,7\n");
    let done = world.import(&bad);
    assert_eq!((done.updated, places(&done)), (0, vec![(4, "")]));
    assert_eq!(
        world.db.ask("SELECT title FROM variants ORDER BY 1"),
        ["", "M", "S"]
    );
}

#[test]
fn a_file_that_is_no_csv_is_told_what_it_is_and_changes_nothing() {
    let world = World::default();
    let told = |bytes: &[u8]| world.import_bytes(bytes).unwrap_err().detail();
    let utf16: Vec<u8> = "\u{feff}Handle,Title\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let wide = "x,".repeat(1_000_000);
    let files: [(&[u8], &str); 9] = [
        (b"PK\x03\x04....", "Excel workbook"),
        (b"%PDF-1.7", "PDF"),
        (&utf16, "UTF-16"),
        (b"  <!DOCTYPE html><p>Sign in", "web page"),
        (b"{\"products\": []}", "JSON"),
        (b"Handle;Title;Variant Price\na;A;1,50\n", "semicolons"),
        (b"Handle\tTitle\na\tA\n", "tabs"),
        (wide.as_bytes(), "at most 1000"),
        (
            b"Handle,Title,Variant Price\na,A,5\nb,\"B,6\nc,C,7\n",
            "line 3",
        ),
    ];
    for (bytes, words) in files {
        let detail = told(bytes);
        assert!(detail.contains(words), "{words}: {detail}");
    }
    assert_eq!(world.db.ask("SELECT COUNT(*) FROM products"), [0]);
}

#[test]
fn an_unlisted_product_has_its_address_and_stands_in_no_list() {
    use storefront::shop::catalog::{Layout, Product, Status};
    let product = |handle: &str, status| Product {
        handle: handle.to_owned(),
        status,
        ..Product::default()
    };
    let layout = Layout::of(vec![
        product("seen", Status::Active).card(1, "doc-1".into()),
        product("unlisted", Status::Unlisted).card(2, "doc-2".into()),
    ])
    .unwrap();
    let naming = |handle: &str| {
        let documents = layout.documents();
        documents
            .filter(|document| document.json.contains(handle))
            .map(|document| document.json.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(naming("seen").len(), 2, "a directory and a list");
    assert_eq!(naming("unlisted"), naming("doc-2"), "the directory alone");
    assert_eq!(naming("unlisted").len(), 1);
}
