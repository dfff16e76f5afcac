//! Normalization of what people type, paste, or have filled in for them. Phones produce full-width
//! letters, curly quotes and various dashes, and pasted text contains invisible characters.
//! Anything that is compared is first brought into one of these forms.
//!
//! Each form is stable: applying it again changes nothing.

use crate::values::unicode::{Form, normalized};

/// Normalizes a single-line text: Unicode's compatibility form, without invisible characters, with
/// plain spaces, dashes and ASCII digits, trimmed. Letters keep their case.
#[must_use]
pub fn plain_text(text: &str) -> String {
    twice(text, plain_once)
}

/// Normalizes a code: [`plain_text`] in upper case, without spaces.
#[must_use]
pub fn plain_code(text: &str) -> String {
    twice(text, |text| {
        let plain = plain_once(text);
        let solid = plain.chars().filter(|it| *it != ' ');
        solid.flat_map(char::to_uppercase).collect()
    })
}

/// Key for numbers written with separators: only the letters and digits of [`plain_code`].
#[must_use]
pub fn letters_and_digits(text: &str) -> String {
    let kept = |it: &char| it.is_alphanumeric();
    twice(text, |text| plain_code(text).chars().filter(kept).collect())
}

/// Applies a form twice, because the first pass may produce something it would remove; ASCII text
/// can't.
pub(super) fn twice(text: &str, form: impl Fn(&str) -> String) -> String {
    let once = form(text);
    if text.is_ascii() { once } else { form(&once) }
}

fn plain_once(text: &str) -> String {
    let seen: String = text.chars().filter(|it| !is_invisible(*it)).collect();
    let characters = normalized(&seen, Form::Compatible);
    let mut plain = String::with_capacity(characters.len());
    for character in characters.chars().filter(|it| !is_invisible(*it)) {
        match character {
            space if is_space(space) => {
                if !plain.is_empty() && !plain.ends_with(' ') {
                    plain.push(' ');
                }
            }
            dash if is_dash(dash) || is_drawn_after_digit(dash, &plain) => plain.push('-'),
            other => plain.push(digit_of(other).unwrap_or(other)),
        }
    }
    plain.truncate(plain.trim_end().len());
    match normalized(&plain, Form::Compatible) {
        same if same == plain => plain,
        other => other.into_owned(),
    }
}

/// True for characters that are invisible: joiners, direction marks, variation selectors, fillers
/// (`Default_Ignorable_Code_Point`).
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// True for a space of any width, and for the blank Braille cell, which looks like one.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || character == '\u{2800}'
}

/// True for Unicode's `Dash` characters, and for box-drawing lines.
pub(super) const fn is_dash(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{58a}' | '\u{5be}' | '\u{1400}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2053}'
                | '\u{207b}'
                | '\u{208b}'
                | '\u{2212}'
                | '\u{2500}'
                | '\u{2501}'
                | '\u{2e17}'
                | '\u{2e1a}'
                | '\u{2e3a}'
                | '\u{2e3b}'
                | '\u{2e40}'
                | '\u{2e5d}'
                | '\u{301c}'
                | '\u{3030}'
                | '\u{30a0}'
                | '\u{10ead}'
    )
}

/// True for the long-vowel mark of kana after a digit: its key is the one used for a dash.
fn is_drawn_after_digit(character: char, before: &str) -> bool {
    character == '\u{30fc}' && before.ends_with(|it: char| it.is_ascii_digit())
}

/// Returns the ASCII digit for a digit of another script.
fn digit_of(character: char) -> Option<char> {
    let zero = ZEROS.into_iter().rev().find(|zero| *zero <= character)?;
    let value = u32::from(character).checked_sub(u32::from(zero))?;
    char::from_digit(value, 10)
}

/// Zeros of Arabic, Persian, the scripts of India, Thai, Lao, Tibetan, Myanmar, Khmer and
/// Mongolian.
const ZEROS: [char; 18] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}',
    '\u{c66}', '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}',
    '\u{1810}', '\u{a9f0}',
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::folding::folded;
    use proptest::prelude::*;

    #[test]
    fn what_is_pasted_is_what_was_meant() {
        for pasted in [
            "SAVE-10",
            "SAVE-10\u{200b}",
            "\u{feff}SAVE\u{2013}10 ",
            "\u{202a}SAVE\u{2011}10\u{202c}",
            "ＳＡＶＥ－１０",
            "SAVE\u{2212}\u{661}\u{660}",
            "save\u{ad}-\u{a0}10\r\n",
            "\u{3000}Save—１0\u{2009}",
        ] {
            assert_eq!(plain_code(pasted), "SAVE-10", "{pasted:?}");
        }
        assert_eq!(plain_code("danke fu\u{308}r"), plain_code("DANKEFÜR"));
        assert_eq!(plain_text(" a\u{a0}\u{2003} b\tc "), "a b c");
        assert_eq!(plain_text("100ー0001"), "100-0001");
        assert_eq!(plain_text("コーヒー"), "コーヒー");
        assert_eq!(letters_and_digits("〒１００ー０００１"), "1000001");
        assert_eq!(letters_and_digits("٥٤٥٤١"), "54541");
    }

    const FORMS: [fn(&str) -> String; 4] = [plain_text, plain_code, letters_and_digits, folded];

    #[test]
    fn every_character_has_one_form() {
        let scripts = [
            '\0'..='\u{33ff}',
            '\u{f900}'..='\u{ffff}',
            '\u{1d100}'..='\u{1f200}',
        ];
        for character in scripts.into_iter().flatten() {
            for form in FORMS {
                for text in [character.to_string(), format!("a{character}\u{301} 1")] {
                    let once = form(&text);
                    assert_eq!(form(&once), once, "{text:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_form_made_twice_is_the_same(text in any::<String>(), marked in "[a-zßİŉΐ \u{300}-\u{345}\u{1100}-\u{11ff}\u{b4}\u{200b}\u{ff9e}カ-]{0,12}") {
            for form in FORMS {
                for text in [&text, &marked] {
                    let once = form(text);
                    prop_assert_eq!(form(&once), once);
                }
            }
        }

        #[test]
        fn what_nobody_sees_changes_nothing(text in "[A-Za-z0-9äöü-]{1,12}", at in 0..12_usize, unseen in "[\u{200b}-\u{200f}\u{2060}\u{feff}\u{ad}\u{fe0f}]{1,3}") {
            let at = text.char_indices().map(|(at, _)| at).nth(at).unwrap_or(text.len());
            let pasted = format!("{}{unseen}{}", &text[..at], &text[at..]);
            for form in FORMS {
                prop_assert_eq!(form(&pasted), form(&text));
            }
        }
    }
}
