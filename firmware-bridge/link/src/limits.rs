//! Limits of motion and the arithmetic of deadlines and ramps, the same on both ends.
//!
//! Every function is total: whatever bits a number has, the result is finite and errs towards standing still.

use crate::message::Limits;

/// Shortest time to live of a setpoint, ms.
pub const TTL_MS_MIN: u16 = 20;
/// Longest time to live of a setpoint, ms.
pub const TTL_MS_MAX: u16 = 500;
/// Shortest hold, ms: three ticks of the host.
pub const HOLD_MS_MIN: u16 = 60;
/// Longest hold, ms.
pub const HOLD_MS_MAX: u16 = 500;
/// A time sync is fresh for this long, ms: three of the host's exchanges may get lost.
pub const SYNC_FRESH_MS: u32 = 4_000;
/// Highest emergency deceleration a host can ask for, m/s²: no tyre does more than this on a floor.
pub const EMERGENCY_MPS2_MAX: f32 = 10.0;
/// Highest telemetry rate of one stream, Hz.
pub const TELEMETRY_HZ_MAX: u8 = 100;

/// A time to live within its bounds.
#[must_use]
pub fn clamp_ttl_ms(ttl_ms: u16) -> u16 {
    ttl_ms.clamp(TTL_MS_MIN, TTL_MS_MAX)
}

/// When a setpoint ends: counted from the earlier of sending and arrival, so that neither a slow link nor a clock that
/// is ahead prolongs it. All in the MCU's clock, us.
#[must_use]
pub fn deadline_us(sent_at_us: u64, arrived_at_us: u64, ttl_ms: u16) -> u64 {
    sent_at_us.min(arrived_at_us).saturating_add(u64::from(clamp_ttl_ms(ttl_ms)) * 1_000)
}

/// How long a wheel needs to stop, us. `u64::MAX` when it never would.
#[must_use]
pub fn stopping_time_us(speed_mps: f32, deceleration_mps2: f32) -> u64 {
    if speed_mps == 0.0 {
        return 0;
    }
    if !speed_mps.is_finite() || !deceleration_mps2.is_finite() || deceleration_mps2 <= 0.0 {
        return u64::MAX;
    }
    // A float that is too large for the integer saturates.
    (f64::from(speed_mps.abs()) / f64::from(deceleration_mps2) * 1e6) as u64 + 1
}

/// One step of a ramp: where a wheel at `speed_mps` that shall do `goal_mps` stands after `step_us`.
///
/// Slows with `deceleration_mps2`; after passing through zero, and when speeding up, it uses `acceleration_mps2`.
/// A goal or speed that is not finite counts as standstill, a rate that is not positive as none.
#[must_use]
pub fn ramp_mps(
    speed_mps: f32,
    goal_mps: f32,
    acceleration_mps2: f32,
    deceleration_mps2: f32,
    step_us: u64,
) -> f32 {
    let speed = if speed_mps.is_finite() { speed_mps } else { 0.0 };
    let goal = if goal_mps.is_finite() { goal_mps } else { 0.0 };
    let step_s = step_us as f32 / 1e6;
    let slowing = speed != 0.0 && (speed * goal <= 0.0 || goal.abs() < speed.abs());
    if !slowing {
        return towards(speed, goal, positive(acceleration_mps2) * step_s);
    }
    let floor = if speed * goal > 0.0 { goal } else { 0.0 };
    let deceleration = positive(deceleration_mps2);
    let slowed = towards(speed, floor, deceleration * step_s);
    if slowed != 0.0 || goal == 0.0 || deceleration == 0.0 {
        return slowed;
    }
    let left_s = (step_s - speed.abs() / deceleration).max(0.0);
    towards(0.0, goal, positive(acceleration_mps2) * left_s)
}

fn towards(from: f32, to: f32, most: f32) -> f32 {
    if (to - from).abs() <= most {
        to
    } else if to > from {
        from + most
    } else {
        from - most
    }
}

fn positive(rate: f32) -> f32 {
    if rate.is_finite() && rate > 0.0 { rate } else { 0.0 }
}

/// `value` within `-most..=most`; what is not finite becomes zero.
#[must_use]
pub fn clamp_to(value: f32, most: f32) -> f32 {
    if !value.is_finite() || !most.is_finite() || most < 0.0 {
        return 0.0;
    }
    value.clamp(-most, most)
}

impl Limits {
    /// No motion at all.
    pub const STANDSTILL: Self = Self {
        wheel_mps_max: 0.0,
        acceleration_mps2: 0.1,
        emergency_mps2: EMERGENCY_MPS2_MAX,
        hold_ms: HOLD_MS_MIN,
        pan_rad_max: 0.0,
        tilt_rad_max: 0.0,
    };

    /// Whether every number is finite and within its range.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let positive = |value: f32| value.is_finite() && value > 0.0;
        let not_negative = |value: f32| value.is_finite() && value >= 0.0;
        not_negative(self.wheel_mps_max)
            && positive(self.acceleration_mps2)
            && positive(self.emergency_mps2)
            && self.emergency_mps2 <= EMERGENCY_MPS2_MAX
            && (HOLD_MS_MIN..=HOLD_MS_MAX).contains(&self.hold_ms)
            && not_negative(self.pan_rad_max)
            && not_negative(self.tilt_rad_max)
    }

    /// These limits with every field that `other` sets tighter. Looser ones, and all of an invalid `other`, are left
    /// out, so no sequence of calls can ever loosen anything.
    #[must_use]
    pub fn tightened_by(&self, other: &Self) -> Self {
        if !other.is_valid() {
            return *self;
        }
        Self {
            wheel_mps_max: self.wheel_mps_max.min(other.wheel_mps_max),
            acceleration_mps2: self.acceleration_mps2.min(other.acceleration_mps2),
            emergency_mps2: self.emergency_mps2.max(other.emergency_mps2),
            hold_ms: self.hold_ms.min(other.hold_ms),
            pan_rad_max: self.pan_rad_max.min(other.pan_rad_max),
            tilt_rad_max: self.tilt_rad_max.min(other.tilt_rad_max),
        }
    }
}
