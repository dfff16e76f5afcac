//! Error type of the shop, and its mapping to an HTTP status, a stable code and a message for
//! people.
//!
//! The API returns it as `application/problem+json` (RFC 9457), pages as an error page. A `detail`
//! never contains an email address, a token or a body.

use crate::codes::Code;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;

/// Result of every use case and face.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Reason why a request was not carried out.
#[derive(Debug)]
pub enum Error {
    /// 400: the request can't be parsed.
    Malformed {
        /// Stable code.
        code: Code,
        /// Place and kind of the error.
        detail: String,
    },
    /// 401: credentials are missing or invalid.
    Unauthorized {
        /// Stable code.
        code: Code,
    },
    /// 403: the credentials do not permit this, or the request came from another site.
    Forbidden {
        /// Stable code.
        code: Code,
    },
    /// 404: does not exist, or may not be seen with these credentials.
    NotFound(&'static str),
    /// 405: lists the permitted methods.
    MethodNotAllowed(String),
    /// 409: the current state does not permit it.
    Conflict {
        /// Stable code.
        code: Code,
        /// Description of the conflict.
        detail: String,
        /// Data of the conflict, merged into the problem document.
        data: Value,
    },
    /// 410: existed, but is no longer available; carries a stable code.
    Gone(Code),
    /// 412: `If-Match` names a version that is not current.
    PreconditionFailed {
        /// Current version.
        version: u64,
    },
    /// 413: the body exceeds this route's limit in bytes.
    TooLarge(usize),
    /// 415: the route accepts only this content type.
    UnsupportedMediaType(&'static str),
    /// 422: the request can be parsed, but these fields are not acceptable.
    Invalid(Vec<FieldError>),
    /// 429: too many requests.
    TooMany {
        /// Stable code.
        code: Code,
        /// Seconds until a retry makes sense.
        retry_after_secs: u32,
    },
    /// 503: a part of the shop does not respond.
    Unavailable {
        /// Stable code.
        code: Code,
        /// Seconds until a retry makes sense.
        retry_after_secs: u32,
    },
    /// 500: a defect, or a failure of a store; the message goes to the log only.
    Internal(String),
}

/// Error in one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Path of the field, such as `shipping_address.postal_code`.
    pub field: String,
    /// Stable code.
    pub code: Code,
    /// Description of what would be accepted.
    pub detail: String,
}

/// Body of a problem (RFC 9457), with additional members of `api/v1`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "testing", derive(utoipa::ToSchema))]
pub struct Problem {
    /// URI reference that identifies the kind of problem.
    pub r#type: String,
    /// Short summary of the kind of problem.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Explanation of this occurrence.
    pub detail: String,
    /// Stable code for clients.
    pub code: Code,
    /// Request id, also found in the log.
    pub request_id: String,
    /// Errors by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Data of a conflict.
    #[serde(flatten)]
    pub data: Map<String, Value>,
}

impl Error {
    /// Returns a 422 for one field.
    pub fn invalid(field: impl Into<String>, code: Code, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, code, detail)])
    }

    /// Returns a 400 with a stable code.
    pub fn malformed(code: Code, detail: impl Into<String>) -> Self {
        Self::Malformed {
            code,
            detail: detail.into(),
        }
    }

    /// Returns a 409 with the data of the conflict.
    pub fn conflict(code: Code, detail: impl Into<String>, data: Value) -> Self {
        Self::Conflict {
            code,
            detail: detail.into(),
            data,
        }
    }

    /// Returns a 500; `message` goes to the log.
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::Internal(message.to_string())
    }

    /// HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed { .. } => 400,
            Self::Unauthorized { .. } => 401,
            Self::Forbidden { .. } => 403,
            Self::NotFound(_) => 404,
            Self::MethodNotAllowed(_) => 405,
            Self::Conflict { .. } => 409,
            Self::Gone(_) => 410,
            Self::PreconditionFailed { .. } => 412,
            Self::TooLarge(_) => 413,
            Self::UnsupportedMediaType(_) => 415,
            Self::Invalid(_) => 422,
            Self::TooMany { .. } => 429,
            Self::Internal(_) => 500,
            Self::Unavailable { .. } => 503,
        }
    }

    /// Stable code for clients.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Malformed { code, .. }
            | Self::Unauthorized { code }
            | Self::Forbidden { code }
            | Self::Conflict { code, .. }
            | Self::TooMany { code, .. }
            | Self::Unavailable { code, .. }
            | Self::Gone(code) => *code,
            Self::NotFound(_) => Code::NotFound,
            Self::MethodNotAllowed(_) => Code::MethodNotAllowed,
            Self::PreconditionFailed { .. } => Code::StaleVersion,
            Self::TooLarge(_) => Code::BodyTooLarge,
            Self::UnsupportedMediaType(_) => Code::UnsupportedMediaType,
            Self::Invalid(errors) => match errors.as_slice() {
                [first, ..] => first.code,
                [] => Code::Invalid,
            },
            Self::Internal(_) => Code::InternalError,
        }
    }

    /// Short summary of the kind of problem.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "Malformed request",
            Self::Unauthorized { .. } => "Authentication required",
            Self::Forbidden { .. } => "Not allowed",
            Self::NotFound(_) => "Not found",
            Self::MethodNotAllowed(_) => "Method not allowed",
            Self::Conflict { .. } => "Not possible in the current state",
            Self::Gone(_) => "No longer available",
            Self::PreconditionFailed { .. } => "Changed in the meantime",
            Self::TooLarge(_) => "Request too large",
            Self::UnsupportedMediaType(_) => "Unsupported content type",
            Self::Invalid(_) => "Invalid request",
            Self::TooMany { .. } => "Too many requests",
            Self::Internal(_) => "Something went wrong on our side",
            Self::Unavailable { .. } => "Temporarily unavailable",
        }
    }

    /// Explanation of this occurrence, safe to show to anyone.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Malformed { detail, .. } | Self::Conflict { detail, .. } => detail.clone(),
            Self::Unauthorized { .. } => {
                "Credentials are missing or invalid.".to_owned()
            }
            Self::Forbidden {
                code: Code::CrossSite,
            } => "The request came from another site, so nothing was changed.".to_owned(),
            Self::Forbidden { .. } => "These credentials don't permit this operation.".to_owned(),
            Self::NotFound(what) => format!("There is no such {what}."),
            Self::Gone(_) => "This is no longer available. Start again from the beginning.".to_owned(),
            Self::MethodNotAllowed(allow) => format!("Allowed methods: {allow}."),
            Self::PreconditionFailed { version } => {
                format!("The current version is {version}. Fetch it and repeat the change.")
            }
            Self::TooLarge(max) => format!("The body must be at most {max} bytes long."),
            Self::UnsupportedMediaType(wanted) => format!("Send the body as {wanted}."),
            Self::Invalid(errors) => errors
                .iter()
                .map(|error| format!("{}: {}", error.field, error.detail))
                .collect::<Vec<_>>()
                .join(" "),
            Self::Internal(_) => "The error has been logged with the ID of this request.".to_owned(),
            Self::TooMany {
                code: Code::TooManyPendingOrders,
                ..
            } => {
                "Too many orders from this network or for this email address are awaiting payment. Pay for or cancel one of them first."
                    .to_owned()
            }
            Self::TooMany {
                code: Code::TooManyUnprovedOrders,
                retry_after_secs,
            } => format!(
                "Too many orders from this network came without a challenge token. Send one, or try again in {retry_after_secs} seconds."
            ),
            Self::TooMany {
                code: Code::TooManyFailedCodes,
                ..
            } => "Too many promotion codes were rejected. Leave them out, or try again later."
                .to_owned(),
            Self::TooMany {
                retry_after_secs, ..
            }
            | Self::Unavailable {
                retry_after_secs, ..
            } => format!("Try again in {retry_after_secs} seconds."),
        }
    }

    /// Seconds for `Retry-After`. `None` means that waiting does not help.
    #[must_use]
    pub fn retry_after_secs(&self) -> Option<u32> {
        match self {
            Self::TooMany {
                retry_after_secs, ..
            }
            | Self::Unavailable {
                retry_after_secs, ..
            } => Some(*retry_after_secs),
            Self::Conflict { data, .. } => data
                .get("retry_after_secs")
                .and_then(Value::as_u64)
                .and_then(|secs| u32::try_from(secs).ok()),
            _ => None,
        }
    }

    /// Returns the same conflict with another `retry_after_secs`, if it has one.
    #[must_use]
    pub fn retried_in(mut self, secs: u32) -> Self {
        if let Self::Conflict { data, .. } = &mut self
            && let Some(retry_after_secs) = data.get_mut("retry_after_secs")
        {
            *retry_after_secs = secs.into();
        }
        self
    }

    /// Returns the problem document of this error.
    #[must_use]
    pub fn problem(&self, request_id: &str) -> Problem {
        let (errors, data) = match self {
            Self::Invalid(errors) => (errors.clone(), Map::new()),
            Self::Conflict {
                data: Value::Object(data),
                ..
            } => (vec![], data.clone()),
            Self::PreconditionFailed { version } => (
                vec![],
                Map::from_iter([("version".to_owned(), Value::from(*version))]),
            ),
            _ => (vec![], Map::new()),
        };
        Problem {
            r#type: format!("urn:problem:{}", self.code()),
            title: self.title(),
            status: self.status(),
            detail: self.detail(),
            code: self.code(),
            request_id: request_id.to_owned(),
            errors,
            data,
        }
    }
}

impl FieldError {
    /// Builds an error in `field`.
    pub fn new(field: impl Into<String>, code: Code, detail: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            code,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal(message) => write!(f, "internal_error: {message}"),
            other => write!(f, "{}: {}", other.code(), other.detail()),
        }
    }
}

impl std::error::Error for Error {}

/// Returns a 422 for a key that was used for a different request.
pub fn key_reused() -> Error {
    Error::invalid(
        "Idempotency-Key",
        Code::IdempotencyKeyReused,
        "This key was already used for a different request. Use a new key.",
    )
}
