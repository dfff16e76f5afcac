//! The form of comments: each paragraph of a doc comment begins with the thing that it describes or
//! with a verb, not with a question word, and no line of a comment is wider than 100 columns. Each
//! rule is shown a breach.

use crate::sources::{File, files};

/// Folders of code, with the extensions of their files.
const CODE: [(&str, &[&str]); 8] = [
    ("assets/js", &["js"]),
    ("demo", &["mjs"]),
    ("durable", &["rs"]),
    ("examples", &["rs"]),
    ("fuzz/fuzz_targets", &["rs"]),
    ("src", &["rs", "js"]),
    ("tests", &["rs", "ts"]),
    ("tools", &["rs", "mjs"]),
];

/// Words that begin a riddle: "What a cart answers." for "Reply of a cart."
const QUESTION_WORDS: [&str; 9] = [
    "How", "What", "When", "Where", "Whether", "Which", "Who", "Whose", "Why",
];

/// Maximum width of a comment line in characters, with its indentation.
const MAX_COLUMNS: usize = 100;

#[test]
fn every_doc_begins_with_the_thing_and_not_with_a_question() {
    let riddles: Vec<String> = code().iter().flat_map(riddles).collect();
    assert!(riddles.is_empty(), "{riddles:#?}");
}

#[test]
fn every_comment_fits_into_a_hundred_columns() {
    let wide: Vec<String> = code().iter().flat_map(wide_comments).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn a_doc_that_begins_with_a_question_is_found() {
    for (path, text, line) in [
        ("src/a.rs", "//! What is kept.\n//! How long.", 1),
        (
            "src/a.rs",
            "struct A {\n    /// Why it failed.\n    b: C,",
            2,
        ),
        ("src/a.rs", "/// Sound.\nstruct A;\n/// Who's there.", 3),
        ("tools/a.mjs", "/** Whether it is there. */", 1),
        ("tests/a.ts", "/**\n * Where it is.\n */", 2),
        ("tests/a.ts", "/** Which one,\n * in short. */", 1),
        (
            "src/a.rs",
            "/// Sound.\n///\n/// # Errors\n/// When it is gone.",
            4,
        ),
        ("tests/a.ts", "/**\n * Sound.\n *\n * How it ends.\n */", 4),
    ] {
        let found = riddles(&File::new(path, text));
        assert_eq!(found.len(), 1, "{text}");
        assert!(
            found[0].starts_with(&format!("{path}:{line}: ")),
            "{found:?}"
        );
    }
    for sound in [
        "/// Returns the cart.\n///\n/// # Errors\n/// Fails if it is gone.",
        "/// Whatever was typed.\nlet what = 1; // What is left.",
        "/**\n * The cart.\n * How it is kept is told elsewhere.\n */",
        "/// `What` as a word.",
    ] {
        assert!(riddles(&File::new("a.ts", sound)).is_empty(), "{sound}");
    }
}

#[test]
fn a_comment_that_is_too_wide_is_found() {
    let words = "word ".repeat(20);
    for line in [
        format!("// {words}"),
        format!("    /// {words}"),
        format!("/** {words} */"),
        format!(" * {words}"),
    ] {
        let found = wide_comments(&File::new("tests/a.ts", &format!("\n{line}")));
        assert_eq!(found.len(), 1, "{line}");
        assert!(found[0].starts_with("tests/a.ts:2: "), "{found:?}");
    }
    for line in [
        format!("/// {}", "ä".repeat(96)),
        format!("let words = \"{words}\";"),
        format!("/// | {words} |"),
        format!("//! ──→ {words}"),
        format!("/// https://example.com/{}", "a".repeat(100)),
    ] {
        let found = wide_comments(&File::new("tests/a.ts", &line));
        assert!(found.is_empty(), "{found:?}");
    }
    let product = format!("    * {words}");
    assert!(wide_comments(&File::new("src/a.rs", &product)).is_empty());
}

fn code() -> Vec<File> {
    let in_folders = CODE.iter().flat_map(|(folder, extensions)| {
        let files_with = |extension: &&str| files(folder, extension);
        extensions.iter().flat_map(files_with).collect::<Vec<_>>()
    });
    in_folders.chain([File::read("build.rs")]).collect()
}

/// Returns the doc comments that begin with a question word.
fn riddles(file: &File) -> Vec<String> {
    openings(&file.text)
        .into_iter()
        .filter(|(_, text)| QUESTION_WORDS.contains(&first_word(text)))
        .map(|(number, text)| format!("{}:{number}: {text}", file.path))
        .collect()
}

/// Returns the first line of each paragraph of the doc comments, with its number. A heading is a
/// paragraph of its own.
fn openings(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_block = false;
    let mut in_paragraph = false;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        let marked = ["///", "//!", "/**"].map(|mark| line.strip_prefix(mark));
        let of_block = line.strip_prefix('*').filter(|_| in_block);
        let doc = marked.into_iter().flatten().next().or(of_block);
        in_block = (in_block || line.starts_with("/**")) && !line.ends_with("*/");
        let said = doc.map_or("", str::trim);
        if !in_paragraph && !said.is_empty() {
            found.push((number, said));
        }
        in_paragraph = !said.is_empty() && !said.starts_with('#');
    }
    found
}

fn first_word(text: &str) -> &str {
    let end = text.find(|sign: char| !sign.is_alphabetic());
    &text[..end.unwrap_or(text.len())]
}

fn wide_comments(file: &File) -> Vec<String> {
    let has_blocks = !file.path.ends_with(".rs");
    (1_usize..)
        .zip(file.text.lines())
        .filter(|(_, line)| line.chars().count() > MAX_COLUMNS)
        .filter(|(_, line)| is_comment(line.trim_start(), has_blocks))
        .filter(|(_, line)| !must_stay_on_one_line(line))
        .map(|(number, line)| format!("{}:{number}: {line}", file.path))
        .collect()
}

fn is_comment(line: &str, has_blocks: bool) -> bool {
    line.starts_with("//") || has_blocks && (line.starts_with("/*") || line.starts_with("* "))
}

/// Returns true for a row of a table, a line of a diagram, and a single word such as a URL.
fn must_stay_on_one_line(comment: &str) -> bool {
    let text = comment.trim().trim_start_matches(['/', '!', '*', ' ']);
    text.starts_with('|') || text.contains(['─', '│']) || !text.contains(' ')
}
