//! What the page is told of a stream.

use llm_sidecar_client::protocol::{ChatResult, Message, StreamEvent};
use serde::Serialize;
use serde_json::value::to_raw_value;

use crate::error::Error;
use crate::holdback::{Payload, Topic};

/// The event for a piece of a stream.
pub(crate) fn piece(event: &StreamEvent) -> (Topic, Payload) {
    #[derive(Serialize)]
    struct Chunk<'a> {
        delta: &'a str,
    }
    match event {
        StreamEvent::Text(text) => (Topic::Chunk, encoded(&Chunk { delta: &text.text })),
        StreamEvent::Status(status) => (Topic::Status, encoded(status)),
        other => (Topic::Event, encoded(other)),
    }
}

/// The event for the end of a stream.
pub(crate) fn end(result: Result<ChatResult, llm_sidecar_client::Error>) -> (Topic, Payload) {
    #[derive(Serialize)]
    struct End<T> {
        content: String,
        #[serde(flatten)]
        rest: T,
    }
    match result {
        Ok(result) => (Topic::Complete, encoded(&End { content: result.text(), rest: result })),
        Err(error) => {
            let content = error.data().partial.as_ref().map(Message::text).unwrap_or_default();
            (Topic::Error, encoded(&End { content, rest: Error::from(error) }))
        }
    }
}

fn encoded<T: Serialize>(value: &T) -> Payload {
    to_raw_value(value).expect("what came as JSON can be JSON again")
}
