//! Which arrow keys count as held. Pure: time is an argument, in milliseconds.
//!
//! Terminals that speak the kitty keyboard protocol say when a key is let go. All others say only that it was pressed, and
//! again, after 250 to 660 ms, that it repeats: there a key counts as held for a while after each.

/// After a first press, where nothing tells of the release: longer than any keyboard waits before it repeats.
const AFTER_PRESS_MS: u64 = 700;
/// After a repeat: longer than the pause between two.
const AFTER_REPEAT_MS: u64 = 150;
/// Where releases are told, a terminal that says nothing at all for so long while a key is held has been cut off: a
/// connection that froze must not leave the robot driving. A key that is held repeats all the time.
const RELEASE_LOST_MS: u64 = 2000;

/// Where an arrow key points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Arrow {
    Forward,
    Backward,
    Left,
    Right,
}

/// What the terminal tells of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Reports {
    /// Press, repeat and release.
    Releases,
    /// Presses only, repeats look the same.
    PressesOnly,
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Touch {
    Press,
    Repeat,
    Release,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Up,
    Held {
        until_ms: u64,
    },
    /// Held when motion was refused or stopped: it counts again only after it was let go.
    Blocked {
        until_ms: u64,
    },
}

/// The four arrow keys.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Keys {
    reports: Reports,
    keys: [Key; 4],
}

/// What the held keys ask for: each -1, 0 or 1. Forward and left are positive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Wish {
    pub(in crate::cli) forward: i8,
    pub(in crate::cli) left: i8,
}

impl Wish {
    pub(in crate::cli) const NONE: Self = Self { forward: 0, left: 0 };
}

impl Keys {
    pub(in crate::cli) const fn new(reports: Reports) -> Self {
        Self { reports, keys: [Key::Up; 4] }
    }

    /// The terminal told something of an arrow key.
    pub(in crate::cli) fn touch(&mut self, arrow: Arrow, touch: Touch, now_ms: u64) {
        self.expire(now_ms);
        let key = &mut self.keys[arrow as usize];
        *key = match self.reports {
            Reports::PressesOnly => pressed(*key, touch, now_ms),
            Reports::Releases => told(*key, touch, now_ms),
        };
        self.terminal_lives(now_ms);
    }

    /// The terminal told something of any other key: it is not cut off.
    pub(in crate::cli) fn terminal_lives(&mut self, now_ms: u64) {
        if self.reports == Reports::PressesOnly {
            return;
        }
        self.expire(now_ms);
        for key in &mut self.keys {
            if let Key::Held { until_ms } = key {
                *until_ms = now_ms + RELEASE_LOST_MS;
            }
        }
    }

    /// The window lost the focus: releases will go elsewhere.
    pub(in crate::cli) fn let_go(&mut self) {
        self.keys = [Key::Up; 4];
    }

    /// Motion was stopped or refused: what is held now counts again only after it was let go.
    pub(in crate::cli) fn block(&mut self, now_ms: u64) {
        self.expire(now_ms);
        for key in &mut self.keys {
            if matches!(key, Key::Held { .. }) {
                *key = Key::Blocked { until_ms: now_ms + AFTER_PRESS_MS };
            }
        }
    }

    /// A key is held that counts again only after it was let go.
    pub(in crate::cli) fn is_blocked(&mut self, now_ms: u64) -> bool {
        self.expire(now_ms);
        self.keys.iter().any(|key| matches!(key, Key::Blocked { .. }))
    }

    /// What the held keys ask for. Opposite keys cancel each other.
    pub(in crate::cli) fn wish(&mut self, now_ms: u64) -> Wish {
        self.expire(now_ms);
        let held = |arrow: Arrow| i8::from(matches!(self.keys[arrow as usize], Key::Held { .. }));
        Wish {
            forward: held(Arrow::Forward) - held(Arrow::Backward),
            left: held(Arrow::Left) - held(Arrow::Right),
        }
    }

    fn expire(&mut self, now_ms: u64) {
        for key in &mut self.keys {
            *key = match *key {
                Key::Held { until_ms } if now_ms >= until_ms => Key::Up,
                // Where releases are told, a blocked key waits for its release however long that takes.
                Key::Blocked { until_ms } if self.reports == Reports::PressesOnly && now_ms >= until_ms => {
                    Key::Up
                }
                other => other,
            };
        }
    }
}

fn pressed(key: Key, touch: Touch, now_ms: u64) -> Key {
    match (key, touch) {
        (_, Touch::Release) => Key::Up,
        (Key::Up, _) => Key::Held { until_ms: now_ms + AFTER_PRESS_MS },
        (Key::Held { .. }, _) => Key::Held { until_ms: now_ms + AFTER_REPEAT_MS },
        // Still the same stroke: it is over when nothing came for as long as a keyboard may wait.
        (Key::Blocked { .. }, _) => Key::Blocked { until_ms: now_ms + AFTER_PRESS_MS },
    }
}

fn told(key: Key, touch: Touch, now_ms: u64) -> Key {
    match (key, touch) {
        (_, Touch::Release) => Key::Up,
        (_, Touch::Press) => Key::Held { until_ms: now_ms + RELEASE_LOST_MS },
        // A repeat of a key whose press was not for us (focus came with the key down) starts nothing.
        (key, Touch::Repeat) => key,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOTHING: (i8, i8) = (0, 0);
    const AHEAD: (i8, i8) = (1, 0);

    fn wish(keys: &mut Keys, now_ms: u64) -> (i8, i8) {
        let wish = keys.wish(now_ms);
        (wish.forward, wish.left)
    }

    /// Presses the up key at these times, and looks at the wish at those.
    fn check(presses_ms: &[u64], looks: &[(u64, (i8, i8))]) {
        let mut keys = Keys::new(Reports::PressesOnly);
        let mut presses = presses_ms.iter().peekable();
        for (look_ms, expected) in looks {
            while let Some(press_ms) = presses.next_if(|press_ms| *press_ms <= look_ms) {
                keys.touch(Arrow::Forward, Touch::Press, *press_ms);
            }
            assert_eq!(wish(&mut keys, *look_ms), *expected, "at {look_ms} ms");
        }
    }

    #[test]
    fn a_tap_drives_700_ms() {
        // No terminal without the protocol can tell a tap from a held key earlier.
        check(&[1000], &[(999, NOTHING), (1000, AHEAD), (1699, AHEAD), (1700, NOTHING)]);
    }

    #[test]
    fn a_held_key_ends_150_ms_after_its_last_repeat() {
        // The first repeat comes after 500 ms, the others every 33 ms.
        check(&[0, 500, 533, 566], &[(499, AHEAD), (566, AHEAD), (715, AHEAD), (716, NOTHING)]);
    }

    #[test]
    fn a_slow_keyboard_drives_without_a_gap() {
        // 660 ms to the first repeat is the slowest that is common.
        check(
            &[0, 660, 760, 860],
            &[(659, AHEAD), (759, AHEAD), (859, AHEAD), (1009, AHEAD), (1010, NOTHING)],
        );
    }

    #[test]
    fn release_ends_at_once_where_it_is_told() {
        let mut keys = Keys::new(Reports::Releases);
        keys.touch(Arrow::Forward, Touch::Press, 0);
        keys.touch(Arrow::Left, Touch::Press, 10);
        assert_eq!(wish(&mut keys, 1500), (1, 1));
        keys.touch(Arrow::Forward, Touch::Release, 1500);
        assert_eq!(wish(&mut keys, 1500), (0, 1));
        keys.let_go();
        assert_eq!(wish(&mut keys, 1500), NOTHING, "the focus is gone, and with it the release");
        keys.touch(Arrow::Left, Touch::Repeat, 1510);
        assert_eq!(wish(&mut keys, 1510), NOTHING, "a repeat starts nothing");
    }

    #[test]
    fn a_terminal_that_was_cut_off_drives_no_further() {
        // ssh froze with the key down: its release never comes.
        let mut keys = Keys::new(Reports::Releases);
        keys.touch(Arrow::Forward, Touch::Press, 0);
        for repeat_ms in (500..3000).step_by(33) {
            keys.touch(Arrow::Forward, Touch::Repeat, repeat_ms);
        }
        keys.terminal_lives(3000);
        assert_eq!(wish(&mut keys, 4999), AHEAD);
        assert_eq!(wish(&mut keys, 5000), NOTHING);
    }

    #[test]
    fn opposite_keys_cancel_each_other() {
        let mut keys = Keys::new(Reports::Releases);
        for arrow in [Arrow::Forward, Arrow::Backward, Arrow::Right] {
            keys.touch(arrow, Touch::Press, 0);
        }
        assert_eq!(wish(&mut keys, 1), (0, -1));
    }

    #[test]
    fn a_key_that_was_held_through_a_stop_must_be_let_go() {
        // Otherwise the next repeat would drive on, right after somebody pressed stop.
        let mut keys = Keys::new(Reports::PressesOnly);
        keys.touch(Arrow::Forward, Touch::Press, 0);
        keys.block(100);
        for repeat_ms in [600, 633, 666, 1300, 1333] {
            keys.touch(Arrow::Forward, Touch::Press, repeat_ms);
            assert_eq!(wish(&mut keys, repeat_ms), NOTHING, "at {repeat_ms} ms");
            assert!(keys.is_blocked(repeat_ms));
        }
        keys.touch(Arrow::Forward, Touch::Press, 2033);
        assert_eq!(wish(&mut keys, 2033), AHEAD, "let go for 700 ms, pressed again");

        let mut keys = Keys::new(Reports::Releases);
        keys.touch(Arrow::Forward, Touch::Press, 0);
        keys.block(100);
        keys.touch(Arrow::Forward, Touch::Repeat, 60_000);
        assert_eq!(wish(&mut keys, 60_000), NOTHING);
        keys.touch(Arrow::Forward, Touch::Release, 60_001);
        keys.touch(Arrow::Forward, Touch::Press, 60_002);
        assert_eq!(wish(&mut keys, 60_002), AHEAD);
    }

    proptest! {
        #[test]
        fn whatever_is_typed_ends_by_itself(
            releases in any::<bool>(),
            strokes in prop::collection::vec((0u8..4, 0u8..4, 0u64..400), 0..60),
        ) {
            // No sequence of keys, and no lost release, leaves the robot driving for ever.
            let mut keys = Keys::new(if releases { Reports::Releases } else { Reports::PressesOnly });
            let mut now_ms = 0;
            for (arrow, touch, pause_ms) in strokes {
                now_ms += pause_ms;
                let arrow = [Arrow::Forward, Arrow::Backward, Arrow::Left, Arrow::Right][usize::from(arrow)];
                match touch {
                    0 => keys.touch(arrow, Touch::Press, now_ms),
                    1 => keys.touch(arrow, Touch::Repeat, now_ms),
                    2 => keys.touch(arrow, Touch::Release, now_ms),
                    _ => keys.block(now_ms),
                }
            }
            prop_assert_eq!(keys.wish(now_ms + RELEASE_LOST_MS), Wish::NONE);
        }
    }
}
