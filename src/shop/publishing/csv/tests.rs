//! Tests of reading and rewriting tidy and untidy files.

use crate::catalog::{ProductOption, ProductStatus};
use crate::publishing::csv::imported::{ImportedProduct, RowError};
use crate::publishing::csv::read::{ProductFile, Window, read_products};
use crate::publishing::csv::write::{header_of, write_rows};
use crate::values::ids::Sku;
use crate::values::money::Currency;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn currencies() -> Vec<Currency> {
    ["USD", "JPY"]
        .iter()
        .map(|code| Currency::from_code(code).unwrap())
        .collect()
}

fn read_bytes(csv: &[u8]) -> ProductFile {
    let window = Window {
        csv,
        first_line: None,
        last: true,
        max_variants: usize::MAX,
    };
    read_products(window, &currencies())
}

fn read(csv: &str) -> ProductFile {
    read_bytes(csv.as_bytes())
}

fn places(file: &ProductFile) -> Vec<(u64, &str)> {
    file.errors
        .iter()
        .map(|error| (error.line, error.column.as_str()))
        .collect()
}

/// Returns the units by SKU as stated in the product's rows.
fn units(imported: &ImportedProduct) -> Vec<(String, u32)> {
    imported
        .quantities
        .iter()
        .map(|(sku, units)| (sku.value.clone(), *units))
        .collect()
}

/// Writes the products as a file again, with the quantities they stated.
fn written(file: &ProductFile) -> String {
    let products: Vec<_> = file
        .products
        .iter()
        .map(|imported| imported.product.clone())
        .collect();
    let quantities = file.products.iter().flat_map(units);
    let quantities = quantities
        .map(|(sku, units)| (Sku::new(sku), units))
        .collect();
    let kept: BTreeSet<String> = products
        .iter()
        .flat_map(|product| &product.variants)
        .flat_map(|variant| variant.source.keys().cloned())
        .collect();
    let header = header_of(&kept, &currencies());
    let rows = write_rows(
        &products,
        0..usize::MAX,
        &header,
        &currencies(),
        &quantities,
    )
    .unwrap();
    format!("{}\n{}", header.join(","), String::from_utf8(rows).unwrap())
}

/// Returns the non-empty cells of a file by column name.
fn cells(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|record| {
            header
                .iter()
                .zip(record.unwrap().iter())
                .filter(|(_, cell)| !cell.is_empty())
                .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
                .collect()
        })
        .collect()
}

const UNTIDY: &str = concat!(
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Price / JPY,Image Src,Image Position,Image Alt Text,Cost per item,Google Shopping / MPN,Status\n",
    "tee,Tee,\"<p style=\"\"x\"\">Soft,\n\"\"very\"\" soft&nbsp;</p>\",Acme,Shirts,\"new,summer\",TRUE,Size,S,,221.0,shopify,3,deny,19.9,10,2900,/b.svg,2,B,4.50,M-1,active\n",
    "tee,,,,,,,,M,TEE-M,,,,continue,20,25,,/a.svg,1,A,,,\n",
    "tee,,,,,,,,,,,,,,,,,/c.svg,3,,,,\n",
    "mug,Mug,,,,,false,Title,Default Title,,,shopify,-2,deny,9.00,,,,,,,,draft\n",
);

#[test]
fn variants_and_images_continue_their_product() {
    let file = read(UNTIDY);
    assert_eq!(file.errors, []);
    let [tee, mug] = file.products.as_slice() else {
        panic!("two products")
    };
    let product = &tee.product;
    assert_eq!(
        product.description_html,
        "<p>Soft,\n\"very\" soft&nbsp;</p>"
    );
    assert_eq!(product.tags, ["new", "summer"]);
    assert_eq!(product.category, ["Shirts"]);
    assert_eq!(
        product.options,
        [ProductOption {
            name: "Size".into(),
            values: vec!["S".into(), "M".into()]
        }]
    );
    let urls: Vec<_> = product
        .images
        .iter()
        .map(|image| image.url.as_str())
        .collect();
    assert_eq!(urls, ["/a.svg", "/b.svg", "/c.svg"]);
    let [small, medium] = product.variants.as_slice() else {
        panic!("two variants")
    };
    assert_eq!(
        (small.sku.as_str(), small.sku_generated, small.tracked),
        ("tee-s", true, true)
    );
    assert_eq!(
        (medium.sku.as_str(), medium.sku_generated, medium.tracked),
        ("TEE-M", false, false)
    );
    assert_eq!(small.prices["JPY"].amount, 2900);
    assert_eq!(small.prices["USD"].compare_at_amount, None);
    assert_eq!(medium.prices["USD"].compare_at_amount, Some(2500));
    assert_eq!(medium.prices.get("JPY"), None);
    assert_eq!(units(tee), [("tee-s".to_owned(), 3)]);
    assert_eq!(mug.product.status, ProductStatus::Draft);
    assert!(mug.product.options.is_empty());
    assert_eq!(mug.product.variants[0].sku, "mug");
    assert_eq!(units(mug), [("mug".to_owned(), 0)]);
}

#[test]
fn what_is_written_again_says_the_same_cell_by_cell() {
    let again = written(&read(UNTIDY));
    let (mut before, after) = (cells(UNTIDY), cells(&again));
    // Pictures form one list per product: they are written in order, starting in its first row.
    let pictures = [
        ("/a.svg", "1", "A"),
        ("/b.svg", "2", "B"),
        ("/c.svg", "3", ""),
    ];
    for (row, (url, position, alt)) in before.iter_mut().zip(pictures) {
        row.insert("Image Src".into(), url.into());
        row.insert("Image Position".into(), position.into());
        row.insert("Image Alt Text".into(), alt.into());
        row.retain(|_, cell| !cell.is_empty());
    }
    assert_eq!(before, after);
    assert_eq!(written(&read(&again)), again);
}

#[test]
fn a_changed_price_is_written_as_it_is_now() {
    let mut file = read(UNTIDY);
    let price = file.products[0].product.variants[0]
        .prices
        .get_mut("USD")
        .unwrap();
    price.amount = 2100;
    let rows = cells(&written(&file));
    assert_eq!(rows[0]["Variant Price"], "21.00");
    assert_eq!(rows[0]["Cost per item"], "4.50");
}

#[test]
fn a_bad_row_leaves_its_product_out_and_says_where() {
    for end in ["\n", "\r\n"] {
        let csv = "Handle,Title,Variant SKU,Variant Price\na,A,X,1.999\nb,B,Y,5\nc,C,Z,5\nc,,Z,5\n,,,\nd,,W,5\n".replace('\n', end);
        let file = read(&csv);
        let handles: Vec<_> = file
            .products
            .iter()
            .map(|imported| imported.product.handle.as_str())
            .collect();
        assert_eq!(handles, ["b"]);
        assert_eq!(
            places(&file),
            [(2, "Variant Price"), (5, "Option1 Value"), (7, "Title")]
        );
    }
}

#[test]
fn quoted_newlines_count_as_lines() {
    let file = read("Handle,Title,Body (HTML),Variant Price\na,A,\"x\n\ny\",5\nb,B,,no\n");
    assert_eq!(places(&file), [(5, "Variant Price")]);
}

#[test]
fn a_file_of_another_kind_is_named_as_such() {
    let file = read("name,price\nMug,9\n");
    assert!(file.products.is_empty());
    assert_eq!(file.errors[0].column, "Handle");
}

#[test]
fn a_column_that_is_there_twice_is_told() {
    let file = read("Handle,Title,Tags,URL handle,Variant Price\na,A,x,b,5\n");
    assert_eq!(places(&file), [(1, "Handle")]);
    assert_eq!(file.errors[0].detail, "This column appears twice.");
}

#[test]
fn a_quote_that_is_never_closed_is_found_where_it_begins() {
    for swallowing in [
        "a,A,5\nb,B,5\nb,\"B,6\nc,C,5\nd,D,5\n",
        "a,A,5\nb,B,5\nb,\"B,6\nc,\"C\",5\n",
        "a,A,5\nb,B,5\nb,\"B,6\nc,C\",5\n",
    ] {
        let file = read(&format!("Handle,Title,Variant Price\n{swallowing}"));
        assert_eq!((file.products.len(), places(&file)), (0, vec![(4, "")]));
        assert!(file.is_refused);
    }
    let inches = "a,A,5\nb,\"19\"\"\nrack\",5\nc,C 5\" wide,5\nd,\"D\" 2,5\n";
    let file = read(&format!("Handle,Title,Variant Price\n{inches}"));
    assert_eq!(
        (file.products.len(), places(&file)),
        (2, vec![(5, ""), (6, "")])
    );
}

#[test]
fn marks_and_old_encodings_are_understood() {
    let file =
        read_bytes(b"\xef\xbb\xbfhandle,TITLE,Variant Price\ncaf\xe9,Caf\xe9 \x96 50\x80,5\r\n");
    let product = &file.products[0].product;
    assert_eq!(
        (product.handle.as_str(), product.title.as_str()),
        ("café", "Café – 50€")
    );
}

#[test]
fn the_names_of_newer_files_are_understood() {
    let file = read(
        "Title,URL handle,Description,SKU,Price,Charge tax,Inventory tracker,Inventory quantity,Option1 name,Option1 value\nTee,tee,<b>x</b>,T-1,5.00,FALSE,shopify,7,Size,S\n",
    );
    let imported = &file.products[0];
    assert_eq!(imported.product.description_html, "<b>x</b>");
    assert_eq!(units(imported), [("T-1".to_owned(), 7)]);
    assert_eq!(imported.product.options[0].name, "Size");
    assert_eq!(imported.product.variants[0].tax_class, "exempt");
}

#[test]
fn options_without_a_name_are_numbered_and_a_missing_value_is_told() {
    let file = read(
        "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant Price\na,A,,S,Color,Red,5\na,,,M,,,5\n",
    );
    assert_eq!(places(&file), [(3, "Option2 Value")]);
    let file = read("Handle,Title,Option1 Name,Option1 Value,Variant Price\na,A,,S,5\na,,,M,5\n");
    assert_eq!(file.products[0].product.options[0].name, "Option 1");
}

#[test]
fn a_first_row_without_a_variant_comes_out_again() {
    let file = read(concat!(
        "Handle,Title,Vendor,Type,Published,Option1 Name,Option1 Value,Variant SKU,Variant Price,Cost per item\n",
        "stool,Oak Stool,,Stools,TRUE,Height,,,,3.10\nstool,,Acme,,,,45 cm,S-45,80,\nstool,,,,,,60 cm,,95,\n",
    ));
    let again = written(&file);
    let of = |file: &ProductFile| {
        file.products
            .iter()
            .map(|one| one.product.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&read(&again)), of(&file));
    let first = &cells(&again)[0];
    for (column, cell) in [
        ("Title", "Oak Stool"),
        ("Vendor", "Acme"),
        ("Published", "TRUE"),
        ("Variant Price", "80"),
        ("Cost per item", "3.10"),
    ] {
        assert_eq!(first[column], cell);
    }
    let file = read("Handle,Title,Status,Option1 Value,Variant Price\na,A,odd,,\na,,,S,no\n");
    assert_eq!(places(&file), [(2, "Status"), (3, "Variant Price")]);
}

#[test]
fn a_handle_of_the_first_row_alone_comes_out_again() {
    let file = read("Handle,Title,Option1 Value,Variant Price\nTEE,Tee,S,5\n,,M,5\n");
    let again = read(&written(&file));
    assert_eq!(again.products[0].product, file.products[0].product);
}

#[test]
fn choices_that_differ_by_signs_alone_have_skus_of_their_own() {
    let skus = |values: [&str; 3]| -> BTreeMap<String, Sku> {
        let rows = values
            .map(|value| format!("lens,Lens,{value},5\n"))
            .concat();
        let file = read(&format!("Handle,Title,Option1 Value,Variant Price\n{rows}"));
        assert_eq!(file.errors, []);
        let variants = &file.products[0].product.variants;
        variants
            .iter()
            .map(|variant| (variant.title.clone(), variant.sku.clone()))
            .collect()
    };
    let one = skus(["+1.50", "-1.50", "0"]);
    assert_eq!(one.values().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(one["0"], "lens-0");
    assert_eq!(skus(["0", "-1.50", "+1.50"]), one);
}

#[test]
fn what_the_record_cannot_hold_is_told() {
    let long = "x".repeat(501);
    let file = read(&format!(
        "Handle,Title,Variant SKU,Variant Price\na,{long},{long},5\n"
    ));
    assert_eq!(places(&file), [(2, "Title"), (2, "Variant SKU")]);
    let body = "x".repeat(2_000_000);
    let file = read(&format!(
        "Handle,Title,Body (HTML),Variant Price\na,A,{body},5\nb,B,,5\n"
    ));
    assert_eq!(places(&file), [(2, "Body (HTML)")]);
    assert_eq!(file.products.len(), 1);
}

/// Reads `csv` in windows of `size` bytes, like the import command.
fn read_in_windows(csv: &[u8], size: usize) -> (Vec<ImportedProduct>, Vec<RowError>) {
    let (mut products, mut errors) = (Vec::new(), Vec::new());
    let (mut header, mut offset, mut first_line, mut grown) = (0, 0, None, size);
    loop {
        let end = (offset + grown).min(csv.len());
        let body = [&csv[..header], &csv[offset..end]].concat();
        let window = Window {
            csv: &body,
            first_line,
            last: end == csv.len(),
            max_variants: 2,
        };
        let file = read_products(window, &currencies());
        if file.consumed_bytes <= file.header_bytes && end < csv.len() {
            grown *= 2;
            continue;
        }
        products.extend(file.products);
        errors.extend(file.errors);
        offset += file.consumed_bytes - header;
        header = file.header_bytes;
        (first_line, grown) = (Some(file.next_line), size);
        if offset >= csv.len() {
            return (products, errors);
        }
    }
}

proptest! {
    #[test]
    fn windows_read_what_the_whole_file_says(size in 1_usize..600, crlf in any::<bool>(), bom in any::<bool>()) {
        let text = format!("{UNTIDY}cup,Cup,,,,,,,,C-1,,,,,no\ncap,Cap,,,,,,,,C-2,,,,,5\n");
        let mut csv = if bom { b"\xef\xbb\xbf".to_vec() } else { vec![] };
        csv.extend(if crlf { text.replace('\n', "\r\n") } else { text }.as_bytes());
        let whole = read_bytes(&csv);
        let (products, errors) = read_in_windows(&csv, size);
        let of = |products: &[ImportedProduct]| products.iter().map(|one| (one.product.clone(), one.names.clone())).collect::<Vec<_>>();
        prop_assert_eq!(of(&products), of(&whole.products));
        prop_assert_eq!(errors, whole.errors);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), last in any::<bool>(), line in any::<Option<u64>>()) {
        let mut csv = b"Handle,Title,Option1 Name,Option1 Value,Variant Price,Variant Grams,Variant Inventory Qty\n".to_vec();
        csv.extend(bytes);
        let window = Window { csv: &csv, first_line: line, last, max_variants: 3 };
        let file = read_products(window, &currencies());
        prop_assert!(file.consumed_bytes <= csv.len());
    }

    #[test]
    fn any_cells_come_out_again(title in "[^\\p{Cc}\\p{Zl}\\p{Zp}\\p{Noncharacter_Code_Point}]{1,20}", body in "([^\\p{Cc}\\p{Noncharacter_Code_Point}]|\n){0,30}", sku in "[A-Za-z0-9 -]{0,8}", cost in "[^\\p{Cc}\\p{Noncharacter_Code_Point}]{0,8}") {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["Handle", "Title", "Body (HTML)", "Variant SKU", "Variant Price", "Cost per item"]).unwrap();
        writer.write_record(["a", &title, &body, &sku, "5", &cost]).unwrap();
        let csv = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let file = read(&csv);
        prop_assume!(file.errors.is_empty());
        let (before, after) = (cells(&csv), cells(&written(&file)));
        for (column, cell) in &before[0] {
            prop_assert_eq!(after[0].get(column), Some(cell), "{}", column);
        }
    }
}

#[test]
fn a_picture_has_an_address_of_the_web() {
    let file = read(
        "Handle,Title,Variant Price,Image Src,Variant Image\n\
         a,A,5,javascript:alert(1),\n\
         b,B,5,//cdn.example/my photo.jpg,data:x\n\
         c,C,5,//cdn.example/my photo.jpg,/media/c.jpg\n",
    );
    let refused: Vec<(u64, &str)> = file
        .errors
        .iter()
        .map(|error| (error.line, error.column.as_str()))
        .collect();
    assert_eq!(refused, [(2, "Image Src"), (3, "Variant Image")]);
    assert_eq!(file.products.len(), 1);
}
