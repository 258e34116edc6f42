//! Limits only tighten, deadlines only shorten, ramps only obey.

use firmware_bridge_link::limits::*;
use firmware_bridge_link::message::Limits;
use proptest::prelude::*;

const BOARD: Limits = Limits {
    wheel_mps_max: 0.9,
    acceleration_mps2: 1.0,
    emergency_mps2: 3.0,
    hold_ms: 500,
    pan_rad_max: 1.5,
    tilt_rad_max: 0.75,
};

#[track_caller]
fn check_deadline(sent_at_us: u64, arrived_at_us: u64, ttl_ms: u16, expected_us: u64) {
    assert_eq!(deadline_us(sent_at_us, arrived_at_us, ttl_ms), expected_us);
}

#[test]
fn deadline_counts_from_the_earlier_end() {
    // Neither a slow link nor a clock that is ahead prolongs a setpoint, and a ttl stays within 20 to 500 ms.
    check_deadline(1_000_000, 1_002_000, 100, 1_100_000);
    check_deadline(1_002_000, 1_000_000, 100, 1_100_000);
    check_deadline(u64::MAX, 1_000_000, 100, 1_100_000);
    check_deadline(0, 1_000_000, 100, 100_000);
    check_deadline(1_000_000, 1_000_000, 0, 1_020_000);
    check_deadline(1_000_000, 1_000_000, 19, 1_020_000);
    check_deadline(1_000_000, 1_000_000, u16::MAX, 1_500_000);
    check_deadline(u64::MAX, u64::MAX, 500, u64::MAX);
}

#[track_caller]
fn check_ramp(speed: f32, goal: f32, step_ms: u64, expected: f32) {
    let next = ramp_mps(speed, goal, 1.0, 3.0, step_ms * 1_000);
    assert!((next - expected).abs() < 1e-6, "{speed} to {goal} in {step_ms} ms: {next}, not {expected}");
}

#[test]
fn ramp_takes_the_right_rate() {
    // Acceleration 1 m/s², deceleration 3 m/s²: which applies depends on whether the wheel gets slower.
    check_ramp(0.0, 0.5, 100, 0.1);
    check_ramp(0.0, -0.5, 100, -0.1);
    check_ramp(0.45, 0.5, 100, 0.5);
    check_ramp(0.5, 0.0, 100, 0.2);
    check_ramp(0.5, 0.1, 100, 0.2);
    check_ramp(0.5, 0.3, 100, 0.3);
    check_ramp(-0.5, 0.0, 100, -0.2);
    check_ramp(0.1, 0.0, 100, 0.0);
    check_ramp(0.0, 0.0, 100, 0.0);
    check_ramp(0.5, 0.5, 100, 0.5);
    check_ramp(0.5, 0.0, 0, 0.5);
    // Through zero: 30 ms of slowing down from 0.09 leave 70 ms to speed up with 1 m/s².
    check_ramp(0.09, -0.5, 100, -0.07);
    check_ramp(-0.09, 0.5, 100, 0.07);
    check_ramp(0.5, -0.5, 100, 0.2);
    check_ramp(f32::NAN, 0.5, 100, 0.1);
    check_ramp(0.5, f32::NAN, 100, 0.2);
    check_ramp(0.5, f32::INFINITY, 100, 0.2);
    assert_eq!(ramp_mps(0.5, -0.5, f32::NAN, 3.0, 1_000_000), 0.0, "without acceleration it ends at zero");
    assert_eq!(ramp_mps(0.0, 0.5, -1.0, 3.0, 1_000_000), 0.0);
}

#[test]
fn stopping_is_computed_from_speed_and_deceleration() {
    // v / a and v² / 2a; what never stops is never promised.
    assert_eq!(stopping_time_us(0.6, 3.0).div_ceil(1_000), 201);
    assert_eq!(stopping_time_us(-0.6, 3.0), stopping_time_us(0.6, 3.0));
    assert_eq!(stopping_time_us(0.0, 0.0), 0);
    for (speed, deceleration) in
        [(0.6, 0.0), (0.6, -1.0), (0.6, f32::NAN), (f32::NAN, 3.0), (f32::INFINITY, 3.0)]
    {
        assert_eq!(stopping_time_us(speed, deceleration), u64::MAX);
    }
}

#[test]
fn invalid_limits_are_known_as_such() {
    // What is not finite, negative, or out of its range is not a limit.
    assert!(BOARD.is_valid() && Limits::STANDSTILL.is_valid());
    for bad in [f32::NAN, f32::INFINITY, -0.1] {
        assert!(!Limits { wheel_mps_max: bad, ..BOARD }.is_valid());
        assert!(!Limits { acceleration_mps2: bad, ..BOARD }.is_valid());
        assert!(!Limits { emergency_mps2: bad, ..BOARD }.is_valid());
        assert!(!Limits { pan_rad_max: bad, ..BOARD }.is_valid());
        assert!(!Limits { tilt_rad_max: bad, ..BOARD }.is_valid());
    }
    assert!(!Limits { acceleration_mps2: 0.0, ..BOARD }.is_valid());
    assert!(!Limits { emergency_mps2: 10.1, ..BOARD }.is_valid());
    assert!(!Limits { hold_ms: 59, ..BOARD }.is_valid());
    assert!(!Limits { hold_ms: 501, ..BOARD }.is_valid());
}

fn any_limits() -> impl Strategy<Value = Limits> {
    // Any bits at all, and often enough numbers that are near valid ones.
    let number = || prop_oneof![any::<u32>().prop_map(f32::from_bits), 0.0_f32..12.0];
    let hold = prop_oneof![any::<u16>(), HOLD_MS_MIN..=HOLD_MS_MAX];
    (number(), number(), number(), hold, number(), number()).prop_map(
        |(wheel, slow, stop, hold_ms, pan, tilt)| Limits {
            wheel_mps_max: wheel,
            acceleration_mps2: slow,
            emergency_mps2: stop,
            hold_ms,
            pan_rad_max: pan,
            tilt_rad_max: tilt,
        },
    )
}

fn is_no_looser(new: &Limits, old: &Limits) -> bool {
    new.wheel_mps_max <= old.wheel_mps_max
        && new.acceleration_mps2 <= old.acceleration_mps2
        && new.emergency_mps2 >= old.emergency_mps2
        && new.hold_ms <= old.hold_ms
        && new.pan_rad_max <= old.pan_rad_max
        && new.tilt_rad_max <= old.tilt_rad_max
}

proptest! {
    /// No sequence of limits ever loosens one, whatever their bits.
    #[test]
    fn tightening_never_loosens(others in prop::collection::vec(any_limits(), 1..20)) {
        let mut limits = BOARD;
        for other in &others {
            let tightened = limits.tightened_by(other);
            prop_assert!(tightened.is_valid());
            prop_assert!(is_no_looser(&tightened, &limits), "{limits:?} {other:?}");
            limits = tightened;
        }
    }

    /// A ramp never overshoots, never turns away from its goal, and never exceeds its rates.
    #[test]
    fn ramp_obeys(speed in -2.0_f32..2.0, goal in -2.0_f32..2.0, up in 0.1_f32..5.0, down in 0.1_f32..10.0,
                  step_us in 0_u64..200_000) {
        let next = ramp_mps(speed, goal, up, down, step_us);
        let (low, high) = (speed.min(goal), speed.max(goal));
        prop_assert!((low..=high).contains(&next), "{next} is not between {speed} and {goal}");
        prop_assert!((next - speed).abs() <= up.max(down) * step_us as f32 / 1e6 + 1e-5);
    }

    /// However a ramp is cut into steps, it takes the same time, through zero too.
    #[test]
    fn steps_of_a_ramp_add_up(speed in -2.0_f32..2.0, goal in -2.0_f32..2.0, steps in 1_u64..50, step_us in 1_u64..5_000) {
        let whole = ramp_mps(speed, goal, 1.0, 3.0, steps * step_us);
        let stepped = (0..steps).fold(speed, |speed, _| ramp_mps(speed, goal, 1.0, 3.0, step_us));
        prop_assert!((whole - stepped).abs() < 1e-3, "{whole} {stepped}");
    }

    /// A ramp to standstill is over when it was promised to be.
    #[test]
    fn halt_keeps_its_promise(speed in -2.0_f32..2.0, down in 0.1_f32..10.0) {
        prop_assert_eq!(ramp_mps(speed, 0.0, 1.0, down, stopping_time_us(speed, down) + 10), 0.0);
    }

    /// Whatever the bits are, a ramp ends in a finite speed.
    #[test]
    fn ramp_is_always_finite(bits: [u32; 4], step_us: u64) {
        let [speed, goal, up, down] = bits.map(f32::from_bits);
        let next = ramp_mps(speed.clamp(-9.0, 9.0), goal.clamp(-9.0, 9.0), up, down, step_us);
        prop_assert!(next.is_finite());
    }

    /// Clamping gives a finite number within the limit, whatever the bits are.
    #[test]
    fn clamp_is_total(value: u32, most: u32) {
        let (value, most) = (f32::from_bits(value), f32::from_bits(most));
        let clamped = clamp_to(value, most);
        prop_assert!(clamped == 0.0 || clamped.abs() <= most);
    }
}
