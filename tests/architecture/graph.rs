//! Imports between files: no circle anywhere, the groups of `src/shop` point one way, and no face
//! of `src/web` calls another.

use crate::sources::{File, files};
use std::collections::{BTreeMap, BTreeSet};

/// The groups of `src/shop`, from the top down; each may use those below it.
pub const GROUPS: [&str; 14] = [
    "operations",
    "aftersales",
    "checkout",
    "settlement",
    "publishing",
    "cart",
    "inventory",
    "messages",
    "customers",
    "orders",
    "pricing",
    "payments",
    "catalog",
    "values",
];

/// The parts of `src/web`, and what each may use of the others. Those that list pages, or show one
/// in place of an error, know the addresses of pages; faces know none of each other.
const FACES: [(&str, &[&str]); 11] = [
    ("http", &[]),
    ("assets", &["http"]),
    ("views", &["assets", "http"]),
    ("api", &["http", "views"]),
    ("pages", &["assets", "http", "views"]),
    ("discovery", &["http", "pages", "views"]),
    ("media", &["http"]),
    ("webhooks", &["http"]),
    ("jobs", &["http"]),
    (
        "routes",
        &[
            "http",
            "api",
            "assets",
            "discovery",
            "media",
            "pages",
            "webhooks",
        ],
    ),
    ("router", &["http", "pages", "routes"]),
];

/// The OpenAPI document, which tests generate from all routes.
const MADE_BY_TESTS: &str = "src/web/api/openapi/";

/// The crates by their names in paths, and the folders of their files.
const CRATES: [(&str, &str); 3] = [
    ("storefront", "src"),
    ("shop", "src/shop"),
    ("durable", "durable/src"),
];

#[test]
fn no_file_imports_itself_by_way_of_others() {
    let circle = circle_of(&arrows_of(&sources()));
    assert!(circle.is_empty(), "{circle:#?}");
}

#[test]
fn groups_point_one_way() {
    let breaches = upward(&arrows_of(&sources()));
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn every_group_has_its_place() {
    let groups: BTreeSet<String> = sources()
        .iter()
        .filter_map(|file| group_of(&file.path).map(str::to_owned))
        .collect();
    assert_eq!(groups, GROUPS.map(str::to_owned).into());
}

#[test]
fn no_face_calls_another() {
    let calls = calls_of_faces(&arrows_of(&sources()));
    assert!(calls.is_empty(), "{calls:#?}");
}

#[test]
fn every_face_has_its_place() {
    let faces: BTreeSet<String> = sources()
        .iter()
        .filter_map(|file| face_of(&file.path).map(str::to_owned))
        .collect();
    assert_eq!(faces, FACES.map(|(face, _)| face.to_owned()).into());
}

#[test]
fn a_call_of_another_face_is_found() {
    let uses = [
        ("src/web/pages/a.rs", "use crate::web::api::List;"),
        ("src/web/api/a.rs", "use crate::web::{pages::b::path};"),
        ("src/web/api/b.rs", "fn f() { crate::web::pages::b::f() }"),
        ("src/web/http/a.rs", "use crate::web::views::instant;"),
        ("src/web/views/a.rs", "use crate::web::api::List;"),
        ("src/web/jobs.rs", "use crate::web::api::List;"),
        // Allowed.
        ("src/web/api/mod.rs", "use crate::web::views::instant;"),
        ("src/web/pages/b.rs", "use crate::web::http::Call;"),
        ("src/web/views/mod.rs", "pub(in crate::web) fn instant() {}"),
        ("src/web/http/mod.rs", ""),
        ("src/web/mod.rs", "pub mod api;"),
    ];
    let files = uses.map(|(path, code)| File::new(path, code));
    assert_eq!(calls_of_faces(&arrows_of(&files)).len(), 6);
}

#[test]
fn a_circle_is_found() {
    for (one, other) in [
        (
            "use crate::orders::b::B;",
            "use crate::orders::a::{self, A};",
        ),
        ("use super::b::B;", "fn f() { crate::orders::a::f() }"),
        ("use crate::orders::{b::{B, D}, order};", "use super::a;"),
    ] {
        let files = [
            File::new("src/shop/orders/a.rs", one),
            File::new("src/shop/orders/b.rs", other),
            File::new("src/shop/orders/c.rs", "use crate::orders::b::B;"),
        ];
        let circle = circle_of(&arrows_of(&files));
        assert!(circle.contains(&files[0].path), "{one} {other}");
        assert!(circle.contains(&files[1].path), "{one} {other}");
        assert!(!circle.contains(&files[2].path), "{one} {other}");
    }
    let child = [
        File::new("src/web/pages/mod.rs", "mod a; fn f() { a::f() }"),
        File::new("src/web/pages/a.rs", "use crate::web::pages;"),
    ];
    assert_eq!(circle_of(&arrows_of(&child)).len(), 2);
}

#[test]
fn a_file_is_not_its_siblings() {
    let files = [
        File::new(
            "src/store/orders/mod.rs",
            "mod a; use crate::store::orders::a::A;",
        ),
        File::new("src/store/orders/a.rs", "use crate::store::orders::{b, c};"),
        File::new("src/store/orders/b.rs", ""),
        File::new("src/store/orders/c.rs", ""),
    ];
    let arrows = arrows_of(&files);
    assert!(circle_of(&arrows).is_empty());
    assert_eq!(arrows[&files[1].path].len(), 2);
}

#[test]
fn what_tests_import_is_no_arrow() {
    let files = [
        File::new(
            "src/shop/orders/a.rs",
            "use crate::orders::b::B; #[cfg(test)] mod tests { use crate::checkout::c; }",
        ),
        File::new(
            "src/shop/orders/b.rs",
            "// crate::orders::a\n#[cfg(test)] mod tests { use crate::orders::a; }",
        ),
        File::new("src/shop/checkout/c.rs", "use crate::orders::a;"),
    ];
    let arrows = arrows_of(&files);
    assert!(circle_of(&arrows).is_empty() && upward(&arrows).is_empty());
}

#[test]
fn an_arrow_that_runs_up_is_found() {
    let files = [
        File::new(
            "src/shop/values/money.rs",
            "use crate::orders::order::Order;",
        ),
        File::new("src/shop/orders/order.rs", ""),
    ];
    assert_eq!(upward(&arrows_of(&files)).len(), 1);
}

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn sources() -> Vec<File> {
    [files("src", "rs"), files("durable/src", "rs")]
        .into_iter()
        .flatten()
        .filter(|file| !file.path.ends_with("/tests.rs") && !file.path.contains("/tests/"))
        .collect()
}

/// Returns the imports of each file, without those of its tests.
fn arrows_of(files: &[File]) -> Arrows {
    let modules: BTreeMap<Vec<String>, &str> = files
        .iter()
        .map(|file| (module_of(&file.path), file.path.as_str()))
        .collect();
    let arrow = |file: &File| {
        let targets = paths_of(file)
            .into_iter()
            .filter_map(|path| defining(&modules, &path))
            .filter(|target| *target != file.path)
            .map(str::to_owned)
            .collect();
        (file.path.clone(), targets)
    };
    files.iter().map(arrow).collect()
}

/// Returns the files that lead back to themselves.
fn circle_of(arrows: &Arrows) -> BTreeSet<String> {
    let leads_back = |file: &&String| reached_from(arrows, file).contains(*file);
    arrows.keys().filter(leads_back).cloned().collect()
}

/// Returns everything that a file imports, directly or indirectly.
fn reached_from<'a>(arrows: &'a Arrows, file: &str) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = arrows.get(file).into_iter().flatten().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(arrows.get(next).into_iter().flatten());
        }
    }
    reached
}

/// Returns imports from a group to one above it.
fn upward(arrows: &Arrows) -> Vec<String> {
    let place = |path: &str| {
        let group = group_of(path)?;
        GROUPS.iter().position(|known| *known == group)
    };
    let mut found = Vec::new();
    for (from, targets) in arrows {
        for to in targets {
            if let (Some(own), Some(other)) = (place(from), place(to))
                && other < own
            {
                found.push(format!("{from} imports {to}"));
            }
        }
    }
    found
}

/// Returns imports between parts of `src/web` that are not allowed.
fn calls_of_faces(arrows: &Arrows) -> Vec<String> {
    let mut found = Vec::new();
    for (from, targets) in arrows {
        if from.starts_with(MADE_BY_TESTS) {
            continue;
        }
        let own = face_of(from);
        let known = FACES.iter().find(|(face, _)| Some(*face) == own);
        for to in targets {
            if let (Some((own, allowed)), Some(other)) = (known, face_of(to))
                && other != *own
                && !allowed.contains(&other)
            {
                found.push(format!("{from} imports {to}"));
            }
        }
    }
    found
}

/// Returns the part of `src/web` that a path belongs to: `api` for `src/web/api/cart.rs`, `router`
/// for `src/web/router.rs`.
fn face_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/web/")?;
    let first = inside.split('/').next()?;
    let face = first.strip_suffix(".rs").unwrap_or(first);
    (face != "mod").then_some(face)
}

/// Returns the group of a path: `orders` for `src/shop/orders/order.rs`.
fn group_of(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/shop/")?;
    inside.split_once('/').map(|(group, _)| group)
}

/// Returns the module of a path: `["shop", "orders", "order"]` for `src/shop/orders/order.rs`.
fn module_of(path: &str) -> Vec<String> {
    let root = CRATES
        .iter()
        .filter(|(_, folder)| path.starts_with(&format!("{folder}/")))
        .max_by_key(|(_, folder)| folder.len());
    let (name, folder) = root.expect("a file of a crate");
    let inside = path[folder.len()..].trim_start_matches('/');
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let names = inside
        .split('/')
        .filter(|name| !matches!(*name, "mod" | "lib"));
    std::iter::once(*name)
        .chain(names)
        .map(str::to_owned)
        .collect()
}

/// Returns the file of the longest prefix of `path` that is a module.
fn defining<'a>(modules: &BTreeMap<Vec<String>, &'a str>, path: &[String]) -> Option<&'a str> {
    (1..=path.len())
        .rev()
        .find_map(|length| modules.get(&path[..length]).copied())
        .filter(|file| !file.ends_with("lib.rs"))
}

/// Returns every path in the code that begins at a crate, climbs, or names a child module, from the
/// crate's name on.
fn paths_of(file: &File) -> Vec<Vec<String>> {
    let own = module_of(&file.path);
    let tokens = without_faces(&without_tests(file.tokens()));
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if at > 0 && tokens[at - 1] == "::" || tokens.get(at + 1).is_none_or(|next| next != "::") {
            continue;
        }
        let parent = &own[..own.len().saturating_sub(1)];
        let start = match token.as_str() {
            "crate" => own[..1].to_vec(),
            "self" => own.clone(),
            "super" => parent.to_vec(),
            name if CRATES.iter().any(|(known, _)| *known == name) => vec![name.to_owned()],
            name if is_child(&tokens, name) => [&own[..], &[name.to_owned()]].concat(),
            _ => continue,
        };
        branches(&tokens[at + 2..], start, &mut found);
    }
    found
}

/// Returns the code without `pub use`: a name that a file only re-exports is not an import of its
/// own.
fn without_faces(tokens: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        let is_face = first == "pub" && after.first().is_some_and(|token| token == "use");
        if is_face && let Some(end) = after.iter().position(|token| token == ";") {
            rest = &after[end + 1..];
            continue;
        }
        kept.push(first.clone());
        rest = after;
    }
    kept
}

/// Returns true if the file declares a module of this name in a file of its own.
fn is_child(tokens: &[String], name: &str) -> bool {
    let mut threes = tokens.windows(3);
    threes.any(|three| three[0] == "mod" && three[1] == name && three[2] == ";")
}

/// Collects the paths that continue from `prefix`; returns the number of tokens they take.
fn branches(tokens: &[String], mut prefix: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "{" => {
                at += 1;
                while let Some(token) = tokens.get(at).filter(|token| *token != "}") {
                    at += match token.as_str() {
                        "," => 1,
                        _ => branches(&tokens[at..], prefix.clone(), found).max(1),
                    };
                }
                return at + 1;
            }
            "super" => drop(prefix.pop()),
            "self" | "*" => {}
            name => prefix.push(name.to_owned()),
        }
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            break;
        }
        at += 1;
    }
    found.push(prefix);
    at
}

/// Returns the code that is compiled into the shop.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    let marks = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if !rest.iter().take(marks.len()).eq(marks.iter()) {
            kept.push(first.clone());
            rest = after;
            continue;
        }
        let item = &rest[marks.len()..];
        let end = item.iter().position(|token| token == "{" || token == ";");
        let end = end.unwrap_or(item.len().saturating_sub(1));
        let length = if item[end] == ";" {
            1
        } else {
            length_of_block(&item[end..])
        };
        rest = &item[end + length..];
    }
    kept
}

fn length_of_block(tokens: &[String]) -> usize {
    let mut open = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => open += 1,
            "}" => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at + 1;
        }
    }
    tokens.len()
}
