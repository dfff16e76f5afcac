//! The docs match the project: links lead somewhere, paths that they name exist, every page is in
//! an index, the tests named in `docs/acceptance.md` exist, and the README stays short with small
//! pictures. Each rule is shown a breach.

use crate::graph::GROUPS;
use crate::sources::{File, files};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const AT_THE_ROOT: [&str; 4] = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
];
const WITH_PAGES: [&str; 5] = ["docs", "tests", "tools", "demo", "d1-migrations"];

/// Prefixes of paths of the project.
const FOLDERS: [&str; 12] = [
    ".ci/",
    ".github/",
    "assets/",
    "content/",
    "d1-migrations/",
    "demo/",
    "docs/",
    "durable/",
    "examples/",
    "src/",
    "tests/",
    "tools/",
];

/// Folders that a command writes and that are not committed.
const MADE: [&str; 1] = ["tests/browser/screenshots"];

const README_LINES: usize = 120;
const PICTURE_BYTES: u64 = 80_000;

#[test]
fn every_link_leads_somewhere() {
    let dead: Vec<String> = pages().iter().flat_map(dead_links).collect();
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn every_path_that_is_named_exists() {
    let gone: Vec<String> = pages().iter().flat_map(paths_that_are_gone).collect();
    assert!(gone.is_empty(), "{gone:#?}");
}

#[test]
fn every_page_is_in_an_index() {
    let pages = pages();
    for index in ["docs/README.md", "docs/decisions/README.md"] {
        let lost = not_listed(&File::read(index), &pages);
        assert!(lost.is_empty(), "not in {index}: {lost:#?}");
    }
}

#[test]
fn every_group_of_the_shop_is_described() {
    let page = File::read("docs/architecture.md").text;
    let silent = GROUPS.map(|group| format!("| `{group}` |"));
    let silent: Vec<_> = silent.iter().filter(|row| !page.contains(*row)).collect();
    assert!(silent.is_empty(), "not in docs/architecture.md: {silent:?}");
}

#[test]
fn what_is_promised_has_its_test() {
    let unproved = unproved_lines(&File::read("docs/acceptance.md"));
    assert!(unproved.is_empty(), "{unproved:#?}");
}

#[test]
fn every_spec_file_is_listed() {
    let list = File::read("tests/README.md").text;
    let unlisted: Vec<String> = ["tests/workerd", "tests/browser"]
        .iter()
        .flat_map(|folder| files(folder, "ts"))
        .filter_map(|file| unlisted(&file.path, &list))
        .collect();
    assert!(unlisted.is_empty(), "not in tests/README.md: {unlisted:#?}");
}

#[test]
fn a_spec_file_that_is_not_listed_is_found() {
    let list = "| `carts.spec.ts` | carts |";
    assert!(unlisted("tests/workerd/carts.spec.ts", list).is_none());
    assert!(unlisted("tests/workerd/new.spec.ts", list).is_some());
    assert!(unlisted("tests/workerd/shop.ts", list).is_none());
}

fn unlisted(path: &str, list: &str) -> Option<String> {
    let name = path.rsplit('/').next()?;
    let is_listed = !name.ends_with(".spec.ts") || list.contains(&format!("`{name}`"));
    (!is_listed).then(|| path.to_owned())
}

#[test]
fn the_readme_is_read_in_one_go() {
    assert!(!is_too_long(&File::read("README.md")));
    for entry in fs::read_dir(root().join("docs/images")).expect("pictures") {
        let entry = entry.expect("an entry that reads");
        let bytes = entry.metadata().expect("its size").len();
        assert!(
            bytes <= PICTURE_BYTES,
            "{:?} has {bytes} bytes",
            entry.path()
        );
    }
}

#[test]
fn a_dead_link_is_found() {
    for dead in [
        "[a](gone.md)",
        "[a](../README.md#not-there)",
        "[a](#not-here)",
        "<img src=\"images/gone.webp\">",
        "<source srcset=\"images/gone.webp\">",
    ] {
        assert_eq!(dead_links(&File::new("docs/a.md", dead)).len(), 1, "{dead}");
    }
    for alive in [
        "[a](https://example.com/gone.md)",
        "[a](../README.md#two-commands)",
        "# It's `here`: yes\n[a](#its-here-yes)",
        "[a](deploy.md) and [b](decisions)",
        "```sh\n[a](gone.md)\n```",
    ] {
        assert_eq!(
            dead_links(&File::new("docs/a.md", alive)),
            Vec::<String>::new(),
            "{alive}"
        );
    }
}

#[test]
fn a_path_that_is_gone_is_found() {
    let gone = |text: &str| paths_that_are_gone(&File::new("docs/a.md", text)).len();
    assert_eq!(gone("Rules stand in `src/shop/gone.rs`."), 1);
    assert_eq!(gone("tests/gone/ and (tools/gone.mjs)"), 2);
    assert_eq!(gone("`src/lib.rs`, `src/web`, tests/README.md."), 0);
    assert_eq!(
        gone("https://example.com/src/gone.rs, `tests/pages/<name>.rs`, `docs/*.md`"),
        0
    );
}

#[test]
fn a_page_in_no_index_is_found() {
    let pages = [
        File::new("docs/a.md", ""),
        File::new("docs/b.md", ""),
        File::new("docs/c/d.md", ""),
    ];
    let index = File::new("docs/README.md", "[a](a.md#part)");
    assert_eq!(not_listed(&index, &pages), ["docs/b.md"]);
}

#[test]
fn a_promise_without_a_test_is_found() {
    let unproved = |title: &str| {
        let line = format!("| sees | {title} | [main.rs](../tests/architecture/main.rs) |");
        unproved_lines(&File::new("docs/acceptance.md", &line)).len()
    };
    assert_eq!(unproved("every_file_says … it_is"), 0);
    assert_eq!(unproved("every_file_says … it_isn't"), 1);
    assert!(is_too_long(&File::new("README.md", &"a\n".repeat(121))));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<File> {
    let at_the_root = AT_THE_ROOT.iter().map(|path| File::read(path));
    let below = WITH_PAGES.iter().flat_map(|folder| files(folder, "md"));
    at_the_root.chain(below).collect()
}

fn dead_links(page: &File) -> Vec<String> {
    links(page)
        .into_iter()
        .filter(|link| !leads_somewhere(page, link))
        .map(|link| format!("{}: {link}", page.path))
        .collect()
}

/// Returns the targets of a page's links and pictures, without those on other sites.
fn links(page: &File) -> Vec<String> {
    let prose = without_code(&page.text);
    ["](", "src=\"", "srcset=\""]
        .iter()
        .flat_map(|before| prose.split(before).skip(1).collect::<Vec<_>>())
        .filter_map(|rest| rest.split([')', '"', ' ', '\n']).next())
        .filter(|link| !link.contains("://"))
        .map(str::to_owned)
        .collect()
}

/// Returns a page without its code blocks.
fn without_code(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

fn leads_somewhere(page: &File, link: &str) -> bool {
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    if path.is_empty() {
        return has_heading(&page.text, heading);
    }
    let target = folder_of(page).join(path);
    if heading.is_empty() {
        return target.exists();
    }
    fs::read_to_string(target).is_ok_and(|text| has_heading(&text, heading))
}

fn folder_of(page: &File) -> PathBuf {
    let path = root().join(&page.path);
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

fn has_heading(text: &str, wanted: &str) -> bool {
    without_code(text)
        .lines()
        .filter(|line| line.starts_with('#'))
        .any(|line| fragment_of(line) == wanted)
}

/// Returns the fragment of a heading as Markdown hosts create it: `its-here-yes` for
/// `## It's here: yes`.
fn fragment_of(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(|sign| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_'))
        .map(|sign| if sign == ' ' { '-' } else { sign })
        .collect()
}

fn paths_that_are_gone(page: &File) -> Vec<String> {
    paths(&page.text)
        .into_iter()
        .filter(|path| !MADE.iter().any(|made| path.starts_with(made)))
        .filter(|path| !root().join(path).exists())
        .map(|path| format!("{}: {path}", page.path))
        .collect()
}

/// Returns the paths of the project that a text names, without patterns.
fn paths(text: &str) -> BTreeSet<String> {
    let is_of_path = |sign: char| sign.is_ascii_alphanumeric() || "_-./<>*{}…".contains(sign);
    text.split(|sign| !is_of_path(sign))
        .map(|word| word.trim_end_matches(['.', '/']))
        .filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)))
        .filter(|word| !word.contains(['<', '>', '*', '{', '}', '…']))
        .map(str::to_owned)
        .collect()
}

/// Returns pages beside an index that it does not link.
fn not_listed(index: &File, pages: &[File]) -> Vec<String> {
    let folder = index.path.trim_end_matches("README.md");
    let listed: BTreeSet<String> = links(index)
        .iter()
        .map(|link| link.split('#').next().unwrap_or_default().to_owned())
        .collect();
    pages
        .iter()
        .filter(|page| page.path != index.path)
        .filter_map(|page| page.path.strip_prefix(folder))
        .filter(|name| !name.contains('/') && !listed.contains(*name))
        .map(|name| format!("{folder}{name}"))
        .collect()
}

/// Returns lines whose test is not in its file. `…` stands for the variable part of a title.
fn unproved_lines(page: &File) -> Vec<String> {
    page.text
        .lines()
        .filter_map(|line| {
            let (title, file) = test_of(line)?;
            let text = File::read(file).text.replace("\\'", "'");
            let is_there = title.split('…').all(|part| text.contains(part.trim()));
            (!is_there).then(|| format!("{file}: {title}"))
        })
        .collect()
}

/// Returns title and file of `| feature | title | [name](../file) |`.
fn test_of(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.trim_matches('|').split(" | ").skip(1);
    let title = cells.next()?;
    let (_, link) = cells.next()?.split_once("](../")?;
    Some((title.trim(), link.split(')').next()?))
}

fn is_too_long(readme: &File) -> bool {
    readme.text.lines().count() > README_LINES
}
