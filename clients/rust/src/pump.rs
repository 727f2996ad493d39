//! The tasks at the pipes of a process.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::mpsc;

use crate::connection::{Connection, Outgoing};
use crate::error::Error;
use crate::lines::{CutLines, Lines};
use crate::options::Options;
use crate::progress::Progress;
use crate::protocol::{StreamChunk, StreamStatus};
use crate::wire::Envelope;

/// How much is read at a time.
const READ_BYTES: usize = 64 << 10;
/// Where a line of the log is cut.
const MAX_LOG_LINE_BYTES: usize = 64 << 10;

/// Writes lines until nobody has any more, then closes stdin.
pub(crate) async fn write(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<Outgoing>) {
    while let Some(outgoing) = lines.recv().await {
        if stdin.write_all(&outgoing.line).await.is_err() {
            break;
        }
    }
    // Whoever waits for a reply learns of the end when stdout ends.
    while lines.recv().await.is_some() {}
}

/// Reads the log to its end.
pub(crate) async fn log(mut stderr: ChildStderr, options: Arc<Options>) {
    let mut lines = CutLines::new(MAX_LOG_LINE_BYTES);
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        lines.feed(&buffer[..count], |line| options.log(line));
    }
    lines.finish(|line| options.log(line));
}

/// Reads messages to the end of stdout, and passes them to whom they are for.
pub(crate) async fn read(mut stdout: ChildStdout, connection: Arc<Connection>) {
    let over = Over(&connection);
    let mut lines = Lines::new(connection.options.max_line_bytes);
    loop {
        let buffer = lines.buffer();
        buffer.reserve(READ_BYTES);
        match stdout.read_buf(buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        while let Some(line) = lines.next() {
            match line {
                Ok(line) => take(&connection, line),
                Err(_) => {
                    connection.log("The sidecar wrote a line that is too long.");
                    return;
                }
            }
        }
    }
    drop(over);
}

/// Ends the connection however the reader ends.
struct Over<'a>(&'a Connection);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over();
    }
}

/// Takes one line.
fn take(connection: &Connection, line: &[u8]) {
    let envelope = match Envelope::read(line) {
        None => return,
        Some(Ok(envelope)) => envelope,
        Some(Err(_)) => return connection.log(cut(line)),
    };
    match (envelope.method.as_deref(), envelope.params) {
        (Some("stream.chunk"), Some(params)) => pass(connection, params, chunk),
        (Some("stream.status"), Some(params)) => pass(connection, params, status),
        (Some(_), _) => {}
        (None, _) => reply(connection, &envelope),
    }
}

/// The text of a line, as far as it goes into the log.
fn cut(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&line[..line.len().min(MAX_LOG_LINE_BYTES)])
}

fn chunk(progress: &Progress, chunk: StreamChunk) -> Result<(), Error> {
    progress.chunk(chunk)
}

fn status(progress: &Progress, status: StreamStatus) -> Result<(), Error> {
    progress.status(status)
}

/// What belongs to a stream.
trait Streamed: DeserializeOwned {
    fn stream_id(&self) -> &str;
}

impl Streamed for StreamChunk {
    fn stream_id(&self) -> &str {
        &self.stream_id
    }
}

impl Streamed for StreamStatus {
    fn stream_id(&self) -> &str {
        &self.stream_id
    }
}

/// Passes a notification to its stream; where it makes no sense, ends and cancels that.
fn pass<T: Streamed>(connection: &Connection, params: &RawValue, to: fn(&Progress, T) -> Result<(), Error>) {
    let (found, passed) = match serde_json::from_str::<T>(params.get()) {
        Ok(streamed) => {
            let Some(found) = connection.routes().stream(streamed.stream_id()) else { return };
            let passed = to(&found.1, streamed);
            (found, passed)
        }
        Err(cause) => {
            let Some(found) = bare_id(params).and_then(|id| connection.routes().stream(&id)) else { return };
            (found, Err(Error::invalid_message(format_args!("An event of the stream cannot be read: {cause}."))))
        }
    };
    if let Err(error) = passed {
        let (request, progress) = found;
        connection.routes().take(request);
        progress.finish(Err(error));
        connection.cancel(request);
    }
}

/// The id of the stream, where the rest cannot be read.
fn bare_id(params: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Bare {
        stream_id: String,
    }
    serde_json::from_str(params.get()).ok().map(|bare: Bare| bare.stream_id)
}

fn reply(connection: &Connection, envelope: &Envelope<'_>) {
    let Some(request) = envelope.request() else {
        if let (None, Some(error)) = (envelope.id, envelope.error) {
            connection.log(format_args!("The sidecar could not read a message: {}", error.get()));
        }
        return;
    };
    let Some(waiting) = connection.routes().take(request) else { return };
    waiting.reply(match (envelope.error, envelope.result) {
        (Some(error), _) => Err(Error::from_reply(error)),
        (None, Some(result)) if result.get().starts_with('{') => Ok(result),
        _ => Err(Error::invalid_message("A reply has neither an error nor an object as its result.")),
    });
}
