//! The only source of chance: seeded, portable, the same on every machine.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// Seeded chance.
pub(crate) struct Chance(Pcg32);

impl Chance {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Pcg32::seed_from_u64(seed))
    }

    /// A source of its own, so that more draws in one place do not change another place.
    pub(crate) fn fork(&mut self) -> Self {
        Self::seeded(self.bits())
    }

    /// Any 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        (u64::from(self.0.next_u32()) << 32) | u64::from(self.0.next_u32())
    }

    /// Evenly from `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.bits() % (most - least + 1)
    }

    /// A time between two numbers of milliseconds, us.
    pub(crate) fn ms(&mut self, least: u64, most: u64) -> u64 {
        self.between(least * 1000, most * 1000)
    }

    /// True in `percent` of a hundred draws.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.bits() % 100 < percent
    }

    /// True in `ppm` of a million draws.
    pub(crate) fn ppm(&mut self, ppm: u64) -> bool {
        ppm > 0 && self.bits() % 1_000_000 < ppm
    }

    /// Evenly from -1 to 1.
    pub(crate) fn signed(&mut self) -> f32 {
        self.between(0, 2_000_000) as f32 / 1e6 - 1.0
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.between(0, of.len() as u64 - 1) as usize]
    }
}
