//! Static files under names with the hash of their content. `build.rs` creates the names and lays
//! out the files; the edge serves them before the Worker runs, to be cached forever.

use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use shop::error::{Error, Result};

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Returns the address under which the static file at `path` may be cached forever; `path` itself
/// if it is not one of the shop's files.
#[must_use]
pub fn kept_address(path: &str) -> &str {
    HASHED
        .binary_search_by_key(&path, |(name, _)| *name)
        .ok()
        .and_then(|at| HASHED.get(at))
        .map_or(path, |(_, hashed)| *hashed)
}

/// `GET /assets/{folder}/{name}`, `GET /assets/{name}`: serves files of other builds, because the
/// edge serves those of this one. A page from a cache that links to an old name gets the current
/// file.
///
/// # Errors
/// 404.
pub async fn show_outdated(call: &mut Call<'_>) -> Result<Reply> {
    let path = format!("/{}", unhashed(&call.params.join("/")));
    match kept_address(&path) {
        current if current == path => Err(Error::NotFound("file")),
        current => Ok(Reply::empty(302)
            .with("Location", current)
            .with("Cache-Control", "no-store")),
    }
}

/// Returns `shop.css` for `shop.0123456789ab.css`.
fn unhashed(name: &str) -> String {
    let mut parts: Vec<&str> = name.split('.').collect();
    if parts.len() > 2 {
        parts.remove(parts.len().saturating_sub(2));
    }
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_kept_under_the_hash_of_its_content_and_anything_else_is_left_alone() {
        let kept = kept_address("/css/shop.css");
        assert!(kept.starts_with("/assets/css/shop.") && kept.ends_with(".css"));
        assert_eq!(kept.len(), "/assets/css/shop.0123456789ab.css".len());
        for other in ["/favicon.txt", "https://images.test/a.png", ""] {
            assert_eq!(kept_address(other), other);
        }
    }

    #[test]
    fn an_outdated_name_leads_to_its_file() {
        assert_eq!(unhashed("shop.0123456789ab.css"), "shop.css");
        assert_eq!(unhashed("shop.css"), "shop.css");
    }
}
