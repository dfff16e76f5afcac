//! Untidy files of merchants: an export of them can be imported again, here and elsewhere, byte by
//! byte.

use crate::world::World;

/// Imports a file; returns its export, and the places of its bad rows.
fn through(csv: &[u8]) -> (String, Vec<(u64, String)>) {
    let world = World::default();
    let done = world.import_bytes(csv).unwrap();
    let bad = done
        .errors
        .into_iter()
        .map(|error| (error.line, error.column))
        .collect();
    (world.export_round_trips(), bad)
}

/// Returns the export of a file without bad rows.
fn tidy(csv: &[u8]) -> String {
    let (exported, bad) = through(csv);
    assert_eq!(bad, []);
    exported
}

#[test]
fn marks_line_ends_and_encodings() {
    let crlf = tidy("\u{feff}Handle,Title,Body (HTML),Variant Price\r\ntee,Tee,\"<p>a\r\nb</p>\r\n\",5\r\n\r\n\r\n".as_bytes());
    assert!(crlf.contains("\"<p>a\r\nb</p>\r\n\""));
    assert!(
        tidy(b"Handle,Title,Vendor,Variant Price\ncaf\xe9,Caf\xe9 \x80,M\xfcller,5\n")
            .contains("café,Café €,,Müller")
    );
    assert_eq!(
        tidy(b"Handle,Title,Variant Price\ra,A,5\rb,B,6\r")
            .lines()
            .count(),
        3
    );
}

#[test]
fn rows_that_are_short_long_or_blank() {
    let (exported, bad) = through(b"Handle,Title,Variant SKU,Variant Price,Tags\na,A,S1,5\n,,,\nb,B,S2,5,x,,\nd,D,S3,5,x,extra,more\nc\n,,,,\n");
    assert_eq!(exported.lines().count(), 3);
    assert_eq!(bad, [(5, String::new()), (6, "Title".to_owned())]);
}

#[test]
fn odd_cells() {
    let exported = tidy(b"Handle,Title,Tags,Vendor,Variant SKU,Variant Price,Published,Status\nMy Tee!,  A  ,\" x ,, x, y\",  ,'00123, 7.5 ,yes,Active\nb,\"=1+1 \"\"so\"\"\",,,+12,5.,FALSE,\n");
    for cell in [
        "My Tee!,",
        ",  A  ,",
        "\" x ,, x, y\"",
        "'00123",
        ", 7.5 ,",
        ",yes,",
        "\"=1+1 \"\"so\"\"\"",
        ",5.,",
    ] {
        assert!(exported.contains(cell), "{cell} in {exported}");
    }
}

#[test]
fn options_that_are_missing_and_pictures_on_any_row() {
    tidy(b"Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant Price\na,A,Size, S ,Color,Red,5\na,,,L,,Blue,5\nb,B,Title,Default Title,,,5\nc,C,Size,,,,5\nd,D,,,Color,Red,5\n");
    let exported = tidy(b"Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src,Image Position,Image Alt Text,Variant Image\na,A,Size,S,A1,5,/1.jpg,1,one,/1.jpg\na,,,,,,/2.jpg,2,two,\na,,,M,,6,/3.jpg,3,,/3.jpg\na,,,,,,/1.jpg,4,again,\n");
    assert_eq!(exported.lines().count(), 4);
}

#[test]
fn numbers_and_prices_that_can_and_cannot_be_read() {
    let (exported, bad) = through(b"Handle,Title,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Price,Variant Compare At Price,Price / EUR\na,A,0.5,shopify,3.0,5,5,4.50\nb,B,1e3,shopify,-2,5,,\nc,C,100,,5,5,4,bad\nd,D,,,,\"1,299.00\",,\ne,E,,,,$5,,\nf,F,,other,-7,0,9,\n");
    assert_eq!(
        bad,
        [
            (3, "Variant Grams".to_owned()),
            (5, "Variant Price".to_owned()),
            (6, "Variant Price".to_owned())
        ]
    );
    assert_eq!(exported.lines().count(), 4);
}

#[test]
fn two_hundred_columns_of_metafields() {
    let names: String = (0..200)
        .map(|at| format!(",Field {at} (product.metafields.custom.f{at})"))
        .collect();
    let cells: String = (0..200).map(|at| format!(",\"v, {at}\"")).collect();
    let exported =
        tidy(format!("Handle,Title,Variant Price{names}\na,A,5{cells}\na,,{names}\n").as_bytes());
    assert!((0..200).all(|at| exported.contains(&format!("\"v, {at}\""))));
}

#[test]
fn huge_cells_and_hostile_html() {
    let body = "<p>x</p>".repeat(100_000);
    let (exported, bad) = through(
        format!(
            "Handle,Title,Body (HTML),Variant Price\na,A,{body},5\nb,B,{},5\n",
            "y".repeat(2_500_000)
        )
        .as_bytes(),
    );
    assert_eq!(bad, [(3, "Body (HTML)".to_owned())]);
    assert!(exported.contains(&body));
    tidy("Handle,Title,Body (HTML),Variant Price\na,A,\"<div onclick=\"\"x()\"\"><script>1</script><table><tr><td>1</table><iframe src=x></iframe> & < > &amp; <b>open\",5\n".as_bytes());
}

#[test]
fn options_are_taken_from_the_columns_that_have_values() {
    let world = World::default();
    let head = "Handle,Title,Variant Price,Variant Inventory Tracker,Variant Inventory Qty,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value\n";
    let file = format!(
        "{head}a,A,5,shopify,1,,,Color,Red,,S\na,,5,shopify,2,,,,Blue,,S\nb,B,5,,,Title,Default Title,Color,Red,,\nc,C,5,,,Size,S,,,Color,Red\nd,D,5,,,,,Color,Red,,\nd,,5,,,,,,,,\n"
    );
    let done = world.import(&file);
    let faults: Vec<(u64, &str)> = done
        .errors
        .iter()
        .map(|error| (error.line, error.column.as_str()))
        .collect();
    assert_eq!(faults, [(7, "Option2 Value")]);
    assert_eq!(
        world.db.ask("SELECT options ->> '$[0].name' || '/' || coalesce(options ->> '$[1].name', '') FROM products ORDER BY handle"),
        ["Color/Option 3", "Color/", "Size/Color"]
    );
    assert_eq!(
        world.db.ask("SELECT sku FROM variants ORDER BY sku"),
        ["a-blue-s", "a-red-s", "b-red", "c-s-red"]
    );
    world.export_round_trips();
}

#[test]
fn an_option_that_is_added_leaves_no_stock_behind() {
    let world = World::default();
    let file = "Handle,Title,Variant Price,Variant Inventory Tracker,Variant Inventory Qty,Option2 Name,Option2 Value\nd,D,5,shopify,4,Color,Red\n";
    world.import(&file.replace("Color,Red", ","));
    let stock = world.on_hand.borrow().clone();
    for updated in [1, 0] {
        let done = world.import(file);
        assert_eq!((done.updated, done.errors.len()), (updated, 0));
    }
    assert_eq!(*world.on_hand.borrow(), stock);
    assert_eq!(world.db.ask("SELECT sku FROM variants"), ["d"]);
    world.export_round_trips();
}

#[test]
fn barcodes_are_read_in_every_form_that_spreadsheets_write() {
    for written in [
        "4006381333931",
        "'4006381333931",
        "4006381333931.0",
        "4.006381333931E+12",
        "4.006381333931e12",
        "4006381333.931E3",
    ] {
        let world = World::default();
        world.import(&format!(
            "Handle,Title,Variant Price,Variant Barcode\npen,Pen,5,{written}\n"
        ));
        assert_eq!(
            world.db.ask("SELECT barcode FROM variants"),
            ["4006381333931"],
            "{written}"
        );
        world.export_round_trips();
    }
}
