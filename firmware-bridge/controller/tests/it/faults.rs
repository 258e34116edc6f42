//! Weak batteries and stuck wheels.

use firmware_bridge_link::ToHost;
use firmware_bridge_link::message::*;

use crate::rig::{CONFIG, INPUTS, Rig, assert_near, follow};

/// Battery at this voltage for long: what is left of a goal of 0.8 m/s (limit 0.9)?
#[track_caller]
fn check_soft(battery_mv: u16, expected_mps: f32) {
    let mut rig = Rig::armed();
    rig.inputs.battery_mv = battery_mv;
    rig.halt_for_ms(4_000);
    rig.set(follow(2.0, 2.0), 100);
    assert_near(rig.targets(), (expected_mps, expected_mps));
}

#[test]
fn a_weak_battery_slows_the_wheels() {
    // From the soft limit (7.0 V) straight down to half the speed at the cut (6.4 V).
    check_soft(8_400, 0.9);
    check_soft(7_000, 0.9);
    check_soft(6_850, 0.788);
    check_soft(6_700, 0.675);
    check_soft(6_400, 0.45);
}

/// Battery at this voltage for so many ms: which state?
#[track_caller]
fn check_cut(battery_mv: u16, ms: u64, expected: (State, Reason)) {
    let mut rig = Rig::armed();
    rig.run_ms(5);
    rig.inputs.battery_mv = battery_mv;
    rig.run_ms(ms);
    rig.inputs.battery_mv = INPUTS.battery_mv;
    rig.run_ms(1);
    assert_eq!(rig.state(), expected, "{battery_mv} mV for {ms} ms");
}

#[test]
fn an_empty_battery_is_a_fault_after_50_ms() {
    // A dip while a motor starts is nothing; staying under the cut stops the body, armed or not.
    check_cut(6_399, 51, (State::Fault, Reason::BatteryLow));
    check_cut(0, 51, (State::Fault, Reason::BatteryLow));
    check_cut(6_399, 49, (State::Armed, Reason::None));
    check_cut(6_400, 80, (State::Armed, Reason::None));
    let mut rig = Rig::powered(CONFIG);
    rig.inputs.battery_mv = 6_000;
    rig.run_ms(60);
    assert_eq!(rig.state(), (State::Fault, Reason::BatteryLow));
}

#[test]
fn dips_do_not_add_up() {
    // Ten dips of 30 ms with recoveries between them are still dips.
    let mut rig = Rig::armed();
    for _ in 0..10 {
        rig.inputs.battery_mv = 6_000;
        rig.halt_for_ms(20);
        rig.inputs.battery_mv = INPUTS.battery_mv;
        rig.halt_for_ms(20);
    }
    assert_eq!(rig.state(), (State::Armed, Reason::None));
}

#[test]
fn the_soft_limit_is_reported_once() {
    // One log line when the battery gets weak, not one for every step.
    let mut rig = Rig::armed();
    rig.inputs.battery_mv = 6_800;
    let mut lines = 0;
    for _ in 0..200 {
        rig.halt_for_ms(20);
        let soft =
            |message: &ToHost| matches!(message, ToHost::Log(log) if log.event == LogEvent::BatterySoftLimit);
        lines += rig.drain().iter().filter(|message| soft(message)).count();
    }
    assert_eq!(lines, 1);
}

/// Driven for 800 ms while the encoders behave as `wheel` says: which state?
#[track_caller]
fn check_stuck(speed: (f32, f32), mut wheel: impl FnMut(u64, &mut Rig), expected: (State, Reason)) {
    let mut rig = Rig::armed();
    rig.wheels_turn = false;
    for ms in 0..40 {
        rig.drive_for_ms(speed.0, speed.1, 20);
        wheel(ms * 20, &mut rig);
    }
    assert_eq!(rig.state(), expected);
}

#[test]
fn a_driven_wheel_that_does_not_turn_is_a_fault() {
    // Over 0.1 m/s for 500 ms without moving; a jittering count is no movement; slow or turning wheels are fine.
    let stuck = (State::Fault, Reason::EncoderStuck);
    let fine = (State::Armed, Reason::None);
    let turns = |rig: &mut Rig, mps: f32| (mps * 20_000.0) as i64 * i64::from(rig.controller.view().armed);
    check_stuck((0.4, 0.4), |_, _| {}, stuck);
    check_stuck((-0.4, -0.4), |_, _| {}, stuck);
    check_stuck((0.4, 0.4), |_, rig| rig.inputs.left_um += turns(rig, 0.4), stuck);
    check_stuck((0.4, 0.4), |_, rig| rig.inputs.right_um += turns(rig, 0.4), stuck);
    check_stuck((0.4, 0.0), |_, _| {}, stuck);
    check_stuck((0.4, 0.0), |_, rig| rig.inputs.left_um += turns(rig, 0.4), fine);
    check_stuck((0.4, 0.0), |ms, rig| rig.inputs.left_um = (ms as i64 / 20 % 2) * 1_000, stuck);
    check_stuck((0.1, -0.1), |_, _| {}, fine);
    check_stuck((0.0, 0.0), |_, _| {}, fine);
}

#[test]
fn a_stuck_wheel_is_found_in_time_and_can_be_tried_again() {
    // The fault comes 500 ms after the ramp passed 0.1 m/s, and a person may try again.
    let mut rig = Rig::armed();
    rig.wheels_turn = false;
    let start_us = rig.now_us;
    while rig.state().0 == State::Armed {
        assert!(rig.now_us < start_us + 1_000_000, "it must be found");
        rig.drive_for_ms(0.4, 0.4, 20);
    }
    let found_ms = (rig.now_us - start_us) / 1_000;
    assert!((600..=640).contains(&found_ms), "{found_ms}");
    rig.halt_for_ms(300);
    assert_eq!(rig.clear(Latch::Fault), Outcome::Done);
    assert_eq!(rig.arm(), Outcome::Done);
    rig.wheels_turn = true;
    rig.drive_for_ms(0.4, 0.4, 2_000);
    assert_eq!(rig.state(), (State::Armed, Reason::None));
}

#[test]
fn a_cleared_stall_is_not_found_again_while_the_wheels_are_still_slowing() {
    // A person may take again at once: the drive that was found fault with does not count a second time.
    let mut rig = Rig::armed();
    rig.wheels_turn = false;
    while rig.state().0 == State::Armed {
        rig.drive_for_ms(0.6, 0.6, 20);
    }
    rig.halt_for_ms(20);
    assert_eq!(rig.clear(Latch::Fault), Outcome::Done);
    assert_eq!(rig.arm(), Outcome::Done);
    rig.halt_for_ms(300);
    assert_eq!(rig.state(), (State::Armed, Reason::None));
}
