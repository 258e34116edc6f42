//! The only source of chance: seeded, portable, the same on every machine.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// Seeded chance.
pub(super) struct Chance(Pcg32);

impl Chance {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(Pcg32::seed_from_u64(seed))
    }

    /// A source of its own, so that more draws in one place do not change another place.
    pub(super) fn fork(&mut self) -> Self {
        Self::seeded(self.bits())
    }

    /// Any 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        (u64::from(self.0.next_u32()) << 32) | u64::from(self.0.next_u32())
    }

    /// Any 128 bits.
    pub(super) fn id(&mut self) -> u128 {
        (u128::from(self.bits()) << 64) | u128::from(self.bits())
    }

    /// Evenly from `least` to `most`, both included.
    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.bits() % (most - least + 1)
    }

    /// Evenly from `least` to `most`, both included.
    pub(super) fn ms(&mut self, least: i64, most: i64) -> i64 {
        least + (self.bits() % (most - least + 1).unsigned_abs()).cast_signed()
    }

    /// A place among `count`.
    pub(super) fn place(&mut self, count: usize) -> usize {
        (self.bits() % count as u64) as usize
    }

    /// True in `percent` of a hundred draws.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.bits() % 100 < percent
    }

    /// One of several.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.place(of.len())]
    }
}
