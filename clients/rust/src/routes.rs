//! Who waits for what: requests by their numbers, streams by their ids.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::progress::Progress;

pub(crate) type Reply = Result<Box<RawValue>, Error>;

/// Who waits for a reply.
pub(crate) enum Waiting {
    Call(oneshot::Sender<Reply>),
    Stream(Arc<Progress>),
}

impl Waiting {
    pub(crate) fn reply(self, reply: Result<&RawValue, Error>) {
        match self {
            // Whoever asked may have gone.
            Self::Call(sender) => drop(sender.send(reply.map(ToOwned::to_owned))),
            Self::Stream(progress) => progress.reply(reply),
        }
    }
}

/// The requests in flight on one connection.
#[derive(Default)]
pub(crate) struct Routes {
    last: u64,
    waiting: HashMap<u64, Waiting>,
    streams: HashMap<String, (u64, Arc<Progress>)>,
    closed: Option<Error>,
}

impl Routes {
    /// Adds a request and returns its number; fails when the connection is over.
    pub(crate) fn add(&mut self, waiting: Waiting) -> Result<u64, Error> {
        if let Some(error) = &self.closed {
            return Err(error.clone());
        }
        self.last += 1;
        if let Waiting::Stream(progress) = &waiting {
            // The sidecar refuses an id that is in use: its events belong to the stream that has it.
            self.streams.entry(progress.id().to_owned()).or_insert_with(|| (self.last, progress.clone()));
        }
        self.waiting.insert(self.last, waiting);
        Ok(self.last)
    }

    /// The request and the stream with an id.
    pub(crate) fn stream(&self, id: &str) -> Option<(u64, Arc<Progress>)> {
        self.streams.get(id).cloned()
    }

    /// Removes a request.
    pub(crate) fn take(&mut self, request: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&request)?;
        if let Waiting::Stream(progress) = &waiting {
            if self.streams.get(progress.id()).is_some_and(|(number, _)| *number == request) {
                self.streams.remove(progress.id());
            }
        }
        Some(waiting)
    }

    /// Refuses requests from now on.
    pub(crate) fn refuse(&mut self, error: Error) {
        self.closed.get_or_insert(error);
    }

    /// Whether requests are taken.
    pub(crate) fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Removes all requests.
    pub(crate) fn drain(&mut self) -> Vec<Waiting> {
        self.streams.clear();
        self.waiting.drain().map(|(_, waiting)| waiting).collect()
    }
}
