//! Chats: the method that streams, and what makes messages short to write and to read.

use crate::methods::Chat;
use crate::protocol::{ChatResult, Message, MessageContent, Part, Role, StreamRequest};
use crate::stream::ChatStream;

impl Chat<'_> {
    /// Answers one question as a stream, which begins at once. Its id is the request's, or else chosen by the client.
    pub fn stream(self, mut request: StreamRequest) -> ChatStream {
        let id = request.stream_id.get_or_insert_with(|| self.sidecar.stream_id()).clone();
        self.sidecar.open(id, &request, None)
    }
}

impl Message {
    /// What the app says to the model.
    pub fn system(content: impl Into<MessageContent>) -> Self {
        Self::new(Role::System, content)
    }

    /// What the user says.
    pub fn user(content: impl Into<MessageContent>) -> Self {
        Self::new(Role::User, content)
    }

    /// What the model said.
    pub fn assistant(content: impl Into<MessageContent>) -> Self {
        Self::new(Role::Assistant, content)
    }

    /// The texts of its parts, joined.
    pub fn text(&self) -> String {
        match &self.content {
            MessageContent::Text(text) => text.clone(),
            MessageContent::Parts(parts) => parts.iter().filter_map(Part::as_text).collect(),
        }
    }
}

impl Part {
    /// Its text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.text),
            _ => None,
        }
    }
}

impl ChatResult {
    /// The text of its message; empty where there is none.
    pub fn text(&self) -> String {
        self.message.iter().flatten().map(Message::text).collect()
    }
}

impl From<&str> for StreamRequest {
    fn from(question: &str) -> Self {
        Self::new([Message::user(question)])
    }
}
