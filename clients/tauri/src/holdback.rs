//! The events of one stream, each kind held back until the page listens to it.

use std::mem;

use serde_json::value::RawValue;

/// A kind of event, in the order in which several are let go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Topic {
    Status,
    Event,
    Chunk,
    Complete,
    Error,
}

/// The longer prefixes first: the last one begins all of them.
const PREFIXES: [(&str, Topic); 5] = [
    ("chat-stream-status-", Topic::Status),
    ("chat-stream-event-", Topic::Event),
    ("chat-stream-complete-", Topic::Complete),
    ("chat-stream-error-", Topic::Error),
    ("chat-stream-", Topic::Chunk),
];

impl Topic {
    pub(crate) const ALL: [Self; 5] = [Self::Status, Self::Event, Self::Chunk, Self::Complete, Self::Error];

    /// The topic and the stream's id that an event's name stands for.
    pub(crate) fn parse(event: &str) -> Option<(Self, &str)> {
        PREFIXES.iter().find_map(|(prefix, topic)| Some((*topic, event.strip_prefix(prefix)?)))
    }

    /// The event's name for a stream.
    pub(crate) fn event(self, id: &str) -> String {
        let (prefix, _) = PREFIXES.iter().find(|(_, topic)| *topic == self).expect("each topic has a prefix");
        format!("{prefix}{id}")
    }

    /// Its bit in [`Topics`].
    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of topics.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Topics(u8);

impl Topics {
    pub(crate) fn insert(&mut self, topic: Topic) {
        self.0 |= topic.bit();
    }

    pub(crate) fn contains(self, topic: Topic) -> bool {
        self.0 & topic.bit() != 0
    }
}

/// The payload of an event, encoded.
pub(crate) type Payload = Box<RawValue>;

/// What becomes of the events of a topic.
#[derive(Debug)]
enum Gate {
    Closed(Vec<Payload>),
    Open,
    /// More was held than may be; the events of the topic are lost.
    GivenUp,
}

/// Holds back up to `limit` bytes.
#[derive(Debug)]
pub(crate) struct Holdback {
    gates: [Gate; Topic::ALL.len()],
    held_bytes: usize,
    limit: usize,
}

impl Holdback {
    pub(crate) fn new(limit: usize) -> Self {
        Self { gates: Topic::ALL.map(|_| Gate::Closed(Vec::new())), held_bytes: 0, limit }
    }

    /// Takes an event, and gives it back when it may be emitted at once.
    pub(crate) fn offer(&mut self, topic: Topic, payload: Payload) -> Option<Payload> {
        match &mut self.gates[topic as usize] {
            Gate::Open => return Some(payload),
            Gate::GivenUp => return None,
            Gate::Closed(held) => {
                if topic == Topic::Status {
                    self.held_bytes -= held.drain(..).map(|status| status.get().len()).sum::<usize>();
                }
                self.held_bytes += payload.get().len();
                held.push(payload);
            }
        }
        if self.held_bytes > self.limit {
            self.give_up(topic);
        }
        None
    }

    /// Lets go of the topics that are listened to now, each with its events in order.
    pub(crate) fn open(&mut self, topics: Topics) -> Vec<(Topic, Payload)> {
        let mut released = Vec::new();
        for topic in Topic::ALL.into_iter().filter(|topic| topics.contains(*topic)) {
            let held = self.shut(topic, Gate::Open);
            released.extend(held.into_iter().map(|payload| (topic, payload)));
        }
        released
    }

    /// Whether all was let go that is of use after the end, which a status is not.
    pub(crate) fn is_told(&self) -> bool {
        let held = |topic: &Topic| matches!(&self.gates[*topic as usize], Gate::Closed(held) if !held.is_empty());
        !Topic::ALL.iter().filter(|topic| **topic != Topic::Status).any(held)
    }

    fn give_up(&mut self, topic: Topic) {
        self.shut(topic, Gate::GivenUp);
    }

    /// Replaces a gate, and gives what it held.
    fn shut(&mut self, topic: Topic, gate: Gate) -> Vec<Payload> {
        let held = match mem::replace(&mut self.gates[topic as usize], gate) {
            Gate::Closed(held) => held,
            Gate::Open | Gate::GivenUp => Vec::new(),
        };
        self.held_bytes -= held.iter().map(|payload| payload.get().len()).sum::<usize>();
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 20;

    fn payload(text: &str) -> Payload {
        serde_json::value::to_raw_value(text).unwrap()
    }

    fn only(topic: Topic) -> Topics {
        let mut topics = Topics::default();
        topics.insert(topic);
        topics
    }

    fn texts(released: Vec<(Topic, Payload)>) -> Vec<(Topic, String)> {
        released.into_iter().map(|(topic, payload)| (topic, serde_json::from_str(payload.get()).unwrap())).collect()
    }

    #[test]
    fn events_wait_for_a_listener_and_come_in_order() {
        let mut holdback = Holdback::new(LIMIT);
        assert!(holdback.offer(Topic::Chunk, payload("a")).is_none());
        assert!(holdback.offer(Topic::Chunk, payload("b")).is_none());
        let released = texts(holdback.open(only(Topic::Chunk)));
        assert_eq!(released, [(Topic::Chunk, "a".to_owned()), (Topic::Chunk, "b".to_owned())]);
        assert_eq!(holdback.offer(Topic::Chunk, payload("c")).unwrap().get(), "\"c\"");
    }

    #[test]
    fn opening_twice_gives_nothing_twice() {
        let mut holdback = Holdback::new(LIMIT);
        holdback.offer(Topic::Complete, payload("end"));
        assert_eq!(holdback.open(only(Topic::Complete)).len(), 1);
        assert!(holdback.open(only(Topic::Complete)).is_empty());
        assert!(holdback.is_told());
    }

    #[test]
    fn chunks_are_let_go_before_the_end_of_their_stream() {
        let mut holdback = Holdback::new(LIMIT);
        holdback.offer(Topic::Complete, payload("end"));
        holdback.offer(Topic::Chunk, payload("a"));
        let mut topics = only(Topic::Complete);
        topics.insert(Topic::Chunk);
        let released = texts(holdback.open(topics));
        assert_eq!(released, [(Topic::Chunk, "a".to_owned()), (Topic::Complete, "end".to_owned())]);
    }

    #[test]
    fn a_kind_that_nobody_listens_to_holds_back_no_other() {
        let mut holdback = Holdback::new(LIMIT);
        holdback.open(only(Topic::Complete));
        assert!(holdback.offer(Topic::Event, payload("a")).is_none());
        assert!(holdback.offer(Topic::Complete, payload("end")).is_some());
        assert!(!holdback.is_told());
    }

    #[test]
    fn of_statuses_the_latest_is_held() {
        let mut holdback = Holdback::new(LIMIT);
        holdback.offer(Topic::Status, payload("connecting"));
        holdback.offer(Topic::Status, payload("thinking"));
        assert!(holdback.is_told());
        assert_eq!(texts(holdback.open(only(Topic::Status))), [(Topic::Status, "thinking".to_owned())]);
    }

    #[test]
    fn a_kind_that_exceeds_the_limit_is_dropped_whole_and_the_others_stay() {
        let mut holdback = Holdback::new(LIMIT);
        holdback.offer(Topic::Complete, payload("end"));
        holdback.offer(Topic::Chunk, payload("0123456789"));
        holdback.offer(Topic::Chunk, payload("0123456789"));
        assert!(holdback.offer(Topic::Chunk, payload("c")).is_none());
        let mut topics = only(Topic::Complete);
        topics.insert(Topic::Chunk);
        assert_eq!(texts(holdback.open(topics)), [(Topic::Complete, "end".to_owned())]);
        assert!(holdback.is_told());
    }

    #[test]
    fn each_kind_has_a_name_of_its_own() {
        for topic in Topic::ALL {
            assert_eq!(Topic::parse(&topic.event("s1")), Some((topic, "s1")));
        }
        assert_eq!(Topic::parse("chat-streams"), None);
    }
}
