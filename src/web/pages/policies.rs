//! The shop's policies: a Markdown file for each in each language, under `content/policies`, written by the merchant and compiled in.

use crate::error::{Error, Result};
use crate::shop::languages::Language;
use crate::web::call::Call;
use crate::web::pages::layout::{Visit, page_with};
use crate::web::pages::metadata::{self, Metadata};
use crate::web::reply::Reply;
use maud::{Markup, html};

/// A policy, in every language.
pub struct Policy {
    name: &'static str,
    english: &'static str,
    german: &'static str,
}

macro_rules! policies {
    ($($name:literal),*) => {
        &[$(Policy {
            name: $name,
            english: include_str!(concat!("../../../content/policies/en/", $name, ".md")),
            german: include_str!(concat!("../../../content/policies/de/", $name, ".md")),
        }),*]
    };
}

/// Every policy, as the footer lists them.
pub static POLICIES: &[Policy] = policies!["shipping", "returns", "privacy", "terms"];

/// `GET /policies/{name}`
///
/// # Errors
/// 404.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let policy = POLICIES
        .iter()
        .find(|policy| policy.name == call.param(0))
        .ok_or(Error::NotFound("page"))?;
    let visit = Visit::of(call).await?;
    let title = policy.title(visit.language);
    let content = html! { article class="prose" { (render(policy.text(visit.language))) } };
    let metadata = Metadata {
        title,
        description: policy.summary(visit.language),
        path: &policy.path(),
        image: None,
        structured: Vec::new(),
    };
    let head = metadata::tags(call.app, &visit, &metadata);
    Ok(page_with(200, &visit, title, &head, &content).public())
}

impl Policy {
    /// Its path.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/policies/{}", self.name)
    }

    /// Its first line.
    #[must_use]
    pub fn title(&self, language: Language) -> &'static str {
        let first = self.text(language).lines().next().unwrap_or_default();
        first.trim_start_matches("# ")
    }

    /// Its first paragraph.
    fn summary(&self, language: Language) -> &'static str {
        self.text(language).split("\n\n").nth(1).unwrap_or_default()
    }

    const fn text(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::German => self.german,
        }
    }
}

/// The little of Markdown that a policy needs: headings, lists, paragraphs.
fn render(text: &str) -> Markup {
    html! {
        @for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
            @if let Some(heading) = block.strip_prefix("## ") {
                h2 { (heading) }
            } @else if let Some(title) = block.strip_prefix("# ") {
                h1 { (title) }
            } @else if block.starts_with("- ") {
                ul { @for item in block.lines() { li { (item.trim_start_matches("- ")) } } }
            } @else {
                p { (block) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_has_a_title_in_every_language() {
        for policy in POLICIES {
            for language in Language::ALL {
                assert!(policy.text(language).starts_with("# "), "{}", policy.name);
                assert!(!policy.title(language).is_empty());
            }
        }
    }

    #[test]
    fn what_is_no_markup_is_text() {
        let html = render("# A\n\n## B\n\n- x\n- y\n\n<b>c</b>").into_string();
        assert_eq!(
            html,
            "<h1>A</h1><h2>B</h2><ul><li>x</li><li>y</li></ul><p>&lt;b&gt;c&lt;/b&gt;</p>"
        );
    }
}
