//! Pictures, as staff upload them.

use crate::error::Result;
use crate::shop::media::{MAX_MEDIA_BYTES, Media, delete_media, upload_media};
use crate::web::call::Call;
use crate::web::reply::Reply;
use serde::Serialize;

/// `POST /api/v1/admin/media`, the body being the picture: 201 with the address that products name it by. What it is, its bytes say.
///
/// # Errors
/// 413; 415 for anything but JPEG, PNG, WebP, AVIF and GIF; 422 `invalid_image`.
pub async fn create_media(call: &mut Call<'_>) -> Result<Reply> {
    let content = call.bytes(MAX_MEDIA_BYTES).await?;
    let media = upload_media(&call.app.media(), content).await?;
    let reply = Reply::json(201, &MediaView::of(&media))?;
    Ok(reply.with("Location", media.path()))
}

/// `DELETE /api/v1/admin/media/{name}`
///
/// # Errors
/// 404.
pub async fn remove_media(call: &mut Call<'_>) -> Result<Reply> {
    delete_media(&call.app.media(), call.param(0)).await?;
    Ok(Reply::empty(204))
}

/// A picture as staff see it.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(super) struct MediaView {
    /// What a product's image names.
    url: String,
    content_type: &'static str,
    /// Pixels.
    width: u32,
    /// Pixels.
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
