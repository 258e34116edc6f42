//! Messages over which a broker ends the connection. Whoever sends such a one again and again would never have a connection:
//! after three times it is sent no more.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use tokio::time::Instant;

use super::{Delivery, Message};

/// Connections in a row that one message may cost.
const STRIKES_MAX: u32 = 3;
/// Messages that are sent no more; the oldest is tried again once there is one more.
const QUARANTINED_MAX: usize = 16;

/// Which messages wait for their acknowledgement, and which ones cost connections.
#[derive(Debug, Default)]
pub(super) struct Poison {
    /// Handed to the client, not yet on the wire.
    handed: VecDeque<u64>,
    /// On the wire, the oldest first.
    unacknowledged: VecDeque<(u16, u64, Instant)>,
    suspect: Option<(u64, u32)>,
    quarantined: VecDeque<u64>,
}

impl Poison {
    /// It has cost too many connections.
    pub(super) fn is_poisonous(&self, message: &Message) -> bool {
        !self.quarantined.is_empty() && self.quarantined.contains(&name_of(message))
    }

    /// The client gets it next.
    pub(super) fn handed(&mut self, message: &Message) {
        if message.delivery == Delivery::AtLeastOnce {
            self.handed.push_back(name_of(message));
        }
    }

    /// The client has put one with this number on the wire; 0 is one that is not acknowledged.
    pub(super) fn sent(&mut self, number: u16, now: Instant) {
        if number != 0
            && let Some(name) = self.handed.pop_front()
        {
            self.unacknowledged.push_back((number, name, now));
        }
    }

    /// The broker has this one.
    pub(super) fn acknowledged(&mut self, number: u16) {
        self.unacknowledged.retain(|(other, ..)| *other != number);
    }

    /// How long the oldest has waited.
    pub(super) fn oldest_waits(&self, now: Instant) -> Duration {
        self.unacknowledged.front().map_or(Duration::ZERO, |(.., since)| now - *since)
    }

    /// The connection is gone. Says whether a message is sent no more from now on.
    pub(super) fn lost(&mut self) -> bool {
        let head = self.unacknowledged.front().map(|(_, name, _)| *name);
        self.handed.clear();
        self.unacknowledged.clear();
        let Some(head) = head else { return false };
        let strikes = match self.suspect {
            Some((suspect, strikes)) if suspect == head => strikes + 1,
            _ => 1,
        };
        self.suspect = Some((head, strikes));
        if strikes < STRIKES_MAX {
            return false;
        }
        self.suspect = None;
        if self.quarantined.len() >= QUARANTINED_MAX {
            self.quarantined.pop_front();
        }
        self.quarantined.push_back(head);
        true
    }
}

fn name_of(message: &Message) -> u64 {
    let mut hasher = DefaultHasher::new();
    message.topic.hash(&mut hasher);
    message.payload.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::Bytes;

    fn message(payload: &'static str) -> Message {
        Message {
            topic: "t".to_owned(),
            payload: Bytes::from_static(payload.as_bytes()),
            delivery: Delivery::AtLeastOnce,
            retained: false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_message_that_costs_three_connections_is_sent_no_more() {
        let mut poison = Poison::default();
        let now = Instant::now();
        for turn in 1..=3 {
            assert!(!poison.is_poisonous(&message("bad")));
            for payload in ["bad", "good"] {
                poison.handed(&message(payload));
            }
            poison.sent(1, now);
            poison.sent(2, now);
            assert_eq!(poison.lost(), turn == 3);
        }
        assert!(poison.is_poisonous(&message("bad")));
        assert!(!poison.is_poisonous(&message("good")));
    }

    #[tokio::test(start_paused = true)]
    async fn connections_that_break_by_themselves_harm_nobody() {
        // Another message each time, or one that was acknowledged.
        let mut poison = Poison::default();
        let now = Instant::now();
        for payload in ["a", "b", "a", "b", "a", "b"] {
            poison.handed(&message(payload));
            poison.sent(1, now);
            assert!(!poison.lost());
        }
        for _ in 0..5 {
            poison.handed(&message("a"));
            poison.sent(7, now);
            poison.acknowledged(7);
            assert!(!poison.lost());
        }
        assert_eq!(poison.oldest_waits(now), Duration::ZERO);
    }
}
