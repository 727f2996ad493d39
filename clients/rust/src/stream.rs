//! A streamed answer, as it comes.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::Error;
use crate::progress::Progress;
use crate::protocol::{ChatResult, StreamEvent};
use crate::sidecar::Sidecar;

/// A streamed answer: its events in order, then its result.
///
/// Dropping it before its end cancels it.
pub struct ChatStream {
    progress: Arc<Progress>,
    /// Keeps the sidecar alive while the answer is read.
    _sidecar: Sidecar,
    told: bool,
}

impl ChatStream {
    pub(crate) fn new(progress: Arc<Progress>, sidecar: Sidecar) -> Self {
        Self { progress, _sidecar: sidecar, told: false }
    }

    /// The id by which the sidecar knows the stream.
    pub fn id(&self) -> &str {
        self.progress.id()
    }

    /// The next event; after the last one nothing, or the error once.
    pub async fn next(&mut self) -> Option<Result<StreamEvent, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// The texts of the answer alone.
    pub fn texts(&mut self) -> Texts<'_> {
        Texts(self)
    }

    /// Waits for the result; events that were not read are thrown away as they come.
    pub async fn result(&mut self) -> Result<ChatResult, Error> {
        self.progress.discard();
        while self.next().await.is_some() {}
        self.progress.end().unwrap_or_else(|| Err(Error::request_cancelled()))
    }

    /// Ends the answer early: the result is what has come so far.
    pub fn cancel(&self) {
        cancel(&self.progress);
    }

    /// What can cancel the stream while it is being read.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.progress.clone())
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<StreamEvent, Error>>> {
        self.progress.poll_event(context).map(|event| match event {
            Some(event) => Some(Ok(event)),
            None if self.told => None,
            None => {
                self.told = true;
                self.progress.error().map(Err)
            }
        })
    }
}

impl Stream for ChatStream {
    type Item = Result<StreamEvent, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }
}

impl Drop for ChatStream {
    fn drop(&mut self) {
        self.progress.discard();
        self.progress.cancel();
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ChatStream").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// The texts of an answer, as they come. Dropping them leaves the stream as it is.
#[derive(Debug)]
pub struct Texts<'a>(&'a mut ChatStream);

impl Texts<'_> {
    /// The next piece of text; after the last one nothing, or the error once.
    pub async fn next(&mut self) -> Option<Result<String, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<String, Error>>> {
        loop {
            match self.0.poll(context) {
                Poll::Ready(Some(Ok(StreamEvent::Text(delta)))) => return Poll::Ready(Some(Ok(delta.text))),
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Stream for Texts<'_> {
    type Item = Result<String, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }
}

/// Cancels a stream, from wherever it is.
#[derive(Clone)]
pub struct Canceller(Arc<Progress>);

impl Canceller {
    /// Ends the answer early: the result is what has come so far.
    pub fn cancel(&self) {
        cancel(&self.0);
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Canceller").field("id", &self.0.id()).finish()
    }
}

fn cancel(progress: &Arc<Progress>) {
    if let Some(connection) = progress.cancel() {
        connection.limit_cancelled(progress);
    }
}
