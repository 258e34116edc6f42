//! The wire from the MCU to the host, with its faults: silence, garbage, flipped, lost and doubled bytes.

use crate::physics::Noise;

/// Most random bytes put on the wire at once.
const GARBAGE_AT_ONCE: u32 = 256;
const MILLION: f64 = 1e6;

/// What happens to the bytes the MCU sends.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    noise: Noise,
    silent_until_us: u64,
    garbage_bytes: u32,
    pub(crate) corrupt_ppm: u32,
    pub(crate) drop_ppm: u32,
    pub(crate) duplicate_ppm: u32,
}

impl Wire {
    pub(crate) fn new(noise: Noise) -> Self {
        Self { noise, silent_until_us: 0, garbage_bytes: 0, corrupt_ppm: 0, drop_ppm: 0, duplicate_ppm: 0 }
    }

    pub(crate) fn silence_until(&mut self, until_us: u64) {
        self.silent_until_us = until_us;
    }

    pub(crate) fn add_garbage(&mut self, bytes: u32) {
        self.garbage_bytes = self.garbage_bytes.saturating_add(bytes);
    }

    pub(crate) fn heal(&mut self) {
        *self = Self::new(self.noise.clone());
    }

    pub(crate) fn is_silent(&self, now_us: u64) -> bool {
        now_us < self.silent_until_us
    }

    /// Adds random bytes that are due; false when there are none.
    pub(crate) fn send_garbage(&mut self, out: &mut Vec<u8>) -> bool {
        let count = self.garbage_bytes.min(GARBAGE_AT_ONCE);
        self.garbage_bytes -= count;
        for _ in 0..count {
            out.push(self.noise.bits() as u8);
        }
        count > 0
    }

    /// Adds the bytes of a frame as they arrive at the other end.
    pub(crate) fn send(&mut self, frame: &[u8], out: &mut Vec<u8>) {
        if self.corrupt_ppm == 0 && self.drop_ppm == 0 && self.duplicate_ppm == 0 {
            out.extend_from_slice(frame);
            return;
        }
        for &byte in frame {
            if self.happens(self.drop_ppm) {
                continue;
            }
            let flipped = if self.happens(self.corrupt_ppm) { 1 << (self.noise.bits() % 8) } else { 0 };
            out.push(byte ^ flipped);
            if self.happens(self.duplicate_ppm) {
                out.push(byte ^ flipped);
            }
        }
    }

    fn happens(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.noise.share() * MILLION < f64::from(ppm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends 100,000 bytes and returns what arrived.
    fn arrived(spoil: impl FnOnce(&mut Wire)) -> Vec<u8> {
        let mut wire = Wire::new(Noise::seeded(3));
        spoil(&mut wire);
        let mut out = Vec::new();
        for _ in 0..1000 {
            wire.send(&[0x55; 100], &mut out);
        }
        out
    }

    #[test]
    fn faults_hit_the_share_of_bytes_that_was_asked_for() {
        // A test that asks for one byte in a hundred gets about that many, whatever the frames.
        assert_eq!(arrived(|_| ()), vec![0x55; 100_000]);
        let flipped = arrived(|wire| wire.corrupt_ppm = 10_000);
        let wrong: Vec<_> = flipped.iter().filter(|&&byte| byte != 0x55).collect();
        assert!((800..1200).contains(&wrong.len()), "{}", wrong.len());
        assert!(wrong.iter().all(|&&byte| (byte ^ 0x55).count_ones() == 1));
        assert!((98_800..99_200).contains(&arrived(|wire| wire.drop_ppm = 10_000).len()));
        assert!((100_800..101_200).contains(&arrived(|wire| wire.duplicate_ppm = 10_000).len()));
        assert_eq!(arrived(|wire| wire.drop_ppm = 1_000_000), Vec::<u8>::new());
    }
}
