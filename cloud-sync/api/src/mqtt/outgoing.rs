//! What waits to be handed to the client, in the order in which it is. Bounded; what happens at a bound stands at each lane.

use std::collections::VecDeque;

use super::{Lane, Message, Unsent};

const URGENT_MAX: usize = 64;
const ORDINARY_MAX: usize = 256;
const KEPT_MAX: usize = 64;
/// Topics of which only the newest message counts. One more would be a mistake of ours; the oldest goes for it.
const SHOWN_MAX: usize = 16;

/// The queues.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    urgent: VecDeque<Message>,
    ordinary: VecDeque<Message>,
    kept: VecDeque<Message>,
    shown: VecDeque<Message>,
}

impl Outgoing {
    /// Adds one at the end of its lane.
    pub(super) fn add(&mut self, lane: Lane, message: Message) -> Result<(), Unsent> {
        let (queue, max) = match lane {
            Lane::Urgent => (&mut self.urgent, URGENT_MAX),
            Lane::Ordinary => (&mut self.ordinary, ORDINARY_MAX),
            Lane::Kept => (&mut self.kept, KEPT_MAX),
        };
        if queue.len() >= max {
            if lane != Lane::Kept {
                return Err(Unsent::Full);
            }
            queue.pop_front();
        }
        queue.push_back(message);
        Ok(())
    }

    /// Adds one in place of an older one of its topic.
    pub(super) fn show(&mut self, message: Message) {
        if let Some(older) = self.shown.iter_mut().find(|older| older.topic == message.topic) {
            *older = message;
            return;
        }
        if self.shown.len() >= SHOWN_MAX {
            self.shown.pop_front();
        }
        self.shown.push_back(message);
    }

    /// The next one to be sent.
    pub(super) fn next(&mut self) -> Option<Message> {
        self.urgent
            .pop_front()
            .or_else(|| self.kept.pop_front())
            .or_else(|| self.shown.pop_front())
            .or_else(|| self.ordinary.pop_front())
    }

    /// The connection is gone: what is only good while one lasts is gone with it.
    pub(super) fn lost(&mut self) {
        self.urgent.clear();
        self.ordinary.clear();
        self.shown.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::{Bytes, Delivery};

    fn message(topic: &str, payload: &'static str) -> Message {
        Message {
            topic: topic.to_owned(),
            payload: Bytes::from_static(payload.as_bytes()),
            delivery: Delivery::AtMostOnce,
            retained: false,
        }
    }

    fn drained(outgoing: &mut Outgoing) -> Vec<Bytes> {
        std::iter::from_fn(|| outgoing.next()).map(|message| message.payload).collect()
    }

    #[test]
    fn what_ends_something_goes_first_and_only_the_newest_state_goes_at_all() {
        let mut outgoing = Outgoing::default();
        outgoing.add(Lane::Ordinary, message("result", "1")).unwrap();
        outgoing.show(message("state", "old"));
        outgoing.show(message("state", "new"));
        outgoing.add(Lane::Kept, message("event", "2")).unwrap();
        outgoing.add(Lane::Urgent, message("stop", "3")).unwrap();
        assert_eq!(drained(&mut outgoing), ["3", "2", "new", "1"]);
    }

    #[test]
    fn a_lost_connection_leaves_what_is_kept() {
        let mut outgoing = Outgoing::default();
        for lane in [Lane::Urgent, Lane::Ordinary] {
            outgoing.add(lane, message("a", "gone")).unwrap();
        }
        outgoing.show(message("state", "gone"));
        outgoing.add(Lane::Kept, message("event", "kept")).unwrap();
        outgoing.lost();
        assert_eq!(drained(&mut outgoing), ["kept"]);
    }

    #[test]
    fn a_full_lane_refuses_the_newest_or_forgets_the_oldest() {
        let mut outgoing = Outgoing::default();
        for _ in 0..ORDINARY_MAX {
            outgoing.add(Lane::Ordinary, message("a", "first")).unwrap();
        }
        assert_eq!(outgoing.add(Lane::Ordinary, message("a", "late")), Err(Unsent::Full));
        outgoing.add(Lane::Kept, message("event", "oldest")).unwrap();
        for _ in 0..KEPT_MAX {
            outgoing.add(Lane::Kept, message("event", "newer")).unwrap();
        }
        let left = drained(&mut outgoing);
        assert_eq!(left.len(), ORDINARY_MAX + KEPT_MAX);
        assert!(!left.contains(&Bytes::from_static(b"oldest")));
    }
}
