//! Limits on texts that people write about an order.

use crate::codes::Code;
use crate::error::{Error, Result};

/// Maximum length of such a text (a carrier, a number, a reason, a note), in characters.
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
