//! What a stream consists of.

/// Declares the events of a stream: every delta, and the statuses among them.
macro_rules! events {
    ($($variant:ident($arm:ty),)+) => {
        /// A piece of a streamed answer, or what the stream is waiting for.
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(untagged)]
        #[non_exhaustive]
        pub enum StreamEvent {
            $($variant($arm),)+
            /// What the stream is waiting for; the latest counts.
            #[serde(serialize_with = "crate::event::tagged_status")]
            Status(StreamStatus),
            /// A delta that this version does not know, as it came.
            Unrecognized($crate::RawJson),
        }

        impl From<Delta> for StreamEvent {
            fn from(delta: Delta) -> Self {
                match delta {
                    $(Delta::$variant(arm) => Self::$variant(arm),)+
                    Delta::Unrecognized(raw) => Self::Unrecognized(raw),
                }
            }
        }
    };
}

pub(crate) use events;
use serde::{Serialize, Serializer};

use crate::protocol::StreamStatus;

/// Encodes a status with the `type` that tells it from deltas.
pub(crate) fn tagged_status<S: Serializer>(status: &StreamStatus, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(tag = "type", rename = "status")]
    struct Tagged<'a> {
        #[serde(flatten)]
        status: &'a StreamStatus,
    }
    Tagged { status }.serialize(serializer)
}
