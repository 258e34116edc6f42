//! Where one client stands in the row of events: what it missed comes from the store, what happens now from the feed, each
//! event once and in order.

use cloud_sync_protocol::event::{Event, EventKind, Replay};
use cloud_sync_protocol::store::{EventStore, Feed, Lost, Whose};
use futures_util::FutureExt;
use tokio::task::unconstrained;

use super::wish::AFTER_MAX;
use crate::problem::Problem;

/// One reader of a store's events.
#[derive(Debug)]
pub(super) struct Follower<'a, S, F> {
    store: &'a S,
    feed: F,
    whose: Whose,
    /// What the client asked for; none: silence.
    kinds: Vec<EventKind>,
    /// The newest event that the client has, or that was not for it. `None` before the first.
    position: Option<u64>,
    /// Events behind `position` are in the store, and not all of them in the feed.
    is_behind: bool,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// A message for the client.
    Event(String),
    /// Something was missed: see [`Follower::missed`].
    Behind,
    /// The program ends.
    Over,
}

/// Follows from now on, silently. The feed begins before anything is read from the store, so nothing falls between.
pub(super) fn follow<S: EventStore>(store: &S, whose: Whose) -> Follower<'_, S, impl Feed> {
    let feed = store.follow();
    Follower { store, feed, whose, kinds: Vec::new(), position: None, is_behind: false }
}

impl<S: EventStore, F: Feed> Follower<'_, S, F> {
    /// From now on these kinds, behind the event `after`, or with the next one. Gives what is still to be told of the kinds
    /// before.
    pub(super) fn subscribe(&mut self, kinds: Vec<EventKind>, after: Option<u64>) -> Vec<String> {
        let left = self.drain();
        self.kinds = kinds;
        if self.kinds.is_empty() {
            self.is_behind = false;
        } else if after.is_some() {
            self.position = after;
            self.is_behind = true;
        }
        left
    }

    /// What has happened already and stands in the feed: it is no news to a subscription that begins now.
    fn drain(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        // Unconstrained: "not ready" then means that there is nothing, and not that others shall run first.
        while let Some(Some(next)) = unconstrained(self.feed.next()).now_or_never() {
            match next {
                Ok((whose, event)) => left.extend(self.take(&whose, &event)),
                Err(Lost) => self.is_behind |= !self.kinds.is_empty(),
            }
        }
        left
    }

    /// Waits for the next event that is for the client. Dropping this future loses nothing.
    pub(super) async fn next(&mut self) -> Given {
        loop {
            match self.feed.next().await {
                None => return Given::Over,
                Some(Err(Lost)) if self.kinds.is_empty() => {}
                Some(Err(Lost)) => {
                    self.is_behind = true;
                    return Given::Behind;
                }
                Some(Ok((whose, event))) => {
                    if let Some(text) = self.take(&whose, &event) {
                        return Given::Event(text);
                    }
                }
            }
        }
    }

    /// The next messages for a client that has missed something; none once it has everything. Call until then.
    ///
    /// # Errors
    /// The store does not answer. The client is then unsubscribed: it would have a gap without knowing.
    pub(super) async fn missed(&mut self) -> Result<Vec<String>, Problem> {
        if !self.is_behind {
            return Ok(Vec::new());
        }
        // Before the first event nobody knows where we stand; nothing is that new, so the store answers with a reset.
        let after = self.position.unwrap_or(AFTER_MAX);
        match self.store.events_after(&self.whose, &self.kinds, after).await {
            Ok(Replay::Events(mut events)) => {
                events.retain(|event| event.id > after);
                self.position = events.last().map_or(self.position, |event| Some(event.id));
                self.is_behind = !events.is_empty();
                Ok(events.iter().map(message).collect())
            }
            Ok(Replay::Reset { newest }) => {
                self.position = Some(newest);
                self.is_behind = false;
                Ok(vec![format!(r#"{{"id":{newest},"type":"reset","data":null}}"#)])
            }
            Err(error) => {
                self.kinds.clear();
                self.is_behind = false;
                Err(error.into())
            }
        }
    }

    fn take(&mut self, whose: &Whose, event: &Event) -> Option<String> {
        // Each town counts for itself.
        if whose.town != self.whose.town {
            return None;
        }
        // The store may have told it already.
        if self.position.is_some_and(|position| event.id <= position) {
            return None;
        }
        self.position = Some(event.id);
        let is_theirs = whose.user.is_empty() || whose.user == self.whose.user;
        let is_for_them = is_theirs && self.kinds.contains(&event.kind);
        is_for_them.then(|| message(event))
    }
}

/// `data` is JSON already.
fn message(event: &Event) -> String {
    format!(r#"{{"id":{},"type":"{}","data":{}}}"#, event.id, event.kind.as_str(), event.data)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use cloud_sync_protocol::store::Stored;
    use proptest::prelude::*;

    use super::*;

    /// What is in a feed's buffer at most.
    const BUFFER: usize = 4;

    /// Keeps the newest events, and hands them to one feed that forgets what it cannot hold.
    #[derive(Clone, Debug, Default)]
    struct Row(Arc<Mutex<State>>);

    #[derive(Debug, Default)]
    struct State {
        newest: u64,
        all: Vec<(Whose, Event)>,
        kept: VecDeque<(Whose, Event)>,
        buffer: VecDeque<(Whose, Event)>,
        has_lost: bool,
    }

    fn whose(user: &str) -> Whose {
        Whose { town: "home".to_owned(), user: user.to_owned() }
    }

    impl Row {
        fn tell(&self, user: &str, kind: EventKind, kept: usize) {
            let mut state = self.0.lock().unwrap();
            state.newest += 1;
            let event = (whose(user), Event { id: state.newest, kind, data: "0".to_owned() });
            state.all.push(event.clone());
            state.kept.push_back(event.clone());
            while state.kept.len() > kept {
                state.kept.pop_front();
            }
            state.buffer.push_back(event);
            if state.buffer.len() > BUFFER {
                state.buffer.pop_front();
                state.has_lost = true;
            }
        }
    }

    impl EventStore for Row {
        async fn events_after(&self, whose: &Whose, kinds: &[EventKind], after: u64) -> Stored<Replay> {
            let state = self.0.lock().unwrap();
            if after > state.newest || after + (state.kept.len() as u64) < state.newest {
                return Ok(Replay::Reset { newest: state.newest });
            }
            let is_theirs = |other: &Whose| other.user.is_empty() || other.user == whose.user;
            let missed = state
                .kept
                .iter()
                .filter(|(other, event)| event.id > after && is_theirs(other) && kinds.contains(&event.kind));
            Ok(Replay::Events(missed.take(2).map(|(_, event)| event.clone()).collect()))
        }

        fn follow(&self) -> impl Feed + 'static {
            self.clone()
        }
    }

    impl Feed for Row {
        async fn next(&mut self) -> Option<Result<(Whose, Event), Lost>> {
            let next = {
                let mut state = self.0.lock().unwrap();
                if std::mem::take(&mut state.has_lost) {
                    return Some(Err(Lost));
                }
                state.buffer.pop_front()
            };
            match next {
                Some(next) => Some(Ok(next)),
                None => std::future::pending().await,
            }
        }
    }

    /// Everything that the client is told until nothing more is to be had.
    fn told<F: Feed>(follower: &mut Follower<'_, Row, F>, into: &mut Vec<String>) {
        while let Some(given) = follower.next().now_or_never() {
            match given {
                Given::Event(text) => into.push(text),
                Given::Behind => catch_up(follower, into),
                Given::Over => return,
            }
        }
    }

    fn catch_up<F: Feed>(follower: &mut Follower<'_, Row, F>, into: &mut Vec<String>) {
        loop {
            let missed = follower.missed().now_or_never().unwrap().unwrap();
            if missed.is_empty() {
                return;
            }
            into.extend(missed);
        }
    }

    fn id_and_type(text: &str) -> (u64, String) {
        let message: serde_json::Value = serde_json::from_str(text).unwrap();
        (message["id"].as_u64().unwrap(), message["type"].as_str().unwrap().to_owned())
    }

    proptest! {
        #[test]
        fn each_event_comes_once_and_in_order_or_a_reset_says_so(
            before in 0usize..12,
            after in prop::option::of(0u64..16),
            steps in prop::collection::vec((0usize..9, prop::bool::ANY), 1..20),
            kept in 1usize..12,
        ) {
            // Whatever the feed loses and however short the store remembers: ids rise, nothing of others comes, and every
            // note since the beginning is told unless a later reset covers it.
            let row = Row::default();
            let kinds = [EventKind::Note, EventKind::Personality];
            let users = ["ann", "", "bob"];
            let tell = |number: usize| row.tell(users[number % 3], kinds[number % 2], kept);
            (0..before).for_each(tell);
            let mut follower = follow(&row, whose("ann"));
            let mut got = follower.subscribe(vec![EventKind::Note], after);
            prop_assert!(got.is_empty());
            catch_up(&mut follower, &mut got);
            let begin = after.unwrap_or(before as u64);
            for (burst, listens) in steps {
                (0..burst).for_each(tell);
                if listens {
                    told(&mut follower, &mut got);
                }
            }
            told(&mut follower, &mut got);
            let got: Vec<(u64, String)> = got.iter().map(|text| id_and_type(text)).collect();
            let resets = got.iter().filter(|(_, kind)| kind == "reset").map(|(id, _)| *id);
            let last_reset = resets.max().unwrap_or(0);
            let ids: Vec<u64> = got.iter().map(|(id, _)| *id).collect();
            prop_assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{got:?}");
            prop_assert!(got.iter().all(|(_, kind)| kind == "note" || kind == "reset"), "{got:?}");
            let state = row.0.lock().unwrap();
            for (other, event) in state.all.iter().filter(|(_, event)| event.id > begin.max(last_reset)) {
                let is_wanted = event.kind == EventKind::Note && other.user != "bob";
                prop_assert_eq!(ids.contains(&event.id), is_wanted, "{:?} in {:?}", event, got);
            }
        }
    }
}
