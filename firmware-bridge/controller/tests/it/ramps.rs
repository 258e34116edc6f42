//! Ramps, limits, and what the board is told to do at standstill.

use firmware_bridge_link::message::*;

use crate::rig::{LIMITS, LatchedBy, Rig, STOP, assert_near, follow};

/// From one speed, this goal: where does the ramp stand after so many ms?
#[track_caller]
fn check(from: (f32, f32), goal: WheelGoal, ms: u64, expected: (f32, f32)) {
    let mut rig = Rig::driving(from.0, from.1);
    assert_near(rig.ramps(), from);
    rig.set(goal, 500);
    rig.run_ms(ms);
    assert_near(rig.ramps(), expected);
}

#[test]
fn a_drivers_goal_is_reached_with_the_normal_rate() {
    // 1 m/s² up and down for Follow, a zero included, straight through zero; 3 m/s² for Halt.
    check((0.0, 0.0), follow(0.5, -0.5), 90, (0.09, -0.09));
    check((0.5, 0.5), follow(0.2, 0.6), 90, (0.41, 0.59));
    check((0.5, 0.5), follow(0.0, 0.0), 90, (0.41, 0.41));
    check((0.04, -0.04), follow(-0.5, 0.5), 90, (-0.05, 0.05));
    check((0.5, -0.5), WheelGoal::Halt, 90, (0.23, -0.23));
    check((0.15, 0.5), WheelGoal::Halt, 90, (0.0, 0.23));
}

#[test]
fn everything_else_halts_with_the_emergency_rate_then_brakes() {
    // Stop, emergency stop, button, hold and battery: 3 m/s², then no power and the brake.
    for by in [STOP, crate::rig::ESTOP, LatchedBy::Button] {
        let mut rig = Rig::driving(0.6, -0.6);
        let (before, _) = rig.ramps();
        rig.latch(by);
        let latched_ms = if matches!(by, LatchedBy::Button) { 2 } else { 0 };
        rig.run_ms(100 - latched_ms);
        assert_near(rig.ramps(), (before - 0.3, 0.3 - before));
        let outputs = rig.outputs.expect("control ran");
        assert!(outputs.enabled && !outputs.brake, "braking by ramp needs power");
        rig.run_ms(101);
        assert_eq!(rig.ramps(), (0.0, 0.0));
        let outputs = rig.outputs.expect("control ran");
        assert!(!outputs.enabled && outputs.brake);
    }
}

#[test]
fn goals_are_cut_to_the_limit_on_the_same_path() {
    // Both wheels are slowed by the same factor, so a too fast arc stays the same arc.
    for (goal, expected) in [
        ((2.0, 2.0), (0.9, 0.9)),
        ((1.8, 0.9), (0.9, 0.45)),
        ((-3.0, 1.0), (-0.9, 0.3)),
        ((3e38, -3e38), (0.9, -0.9)),
        ((0.9, 0.1), (0.9, 0.1)),
    ] {
        let mut rig = Rig::armed();
        rig.run_ms(1);
        rig.set(follow(goal.0, goal.1), 100);
        assert_near(rig.targets(), expected);
    }
}

#[test]
fn tightened_limits_slow_a_moving_body() {
    // A lower wheel limit takes hold at once, with the normal rate.
    let mut rig = Rig::driving(0.8, 0.8);
    assert_eq!(rig.command(Command::Tighten(Limits { wheel_mps_max: 0.3, ..LIMITS })), Outcome::Done);
    assert_near(rig.targets(), (0.3, 0.3));
    rig.drive_for_ms(0.8, 0.8, 100);
    assert_near(rig.ramps(), (0.7, 0.7));
    rig.drive_for_ms(0.8, 0.8, 500);
    assert_near(rig.ramps(), (0.3, 0.3));
}

#[test]
fn a_late_control_step_slows_fully_but_never_jumps_ahead() {
    // After a control loop that hung, speeding up counts 20 ms at most; slowing down counts all of it.
    let mut rig = Rig::armed();
    rig.run_ms(1);
    rig.now_us += 90_000;
    rig.set(follow(0.5, 0.5), 100);
    rig.outputs = Some(rig.controller.control(rig.now_us, &rig.inputs));
    assert_near(rig.ramps(), (0.02, 0.02));

    let mut rig = Rig::driving(0.5, 0.5);
    rig.stop(StopKind::Stop);
    rig.now_us += 100_000;
    rig.outputs = Some(rig.controller.control(rig.now_us, &rig.inputs));
    assert_near(rig.ramps(), (0.2, 0.2));
}

#[test]
fn a_halt_ends_when_it_was_computed_to() {
    // Standstill comes within the stopping time plus 20 ms, from any speed, however the control steps fall.
    for (speed, step_us) in [(0.9, 1_000), (0.9, 10_000), (0.5, 7_000), (0.1, 3_000)] {
        let mut rig = Rig::driving(speed, -speed);
        rig.stop(StopKind::EStop);
        let end_us = rig.now_us + (speed / LIMITS.emergency_mps2 * 1e6) as u64 + 20_000;
        while rig.now_us < end_us {
            rig.now_us += step_us;
            rig.outputs = Some(rig.controller.control(rig.now_us, &rig.inputs));
        }
        assert_eq!(rig.ramps(), (0.0, 0.0));
    }
}

#[test]
fn standing_armed_it_brakes_under_power() {
    // An armed body at zero holds its place.
    let mut rig = Rig::armed();
    rig.run_ms(5);
    let outputs = rig.outputs.expect("control ran");
    assert!(outputs.enabled && outputs.brake);
    rig.set(follow(0.1, 0.1), 100);
    rig.run_ms(1);
    let outputs = rig.outputs.expect("control ran");
    assert!(outputs.enabled && !outputs.brake && outputs.left_mps > 0.0);
}
