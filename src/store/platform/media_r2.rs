//! Media in R2, stored by name. A smaller version is made by Cloudflare Images, if the account has
//! it, on the first request, and then stored: each width of a picture is made once, however often
//! it is requested. Without Cloudflare Images, the original is served.

use durable::Timestamp;
use shop::error::{Error, Result};
use shop::publishing::media::{Kind, Media, MediaFiles, StoredMedia};
use worker::js_sys::{Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{ReadableStream, Response};
use worker::{Bucket, EnvBinding, HttpMetadata, Object, ResponseBody, js_sys};

/// [`MediaFiles`] on R2.
#[derive(Debug)]
pub struct MediaR2 {
    /// Bucket of the files.
    pub bucket: Bucket,
    /// Makes smaller versions.
    pub images: Images,
}

/// A file being sent to a browser.
#[derive(Debug)]
pub struct OpenFile {
    /// Media type.
    pub content_type: &'static str,
    /// Content.
    pub body: ReadableStream,
    /// False when it is the original, because a smaller version could not be made.
    pub is_as_asked: bool,
}

impl MediaFiles for MediaR2 {
    async fn put(&self, media: &Media, content: Vec<u8>) -> Result<()> {
        let metadata = HttpMetadata {
            content_type: Some(media.kind.content_type().to_owned()),
            ..HttpMetadata::default()
        };
        let put = self
            .bucket
            .put(&media.name, content)
            .http_metadata(metadata);
        put.execute().await.map(|_| ()).map_err(Error::internal)
    }

    async fn delete(&self, name: &str) -> Result<bool> {
        if self
            .bucket
            .head(name)
            .await
            .map_err(Error::internal)?
            .is_none()
        {
            return Ok(false);
        }
        let widths = Media::of_name(name).map_or_else(Vec::new, |it| it.widths().collect());
        let scaled = widths.into_iter().map(|width| scaled_key(name, width));
        let keys: Vec<String> = std::iter::once(name.to_owned()).chain(scaled).collect();
        let gone = self.bucket.delete_multiple(keys).await;
        gone.map(|()| true).map_err(Error::internal)
    }

    async fn list(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<StoredMedia>, Option<String>)> {
        let mut asked = self.bucket.list();
        asked = asked.limit(u32::try_from(limit).unwrap_or(u32::MAX));
        asked = asked.delimiter(FOLDER_END);
        if let Some(after) = after {
            asked = asked.start_after(after);
        }
        let found = asked.execute().await.map_err(Error::internal)?;
        let objects = found.objects();
        let next = objects.last().map(Object::key);
        let stored = objects.iter().filter_map(stored_media).collect();
        Ok((stored, next.filter(|_| found.truncated())))
    }
}

/// Returns the properties of an object; `None` means it was not uploaded as a picture.
fn stored_media(object: &Object) -> Option<StoredMedia> {
    let uploaded_at = i64::try_from(object.uploaded().as_millis()).ok()?;
    Some(StoredMedia {
        media: Media::of_name(&object.key())?,
        bytes: object.size(),
        uploaded_at: Timestamp::from_millis(uploaded_at),
    })
}

impl MediaR2 {
    /// Opens a picture as it was uploaded.
    ///
    /// # Errors
    /// Fails if R2 fails.
    pub async fn open(&self, media: &Media) -> Result<Option<OpenFile>> {
        let body = self.body(&media.name).await?;
        Ok(body.map(|body| OpenFile {
            content_type: media.kind.content_type(),
            body,
            is_as_asked: true,
        }))
    }

    /// Opens a picture in the given width, as WebP; the original if that can't be made.
    ///
    /// # Errors
    /// Fails if R2 fails.
    pub async fn open_at(&self, media: &Media, width: u32) -> Result<Option<OpenFile>> {
        let key = scaled_key(&media.name, width);
        if let Some(body) = self.body(&key).await? {
            return Ok(Some(scaled_file(body)));
        }
        let Some(original) = self.body(&media.name).await? else {
            return Ok(None);
        };
        if let Ok(scaled) = self.images.scaled(&original, width).await {
            let kept = self.keep_scaled(media, &key, scaled).await;
            if let (Ok(()), Some(body)) = (kept, self.body(&key).await?) {
                return Ok(Some(scaled_file(body)));
            }
        }
        let file = self.open(media).await?;
        Ok(file.map(|file| OpenFile {
            is_as_asked: false,
            ..file
        }))
    }

    /// Stores a smaller version. Two concurrent requests store the same content. If the picture was
    /// removed in the meantime, the smaller version is removed as well.
    async fn keep_scaled(&self, media: &Media, key: &str, content: Vec<u8>) -> Result<()> {
        let metadata = HttpMetadata {
            content_type: Some(Kind::WebP.content_type().to_owned()),
            ..HttpMetadata::default()
        };
        let put = self.bucket.put(key, content).http_metadata(metadata);
        put.execute().await.map_err(Error::internal)?;
        let original = self.bucket.head(&media.name).await;
        if original.map_err(Error::internal)?.is_none() {
            self.bucket.delete(key).await.map_err(Error::internal)?;
        }
        Ok(())
    }

    async fn body(&self, key: &str) -> Result<Option<ReadableStream>> {
        let object = self.bucket.get(key).execute().await;
        let Some(object) = object.map_err(Error::internal)? else {
            return Ok(None);
        };
        match object.body().map(|body| body.response_body()).transpose() {
            Ok(Some(ResponseBody::Stream(stream))) => Ok(Some(stream)),
            Ok(_) => Ok(None),
            Err(error) => Err(Error::internal(error)),
        }
    }
}

/// Suffix of folder names: a list names a folder once, whatever it contains.
const FOLDER_END: &str = "/";

/// Returns the key of a picture in a certain width, in a folder that is listed after every picture.
fn scaled_key(name: &str, width: u32) -> String {
    format!("~scaled/{name}/{width}.webp")
}

fn scaled_file(body: ReadableStream) -> OpenFile {
    OpenFile {
        content_type: Kind::WebP.content_type(),
        body,
        is_as_asked: true,
    }
}

#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen)]
extern "C" {
    /// The binding of Cloudflare Images.
    #[derive(Clone, Debug)]
    pub type Images;
    type Transformer;
    type Transformed;

    #[wasm_bindgen(method, catch)]
    fn input(this: &Images, stream: &ReadableStream) -> std::result::Result<Transformer, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn transform(
        this: &Transformer,
        options: &js_sys::Object,
    ) -> std::result::Result<Transformer, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn output(
        this: &Transformer,
        options: &js_sys::Object,
    ) -> std::result::Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn response(this: &Transformed) -> std::result::Result<Response, JsValue>;
}

impl EnvBinding for Images {
    const TYPE_NAME: &'static str = "Images";

    /// Skips the check of the class name, which depends on the platform.
    fn get(binding: JsValue) -> worker::Result<Self> {
        Ok(binding.into())
    }
}

impl Images {
    async fn scaled(
        &self,
        original: &ReadableStream,
        width: u32,
    ) -> std::result::Result<Vec<u8>, JsValue> {
        let transform = options(&[
            ("width", JsValue::from(width)),
            ("fit", JsValue::from("scale-down")),
        ])?;
        let output = options(&[
            ("format", JsValue::from("image/webp")),
            ("quality", JsValue::from(82)),
        ])?;
        let made = self
            .input(original)?
            .transform(&transform)?
            .output(&output)?;
        let made: Transformed = JsFuture::from(made).await?.into();
        let content = JsFuture::from(made.response()?.array_buffer()?).await?;
        Ok(Uint8Array::new(&content).to_vec())
    }
}

fn options(pairs: &[(&str, JsValue)]) -> std::result::Result<js_sys::Object, JsValue> {
    let object = js_sys::Object::new();
    for (name, value) in pairs {
        Reflect::set(&object, &JsValue::from(*name), value)?;
    }
    Ok(object)
}
