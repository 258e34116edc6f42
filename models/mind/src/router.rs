//! Who is asked, who is asked next, and when: the fallback router as a state machine over events with their times. It reaches
//! nobody, waits for nothing and draws no random number: whoever drives it carries its actions out and tells it what happened.
//!
//! A request is routed by a [`flight`]: it asks one tier after the other, gives out whole sentences, and goes on with the next
//! tier where one breaks. Requests that ask the very same share a flight. What is known of a tier over time (whether it rests,
//! how fast it is, what it may still cost) stands in [`tier_state`].

use std::collections::BTreeMap;

mod attempt;
mod breaker;
mod budget;
mod cache;
mod chain;
mod config;
mod event;
mod flight;
mod joint;
mod latency;
mod sentence;
mod tier_state;
mod view;
mod words;

pub use breaker::Breaker;
pub use config::{Deadlines, Pieces, Price, RouterConfig, TierConfig};
pub use event::{Action, AttemptId, End, Event, Moment, RequestId, Wanted};
pub use view::TierView;

use cache::Key;
use chain::{Chain, FlightId};
use flight::Flight;

/// Requests under way; one more is told to come back.
const REQUESTS_MAX: usize = 256;
/// When.
const BUSY_FOR: Moment = Moment::from_secs(1);

/// The router. One owner drives it; what it keeps is bounded.
#[derive(Debug)]
pub struct Router {
    chain: Chain,
    flights: BTreeMap<FlightId, Flight>,
    /// What each request waits for.
    requests: BTreeMap<RequestId, FlightId>,
    /// Flights that others may join.
    shared: BTreeMap<Key, FlightId>,
    next_flight: FlightId,
}

impl Router {
    /// A router that knows nothing of its tiers yet.
    #[must_use]
    pub fn new(config: RouterConfig) -> Self {
        Self {
            chain: Chain::new(config),
            flights: BTreeMap::new(),
            requests: BTreeMap::new(),
            shared: BTreeMap::new(),
            next_flight: 1,
        }
    }

    /// Takes an event in and says what is to be done about it, in this order.
    ///
    /// What an attempt sends after one of its deadlines comes too late, even if no [`Event::Tick`] came in between.
    pub fn on(&mut self, event: Event, now: Moment) -> Vec<Action> {
        self.chain.now = self.chain.now.max(now);
        match event {
            Event::Asked { request, wanted } => self.asked(request, wanted),
            Event::Left { request } => self.left(request),
            Event::Connected { attempt } => self.with(attempt, |flight, _| flight.connected(attempt)),
            Event::Text { attempt, text } => {
                self.with(attempt, |flight, chain| flight.text(attempt, &text, chain))
            }
            Event::Call { attempt, call } => {
                self.with(attempt, |flight, chain| flight.call(attempt, call, chain))
            }
            Event::Finished { attempt, finish, usage } => {
                self.with(attempt, |flight, chain| flight.finished(attempt, finish, usage, chain));
            }
            Event::Failed { attempt, failure } => {
                self.with(attempt, |flight, chain| flight.failed(attempt, &failure, chain));
            }
            Event::Tick => self.tick(),
        }
        std::mem::take(&mut self.chain.actions)
    }

    /// When [`Event::Tick`] is due next. In the past: at once.
    #[must_use]
    pub fn wake_at(&self) -> Option<Moment> {
        self.flights.values().map(Flight::wake_at).min()
    }

    /// Every tier as it stands, in the order of the chain.
    #[must_use]
    pub fn view(&self, now: Moment) -> Vec<TierView> {
        let now = self.chain.now.max(now);
        self.chain.tiers.iter().map(|tier| tier.view(now)).collect()
    }

    fn asked(&mut self, request: RequestId, wanted: Wanted) {
        if self.requests.contains_key(&request) {
            return;
        }
        if self.requests.len() >= REQUESTS_MAX {
            let end = End::Nobody { why: Vec::new(), retry_after: Some(BUSY_FOR) };
            return self.chain.actions.push(Action::End { request, end });
        }
        let key = (!wanted.has_tools).then(|| (wanted.scope.clone(), wanted.digest));
        if let Some(id) = key.as_ref().and_then(|key| self.shared.get(key).copied())
            && let Some(flight) = self.flights.get_mut(&id)
        {
            flight.settle(&mut self.chain);
            if !flight.is_over() {
                flight.join(request, &mut self.chain);
                self.requests.insert(request, id);
                return;
            }
            self.forget(id);
        }
        let id = self.next_flight;
        self.next_flight += 1;
        let mut flight = Flight::new(id, request, wanted, &self.chain);
        flight.next(&mut self.chain);
        if flight.is_over() {
            return;
        }
        self.requests.insert(request, id);
        if let Some(key) = key {
            self.shared.insert(key, id);
        }
        self.flights.insert(id, flight);
    }

    fn left(&mut self, request: RequestId) {
        let Some(id) = self.requests.remove(&request) else { return };
        let Some(flight) = self.flights.get_mut(&id) else { return };
        flight.leave(request, &mut self.chain);
        self.forget(id);
    }

    /// Does something about an attempt, unless it is late by now.
    fn with(&mut self, attempt: AttemptId, event: impl FnOnce(&mut Flight, &mut Chain)) {
        let Some(id) = self.chain.flights.get(&attempt).copied() else { return };
        let Some(flight) = self.flights.get_mut(&id) else { return };
        flight.settle(&mut self.chain);
        if !flight.is_over() {
            event(flight, &mut self.chain);
        }
        self.forget(id);
    }

    fn tick(&mut self) {
        let due = |flight: &Flight| flight.wake_at() <= self.chain.now;
        let due: Vec<FlightId> =
            self.flights.iter().filter(|(_, flight)| due(flight)).map(|(id, _)| *id).collect();
        for id in due {
            if let Some(flight) = self.flights.get_mut(&id) {
                flight.settle(&mut self.chain);
            }
            self.forget(id);
        }
    }

    /// Forgets a flight that is over.
    fn forget(&mut self, id: FlightId) {
        if !self.flights.get(&id).is_some_and(Flight::is_over) {
            return;
        }
        let Some(flight) = self.flights.remove(&id) else { return };
        for request in flight.members() {
            self.requests.remove(request);
        }
        if let Some(key) = flight.shared_key() {
            self.shared.remove(key);
        }
    }
}
