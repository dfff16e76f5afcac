//! The shop's policies: a Markdown file for each policy and language under `content/policies`,
//! written by the merchant and compiled in.

use shop::values::languages::Language;

/// A policy in every language.
pub struct Policy {
    /// Name of the policy in URLs.
    pub name: &'static str,
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

/// All policies, in the order of the footer.
pub static POLICIES: &[Policy] = policies!["shipping", "returns", "privacy", "terms"];

impl Policy {
    /// Returns the path of the policy.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/policies/{}", self.name)
    }

    /// Returns the title: the first line.
    #[must_use]
    pub fn title(&self, language: Language) -> &'static str {
        let first = self.text(language).lines().next().unwrap_or_default();
        first.trim_start_matches("# ")
    }

    /// Returns the summary: the first paragraph.
    #[must_use]
    pub fn summary(&self, language: Language) -> &'static str {
        self.text(language).split("\n\n").nth(1).unwrap_or_default()
    }

    /// Returns the text in Markdown.
    #[must_use]
    pub const fn text(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::German => self.german,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::pages::policies::render;

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
