//! The only source of chance in the physics: seeded, portable, the same on every machine.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// Seeded noise.
#[derive(Clone, Debug)]
pub(crate) struct Noise(Pcg32);

impl Noise {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Pcg32::seed_from_u64(seed))
    }

    /// Evenly from 0 (included) to 1 (excluded).
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    /// About normal with the given standard deviation, never beyond 3.5 of them: the sum of four even draws.
    pub(crate) fn normal(&mut self, deviation: f64) -> f64 {
        let sum = self.share() + self.share() + self.share() + self.share();
        (sum - 2.0) * 3.0_f64.sqrt() * deviation
    }

    /// Any 32 bits.
    pub(crate) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }
}
