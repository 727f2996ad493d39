//! What can go wrong: the sidecar's errors, and the client's own in the same shape.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::protocol::{Category, ErrorData, ErrorObject, ErrorType};
use crate::raw::RawJson;

/// A row of the table of errors.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ErrorRow {
    /// The type, which is what programs switch on.
    pub kind: &'static str,
    /// The code of JSON-RPC.
    pub code: i64,
    /// What kind of thing goes wrong.
    pub category: &'static str,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// What it means.
    pub meaning: &'static str,
}

/// The error of a call: the sidecar's, or one of the client's own.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    object: ErrorObject,
    raw_data: Option<RawJson>,
}

impl Error {
    /// What went wrong; switch on this.
    pub fn kind(&self) -> &ErrorType {
        &self.data().kind
    }

    /// What kind of thing went wrong.
    pub fn category(&self) -> &Category {
        &self.data().category
    }

    /// Whether the same request may succeed later.
    pub fn retryable(&self) -> bool {
        self.data().retryable
    }

    /// How long to wait before the next try, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        let milliseconds = self.data().retry_after_ms?;
        u64::try_from(milliseconds).ok().map(Duration::from_millis)
    }

    /// One sentence for people.
    pub fn message(&self) -> &str {
        &self.0.object.message
    }

    /// The code of JSON-RPC.
    pub fn code(&self) -> i64 {
        self.0.object.code
    }

    /// All that a program needs.
    pub fn data(&self) -> &ErrorData {
        &self.0.object.data
    }

    /// `data` as it came, with the members that this version does not know.
    pub fn raw_data(&self) -> Option<&RawJson> {
        self.0.raw_data.as_ref()
    }

    /// The error of an error reply.
    pub(crate) fn from_reply(error: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct WithData {
            data: Box<RawValue>,
        }
        match serde_json::from_str::<ErrorObject>(error.get()) {
            Ok(object) => {
                let raw_data = serde_json::from_str(error.get()).ok().map(|error: WithData| error.data.into());
                Self(Box::new(Inner { object, raw_data }))
            }
            Err(cause) => Self::invalid_message(format_args!("The error of a reply cannot be read: {cause}.")),
        }
    }

    pub(crate) fn connection_closed(why: impl fmt::Display) -> Self {
        Self::own(ErrorType::ConnectionClosed, Category::Protocol, true, why)
    }

    pub(crate) fn sidecar_not_found(why: impl fmt::Display) -> Self {
        Self::own(ErrorType::SidecarNotFound, Category::Config, false, why)
    }

    pub(crate) fn invalid_message(why: impl fmt::Display) -> Self {
        Self::own(ErrorType::InvalidMessage, Category::Protocol, false, why)
    }

    pub(crate) fn request_cancelled() -> Self {
        let why = "The request was cancelled, and the sidecar did not reply in time.";
        Self::own(ErrorType::RequestCancelled, Category::Protocol, false, why)
    }

    pub(crate) fn client_stalled(unread: usize) -> Self {
        let why = format_args!("More than {unread} events of the stream were left unread.");
        Self::own(ErrorType::ClientStalled, Category::Protocol, true, why)
    }

    pub(crate) fn unsupported_protocol_version(version: i64) -> Self {
        let why = format_args!("The sidecar speaks version {version} of the protocol.");
        Self::own(ErrorType::UnsupportedProtocolVersion, Category::Protocol, false, why)
    }

    fn own(kind: ErrorType, category: Category, retryable: bool, why: impl fmt::Display) -> Self {
        let code = crate::errors::ERRORS.iter().find(|row| row.kind == kind.as_str()).map_or(0, |row| row.code);
        let data = ErrorData::new(kind, category, retryable);
        Self(Box::new(Inner { object: ErrorObject { code, message: why.to_string(), data }, raw_data: None }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.message(), self.kind())
    }
}

impl std::error::Error for Error {}

impl Serialize for Error {
    /// Encodes it as the `error` of a reply.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct WithData<'a> {
            code: i64,
            message: &'a str,
            data: &'a RawJson,
        }
        match self.raw_data() {
            Some(data) => WithData { code: self.code(), message: self.message(), data }.serialize(serializer),
            None => self.0.object.serialize(serializer),
        }
    }
}
