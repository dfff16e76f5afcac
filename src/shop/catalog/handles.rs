//! Handles, the names in URLs: letters of every script with their marks, digits, and single hyphens
//! between them.

use crate::values::ids::digest_of;
use crate::values::unicode::{Form, normalized};

/// Separator between the names of a path; a name itself contains at most one hyphen in a row.
const BELOW: &str = "--";

/// Mark before the digest of a name that contains more than letters, digits and punctuation.
const DIGEST_MARK: char = '_';

/// Combining marks that are not letters by themselves (`Mn`, `Mc`); without them, words of many
/// scripts would change. Variation selectors are left out. Code points between the marks of a range
/// are letters or digits.
const MARKS: &[(char, char)] = &[
    ('\u{300}', '\u{36f}'),
    ('\u{483}', '\u{487}'),
    ('\u{591}', '\u{5bd}'),
    ('\u{5bf}', '\u{5bf}'),
    ('\u{5c1}', '\u{5c2}'),
    ('\u{5c4}', '\u{5c5}'),
    ('\u{5c7}', '\u{5c7}'),
    ('\u{610}', '\u{61a}'),
    ('\u{64b}', '\u{65f}'),
    ('\u{670}', '\u{670}'),
    ('\u{6d6}', '\u{6dc}'),
    ('\u{6df}', '\u{6e8}'),
    ('\u{6ea}', '\u{6ed}'),
    ('\u{711}', '\u{7f3}'),
    ('\u{7fd}', '\u{7fd}'),
    ('\u{816}', '\u{82d}'),
    ('\u{859}', '\u{85b}'),
    ('\u{898}', '\u{8e1}'),
    ('\u{8e3}', '\u{963}'),
    ('\u{981}', '\u{9e3}'),
    ('\u{9fe}', '\u{a75}'),
    ('\u{a81}', '\u{ae3}'),
    ('\u{afa}', '\u{b63}'),
    ('\u{b82}', '\u{bd7}'),
    ('\u{c00}', '\u{c63}'),
    ('\u{c81}', '\u{c83}'),
    ('\u{cbc}', '\u{d4d}'),
    ('\u{d57}', '\u{d63}'),
    ('\u{d81}', '\u{df3}'),
    ('\u{e31}', '\u{e3a}'),
    ('\u{e47}', '\u{e4e}'),
    ('\u{eb1}', '\u{ecd}'),
    ('\u{f18}', '\u{f19}'),
    ('\u{f35}', '\u{f35}'),
    ('\u{f37}', '\u{f37}'),
    ('\u{f39}', '\u{f39}'),
    ('\u{f3e}', '\u{f84}'),
    ('\u{f86}', '\u{fbc}'),
    ('\u{fc6}', '\u{fc6}'),
    ('\u{102b}', '\u{103e}'),
    ('\u{1056}', '\u{109d}'),
    ('\u{135d}', '\u{135f}'),
    ('\u{1712}', '\u{1734}'),
    ('\u{1752}', '\u{17d3}'),
    ('\u{17dd}', '\u{17dd}'),
    ('\u{1885}', '\u{193b}'),
    ('\u{1a17}', '\u{1a1b}'),
    ('\u{1a55}', '\u{1a7f}'),
    ('\u{1ab0}', '\u{1abd}'),
    ('\u{1abf}', '\u{1b44}'),
    ('\u{1b6b}', '\u{1b73}'),
    ('\u{1b80}', '\u{1bf3}'),
    ('\u{1c24}', '\u{1c37}'),
    ('\u{1cd0}', '\u{1cd2}'),
    ('\u{1cd4}', '\u{1dff}'),
    ('\u{20d0}', '\u{20dc}'),
    ('\u{20e1}', '\u{20e1}'),
    ('\u{20e5}', '\u{20f0}'),
    ('\u{2cef}', '\u{2cf1}'),
    ('\u{2d7f}', '\u{2dff}'),
    ('\u{302a}', '\u{302f}'),
    ('\u{3099}', '\u{309a}'),
    ('\u{a66f}', '\u{a66f}'),
    ('\u{a674}', '\u{a67d}'),
    ('\u{a69e}', '\u{a6f1}'),
    ('\u{a802}', '\u{a827}'),
    ('\u{a82c}', '\u{a82c}'),
    ('\u{a880}', '\u{a8c5}'),
    ('\u{a8e0}', '\u{a8f1}'),
    ('\u{a8ff}', '\u{a92d}'),
    ('\u{a947}', '\u{a953}'),
    ('\u{a980}', '\u{a9c0}'),
    ('\u{a9e5}', '\u{aa4d}'),
    ('\u{aa7b}', '\u{aac1}'),
    ('\u{aaeb}', '\u{aaef}'),
    ('\u{aaf5}', '\u{aaf6}'),
    ('\u{abe3}', '\u{abea}'),
    ('\u{abec}', '\u{abed}'),
    ('\u{fb1e}', '\u{fb1e}'),
    ('\u{fe20}', '\u{fe2f}'),
];

/// Returns the handle of a category, from the names of its path. A name with symbols other than
/// letters, digits and punctuation (`C++`, `🎁`) gets a digest that distinguishes it from others.
#[must_use]
pub fn category_handle(path: &[String]) -> String {
    let names: Vec<String> = path.iter().map(|name| name_in_url(name)).collect();
    names.join(BELOW)
}

/// Returns the handle of a product: composed and in lower case, with letters, their marks and
/// digits kept, and a single hyphen for anything between them. Applying it to a handle changes
/// nothing.
#[must_use]
pub fn product_handle(text: &str) -> String {
    let lower = normalized(text, Form::Composed).to_lowercase();
    hyphenated(&normalized(&lower, Form::Composed), is_kept)
}

/// Returns the former handle of a category, its last name alone, from when all categories with the
/// same name were one.
#[must_use]
pub fn former_category_handle(path: &[String]) -> String {
    path.last().map(|name| slug(name)).unwrap_or_default()
}

/// True if the category with this handle once had just this name as its handle.
#[must_use]
pub fn is_category_called(handle: &str, name: &str) -> bool {
    let last = handle.rsplit(BELOW).next().unwrap_or_default();
    let last = last.split(DIGEST_MARK).next().unwrap_or_default();
    last == name || (!last.is_ascii() && slug(last) == name)
}

/// Returns the lower-case letters and digits of `text`, with a single hyphen for anything between
/// them.
#[must_use]
pub fn slug(text: &str) -> String {
    hyphenated(text, char::is_alphanumeric)
}

fn name_in_url(name: &str) -> String {
    let composed = normalized(name, Form::Composed);
    let slug = hyphenated(&composed, is_kept);
    if !slug.is_empty() && composed.chars().all(|it| is_kept(it) || is_punctuation(it)) {
        return slug;
    }
    let digest = digest_of(composed.to_lowercase().as_bytes());
    let digest = digest.get(..8).unwrap_or_default();
    format!("{slug}{DIGEST_MARK}{digest}")
}

fn hyphenated(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    let mut slug = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        let begins = slug.is_empty() || slug.ends_with('-');
        if is_kept(character) && !(begins && is_mark(character)) {
            slug.push(character);
        } else if !begins {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

fn is_kept(character: char) -> bool {
    character.is_alphanumeric() || is_mark(character)
}

fn is_mark(character: char) -> bool {
    let at = MARKS.partition_point(|(_, last)| *last < character);
    !character.is_alphanumeric() && MARKS.get(at).is_some_and(|(first, _)| *first <= character)
}

/// True for separators of words, which do not make two names different.
const fn is_punctuation(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '-' | '_'
                | '&'
                | ','
                | '.'
                | '/'
                | '\''
                | '’'
                | '('
                | ')'
                | ':'
                | '–'
                | '—'
                | '|'
                | '"'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(path: &str) -> String {
        let path: Vec<String> = path.split('>').map(|name| name.trim().to_owned()).collect();
        category_handle(&path)
    }

    #[test]
    fn slugs_are_fit_for_urls() {
        assert_eq!(slug("Cases & Protection"), "cases-protection");
        assert_eq!(slug("  Deep Blue / 256GB "), "deep-blue-256gb");
        assert_eq!(slug("&"), "");
    }

    #[test]
    fn a_product_keeps_the_marks_of_its_handle() {
        for (given, expected) in [
            ("हिन्दी-किताब", "हिन्दी-किताब"),
            ("নীল-শাড়ি", "নীল-শাড়ি"),
            ("เสื้อยืด-สีแดง", "เสื้อยืด-สีแดง"),
            ("Cafe\u{301}", "café"),
            ("tac™-wipes", "tac-wipes"),
            ("a_b_c", "a-b-c"),
            ("double--dash", "double-dash"),
            ("™", ""),
        ] {
            let expected = normalized(expected, Form::Composed);
            assert_eq!(product_handle(given), expected);
            assert_eq!(product_handle(&expected), expected);
        }
    }

    #[test]
    fn a_category_has_a_handle_of_its_path() {
        for (path, expected) in [
            ("Men > Shoes", "men--shoes"),
            ("Women > Shoes", "women--shoes"),
            ("Men-Shoes", "men-shoes"),
            ("Cases & Protection", "cases-protection"),
            ("हिन्दी > नील-शाड़ि", "हिन्दी--नील-शाड़ि"),
            ("เสื้อยืด", "เสื้อยืด"),
            ("Cafe\u{301}", "café"),
        ] {
            assert_eq!(handle(path), expected);
        }
    }

    #[test]
    fn names_of_signs_have_handles_that_differ() {
        let names = [
            "C",
            "C++",
            "C#",
            "🎁",
            "🎉",
            "❤\u{fe0f}",
            "🎁 > 🎉",
            "\u{301}",
            "+",
            "Gift 🎁",
            "Gift",
        ];
        let handles: Vec<String> = names.iter().map(|name| handle(name)).collect();
        for (at, name) in handles.iter().enumerate() {
            assert!(
                !name.is_empty() && !handles[..at].contains(name),
                "{handles:?}"
            );
        }
    }

    #[test]
    fn the_name_in_a_handle_is_what_it_was_called_before() {
        for path in [
            "Men > Shoes",
            "Cases & Protection",
            "A > हिन्दी",
            "C++",
            "🎁",
            "Cafe\u{301}s",
        ] {
            let names: Vec<String> = path.split(" > ").map(str::to_owned).collect();
            let composed: Vec<String> = names
                .iter()
                .map(|it| normalized(it, Form::Composed).into_owned())
                .collect();
            let former = former_category_handle(&composed);
            assert!(
                is_category_called(&category_handle(&names), &former),
                "{path}"
            );
        }
    }
}
