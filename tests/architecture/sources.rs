//! The files to be judged, and a simple tokenizer for Rust that skips comments and keeps strings
//! apart.

use std::fs;
use std::path::Path;

/// A file and its text.
pub struct File {
    /// Path from the root of the project, with forward slashes.
    pub path: String,
    pub text: String,
}

impl File {
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    pub fn read(path: &str) -> Self {
        let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = fs::read_to_string(&whole).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self::new(path, &text)
    }

    /// Returns the identifiers and signs of the code, in order. A string is one token with its
    /// quotes.
    pub fn tokens(&self) -> Vec<String> {
        let mut rest = self.text.as_str();
        let mut tokens = Vec::new();
        while let Some(first) = rest.chars().next() {
            let length = length_of_next(rest, first);
            let (token, after) = rest.split_at(length);
            if !first.is_whitespace() && !token.starts_with("//") && !token.starts_with("/*") {
                tokens.push(token.to_owned());
            }
            rest = after;
        }
        tokens
    }
}

/// Returns every file under `folder` with this extension, sorted by path.
pub fn files(folder: &str, extension: &str) -> Vec<File> {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&whole).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut found: Vec<File> = entries
        .flat_map(|entry| {
            let entry = entry.expect("an entry that reads");
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().expect("a type").is_dir() {
                return files(&path, extension);
            }
            let wanted = path.ends_with(&format!(".{extension}"));
            wanted.then(|| File::read(&path)).into_iter().collect()
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Returns the length in bytes of the token, comment or space that `rest` begins with.
fn length_of_next(rest: &str, first: char) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest
            .find("*/")
            .map_or(rest.len(), |end| end.saturating_add(2));
    }
    if first == '"' {
        return end_of_string(rest);
    }
    if let Some(end) = end_of_raw_string(rest) {
        return end;
    }
    if let Some(end) = end_of_char(rest) {
        return end;
    }
    if is_word(first) {
        return rest.find(|sign| !is_word(sign)).unwrap_or(rest.len());
    }
    if rest.starts_with("::") {
        2
    } else {
        first.len_utf8()
    }
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

fn end_of_string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, sign) in rest.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at.saturating_add(1),
            _ => {}
        }
    }
    rest.len()
}

fn end_of_raw_string(rest: &str) -> Option<usize> {
    let from_r = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r')?;
    let hashes: String = from_r.chars().take_while(|sign| *sign == '#').collect();
    let body = from_r.strip_prefix(&hashes)?.strip_prefix('"')?;
    let closing = format!("\"{hashes}");
    let end = body.find(&closing)?.saturating_add(closing.len());
    Some(rest.len().saturating_sub(body.len()).saturating_add(end))
}

/// Returns the end of a character literal; `None` for a lifetime.
fn end_of_char(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let body = match inside.strip_prefix('\\') {
        Some(escaped) => escaped
            .find('\'')
            .filter(|_| !escaped.starts_with('\''))
            .or(Some(1))?
            .saturating_add(1),
        None => inside.chars().next()?.len_utf8(),
    };
    inside
        .get(body..)?
        .starts_with('\'')
        .then(|| body.saturating_add(2))
}

#[test]
fn code_is_told_from_comments_and_strings() {
    let source = r##"
        use a::b; // use crate::store
        /* worker */ let s = "worker \" // x"; let r = r#"a "quoted" worker"#;
        fn f<'a>(c: &'a str) { matches!(c, '"' | '\'' | '\u{1F4A5}' | 'é') } // '
        "##;
    let tokens = File::new("a.rs", source).tokens();
    let code: Vec<&str> = tokens
        .iter()
        .map(String::as_str)
        .filter(|token| !token.starts_with('"') && !token.starts_with('r'))
        .collect();
    assert!(
        !code.contains(&"worker") && !code.contains(&"store") && !code.contains(&"x"),
        "{code:?}"
    );
    for wanted in [
        "use",
        "a",
        "::",
        "b",
        "f",
        "matches",
        "'\"'",
        "'\\''",
        "'\\u{1F4A5}'",
        "'é'",
    ] {
        assert!(code.contains(&wanted), "{wanted} in {code:?}");
    }
    assert!(tokens.contains(&r#""worker \" // x""#.to_owned()));
    assert!(tokens.contains(&r###"r#"a "quoted" worker"#"###.to_owned()));
}
