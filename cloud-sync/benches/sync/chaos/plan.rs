//! What happens in a round, and when: drawn from its seed.

use std::fmt;
use std::time::Duration;

use super::up_to;
use crate::stats::Chance;

/// How long people write, ms.
const LASTS_MS: (u64, u64) = (2_500, 4_500);
/// Faults of a round.
const FAULTS: (u64, u64) = (2, 5);

/// Whoever can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Agent,
    Cloud,
    Broker,
    Postgres,
}

/// A line between two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Robot to cloud, HTTP.
    Http,
    /// Robot and cloud to the broker.
    Mqtt,
}

/// How a line is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Delayed,
    Held,
    Cut,
    CutOnce,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Kill(Who),
    Start(Who),
    /// One of Postgres's processes: the server recovers by itself.
    KillABackend,
    Trouble(Way, Trouble),
    Mend(Way),
    /// The agent's disk takes no more.
    FillDisk,
    FreeDisk,
}

/// When, since the round began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) at: Duration,
    pub(crate) what: What,
}

/// A round.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) lasts: Duration,
    /// In order.
    pub(crate) events: Vec<Event>,
}

impl Plan {
    /// That of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let lasts = up_to(&mut chance, LASTS_MS.0, LASTS_MS.1);
        let mut events = Vec::new();
        for _ in 0..chance.within(FAULTS.0, FAULTS.1) {
            let at = up_to(&mut chance, 0, LASTS_MS.0 - 500);
            let over = at + up_to(&mut chance, 100, 2_000);
            let (what, end) = fault(&mut chance);
            events.push(Event { at, what });
            events.extend(end.map(|what| Event { at: over, what }));
        }
        events.sort_by_key(|event| event.at);
        events.retain(|event| event.at < lasts);
        Self { seed, lasts, events }
    }
}

/// A fault, and what ends it.
fn fault(chance: &mut Chance) -> (What, Option<What>) {
    let kill = |who| (What::Kill(who), Some(What::Start(who)));
    match chance.within(0, 15) {
        0..=3 => kill(Who::Agent),
        4..=6 => kill(Who::Cloud),
        7 | 8 => kill(Who::Broker),
        9 | 10 => kill(Who::Postgres),
        11 => (What::KillABackend, None),
        12 => (What::FillDisk, Some(What::FreeDisk)),
        _ => {
            let way = if chance.within(0, 1) == 0 { Way::Http } else { Way::Mqtt };
            match chance.within(0, 3) {
                0 => (What::Trouble(way, Trouble::Delayed), Some(What::Mend(way))),
                1 => (What::Trouble(way, Trouble::Held), Some(What::Mend(way))),
                2 => (What::Trouble(way, Trouble::Cut), Some(What::Mend(way))),
                _ => (What::Trouble(way, Trouble::CutOnce), None),
            }
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.lasts.as_secs_f64())?;
        for event in &self.events {
            write!(f, ", {:.1} {:?}", event.at.as_secs_f64(), event.what)?;
        }
        Ok(())
    }
}
