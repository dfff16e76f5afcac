//! Products written in valid and invalid CSV variants, by a writer that shares no code with the
//! shop, and read back: equal, or rejected by line, but never different.

use proptest::prelude::*;
use shop::publishing::csv::read::{ProductFile, Window, read_products};
use shop::values::money::Currency;
use std::collections::BTreeMap;

/// A product as the writer knows it: title, description, and price in cents by size.
type Goods = BTreeMap<String, (String, String, Vec<(String, i64)>)>;

#[derive(Clone, Debug)]
struct Shape {
    quotes_all: bool,
    line_end: &'static str,
    mark: bool,
    newer_names: bool,
    /// Rotates the columns.
    first_column: usize,
    /// Interleaves the rows: products in turn, or one after the other.
    interleaved: bool,
    /// Removes or adds empty cells at the end of rows.
    padding: i8,
    blank_lines: bool,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    CellTooMany,
    QuoteInside,
    TextBehindQuote,
    NeverClosed,
}

const NAMES: [[&str; 6]; 2] = [
    [
        "Handle",
        "Title",
        "Body (HTML)",
        "Option1 Name",
        "Option1 Value",
        "Variant Price",
    ],
    [
        "URL handle",
        "Title",
        "Description",
        "Option1 name",
        "Option1 value",
        "Price",
    ],
];

fn goods() -> impl Strategy<Value = Goods> {
    let variants = prop::collection::btree_map("[SMLX]{1,3}", 1_i64..500_000, 1..4)
        .prop_map(|sizes| sizes.into_iter().collect::<Vec<_>>());
    let text = "[a-z][a-z ,\"']{0,8}[a-z]";
    let body = "[a-z][a-z,\n\"]{0,12}[a-z]";
    prop::collection::btree_map("[a-z]{2,6}", (text, body, variants), 1..5)
}

fn shape() -> impl Strategy<Value = Shape> {
    let flags = prop::array::uniform5(any::<bool>());
    let line_end = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    (flags, line_end, 0_usize..6, -1_i8..3).prop_map(|(flags, line_end, first_column, padding)| {
        let [quotes_all, mark, newer_names, interleaved, blank_lines] = flags;
        Shape {
            quotes_all,
            line_end,
            mark,
            newer_names,
            first_column,
            interleaved,
            padding,
            blank_lines,
        }
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    prop::sample::select(vec![
        Fault::CellTooMany,
        Fault::QuoteInside,
        Fault::TextBehindQuote,
        Fault::NeverClosed,
    ])
}

/// Returns the file, and the line of its faulty row.
fn write(goods: &Goods, shape: &Shape, fault: Option<(Fault, usize, usize)>) -> (String, u64) {
    let mut rows: Vec<(usize, [String; 6])> = Vec::new();
    for (handle, (title, body, variants)) in goods {
        for (at, (size, cents)) in variants.iter().enumerate() {
            let first = |text: &str| {
                if at == 0 {
                    text.to_owned()
                } else {
                    String::new()
                }
            };
            let price = format!("{}.{:02}", cents / 100, cents % 100);
            let cells = [
                handle.clone(),
                first(title),
                first(body),
                first("Size"),
                size.clone(),
                price,
            ];
            rows.push((at, cells));
        }
    }
    if shape.interleaved {
        rows.sort_by_key(|(at, _)| *at);
    }
    let count = rows.len();
    let fault = fault.map(|(fault, row, cell)| (fault, row % count, cell % 6));
    let mut file = if shape.mark { "\u{feff}" } else { "" }.to_owned();
    let mut header = NAMES[usize::from(shape.newer_names)];
    header.rotate_left(shape.first_column);
    file.push_str(&header.join(","));
    let mut faulty_line = 0;
    for (at, (_, mut cells)) in rows.into_iter().enumerate() {
        file.push_str(shape.line_end);
        if shape.blank_lines {
            file.push_str(shape.line_end);
        }
        cells.rotate_left(shape.first_column);
        let mut written: Vec<String> = cells.iter().map(|cell| quoted(cell, shape)).collect();
        match shape.padding {
            -1 => {
                while written
                    .last()
                    .is_some_and(|cell| matches!(cell.as_str(), "" | "\"\""))
                {
                    written.pop();
                }
            }
            more => written.extend((0..more).map(|_| String::new())),
        }
        if let Some((fault, row, cell)) = fault
            && row == at
        {
            faulty_line = lines(&file, shape);
            // A misspelt handle would be another product's, so the cell after it is corrupted
            // instead.
            let handle = (6 - shape.first_column) % 6;
            let cell = if cell == handle { (cell + 1) % 6 } else { cell };
            spoil(&mut written, &cells, fault, cell);
        }
        file.push_str(&written.join(","));
    }
    file.push_str(shape.line_end);
    (file, faulty_line)
}

fn lines(file: &str, shape: &Shape) -> u64 {
    // Line breaks inside cells are `\n`, whatever ends the rows.
    let breaks = match shape.line_end {
        "\r" => file.matches(['\r', '\n']).count(),
        _ => file.matches('\n').count(),
    };
    u64::try_from(breaks).unwrap() + 1
}

fn quoted(cell: &str, shape: &Shape) -> String {
    if shape.quotes_all || cell.contains([',', '"', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn spoil(written: &mut Vec<String>, cells: &[String; 6], fault: Fault, at: usize) {
    written.resize(written.len().max(6), String::new());
    let plain = cells[at].replace(['"', '\n', ','], "");
    match fault {
        Fault::CellTooMany => {
            written.insert(at, "more".to_owned());
            written.push("9".to_owned());
        }
        Fault::QuoteInside => written[at] = format!("a{plain}\"b"),
        Fault::TextBehindQuote => written[at] = format!("\"{plain}\" b"),
        Fault::NeverClosed => written[at] = format!("\"{plain}"),
    }
}

fn read(file: &str) -> ProductFile {
    let window = Window {
        csv: file.as_bytes(),
        first_line: None,
        last: true,
        max_variants: usize::MAX,
    };
    read_products(window, &[Currency::from_code("USD").unwrap()])
}

fn goods_of(file: &ProductFile) -> Goods {
    let products = file.products.iter().map(|imported| {
        let product = &imported.product;
        let variants = product.variants.iter();
        let variants = variants.map(|it| (it.title.clone(), it.prices["USD"].amount));
        let told = (
            product.title.clone(),
            product.description_html.clone(),
            variants.collect(),
        );
        (product.handle.clone(), told)
    });
    products.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_written_in_any_legal_shape_is_read_as_it_was(goods in goods(), shape in shape()) {
        let (text, _) = write(&goods, &shape, None);
        let file = read(&text);
        prop_assert_eq!(&file.errors, &[], "{}", text);
        prop_assert_eq!(goods_of(&file), goods, "{}", text);
    }

    #[test]
    fn what_is_written_in_an_illegal_shape_is_refused_by_line_and_nothing_else_differs(
        goods in goods(), shape in shape(), fault in fault(), row in any::<usize>(), cell in any::<usize>(),
    ) {
        let (text, line) = write(&goods, &shape, Some((fault, row, cell)));
        let file = read(&text);
        prop_assert!(file.errors.iter().any(|error| error.line >= line), "{line}: {:?}\n{text}", file.errors);
        for (handle, told) in goods_of(&file) {
            prop_assert_eq!(Some(&told), goods.get(&handle), "{}", text);
        }
        if !matches!(fault, Fault::NeverClosed) {
            prop_assert!(file.errors.iter().any(|error| error.line == line), "{line}: {:?}\n{text}", file.errors);
        }
    }
}

/// Bytes with a meaning for a reader occur often. `READER_RUNS` sets the number of inputs.
#[test]
fn no_bytes_make_the_reader_panic_or_read_beyond_them() {
    let runs = std::env::var("READER_RUNS").map_or(5_000, |runs| runs.parse().unwrap());
    let currencies = [Currency::from_code("USD").unwrap()];
    let pieces: [&[u8]; 16] = [
        b"Handle,Title,Variant Price\n",
        b"URL handle,Title,Price,Image position,Barcode\n",
        b"\"",
        b"\"\"",
        b",",
        b"\n",
        b"\r",
        b"\r\n",
        b"a",
        b"5.00",
        b"1E+12",
        b"'40",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\0",
        "é\u{301}".as_bytes(),
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    for _ in 0..runs {
        let mut csv = pieces[random() % 3].to_vec();
        for _ in 0..random() % 40 {
            csv.extend(pieces[random() % pieces.len()]);
        }
        let window = Window {
            csv: &csv,
            first_line: Some(2).filter(|_| random() % 2 == 0),
            last: random() % 2 == 0,
            max_variants: random() % 4,
        };
        let file = read_products(window, &currencies);
        assert!(file.consumed_bytes <= csv.len());
        assert!(!file.is_refused || file.products.is_empty());
    }
}
