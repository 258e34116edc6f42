//! When a drive frame is sent, and which. Pure: time is an argument, in milliseconds.
//!
//! While a key counts as held: 20 frames a second, the first after a zero, because the robot starts from a stick at rest
//! only. Afterwards one zero, then silence. While the newest stamp of the robot is old, nothing is sent and nothing waits.

use serde_json::{Value, json};

use super::hold::Wish;
use crate::cli::state::Seen;

/// Between two frames.
pub(in crate::cli) const PERIOD_MS: u64 = 50;
/// With an older stamp nothing is sent.
const SEEN_AGE_MS_MAX: u64 = 300;
/// After a longer pause than this the robot wants a zero first (500 ms), and a key that was held all the while must not
/// start it again.
const PAUSE_MS_MAX: u64 = 400;
/// How long one frame may move the body: ten periods, since a piece that is lost on the way and sent again takes longer than
/// half of that.
const TTL_MS: u64 = 500;

/// Full speed for the held keys.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::cli) struct Speed {
    pub(in crate::cli) linear_mps: f64,
    pub(in crate::cli) angular_radps: f64,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) enum Turn {
    /// Nothing.
    Silent,
    /// Send these, in this order.
    Send(Vec<Value>),
    /// Too long a pause: what is held must be let go first.
    Block,
}

/// The sender of one run of `drive`.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Sender {
    seq: u64,
    /// When the newest frame of this motion went out. `None`: at rest, and the robot was told.
    moving_since_ms: Option<u64>,
}

impl Sender {
    /// The socket is a new one: its sequence and its stick start anew.
    pub(in crate::cli) fn opened(&mut self) {
        *self = Self::default();
    }

    /// What to send now. `seen` is the robot's newest stamp with its age.
    pub(in crate::cli) fn turn(
        &mut self,
        now_ms: u64,
        wish: Wish,
        speed: Speed,
        seen: Option<(&Seen, u64)>,
    ) -> Turn {
        let fresh = seen.filter(|(_, age_ms)| *age_ms <= SEEN_AGE_MS_MAX).map(|(seen, _)| seen);
        if wish == Wish::NONE {
            let was_moving = self.moving_since_ms.take().is_some();
            // Without a fresh stamp the zero would be refused, and the frame before ends by itself.
            return match fresh.filter(|_| was_moving) {
                Some(seen) => Turn::Send(vec![self.frame(Speed::default(), seen)]),
                None => Turn::Silent,
            };
        }
        let pause_ms = self.moving_since_ms.map(|sent_ms| now_ms.saturating_sub(sent_ms));
        let Some(seen) = fresh else {
            return if pause_ms.is_some_and(|pause_ms| pause_ms <= PAUSE_MS_MAX) {
                Turn::Silent
            } else {
                Turn::Block
            };
        };
        if pause_ms.is_some_and(|pause_ms| pause_ms > PAUSE_MS_MAX) {
            return Turn::Block;
        }
        let mut frames = Vec::with_capacity(2);
        if pause_ms.is_none() {
            frames.push(self.frame(Speed::default(), seen));
        }
        let wanted = Speed {
            linear_mps: speed.linear_mps * f64::from(wish.forward),
            angular_radps: speed.angular_radps * f64::from(wish.left),
        };
        frames.push(self.frame(wanted, seen));
        self.moving_since_ms = Some(now_ms);
        Turn::Send(frames)
    }

    fn frame(&mut self, speed: Speed, seen: &Seen) -> Value {
        self.seq += 1;
        json!({
            "seq": self.seq,
            "linear_mps": speed.linear_mps,
            "angular_radps": speed.angular_radps,
            "ttl_ms": TTL_MS,
            "seen": seen,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEED: Speed = Speed { linear_mps: 0.3, angular_radps: 1.0 };
    const AHEAD: Wish = Wish { forward: 1, left: 0 };

    fn seen() -> Seen {
        Seen { run: "00".into(), mono_ms: 1 }
    }

    /// Takes a turn; gives the speeds sent, or `None` for a block.
    fn turn(sender: &mut Sender, now_ms: u64, wish: Wish, age_ms: u64) -> Option<Vec<f64>> {
        match sender.turn(now_ms, wish, SPEED, Some((&seen(), age_ms))) {
            Turn::Silent => Some(Vec::new()),
            Turn::Send(frames) => {
                Some(frames.iter().map(|frame| frame["linear_mps"].as_f64().unwrap()).collect())
            }
            Turn::Block => None,
        }
    }

    #[test]
    fn starts_with_zero_and_ends_with_one_zero_then_silence() {
        let mut sender = Sender::default();
        assert_eq!(turn(&mut sender, 0, Wish::NONE, 0), Some(vec![]));
        assert_eq!(turn(&mut sender, 50, AHEAD, 0), Some(vec![0.0, 0.3]));
        assert_eq!(turn(&mut sender, 100, AHEAD, 0), Some(vec![0.3]));
        assert_eq!(turn(&mut sender, 150, Wish { forward: -1, left: 0 }, 0), Some(vec![-0.3]));
        assert_eq!(turn(&mut sender, 200, Wish::NONE, 0), Some(vec![0.0]));
        assert_eq!(turn(&mut sender, 250, Wish::NONE, 0), Some(vec![]));
    }

    #[test]
    fn sequence_rises_and_starts_anew_with_each_socket() {
        let mut sender = Sender::default();
        let Turn::Send(frames) = sender.turn(0, AHEAD, SPEED, Some((&seen(), 0))) else {
            panic!("nothing sent")
        };
        assert_eq!((frames[0]["seq"].as_u64(), frames[1]["seq"].as_u64()), (Some(1), Some(2)));
        assert_eq!(frames[1]["seen"]["run"], "00");
        sender.opened();
        let Turn::Send(frames) = sender.turn(50, AHEAD, SPEED, Some((&seen(), 0))) else {
            panic!("nothing sent")
        };
        assert_eq!((frames[0]["seq"].as_u64(), frames[0]["linear_mps"].as_f64()), (Some(1), Some(0.0)));
    }

    #[test]
    fn old_picture_sends_nothing() {
        // Whoever drives would not see where to.
        let mut sender = Sender::default();
        assert_eq!(turn(&mut sender, 0, AHEAD, 301), None, "a key pressed meanwhile must be pressed again");
        assert_eq!(turn(&mut sender, 50, AHEAD, 300), Some(vec![0.0, 0.3]));
        assert_eq!(
            turn(&mut sender, 100, Wish::NONE, 301),
            Some(vec![]),
            "not even the zero: it would be refused"
        );
        assert_eq!(turn(&mut sender, 150, Wish::NONE, 0), Some(vec![]));
        assert_eq!(sender.turn(200, AHEAD, SPEED, None), Turn::Block);
    }

    #[test]
    fn short_gap_drives_on_and_a_long_one_does_not() {
        // Wi-Fi hiccups are not worth a stop; a stick held through a real outage is.
        let mut sender = Sender::default();
        turn(&mut sender, 0, AHEAD, 0);
        assert_eq!(turn(&mut sender, 350, AHEAD, 310), Some(vec![]));
        assert_eq!(turn(&mut sender, 400, AHEAD, 10), Some(vec![0.3]));
        assert_eq!(turn(&mut sender, 801, AHEAD, 310), None);
        let mut frozen = Sender::default();
        turn(&mut frozen, 0, AHEAD, 0);
        assert_eq!(turn(&mut frozen, 401, AHEAD, 0), None, "this process itself was stopped");
    }
}
