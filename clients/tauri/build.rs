//! Writes the permissions of the plugin's commands, and of all of them together.

const COMMANDS: &[&str] = &[
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
    "listening",
];

fn main() {
    tauri_plugin::Builder::new(COMMANDS).build();
}
