//! The handle: starts the sidecar, calls it, starts it anew, and ends it.

use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use crate::connection::{Connection, CLOSED, GONE};
use crate::error::Error;
use crate::options::Options;
use crate::progress::{Keep, Progress};
use crate::protocol::InitializeResult;
use crate::restart::{Configurations, Failures};
use crate::routes::Reply;
use crate::stream::ChatStream;
use crate::wire;

const FAILED: &str = "The sidecar has failed too often; it is left alone for a while.";

/// A sidecar that runs. Clones are handles of the same one, which ends with the last of them.
#[derive(Clone)]
pub struct Sidecar {
    inner: Arc<Inner>,
}

struct Inner {
    options: Arc<Options>,
    runtime: Handle,
    closed: watch::Sender<bool>,
    current: Mutex<Current>,
    starts: tokio::sync::Mutex<Failures>,
    /// How many starts were tried, so that those who waited for one in vain do not try again.
    tries: AtomicU64,
    configurations: Mutex<Configurations>,
    streams: AtomicU64,
}

struct Current {
    connection: Arc<Connection>,
    /// Whether its end was counted among the failures, if it was one.
    counted: bool,
    /// Why the latest start failed.
    failure: Option<Error>,
}

impl Sidecar {
    /// Starts the sidecar and opens the session; must be called inside a tokio runtime.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let options = Arc::new(options);
        let connection = Connection::start(options.clone()).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                options,
                runtime: Handle::current(),
                closed: watch::Sender::new(false),
                current: Mutex::new(Current { connection, counted: false, failure: None }),
                starts: tokio::sync::Mutex::default(),
                tries: AtomicU64::new(0),
                configurations: Mutex::default(),
                streams: AtomicU64::new(0),
            }),
        })
    }

    /// What the latest handshake told: the protocol's version, the server, and its limits.
    pub fn info(&self) -> InitializeResult {
        let current = self.inner.current();
        current.connection.info().cloned().expect("a connection is there after its handshake")
    }

    /// The process id of the sidecar that was started last.
    pub fn pid(&self) -> u32 {
        self.inner.current().connection.pid
    }

    /// Calls a method by its name, such as one that a newer sidecar has.
    pub async fn request(&self, method: &str, params: Value) -> Result<Value, Error> {
        self.call(method, &params).await
    }

    /// Calls a method, and decodes its result.
    pub(crate) async fn call<P, R>(&self, method: &str, params: &P) -> Result<R, Error>
    where
        P: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let params = wire::encode(params);
        let connection = self.inner.connection().await?;
        let reply = connection.request(method, &params).await?;
        self.inner.configurations().note(method, &params);
        serde_json::from_str(reply.get())
            .map_err(|cause| Error::invalid_message(format_args!("The result of {method} cannot be read: {cause}.")))
    }

    /// The id of the next stream.
    pub(crate) fn stream_id(&self) -> String {
        format!("s{}", self.inner.streams.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Begins a stream; its result is passed to `keep`, too.
    pub(crate) fn open<P: Serialize>(&self, id: String, params: &P, keep: Option<Keep>) -> ChatStream {
        let params = wire::encode(params);
        let progress = Progress::new(id, self.inner.options.max_unread_events, keep);
        let connection = self.inner.current().connection.clone();
        if !(connection.is_open() && connection.try_open(&progress, &params)) {
            self.inner.runtime.spawn(self.inner.clone().open(progress.clone(), params));
        }
        ChatStream::new(progress, self.clone())
    }

    /// Ends the session: what is open ends first, then the process. May be called at any time, and twice.
    pub async fn close(&self) {
        self.inner.closed.send_replace(true);
        // A start that is under way gives up now, or has made its connection the current one.
        drop(self.inner.starts.lock().await);
        let connection = self.inner.current().connection.clone();
        connection.close().await;
    }
}

impl Inner {
    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn configurations(&self) -> MutexGuard<'_, Configurations> {
        self.configurations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open(self: Arc<Self>, progress: Arc<Progress>, params: Box<RawValue>) {
        match self.connection().await {
            Ok(connection) => connection.open(&progress, &params).await,
            Err(error) => progress.finish(Err(error)),
        }
    }

    /// The connection that is open, or a new one.
    async fn connection(self: &Arc<Self>) -> Result<Arc<Connection>, Error> {
        if let Some(connection) = self.open_connection()? {
            return Ok(connection);
        }
        let tries = self.tries.load(Ordering::Acquire);
        // In a task of its own: others wait for the same start, whatever becomes of this caller.
        let start = self.runtime.spawn(self.clone().start_anew(tries));
        start.await.unwrap_or_else(|_| Err(Error::connection_closed(GONE)))
    }

    /// The connection that is open, or `None` where it may be started anew.
    fn open_connection(&self) -> Result<Option<Arc<Connection>>, Error> {
        if *self.closed.borrow() {
            return Err(Error::connection_closed(CLOSED));
        }
        let current = self.current();
        if current.connection.is_open() {
            return Ok(Some(current.connection.clone()));
        }
        if self.options.restart {
            Ok(None)
        } else {
            Err(Error::connection_closed(GONE))
        }
    }

    async fn start_anew(self: Arc<Self>, tries: u64) -> Result<Arc<Connection>, Error> {
        let mut failures = self.starts.lock().await;
        if let Some(connection) = self.open_connection()? {
            return Ok(connection);
        }
        if self.tries.load(Ordering::Acquire) != tries {
            let failure = self.current().failure.clone();
            return Err(failure.unwrap_or_else(|| Error::connection_closed(GONE)));
        }
        let due = self.due(&mut failures)?;
        let started = self.start_at(due).await;
        self.tries.fetch_add(1, Ordering::AcqRel);
        match started {
            Ok(connection) => {
                self.adopt(connection.clone());
                Ok(connection)
            }
            Err(error) => {
                failures.ended(None, Instant::now());
                self.current().failure = Some(error.clone());
                Err(error)
            }
        }
    }

    /// When the next start may be, with the latest end counted.
    fn due(&self, failures: &mut Failures) -> Result<Instant, Error> {
        let mut current = self.current();
        if !mem::replace(&mut current.counted, true) {
            let (opened, ended) = current.connection.lifetime();
            failures.ended(opened, ended.unwrap_or_else(Instant::now));
        }
        failures.next_try(Instant::now()).ok_or_else(|| Error::connection_closed(FAILED))
    }

    async fn start_at(&self, due: Instant) -> Result<Arc<Connection>, Error> {
        let mut closed = self.closed.subscribe();
        let start = async {
            tokio::time::sleep_until(due.into()).await;
            Connection::start(self.options.clone()).await
        };
        tokio::select! {
            started = start => started,
            _ = closed.wait_for(|closed| *closed) => Err(Error::connection_closed(CLOSED)),
        }
    }

    /// Makes the configurations again, before anything else is asked of the connection.
    fn adopt(&self, connection: Arc<Connection>) {
        for (method, params) in self.configurations().calls() {
            if let Ok(reply) = connection.post(method, &params) {
                self.runtime.spawn(report(connection.clone(), method, reply));
            }
        }
        let mut current = self.current();
        current.connection = connection;
        current.counted = false;
        current.failure = None;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.current().connection.release();
    }
}

/// Logs that a configuration could not be made again.
async fn report(connection: Arc<Connection>, method: &'static str, reply: oneshot::Receiver<Reply>) {
    if let Ok(Err(error)) = reply.await {
        connection.log(format_args!("{method} failed when it was made again: {error}"));
    }
}

impl fmt::Debug for Sidecar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sidecar").field("pid", &self.pid()).finish_non_exhaustive()
    }
}
