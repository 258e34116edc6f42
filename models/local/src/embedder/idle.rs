//! A value that is made when it is needed and given back after a while without use. Time is an argument.

use std::time::{Duration, Instant};

/// The value, while it is there.
#[derive(Debug)]
pub(super) struct Idle<T> {
    value: Option<T>,
    used_at: Instant,
    keep: Duration,
}

impl<T> Idle<T> {
    /// Nothing yet; a value will be kept for `keep` after each use.
    pub(super) fn new(keep: Duration, now: Instant) -> Self {
        Self { value: None, used_at: now, keep }
    }

    /// The value, made if it is not there.
    pub(super) fn get<E>(&mut self, now: Instant, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        self.used_at = now;
        match &mut self.value {
            Some(value) => Ok(value),
            empty => Ok(empty.insert(make()?)),
        }
    }

    /// It was used until now.
    pub(super) fn used(&mut self, now: Instant) {
        self.used_at = now;
    }

    /// How long it will still be kept; `None` when nothing is there.
    pub(super) fn time_left(&self, now: Instant) -> Option<Duration> {
        self.value.as_ref()?;
        Some(self.keep.saturating_sub(now.saturating_duration_since(self.used_at)))
    }

    /// Takes the value out once its time is over.
    pub(super) fn take_unused(&mut self, now: Instant) -> Option<T> {
        if self.time_left(now)? > Duration::ZERO {
            return None;
        }
        self.value.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_secs(300);

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn it_is_made_once_and_given_back_five_minutes_after_its_last_use() {
        let start = Instant::now();
        let mut idle = Idle::new(KEEP, start);
        assert_eq!(idle.time_left(start), None);
        let mut made = 0;
        for seconds in [0, 10] {
            let value = idle.get(at(start, seconds), || {
                made += 1;
                Ok::<_, ()>("model")
            });
            assert_eq!(value, Ok(&"model"));
        }
        assert_eq!(made, 1);
        idle.used(at(start, 20));
        assert_eq!(idle.time_left(at(start, 50)), Some(Duration::from_secs(270)));
        assert_eq!(idle.take_unused(at(start, 319)), None);
        assert_eq!(idle.take_unused(at(start, 320)), Some("model"));
        assert_eq!(idle.time_left(at(start, 320)), None);
    }

    #[test]
    fn a_value_that_could_not_be_made_is_tried_again() {
        let start = Instant::now();
        let mut idle = Idle::new(KEEP, start);
        assert_eq!(idle.get(start, || Err::<u8, _>("no weights")), Err("no weights"));
        assert_eq!(idle.get(start, || Ok::<_, &str>(7)), Ok(&7));
    }
}
