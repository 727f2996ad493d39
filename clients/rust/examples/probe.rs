//! The host of the replay scenarios: takes the steps of one, and writes what each of them saw. See `protocol/replay`.

use std::collections::HashMap;
use std::fs;
use std::future::{pending, poll_fn, Future};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use llm_sidecar_client::protocol::{ChatResult, Message, OptionalProvider, StreamRequest};
use llm_sidecar_client::{ChatStream, Conversation, Error, Options, Sidecar};
use serde::Serialize;
use serde_json::{json, Value};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a step may take.
const STEP: Duration = Duration::from_secs(15);
/// Longer texts are written as their length.
const LONG_TEXT: usize = 1000;

type Call = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send>>;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut words = std::env::args().skip(1);
    let scenario = fs::read(words.next().expect("a scenario")).expect("a file");
    let scenario: Value = serde_json::from_slice(&scenario).expect("JSON");
    let mut probe = Probe { command: words.collect(), ..Probe::default() };
    for step in scenario["host"].as_array().expect("steps") {
        let limit = if step["do"] == "wait" { Duration::MAX } else { STEP };
        match timeout(limit, probe.take(step)).await {
            Ok(seen) => println!("{}", shortened(seen)),
            Err(_) => {
                println!("{}", json!({"timeout": true}));
                break;
            }
        }
    }
    probe.close().await;
}

/// What the steps before have left.
#[derive(Default)]
struct Probe {
    command: Vec<String>,
    sidecar: Option<Sidecar>,
    calls: HashMap<String, JoinHandle<Result<Value, Error>>>,
    streams: HashMap<String, ChatStream>,
    conversation: Option<Conversation>,
    log: Arc<Log>,
}

/// The lines that the log callback was given.
#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    more: Notify,
}

impl Log {
    fn add(&self, line: &str) {
        self.lines.lock().expect("nobody panics").push(line.to_owned());
        self.more.notify_one();
    }

    async fn contains(&self, text: &str) {
        while !self.lines.lock().expect("nobody panics").iter().any(|line| line.contains(text)) {
            self.more.notified().await;
        }
    }
}

impl Probe {
    async fn take(&mut self, step: &Value) -> Value {
        let name = step["as"].as_str().unwrap_or_default().to_owned();
        match step["do"].as_str().expect("a step") {
            "start" => self.start(&step["options"]).await,
            "call" => self.call(step).await,
            "typed" => replied(self.typed(step["method"].as_str().expect("a method")).await),
            "begin" => self.begin(name, step).await,
            "end" => replied(self.calls.remove(&name).expect("it was begun").await.expect("no panic")),
            "stream" => self.stream(name, step),
            "read" if step["count"].is_null() => self.read(&name).await,
            "read" => json!({"events": self.events(&name, &step["count"]).await}),
            "texts" => self.texts(&name).await,
            "result" => ended(self.opened(&name).result().await),
            "cancel" => {
                self.streams[&name].cancel();
                json!({"cancelled": name})
            }
            "leave" => {
                let events = self.events(&name, &step["count"]).await;
                drop(self.streams.remove(&name));
                json!({"events": events})
            }
            "log" => {
                self.log.contains(step["contains"].as_str().expect("a text")).await;
                json!({"logged": true})
            }
            "converse" => self.converse(step["content"].as_str().expect("a text")).await,
            "messages" => json!({"messages": self.conversation().messages()}),
            "pid" => json!({"pid": self.sidecar().pid()}),
            "wait" => pending().await,
            "close" => {
                self.close().await;
                json!({"closed": true})
            }
            other => panic!("no step is called {other}"),
        }
    }

    fn sidecar(&self) -> &Sidecar {
        self.sidecar.as_ref().expect("it was started")
    }

    async fn start(&mut self, settings: &Value) -> Value {
        match Sidecar::start(self.options(settings)).await {
            Ok(sidecar) => {
                self.sidecar = Some(sidecar);
                json!({"started": true})
            }
            Err(error) => json!({"error": described(&error)}),
        }
    }

    fn options(&self, settings: &Value) -> Options {
        let log = self.log.clone();
        let mut options = Options::new("probe").command(&self.command[0]).args(&self.command[1..]);
        options = options.on_log(move |line| log.add(line));
        for (name, value) in settings.as_object().into_iter().flatten() {
            let number = value.as_u64().unwrap_or_default();
            let (time, size) = (Duration::from_millis(number), usize::try_from(number).expect("a size"));
            options = match name.as_str() {
                "start_timeout_ms" => options.start_timeout(time),
                "stop_grace_ms" => options.stop_grace(time),
                "cancel_grace_ms" => options.cancel_grace(time),
                "max_line_bytes" => options.max_line_bytes(size),
                "max_unread_events" => options.max_unread_events(size),
                "restart" if value == false => options.without_restart(),
                "restart" => options,
                other => panic!("no option is called {other}"),
            };
        }
        options
    }

    fn request(&self, step: &Value) -> Call {
        let sidecar = self.sidecar().clone();
        let method = step["method"].as_str().expect("a method").to_owned();
        let params = step.get("params").cloned().unwrap_or_else(|| json!({}));
        Box::pin(async move { sidecar.request(&method, params).await })
    }

    async fn call(&self, step: &Value) -> Value {
        let Some(limit) = step["cancel_after_ms"].as_u64() else { return replied(self.request(step).await) };
        match timeout(Duration::from_millis(limit), self.request(step)).await {
            Ok(reply) => replied(reply),
            Err(_) => json!({"error": {"type": "request_cancelled", "category": "protocol", "retryable": false}}),
        }
    }

    async fn typed(&self, method: &str) -> Result<Value, Error> {
        let sidecar = self.sidecar();
        match method {
            "server.ping" => sidecar.server().ping().await.map(encoded),
            "providers.list" => sidecar.providers().list().await.map(encoded),
            "models.list" => sidecar.models().list(OptionalProvider::new()).await.map(encoded),
            other => panic!("{other} is not among the methods of probes"),
        }
    }

    /// Begins a call: the first poll writes its request.
    async fn begin(&mut self, name: String, step: &Value) -> Value {
        let mut call = self.request(step);
        let first = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        let call = match first {
            Poll::Ready(reply) => tokio::spawn(async { reply }),
            Poll::Pending => tokio::spawn(call),
        };
        self.calls.insert(name.clone(), call);
        json!({"begun": name})
    }

    fn stream(&mut self, name: String, step: &Value) -> Value {
        let request = match step.get("params") {
            Some(params) => with_messages(params.clone()),
            None => StreamRequest::from("Hello!"),
        };
        let stream = self.sidecar().chat().stream(request);
        let id = stream.id().to_owned();
        self.streams.insert(name, stream);
        json!({"stream_id": id})
    }

    fn opened(&mut self, name: &str) -> &mut ChatStream {
        self.streams.get_mut(name).expect("a stream")
    }

    async fn events(&mut self, name: &str, count: &Value) -> Vec<Value> {
        let stream = self.opened(name);
        let mut events = Vec::new();
        while events.len() < usize::try_from(count.as_u64().expect("a number")).expect("a size") {
            match stream.next().await {
                Some(Ok(event)) => events.push(encoded(event)),
                Some(Err(_)) | None => break,
            }
        }
        events
    }

    async fn read(&mut self, name: &str) -> Value {
        let stream = self.opened(name);
        let mut events = Vec::new();
        let failure = loop {
            match stream.next().await {
                Some(Ok(event)) => events.push(encoded(event)),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        finished(json!({"events": events}), failure, stream).await
    }

    async fn texts(&mut self, name: &str) -> Value {
        let stream = self.opened(name);
        let mut joined = String::new();
        let failure = loop {
            match stream.texts().next().await {
                Some(Ok(text)) => joined.push_str(&text),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        finished(json!({"text": joined}), failure, stream).await
    }

    fn conversation(&mut self) -> &Conversation {
        let sidecar = self.sidecar.as_ref().expect("it was started");
        self.conversation.get_or_insert_with(|| Conversation::new(sidecar, StreamRequest::new([])))
    }

    async fn converse(&mut self, content: &str) -> Value {
        let mut stream = self.conversation().send(content);
        ended(stream.result().await)
    }

    async fn close(&self) {
        if let Some(sidecar) = &self.sidecar {
            sidecar.close().await;
        }
    }
}

/// A request with the params, and one short message where they have none.
fn with_messages(mut params: Value) -> StreamRequest {
    if params["messages"].is_null() {
        params["messages"] = encoded([Message::user("Hello!")]);
    }
    serde_json::from_value(params).expect("a request")
}

fn encoded(value: impl Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}

fn replied(reply: Result<Value, Error>) -> Value {
    match reply {
        Ok(result) => json!({"result": result}),
        Err(error) => json!({"error": described(&error)}),
    }
}

fn ended(end: Result<ChatResult, Error>) -> Value {
    match end {
        Ok(result) => json!({"result": summarized(&result)}),
        Err(error) => json!({"error": described(&error)}),
    }
}

/// Adds to what was seen how the stream ended; its result must agree with its iteration.
async fn finished(mut seen: Value, failure: Option<Error>, stream: &mut ChatStream) -> Value {
    let end = stream.result().await;
    assert_eq!(end.is_err(), failure.is_some(), "iteration and result end alike");
    seen.as_object_mut().expect("an object").extend(ended(end).as_object().expect("an object").clone());
    seen
}

fn summarized(result: &ChatResult) -> Value {
    let message = result.message.as_ref().and_then(Option::as_ref);
    let text = message.map(Message::text);
    json!({"finish_reason": result.finish_reason.reason, "chunks": result.chunks, "text": text})
}

fn described(error: &Error) -> Value {
    let mut seen = json!({"type": error.kind(), "category": error.category(), "retryable": error.retryable()});
    if let Some(delay) = error.retry_after() {
        seen["retry_after_ms"] = encoded(u64::try_from(delay.as_millis()).expect("milliseconds"));
    }
    if let Some(partial) = &error.data().partial {
        seen["partial"] = encoded(partial.text());
    }
    seen
}

fn shortened(seen: Value) -> Value {
    match seen {
        Value::String(text) if text.chars().count() > LONG_TEXT => {
            format!("<{} characters>", text.chars().count()).into()
        }
        Value::Array(items) => items.into_iter().map(shortened).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, shortened(value))).collect(),
        other => other,
    }
}
