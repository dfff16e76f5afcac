//! Product CSVs: whatever bytes arrive, nothing panics, no more is consumed than arrived, and a
//! rejected file imports nothing.
//!
//! The first byte of the input tells whether the window is the last of its file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shop::publishing::csv::read::{Window, read_products};
use shop::values::money::Currency;

fuzz_target!(|input: &[u8]| {
    let Some((first, csv)) = input.split_first() else {
        return;
    };
    let currency = Currency::from_code("USD").expect("a currency");
    let window = Window {
        csv,
        first_line: None,
        last: first % 2 == 0,
        max_variants: 300,
    };
    let file = read_products(window, &[currency]);
    assert!(file.consumed_bytes <= csv.len());
    assert!(!file.is_refused || file.products.is_empty());
});
