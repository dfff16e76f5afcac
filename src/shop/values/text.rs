//! Limits on texts written by staff.

use crate::codes::Code;
use crate::error::{Error, Result};

/// Maximum length of a text by staff, such as a carrier, a number or a reason, in characters.
const MAX_TEXT_CHARS: usize = 500;

/// Checks that a text is not too long and has no control characters.
///
/// # Errors
/// 422 `too_long`, `control_character`.
pub fn check_text(field: &str, text: Option<&str>) -> Result<()> {
    let text = text.unwrap_or_default();
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(Error::invalid(
            field,
            Code::TooLong,
            format!("Must be at most {MAX_TEXT_CHARS} characters long."),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(
            field,
            Code::ControlCharacter,
            "Must not contain line breaks or control characters.",
        ));
    }
    Ok(())
}
