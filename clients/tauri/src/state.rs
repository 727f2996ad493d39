//! The sidecar of an app.

use llm_sidecar_client::protocol::ClientInfo;
use llm_sidecar_client::Sidecar;
use tauri::{AppHandle, Manager, Runtime};
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::options::Options;
use crate::streams::Streams;

/// The sidecar of an app: started when it is first needed, closed when the app exits.
#[derive(Debug)]
pub struct LlmSidecar {
    options: llm_sidecar_client::Options,
    client: OnceCell<Sidecar>,
    streams: Streams,
}

impl LlmSidecar {
    pub(crate) fn new<R: Runtime>(app: &AppHandle<R>, options: &Options) -> Self {
        let package = app.package_info();
        let mut info = ClientInfo::from(package.name.as_str());
        info.version = Some(package.version.to_string());
        let mut client = llm_sidecar_client::Options::new(info);
        if let Ok(folder) = app.path().resource_dir() {
            client = client.resources(folder);
        }
        Self { options: (options.configure)(client), client: OnceCell::new(), streams: Streams::new(options.limits) }
    }

    /// The client of the sidecar, which is started by the first call.
    pub async fn client(&self) -> Result<&Sidecar, Error> {
        Ok(self.client.get_or_try_init(|| Sidecar::start(self.options.clone())).await?)
    }

    /// Ends the sidecar; within the client's `stop_grace` and its time for killing.
    pub(crate) async fn close(&self) {
        if let Some(client) = self.client.get() {
            client.close().await;
        }
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }
}
