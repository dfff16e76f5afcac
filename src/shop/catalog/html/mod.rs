//! Sanitizer for the HTML of a merchant's description.
//!
//! Guarantee: the output consists only of escaped text and of tags written by this module. A tag
//! has a name and attributes from the lists below, each value is escaped in double quotes, and
//! every tag is closed in order. No listed element changes how a browser parses what follows it
//! (script, style, svg, math, template, textarea, iframe and the like are not listed), so a browser
//! sees exactly these tags. A link has a listed scheme or none; a picture has a web address, and is
//! removed without one.

mod tag;

use crate::catalog::html::tag::{Tag, is_space, read_markup};
use crate::catalog::web_address;

/// Permitted elements. Any other element loses its tags and keeps its text.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
    "var",
    "wbr",
];

/// Elements without an end tag.
const VOID: &[&str] = &["br", "col", "hr", "img", "wbr"];

/// Elements removed with their text, because it is not meant to be read or is not parsed as text.
const DROPPED: &[&str] = &[
    "applet",
    "audio",
    "canvas",
    "embed",
    "frameset",
    "head",
    "iframe",
    "math",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "plaintext",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
    "video",
    "xmp",
];

/// Attributes permitted on any element.
const ATTRIBUTES: &[&str] = &["title", "lang", "dir"];

/// Permitted URL schemes.
const SCHEMES: &[&str] = &["http", "https", "mailto", "tel"];

/// Maximum nesting depth; deeper elements keep only their text.
const MAX_DEPTH: usize = 100;

/// Returns the HTML of a merchant's description without anything that could run, embed or submit:
/// text, lists, tables, links and pictures remain.
#[must_use]
pub fn sanitise_html(html: &str) -> String {
    let mut out = Writer {
        html: String::with_capacity(html.len()),
        open: Vec::new(),
    };
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, markup) = rest.split_at(at);
        out.text(text);
        rest = match read_markup(markup) {
            Some((tag, after)) => out.tag(&tag, after),
            None => {
                out.text("<");
                markup.get(1..).unwrap_or_default()
            }
        };
    }
    out.text(rest);
    out.finish()
}

/// Returns the text of sanitized HTML, without markup and with single spaces.
#[must_use]
pub fn text_of(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    for part in html.split('<') {
        match part.split_once('>') {
            None => text.push_str(part),
            Some((tag, after)) => {
                if !is_within_words(tag) {
                    text.push(' ');
                }
                text.push_str(after);
            }
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    decoded(&words.join(" ").replace("&nbsp;", " "))
}

/// True for a tag that may occur in the middle of a word.
fn is_within_words(tag: &str) -> bool {
    const INLINE: &[&str] = &[
        "a", "abbr", "b", "code", "em", "i", "mark", "s", "small", "span", "strong", "sub", "sup",
        "u",
    ];
    let name = tag.trim_start_matches('/').split(' ').next();
    name.is_some_and(|name| INLINE.contains(&name))
}

struct Writer {
    html: String,
    open: Vec<String>,
}

impl Writer {
    /// Writes a tag if it is permitted, and returns the rest of the input.
    fn tag<'a>(&mut self, tag: &Tag<'_>, after: &'a str) -> &'a str {
        let name = tag.name.as_str();
        if DROPPED.contains(&name) {
            return if tag.end {
                after
            } else {
                behind_end_of(name, after)
            };
        }
        if !ELEMENTS.contains(&name) {
            return after;
        }
        if tag.end {
            self.close(name);
        } else if VOID.contains(&name) {
            self.start(tag);
        } else if self.open.len() < MAX_DEPTH {
            self.start(tag);
            self.open.push(tag.name.clone());
        }
        after
    }

    /// Writes a picture. A lazily loaded picture has its address in another attribute; one without
    /// an address is removed.
    fn picture(&mut self, tag: &Tag<'_>) {
        let named = |wanted: &str| {
            let mut attributes = tag.attributes.iter();
            let (_, value) = attributes.find(|(name, _)| name == wanted)?;
            let first = match wanted.ends_with("srcset") {
                true => value.split_whitespace().next()?.trim_end_matches(','),
                false => value,
            };
            web_address(&decoded(first))
        };
        let Some(address) = ["src", "data-src", "srcset", "data-srcset"]
            .into_iter()
            .find_map(named)
        else {
            return;
        };
        self.html.push_str("<img src=\"");
        self.escaped(&address);
        self.html.push('"');
        self.attributes(tag);
        self.html.push('>');
    }

    fn start(&mut self, tag: &Tag<'_>) {
        if tag.name == "img" {
            return self.picture(tag);
        }
        self.html.push('<');
        self.html.push_str(&tag.name);
        self.attributes(tag);
        if tag.name == "a" {
            self.html.push_str(" rel=\"noopener noreferrer\"");
        }
        self.html.push('>');
    }

    fn attributes(&mut self, tag: &Tag<'_>) {
        for (at, (name, value)) in tag.attributes.iter().enumerate() {
            let first = !tag
                .attributes
                .iter()
                .take(at)
                .any(|(known, _)| known == name);
            if first && may_stay(&tag.name, name, value) {
                self.html.push(' ');
                self.html.push_str(name);
                self.html.push_str("=\"");
                self.escaped(&decoded(value));
                self.html.push('"');
            }
        }
    }

    /// Closes the open element with this name and those inside it; does nothing if there is none.
    fn close(&mut self, name: &str) {
        if !self.open.iter().any(|open| open == name) {
            return;
        }
        while let Some(open) = self.open.pop() {
            self.html.push_str("</");
            self.html.push_str(&open);
            self.html.push('>');
            if open == name {
                return;
            }
        }
    }

    /// Writes text. Character references are kept: they stand for characters, never for markup.
    fn text(&mut self, text: &str) {
        for (at, character) in text.char_indices() {
            match character {
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '&' if !is_reference(text.get(at..).unwrap_or_default()) => {
                    self.html.push_str("&amp;");
                }
                '\0' => {}
                other => self.html.push(other),
            }
        }
    }

    /// Writes an attribute value, so that the browser reads back exactly the `value` that was
    /// checked.
    fn escaped(&mut self, value: &str) {
        for character in value.chars() {
            match character {
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '&' => self.html.push_str("&amp;"),
                '"' => self.html.push_str("&quot;"),
                '\0' => {}
                other => self.html.push(other),
            }
        }
    }

    fn finish(mut self) -> String {
        while let Some(open) = self.open.pop() {
            self.html.push_str("</");
            self.html.push_str(&open);
            self.html.push('>');
        }
        self.html
    }
}

/// Returns the text after the end tag of a removed element; empty if the element never ends.
fn behind_end_of<'a>(name: &str, text: &'a str) -> &'a str {
    text.match_indices("</")
        .filter_map(|(at, mark)| text.get(at.saturating_add(mark.len())..))
        .find(|end| is_named(end, name))
        .and_then(|end| end.split_once('>'))
        .map_or("", |(_, after)| after)
}

/// True if a tag, given without its `<` or `</`, has this name.
fn is_named(tag: &str, name: &str) -> bool {
    tag.split_at_checked(name.len())
        .is_some_and(|(given, after)| {
            given.eq_ignore_ascii_case(name)
                && (after.is_empty()
                    || after.starts_with(|next: char| is_space(next) || matches!(next, '/' | '>')))
        })
}

fn may_stay(element: &str, attribute: &str, value: &str) -> bool {
    match (element, attribute) {
        ("a", "href") | ("blockquote" | "q" | "del" | "ins", "cite") => {
            is_safe_address(&decoded(value))
        }
        ("img", "alt" | "width" | "height")
        | ("td" | "th", "colspan" | "rowspan" | "headers" | "scope")
        | ("col" | "colgroup", "span")
        | ("ol", "start" | "type" | "reversed")
        | ("li", "value")
        | ("details", "open")
        | ("table" | "td" | "th" | "tr" | "p" | "div", "align") => true,
        _ => ATTRIBUTES.contains(&attribute),
    }
}

/// True for an address with a listed scheme or none. Browsers ignore control characters and spaces
/// in a scheme, so they are ignored here as well.
fn is_safe_address(address: &str) -> bool {
    let address: String = address
        .chars()
        .filter(|character| *character > ' ' && !character.is_control())
        .collect();
    if address.contains("&#") {
        return false;
    }
    let Some((scheme, _)) = address.split_once(':') else {
        return true;
    };
    if scheme.contains(['/', '?', '#']) {
        return true;
    }
    SCHEMES.contains(&scheme.to_ascii_lowercase().as_str())
}

/// Decodes the character references that occur in practice in addresses and labels; any other is
/// kept as it is.
fn decoded(value: &str) -> String {
    value
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// True for text that begins with a character reference, such as `&nbsp;` or `&#8211;`.
fn is_reference(text: &str) -> bool {
    let Some((name, _)) = text.strip_prefix('&').and_then(|rest| rest.split_once(';')) else {
        return false;
    };
    let digits = |text: &str, accept: fn(&u8) -> bool| {
        (1..=8).contains(&text.len()) && text.as_bytes().iter().all(accept)
    };
    match name.strip_prefix('#') {
        Some(code) => match code.strip_prefix(['x', 'X']) {
            Some(code) => digits(code, u8::is_ascii_hexdigit),
            None => digits(code, u8::is_ascii_digit),
        },
        None => {
            (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }
    }
}

#[cfg(test)]
mod tests;
