//! How a sidecar is started, and what its client may take.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::protocol::ClientInfo;

/// How long the handshake may take.
pub const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the sidecar may take to end by itself.
pub const STOP_GRACE: Duration = Duration::from_secs(5);
/// How long the sidecar may take to answer a stream that was cancelled.
pub const CANCEL_GRACE: Duration = Duration::from_secs(2);
/// The longest line that is read.
pub const MAX_LINE_BYTES: usize = 256 << 20;
/// How many events of a stream may be left unread.
pub const MAX_UNREAD_EVENTS: usize = 100_000;

pub(crate) type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// How a sidecar is started, and what its client may take.
#[derive(Clone)]
pub struct Options {
    pub(crate) client_info: ClientInfo,
    pub(crate) command: Option<PathBuf>,
    pub(crate) resources: Option<PathBuf>,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) start_timeout: Duration,
    pub(crate) stop_grace: Duration,
    pub(crate) cancel_grace: Duration,
    pub(crate) max_line_bytes: usize,
    pub(crate) max_unread_events: usize,
    pub(crate) restart: bool,
    pub(crate) on_log: Option<Log>,
}

impl Options {
    /// Makes the options of an app: its name, or its name and version.
    pub fn new(client_info: impl Into<ClientInfo>) -> Self {
        Self {
            client_info: client_info.into(),
            command: None,
            resources: None,
            args: Vec::new(),
            env: Vec::new(),
            cwd: None,
            start_timeout: START_TIMEOUT,
            stop_grace: STOP_GRACE,
            cancel_grace: CANCEL_GRACE,
            max_line_bytes: MAX_LINE_BYTES,
            max_unread_events: MAX_UNREAD_EVENTS,
            restart: true,
            on_log: None,
        }
    }

    /// Sets the app's name and version.
    pub fn client_info(mut self, client_info: impl Into<ClientInfo>) -> Self {
        self.client_info = client_info.into();
        self
    }

    /// Sets the sidecar's executable; a bare name is looked for on the `PATH`.
    pub fn command(mut self, command: impl Into<PathBuf>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// Sets the app's resources folder, in which an executable is looked for, too.
    pub fn resources(mut self, folder: impl Into<PathBuf>) -> Self {
        self.resources = Some(folder.into());
        self
    }

    /// Adds flags for the sidecar.
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to the sidecar's environment, which is otherwise that of this process.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets the sidecar's working directory.
    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cwd = Some(folder.into());
        self
    }

    /// Sets how long the handshake may take; [`START_TIMEOUT`] unless set.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = limit;
        self
    }

    /// Sets how long the sidecar may take to end by itself; [`STOP_GRACE`] unless set.
    pub fn stop_grace(mut self, limit: Duration) -> Self {
        self.stop_grace = limit;
        self
    }

    /// Sets how long the sidecar may take to answer a stream that was cancelled; [`CANCEL_GRACE`] unless set.
    pub fn cancel_grace(mut self, limit: Duration) -> Self {
        self.cancel_grace = limit;
        self
    }

    /// Sets the length of a line that ends the connection; [`MAX_LINE_BYTES`] unless set.
    pub fn max_line_bytes(mut self, limit: usize) -> Self {
        self.max_line_bytes = limit;
        self
    }

    /// Sets how many events of a stream may be left unread; [`MAX_UNREAD_EVENTS`] unless set.
    pub fn max_unread_events(mut self, limit: usize) -> Self {
        self.max_unread_events = limit;
        self
    }

    /// Leaves a sidecar that has gone alone; calls fail from then on.
    pub fn without_restart(mut self) -> Self {
        self.restart = false;
        self
    }

    /// Sets what takes the sidecar's log, line by line; it must return soon, and not panic.
    pub fn on_log(mut self, take: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_log = Some(Arc::new(take));
        self
    }

    pub(crate) fn log(&self, line: &str) {
        if let Some(take) = &self.on_log {
            take(line);
        }
    }
}

impl fmt::Debug for Options {
    /// Shows what is no secret: flags and variables may be.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("client_info", &self.client_info)
            .field("command", &self.command)
            .field("restart", &self.restart)
            .finish_non_exhaustive()
    }
}

impl<T: Into<String>> From<T> for ClientInfo {
    fn from(name: T) -> Self {
        Self { name: name.into(), version: None }
    }
}
