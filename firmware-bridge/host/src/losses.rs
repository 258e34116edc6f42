//! Counts everything that got lost on the way, so that a bad cable is seen before it stops the body.

/// What got lost, counted since the session was made; every count saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Motion telemetry missing by its sequence numbers.
    pub motion_frames: u32,
    /// Senses telemetry missing by its sequence numbers.
    pub senses_frames: u32,
    /// Frames from the MCU with a broken frame or checksum. A telemetry frame among them is also missing above.
    pub broken_frames: u32,
    /// Frames with a right checksum that held no message this end knows.
    pub unreadable_frames: u32,
    /// Frames from here that the MCU could not read, by its own count.
    pub mcu_frames: u32,
    /// Commands that had no answer after the last try.
    pub commands_unanswered: u32,
    /// Commands given up unanswered because the MCU restarted or the port was closed.
    pub commands_dropped: u32,
    /// Commands that the MCU answered with a refusal.
    pub commands_refused: u32,
    /// Setpoints that the MCU refused, by its own count.
    pub setpoints_refused: u32,
    /// Clock exchanges without an answer.
    pub exchanges: u32,
    /// Starts of the MCU that were noticed while the session knew an earlier one.
    pub restarts: u32,
}

/// Counts the gaps in one stream's sequence numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gaps {
    last: Option<u8>,
}

impl Gaps {
    /// Frames that must have come between the last one and this one. A number from the past (a duplicate) is none.
    pub(crate) fn before(&mut self, seq: u8) -> u32 {
        let ahead = self.last.map_or(1, |last| seq.wrapping_sub(last));
        if ahead == 0 || ahead > 127 {
            return 0;
        }
        self.last = Some(seq);
        u32::from(ahead - 1)
    }

    /// The stream starts anew.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }
}

/// A count that the MCU keeps and that starts again at zero with each of its lives.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct McuCount {
    earlier_lives: u32,
    this_life: u32,
}

impl McuCount {
    pub(crate) fn shows(&mut self, count: u32) {
        self.this_life = count;
    }

    pub(crate) fn restarted(&mut self) {
        self.earlier_lives = self.total();
        self.this_life = 0;
    }

    pub(crate) fn total(&self) -> u32 {
        self.earlier_lives.saturating_add(self.this_life)
    }
}

/// Adds to a count without ever wrapping.
pub(crate) fn count(counter: &mut u32, more: usize) {
    *counter = counter.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seqs: &[u8], want: u32) {
        let mut gaps = Gaps::default();
        assert_eq!(seqs.iter().map(|seq| gaps.before(*seq)).sum::<u32>(), want, "{seqs:?}");
    }

    #[test]
    fn gaps_are_what_is_missing_between_two_numbers() {
        check(&[], 0);
        check(&[200], 0);
        check(&[1, 2, 3], 0);
        check(&[254, 255, 0, 1], 0);
        check(&[1, 5], 3);
        check(&[250, 2], 7);
        check(&[1, 1, 1, 2], 0);
        check(&[5, 4, 5, 6], 0);
    }

    #[test]
    fn an_mcu_count_goes_on_after_a_restart() {
        let mut lost = McuCount::default();
        lost.shows(7);
        lost.restarted();
        assert_eq!(lost.total(), 7);
        lost.shows(2);
        assert_eq!(lost.total(), 9);
    }
}
