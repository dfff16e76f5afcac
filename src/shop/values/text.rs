//! Words of staff: bounds on what they write.

use crate::codes::Code;
use crate::error::{Error, Result};

/// Most characters of a word of staff's: a carrier, a number, a reason.
const MAX_TEXT_CHARS: usize = 500;

/// Refuses a text that is too long or has control characters.
///
/// # Errors
/// 422 `too_long`, `control_character`.
pub fn check_text(field: &str, text: Option<&str>) -> Result<()> {
    let text = text.unwrap_or_default();
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(Error::invalid(
            field,
            Code::TooLong,
            format!("At most {MAX_TEXT_CHARS} characters."),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid(
            field,
            Code::ControlCharacter,
            "No line breaks or control characters.",
        ));
    }
    Ok(())
}
