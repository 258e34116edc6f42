//! The stop that jumps every queue: three frames back to back, because an answer would come too late to wait for.

use firmware_bridge_link::message::{StopFrame, StopKind};

/// Frames of one stop.
const BURST: u8 = 3;

/// Stop frames that still have to go out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stops {
    burst: Option<StopFrame>,
    left: u8,
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

    pub(crate) fn next(&mut self) -> Option<StopFrame> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        self.burst
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
        let sent: Vec<_> = std::iter::from_fn(|| stops.next()).collect();
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
        while stops.next().is_some() {}
        stops.request(Stop, 2);
        assert_eq!(stops.next(), Some(StopFrame { id: 2, kind: Stop }));
    }
}
