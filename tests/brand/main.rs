//! The brand is one file: another `content/shop.toml` makes another shop, and an unusable one is
//! rejected with the line of the fault.
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

#[path = "../../tools/brand/mod.rs"]
mod brand;

use brand::Brand;
use brand::languages::Code;
use brand::navigation::POLICIES;
use shop::values::languages::Language;
use std::fs;
use std::path::{Path, PathBuf};

const LAUNCH_PICTURE: &str = "/media/wqltx33uvp3iz6aqy6vjdhhaku-2000x1000.webp";

#[test]
fn another_file_is_another_shop() {
    let ours = read(&ours()).unwrap();
    let text = ours_with(&[
        ("name = \"Ohmstead\"", "name = \"Fern & \\\"Oak\\\"\""),
        ("Ohmstead Demonstration Shop", "Fern and Oak Ltd"),
        ("support@ohmstead.example", "hello@fern.example"),
        ("sender = \"Ohmstead\"", "sender = \"Fern & Oak\""),
        (
            "Ohmstead sells phones, computers, audio",
            "Fern & Oak sells plants, pots",
        ),
        (
            "Ohmstead: Telefone, Computer, Audio",
            "Fern & Oak: Pflanzen, Töpfe",
        ),
        ("#b4470a", "#1f6b45"),
        ("#fdfdfc", "#fbfff8"),
        ("mark = \"mark.svg\"", "mark = \"fern.svg\""),
        (LAUNCH_PICTURE, "https://pictures.test/fern.jpg"),
    ]);
    let theirs = read(&text).unwrap();
    let plain = ours_with(&[("languages = [\"en\", \"de\"]", "languages = [\"de\"]")]);
    let german = read(&plain).unwrap();

    let made = [theirs.code(), theirs.css(), theirs.manifest()].concat();
    assert!(
        !made.contains("Ohmstead") && !made.contains("#b4470a"),
        "{made}"
    );
    assert!(theirs.code().contains(r#"name: "Fern & \"Oak\"""#));
    assert!(theirs.code().contains(r#"mark: "/fern.svg""#));
    assert!(theirs.code().contains(r#"sender: "Fern & Oak""#));
    let languages = "Languages { default: Language::German, others: &[] }";
    assert!(german.code().contains(languages), "{}", german.code());
    assert!(!german.code().contains("Everything"), "{}", german.code());
    assert!(
        german.manifest().contains("Vorrätig"),
        "{}",
        german.manifest()
    );
    assert!(
        theirs
            .css()
            .contains("--accent: light-dark(#1f6b45, #ff8a45);")
    );
    assert!(
        ours.css()
            .contains("--accent: light-dark(#b4470a, #ff8a45);")
    );
    let manifest: serde_json::Value = serde_json::from_str(&theirs.manifest()).unwrap();
    let is = |key: &str| manifest.get(key).and_then(serde_json::Value::as_str);
    assert_eq!(is("name"), Some("Fern & \"Oak\""));
    assert_eq!(is("theme_color"), Some("#fbfff8"));
}

#[test]
fn what_cannot_be_used_is_refused_with_its_line() {
    for (ours, theirs, line_of, refusal) in [
        ("name = \"Ohmstead\"\n", "\n", "", "missing field `name`"),
        (
            "name = \"Ohmstead\"",
            "title = \"O\"",
            "title",
            "unknown field `title`",
        ),
        ("\"Ohmstead\"", "\"\"", "name = ", "one line of text"),
        ("\"Ohmstead\"", "Ohmstead", "name = ", ""),
        (
            "support@ohmstead",
            "support at ohmstead",
            "email = ",
            "must be an email address",
        ),
        (
            "\"#b4470a\"",
            "\"orange\"",
            "accent = ",
            "must be a colour such as #b4470a",
        ),
        (
            "\"#b4470a\"",
            "\"#b447éa\"",
            "accent = ",
            "must be a colour such as #b4470a",
        ),
        (
            "\"#5c626d\"",
            "\"#a0a4ab\"",
            "quiet = ",
            "`quiet` on `ground` has a contrast of 2.",
        ),
        (
            "\"#727984\"",
            "\"#202328\"",
            "edge = \"#202328\"",
            "in the dark colours; it must be at least 3",
        ),
        (
            "[\"en\", \"de\"]",
            "[\"en\", \"fr\"]",
            "languages = ",
            "the pages have no texts in `fr`, only in en, de",
        ),
        ("[\"en\", \"de\"]", "[]", "languages = ", "names none"),
        (
            "[\"en\", \"de\"]",
            "[\"de\", \"de\"]",
            "languages = ",
            "names `de` twice",
        ),
        (
            "[texts.de]",
            "[texts.fr]",
            "[texts.fr]",
            "unknown field `fr`, expected `en` or `de`",
        ),
        (
            "de = \"Hilfe\" }",
            "}",
            "title = { en = \"Help\"",
            "`title` is missing in `de`",
        ),
        (
            "{ page = \"orders\" }",
            "{ page = \"blog\" }",
            "    { page = \"blog\" }",
            "`blog` must be one of home, products, cart, orders, shipping, returns, privacy, terms",
        ),
        (
            "{ page = \"orders\" }",
            "{ page = \"orders\", categories = 3 }",
            "    { page = \"orders\", cat",
            "a link needs exactly one of",
        ),
        (
            "{ page = \"orders\" }",
            "{ url = \"https://fern.example\" }",
            "    { url",
            "needs a `label`",
        ),
        (
            "{ page = \"orders\" }",
            "{ url = \"javascript:alert(1)\", label = { en = \"a\", de = \"b\" } }",
            "    { url",
            "must begin with one of https://",
        ),
        (
            "{ categories = 6 }",
            "{ categories = 0 }",
            "header = ",
            "a number from 1 to 12",
        ),
        (
            "\"+1 555 010 0199\"",
            "\"call us\"",
            "phone = ",
            "must be a telephone number such as",
        ),
        (
            "sender = \"Ohmstead\"",
            "sender = \"Ohm <ohm@ohm.example>\"",
            "sender = ",
            "a sender's name must not contain",
        ),
        (
            "lead = \"Vorr",
            "lead_ = \"Vorr",
            "lead_ = ",
            "unknown field `lead_`",
        ),
        (
            "\"mark.svg\"",
            "\"logo.svg\"",
            "mark = ",
            "the file assets/logo.svg does not exist",
        ),
        (
            LAUNCH_PICTURE,
            "/icons/gone.png",
            "picture = ",
            "must be a file below assets",
        ),
        (
            LAUNCH_PICTURE,
            "/media/launch.svg",
            "picture = ",
            "must be a file below assets",
        ),
        ("products = 8", "products = 300", "products = ", "300"),
    ] {
        let text = ours_with(&[(ours, theirs)]);
        let found = read(&text).err().unwrap_or_default();
        let line = text
            .lines()
            .position(|line| line.starts_with(line_of))
            .unwrap();
        let place = format!("content/shop.toml:{}: ", line.checked_add(1).unwrap());
        let is_placed = found.starts_with(&place) && found.contains(refusal);
        assert!(
            is_placed && !found.contains('\n'),
            "{place}{refusal}: {found}"
        );
    }
}

#[test]
fn the_shops_own_file_reads() {
    for file in [brand::FILE, "tests/brand/second.toml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let refusal = read(&fs::read_to_string(path).unwrap()).err();
        assert_eq!(refusal, None);
    }
}

#[test]
fn the_brand_knows_every_language_and_every_policy() {
    let codes = Language::ALL.map(Language::code);
    assert_eq!(Code::ALL.map(Code::code), codes);
    for code in codes {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("content/policies");
        let mut names: Vec<String> = files_in(&folder.join(code))
            .iter()
            .map(|path| path.file_stem().unwrap().display().to_string())
            .collect();
        names.sort();
        let mut known = POLICIES.map(str::to_owned);
        known.sort();
        assert_eq!(names, known, "{code}");
    }
}

/// Every shop serves the files in `assets`, whereas the demo's pictures are uploaded, like a
/// merchant's.
#[test]
fn assets_hold_no_picture_that_the_brand_does_not_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let brand = fs::read_to_string(root.join(brand::FILE)).unwrap();
    let unnamed: Vec<String> = files_in(&root.join("assets"))
        .into_iter()
        .map(|path| {
            path.strip_prefix(root.join("assets"))
                .unwrap()
                .display()
                .to_string()
        })
        .filter(|name| name != "_headers")
        .filter(|name| {
            ![".css", ".js", ".json"]
                .iter()
                .any(|end| name.ends_with(end))
        })
        .filter(|name| !brand.contains(&format!("\"{name}\"")))
        .collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
}

#[test]
fn nothing_but_the_file_names_the_shop() {
    let named: Vec<String> = [
        "src",
        "assets/css",
        "assets/js",
        "content/policies",
        "durable/src",
    ]
    .into_iter()
    .flat_map(|folder| files_of(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).as_path()))
    .filter(|(_, text)| text.contains("Ohmstead"))
    .map(|(path, _)| path)
    .collect();
    assert!(named.is_empty(), "{named:?}");
}

fn files_of(folder: &Path) -> Vec<(String, String)> {
    files_in(folder)
        .into_iter()
        .map(|path| {
            (
                path.display().to_string(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else {
            files.push(path);
        }
    }
    files
}

fn read(text: &str) -> Result<Brand, String> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    Brand::read(text, &|name| {
        name == "fern.svg" || assets.join(name).is_file()
    })
}

fn ours() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/brand/shop.toml");
    fs::read_to_string(path).unwrap()
}

fn ours_with(changes: &[(&str, &str)]) -> String {
    let mut text = ours();
    for (ours, theirs) in changes {
        assert!(text.contains(ours), "{ours}");
        text = text.replacen(ours, theirs, 1);
    }
    text
}
