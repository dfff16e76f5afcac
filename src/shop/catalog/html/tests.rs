//! Tests of sanitized HTML.

use super::*;
use proptest::prelude::*;

#[test]
fn text_is_what_a_reader_sees() {
    for (html, text) in [
        ("", ""),
        (
            "<p>One <strong>b</strong>ig<br>thing.</p><ul><li>A &amp; B</li><li>C</li></ul>",
            "One big thing. A & B C",
        ),
        ("<p>1 &lt; 2</p>", "1 < 2"),
        (r#"<p title="a > b">x</p>"#, "x"),
    ] {
        assert_eq!(text_of(&sanitise_html(html)), text, "{html}");
    }
}

#[test]
fn descriptions_can_not_run_anything() {
    for (dirty, clean) in [
        (
            r#"<p onclick="x()">Hi<script>x("</p>")</script><a href="javascript:x()">a</a></p>"#,
            r#"<p>Hi<a rel="noopener noreferrer">a</a></p>"#,
        ),
        ("<img src=x onerror=x()>", r#"<img src="/x">"#),
        (
            "<a href=' java\tscript:x()'>a",
            r#"<a rel="noopener noreferrer">a</a>"#,
        ),
        (
            "<a href='java&#115;cript:x()'>a",
            r#"<a rel="noopener noreferrer">a</a>"#,
        ),
        ("<svg><p>x</svg>y<ScRiPt >z</sCript>", "y"),
        ("<script>never ends", ""),
        ("<style>p{}</style x>a", "a"),
        (
            "<iframe src=x></iframe><form action=x><button>b</button></form>",
            "b",
        ),
        ("<!-- <b> --><b>a<!doctype x>", "<b>a</b>"),
        (
            "<b title='\"><script>x</script>'>a",
            r#"<b title="&quot;&gt;&lt;script&gt;x&lt;/script&gt;">a</b>"#,
        ),
    ] {
        assert_eq!(sanitise_html(dirty), clean, "{dirty}");
    }
}

#[test]
fn what_is_harmless_stays() {
    for html in [
        "<p>Fish &amp; chips&nbsp;&#8211; 3 &lt; 4</p>",
        r#"<table><tbody><tr><td colspan="2">x</td></tr></tbody></table><ul><li>a</li></ul><br>"#,
        r#"<a href="https://example.com/?a=1&amp;b=2" rel="noopener noreferrer">x</a>"#,
        r#"<img src="/media/a.svg" alt="A &quot;B&quot;">"#,
    ] {
        assert_eq!(sanitise_html(html), html);
    }
}

#[test]
fn pictures_are_shown_or_left_out() {
    for (dirty, clean) in [
        (
            "<p>a<img>b<img src=''>c<img src='javascript:x()' alt=y>d</p>",
            "<p>abcd</p>",
        ),
        (
            "<img src='data:image/gif;base64,R0' data-src='//cdn.example/a b.jpg' alt=A>",
            r#"<img src="https://cdn.example/a%20b.jpg" alt="A">"#,
        ),
        (
            "<img srcset='https://cdn.example/a.jpg 1x, b.jpg 2x'>",
            r#"<img src="https://cdn.example/a.jpg">"#,
        ),
        (
            "<img width=5 src='https://cdn.example/ü.jpg?a=1&amp;b=2'>",
            r#"<img src="https://cdn.example/%C3%BC.jpg?a=1&amp;b=2" width="5">"#,
        ),
    ] {
        assert_eq!(sanitise_html(dirty), clean, "{dirty}");
    }
}

#[test]
fn untidy_html_is_closed_in_order() {
    assert_eq!(
        sanitise_html("a < b & c<p><b>x</p></div>y"),
        "a &lt; b &amp; c<p><b>x</b></p>y"
    );
    assert_eq!(sanitise_html("<"), "&lt;");
    assert_eq!(sanitise_html("<p =a>x"), "<p>x</p>");
}

/// Fragments that attacks are built from.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<",
        ">",
        "\"",
        "'",
        "/",
        "=",
        " ",
        "&",
        ";",
        "#",
        "!",
        "--",
        "a",
        "p",
        "img",
        "svg",
        "math",
        "style",
        "script",
        "title",
        "textarea",
        "noscript",
        "template",
        "table",
        "td",
        "<p>",
        "</p>",
        "<b ",
        "<a href=",
        "javascript:",
        "&#106;",
        "&colon;",
        "src=",
        "onerror=",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "\0",
        "\t",
        "\n",
        "é",
        "</style",
        "<mglyph>",
        "<annotation-xml ",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn an_independent_parser_finds_nothing_to_remove(dirty in pieces()) {
        let clean = sanitise_html(&dirty);
        let judged = ammonia::Builder::new()
            .add_generic_attributes(&["align"])
            .add_tag_attributes("details", &["open"])
            .add_tag_attributes("ol", &["type", "reversed"])
            .add_tag_attributes("li", &["value"])
            .add_tags(&["center"])
            .clean(&clean)
            .to_string();
        let tags = |html: &str| {
            let mut found: Vec<String> = html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default().to_owned()).collect();
            found.retain(|tag| !tag.starts_with('/'));
            found.sort();
            found.dedup();
            found
        };
        // The browser's parser may add missing table elements, and drops those outside a table; it
        // must not find anything that runs.
        for tag in tags(&clean) {
            prop_assert!(tags(&judged).contains(&tag) || tag.starts_with('t') || tag.starts_with("col") || tag.starts_with("caption"), "{tag} in {clean} became {judged}");
        }
    }

    #[test]
    fn cleaning_twice_changes_nothing(dirty in pieces()) {
        let clean = sanitise_html(&dirty);
        prop_assert_eq!(sanitise_html(&clean), clean);
    }
}
