//! The microcontroller's clock: starts at zero with every boot and runs a little fast or slow, as crystals do.

/// Converts between true time and the MCU's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct McuClock {
    booted_us: u64,
    ppm: i64,
}

impl McuClock {
    pub(crate) fn started(booted_us: u64, ppm: i32) -> Self {
        Self { booted_us, ppm: i64::from(ppm) }
    }

    /// The MCU's clock at true time `now_us`.
    pub(crate) fn mcu_us(&self, now_us: u64) -> u64 {
        let since_us = now_us.saturating_sub(self.booted_us);
        let drift_us = i128::from(since_us) * i128::from(self.ppm) / 1_000_000;
        since_us.saturating_add_signed(drift_us as i64)
    }

    /// The first true time at which the MCU's clock shows at least `mcu_us`.
    pub(crate) fn true_us(&self, mcu_us: u64) -> u64 {
        let estimate = i128::from(mcu_us) * 1_000_000 / i128::from(1_000_000 + self.ppm);
        let mut at_us = self.booted_us.saturating_add((estimate as u64).saturating_sub(2));
        while self.mcu_us(at_us) < mcu_us && at_us < u64::MAX {
            at_us += 1;
        }
        at_us
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_deadline_is_neither_early_nor_late(
            booted_us in 0_u64..1 << 50, mcu_us in 0_u64..1 << 45, ppm in -500_i32..=500,
        ) {
            // A timer set from the MCU's clock fires in the first microsecond in which the MCU's clock has got there.
            let clock = McuClock::started(booted_us, ppm);
            let at_us = clock.true_us(mcu_us);
            prop_assert!(clock.mcu_us(at_us) >= mcu_us);
            prop_assert!(at_us == booted_us || clock.mcu_us(at_us - 1) < mcu_us);
        }
    }
}
