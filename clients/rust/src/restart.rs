//! When a sidecar that has gone is started anew, and what it is told then.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::raw::RawJson;
use crate::wire;

/// A process that ended sooner than this after its handshake has failed.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);
/// How long the second try in a row is put off; further ones twice as long each.
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(8);
/// After so many failures in a row there is a pause.
const MAX_FAILURES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(30);

/// How often in a row the sidecar has failed, and when it did last.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    count: u32,
    last: Option<Instant>,
}

impl Failures {
    /// Takes note of a process that has gone.
    pub(crate) fn ended(&mut self, opened: Option<Instant>, ended: Instant) {
        let healthy = opened.is_some_and(|opened| ended.duration_since(opened) >= HEALTHY_AFTER);
        self.count = if healthy { 0 } else { self.count + 1 };
        self.last = Some(ended);
    }

    /// When the next try may be; `None` if it must not be yet.
    pub(crate) fn next_try(&self, now: Instant) -> Option<Instant> {
        let last = self.last.unwrap_or(now);
        match self.count {
            0 | 1 => Some(now),
            count if count < MAX_FAILURES => Some(last + (FIRST_DELAY * (1 << (count - 2))).min(LONGEST_DELAY)),
            _ => (now >= last + PAUSE).then_some(now),
        }
    }
}

/// What was configured through the client, as far as it still holds.
#[derive(Debug, Default)]
pub(crate) struct Configurations {
    made: Vec<(String, RawJson)>,
    active: Option<String>,
    /// The active one was configured by being made active.
    active_by_config: bool,
}

#[derive(Deserialize)]
struct Params {
    config: Option<RawJson>,
    provider: Option<String>,
}

#[derive(Deserialize)]
struct Config {
    id: Option<String>,
    provider: String,
}

impl Configurations {
    /// Takes note of a call that has succeeded.
    pub(crate) fn note(&mut self, method: &str, params: &RawValue) {
        let read = |params: &RawValue| serde_json::from_str::<Params>(params.get()).unwrap_or(Params::NONE);
        match method {
            "providers.configure" => drop(read(params).config.and_then(|config| self.make(config))),
            "providers.set_active" => self.activate(read(params)),
            "providers.remove" => self.remove(read(params).provider.as_deref()),
            _ => {}
        }
    }

    fn make(&mut self, config: RawJson) -> Option<String> {
        let Config { id, provider } = config.decode().ok()?;
        let id = id.unwrap_or(provider);
        match self.made.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known = config,
            None => self.made.push((id.clone(), config)),
        }
        Some(id)
    }

    fn activate(&mut self, params: Params) {
        self.active_by_config = params.config.is_some();
        self.active = match params.config {
            Some(config) => self.make(config),
            None => params.provider,
        };
    }

    fn remove(&mut self, id: Option<&str>) {
        self.made.retain(|(known, _)| Some(known.as_str()) != id);
        if self.active.as_deref() == id {
            self.active = None;
        }
    }

    /// The calls that make them again, in order.
    pub(crate) fn calls(&self) -> Vec<(&'static str, Box<RawValue>)> {
        let with = |config: &RawJson| wire::encode(&BTreeMap::from([("config", config)]));
        let active = self.active.as_deref();
        let by_config = |id: &str| self.active_by_config && active == Some(id);
        let made = self.made.iter().filter(|(id, _)| !by_config(id));
        let mut calls: Vec<_> = made.map(|(_, config)| ("providers.configure", with(config))).collect();
        let activation = active.map(|id| match self.made.iter().find(|(known, _)| by_config(known)) {
            Some((_, config)) => with(config),
            None => wire::encode(&BTreeMap::from([("provider", id)])),
        });
        calls.extend(activation.map(|params| ("providers.set_active", params)));
        calls
    }
}

impl Params {
    const NONE: Self = Self { config: None, provider: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long the try after so many early ends in a row is put off; `None` if it is refused.
    fn delay(count: u32, waited: Duration) -> Option<Duration> {
        let mut failures = Failures::default();
        let ended = Instant::now();
        (0..count).for_each(|_| failures.ended(None, ended));
        failures.next_try(ended + waited).map(|due| due.saturating_duration_since(ended + waited))
    }

    #[test]
    fn each_failure_in_a_row_puts_the_next_try_off_further() {
        let delays: Vec<_> = (1..5).map(|count| delay(count, Duration::ZERO)).collect();
        assert_eq!(delays, [0, 250, 500, 1000].map(|delay| Some(Duration::from_millis(delay))));
    }

    #[test]
    fn after_five_failures_there_is_a_pause() {
        assert_eq!(delay(MAX_FAILURES, PAUSE - Duration::from_millis(1)), None);
        assert_eq!(delay(MAX_FAILURES, PAUSE), Some(Duration::ZERO));
    }

    #[test]
    fn a_process_that_lived_long_enough_has_not_failed() {
        let mut failures = Failures::default();
        let ended = Instant::now() + HEALTHY_AFTER;
        (0..MAX_FAILURES).for_each(|_| failures.ended(None, ended));
        failures.ended(Some(ended - HEALTHY_AFTER), ended);
        assert_eq!(failures.next_try(ended), Some(ended));
        assert_eq!(failures.count, 0);
    }

    fn made(calls: &[(&str, &str)]) -> Vec<String> {
        let mut configurations = Configurations::default();
        for (method, params) in calls {
            configurations.note(method, &RawValue::from_string((*params).to_owned()).expect("JSON"));
        }
        configurations.calls().into_iter().map(|(method, params)| format!("{method} {params}")).collect()
    }

    #[test]
    fn configurations_are_made_again_as_they_were_last() {
        let calls = made(&[
            ("providers.configure", r#"{"config":{"provider":"openai","id":"a","model":"old"}}"#),
            ("providers.configure", r#"{"config":{"provider":"xai"}}"#),
            ("providers.configure", r#"{"config":{"provider":"openai","id":"a","model":"new"}}"#),
            ("providers.set_active", r#"{"provider":"a"}"#),
        ]);
        assert_eq!(
            calls,
            [
                r#"providers.configure {"config":{"provider":"openai","id":"a","model":"new"}}"#,
                r#"providers.configure {"config":{"provider":"xai"}}"#,
                r#"providers.set_active {"provider":"a"}"#,
            ]
        );
    }

    #[test]
    fn what_was_configured_by_being_made_active_is_so_again() {
        let active = r#"{"config":{"provider":"openai","x":1.50}}"#;
        assert_eq!(made(&[("providers.set_active", active)]), [format!("providers.set_active {active}")]);
    }

    #[test]
    fn what_was_removed_is_not_made_again() {
        let config = r#"{"config":{"provider":"openai"}}"#;
        let remove = r#"{"provider":"openai"}"#;
        assert_eq!(made(&[("providers.set_active", config), ("providers.remove", remove)]), [""; 0]);
    }
}
