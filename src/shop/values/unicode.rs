//! Normalization forms of the Unicode standard (UAX #15). The platform provides the tables: those
//! of a crate would add 65 KB to the compressed Worker.

use std::borrow::Cow;

/// A form in which equal texts have equal characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Letters and their marks as one character, where there is one (NFC).
    Composed,
    /// Composed, with full-width letters, ligatures and the like replaced by the letters they stand
    /// for (NFKC).
    Compatible,
    /// Compatible, with letters and marks separated (NFKD).
    Apart,
}

/// Returns `text` in this form.
#[must_use]
pub fn normalized(text: &str, form: Form) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(by_platform(text, form))
}

#[cfg(target_arch = "wasm32")]
fn by_platform(text: &str, form: Form) -> String {
    let name = match form {
        Form::Composed => "NFC",
        Form::Compatible => "NFKC",
        Form::Apart => "NFKD",
    };
    js_sys::JsString::from(text).normalize(name).into()
}

#[cfg(not(target_arch = "wasm32"))]
fn by_platform(text: &str, form: Form) -> String {
    use unicode_normalization::UnicodeNormalization;
    match form {
        Form::Composed => text.nfc().collect(),
        Form::Compatible => text.nfkc().collect(),
        Form::Apart => text.nfkd().collect(),
    }
}
