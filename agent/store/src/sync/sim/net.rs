//! What lies between the robots and the cloud: it drops, doubles, delays and reorders frames, loses sessions with all that was
//! under way, and hangs up on a frame that is too large for it.

use std::collections::BTreeMap;

use super::chance::Chance;

/// Where a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// From this robot.
    Cloud(usize),
    /// To this robot.
    Robot(usize),
}

impl To {
    const fn robot(self) -> usize {
        match self {
            Self::Cloud(robot) | Self::Robot(robot) => robot,
        }
    }
}

/// The ways of this seed's network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ways {
    pub(super) drop_percent: u64,
    pub(super) double_percent: u64,
    pub(super) delay_ms: i64,
    /// Longest frame; a longer one costs the connection.
    pub(super) bytes_max: usize,
}

impl Ways {
    pub(super) const CLEAN: Self =
        Self { drop_percent: 0, double_percent: 0, delay_ms: 20, bytes_max: usize::MAX };

    pub(super) fn draw(chance: &mut Chance) -> Self {
        Self {
            drop_percent: chance.pick(&[0, 5, 20, 50]),
            double_percent: chance.pick(&[0, 5, 30]),
            delay_ms: chance.pick(&[20, 2_000, 20_000, 300_000]),
            bytes_max: chance.pick(&[usize::MAX, usize::MAX, 20_000, 1_500]),
        }
    }
}

/// The network.
pub(super) struct Net {
    pub(super) ways: Ways,
    chance: Chance,
    in_flight: BTreeMap<(i64, u64), (To, Vec<u8>)>,
    sent: u64,
    pub(super) dropped: u64,
    pub(super) doubled: u64,
}

impl Net {
    pub(super) fn new(ways: Ways, chance: Chance) -> Self {
        Self { ways, chance, in_flight: BTreeMap::new(), sent: 0, dropped: 0, doubled: 0 }
    }

    /// Puts a frame on its way. `false`: it was too large, and the connection is gone.
    pub(super) fn send(&mut self, now_ms: i64, to: To, bytes: Vec<u8>) -> bool {
        if bytes.len() > self.ways.bytes_max {
            self.dropped += 1;
            return false;
        }
        if self.chance.percent(self.ways.drop_percent) {
            self.dropped += 1;
            return true;
        }
        if self.chance.percent(self.ways.double_percent) {
            self.doubled += 1;
            self.put(now_ms, to, bytes.clone());
        }
        self.put(now_ms, to, bytes);
        true
    }

    fn put(&mut self, now_ms: i64, to: To, bytes: Vec<u8>) {
        let most = if self.chance.percent(60) { self.ways.delay_ms.min(100) } else { self.ways.delay_ms };
        let at_ms = now_ms + self.chance.ms(1, most);
        self.sent += 1;
        self.in_flight.insert((at_ms, self.sent), (to, bytes));
    }

    /// A connection of a robot ends: what is under way is lost, or comes late.
    pub(super) fn cut(&mut self, robot: usize) {
        let is_lost = self.chance.percent(70);
        let before = self.in_flight.len();
        if is_lost {
            self.in_flight.retain(|_, (to, _)| to.robot() != robot);
        }
        self.dropped += (before - self.in_flight.len()) as u64;
    }

    pub(super) fn next_ms(&self) -> Option<i64> {
        self.in_flight.keys().next().map(|(at_ms, _)| *at_ms)
    }

    /// What has arrived.
    pub(super) fn arrived(&mut self, now_ms: i64) -> Option<(To, Vec<u8>)> {
        let entry = self.in_flight.first_entry().filter(|entry| entry.key().0 <= now_ms)?;
        Some(entry.remove())
    }
}
