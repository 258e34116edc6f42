//! Setpoints age, and silence stops the body.

use firmware_bridge_link::message::*;

use crate::rig::{Rig, assert_near, follow};

/// At 0.3 m/s, one more setpoint: sent `sent_us` from now, with this ttl. For how many ms does it still drive?
#[track_caller]
fn check(sent_us: i64, ttl_ms: u16, expected_ms: u64) {
    let mut rig = Rig::driving(0.3, 0.3);
    rig.run_ms(30);
    rig.setpoint(rig.now_us.saturating_add_signed(sent_us), ttl_ms, follow(0.5, 0.5));
    let mut lasted_ms = 0;
    while rig.targets() == (0.5, 0.5) {
        assert!(lasted_ms < 1_000, "it must end");
        rig.run_ms(1);
        lasted_ms += 1;
    }
    assert_eq!(lasted_ms, expected_ms, "sent {sent_us} us from now for {ttl_ms} ms");
}

#[test]
fn a_setpoint_lasts_from_the_earlier_end() {
    // min(sent, arrival) + ttl, the ttl within 20..=500 ms, and the hold of 100 ms whatever the ttl.
    check(0, 50, 50);
    check(-10_000, 50, 40);
    check(10_000, 50, 50);
    check(40_000, 50, 50);
    check(3_600_000_000, 50, 50);
    check(i64::MAX, 50, 50);
    check(0, 20, 20);
    check(0, 0, 20);
    check(0, 500, 100);
    check(0, u16::MAX, 100);
    check(-10_000, 10, 10);
    // Expired on arrival: the setpoint before it is still the one in force.
    check(-25_000, 25, 0);
}

/// While driving at 0.3 m/s: is this setpoint taken, counted as refused, or neither?
#[track_caller]
fn check_judged(sent_us: i64, ttl_ms: u16, wheels: WheelGoal, taken: u32, refused: u32) {
    let mut rig = Rig::driving(0.3, 0.3);
    let newest_us = rig.motion().setpoint_us;
    let before = rig.motion();
    rig.setpoint(newest_us.saturating_add_signed(sent_us), ttl_ms, wheels);
    let after = rig.motion();
    assert_eq!(u32::from(after.setpoint_us != before.setpoint_us), taken, "{sent_us} {ttl_ms} {wheels:?}");
    assert_eq!(after.setpoints_refused - before.setpoints_refused, refused, "{sent_us} {ttl_ms} {wheels:?}");
    if taken == 0 {
        assert_eq!(rig.targets(), (0.3, 0.3), "a refused setpoint changes nothing");
    }
}

#[test]
fn old_doubled_and_senseless_setpoints_are_refused() {
    // Older than the newest, expired, not finite: refused and counted. The newest once more: ignored.
    check_judged(1, 100, follow(0.1, 0.1), 1, 0);
    check_judged(0, 100, follow(0.1, 0.1), 0, 0);
    check_judged(-1, 100, follow(0.1, 0.1), 0, 1);
    check_judged(-1, 100, WheelGoal::Halt, 0, 1);
    check_judged(-5_000_000, 500, follow(0.1, 0.1), 0, 1);
    check_judged(1, 20, follow(0.1, 0.1), 0, 1);
    check_judged(1, 100, follow(f32::NAN, 0.1), 0, 1);
    check_judged(1, 100, follow(0.1, f32::INFINITY), 0, 1);
    check_judged(1, 100, follow(f32::NEG_INFINITY, 0.1), 0, 1);
    check_judged(1, 100, follow(3e38, -3e38), 1, 0);
}

#[test]
fn a_send_time_far_ahead_does_not_lock_out_later_ones() {
    // One setpoint with a nonsense send time is counted from its arrival; the next proper one is taken.
    let mut rig = Rig::armed();
    rig.run_ms(5);
    let ahead_us = rig.now_us + 10_000_000_000;
    rig.setpoint(ahead_us, 100, follow(0.3, 0.3));
    assert_eq!(rig.targets(), (0.3, 0.3));
    rig.run_ms(10);
    rig.setpoint(ahead_us, 100, follow(0.3, 0.3));
    rig.set(follow(0.2, 0.2), 100);
    assert_eq!(rig.targets(), (0.2, 0.2));
}

#[test]
fn the_end_of_a_ttl_halts_and_stays_armed() {
    // The goal is zero in the first check at or after the deadline; the wheels get there with the emergency rate.
    let mut rig = Rig::driving(0.3, 0.3);
    rig.set(follow(0.3, 0.3), 40);
    let deadline_us = rig.now_us + 40_000;
    let hold_us = rig.now_us + 100_000;
    assert_eq!(rig.controller.next_deadline_us(), Some(deadline_us));
    rig.run_ms(39);
    rig.controller.check_deadlines(deadline_us - 1);
    assert_eq!(rig.targets(), (0.3, 0.3));
    rig.controller.check_deadlines(deadline_us);
    assert_eq!(rig.targets(), (0.0, 0.0), "without any control step");
    assert_eq!(rig.state(), (State::Armed, Reason::None));
    assert_eq!(rig.controller.next_deadline_us(), Some(hold_us), "then the hold is next");
    rig.run_ms(50);
    assert_near(rig.ramps(), (0.15, 0.15));
    rig.set(follow(0.4, 0.4), 100);
    rig.run_ms(50);
    assert_near(rig.ramps(), (0.2, 0.2));
}

#[test]
fn silence_for_the_hold_time_latches() {
    // The hold runs from the last accepted setpoint, standstills included; refused ones do not prolong it.
    for wheels in [WheelGoal::Halt, follow(0.0, 0.0), follow(0.3, 0.3)] {
        let mut rig = Rig::armed();
        rig.set(wheels, 500);
        rig.run_ms(60);
        rig.setpoint(rig.now_us - 61_000, 500, wheels);
        rig.run_ms(39);
        assert_eq!(rig.state(), (State::Armed, Reason::None));
        rig.run_ms(1);
        assert_eq!(rig.state(), (State::Stopped, Reason::HoldOver));
        assert_eq!(rig.controller.next_deadline_us(), None);
        rig.drive_for_ms(0.3, 0.3, 200);
        assert_eq!(rig.targets(), (0.0, 0.0), "setpoints do not bring it back");
        assert_eq!(rig.state(), (State::Stopped, Reason::HoldOver));
    }
}

#[test]
fn a_setpoint_after_the_hold_cannot_save_it() {
    // Even when nobody checked in between, a frame that comes too late finds the body stopped.
    let mut rig = Rig::driving(0.3, 0.3);
    rig.now_us += 100_000;
    rig.set(follow(0.3, 0.3), 100);
    assert_eq!(rig.state(), (State::Stopped, Reason::HoldOver));
    assert_eq!(rig.targets(), (0.0, 0.0));
}

#[test]
fn zeros_keep_it_armed() {
    // A host that sends standstills for a minute is still armed.
    let mut rig = Rig::armed();
    rig.halt_for_ms(60_000);
    assert_eq!(rig.state(), (State::Armed, Reason::None));
}

#[test]
fn a_tighter_hold_counts_at_once() {
    // After Tighten the shorter hold applies to the setpoint that is already in force.
    let mut rig = Rig::armed();
    let tighter = Limits { hold_ms: 60, ..crate::rig::LIMITS };
    assert_eq!(rig.command(Command::Tighten(tighter)), Outcome::Done);
    rig.set(WheelGoal::Halt, 500);
    rig.run_ms(59);
    assert_eq!(rig.state().0, State::Armed);
    rig.run_ms(1);
    assert_eq!(rig.state(), (State::Stopped, Reason::HoldOver));
}
