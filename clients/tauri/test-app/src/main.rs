//! Shows a page from a folder, and writes what the page reports to stdout, one JSON object a line.
//!
//! `llm-sidecar-test-app FOLDER PAGE SIDECAR [ARGUMENT…]`; a line on stdin, or its end, ends the app.

use std::borrow::Cow;
use std::env;
use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::{json, Value};
use tauri::utils::assets::{AssetKey, AssetsIter, CspHash};
use tauri::{App, AppHandle, Assets, Runtime, WebviewUrl, WebviewWindowBuilder};
use tauri_plugin_llm_sidecar::{attach, with_chat_commands, Options};

/// The files of a folder, read as they are asked for.
struct Folder(PathBuf);

impl<R: Runtime> Assets<R> for Folder {
    fn get(&self, key: &AssetKey) -> Option<Cow<'_, [u8]>> {
        let path = self.0.join(key.as_ref().trim_start_matches('/'));
        std::fs::read(path).ok().map(Cow::Owned)
    }

    fn iter(&self) -> Box<AssetsIter<'_>> {
        Box::new(std::iter::empty())
    }

    fn csp_hashes(&self, _page: &AssetKey) -> Box<dyn Iterator<Item = CspHash<'_>> + '_> {
        Box::new(std::iter::empty())
    }
}

/// Writes a finding of the page.
#[tauri::command]
fn report(step: String, finding: Value) {
    let mut stdout = io::stdout().lock();
    // The test may have gone.
    let _ = writeln!(stdout, "{}", json!({ "step": step, "finding": finding }));
    let _ = stdout.flush();
}

fn open<R: Runtime>(app: &App<R>, page: String) -> tauri::Result<()> {
    WebviewWindowBuilder::new(app, "main", WebviewUrl::App(page.into()))
        .title("llm-sidecar")
        .inner_size(1000.0, 700.0)
        .build()?;
    let app = app.handle().clone();
    std::thread::spawn(move || exit_with_stdin(&app));
    Ok(())
}

fn exit_with_stdin<R: Runtime>(app: &AppHandle<R>) {
    let _ = io::stdin().read_line(&mut String::new());
    app.exit(0);
}

fn main() {
    let mut arguments = env::args().skip(1);
    let mut next = || arguments.next().expect("FOLDER PAGE SIDECAR [ARGUMENT…]");
    let (folder, page, command) = (next(), next(), next());
    let sidecar_arguments: Vec<String> = arguments.collect();
    let options = Options::new().sidecar(move |options| options.command(&command).args(&sidecar_arguments));
    let mut context = tauri::generate_context!();
    context.set_assets(Box::new(Folder(folder.into())));
    attach(tauri::Builder::default(), options)
        .invoke_handler(with_chat_commands(tauri::generate_handler![report]))
        .setup(move |app| Ok(open(app, page)?))
        .run(context)
        .expect("the app runs");
}
