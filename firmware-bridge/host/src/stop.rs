//! The stop that jumps every queue: three frames back to back, because an answer would come too late to wait for. The answer
//! still tells from when on the MCU's reports know of the stop.

use firmware_bridge_link::message::{StopFrame, StopKind};

/// Frames of one stop.
const BURST: u8 = 3;

/// Stops that may still be answered. They are repeated every 10 ms at most: an answer counts for longer than half a second.
const REMEMBERED: usize = 64;

/// Stop frames that still have to go out, and what has been heard of earlier ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stops {
    burst: Option<StopFrame>,
    left: u8,
    /// Ids that went out and when, host us; a ring.
    sent: [Option<(u16, u64)>; REMEMBERED],
    next: usize,
    answered_us: Option<u64>,
}

impl Stops {
    /// Three frames from now on. One that has not gone out yet becomes part of this one and keeps the stronger kind.
    ///
    /// `id` must be new: a stop that repeats the id of an earlier one could be taken for its duplicate after a human
    /// has cleared that one.
    pub(crate) fn request(&mut self, kind: StopKind, id: u16) {
        let waiting = self.burst.filter(|_| self.left > 0).map(|frame| frame.kind);
        let kind = if waiting == Some(StopKind::EStop) { StopKind::EStop } else { kind };
        self.burst = Some(StopFrame { id, kind });
        self.left = BURST;
    }

    pub(crate) fn waiting(&self) -> bool {
        self.left > 0
    }

    pub(crate) fn next(&mut self, now_us: u64) -> Option<StopFrame> {
        let frame = self.burst.filter(|_| self.left > 0)?;
        if self.left == BURST {
            self.sent[self.next] = Some((frame.id, now_us));
            self.next = (self.next + 1) % REMEMBERED;
        }
        self.left -= 1;
        Some(frame)
    }

    /// A reply came: the MCU has read the stop with this id, if there was one.
    pub(crate) fn answered(&mut self, id: u16) {
        if let Some(place) = self.sent.iter_mut().find(|sent| sent.is_some_and(|(sent_id, _)| sent_id == id))
        {
            let at_us = place.take().map(|(_, at_us)| at_us);
            self.answered_us = self.answered_us.max(at_us);
        }
    }

    /// When the newest stop that the MCU has answered went out, host us.
    pub(crate) const fn answered_us(&self) -> Option<u64> {
        self.answered_us
    }
}

impl Default for Stops {
    fn default() -> Self {
        Self { burst: None, left: 0, sent: [None; REMEMBERED], next: 0, answered_us: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StopKind::{EStop, Stop};

    #[track_caller]
    fn check(requests: &[StopKind], want: StopKind) {
        let mut stops = Stops::default();
        for (id, kind) in requests.iter().enumerate() {
            stops.request(*kind, id as u16);
        }
        let id = requests.len() as u16 - 1;
        let sent: Vec<_> = std::iter::from_fn(|| stops.next(0)).collect();
        assert_eq!(sent, [StopFrame { id, kind: want }; 3]);
        assert!(!stops.waiting());
    }

    #[test]
    fn a_stop_is_three_equal_frames_of_the_strongest_kind_waiting() {
        check(&[Stop], Stop);
        check(&[EStop], EStop);
        check(&[Stop, EStop], EStop);
        check(&[EStop, Stop], EStop);
        check(&[Stop, Stop, Stop, Stop], Stop);
    }

    #[test]
    fn a_stop_after_a_sent_estop_is_a_stop() {
        let mut stops = Stops::default();
        stops.request(EStop, 1);
        while stops.next(0).is_some() {}
        stops.request(Stop, 2);
        assert_eq!(stops.next(0), Some(StopFrame { id: 2, kind: Stop }));
    }

    #[test]
    fn the_newest_answered_stop_counts_and_answers_to_others_do_not() {
        let mut stops = Stops::default();
        for (id, now_us) in [(1, 100), (2, 200), (3, 300)] {
            stops.request(Stop, id);
            while stops.next(now_us).is_some() {}
        }
        for (id, want) in [(9, None), (2, Some(200)), (1, Some(200)), (3, Some(300)), (3, Some(300))] {
            stops.answered(id);
            assert_eq!(stops.answered_us(), want, "{id}");
        }
    }
}
