//! `docs/data.md` lists what is stored where, and which files write and read it, generated from the
//! migrations, the statements in `src/store` and wrangler.toml.
//! `UPDATE_SNAPSHOTS=1 cargo test --test architecture data` rewrites the lists.

use crate::migrations::applied;
use crate::sources::{File, files};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

const PAGE: &str = "docs/data.md";

const TABLES: &str =
    "SELECT name, (SELECT group_concat('`' || name || '`', ', ') FROM pragma_table_info(it.name))
    FROM sqlite_master it WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name";
const TRIGGERS: &str =
    "SELECT 'trigger ' || name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name";

/// Files by their use of a table.
#[derive(Default)]
struct Users {
    writers: BTreeSet<String>,
    readers: BTreeSet<String>,
}

#[test]
fn the_page_lists_what_is_kept() {
    let page = File::read(PAGE);
    let fresh = [
        ("tables", tables()),
        ("objects", bindings("[[durable_objects.bindings]]", "name")),
        ("queues", bindings("[[queues.producers]]", "binding")),
    ]
    .into_iter()
    .fold(page.text.clone(), |text, (name, list)| {
        with_list(&text, name, &list)
    });
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE), &fresh).expect("to write");
    } else {
        assert!(
            fresh == page.text,
            "{PAGE} is stale: UPDATE_SNAPSHOTS=1 cargo test --test architecture data"
        );
    }
}

#[test]
fn statements_name_their_tables() {
    let file = File::new(
        "src/store/a/b.rs",
        r#"const A: &str = "INSERT OR IGNORE INTO one (x)
            SELECT x FROM two JOIN three ON true ON CONFLICT DO UPDATE SET x = 1";
        const B: &str = "UPDATE four SET x = 1"; // FROM nine
        const C: &str = "DELETE FROM five WHERE EXISTS (SELECT 1 FROM six)";
        #[cfg(test)] mod tests { const D: &str = "SELECT * FROM seven"; }"#,
    );
    let mut users = BTreeMap::new();
    note_file(&file, &mut users);
    let doing = |of: fn(&Users) -> &BTreeSet<String>| -> Vec<&str> {
        let all = users.iter().filter(|(_, users)| of(users).contains("a/b"));
        all.map(|(table, _)| table.as_str()).collect()
    };
    assert_eq!(doing(|it| &it.writers), ["five", "four", "one"]);
    assert_eq!(doing(|it| &it.readers), ["six", "three", "two"]);
}

#[test]
fn a_list_takes_the_place_of_the_last() {
    let page = "a\n<!-- list: x -->\nold\n<!-- end -->\nb\n";
    let fresh = with_list(page, "x", "new\n");
    assert_eq!(fresh, "a\n<!-- list: x -->\nnew\n<!-- end -->\nb\n");
    assert_eq!(with_list(&fresh, "x", "new\n"), fresh);
}

fn tables() -> String {
    let database = applied(&files("d1-migrations", "sql")).expect("migrations that apply");
    let mut users = BTreeMap::new();
    for file in files("src/store", "rs") {
        note_file(&file, &mut users);
    }
    for (trigger, statement) in pairs(&database, TRIGGERS) {
        note_statement(&trigger, &statement, &mut users);
    }
    let mut list = "| table | columns | written by | read by |\n|---|---|---|---|\n".to_owned();
    for (table, columns) in pairs(&database, TABLES) {
        let users = users.remove(&table).unwrap_or_default();
        let (writers, readers) = (names(&users.writers), names(&users.readers));
        list += &format!("| `{table}` | {columns} | {writers} | {readers} |\n");
    }
    list
}

/// Returns the rows of a statement with two text columns.
fn pairs(database: &Connection, statement: &str) -> Vec<(String, String)> {
    let mut statement = database.prepare(statement).expect("a statement");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

fn names(names: &BTreeSet<String>) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Records the tables that the statements of a file write and read, without those of its tests.
fn note_file(file: &File, users: &mut BTreeMap<String, Users>) {
    let name = file.path.trim_start_matches("src/store/");
    let name = name.trim_end_matches(".rs").trim_end_matches("/mod");
    for statement in statements(file) {
        note_statement(name, &statement, users);
    }
}

fn note_statement(name: &str, statement: &str, users: &mut BTreeMap<String, Users>) {
    let words: Vec<&str> = statement
        .split(|sign| !is_of_name(sign))
        .filter(|word| !word.is_empty())
        .collect();
    let before = [""].iter().chain(&words);
    for ((before, verb), table) in before.zip(&words).zip(words.iter().skip(1)) {
        let writes = match (*before, *verb, *table) {
            (_, "UPDATE", "SET" | "OF") => continue,
            (_, "INTO" | "UPDATE", _) | ("DELETE", "FROM", _) => true,
            (_, "FROM" | "JOIN", _) => false,
            _ => continue,
        };
        let users = users.entry((*table).to_owned()).or_default();
        let doing = if writes {
            &mut users.writers
        } else {
            &mut users.readers
        };
        doing.insert(name.to_owned());
    }
}

fn is_of_name(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// Returns the string literals in a file, up to its tests.
fn statements(file: &File) -> Vec<String> {
    let tokens = file.tokens();
    let tests = tokens
        .windows(4)
        .position(|it| it == ["cfg", "(", "test", ")"]);
    let code = tokens
        .get(..tests.unwrap_or(tokens.len()))
        .unwrap_or_default();
    code.iter()
        .filter(|token| token.contains('"'))
        .cloned()
        .collect()
}

/// Returns the comment above each binding of a kind in wrangler.toml.
fn bindings(header: &str, key: &str) -> String {
    let text = File::read("wrangler.toml").text;
    let lines: Vec<&str> = text.lines().collect();
    let mut list = "| binding | what it is for |\n|---|---|\n".to_owned();
    for (at, _) in lines
        .iter()
        .enumerate()
        .filter(|(_, line)| **line == header)
    {
        let above = lines.get(..at).unwrap_or_default().iter().rev();
        let mut said: Vec<&str> = above.map_while(|line| line.strip_prefix("# ")).collect();
        said.reverse();
        let below = lines.get(at..).unwrap_or_default().iter();
        let name = below
            .filter_map(|line| line.strip_prefix(key)?.trim().strip_prefix("= "))
            .next();
        let name = name.unwrap_or_default().trim_matches('"');
        list += &format!("| `{name}` | {} |\n", said.join(" "));
    }
    list
}

/// Returns a page with `list` between `<!-- list: name -->` and the next `<!-- end -->`.
fn with_list(page: &str, name: &str, list: &str) -> String {
    let begin = format!("<!-- list: {name} -->\n");
    let (before, rest) = page
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no list {name}"));
    let (_, after) = rest
        .split_once("<!-- end -->")
        .unwrap_or_else(|| panic!("{name} has no end"));
    format!("{before}{begin}{list}<!-- end -->{after}")
}
