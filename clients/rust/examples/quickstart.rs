//! The example of the README, with the command that its arguments give.

use llm_sidecar_client::{protocol::*, Error, Options, Sidecar};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let sidecar = Sidecar::start(Options::new("my-app").args(["--scripted"])).await?;
    sidecar.providers().set_active(SetActiveParams::new().config(ScriptedConfig::new())).await?;
    let mut answer = sidecar.chat().stream(StreamRequest::from("Hello!"));
    while let Some(text) = answer.texts().next().await {
        print!("{}", text?);
    }
    sidecar.close().await;
    Ok(())
}
