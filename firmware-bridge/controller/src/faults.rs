//! Watches body and power: battery soft limit and cut, and wheels that are driven but do not turn.

use crate::drive::Wheels;

/// The voltage must stay below the cut for this long: a starting motor makes it dip.
const CUT_US: u64 = 50_000;
/// Time constant of the voltage that the soft limit looks at, so that the limit does not swing with the motors' load.
const SOFT_FILTER_US: f32 = 500_000.0;
/// Share of the wheel limit that is left just above the cut.
const SOFT_FACTOR_MIN: f32 = 0.5;

/// A wheel slower than this need not be seen to move, m/s.
const STUCK_MPS: f32 = 0.1;
/// How long a driven wheel may stand.
const STUCK_US: u64 = 500_000;
/// A tenth of the way the slowest judged wheel covers in that time, um. Less is a jittering encoder.
const STUCK_UM: u64 = 5_000;

#[derive(Debug)]
pub(crate) struct Battery {
    soft_mv: u16,
    cut_mv: u16,
    filtered_mv: Option<f32>,
    latest_mv: u16,
    sampled_at_us: u64,
    low_since_us: Option<u64>,
    soft: bool,
}

impl Battery {
    pub(crate) fn new(soft_mv: u16, cut_mv: u16) -> Self {
        Self {
            soft_mv,
            cut_mv,
            filtered_mv: None,
            latest_mv: 0,
            sampled_at_us: 0,
            low_since_us: None,
            soft: false,
        }
    }

    pub(crate) fn sample(&mut self, now_us: u64, battery_mv: u16) {
        let step_us = now_us.saturating_sub(self.sampled_at_us) as f32;
        let latest = f32::from(battery_mv);
        let filtered =
            self.filtered_mv.map_or(latest, |old| old + (latest - old) * (step_us / SOFT_FILTER_US).min(1.0));
        self.filtered_mv = Some(filtered);
        self.latest_mv = battery_mv;
        self.sampled_at_us = now_us;
        if battery_mv >= self.cut_mv {
            self.low_since_us = None;
        } else if self.low_since_us.is_none() {
            self.low_since_us = Some(now_us);
        }
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.low_since_us.is_some_and(|since| self.sampled_at_us.saturating_sub(since) >= CUT_US)
    }

    /// A quarter of the way from cut to soft limit must be regained before the fault can be cleared.
    pub(crate) fn is_recovered(&self) -> bool {
        self.latest_mv >= self.cut_mv.saturating_add(self.soft_mv.saturating_sub(self.cut_mv) / 4)
    }

    /// Share of the wheel limit: 1 down to the soft limit, then straight down to a half at the cut.
    pub(crate) fn factor(&self) -> f32 {
        let (soft, cut) = (f32::from(self.soft_mv), f32::from(self.cut_mv));
        let Some(filtered) = self.filtered_mv.filter(|filtered| *filtered < soft) else {
            return 1.0;
        };
        if filtered <= cut {
            return SOFT_FACTOR_MIN;
        }
        SOFT_FACTOR_MIN + (1.0 - SOFT_FACTOR_MIN) * (filtered - cut) / (soft - cut)
    }

    /// True once each time the soft limit begins to bite; 2 % above it must be regained in between.
    pub(crate) fn entered_soft(&mut self) -> bool {
        let (soft, filtered) = (f32::from(self.soft_mv), self.filtered_mv.unwrap_or(f32::MAX));
        let entered = !self.soft && filtered < soft;
        if entered {
            self.soft = true;
        } else if filtered > soft * 1.02 {
            self.soft = false;
        }
        entered
    }
}

/// Since when a wheel has been driven without turning, and where it stood then.
#[derive(Clone, Copy, Debug)]
struct Standing {
    since_us: u64,
    at_um: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Stall {
    left: Option<Standing>,
    right: Option<Standing>,
}

impl Stall {
    /// Whether a wheel is stuck.
    pub(crate) fn sample(&mut self, now_us: u64, ramp: Wheels, left_um: i64, right_um: i64) -> bool {
        let left = watch(&mut self.left, now_us, ramp.left_mps, left_um);
        let right = watch(&mut self.right, now_us, ramp.right_mps, right_um);
        left || right
    }
}

fn watch(standing: &mut Option<Standing>, now_us: u64, ramp_mps: f32, at_um: i64) -> bool {
    if ramp_mps.abs() <= STUCK_MPS {
        *standing = None;
        return false;
    }
    match standing {
        Some(since) if since.at_um.abs_diff(at_um) < STUCK_UM => {
            now_us.saturating_sub(since.since_us) >= STUCK_US
        }
        _ => {
            *standing = Some(Standing { since_us: now_us, at_um });
            false
        }
    }
}
