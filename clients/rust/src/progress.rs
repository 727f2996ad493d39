//! How far a stream is: the events that wait to be read, and its end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use serde_json::value::RawValue;

use crate::connection::Connection;
use crate::error::Error;
use crate::protocol::{ChatResult, StreamChunk, StreamEvent, StreamStatus};

/// What to do with the result of a stream, as it came.
pub(crate) type Keep = Box<dyn FnOnce(&RawValue) + Send>;

/// A stream, as the connection, its reader and who may cancel it share it.
pub(crate) struct Progress {
    id: String,
    max_unread: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    unread: VecDeque<StreamEvent>,
    chunks: i64,
    discarding: bool,
    cancelled: bool,
    sent: Option<(Weak<Connection>, u64)>,
    end: Option<Result<ChatResult, Error>>,
    keep: Option<Keep>,
    waker: Option<Waker>,
}

impl Progress {
    pub(crate) fn new(id: String, max_unread: usize, keep: Option<Keep>) -> Arc<Self> {
        Arc::new(Self { id, max_unread, state: Mutex::new(State { keep, ..State::default() }) })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Takes note that the request was written; returns whether it must be cancelled at once.
    pub(crate) fn sent(&self, connection: Weak<Connection>, request: u64) -> bool {
        let mut state = self.lock();
        state.sent = Some((connection, request));
        state.cancelled
    }

    /// Takes the next chunk; the error ends the stream.
    pub(crate) fn chunk(&self, chunk: StreamChunk) -> Result<(), Error> {
        let mut state = self.lock();
        if chunk.seq != state.chunks {
            return Err(Error::invalid_message(format_args!(
                "Chunk {} of the stream came instead of chunk {}.",
                chunk.seq, state.chunks
            )));
        }
        state.chunks += 1;
        self.push(state, chunk.delta.into())
    }

    /// Takes a status; the error ends the stream.
    pub(crate) fn status(&self, status: StreamStatus) -> Result<(), Error> {
        self.push(self.lock(), StreamEvent::Status(status))
    }

    fn push(&self, mut state: MutexGuard<'_, State>, event: StreamEvent) -> Result<(), Error> {
        if state.discarding || state.end.is_some() {
            return Ok(());
        }
        if state.unread.len() >= self.max_unread {
            return Err(Error::client_stalled(self.max_unread));
        }
        state.unread.push_back(event);
        wake(state);
        Ok(())
    }

    /// Takes the reply, which is the end.
    pub(crate) fn reply(&self, reply: Result<&RawValue, Error>) {
        let read = reply.and_then(|raw| read_result(raw).map(|result| (result, raw)));
        let mut state = self.lock();
        let end = read.and_then(|(result, raw)| counted(result, state.chunks).map(|result| (result, raw)));
        // Whoever sees the end sees what was kept. A stream that has ended before keeps nothing.
        if let (Ok((_, raw)), Some(keep)) = (&end, state.keep.take()) {
            keep(raw);
        }
        finish(state, end.map(|(result, _)| result));
    }

    /// Ends the stream; only the first end counts.
    pub(crate) fn finish(&self, end: Result<ChatResult, Error>) {
        finish(self.lock(), end);
    }

    /// Cancels the stream where it is still going on; returns the connection to hold to a time limit then.
    pub(crate) fn cancel(&self) -> Option<Arc<Connection>> {
        let mut state = self.lock();
        if state.cancelled || state.end.is_some() {
            return None;
        }
        state.cancelled = true;
        let (connection, request) = state.sent.clone()?;
        drop(state);
        let connection = connection.upgrade()?;
        connection.cancel(request);
        Some(connection)
    }

    /// Throws away all events, those to come included.
    pub(crate) fn discard(&self) {
        let mut state = self.lock();
        state.discarding = true;
        state.unread.clear();
    }

    /// The next event; nothing after the last one.
    pub(crate) fn poll_event(&self, context: &mut Context<'_>) -> Poll<Option<StreamEvent>> {
        let mut state = self.lock();
        if let Some(event) = state.unread.pop_front() {
            return Poll::Ready(Some(event));
        }
        if state.end.is_some() {
            return Poll::Ready(None);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// How it ended, if it has.
    pub(crate) fn end(&self) -> Option<Result<ChatResult, Error>> {
        self.lock().end.clone()
    }

    /// The error that it ended with, if it did.
    pub(crate) fn error(&self) -> Option<Error> {
        self.lock().end.as_ref().and_then(|end| end.as_ref().err().cloned())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_result(raw: &RawValue) -> Result<ChatResult, Error> {
    serde_json::from_str(raw.get())
        .map_err(|cause| Error::invalid_message(format_args!("The result of a stream cannot be read: {cause}.")))
}

/// The result, if it tells as many chunks as came.
fn counted(result: ChatResult, chunks: i64) -> Result<ChatResult, Error> {
    match result.chunks {
        Some(told) if told != chunks => {
            Err(Error::invalid_message(format_args!("The stream has {told} chunks, but {chunks} came.")))
        }
        _ => Ok(result),
    }
}

fn finish(mut state: MutexGuard<'_, State>, end: Result<ChatResult, Error>) {
    if state.end.is_none() {
        state.end = Some(end);
        state.keep = None;
        wake(state);
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
