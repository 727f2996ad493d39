//! A conversation, which keeps its messages.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::protocol::{Message, MessageContent, Part, Role, StreamRequest, ToolResult};
use crate::raw::{Object, RawJson};
use crate::sidecar::Sidecar;
use crate::stream::ChatStream;
use crate::wire;

/// A chat that goes on: each question is asked with all messages before it.
///
/// The messages are kept as they came, with what this version does not know of.
pub struct Conversation {
    sidecar: Sidecar,
    template: StreamRequest,
    messages: Arc<Mutex<Vec<RawJson>>>,
}

/// A request whose messages are as they came.
#[derive(Serialize)]
struct Request<'a> {
    messages: &'a [RawJson],
    #[serde(flatten)]
    options: Object,
}

impl Conversation {
    /// Begins a conversation with the messages of a request; its options hold for every question.
    pub fn new(sidecar: &Sidecar, request: StreamRequest) -> Self {
        let messages = request.messages.iter().map(raw).collect();
        Self::resume(sidecar, request, messages)
    }

    /// Goes on with messages that [`Conversation::messages`] gave, in place of those of the request.
    pub fn resume(sidecar: &Sidecar, request: StreamRequest, messages: Vec<RawJson>) -> Self {
        Self { sidecar: sidecar.clone(), template: request, messages: Arc::new(Mutex::new(messages)) }
    }

    /// The options that hold for the next question.
    pub fn options(&mut self) -> &mut StreamRequest {
        &mut self.template
    }

    /// The messages, as they are sent.
    pub fn messages(&self) -> Vec<RawJson> {
        lock(&self.messages).clone()
    }

    /// Asks as the user. Question and answer are kept when the answer ends with a message, also a cancelled one's.
    pub fn send(&self, content: impl Into<MessageContent>) -> ChatStream {
        self.ask(Message::user(content))
    }

    /// Asks on with the results of tool calls.
    pub fn answer(&self, results: impl IntoIterator<Item = ToolResult>) -> ChatStream {
        let parts: Vec<Part> = results.into_iter().map(Into::into).collect();
        self.ask(Message::new(Role::Tool, parts))
    }

    fn ask(&self, question: Message) -> ChatStream {
        let question = raw(&question);
        let mut asked = self.messages();
        asked.push(question.clone());
        let id = self.sidecar.stream_id();
        let request = Request { messages: &asked, options: self.template_options(&id) };
        let kept = self.messages.clone();
        let keep = move |result: &RawValue| {
            if let Some(answer) = message(result) {
                lock(&kept).extend([question, answer]);
            }
        };
        self.sidecar.open(id.clone(), &request, Some(Box::new(keep)))
    }

    fn template_options(&self, id: &str) -> Object {
        let template = StreamRequest { messages: Vec::new(), stream_id: Some(id.to_owned()), ..self.template.clone() };
        let encoded = wire::encode(&template);
        let mut options: Object = serde_json::from_str(encoded.get()).expect("a request is an object");
        options.remove("messages");
        options
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Conversation").field("messages", &lock(&self.messages).len()).finish_non_exhaustive()
    }
}

fn raw(message: &Message) -> RawJson {
    wire::encode(message).into()
}

/// The message of a result, as it came.
fn message(result: &RawValue) -> Option<RawJson> {
    #[derive(Deserialize)]
    struct WithMessage {
        message: Option<RawJson>,
    }
    serde_json::from_str::<WithMessage>(result.get()).ok()?.message
}

fn lock(messages: &Mutex<Vec<RawJson>>) -> MutexGuard<'_, Vec<RawJson>> {
    messages.lock().unwrap_or_else(PoisonError::into_inner)
}
