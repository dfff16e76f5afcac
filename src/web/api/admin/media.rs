//! Pictures that staff upload.

use crate::web::api::{decode_cursor, encode_cursor, limit, malformed_cursor};
use crate::web::http::call::Call;
use crate::web::http::reply::Reply;
use crate::web::views::instant;
use serde::Serialize;
use shop::error::Result;
use shop::publishing::media::{
    MAX_MEDIA_BYTES, Media, MediaFiles, StoredMedia, delete_media, upload_media,
};

/// Maximum length in bytes of an R2 key (developers.cloudflare.com/r2/platform/limits). A page may
/// end at any key, because files may also be put into the bucket by other means.
const MAX_KEY_BYTES: usize = 1024;

/// `POST /api/v1/admin/media`: Uploads the picture in the body. 201 names the address to use in
/// products. The type is detected from the bytes.
///
/// # Errors
/// 413; 415 for anything but JPEG, PNG, WebP, AVIF and GIF; 422 `invalid_image`.
pub async fn create_media(call: &mut Call<'_>) -> Result<Reply> {
    let content = call.bytes(MAX_MEDIA_BYTES).await?;
    let media = upload_media(&call.app.media(), content).await?;
    let reply = Reply::json(201, &MediaView::of(&media))?;
    Ok(reply.with("Location", media.path()))
}

/// `GET /api/v1/admin/media?limit=&cursor=`: Lists all pictures by name.
///
/// # Errors
/// 400 `malformed_cursor`; 422 `invalid_limit`.
pub async fn list_media(call: &mut Call<'_>) -> Result<Reply> {
    let limit = limit(call)?;
    let after = decode_cursor(call)?;
    let is_key = |key: &String| (1..=MAX_KEY_BYTES).contains(&key.len());
    if !after.as_ref().is_none_or(is_key) {
        return Err(malformed_cursor());
    }
    let (stored, next) = call.app.media().list(after.as_deref(), limit).await?;
    Reply::json(
        200,
        &MediaList {
            data: stored.iter().map(StoredMediaView::of).collect(),
            next_cursor: next.as_deref().map(encode_cursor),
        },
    )
}

/// `DELETE /api/v1/admin/media/{name}`: Deletes a picture that no product uses.
///
/// # Errors
/// 404; 409 `media_in_use` with the products that use it, at most 100.
pub async fn remove_media(call: &mut Call<'_>) -> Result<Reply> {
    let (files, record) = (call.app.media(), call.app.catalog_record());
    delete_media(&files, &record, call.param(0)).await?;
    Ok(Reply::empty(204))
}

/// A page of pictures.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct MediaList {
    data: Vec<StoredMediaView>,
    #[cfg_attr(test, schema(required))]
    next_cursor: Option<String>,
}

/// A stored picture.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
struct StoredMediaView {
    name: String,
    #[serde(flatten)]
    media: MediaView,
    bytes: u64,
    uploaded_at: String,
}

impl StoredMediaView {
    fn of(stored: &StoredMedia) -> Self {
        Self {
            name: stored.media.name.clone(),
            media: MediaView::of(&stored.media),
            bytes: stored.bytes,
            uploaded_at: instant(stored.uploaded_at),
        }
    }
}

/// A picture as shown to staff.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(in crate::web::api) struct MediaView {
    /// Address to use in a product's image.
    url: String,
    content_type: &'static str,
    /// Width in pixels.
    width: u32,
    /// Height in pixels.
    height: u32,
}

impl MediaView {
    fn of(media: &Media) -> Self {
        Self {
            url: media.path(),
            content_type: media.kind.content_type(),
            width: media.width,
            height: media.height,
        }
    }
}
