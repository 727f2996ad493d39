//! Language models for Tauri apps: a plugin that runs llm-sidecar, and has commands and events for the front end.
//!
//! ```no_run
//! use tauri_plugin_llm_sidecar::{attach, with_chat_commands, Options};
//!
//! fn run<R: tauri::Runtime>(builder: tauri::Builder<R>, context: tauri::Context<R>) -> tauri::Result<()> {
//!     attach(builder, Options::new())
//!         .invoke_handler(with_chat_commands(tauri::generate_handler![]))
//!         .run(context)
//! }
//! ```

#![deny(missing_docs, unsafe_code)]

mod answer;
pub mod commands;
mod error;
mod holdback;
mod options;
mod state;
mod streams;

use std::sync::mpsc;
use std::time::Duration;

use tauri::ipc::Invoke;
use tauri::plugin::TauriPlugin;
use tauri::webview::PageLoadEvent;
use tauri::{AppHandle, Builder, Manager, RunEvent, Runtime, State, WindowEvent};

pub use crate::error::Error;
pub use crate::options::{Options, HELD_BYTES, LINGER, MAX_LINGERING};
pub use crate::state::LlmSidecar;
pub use llm_sidecar_client as client;

/// The name of the plugin, as permissions and prefixed commands have it.
pub const NAME: &str = "llm-sidecar";

/// How long an app that exits waits for its sidecar, which ends with the app in any case.
const EXIT_LIMIT: Duration = Duration::from_secs(10);

/// Adds the plugin to an app, and the script that lets it see what pages listen to.
pub fn attach<R: Runtime>(builder: Builder<R>, options: Options) -> Builder<R> {
    builder.append_invoke_initialization_script(include_str!("early.js")).plugin(plugin(options))
}

/// Adds the commands of a chat, without the prefix of a plugin, to the app's own.
///
/// An app that wants some of them names those instead:
///
/// ```
/// # fn handler<R: tauri::Runtime>() -> impl Fn(tauri::ipc::Invoke<R>) -> bool {
/// tauri::generate_handler![
///     tauri_plugin_llm_sidecar::commands::stream_chat,
///     tauri_plugin_llm_sidecar::commands::cancel_stream,
/// ]
/// # }
/// ```
pub fn with_chat_commands<R: Runtime>(
    own: impl Fn(Invoke<R>) -> bool + Send + Sync + 'static,
) -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    let chat = commands();
    move |invoke| {
        if CHAT_COMMANDS.contains(&invoke.message.command()) {
            chat(invoke)
        } else {
            own(invoke)
        }
    }
}

/// The sidecar of an app, for its own code.
pub trait LlmSidecarExt<R: Runtime> {
    /// The sidecar that the plugin runs; panics where the plugin was not attached.
    fn llm_sidecar(&self) -> State<'_, LlmSidecar>;
}

impl<R: Runtime, M: Manager<R>> LlmSidecarExt<R> for M {
    fn llm_sidecar(&self) -> State<'_, LlmSidecar> {
        self.state()
    }
}

/// What pages call without a prefix.
const CHAT_COMMANDS: [&str; 10] = [
    "list_providers",
    "set_active_provider",
    "test_provider_connection",
    "stream_chat",
    "cancel_stream",
    "complete_chat",
    "save_api_key",
    "get_api_key",
    "delete_api_key",
    "list_saved_providers",
];

fn commands<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        commands::list_providers,
        commands::set_active_provider,
        commands::test_provider_connection,
        commands::stream_chat,
        commands::cancel_stream,
        commands::complete_chat,
        commands::save_api_key,
        commands::get_api_key,
        commands::delete_api_key,
        commands::list_saved_providers,
        commands::listening,
    ]
}

fn plugin<R: Runtime>(options: Options) -> TauriPlugin<R> {
    tauri::plugin::Builder::new(NAME)
        .js_init_script(include_str!("observer.js"))
        .invoke_handler(commands())
        .setup(move |app, _| {
            app.manage(LlmSidecar::new(app, &options));
            if options.at_setup {
                start(app.clone());
            }
            Ok(())
        })
        .on_page_load(|webview, load| {
            // The page before this one has gone, with all that it listened to.
            if load.event() == PageLoadEvent::Started {
                webview.llm_sidecar().streams().forget_page(webview.label());
            }
        })
        .on_event(|app, event| match event {
            RunEvent::WindowEvent { label, event: WindowEvent::Destroyed, .. } => {
                app.llm_sidecar().streams().forget_window(label);
            }
            RunEvent::Exit => close(app.clone()),
            _ => {}
        })
        .build()
}

/// Starts the sidecar in the background; the first command tells of a failure.
fn start<R: Runtime>(app: AppHandle<R>) {
    tauri::async_runtime::spawn(async move {
        let _ = app.llm_sidecar().client().await;
    });
}

/// Ends the sidecar, and waits for that. The main thread may belong to a runtime, so it must not be blocked on by one.
fn close<R: Runtime>(app: AppHandle<R>) {
    let (done, closed) = mpsc::channel();
    tauri::async_runtime::spawn(async move {
        app.llm_sidecar().close().await;
        let _ = done.send(());
    });
    let _ = closed.recv_timeout(EXIT_LIMIT);
}
