//! Files modelled on merchants' own, and the expected result of each.

use crate::world::World;
use shop::publishing::csv::notices::NoticeCode;
use shop::publishing::import::ImportSummary;

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
        [
            "bell",
            "gift-box",
            "gift-box-bsj3d2",
            "mug",
            "pin",
            "shoe-m",
            "shoe-w",
            "tac",
            "tac-lerad6",
            "tee"
        ]
    );
    assert_eq!(
        places(&done),
        [
            (2, ""),
            (7, ""),
            (11, "Option1 Value"),
            (12, "Variant Price"),
            (15, "Image Src"),
            (21, "Variant SKU")
        ]
    );
    assert_eq!(
        world.db.ask("SELECT sku FROM variants ORDER BY sku"),
        [
            "BELL",
            "GIFT-H",
            "GIFT-U",
            "MUG",
            "PIN",
            "SHOE-M",
            "SHOE-W",
            "TEE-M",
            "TEE-S",
            "pin-blue",
            "tac",
            "tac-lerad6"
        ]
    );
    assert_eq!(
        world
            .db
            .ask("SELECT title FROM products WHERE handle = 'bell'"),
        ["Bell"]
    );
    assert_eq!(done.left_out, 6);
    assert_eq!(count(&done, NoticeCode::NoQuantity), 2);
    assert_eq!(count(&done, NoticeCode::RepeatedSku), 1);
    assert_eq!(count(&done, NoticeCode::SharedHandle), 2);
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
        (wide.as_bytes(), "the limit is 1000"),
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
    use shop::catalog::layout::Layout;
    use shop::catalog::{Product, ProductStatus};
    let product = |handle: &str, status| Product {
        handle: handle.to_owned(),
        status,
        ..Product::default()
    };
    let layout = Layout::of(vec![
        product("seen", ProductStatus::Active).card(1, "doc-1".into()),
        product("unlisted", ProductStatus::Unlisted).card(2, "doc-2".into()),
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

#[test]
fn a_notice_names_the_first_few_with_their_lines() {
    let world = World::default();
    let rows = (0..42).map(|at| format!("tee,{},{at},SAME,5\n", if at == 0 { "Tee" } else { "" }));
    let rows: String = rows.collect();
    let done = world.import(&format!(
        "Handle,Title,Option1 Value,Variant SKU,Variant Price\n{rows}"
    ));
    let notice = &done.notices[0];
    assert_eq!((notice.code, notice.count), (NoticeCode::RepeatedSku, 41));
    let examples: Vec<String> = (1..6)
        .map(|at| format!("line {}: SAME is now tee-{at}", at + 2))
        .collect();
    assert_eq!(notice.examples, examples);
}

#[test]
fn what_is_no_text_is_left_out_and_one_line_stays_one() {
    let world = World::default();
    let head = "Handle,Title,Vendor,Tags,Body (HTML),Variant SKU,Variant Price\n";
    // A NUL among the first bytes makes the file look like UTF-16.
    let sound = format!("a,A,,,{},A-1,5\n", "x".repeat(1_024));
    let given = format!(
        "{head}{sound}bell,\"Be\0ll\u{8}\rof\u{fffe} brass\",Ac\u{1}me,x\u{85},\"<p>a\u{7}\nb</p>\",BE\u{7f}LL,5\n"
    );
    let done = world.import(&given);
    assert_eq!(places(&done), vec![]);
    assert_eq!(count(&done, NoticeCode::ControlCharacters), 5);
    let ask = |column: &str| {
        let sql = format!(
            "SELECT {column} FROM products JOIN variants ON product_id = products.id WHERE handle = 'bell'"
        );
        world.db.ask(&sql).remove(0)
    };
    assert_eq!(ask("products.title"), "Bell of brass");
    assert_eq!(ask("vendor"), "Acme");
    assert_eq!(ask("tags ->> 0"), "x");
    assert_eq!(ask("description_html"), "<p>a\nb</p>");
    assert_eq!(ask("sku"), "BELL");
    world.export_round_trips();
}

#[test]
fn a_product_of_too_many_variants_or_bytes_is_one_error_and_changes_nothing() {
    let world = World::default();
    let head = "Handle,Title,Option1 Value,Body (HTML),Variant Price\n";
    let rope = |variants: usize| {
        let rows = (0..variants)
            .map(|at| format!("rope,{},{at} m,,5\n", if at == 0 { "Rope" } else { "" }));
        format!("{head}mug,Mug,One,,5\n{}", rows.collect::<String>())
    };
    let done = world.import(&rope(2_049));
    assert_eq!((done.products, done.left_out), (1, 1));
    assert_eq!(places(&done), [(3, "Variant SKU")]);
    assert!(
        done.errors[0]
            .detail
            .contains("2049 variants; the limit is 2048")
    );
    let done = world.import(&rope(2_048));
    assert_eq!((done.products, done.variants), (2, 2_049));

    let done = world.import(&format!(
        "{head}mug,Mug,One,,5\nrope,Rope,1 m,{},5\n",
        "x".repeat(2_000_000)
    ));
    assert_eq!((done.products, done.updated), (1, 0));
    assert_eq!(places(&done), [(3, "Body (HTML)")]);
    assert_eq!(world.db.ask("SELECT COUNT(*) FROM variants"), [2_049]);
}

#[test]
fn rows_in_a_later_window_are_named_as_those_of_a_product_before_even_when_they_are_left_out() {
    let world = World::default();
    let head = "Handle,Title,Option1 Value,Variant SKU,Variant Price\n";
    let others: String = (0..400)
        .map(|at| format!("o-{at},O,One,O-{at},5\n"))
        .collect();
    let first = format!("{head}far,Far,S,F-1,5\n{others}");
    let done = world.import(&first);
    assert!(done.next_line > 0, "the file takes two windows");
    let rest = format!("{head}far,,M,F-2,6\n");
    let done = world.import_rest(&rest, 402).unwrap();
    let told: Vec<&str> = done
        .errors
        .iter()
        .map(|error| error.detail.as_str())
        .collect();
    assert!(
        told.contains(&"`far` is already used on line 2."),
        "{told:?}"
    );
}
