//! The design as rules over the project's own files: imports point one way, `worker` stays where it
//! belongs, the bindings that the Worker asks for are those that wrangler.toml gives it in every
//! environment, the migrations apply in order on an empty database, and every file says what it is.
//! Each rule is shown a breach, so that it is known to find one.
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

use sources::{File, files};

#[test]
fn every_file_says_what_it_is() {
    let written = [
        ("src", "rs"),
        ("durable", "rs"),
        ("tests", "rs"),
        ("tests", "ts"),
        ("tools", "mjs"),
        ("demo", "mjs"),
    ];
    let silent: Vec<String> = written
        .iter()
        .flat_map(|(folder, extension)| files(folder, extension))
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
