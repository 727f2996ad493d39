//! The client and a sidecar that is a shell script: what reaches it, and that nothing is left of it.

#![cfg(unix)]

use std::future::{poll_fn, Future};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream;
use llm_sidecar_client::protocol::{ClientInfo, StreamRequest, ToolResult};
use llm_sidecar_client::{Conversation, Options, Sidecar};
use serde_json::{json, Value};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a test waits for what must happen; far above what it takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers the handshake, which it writes to the log.
const HANDSHAKE: &str = r#"
    read -r line
    printf '%s\n' "$line" >&2
    printf '{"jsonrpc":"2.0","id":1,"result":{"protocol_version":1,"server_info":{"name":"sh","version":"1","pid":%d},' $$
    printf '"capabilities":{},"limits":{}}}\n'
"#;
/// Writes each line that it reads to the log.
const ECHO: &str = r#"while read -r line; do printf '%s\n' "$line" >&2; done"#;
/// Goes on when stdin ends, and when it is asked to stop.
const STAY: &str = "trap '' TERM; while :; do sleep 60; done";

/// What the sidecar writes to its log; it ends when nothing of the sidecar is left.
struct Log(mpsc::UnboundedReceiver<String>);

impl Log {
    /// The next line that contains a text.
    async fn line(&mut self, text: &str) -> String {
        loop {
            let line = timeout(PATIENCE, self.0.recv()).await.expect("in time").expect("the sidecar has gone");
            if line.contains(text) {
                return line;
            }
        }
    }

    async fn message(&mut self, text: &str) -> Value {
        serde_json::from_str(&self.line(text).await).expect("JSON")
    }

    async fn end(mut self) {
        while timeout(PATIENCE, self.0.recv()).await.expect("in time").is_some() {}
    }
}

fn script(steps: &[&str]) -> (Options, Log) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let take = move |line: &str| sender.send(line.to_owned()).expect("the test listens");
    let options = Options::new("tests").command("/bin/sh").args(["-c", &steps.join("\n"), "sh"]);
    (options.on_log(take).stop_grace(Duration::from_millis(50)), Log(receiver))
}

async fn started(steps: &[&str]) -> (Sidecar, Log) {
    let (options, log) = script(steps);
    (Sidecar::start(options).await.expect("a sidecar"), log)
}

fn is_gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn options_reach_the_sidecar() {
    let (options, mut log) = script(&[r#"echo "$1 $COLOUR $(pwd)" >&2"#, HANDSHAKE, ECHO]);
    let options = options.args(["--flag"]).env("COLOUR", "blue").cwd("/");
    let info = ClientInfo::new("app").version("3.1");
    let sidecar = Sidecar::start(options.client_info(info)).await.expect("a sidecar");
    assert_eq!(log.line("--flag").await, "--flag blue /");
    let params = log.message("initialize").await["params"].take();
    assert_eq!(params["client_info"], json!({"name": "app", "version": "3.1"}));
    assert_eq!(params["process_id"], std::process::id());
    assert_eq!(sidecar.info().server_info.pid, i64::from(sidecar.pid()));
}

#[tokio::test]
async fn a_call_that_is_dropped_is_cancelled() {
    let (sidecar, mut log) = started(&[HANDSHAKE, ECHO]).await;
    let mut call = Box::pin(sidecar.request("test.slow", json!({})));
    let first = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
    assert!(first.is_pending());
    drop(call);
    let id = log.message("test.slow").await["id"].take();
    assert_eq!(log.message("$/cancelRequest").await["params"], json!({ "id": id }));
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_cancelled() {
    let (sidecar, mut log) = started(&[HANDSHAKE, ECHO]).await;
    drop(sidecar.chat().stream(StreamRequest::from("Hello!")));
    let request = log.message("chat.stream").await;
    assert_eq!(request["params"]["stream_id"], "s1");
    assert_eq!(log.message("$/cancelRequest").await["params"]["id"], request["id"]);
}

#[tokio::test]
async fn a_stream_is_cancelled_from_elsewhere_while_it_is_read() {
    let reply = r#"printf '{"jsonrpc":"2.0","id":2,"error":{"code":1,"message":"m","data":{"type":"rate_limited",'
        printf '"category":"ai","retryable":true,"retry_after_ms":1500}}}\n'"#;
    let (sidecar, _log) = started(&[HANDSHAKE, "read -r stream; read -r cancellation", reply, ECHO]).await;
    let mut stream = sidecar.chat().stream(StreamRequest::from("Hello!"));
    let canceller = stream.canceller();
    std::thread::spawn(move || canceller.cancel());
    let next = poll_fn(|context| Pin::new(&mut stream).poll_next(context));
    let error = timeout(PATIENCE, next).await.expect("in time").expect("an item").expect_err("an error");
    assert_eq!((error.kind().as_str(), error.retry_after()), ("rate_limited", Some(Duration::from_millis(1500))));
    assert!(stream.next().await.is_none());
    assert_eq!(stream.result().await.expect_err("the same error").code(), 1);
}

#[tokio::test]
async fn tool_results_are_asked_on_with() {
    let (sidecar, mut log) = started(&[HANDSHAKE, ECHO]).await;
    let question = StreamRequest::from("Weather?").model("m");
    let _answer = Conversation::new(&sidecar, question).answer([ToolResult::new("c1", "18 degrees")]);
    let result = json!({"type": "tool_result", "tool_call_id": "c1", "content": "18 degrees"});
    let wanted = json!({
        "messages": [{"role": "user", "content": "Weather?"}, {"role": "tool", "content": [result]}],
        "model": "m",
        "stream_id": "s1",
    });
    assert_eq!(log.message("chat.stream").await["params"], wanted);
}

#[tokio::test]
async fn many_streams_at_once_are_all_written() {
    let (sidecar, mut log) = started(&[HANDSHAKE, ECHO]).await;
    let streams: Vec<_> = (0..200).map(|_| sidecar.chat().stream(StreamRequest::from("Hello!"))).collect();
    for stream in &streams {
        log.line(&format!("\"stream_id\":\"{}\"", stream.id())).await;
    }
}

#[tokio::test]
async fn the_sidecar_ends_with_its_last_handle() {
    let (sidecar, log) = started(&[HANDSHAKE, STAY]).await;
    let (pid, other) = (sidecar.pid(), sidecar.clone());
    drop(sidecar);
    assert!(!is_gone(pid));
    drop(other);
    log.end().await;
    assert!(is_gone(pid));
}

#[tokio::test]
async fn a_stream_is_a_handle() {
    let (sidecar, mut log) = started(&[HANDSHAKE, ECHO]).await;
    let stream = sidecar.chat().stream(StreamRequest::from("Hello!"));
    drop(sidecar);
    log.line("chat.stream").await;
    drop(stream);
    log.end().await;
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_nothing_behind() {
    let (options, mut log) = script(&["echo $$ >&2", STAY]);
    let start = tokio::spawn(Sidecar::start(options));
    let pid = log.line("").await.parse().expect("a number");
    start.abort();
    log.end().await;
    assert!(is_gone(pid));
}

#[tokio::test]
async fn a_close_ends_a_start_that_is_under_way() {
    let marker = std::env::temp_dir().join(format!("llm-sidecar-client-{}", std::process::id()));
    let second = format!("if [ -e {0} ]; then echo again >&2; {STAY}; fi; touch {0}", marker.display());
    let (sidecar, mut log) = started(&[&second, HANDSHAKE, "read -r line"]).await;
    let sidecar = Arc::new(sidecar);
    let call = |sidecar: Arc<Sidecar>| async move { sidecar.request("test.die", json!({})).await };
    assert!(call(sidecar.clone()).await.is_err());
    let waiting = tokio::spawn(call(sidecar.clone()));
    log.line("again").await;
    timeout(PATIENCE, sidecar.close()).await.expect("in time");
    let error = waiting.await.expect("no panic").expect_err("the client was closed");
    assert_eq!(error.kind().as_str(), "connection_closed");
    drop(sidecar);
    log.end().await;
    std::fs::remove_file(marker).expect("removed");
}

#[test]
fn the_sidecar_ends_with_the_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (sidecar, log) = runtime.block_on(started(&[HANDSHAKE, STAY]));
    drop(runtime);
    drop(sidecar);
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    waiting.block_on(log.end());
}
