//! The MCU's clock as the host sees it.
//!
//! A regression after Klipper's `clocksync` (exponential decay 1/30; outliers beyond 5 sigma and 500 us; lowest half
//! round trip kept and slowly aged), with three changes. It regresses on the middle of the round trip instead of on
//! the sending time, so that jitter does not shift the estimate to one side. It weighs an exchange by how much longer
//! it took than the shortest one, as NTP's clock filter does. And it expects the two crystals to agree within about
//! 50 ppm until the data says otherwise, so that the first eight exchanges, milliseconds apart, already give a usable
//! line. It keeps no schedule and matches no replies: see [`sync`](crate::sync).

/// Share of the regression that a full-weight exchange takes over.
const DECAY: f64 = 1.0 / 30.0;
/// Deviations from the line beyond both of these are outliers.
const OUTLIER_SIGMA_SQUARED: f64 = 25.0;
const OUTLIER_US: f64 = 500.0;
/// With nothing but outliers for this long, the line itself is doubted, s.
const DOUBT_AFTER_S: f64 = 10.0;
/// Variance of the deviation before anything is known: (1 ms)².
const START_VARIANCE_US2: f64 = 1e6;
/// Ageing of the lowest half round trip, us per s: 10 us an hour.
const AGEING_US_PER_S: f64 = 10.0 / 3_600.0;
/// Noise of an exchange that took no longer than the shortest, us. Tuned in simulation.
const NOISE_US: f64 = 200.0;
/// How far two crystals are expected to differ, us per s.
const DRIFT_US_PER_S: f64 = 50.0;

/// One exchange of time, all us. The two clocks have nothing in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// Host clock when the request was handed to the port.
    pub(crate) sent_us: u64,
    /// Host clock when the reply had been read.
    pub(crate) received_us: u64,
    /// MCU clock when it had read the request.
    pub(crate) mcu_us: u64,
    /// Time the request's bytes need on the wire.
    pub(crate) wire_out_us: u64,
    /// Time the reply's bytes need on the wire.
    pub(crate) wire_back_us: u64,
}

impl Exchange {
    pub(crate) fn rtt_us(&self) -> u64 {
        self.received_us.saturating_sub(self.sent_us)
    }

    /// Host clock when the MCU had read the request, if both directions were delayed alike, relative to `base_us`.
    /// A round trip shorter than the bytes on the wire went through no wire (a pty): there is nothing to correct.
    fn middle_us(&self, base_us: u64) -> f64 {
        let middle = (difference(self.sent_us, base_us) + difference(self.received_us, base_us)) / 2.0;
        if self.rtt_us() < self.wire_out_us + self.wire_back_us {
            return middle;
        }
        middle + (self.wire_out_us as f64 - self.wire_back_us as f64) / 2.0
    }
}

/// `later - earlier` of two stamps in either order.
fn difference(later: u64, earlier: u64) -> f64 {
    later.wrapping_sub(earlier) as i64 as f64
}

/// The estimate. Empty until the first exchange.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    line: Option<Line>,
}

/// `mcu - base_mcu = host - base_host + mean_offset + drift * (host - mean_host)`, with weighted, decaying means.
#[derive(Clone, Copy, Debug)]
struct Line {
    base_host_us: u64,
    base_mcu_us: u64,
    weight: f64,
    mean_host_s: f64,
    mean_offset_us: f64,
    host_variance_s2: f64,
    covariance: f64,
    deviation_variance_us2: f64,
    least_half_us: f64,
    least_at_s: f64,
    kept_at_s: f64,
    kept: u32,
}

impl Clock {
    /// Takes an exchange; false when it was an outlier and is ignored.
    pub(crate) fn add(&mut self, exchange: &Exchange) -> bool {
        let line = self.line.get_or_insert_with(|| Line::through(exchange));
        line.add(exchange)
    }

    /// Exchanges that made it into the estimate.
    pub(crate) fn kept(&self) -> u32 {
        self.line.map_or(0, |line| line.kept)
    }

    /// The MCU's clock at `host_us`.
    pub(crate) fn estimate_us(&self, host_us: u64) -> Option<u64> {
        let line = self.line?;
        let host_s = difference(host_us, line.base_host_us) / 1e6;
        let offset = line.offset_us(host_s).round() as i64;
        let since_base = (host_us.wrapping_sub(line.base_host_us) as i64).saturating_add(offset);
        Some(line.base_mcu_us.saturating_add_signed(since_base))
    }
}

impl Line {
    fn through(first: &Exchange) -> Self {
        Self {
            base_host_us: first.sent_us,
            base_mcu_us: first.mcu_us,
            weight: 0.0,
            mean_host_s: 0.0,
            mean_offset_us: 0.0,
            host_variance_s2: 0.0,
            covariance: 0.0,
            deviation_variance_us2: START_VARIANCE_US2,
            least_half_us: f64::INFINITY,
            least_at_s: 0.0,
            kept_at_s: 0.0,
            kept: 0,
        }
    }

    /// Drift of the MCU's clock against the host's, us per s, drawn towards zero as long as the data spans little time.
    fn drift_us_per_s(&self) -> f64 {
        let prior_s2 = (NOISE_US / DRIFT_US_PER_S).powi(2);
        self.covariance * self.weight / (self.host_variance_s2 * self.weight + prior_s2)
    }

    fn offset_us(&self, host_s: f64) -> f64 {
        self.mean_offset_us + self.drift_us_per_s() * (host_s - self.mean_host_s)
    }

    fn add(&mut self, exchange: &Exchange) -> bool {
        let middle_us = exchange.middle_us(self.base_host_us);
        let host_s = middle_us / 1e6;
        let offset_us = difference(exchange.mcu_us, self.base_mcu_us) - middle_us;
        let half_us = exchange.rtt_us() as f64 / 2.0;
        if half_us < self.least_half_us + (host_s - self.least_at_s) * AGEING_US_PER_S {
            self.least_half_us = half_us;
            self.least_at_s = host_s;
        }
        if self.kept > 0 && self.is_refuted(host_s, offset_us, half_us) {
            self.begin_anew();
        } else if self.kept > 0 && !self.accepts(host_s, offset_us) {
            return false;
        }
        self.regress(host_s, offset_us, half_us - self.least_half_us);
        self.kept_at_s = host_s;
        self.kept = self.kept.saturating_add(1);
        true
    }

    /// The MCU read the request between sending and answer: whatever the two directions took, its clock is within half a
    /// round trip of the middle (the correctness interval of Marzullo and of NTP). A line further off is wrong, not the
    /// exchange: a first exchange that was held back must not make outliers of all the good ones.
    fn is_refuted(&self, host_s: f64, offset_us: f64, half_us: f64) -> bool {
        (offset_us - self.offset_us(host_s)).abs() > half_us + OUTLIER_US
    }

    /// Forgets what the line rests on; the exchange that comes next decides alone.
    fn begin_anew(&mut self) {
        (self.weight, self.host_variance_s2, self.covariance) = (0.0, 0.0, 0.0);
        self.deviation_variance_us2 = START_VARIANCE_US2;
    }

    fn accepts(&mut self, host_s: f64, offset_us: f64) -> bool {
        let deviation_us2 = (offset_us - self.offset_us(host_s)).powi(2);
        let outlier = deviation_us2 > OUTLIER_SIGMA_SQUARED * self.deviation_variance_us2
            && deviation_us2 > OUTLIER_US * OUTLIER_US;
        if !outlier {
            self.deviation_variance_us2 =
                (1.0 - DECAY) * (self.deviation_variance_us2 + deviation_us2 * DECAY);
            return true;
        }
        if host_s < self.kept_at_s + DOUBT_AFTER_S {
            return false;
        }
        self.deviation_variance_us2 = START_VARIANCE_US2;
        true
    }

    /// One step of the weighted, decaying regression. The first exchanges count alike, as in a plain mean.
    fn regress(&mut self, host_s: f64, offset_us: f64, excess_us: f64) {
        // Of a round trip that is 2e too long, the middle is off by up to e, evenly spread: variance e²/3.
        let weight = NOISE_US.powi(2) / (NOISE_US.powi(2) + excess_us.max(0.0).powi(2) / 3.0);
        self.weight = (1.0 - DECAY) * self.weight + weight;
        let share = weight / self.weight;
        let host_step = host_s - self.mean_host_s;
        let offset_step = offset_us - self.mean_offset_us;
        self.mean_host_s += share * host_step;
        self.mean_offset_us += share * offset_step;
        self.host_variance_s2 = (1.0 - share) * (self.host_variance_s2 + share * host_step * host_step);
        self.covariance = (1.0 - share) * (self.covariance + share * host_step * offset_step);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the wire does to one direction, us, from a number in 0.0..1.0.
    type Delay = fn(f64) -> f64;

    fn modest(u: f64) -> f64 {
        150.0 + 200.0 * u
    }

    /// Round trips differ by up to 5 ms.
    fn strong(u: f64) -> f64 {
        150.0 + 2_500.0 * u
    }

    /// Mostly quick, sometimes 5 ms later in one direction: a busy USB hub.
    fn tailed(u: f64) -> f64 {
        150.0 + (-1_000.0 * (1.0 - u).ln()).min(5_000.0)
    }

    fn random(state: &mut u64) -> f64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn schedule_us() -> impl Iterator<Item = u64> {
        let burst = (0..8).map(|n| n * 5_000);
        let quick = (1..40).map(|n| n * 250_000);
        burst.chain(quick).chain((0..60).map(|n| 10_000_000 + n * 983_900))
    }

    /// Absolute errors after the first 10 s, sorted, us.
    fn errors_us(seed: u64, delay: Delay, drift_ppm: f64) -> Vec<f64> {
        let mut seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mcu = |host_us: f64| 77_000_000.0 + host_us * (1.0 + drift_ppm * 1e-6);
        let start_us = 5_000_000_000_u64;
        let mut clock = Clock::default();
        let mut errors = Vec::new();
        for at_us in schedule_us() {
            let read_us = at_us as f64 + delay(random(&mut seed));
            let back_us = read_us + delay(random(&mut seed));
            clock.add(&Exchange {
                sent_us: start_us + at_us,
                received_us: start_us + back_us as u64,
                mcu_us: mcu(read_us) as u64,
                wire_out_us: 0,
                wire_back_us: 0,
            });
            for later_us in (0..1_000_000).step_by(200_000).filter(|_| at_us >= 10_000_000) {
                let estimate = clock.estimate_us(start_us + at_us + later_us).unwrap();
                errors.push((estimate as f64 - mcu((at_us + later_us) as f64)).abs());
            }
        }
        errors
    }

    #[track_caller]
    fn check(delay: Delay, drift_ppm: f64, p99_us: f64) {
        let mut errors: Vec<f64> = (1..=200).flat_map(|seed| errors_us(seed, delay, drift_ppm)).collect();
        errors.sort_by(f64::total_cmp);
        let p99 = errors[errors.len() * 99 / 100];
        assert!(p99 <= p99_us, "p99 {p99:.0} us, worst {:.0} us", errors[errors.len() - 1]);
    }

    #[test]
    fn after_ten_seconds_the_estimate_is_within_100_us_with_modest_jitter() {
        check(modest, 0.0, 100.0);
        check(modest, 50.0, 100.0);
        check(modest, -50.0, 100.0);
    }

    #[test]
    fn after_ten_seconds_the_estimate_is_within_500_us_with_strong_jitter() {
        check(strong, 50.0, 500.0);
        check(strong, -50.0, 500.0);
        check(tailed, 50.0, 500.0);
    }

    fn exchange(sent_us: u64, mcu_us: u64, rtt_us: u64) -> Exchange {
        Exchange { sent_us, received_us: sent_us + rtt_us, mcu_us, wire_out_us: 0, wire_back_us: 0 }
    }

    #[test]
    fn an_outlier_does_not_move_the_estimate() {
        let mut clock = Clock::default();
        for n in 0..100 {
            assert!(clock.add(&exchange(n * 100_000, 1_000_000 + n * 100_000 + 50, 100)));
        }
        let before = clock.estimate_us(10_000_000);
        assert!(!clock.add(&exchange(10_000_000, 11_590_000, 600_000)));
        assert_eq!(clock.estimate_us(10_000_000), before);
        assert_eq!(clock.kept(), 100);
    }

    #[test]
    fn a_slow_first_exchange_does_not_make_outliers_of_the_good_ones() {
        // Its answer was held back for 36 ms, so the first estimate is 18 ms behind. The next exchange shows that.
        let mut clock = Clock::default();
        assert!(clock.add(&exchange(0, 1_000_100, 36_000)));
        for n in 0..8 {
            let sent_us = 40_000 + n * 1_000;
            assert!(clock.add(&exchange(sent_us, 1_000_100 + sent_us, 200)), "{n}");
            let error = clock.estimate_us(sent_us).unwrap().abs_diff(1_000_000 + sent_us);
            assert!(error < 500, "{n}: {error} us");
        }
        assert_eq!(clock.kept(), 9);
    }

    #[test]
    fn a_clock_that_really_stepped_is_believed() {
        let mut clock = Clock::default();
        for n in 0..100_u64 {
            clock.add(&exchange(n * 100_000, n * 100_000, 0));
        }
        for n in 100..1_000_u64 {
            clock.add(&exchange(n * 100_000, 40_000 + n * 100_000, 0));
        }
        let error = clock.estimate_us(100_000_000).unwrap().abs_diff(100_040_000);
        assert!(error < 1_000, "{error} us");
    }

    #[test]
    fn a_slow_wire_with_frames_of_unequal_length_is_corrected() {
        // At 115,200 baud the longer reply would shift a plain middle by 400 us.
        let mut clock = Clock::default();
        for n in 0..8 {
            let sent_us = n * 5_000;
            let mcu_us = 9_000_000 + sent_us + 1_500;
            let received_us = sent_us + 1_500 + 2_300;
            clock.add(&Exchange { sent_us, received_us, mcu_us, wire_out_us: 1_500, wire_back_us: 2_300 });
        }
        assert_eq!(clock.estimate_us(40_000), Some(9_040_000));
    }

    proptest! {
        #[test]
        fn any_exchanges_give_a_finite_estimate(
            exchanges in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<u64>()), 0..40),
            at in any::<u64>(),
        ) {
            // Nothing an MCU can answer makes the estimate panic.
            let mut clock = Clock::default();
            for (sent_us, received_us, mcu_us) in exchanges {
                clock.add(&Exchange { sent_us, received_us, mcu_us, wire_out_us: 200, wire_back_us: 300 });
                clock.estimate_us(at);
            }
        }
    }
}
