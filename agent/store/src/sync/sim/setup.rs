//! What one seed is like, drawn before it starts.

use super::chance::Chance;
use super::net::Ways;

/// One seed's world.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) steps: u64,
    /// The user of each robot.
    pub(super) users: Vec<&'static str>,
    pub(super) ways: Ways,
    /// How much goes wrong beside the network: crashes, reboots, clocks, links, of 100 steps.
    pub(super) trouble_percent: u64,
    /// Gaps of up to 60 days, of 1,000 steps.
    pub(super) gaps_permille: u64,
    /// Copies of cards may be made.
    pub(super) has_copies: bool,
    /// Longest text, bytes.
    pub(super) text_bytes: usize,
    /// Notes to work at, at most: the fewer, the more often two meet.
    pub(super) notes: usize,
}

const ANN: &str = "ann";
const BOB: &str = "bob";

impl Setup {
    /// Most steps of a seed.
    pub(super) const STEPS_MAX: u64 = 200;

    pub(super) fn draw(chance: &mut Chance) -> Self {
        let robots = chance.between(1, 4) as usize;
        let has_two_users = chance.percent(40);
        let users =
            (0..robots).map(|_| if has_two_users && chance.percent(50) { BOB } else { ANN }).collect();
        Self {
            steps: chance.pick(&[40, 80, 120, Self::STEPS_MAX]),
            users,
            ways: Ways::draw(chance),
            trouble_percent: chance.pick(&[2, 10, 25]),
            gaps_permille: chance.pick(&[0, 20, 60]),
            has_copies: chance.percent(25),
            text_bytes: chance.pick(&[8, 8, 8, 200, 6_000]),
            notes: chance.pick(&[2, 5, 12]),
        }
    }
}
