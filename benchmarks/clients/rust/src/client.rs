//! Reads the same through the client.

use llm_sidecar_client::{Options, Sidecar};

use crate::{report, since, Usage};

pub async fn run(streams: usize, command: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let sidecar = Sidecar::start(Options::new("measure").command(&command[0]).args(&command[1..])).await?;
    for _ in 0..streams {
        let mut latencies = Vec::new();
        let before = Usage::now();
        let mut stream = sidecar.chat().stream("Go.".into());
        let mut texts = stream.texts();
        while let Some(text) = texts.next().await {
            latencies.push(since(&text?));
        }
        stream.result().await?;
        report(before, &latencies);
    }
    sidecar.close().await;
    Ok(())
}
