//! What the Rust client costs beside the raw pipe: measure raw|client STREAMS COMMAND ARG…

mod client;
mod raw;

use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let streams = words[2].parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match words[1].as_str() {
            "raw" => Ok(raw::run(streams, &words[3..]).await?),
            _ => client::run(streams, &words[3..]).await,
        }
    })
}

/// The CPU time of this process in microseconds.
pub struct Usage(f64);

impl Usage {
    pub fn now() -> Self {
        // SAFETY: the call fills the struct, which may be all zeros.
        let usage = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            libc::getrusage(libc::RUSAGE_SELF, &mut usage);
            usage
        };
        let micros = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
        Self(micros(usage.ru_utime) + micros(usage.ru_stime))
    }
}

pub fn report(before: Usage, latencies: &[f64]) {
    let cpu = Usage::now().0 - before.0;
    println!("{}", serde_json::json!({ "cpu_us": cpu, "latencies_us": latencies }));
}

/// The microseconds since the time in a chunk's text.
pub fn since(text: &str) -> f64 {
    let sent: f64 = text.split(' ').next().and_then(|word| word.parse::<u128>().ok()).unwrap_or_default() as f64;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as f64;
    (now - sent) / 1e3
}
