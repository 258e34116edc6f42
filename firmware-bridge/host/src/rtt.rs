//! The last round trips to the MCU, for what people are shown and for the speed envelope.

/// Round trips that are kept.
const WINDOW: usize = 64;

/// A window over the newest [`WINDOW`] round trips. Fixed size: the gate's thread must not allocate.
#[derive(Clone, Debug)]
pub(crate) struct RttWindow {
    us: [u32; WINDOW],
    len: usize,
    next: usize,
}

impl RttWindow {
    pub(crate) const fn new() -> Self {
        Self { us: [0; WINDOW], len: 0, next: 0 }
    }

    pub(crate) fn add(&mut self, rtt_us: u64) {
        self.us[self.next] = u32::try_from(rtt_us).unwrap_or(u32::MAX);
        self.next = (self.next + 1) % WINDOW;
        self.len = (self.len + 1).min(WINDOW);
    }

    /// The value that `percent` of the window do not exceed, us; `None` before the first.
    pub(crate) fn percentile_us(&self, percent: usize) -> Option<u32> {
        let mut sorted = self.us;
        let sorted = &mut sorted[..self.len];
        sorted.sort_unstable();
        let rank = (self.len * percent).div_ceil(100).max(1) - 1;
        sorted.get(rank).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(added: impl IntoIterator<Item = u64>, percent: usize, want: Option<u32>) {
        let mut window = RttWindow::new();
        added.into_iter().for_each(|us| window.add(us));
        assert_eq!(window.percentile_us(percent), want);
    }

    #[test]
    fn percentiles_are_of_the_last_64() {
        check([], 50, None);
        check([7], 50, Some(7));
        check([7], 95, Some(7));
        check(1..=64, 50, Some(32));
        check(1..=64, 95, Some(61));
        check(1..=1000, 50, Some(968));
        check([u64::MAX], 95, Some(u32::MAX));
    }
}
