//! The commands, under the names that pages call them by, and with parameters as they are there.

use llm_sidecar_client::protocol::{ChatRequest, CredentialChoice, ProviderInfo, SaveCredential, StreamRequest};
use llm_sidecar_client::{Object, Secret};
use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::{json, Value};
use tauri::{Runtime, State, Webview};

use crate::error::Error;
use crate::state::LlmSidecar;

/// A provider with a key in the system's keychain.
#[derive(Clone, Debug, Serialize)]
pub struct SavedProvider {
    provider: String,
    has_api_key: bool,
}

/// Lists every provider and every further configuration.
#[tauri::command]
pub async fn list_providers(sidecar: State<'_, LlmSidecar>) -> Result<Vec<ProviderInfo>, Error> {
    Ok(sidecar.client().await?.providers().list().await?.providers)
}

/// Makes a provider the one that is asked from now on, and returns its configuration without secrets.
#[tauri::command]
pub async fn set_active_provider(sidecar: State<'_, LlmSidecar>, config: Value) -> Result<Value, Error> {
    // The sidecar reads the configuration: it says what is wrong with one without showing its key.
    Ok(sidecar.client().await?.request("providers.set_active", json!({ "config": config })).await?)
}

/// Diagnoses a provider, free of charge; rejects with its first failure.
#[tauri::command]
pub async fn test_provider_connection(sidecar: State<'_, LlmSidecar>, config: Value) -> Result<Value, Error> {
    let result = sidecar.client().await?.request("providers.test", json!({ "config": config })).await?;
    match Error::diagnosed(&result) {
        None => Ok(result),
        Some(error) => Err(error),
    }
}

/// Begins a stream, and returns the id that its events have in their names.
#[tauri::command]
pub async fn stream_chat<R: Runtime>(
    webview: Webview<R>,
    sidecar: State<'_, LlmSidecar>,
    messages: Value,
    options: Option<Object>,
) -> Result<String, Error> {
    let request: StreamRequest = question(messages, options)?;
    let stream = sidecar.client().await?.chat().stream(request);
    Ok(sidecar.streams().begin(&webview, stream))
}

/// Ends a stream early; returns whether it was still going on.
#[tauri::command(rename_all = "snake_case")]
pub async fn cancel_stream(sidecar: State<'_, LlmSidecar>, stream_id: String) -> Result<bool, Error> {
    Ok(sidecar.streams().cancel(&stream_id))
}

/// Asks a question, and returns the text of the whole answer.
#[tauri::command]
pub async fn complete_chat(
    sidecar: State<'_, LlmSidecar>,
    messages: Value,
    options: Option<Object>,
) -> Result<String, Error> {
    let request: ChatRequest = question(messages, options)?;
    Ok(sidecar.client().await?.chat().complete(request).await?.text())
}

/// Keeps a key in the system's keychain.
#[tauri::command(rename_all = "snake_case")]
pub async fn save_api_key(sidecar: State<'_, LlmSidecar>, provider: String, api_key: Secret) -> Result<(), Error> {
    sidecar.client().await?.credentials().save(SaveCredential::new(provider, api_key)).await?;
    Ok(())
}

/// Returns as much of a saved key as may be shown.
#[tauri::command]
pub async fn get_api_key(sidecar: State<'_, LlmSidecar>, provider: String) -> Result<String, Error> {
    let state = sidecar.client().await?.credentials().get(CredentialChoice::new(provider)).await?;
    state.masked.ok_or_else(|| Error::new("credential_not_found", "No key is saved for this provider."))
}

/// Deletes a provider's keys, if there are any.
#[tauri::command]
pub async fn delete_api_key(sidecar: State<'_, LlmSidecar>, provider: String) -> Result<(), Error> {
    sidecar.client().await?.credentials().delete(CredentialChoice::new(provider)).await?;
    Ok(())
}

/// Lists the providers with saved keys.
#[tauri::command]
pub async fn list_saved_providers(sidecar: State<'_, LlmSidecar>) -> Result<Vec<SavedProvider>, Error> {
    let saved = sidecar.client().await?.credentials().list().await?.credentials;
    let saved = saved.into_iter().map(|info| SavedProvider { provider: info.provider, has_api_key: info.has_api_key });
    Ok(saved.collect())
}

/// Takes note that the page listens to an event; called by the script that the plugin adds to every page.
#[tauri::command]
pub(crate) async fn listening<R: Runtime>(
    webview: Webview<R>,
    sidecar: State<'_, LlmSidecar>,
    event: String,
) -> Result<(), Error> {
    sidecar.streams().listening(webview.label(), &event);
    Ok(())
}

/// The request that messages and options make together. The end of a stream has the message, and ids are the client's.
fn question<T: DeserializeOwned>(messages: Value, options: Option<Object>) -> Result<T, Error> {
    let mut request = options.unwrap_or_default();
    request.insert("messages".into(), messages);
    for taken in ["include_message", "stream_id"] {
        request.remove(taken);
    }
    T::deserialize(Value::Object(request))
        .map_err(|cause| Error::new("invalid_params", &format!("This cannot be asked: {cause}.")))
}
