//! The speed envelope: how fast the body may go with what it can see, hear and draw now.
//!
//! The lowest of: age of the declared range sensors, round trip to the MCU, battery, and the distance ahead. Each graded
//! limit gets worse at once and better only 20 % beyond its threshold, so that it does not flutter.

use std::time::Duration;

use firmware_bridge_link::message::{RANGES_MAX, Senses};

use crate::caller::Class;
use crate::profile::{Profile, RangeDirection, RangePolicy};
use crate::report::BodyReport;
use crate::request::LimitReason;
use crate::time::BootTime;
use crate::wheels::{BodySpeed, SpeedLimits, share};

/// Speed with which a badly informed body may be driven home, m/s.
const CRAWL_MPS: f32 = 0.1;
/// Distance to an obstacle at which the body stands, m.
const OBSTACLE_GAP_M: f32 = 0.15;
/// How much better than its threshold a value must be before a limit is lifted.
const HYSTERESIS: f64 = 0.2;

const RANGE_AGES_MS: [f64; 3] = [200.0, 500.0, 2000.0];
const ROUND_TRIPS_MS: [f64; 2] = [10.0, 50.0];
const BATTERY_PERCENTS: [f64; 2] = [20.0, 10.0];

/// How much of the hard limit is left. Greater is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    /// All of it.
    Full,
    /// Half.
    Half,
    /// [`CRAWL_MPS`].
    Crawl,
    /// [`CRAWL_MPS`] for a person beside the robot, nothing for others.
    LocalCrawl,
}

/// The envelope's memory, for the hysteresis.
#[derive(Clone, Copy, Debug)]
pub struct EnvelopeState {
    linear_mps_max: f32,
    angular_radps_max: f32,
    acceleration_mps2: f32,
    policy: RangePolicy,
    ranges: [Grade; RANGES_MAX],
    round_trip: Grade,
    battery: Grade,
    /// Nearest obstacle that a sensor young enough sees, m.
    front_m: Option<f32>,
    rear_m: Option<f32>,
}

/// The envelope now, for one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Most that may be asked for.
    pub speed: SpeedLimits,
    /// What sets the forward limit.
    pub forward_reason: LimitReason,
    /// What sets the backward limit.
    pub backward_reason: LimitReason,
    /// What sets the turn limit.
    pub angular_reason: LimitReason,
}

impl Limits {
    /// The same for a model, which has bounds of its own.
    pub fn within_ai(mut self, linear_mps: f32, angular_radps: f32) -> Self {
        let speed = &mut self.speed;
        for (limit, reason, bound) in [
            (&mut speed.forward_mps, &mut self.forward_reason, linear_mps),
            (&mut speed.backward_mps, &mut self.backward_reason, linear_mps),
            (&mut speed.angular_radps, &mut self.angular_reason, angular_radps),
        ] {
            if bound < *limit {
                (*limit, *reason) = (bound, LimitReason::AiBounds);
            }
        }
        self
    }

    /// What this speed runs into first.
    pub fn reason_for(&self, wanted: BodySpeed) -> LimitReason {
        if share(wanted.angular_radps, self.speed.angular_radps)
            < share(wanted.linear_mps, wanted.linear_limit(&self.speed))
        {
            self.angular_reason
        } else if wanted.linear_mps < 0.0 {
            self.backward_reason
        } else {
            self.forward_reason
        }
    }
}

/// Limits before obstacles are looked at.
struct Common {
    linear_mps: f32,
    angular_radps: f32,
    reason: LimitReason,
    angular_reason: LimitReason,
}

impl EnvelopeState {
    /// Before anything has been read: a sensor that never spoke counts as old.
    pub const fn new(profile: &Profile) -> Self {
        Self {
            linear_mps_max: profile.linear_mps_max,
            angular_radps_max: profile.angular_radps_max,
            acceleration_mps2: profile.acceleration_mps2,
            policy: profile.range,
            ranges: [Grade::LocalCrawl; RANGES_MAX],
            round_trip: Grade::Full,
            battery: Grade::Full,
            front_m: None,
            rear_m: None,
        }
    }

    /// Looks at the body, once a tick.
    pub fn update(&mut self, body: &BodyReport, now: BootTime) {
        if let Some(round_trip) = body.rtt_p95 {
            self.round_trip = graded(self.round_trip, milliseconds(round_trip), &ROUND_TRIPS_MS);
        }
        if let Some((_, senses)) = &body.senses {
            // The battery is worse when it is lower: both sides of the comparison change their sign.
            self.battery = graded(
                self.battery,
                -f64::from(senses.battery_percent),
                &BATTERY_PERCENTS.map(|percent| -percent),
            );
        }
        self.update_ranges(body, now);
    }

    fn update_ranges(&mut self, body: &BodyReport, now: BootTime) {
        (self.front_m, self.rear_m) = (None, None);
        let RangePolicy::Sensors(sensors) = self.policy else {
            return;
        };
        for (index, direction) in sensors.iter().enumerate() {
            let Some(direction) = direction else {
                continue;
            };
            let age_ms = body
                .senses
                .as_ref()
                .map_or(f64::INFINITY, |(at, senses)| range_age_ms(index, *at, senses, now));
            self.ranges[index] = graded(self.ranges[index], age_ms, &RANGE_AGES_MS);
            let Some((_, senses)) = body.senses.as_ref().filter(|_| self.ranges[index] < Grade::LocalCrawl)
            else {
                continue;
            };
            let mm = senses.ranges[index].mm;
            if mm == u16::MAX {
                continue;
            }
            let nearest_m = match direction {
                RangeDirection::Front => &mut self.front_m,
                RangeDirection::Rear => &mut self.rear_m,
            };
            let distance_m = f32::from(mm) / 1000.0;
            *nearest_m = Some(nearest_m.map_or(distance_m, |nearest| nearest.min(distance_m)));
        }
    }

    /// Most that a command of this class may ask for now.
    pub fn limits(&self, class: Class) -> Limits {
        let Common { linear_mps: common_mps, angular_radps, reason, angular_reason } = self.common(class);
        let (forward_mps, forward_reason) = self.towards(self.front_m, common_mps, reason);
        let (backward_mps, backward_reason) = self.towards(self.rear_m, common_mps, reason);
        Limits {
            speed: SpeedLimits { forward_mps, backward_mps, angular_radps },
            forward_reason,
            backward_reason,
            angular_reason,
        }
    }

    /// Without obstacles.
    fn common(&self, class: Class) -> Common {
        let (mut linear_mps, mut reason) = (self.linear_mps_max, LimitReason::None);
        let (mut angular_radps, mut angular_reason) = (self.angular_radps_max, LimitReason::None);
        let mut worst_range = Grade::Full;
        match self.policy {
            RangePolicy::None { linear_mps_max } if linear_mps_max < linear_mps => {
                (linear_mps, reason) = (linear_mps_max, LimitReason::NoRange);
            }
            RangePolicy::None { .. } => {}
            RangePolicy::Sensors(sensors) => {
                for (grade, _) in self.ranges.iter().zip(sensors).filter(|(_, direction)| direction.is_some())
                {
                    worst_range = worst_range.max(*grade);
                }
            }
        }
        for (grade, cause) in [
            (worst_range, LimitReason::RangeStale),
            (self.round_trip, LimitReason::LinkSlow),
            (self.battery, LimitReason::BatteryLow),
        ] {
            let limit_mps = self.allowed_mps(grade, class);
            if limit_mps < linear_mps {
                (linear_mps, reason) = (limit_mps, cause);
            }
            let limit_radps = self.angular_radps_max * limit_mps / self.linear_mps_max;
            if limit_radps < angular_radps {
                (angular_radps, angular_reason) = (limit_radps, cause);
            }
        }
        Common { linear_mps, angular_radps, reason, angular_reason }
    }

    fn allowed_mps(&self, grade: Grade, class: Class) -> f32 {
        match grade {
            Grade::Full => self.linear_mps_max,
            Grade::Half => self.linear_mps_max / 2.0,
            Grade::LocalCrawl if class != Class::Local => 0.0,
            Grade::Crawl | Grade::LocalCrawl => CRAWL_MPS.min(self.linear_mps_max),
        }
    }

    /// The speed from which the body still comes to rest [`OBSTACLE_GAP_M`] before what it sees.
    fn towards(&self, obstacle_m: Option<f32>, common_mps: f32, reason: LimitReason) -> (f32, LimitReason) {
        let Some(obstacle_m) = obstacle_m else {
            return (common_mps, reason);
        };
        let limit_mps = (2.0 * self.acceleration_mps2 * (obstacle_m - OBSTACLE_GAP_M).max(0.0)).sqrt();
        if limit_mps < common_mps { (limit_mps, LimitReason::Obstacle) } else { (common_mps, reason) }
    }
}

/// Age of one sensor's reading now, ms.
fn range_age_ms(index: usize, at: BootTime, senses: &Senses, now: BootTime) -> f64 {
    match senses.ranges[index].age_ms {
        u16::MAX => f64::INFINITY,
        age_ms => milliseconds(now.since(at)) + f64::from(age_ms),
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The grade of `value`, where greater values are worse: worse at a threshold, better only 20 % before it.
fn graded(before: Grade, value: f64, thresholds: &[f64]) -> Grade {
    let grade = |is_past: &dyn Fn(f64) -> bool| match thresholds
        .iter()
        .filter(|threshold| is_past(**threshold))
        .count()
    {
        0 => Grade::Full,
        1 => Grade::Half,
        2 => Grade::Crawl,
        _ => Grade::LocalCrawl,
    };
    let worse = grade(&|threshold| value > threshold);
    let better = grade(&|threshold| value > threshold - HYSTERESIS * threshold.abs());
    // `better` is never below `worse`; between them the grade before stays.
    before.clamp(worse, better)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{SIM, healthy_body};

    fn limits(profile: &Profile, class: Class, change: impl FnOnce(&mut BodyReport)) -> Limits {
        let now = BootTime::from_ms(10_000);
        let mut body = healthy_body(now);
        change(&mut body);
        let mut state = EnvelopeState::new(profile);
        state.update(&body, now);
        state.limits(class)
    }

    fn check(
        class: Class,
        change: impl FnOnce(&mut BodyReport),
        forward_mps: f32,
        angular_radps: f32,
        reason: LimitReason,
    ) {
        let limits = limits(&SIM, class, change);
        assert!((limits.speed.forward_mps - forward_mps).abs() < 1e-5, "{limits:?}");
        assert!((limits.speed.angular_radps - angular_radps).abs() < 1e-5, "{limits:?}");
        assert_eq!(limits.forward_reason, reason);
    }

    fn range_age(body: &mut BodyReport, index: usize, age_ms: u16) {
        body.senses.as_mut().unwrap().1.ranges[index].age_ms = age_ms;
    }
    fn range_mm(body: &mut BodyReport, index: usize, mm: u16) {
        body.senses.as_mut().unwrap().1.ranges[index].mm = mm;
    }
    fn battery(body: &mut BodyReport, percent: u8) {
        body.senses.as_mut().unwrap().1.battery_percent = percent;
    }

    #[test]
    fn a_healthy_body_may_do_everything() {
        check(Class::Remote, |_| {}, 0.6, 2.0, LimitReason::None);
    }
    #[test]
    fn an_old_range_sensor_limits() {
        check(Class::Remote, |body| range_age(body, 0, 201), 0.3, 1.0, LimitReason::RangeStale);
        check(Class::Remote, |body| range_age(body, 1, 501), 0.1, 1.0 / 3.0, LimitReason::RangeStale);
    }
    #[test]
    fn a_dead_range_sensor_lets_only_a_person_beside_it_drive_home() {
        for age_ms in [2001, u16::MAX] {
            check(Class::Local, |body| range_age(body, 0, age_ms), 0.1, 1.0 / 3.0, LimitReason::RangeStale);
            for class in [Class::Remote, Class::Autonomy, Class::Ai] {
                check(class, |body| range_age(body, 0, age_ms), 0.0, 0.0, LimitReason::RangeStale);
            }
        }
    }
    #[test]
    fn senses_that_never_came_are_a_fault_and_not_clear() {
        check(Class::Autonomy, |body| body.senses = None, 0.0, 0.0, LimitReason::RangeStale);
    }
    #[test]
    fn senses_age_on_this_side_too() {
        let change = |body: &mut BodyReport| body.senses.as_mut().unwrap().0 = BootTime::from_ms(9_000);
        check(Class::Remote, change, 0.1, 1.0 / 3.0, LimitReason::RangeStale);
    }
    #[test]
    fn an_undeclared_sensor_is_left_out() {
        check(Class::Remote, |body| range_age(body, 2, u16::MAX), 0.6, 2.0, LimitReason::None);
        check(Class::Remote, |body| range_mm(body, 2, 10), 0.6, 2.0, LimitReason::None);
    }
    #[test]
    fn a_slow_link_limits() {
        check(
            Class::Local,
            |body| body.rtt_p95 = Some(Duration::from_millis(11)),
            0.3,
            1.0,
            LimitReason::LinkSlow,
        );
        check(
            Class::Local,
            |body| body.rtt_p95 = Some(Duration::from_millis(51)),
            0.1,
            1.0 / 3.0,
            LimitReason::LinkSlow,
        );
    }
    #[test]
    fn a_low_battery_limits() {
        check(Class::Local, |body| battery(body, 20), 0.6, 2.0, LimitReason::None);
        check(Class::Local, |body| battery(body, 19), 0.3, 1.0, LimitReason::BatteryLow);
        check(Class::Local, |body| battery(body, 9), 0.1, 1.0 / 3.0, LimitReason::BatteryLow);
    }
    #[test]
    fn an_obstacle_limits_its_own_direction_only() {
        // sqrt(2 * 1.0 * (0.25 - 0.15)) ahead; nothing behind.
        let limits = limits(&SIM, Class::Local, |body| range_mm(body, 0, 250));
        assert!((limits.speed.forward_mps - 0.2_f32.sqrt()).abs() < 1e-5, "{limits:?}");
        assert_eq!(limits.forward_reason, LimitReason::Obstacle);
        assert!((limits.speed.backward_mps - 0.6).abs() < 1e-6);
        assert_eq!(limits.backward_reason, LimitReason::None);
    }
    #[test]
    fn an_obstacle_behind_limits_backwards() {
        let limits = limits(&SIM, Class::Local, |body| range_mm(body, 1, 100));
        assert_eq!((limits.speed.forward_mps, limits.speed.backward_mps), (0.6, 0.0));
    }
    #[test]
    fn driving_blind_has_its_own_limit() {
        let profile = Profile { range: RangePolicy::None { linear_mps_max: 0.2 }, ..SIM };
        let limits = limits(&profile, Class::Remote, |body| range_mm(body, 0, 10));
        assert_eq!((limits.speed.forward_mps, limits.forward_reason), (0.2, LimitReason::NoRange));
        assert_eq!(limits.speed.angular_radps, 2.0);
    }

    #[test]
    fn recovers_only_20_percent_beyond_the_threshold() {
        let mut grade = Grade::Full;
        for (age_ms, expected) in [
            (200.0, Grade::Full),
            (201.0, Grade::Half),
            (161.0, Grade::Half),
            (160.0, Grade::Full),
            (501.0, Grade::Crawl),
            (401.0, Grade::Crawl),
            (400.0, Grade::Half),
            (3000.0, Grade::LocalCrawl),
            (1601.0, Grade::LocalCrawl),
            (0.0, Grade::Full),
        ] {
            grade = graded(grade, age_ms, &RANGE_AGES_MS);
            assert_eq!(grade, expected, "{age_ms}");
        }
    }
    #[test]
    fn a_battery_recovers_only_20_percent_above_its_threshold() {
        let now = BootTime::from_ms(10_000);
        let mut state = EnvelopeState::new(&SIM);
        for (percent, forward_mps) in [(19, 0.3), (23, 0.3), (24, 0.6), (9, 0.1), (11, 0.1), (12, 0.3)] {
            let mut body = healthy_body(now);
            battery(&mut body, percent);
            state.update(&body, now);
            assert_eq!(state.limits(Class::Local).speed.forward_mps, forward_mps, "{percent}");
        }
    }
}
