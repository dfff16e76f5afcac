//! Parser of one tag, as browsers read it.

/// A tag or a comment, which has no name.
pub(super) struct Tag<'a> {
    pub(super) name: String,
    pub(super) end: bool,
    pub(super) attributes: Vec<(String, &'a str)>,
}

/// Parses a tag or comment at the start of `markup`, and returns the rest. `None` means the `<` is
/// text.
pub(super) fn read_markup(markup: &str) -> Option<(Tag<'_>, &str)> {
    let nothing = |after| {
        let tag = Tag {
            name: String::new(),
            end: true,
            attributes: Vec::new(),
        };
        Some((tag, after))
    };
    if let Some(comment) = markup.strip_prefix("<!--") {
        return nothing(comment.split_once("-->").map_or("", |(_, after)| after));
    }
    if markup.starts_with("<!") || markup.starts_with("<?") {
        return nothing(markup.split_once('>').map_or("", |(_, after)| after));
    }
    let inside = markup.get(1..)?;
    let (end, inside) = match inside.strip_prefix('/') {
        Some(inside) => (true, inside),
        None => (false, inside),
    };
    if !inside.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return None;
    }
    let name_end =
        inside.find(|character: char| is_space(character) || matches!(character, '/' | '>'));
    let (name, rest) = inside.split_at(name_end.unwrap_or(inside.len()));
    let (attributes, after) = read_attributes(rest);
    Some((
        Tag {
            name: name.to_ascii_lowercase(),
            end,
            attributes,
        },
        after,
    ))
}

/// Parses the attributes up to the `>`, and returns the rest.
fn read_attributes(mut rest: &str) -> (Vec<(String, &str)>, &str) {
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|character: char| is_space(character) || character == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return (attributes, after);
        }
        if rest.is_empty() {
            return (attributes, rest);
        }
        let (name, after) = split_where(rest, |character| {
            is_space(character) || matches!(character, '/' | '>' | '=')
        });
        let spaced = after.trim_start_matches(is_space);
        let (value, after) = match spaced.strip_prefix('=') {
            Some(value) => read_value(value.trim_start_matches(is_space)),
            None => ("", after),
        };
        attributes.push((name.to_ascii_lowercase(), value));
        // An attribute that begins with `=` has an empty name, so one character is skipped instead.
        rest = if after.len() < rest.len() {
            after
        } else {
            rest.get(1..).unwrap_or_default()
        };
    }
}

fn read_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    split_where(text, |character| is_space(character) || character == '>')
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

pub(super) const fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0c')
}
