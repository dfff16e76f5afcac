//! `/media/…`: pictures uploaded by staff, in their original size or in one of the listed widths. A
//! name always stands for the same content, so it may be cached forever.

use crate::web::http::answers::names;
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use shop::error::{Error, Result};
use shop::publishing::media::Media;

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// For the original in place of a smaller version that can't be made at the moment.
const FOR_A_MINUTE: &str = "public, max-age=60";

/// `GET /media/{name}`: a picture in its original size.
///
/// # Errors
/// 404.
pub async fn show(call: &mut Call<'_>) -> Result<Reply> {
    let media = Media::of_name(call.param(0)).ok_or(Error::NotFound("media"))?;
    let etag = format!("\"{}\"", media.name);
    if has_already(call, &etag) {
        return Ok(kept(304, etag, FOR_EVER));
    }
    let file = call
        .app
        .media()
        .open(&media)
        .await?
        .ok_or(Error::NotFound("media"))?;
    call.send(file.body);
    Ok(kept(200, etag, FOR_EVER).with("Content-Type", file.content_type))
}

/// `GET /media/{width}/{name}`: a picture in a smaller width.
///
/// # Errors
/// 404, also for a width that is not listed or not smaller than the original.
pub async fn show_at_width(call: &mut Call<'_>) -> Result<Reply> {
    let media = Media::of_name(call.param(1)).ok_or(Error::NotFound("media"))?;
    let wanted = call.param(0).parse().ok();
    let width = media.widths().find(|width| Some(*width) == wanted);
    let width = width.ok_or(Error::NotFound("media"))?;
    let etag = format!("\"{width}-{}\"", media.name);
    if has_already(call, &etag) {
        return Ok(kept(304, etag, FOR_EVER));
    }
    let file = call.app.media().open_at(&media, width).await?;
    let file = file.ok_or(Error::NotFound("media"))?;
    call.send(file.body);
    let reply = match file.is_as_asked {
        true => kept(200, etag, FOR_EVER),
        false => kept(200, format!("\"{}\"", media.name), FOR_A_MINUTE),
    };
    Ok(reply.with("Content-Type", file.content_type))
}

fn has_already(call: &Call<'_>, etag: &str) -> bool {
    call.header("If-None-Match")
        .is_some_and(|tags| names(&tags, etag))
}

fn kept(status: u16, etag: String, how_long: &str) -> Reply {
    Reply::empty(status)
        .with("ETag", etag)
        .with("Cache-Control", how_long)
}
