//! Pictures uploaded by staff. The type is determined from the content, never from the file name or
//! the sender's declaration. A picture is named by a digest of its content and its size in pixels,
//! so that it can be cached forever under that name, and a page knows how much space it needs.
//!
//! Drawings (SVG) are documents that can run scripts, and are rejected.

use crate::catalog::record::CatalogRecord;
use crate::codes::Code;
use crate::error::{Error, Result};
use crate::values::ids::digest_of;
use durable::Timestamp;
use serde_json::json;

/// Maximum size of an upload in bytes.
pub const MAX_MEDIA_BYTES: usize = 10 * 1024 * 1024;

/// Widths in pixels that a picture is served in; no others are generated.
const WIDTHS: [u32; 6] = [160, 320, 640, 960, 1280, 1920];

/// Maximum length of a side in pixels; larger pictures can't be scaled down.
const MAX_SIDE: u32 = 12_000;

/// Maximum number of products listed as using a picture.
const MOST_TOLD: usize = 100;

/// Path prefix under which media are served.
const FOLDER: &str = "/media/";

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Name derived from digest, size and type, such as `0a1b…-1600x1200.jpg`.
    pub name: String,
    /// Type of the picture.
    pub kind: Kind,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// A stored picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMedia {
    /// The picture.
    pub media: Media,
    /// Size in bytes.
    pub bytes: u64,
    /// Time of the last upload.
    pub uploaded_at: Timestamp,
}

/// Picture types that browsers show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
    /// AVIF.
    Avif,
    /// GIF, possibly animated.
    Gif,
}

/// Stores a picture. The same content has the same name, so sending it twice is safe.
///
/// # Errors
/// 415 for anything other than a picture that browsers show; 422 `invalid_image` for one that can't
/// be read or has too many pixels.
pub async fn upload_media(files: &impl MediaFiles, content: Vec<u8>) -> Result<Media> {
    let media = Media::read(&content)?;
    files.put(&media, content).await?;
    Ok(media)
}

/// Deletes a picture that no product in the record uses. Until the next publish, pages may still
/// show a description that refers to it.
///
/// # Errors
/// 404; 409 `media_in_use` with the products.
pub async fn delete_media(
    files: &impl MediaFiles,
    record: &impl CatalogRecord,
    name: &str,
) -> Result<()> {
    let media = Media::of_name(name).ok_or(Error::NotFound("media"))?;
    let products = record.products_naming(&media.name, MOST_TOLD).await?;
    if !products.is_empty() {
        return Err(Error::conflict(
            Code::MediaInUse,
            "This picture is used by products. Remove it from them first.",
            json!({"products": products}),
        ));
    }
    if files.delete(&media.name).await? {
        return Ok(());
    }
    Err(Error::NotFound("media"))
}

impl Media {
    /// Identifies the picture in these bytes.
    ///
    /// # Errors
    /// Same as [`upload_media`].
    pub fn read(content: &[u8]) -> Result<Self> {
        let kind = Kind::of(content).ok_or(Error::UnsupportedMediaType(
            "image/jpeg, image/png, image/webp, image/avif or image/gif",
        ))?;
        let (width, height) = kind
            .size(content)
            .filter(|(width, height)| {
                [width, height]
                    .iter()
                    .all(|side| (1..=MAX_SIDE).contains(*side))
            })
            .ok_or_else(|| {
                let detail =
                    format!("Must be a complete picture of at most {MAX_SIDE} pixels a side.");
                Error::invalid("body", Code::InvalidImage, detail)
            })?;
        let name = format!(
            "{}-{width}x{height}.{}",
            digest_of(content),
            kind.extension()
        );
        Ok(Self {
            name,
            kind,
            width,
            height,
        })
    }

    /// Parses a picture's name. `None` means that it is not such a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let (stem, extension) = name.rsplit_once('.')?;
        let (digest, size) = stem.rsplit_once('-')?;
        let (width, height) = size.split_once('x')?;
        let is_digest = digest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_digest && !digest.is_empty()).then_some(())?;
        Some(Self {
            name: name.to_owned(),
            kind: Kind::ALL
                .into_iter()
                .find(|kind| kind.extension() == extension)?,
            width: width.parse().ok()?,
            height: height.parse().ok()?,
        })
    }

    /// Returns the uploaded picture at a path of the shop. `None` means that it was not uploaded.
    #[must_use]
    pub fn at(address: &str) -> Option<Self> {
        Self::of_name(address.strip_prefix(FOLDER)?)
    }

    /// Path under which it is served.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{FOLDER}{}", self.name)
    }

    /// Path under which it is served in one of its [`Self::widths`].
    #[must_use]
    pub fn path_at(&self, width: u32) -> String {
        format!("{FOLDER}{width}/{}", self.name)
    }

    /// Widths in which it is served: the listed ones that are smaller than its own. Animations are
    /// served unchanged.
    pub fn widths(&self) -> impl Iterator<Item = u32> {
        let own = if self.kind == Kind::Gif {
            0
        } else {
            self.width
        };
        WIDTHS.into_iter().filter(move |width| *width < own)
    }
}

impl Kind {
    const ALL: [Self; 5] = [Self::Jpeg, Self::Png, Self::WebP, Self::Avif, Self::Gif];

    /// Returns the type indicated by the first bytes.
    fn of(content: &[u8]) -> Option<Self> {
        let begins = |at: usize, magic: &[u8]| {
            content
                .get(at..)
                .is_some_and(|rest| rest.starts_with(magic))
        };
        match () {
            () if begins(0, &[0xff, 0xd8, 0xff]) => Some(Self::Jpeg),
            () if begins(0, b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            () if begins(0, b"RIFF") && begins(8, b"WEBP") => Some(Self::WebP),
            () if begins(4, b"ftypavif") || begins(4, b"ftypavis") => Some(Self::Avif),
            () if begins(0, b"GIF87a") || begins(0, b"GIF89a") => Some(Self::Gif),
            () => None,
        }
    }

    /// Media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Avif => "image/avif",
            Self::Gif => "image/gif",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Avif => "avif",
            Self::Gif => "gif",
        }
    }

    /// Width and height from the header.
    fn size(self, content: &[u8]) -> Option<(u32, u32)> {
        match self {
            Self::Jpeg => jpeg_size(content),
            Self::Png => Some((big_endian(content, 16, 4)?, big_endian(content, 20, 4)?)),
            Self::WebP => webp_size(content),
            Self::Avif => avif_size(content),
            Self::Gif => Some((little_endian(content, 6, 2)?, little_endian(content, 8, 2)?)),
        }
    }
}

/// Reads the size from the frame header (SOF), which follows other segments that each state their
/// length (ITU-T T.81, B.2).
fn jpeg_size(content: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2_usize;
    loop {
        let marker = big_endian(content, at, 2)?;
        let is_frame =
            matches!(marker, 0xffc0..=0xffcf) && !matches!(marker, 0xffc4 | 0xffc8 | 0xffcc);
        if is_frame {
            let side = |offset: usize| big_endian(content, at.saturating_add(offset), 2);
            return Some((side(7)?, side(5)?));
        }
        if marker < 0xff00 {
            return None;
        }
        let length = big_endian(content, at.saturating_add(2), 2)?;
        let padding = marker == 0xffff;
        at = at.saturating_add(if padding {
            1
        } else {
            usize::try_from(length).ok()?.saturating_add(2)
        });
    }
}

/// Reads the size; lossy, lossless and extended files have different headers (RFC 9649).
fn webp_size(content: &[u8]) -> Option<(u32, u32)> {
    match content.get(12..16)? {
        b"VP8 " => Some((
            little_endian(content, 26, 2)? & 0x3fff,
            little_endian(content, 28, 2)? & 0x3fff,
        )),
        b"VP8L" => {
            let bits = little_endian(content, 21, 4)?;
            Some((
                (bits & 0x3fff).saturating_add(1),
                ((bits >> 14) & 0x3fff).saturating_add(1),
            ))
        }
        b"VP8X" => Some((
            little_endian(content, 24, 3)?.saturating_add(1),
            little_endian(content, 27, 3)?.saturating_add(1),
        )),
        _ => None,
    }
}

/// Returns the largest of the spatial extents (`ispe`) in the header; those of tiles and previews
/// are smaller.
fn avif_size(content: &[u8]) -> Option<(u32, u32)> {
    const HEADER_BYTES: usize = 16 * 1024;
    let header = content.get(..content.len().min(HEADER_BYTES))?;
    let extents = header
        .windows(4)
        .enumerate()
        .filter(|(_, bytes)| bytes == b"ispe");
    extents
        .filter_map(|(at, _)| {
            Some((
                big_endian(content, at.saturating_add(8), 4)?,
                big_endian(content, at.saturating_add(12), 4)?,
            ))
        })
        .max()
}

fn big_endian(content: &[u8], at: usize, length: usize) -> Option<u32> {
    let bytes = content.get(at..at.saturating_add(length))?;
    Some(
        bytes
            .iter()
            .fold(0, |number, byte| (number << 8) | u32::from(*byte)),
    )
}

fn little_endian(content: &[u8], at: usize, length: usize) -> Option<u32> {
    let bytes = content.get(at..at.saturating_add(length))?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| (number << 8) | u32::from(*byte)),
    )
}

/// Store of pictures uploaded by staff, by name.
pub trait MediaFiles {
    /// Stores a picture; storing it twice is safe.
    async fn put(&self, media: &Media, content: Vec<u8>) -> Result<()>;
    /// Deletes a picture. Returns false if there is none.
    async fn delete(&self, name: &str) -> Result<bool>;
    /// Returns up to `limit` pictures after the name `after`, sorted by name, and the name to
    /// continue after if there are more.
    async fn list(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<StoredMedia>, Option<String>)>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x06\x40\0\0\x04\xb0";

    #[test]
    fn a_name_tells_what_it_names() {
        let media = Media::read(PNG).unwrap();
        assert_eq!(
            (media.kind, media.width, media.height),
            (Kind::Png, 1600, 1200)
        );
        assert_eq!(Media::of_name(&media.name), Some(media.clone()));
        assert_eq!(Media::at(&media.path()), Some(media.clone()));
        assert_eq!(
            media.widths().collect::<Vec<_>>(),
            [160, 320, 640, 960, 1280]
        );
        for other in [
            "launch.svg",
            "a/b-1x1.png",
            "-1x1.png",
            "x-1x.png",
            "x-1x1.svg",
            "../x-1x1.png",
        ] {
            assert_eq!(Media::of_name(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for content in [
            &b""[..],
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"GIF",
            b"<!doctype html>",
            b"%PDF-1.7",
        ] {
            assert_eq!(Media::read(content).unwrap_err().status(), 415);
        }
        for content in [
            &PNG[..20],
            b"\xff\xd8\xff\xd9",
            b"GIF89a\0\0\0\0",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\xff\0\0\0\0\0\x01",
        ] {
            assert_eq!(Media::read(content).unwrap_err().status(), 422);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(start in 0_usize..7, rest in proptest::collection::vec(any::<u8>(), 0..300)) {
            let starts: [&[u8]; 7] = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8L", b"RIFF\0\0\0\0WEBPVP8X", b"\0\0\0\0ftypavif", b"RIFF\0\0\0\0WEBPVP8 "];
            let _ = Media::read(&[starts[start], &rest].concat());
        }
    }
}
