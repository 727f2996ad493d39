//! One process of the sidecar, from its start to its end, and what is asked of it meanwhile.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use serde_json::value::RawValue;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::Error;
use crate::options::Options;
use crate::process::{self, Stage};
use crate::progress::Progress;
use crate::protocol::{Empty, InitializeParams, InitializeResult, PROTOCOL_VERSION};
use crate::routes::{Reply, Routes, Waiting};
use crate::wire;

/// How many requests may wait to be written; cancellations do not count.
const MAX_UNWRITTEN: usize = 64;
pub(crate) const GONE: &str = "The sidecar has gone.";
pub(crate) const CLOSED: &str = "The client was closed.";

/// A line to be written, and its place among those that wait.
pub(crate) struct Outgoing {
    pub(crate) line: Vec<u8>,
    pub(crate) _place: Option<OwnedSemaphorePermit>,
}

/// One process of the sidecar.
pub(crate) struct Connection {
    pub(crate) options: Arc<Options>,
    pub(crate) pid: u32,
    runtime: Handle,
    places: Arc<Semaphore>,
    writer: Mutex<Option<mpsc::UnboundedSender<Outgoing>>>,
    routes: Mutex<Routes>,
    stage: watch::Sender<Stage>,
    opened: OnceLock<(InitializeResult, Instant)>,
    ended: OnceLock<Instant>,
}

impl Connection {
    /// Starts the sidecar and opens the session.
    pub(crate) async fn start(options: Arc<Options>) -> Result<Arc<Self>, Error> {
        let starting = Starting(Some(process::spawn(options)?));
        let connection = starting.connection();
        let limit = connection.options.start_timeout;
        let reply = timeout(limit, connection.initialize()).await;
        let opened = match reply {
            Ok(opened) => opened?,
            Err(_) => {
                let why = format_args!("The sidecar did not answer within {limit:?}.");
                return Err(Error::connection_closed(why));
            }
        };
        connection.opened.get_or_init(|| (opened, Instant::now()));
        Ok(starting.done())
    }

    pub(crate) fn new(
        options: Arc<Options>,
        pid: u32,
        writer: mpsc::UnboundedSender<Outgoing>,
        stage: watch::Sender<Stage>,
    ) -> Arc<Self> {
        Arc::new(Self {
            options,
            pid,
            runtime: Handle::current(),
            places: Arc::new(Semaphore::new(MAX_UNWRITTEN)),
            writer: Mutex::new(Some(writer)),
            routes: Mutex::default(),
            stage,
            opened: OnceLock::new(),
            ended: OnceLock::new(),
        })
    }

    async fn initialize(self: &Arc<Self>) -> Result<InitializeResult, Error> {
        let host = i64::from(std::process::id());
        let params = InitializeParams::new(PROTOCOL_VERSION, self.options.client_info.clone()).process_id(host);
        let reply = self.request("initialize", &wire::encode(&params)).await?;
        let opened: InitializeResult = serde_json::from_str(reply.get())
            .map_err(|cause| Error::invalid_message(format_args!("The handshake cannot be read: {cause}.")))?;
        match opened.protocol_version {
            PROTOCOL_VERSION => Ok(opened),
            version => Err(Error::unsupported_protocol_version(version)),
        }
    }

    /// What the handshake told.
    pub(crate) fn info(&self) -> Option<&InitializeResult> {
        self.opened.get().map(|(info, _)| info)
    }

    /// When its session was opened, and when it ended.
    pub(crate) fn lifetime(&self) -> (Option<Instant>, Option<Instant>) {
        (self.opened.get().map(|(_, opened)| *opened), self.ended.get().copied())
    }

    pub(crate) fn is_open(&self) -> bool {
        self.routes().is_open()
    }

    /// Writes a request and waits for its reply; cancels it when the wait is given up.
    pub(crate) async fn request(self: &Arc<Self>, method: &str, params: &RawValue) -> Result<Box<RawValue>, Error> {
        let place = self.place().await;
        let (sender, receiver) = oneshot::channel();
        let request = self.write(method, params, Waiting::Call(sender), Some(place))?;
        let mut pending = Pending { connection: self, request, replied: false };
        let reply = receiver.await;
        pending.replied = true;
        reply.unwrap_or_else(|_| Err(Error::connection_closed(GONE)))
    }

    /// Writes a request that nobody waits for.
    pub(crate) fn post(&self, method: &str, params: &RawValue) -> Result<oneshot::Receiver<Reply>, Error> {
        let (sender, receiver) = oneshot::channel();
        self.write(method, params, Waiting::Call(sender), None).map(|_| receiver)
    }

    /// Writes the request of a stream at once, or returns `false` where others wait to be written.
    pub(crate) fn try_open(self: &Arc<Self>, progress: &Arc<Progress>, params: &RawValue) -> bool {
        match self.places.clone().try_acquire_owned() {
            Ok(place) => {
                self.open_at(progress, params, place);
                true
            }
            Err(_) => false,
        }
    }

    /// Writes the request of a stream.
    pub(crate) async fn open(self: &Arc<Self>, progress: &Arc<Progress>, params: &RawValue) {
        let place = self.place().await;
        self.open_at(progress, params, place);
    }

    fn open_at(self: &Arc<Self>, progress: &Arc<Progress>, params: &RawValue, place: OwnedSemaphorePermit) {
        match self.write("chat.stream", params, Waiting::Stream(progress.clone()), Some(place)) {
            Err(error) => progress.finish(Err(error)),
            Ok(request) => {
                if progress.sent(Arc::downgrade(self), request) {
                    self.cancel(request);
                    self.limit_cancelled(progress);
                }
            }
        }
    }

    /// Ends a stream that was cancelled and is not answered in time.
    pub(crate) fn limit_cancelled(&self, progress: &Arc<Progress>) {
        let (progress, limit) = (progress.clone(), self.options.cancel_grace);
        self.runtime.spawn(async move {
            tokio::time::sleep(limit).await;
            progress.finish(Err(Error::request_cancelled()));
        });
    }

    async fn place(&self) -> OwnedSemaphorePermit {
        self.places.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    fn write(
        &self,
        method: &str,
        params: &RawValue,
        waiting: Waiting,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<u64, Error> {
        let request = self.routes().add(waiting)?;
        self.send(wire::request(request, method, params), place);
        Ok(request)
    }

    /// Asks the sidecar to give up a request.
    pub(crate) fn cancel(&self, request: u64) {
        self.send(wire::cancellation(request), None);
    }

    /// Hands a line to the writer; where that has gone, the end of stdout tells who waits.
    fn send(&self, line: Vec<u8>, place: Option<OwnedSemaphorePermit>) {
        if let Some(writer) = &*self.writer.lock().unwrap_or_else(PoisonError::into_inner) {
            drop(writer.send(Outgoing { line, _place: place }));
        }
    }

    /// Who waits for what.
    pub(crate) fn routes(&self) -> MutexGuard<'_, Routes> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self, line: impl fmt::Display) {
        if self.options.on_log.is_some() {
            self.options.log(&line.to_string());
        }
    }

    /// Fails everything open: stdout has ended.
    pub(crate) fn over(&self) {
        let error = Error::connection_closed(GONE);
        let waiting = {
            let mut routes = self.routes();
            routes.refuse(error.clone());
            routes.drain()
        };
        self.ended.get_or_init(Instant::now);
        for waiting in waiting {
            waiting.reply(Err(error.clone()));
        }
        self.release();
    }

    /// Closes stdin, and sees to it that the process ends.
    pub(crate) fn release(&self) {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.advance(Stage::Ending);
    }

    /// Ends the session, and waits until the process has gone.
    pub(crate) async fn close(&self) {
        let reply = self.post("shutdown", &wire::encode(&Empty {}));
        self.routes().refuse(Error::connection_closed(CLOSED));
        self.release();
        self.gone().await;
        drop(reply);
    }

    /// Waits until the process has gone, and stdout was read to its end.
    pub(crate) async fn gone(&self) {
        // The sender is `self`.
        drop(self.stage.subscribe().wait_for(|stage| *stage == Stage::Gone).await);
    }

    pub(crate) fn advance(&self, next: Stage) {
        self.stage.send_if_modified(|stage| {
            let further = next > *stage;
            *stage = next.max(*stage);
            further
        });
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// A request that is cancelled when its future is dropped.
struct Pending<'a> {
    connection: &'a Connection,
    request: u64,
    replied: bool,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.replied && self.connection.routes().take(self.request).is_some() {
            self.connection.cancel(self.request);
        }
    }
}

/// A connection that is killed unless its handshake succeeds.
struct Starting(Option<Arc<Connection>>);

impl Starting {
    fn connection(&self) -> Arc<Connection> {
        self.0.clone().expect("it is there until it is done")
    }

    fn done(mut self) -> Arc<Connection> {
        self.0.take().expect("it is there until it is done")
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(connection) = &self.0 {
            connection.release();
            connection.advance(Stage::Killed);
        }
    }
}
