//! Imports point along `web → app → store → shop → durable`, and only along it; stores and faces
//! may use `bounded`. `shop` and `durable` are crates, so that the compiler keeps them from what is
//! above them. `worker` is the platform: use cases, errors and machines do not know it.

use crate::sources::{File, files};

/// Parts that each part of `src` may import. `lib` may import all of them, because it declares
/// them.
const ARROWS: [(&str, &[&str]); 5] = [
    ("bounded", &[]),
    ("shop", &[]),
    ("store", &["bounded"]),
    ("app", &["store"]),
    ("web", &["bounded", "app"]),
];

/// Files and folders that may name the platform.
const PLATFORM: [&str; 5] = [
    "src/lib.rs",
    "src/app/",
    "src/store/platform/",
    "src/web/",
    "durable/src/host/",
];

#[test]
fn imports_point_one_way() {
    let breaches: Vec<String> = sources().iter().flat_map(breaches_of).collect();
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn every_part_of_the_worker_has_its_arrows() {
    let mut parts: Vec<String> = files("src", "rs")
        .iter()
        .map(|file| part_of(&file.path).to_owned())
        .collect();
    parts.dedup();
    parts.retain(|part| part != "lib");
    let mut known: Vec<&str> = ARROWS.iter().map(|(part, _)| *part).collect();
    known.sort_unstable();
    assert_eq!(parts, known);
}

#[test]
fn a_breach_is_found() {
    for (path, code) in [
        ("src/shop/a.rs", "use storefront::store::platform::d1::D1;"),
        (
            "src/store/a.rs",
            "use crate::{bounded::Bounded, web::reply};",
        ),
        ("src/store/mod.rs", "use super::web::reply::Reply;"),
        ("src/store/a/b.rs", "use super::super::super::{web, error};"),
        ("src/shop/a.rs", "use worker::Env;"),
        ("src/shop/a.rs", "use ::worker as platform;"),
        ("src/shop/a.rs", "fn f(env: worker::Env) {}"),
        ("src/store/a.rs", "use worker::Queue;"),
        ("src/store/a.rs", "use crate::web::log;"),
        ("src/store/a.rs", "use crate::app::Config;"),
        ("src/web/a.rs", "use crate::store::d1::D1;"),
        (
            "src/web/api/a.rs",
            "fn f() -> crate::store::sql::Statement {}",
        ),
        ("src/app/mod.rs", "use crate::web::reply::Reply;"),
        ("src/bounded.rs", "use crate::store::d1::D1;"),
        ("src/shop/error.rs", "impl From<worker::Error> for Error {}"),
        ("durable/src/stock/records.rs", "use worker::Date;"),
        ("durable/src/keeper.rs", "use shop;"),
        ("durable/src/host/mod.rs", "extern crate storefront;"),
    ] {
        assert!(
            !breaches_of(&File::new(path, code)).is_empty(),
            "{path}: {code}"
        );
    }
}

#[test]
fn what_follows_the_arrows_is_no_breach() {
    for (path, code) in [
        (
            "src/shop/a.rs",
            "use crate::orders::ports::OrderPorts; use crate::error::Result; use durable::stock; // worker, storefront",
        ),
        (
            "src/shop/a.rs",
            "mod tests { use super::*; fn f() { super::super::money::sum(); } }",
        ),
        (
            "src/store/platform/a.rs",
            "use shop::orders::record::Orders; use worker::Queue;",
        ),
        (
            "src/web/a.rs",
            "use crate::app::App; use crate::web::{call::Call, reply}; use worker::Env; const A: &str = \"crate::store\";",
        ),
        (
            "src/app/mod.rs",
            "use crate::store::d1::D1; use worker::Env;",
        ),
        (
            "src/lib.rs",
            "pub mod store; use worker::Env; fn f() { web::router::serve() }",
        ),
        (
            "durable/src/host/",
            "use worker::State; use crate::stock::Stock;",
        ),
    ] {
        assert_eq!(
            breaches_of(&File::new(path, code)),
            Vec::<String>::new(),
            "{path}: {code}"
        );
    }
}

fn sources() -> Vec<File> {
    [files("src", "rs"), files("durable/src", "rs")]
        .into_iter()
        .flatten()
        .collect()
}

fn breaches_of(file: &File) -> Vec<String> {
    let tokens = file.tokens();
    let mut breaches = Vec::new();
    let knows_platform = PLATFORM.iter().any(|place| file.path.starts_with(place));
    if !knows_platform && tokens.iter().any(|token| token == "worker") {
        breaches.push(format!("{} names worker", file.path));
    }
    let above: &[&str] = match file.path.split_once('/') {
        Some(("durable", _)) => &["storefront", "shop"],
        Some(("src", inside)) if inside.starts_with("shop/") => &["storefront"],
        _ => &[],
    };
    if !above.is_empty() {
        let named = above
            .iter()
            .filter(|name| tokens.iter().any(|token| token == *name));
        breaches.extend(named.map(|name| format!("{} names {name}", file.path)));
        return breaches;
    }
    let own = part_of(&file.path);
    let allowed = ARROWS
        .iter()
        .find(|(part, _)| *part == own)
        .map(|(_, allowed)| *allowed);
    let Some(allowed) = allowed else {
        return breaches;
    };
    let is_part = |name: &String| ARROWS.iter().any(|(part, _)| part == name);
    let wrong = parts_named(&file.path, &tokens)
        .into_iter()
        .filter(|named| is_part(named) && named != own && !allowed.contains(&named.as_str()));
    breaches.extend(wrong.map(|named| format!("{} names crate::{named}", file.path)));
    breaches
}

/// Returns the part of a path: `shop` for `src/shop/money.rs`, `bounded` for `src/bounded.rs`.
fn part_of(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let first = inside.split('/').next().unwrap_or(inside);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Returns the parts directly below the crate's root that a file's paths name, by `crate::` or by
/// climbing with `super::`.
fn parts_named(path: &str, tokens: &[String]) -> Vec<String> {
    let depth = depth_of(path);
    let mut named = Vec::new();
    let mut climbed: usize = 0;
    for (at, token) in tokens.iter().enumerate() {
        let after = tokens.get(at.saturating_add(2)..).unwrap_or_default();
        match token.as_str() {
            "crate" => named.extend(first_names(after)),
            "super" => {
                climbed = climbed.saturating_add(1);
                if climbed >= depth {
                    named.extend(first_names(after));
                }
            }
            "::" => {}
            _ => climbed = 0,
        }
    }
    named
}

/// Returns the number of `super::` from a file up to the crate's root.
fn depth_of(path: &str) -> usize {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let module = inside.strip_suffix("/mod.rs").unwrap_or(inside);
    module.split('/').count()
}

/// Returns the name with which a path continues, or the first name of each path in its braces.
fn first_names(tokens: &[String]) -> Vec<String> {
    if tokens.first().is_none_or(|token| token != "{") {
        return tokens.first().cloned().into_iter().collect();
    }
    let mut names = Vec::new();
    let mut open: usize = 0;
    let mut expected = false;
    for token in tokens {
        match token.as_str() {
            "{" => {
                open = open.saturating_add(1);
                expected = open == 1;
            }
            "}" if open == 1 => return names,
            "}" => open = open.saturating_sub(1),
            "," => expected = open == 1,
            name if expected => {
                names.push(name.to_owned());
                expected = false;
            }
            _ => {}
        }
    }
    names
}
