//! How the plugin runs.

use std::fmt;
use std::time::Duration;

/// How many bytes of events are held back for a stream that the page does not listen to yet.
pub const HELD_BYTES: usize = 8 << 20;
/// How long a stream that has ended waits for a page that has not listened to all of it.
pub const LINGER: Duration = Duration::from_secs(60);
/// How many streams that have ended may wait at once; the oldest is given up first.
pub const MAX_LINGERING: usize = 64;

pub(crate) type Configure = Box<dyn Fn(llm_sidecar_client::Options) -> llm_sidecar_client::Options + Send + Sync>;

/// How the plugin runs.
pub struct Options {
    pub(crate) configure: Configure,
    pub(crate) at_setup: bool,
    pub(crate) limits: Limits,
}

/// What may be held for pages that do not listen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub held_bytes: usize,
    pub linger: Duration,
    pub max_lingering: usize,
}

impl Options {
    /// Makes the options of a plugin that starts the sidecar with the first command.
    pub fn new() -> Self {
        Self {
            configure: Box::new(|options| options),
            at_setup: false,
            limits: Limits { held_bytes: HELD_BYTES, linger: LINGER, max_lingering: MAX_LINGERING },
        }
    }

    /// Sets how the sidecar is started; the app's name, version and resource folder are set already.
    pub fn sidecar(
        mut self,
        configure: impl Fn(llm_sidecar_client::Options) -> llm_sidecar_client::Options + Send + Sync + 'static,
    ) -> Self {
        self.configure = Box::new(configure);
        self
    }

    /// Starts the sidecar with the app, in the background.
    pub fn start_at_setup(mut self) -> Self {
        self.at_setup = true;
        self
    }

    /// Sets how many bytes are held back for a stream; [`HELD_BYTES`] unless set.
    pub fn held_bytes(mut self, limit: usize) -> Self {
        self.limits.held_bytes = limit;
        self
    }

    /// Sets how long a stream that has ended waits for listeners; [`LINGER`] unless set.
    pub fn linger(mut self, limit: Duration) -> Self {
        self.limits.linger = limit;
        self
    }

    /// Sets how many streams that have ended may wait at once; [`MAX_LINGERING`] unless set.
    pub fn max_lingering(mut self, limit: usize) -> Self {
        self.limits.max_lingering = limit;
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("at_setup", &self.at_setup)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
