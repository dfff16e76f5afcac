//! The design as rules over the project's own files: imports point one way, `worker` stays where it
//! belongs, the bindings that the Worker asks for are those that wrangler.toml gives it in every
//! environment, the migrations apply in order on an empty database, every file says what it is,
//! none is long, and comments keep to one form. Each rule is shown a breach, so that it is known to
//! find one.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that panics has failed, and says where"
)]

mod arrows;
mod bindings;
mod data;
mod docs;
mod graph;
mod migrations;
mod sources;
mod words;

use sources::{File, files};

/// Folders and extensions of what people write.
const WRITTEN: [(&str, &str); 6] = [
    ("src", "rs"),
    ("durable", "rs"),
    ("tests", "rs"),
    ("tests", "ts"),
    ("tools", "mjs"),
    ("demo", "mjs"),
];

/// Most lines of a file. Past some 400 it is worth parting.
const MAX_LINES: usize = 500;

fn written() -> impl Iterator<Item = File> {
    WRITTEN
        .iter()
        .flat_map(|(folder, extension)| files(folder, extension))
}

#[test]
fn no_file_is_long() {
    let long: Vec<String> = written().filter(is_long).map(|file| file.path).collect();
    assert!(
        long.is_empty(),
        "more than {MAX_LINES} lines: {long:#?}\nMove one responsibility of each into a file of its own beside it."
    );
}

fn is_long(file: &File) -> bool {
    file.text.lines().count() > MAX_LINES
}

#[test]
fn a_long_file_is_found() {
    let of = |lines: usize| File::new("src/a.rs", &"// A line.\n".repeat(lines));
    assert!(!is_long(&of(MAX_LINES)));
    assert!(is_long(&of(MAX_LINES + 1)));
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = written()
        .filter(|file| !says_what_it_is(file))
        .map(|file| file.path)
        .collect();
    assert!(silent.is_empty(), "without a comment atop: {silent:#?}");
}

fn says_what_it_is(file: &File) -> bool {
    file.text.starts_with("//!") || !file.path.ends_with(".rs") && file.text.starts_with("/**")
}

#[test]
fn a_file_that_says_nothing_is_found() {
    let silent = |path: &str, text: &str| !says_what_it_is(&File::new(path, text));
    assert!(silent("src/a.rs", "use std::fmt;"));
    assert!(silent("src/a.rs", "/** For JavaScript only. */"));
    assert!(silent("tests/a.ts", "// A remark."));
    assert!(!silent("src/a.rs", "//! Says it."));
    assert!(!silent("tests/a.ts", "/** Says it. */"));
}
