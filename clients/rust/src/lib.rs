#![doc = include_str!("../README.md")]
#![deny(missing_docs, unsafe_code)]

mod chat;
mod connection;
mod conversation;
mod declare;
mod error;
mod errors;
mod event;
mod lines;
mod locate;
pub mod methods;
mod options;
mod platform;
mod process;
mod progress;
pub mod protocol;
mod pump;
mod raw;
mod restart;
mod routes;
mod sidecar;
mod stream;
mod wire;

pub use conversation::Conversation;
pub use error::{Error, ErrorRow};
pub use errors::ERRORS;
pub use options::{Options, CANCEL_GRACE, MAX_LINE_BYTES, MAX_UNREAD_EVENTS, START_TIMEOUT, STOP_GRACE};
pub use protocol::StreamEvent;
pub use raw::{Object, RawJson, Secret};
pub use sidecar::Sidecar;
pub use stream::{Canceller, ChatStream, Texts};

#[doc(hidden)]
pub use serde_json;
