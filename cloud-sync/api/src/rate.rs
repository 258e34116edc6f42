//! Token buckets: how often a token, or on open routes an address, may ask. Time is an argument.
//!
//! A bucket is kept as one number, the time at which it is full again (the generic cell rate algorithm of ATM networks).
//! It never limits a stop that has something to stop: see [`StopRule`].

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Which bucket a route draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Commands to base and head.
    Motion,
    /// Everything that only reads.
    Read,
    /// Everything else that writes.
    Write,
    /// Questions to a model.
    Chat,
    /// Frames of a paired robot.
    Sync,
    /// Routes without a token; counted by address.
    Open,
}

impl Rate {
    /// Number of kinds.
    pub const COUNT: usize = 6;
}

/// How often one kind of request is allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    interval_ns: u64,
    burst_ns: u64,
}

impl Limit {
    /// No limit.
    pub const OFF: Self = Self { interval_ns: 0, burst_ns: 0 };

    /// `per_s` a second, `burst` at once. Zero, negative or not a number: no limit. A burst is at least one.
    pub fn per_second(per_s: f64, burst: f64) -> Self {
        if per_s.is_nan() || per_s <= 0.0 {
            return Self::OFF;
        }
        // `as` saturates, which is the right thing for absurdly slow rates.
        let interval_ns = ((1e9 / per_s) as u64).max(1);
        let burst_ns = (interval_ns as f64 * burst.max(1.0)) as u64;
        Self { interval_ns, burst_ns }
    }

    /// `per_min` a minute, `burst` at once.
    pub fn per_minute(per_min: f64, burst: f64) -> Self {
        Self::per_second(per_min / 60.0, burst)
    }

    /// Takes one from a bucket that is full again at `full_ns`: its new value, or how long to wait in ns.
    fn take(self, full_ns: u64, now_ns: u64) -> Result<u64, u64> {
        if self.interval_ns == 0 {
            return Ok(full_ns);
        }
        let next_ns = full_ns.max(now_ns).saturating_add(self.interval_ns);
        let over_ns = (next_ns - now_ns).saturating_sub(self.burst_ns);
        if over_ns > 0 { Err(over_ns) } else { Ok(next_ns) }
    }
}

/// The limits of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Commands to base and head.
    pub motion: Limit,
    /// Reading.
    pub read: Limit,
    /// Writing.
    pub write: Limit,
    /// Questions to a model.
    pub chat: Limit,
    /// Frames of a paired robot.
    pub sync: Limit,
    /// Routes without a token.
    pub open: Limit,
}

impl Limits {
    /// What the contract says for a robot. `open` is our own choice: it lets a page load with all its files.
    pub fn robot() -> Self {
        Self {
            motion: Limit::per_second(100.0, 100.0),
            read: Limit::per_second(100.0, 100.0),
            write: Limit::per_second(50.0, 1000.0),
            chat: Limit::per_minute(30.0, 30.0),
            sync: Limit::OFF,
            open: Limit::per_second(100.0, 300.0),
        }
    }

    /// What the contract says for the cloud. `sync` and `open` are our own choice: a robot that catches up sends hundreds of
    /// frames, and is held back by the answers.
    pub fn cloud() -> Self {
        Self {
            motion: Limit::per_second(100.0, 100.0),
            read: Limit::per_minute(600.0, 600.0),
            write: Limit::per_minute(100.0, 100.0),
            chat: Limit::per_minute(30.0, 30.0),
            sync: Limit::per_second(100.0, 1000.0),
            open: Limit::per_second(100.0, 300.0),
        }
    }

    /// The limit of one kind.
    pub fn of(&self, rate: Rate) -> Limit {
        match rate {
            Rate::Motion => self.motion,
            Rate::Read => self.read,
            Rate::Write => self.write,
            Rate::Chat => self.chat,
            Rate::Sync => self.sync,
            Rate::Open => self.open,
        }
    }
}

/// The buckets of one token. Lock-free.
#[derive(Debug, Default)]
pub struct Buckets([AtomicU64; Rate::COUNT]);

impl Buckets {
    /// Takes one; `Err` says how many ns to wait.
    pub fn take(&self, rate: Rate, limit: Limit, now_ns: u64) -> Result<(), u64> {
        let bucket = &self.0[rate as usize];
        let mut full_ns = bucket.load(Ordering::Relaxed);
        loop {
            let next_ns = limit.take(full_ns, now_ns)?;
            match bucket.compare_exchange_weak(full_ns, next_ns, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(changed) => full_ns = changed,
            }
        }
    }
}

/// Addresses that are remembered at once.
const ADDRESSES_MAX: usize = 4096;

/// Buckets of addresses, bounded. When the table is full of addresses that still owe, all newcomers share one bucket:
/// nobody can make it forget somebody else, and it never grows.
#[derive(Debug, Default)]
pub struct AddressBuckets(Mutex<AddressTable>);

#[derive(Debug, Default)]
struct AddressTable {
    full_ns: HashMap<IpAddr, u64>,
    newcomers_full_ns: u64,
}

impl AddressBuckets {
    /// Takes one; `Err` says how many ns to wait.
    pub fn take(&self, address: IpAddr, limit: Limit, now_ns: u64) -> Result<(), u64> {
        // The table is whole after every step, so a panic elsewhere does not spoil it.
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_ns) = table.full_ns.get_mut(&address) {
            *full_ns = limit.take(*full_ns, now_ns)?;
            return Ok(());
        }
        if table.full_ns.len() >= ADDRESSES_MAX {
            // A full bucket says nothing that an absent one does not.
            table.full_ns.retain(|_, full_ns| *full_ns > now_ns);
        }
        if table.full_ns.len() >= ADDRESSES_MAX {
            table.newcomers_full_ns = limit.take(table.newcomers_full_ns, now_ns)?;
            return Ok(());
        }
        let full_ns = limit.take(0, now_ns)?;
        table.full_ns.insert(address, full_ns);
        Ok(())
    }
}

/// Stop and e-stop requests that one source may have acted on each second although nothing is left to stop.
const IDLE_STOPS_PER_S: f64 = 10.0;

/// The only limit on stop and e-stop: above 10/s from one source they are answered without acting, if nothing is left
/// to stop.
#[derive(Debug, Default)]
pub struct StopRule(AddressBuckets);

/// What to do with a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopVerdict {
    /// Act, then answer.
    Act,
    /// Answer from the present state.
    AnswerOnly,
}

impl StopRule {
    /// Decides. A stop that has something to stop always acts.
    pub fn decide(&self, source: IpAddr, left: Left, now_ns: u64) -> StopVerdict {
        let limit = Limit::per_second(IDLE_STOPS_PER_S, IDLE_STOPS_PER_S);
        let is_within = self.0.take(source, limit, now_ns).is_ok();
        if is_within || left == Left::Something { StopVerdict::Act } else { StopVerdict::AnswerOnly }
    }
}

/// Whether anything is left to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// A setpoint, a task, a lease, something open, or a stop that is not confirmed yet.
    Something,
    /// All is stopped, closed and confirmed.
    Nothing,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        // 50/s with a burst of 3: three at once, then one every 20 ms, and the wait is told.
        let limit = Limit::per_second(50.0, 3.0);
        let buckets = Buckets::default();
        for _ in 0..3 {
            assert_eq!(buckets.take(Rate::Write, limit, 0), Ok(()));
        }
        assert_eq!(buckets.take(Rate::Write, limit, 0), Err(20_000_000));
        assert_eq!(buckets.take(Rate::Write, limit, 19_999_999), Err(1));
        assert_eq!(buckets.take(Rate::Write, limit, 20_000_000), Ok(()));
        assert_eq!(buckets.take(Rate::Read, limit, 0), Ok(()), "kinds do not share");
    }

    #[test]
    fn zero_is_off() {
        // A limit of 0 in the configuration never refuses.
        let buckets = Buckets::default();
        for _ in 0..10_000 {
            assert_eq!(buckets.take(Rate::Motion, Limit::per_second(0.0, 5.0), 0), Ok(()));
        }
    }

    #[test]
    fn the_address_table_is_bounded_and_forgets_nobody_who_owes() {
        // A flood of addresses does not wipe out the bucket of one that is over its limit.
        let buckets = AddressBuckets::default();
        let limit = Limit::per_second(1.0, 1.0);
        assert_eq!(buckets.take(address(0), limit, 0), Ok(()));
        for number in 1..20_000 {
            buckets.take(address(number), limit, 0).ok();
        }
        assert!(buckets.take(address(0), limit, 0).is_err());
        assert_eq!(buckets.0.lock().unwrap().full_ns.len(), ADDRESSES_MAX);
        assert_eq!(
            buckets.take(address(30_000), limit, 2 * SECOND_NS),
            Ok(()),
            "room again once they are full"
        );
    }

    #[test]
    fn a_stop_with_something_to_stop_always_acts() {
        // Ten idle ones a second act, the eleventh is answered only; never so while something moves.
        let rule = StopRule::default();
        for _ in 0..10 {
            assert_eq!(rule.decide(address(1), Left::Nothing, 0), StopVerdict::Act);
        }
        assert_eq!(rule.decide(address(1), Left::Nothing, 0), StopVerdict::AnswerOnly);
        assert_eq!(rule.decide(address(1), Left::Something, 0), StopVerdict::Act);
        assert_eq!(rule.decide(address(2), Left::Nothing, 0), StopVerdict::Act);
        assert_eq!(rule.decide(address(1), Left::Nothing, SECOND_NS), StopVerdict::Act);
    }

    proptest! {
        #[test]
        fn never_more_than_burst_plus_rate(
            per_s in 1u32..200, burst in 1u32..50, gaps in prop::collection::vec(0u64..50_000_000, 1..300),
        ) {
            // Over any run of requests at most burst + rate * time pass.
            let limit = Limit::per_second(f64::from(per_s), f64::from(burst));
            let buckets = Buckets::default();
            let (mut now_ns, mut passed) = (0, 0u64);
            for gap in gaps {
                now_ns += gap;
                passed += u64::from(buckets.take(Rate::Motion, limit, now_ns).is_ok());
            }
            let allowed = f64::from(burst) + now_ns as f64 / 1e9 * f64::from(per_s) * 1.0001 + 1e-3;
            prop_assert!(passed as f64 <= allowed, "{passed} > {allowed}");
        }
    }
}
