//! Reads the pipe with tokio's lines and `serde_json::Value`.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};

use crate::{report, since, Usage};

pub async fn run(streams: usize, command: &[String]) -> std::io::Result<()> {
    let mut sidecar =
        Command::new(&command[0]).args(&command[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = sidecar.stdin.take().expect("a pipe");
    let mut lines = BufReader::with_capacity(1 << 16, sidecar.stdout.take().expect("a pipe")).lines();
    ask(&mut stdin, &mut lines, 0, "initialize", r#"{"protocol_version":1,"client_info":{"name":"raw"}}"#).await?;
    for number in 1..=streams {
        let before = Usage::now();
        let params = format!(r#"{{"stream_id":"s{number}","messages":[{{"role":"user","content":"Go."}}]}}"#);
        let latencies = ask(&mut stdin, &mut lines, number, "chat.stream", &params).await?;
        report(before, &latencies);
    }
    drop(stdin);
    sidecar.wait().await.map(drop)
}

async fn ask(
    stdin: &mut ChildStdin,
    lines: &mut Lines<BufReader<ChildStdout>>,
    id: usize,
    method: &str,
    params: &str,
) -> std::io::Result<Vec<f64>> {
    let request = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#) + "\n";
    stdin.write_all(request.as_bytes()).await?;
    let mut latencies = Vec::new();
    while let Some(line) = lines.next_line().await? {
        let message: Value = serde_json::from_str(&line)?;
        if message["method"] == "stream.chunk" {
            latencies.push(since(message["params"]["delta"]["text"].as_str().unwrap_or_default()));
        } else if message["id"] == id {
            break;
        }
    }
    Ok(latencies)
}
