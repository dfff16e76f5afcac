//! The page of a policy.

use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::pages::metadata;
use shop::error::{Error, Result};

use crate::web::pages::layout::page_with;
use crate::web::pages::metadata::Metadata;
use crate::web::pages::policy_texts::POLICIES;
use crate::web::pages::visit::PageContext;
use maud::{Markup, html};

/// `GET /policies/{name}`: a policy.
///
/// # Errors
/// 404.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let policy = POLICIES
        .iter()
        .find(|policy| policy.name == call.param(0))
        .ok_or(Error::NotFound("page"))?;
    let visit = PageContext::of(call).await?;
    let title = policy.title(visit.language);
    let content = html! { article class="prose" { (render(policy.text(visit.language))) } };
    let metadata = Metadata {
        title,
        description: policy.summary(visit.language),
        path: &policy.path(),
        image: None,
        structured: Vec::new(),
    };
    let head = metadata::tags(&visit, &metadata);
    Ok(page_with(200, &visit, title, &head, &content).public())
}

/// Renders the subset of Markdown that policies use: headings, lists, paragraphs.
pub(super) fn render(text: &str) -> Markup {
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
