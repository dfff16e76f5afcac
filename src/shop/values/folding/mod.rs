//! Words in a form for searching and sorting, independent of case, marks, width, quotes and
//! hyphens. Used by lists and by every other search for words.

use crate::values::typing::{is_dash, is_space, letters_and_digits, plain_text, twice};
use crate::values::unicode::{Form, normalized};
use std::cmp::Reverse;

/// Words of a search query.
#[derive(Clone, Debug)]
pub struct SearchText {
    words: Vec<Word>,
    whole: String,
}

/// Texts of an item, in which words are searched.
#[derive(Clone, Debug)]
pub struct Said {
    words: String,
    /// The same without hyphens. `None` means that there are none.
    solid: Option<String>,
}

/// A word in each of its spellings without marks.
#[derive(Clone, Debug)]
struct Word {
    spellings: Vec<String>,
    code: String,
}

/// Folds a text: lower case, without accents, apostrophes and quotes, and with letters replaced by
/// their usual plain spelling (`ß` by `ss`, `ø` by `o`). Spaces and dashes are as in
/// [`plain_text`]. Folding a folded text changes nothing.
#[must_use]
pub fn folded(text: &str) -> String {
    if text.chars().all(is_of_europe) {
        return folded_by_letter(text);
    }
    twice(text, folded_by_platform)
}

/// Sort key of a text in a list from A to Z: letters with marks are placed beside those without, as
/// in English and German, the languages of the pages, and numbers are sorted by value (`iPhone 9`
/// before `iPhone 17`). Among texts that are otherwise equal, those without marks come first, then
/// those in lower case.
///
/// The platform's `Intl.Collator` gives much the same order for these two languages, but is not
/// used: it sorts 10,000 titles in 33 ms (in V8, without the transitions out of WASM), this key in
/// 4 ms (native, optimized).
#[must_use]
pub fn place_in_alphabet(text: &str) -> (String, String, Reverse<String>) {
    let small = text.to_lowercase();
    (by_count(&folded(text)), small, Reverse(text.to_owned()))
}

/// Returns the text with the number of digits before each number, so that a longer number sorts
/// later. The number of digits is written as nines and one digit below nine, so that no count is a
/// prefix of another.
fn by_count(text: &str) -> String {
    let mut placed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|it: char| it.is_ascii_digit()) {
        let (words, from_number) = rest.split_at(start);
        let behind = from_number.trim_start_matches(|it: char| it.is_ascii_digit());
        let number = from_number.strip_suffix(behind).unwrap_or_default();
        let counted = number.trim_start_matches('0');
        placed.push_str(words);
        let nines = counted.len().checked_div(9).unwrap_or_default();
        placed.extend(std::iter::repeat_n('9', nines));
        let others = counted.len().checked_rem(9).unwrap_or_default();
        placed.push_str(&others.to_string());
        placed.push_str(counted);
        rest = behind;
    }
    placed.push_str(rest);
    placed
}

impl SearchText {
    /// Parses the words of `text`.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let plain = plain_text(text);
        let words = plain.split(' ').map(Word::read);
        Self {
            words: words.filter(|word| !word.spellings.is_empty()).collect(),
            whole: code_of(&plain),
        }
    }

    /// True if each word occurs in `said`, or is one of the `codes`, such as a SKU or a barcode. A
    /// hyphen may be present, missing, or replaced by a space.
    #[must_use]
    pub fn finds<'a>(&self, said: &Said, codes: impl Iterator<Item = &'a str> + Clone) -> bool {
        let is_one = |wanted: &str| {
            let is_long = wanted.chars().count() >= LEAST_CODE_CHARS;
            is_long && codes.clone().any(|code| is_code(code, wanted))
        };
        let is_found = |word: &Word| word.is_in(said) || is_one(&word.code);
        self.words.iter().all(is_found) || is_one(&self.whole)
    }
}

/// Minimum length of a code that an item is found by.
const LEAST_CODE_CHARS: usize = 2;

impl Said {
    /// Folds these texts.
    #[must_use]
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let texts: Vec<&str> = texts.collect();
        let words = spellings(&texts.join(" ")).join(" ");
        Self {
            solid: words.contains('-').then(|| words.replace('-', "")),
            words,
        }
    }
}

impl Word {
    fn read(text: &str) -> Self {
        let mut spellings = spellings(text);
        spellings.extend(spellings.first().and_then(|word| short_of(word)));
        spellings.retain(|spelling| !spelling.is_empty());
        Self {
            spellings,
            code: code_of(text),
        }
    }

    fn is_in(&self, said: &Said) -> bool {
        self.spellings.iter().any(|spelling| {
            let solid = said.solid.as_ref().unwrap_or(&said.words);
            solid.contains(&spelling.replace('-', ""))
                || spelling.split('-').all(|part| said.words.contains(part))
        })
    }
}

/// Returns a longer katakana word without the sound mark at its end, which is optional: `サーバ` is
/// `サーバー`, but `キ` is not `キー`.
fn short_of(word: &str) -> Option<String> {
    let short = word.strip_suffix('ー')?;
    let is_kana = |it: char| matches!(it, '\u{30a1}'..='\u{30fc}');
    let fits = short.chars().count() >= LEAST_KANA && short.chars().all(is_kana);
    fits.then(|| short.to_owned())
}

/// Minimum length of a katakana word from which the last sound mark is optional.
const LEAST_KANA: usize = 3;

/// Returns a code in the form used for comparison. Leading zeros of barcodes are dropped, because
/// the same article has 12 digits in one place and 13 in another.
fn code_of(text: &str) -> String {
    let code = letters_and_digits(text);
    if code.bytes().all(|byte| byte.is_ascii_digit()) {
        return code.trim_start_matches('0').to_owned();
    }
    code
}

/// True if `code` equals `wanted`, which is in the form of [`code_of`].
fn is_code(code: &str, wanted: &str) -> bool {
    if !code.is_ascii() {
        return code_of(code) == wanted;
    }
    let is_number = wanted.bytes().all(|byte| byte.is_ascii_digit());
    let signs = code.bytes().filter(u8::is_ascii_alphanumeric);
    signs
        .map(|sign| sign.to_ascii_uppercase())
        .skip_while(|sign| is_number && *sign == b'0')
        .eq(wanted.bytes())
}

/// Folds a text, and unifies letters that a search treats alike: both kana, and Arabic letters that
/// Persian and Egyptian writing uses in other forms.
fn sought(text: &str) -> String {
    let folded = folded(text);
    if folded.is_ascii() {
        return folded;
    }
    folded.chars().map(letter_sought).collect()
}

fn letter_sought(letter: char) -> char {
    match letter {
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        'ة' => 'ه',
        'ٱ' => 'ا',
        '\u{3041}'..='\u{3096}' | '\u{309d}' | '\u{309e}' => {
            let katakana = u32::from(letter).saturating_add(0x60);
            char::from_u32(katakana).unwrap_or(letter)
        }
        other => other,
    }
}

/// Returns the spellings of a text for searching, including the one with the letters that German
/// and the Nordic languages write instead of a mark (`ue` for `ü`).
fn spellings(text: &str) -> Vec<String> {
    let mut spellings = vec![sought(text)];
    if text.is_ascii() {
        return spellings;
    }
    let composed = if text.chars().all(is_of_europe) {
        text.to_lowercase()
    } else {
        normalized(text, Form::Composed).to_lowercase()
    };
    if composed.contains(['ä', 'ö', 'ü', 'å', 'ø']) {
        let spelt = composed
            .replace('ä', "ae")
            .replace(['ö', 'ø'], "oe")
            .replace('ü', "ue")
            .replace('å', "aa");
        spellings.push(sought(&spelt));
    }
    spellings
}

/// True for a character that can be folded by itself, without the tables of all scripts; this
/// covers most of what most shops list.
fn is_of_europe(character: char) -> bool {
    character.is_ascii()
        || character == '\u{a0}'
        || matches!(character, '\u{2010}'..='\u{2015}' | '\u{2018}'..='\u{201f}')
        || (matches!(character, 'À'..='ž')
            && character.to_lowercase().all(|it| letters_of(it).is_some()))
}

fn folded_by_letter(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            space if is_space(space) => {
                if !folded.is_empty() && !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            dash if is_dash(dash) => folded.push('-'),
            quote if is_quote(quote) => {}
            ascii if ascii.is_ascii() => folded.push(ascii.to_ascii_lowercase()),
            other => folded.extend(other.to_lowercase().filter_map(letters_of)),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

fn folded_by_platform(text: &str) -> String {
    let plain = plain_text(text);
    let mut folded = String::with_capacity(plain.len());
    let apart = normalized(&plain, Form::Apart);
    for character in apart.chars().flat_map(char::to_lowercase) {
        match character {
            'ς' => folded.push('σ'),
            quiet if is_accent(quiet) || is_quote(quiet) => {}
            other => match letters_of(other) {
                Some(letters) => folded.push_str(letters),
                None => folded.push(other),
            },
        }
    }
    normalized(&plain_text(&folded), Form::Composed).into_owned()
}

/// Returns the plain letters for a lower-case Latin letter with marks.
const fn letters_of(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ð' | 'ď' | 'đ' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ß' => "ss",
        'ś' | 'ŝ' | 'ş' | 'š' => "s",
        'ţ' | 'ť' | 'ŧ' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

/// True for a mark that is optional in writing: accents of Latin, Greek and Cyrillic, points of
/// Hebrew and Arabic. The vowel signs of other scripts are letters.
const fn is_accent(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}'
            | '\u{5c5}' | '\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{640}'
    )
}

/// True for apostrophes, quotes and primes of every form.
const fn is_quote(character: char) -> bool {
    matches!(
        character,
        '\'' | '"' | '`' | '\u{ab}' | '\u{5f3}' | '\u{5f4}' | '\u{b4}' | '\u{bb}' | '\u{2b9}'..='\u{2bf}' | '\u{2018}'..='\u{201f}'
            | '\u{2032}'..='\u{2037}' | '\u{2039}' | '\u{203a}' | '\u{300c}'..='\u{300f}'
            | '\u{301d}'..='\u{301f}' | '\u{a78c}' | '\u{ff07}'
    )
}

#[cfg(test)]
mod tests;
