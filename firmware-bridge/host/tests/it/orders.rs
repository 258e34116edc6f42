//! Arming, driving, stopping, over good and bad wires.

use firmware_bridge_host::Session;
use firmware_bridge_link::ToMcu;
use firmware_bridge_link::frame::FrameBuf;
use firmware_bridge_link::message::{Command, CommandFrame, Latch, Setpoint, State, StopKind, WheelGoal};
use proptest::prelude::*;

use crate::model::Model;
use crate::real::Real;
use crate::world::{Faults, World, parsed};

const FORWARD: WheelGoal = WheelGoal::Follow { left_mps: 0.2, right_mps: 0.2 };

pub(crate) fn arm(session: &mut Session, now_us: u64) {
    session.setpoint(now_us, WheelGoal::Halt, 100);
    session.arm(now_us);
}

pub(crate) fn drive(session: &mut Session, now_us: u64) {
    session.setpoint(now_us, FORWARD, 100);
}

pub(crate) fn is_armed(world: &World<Real>) -> bool {
    world.session.state().is_some_and(|(state, _)| state == State::Armed)
}

pub(crate) fn state(world: &World<Real>) -> State {
    world.mcu.controller.view().state
}

#[track_caller]
pub(crate) fn armed(faults: Faults, seed: u64, within_ms: u64) -> World<Real> {
    let mut world = World::new(Real::new(1), faults, seed);
    world.run_until(within_ms, arm, is_armed);
    world
}

#[test]
fn armed_within_100_ms_and_driven() {
    let mut world = armed(Faults::default(), 1, 100);
    world.run_ms(500, drive);
    assert_eq!(world.mcu.controller.view().left_target_mps, 0.2);
    assert!(world.session.motion().unwrap().1.left_mps > 0.1);
    assert_eq!(world.session.losses().setpoints_refused, 0);
}

#[test]
fn arm_clears_a_stop_and_then_arms() {
    let mut world = armed(Faults::default(), 1, 100);
    world.session.stop(StopKind::Stop);
    world.run_until(50, |_, _| {}, |world| world.session.state().is_some_and(|s| s.0 == State::Stopped));
    let took_ms = world.run_until(250, arm, is_armed);
    assert!(took_ms <= 100, "{took_ms} ms");
    assert_eq!(world.session.losses().commands_refused, 0, "no step was taken twice");
}

#[test]
fn arm_never_clears_an_estop_but_a_reset_does() {
    let mut world = armed(Faults::default(), 1, 100);
    world.session.stop(StopKind::EStop);
    world.run_ms(1_000, arm);
    assert_eq!(state(&world), State::EStop);
    world.run_until(
        250,
        |session, _| session.clear_estop(),
        |world| world.session.state().is_some_and(|(state, _)| state == State::Disarmed),
    );
    world.run_ms(300, |session, now_us| session.setpoint(now_us, WheelGoal::Halt, 100));
    assert_eq!(state(&world), State::Disarmed, "a reset arms nothing");
}

#[test]
fn a_stop_ends_arming_for_good() {
    // A repeated Clear or Arm that comes after a stop would undo it.
    for after_ms in 0..60 {
        let mut world = armed(Faults::default(), 1, 100);
        world.session.stop(StopKind::Stop);
        world.run_ms(100, |_, _| {});
        world.cut = true;
        world.session.arm(world.now_us);
        world.run_ms(after_ms, |_, _| {});
        world.cut = false;
        world.session.stop(StopKind::Stop);
        world.run_ms(500, |_, _| {});
        assert_eq!(state(&world), State::Stopped, "after {after_ms} ms");
    }
}

#[track_caller]
fn check_head_before_stop(head_waits_ms: u64, kind: StopKind) {
    let mut world = armed(Faults::default(), 1, 100);
    world.cut = true;
    world.session.head(0.5, 0.1);
    world.run_ms(head_waits_ms, |_, _| {});
    world.cut = false;
    world.session.stop(kind);
    let stopped = world.sent.len();
    world.run_ms(60, |_, _| {});
    world.session.clear_estop();
    world.run_until(500, arm, is_armed);
    world.run_ms(400, drive);
    let is_head = |(_, message): &&(u64, ToMcu)| matches!(message, ToMcu::Command(frame) if matches!(frame.command, Command::Head { .. }));
    assert_eq!(world.sent[stopped..].iter().find(is_head), None, "{head_waits_ms} ms, {kind:?}");
}

#[test]
fn a_head_ordered_before_a_stop_does_not_move_after_the_next_arming() {
    // Neither one that waited nor one that had to be repeated.
    for head_waits_ms in [0, 10, 60] {
        check_head_before_stop(head_waits_ms, StopKind::Stop);
        check_head_before_stop(head_waits_ms, StopKind::EStop);
    }
}

#[test]
fn a_stop_lets_a_disarm_go_on() {
    // At the end of the program both are ordered, and the stop is repeated every tick.
    let mut world = armed(Faults::default(), 1, 100);
    world.session.stop(StopKind::Stop);
    world.session.disarm();
    world.session.stop(StopKind::Stop);
    world.run_ms(60, |_, _| {});
    let is_disarm = |(_, message): &(u64, ToMcu)| matches!(message, ToMcu::Command(frame) if frame.command == Command::Disarm);
    assert!(world.sent.iter().any(is_disarm));
}

#[test]
fn disarm_disarms() {
    let mut world = armed(Faults::default(), 1, 100);
    let disarmed = |world: &World<Real>| world.session.state().is_some_and(|s| s.0 == State::Disarmed);
    world.run_until(50, |session, _| session.disarm(), disarmed);
}

#[test]
fn head_and_lights_reach_the_body() {
    let mut world = armed(Faults::default(), 1, 100);
    world.session.head(0.5, 0.1);
    world.session.lights([9, 8, 7], 200);
    world.run_ms(40, drive);
    let ordered: Vec<_> = world
        .sent
        .iter()
        .filter(|(_, message)| matches!(message, ToMcu::Command(frame) if matches!(frame.command, Command::Head { .. } | Command::Lights { .. })))
        .collect();
    assert_eq!(ordered.len(), 2, "{ordered:?}");
    assert_eq!(world.session.losses().commands_refused, 0);
}

#[test]
fn silence_of_the_gate_stops_the_body_within_the_tightened_hold() {
    let mut world = armed(Faults::default(), 1, 100);
    world.run_ms(300, drive);
    let took_ms = world.run_until(200, |_, _| {}, |world| state(world) == State::Stopped);
    assert!((80..=122).contains(&took_ms), "{took_ms} ms");
}

#[test]
fn a_goal_never_lives_longer_than_its_time_to_live() {
    let mut world = armed(Faults::default(), 1, 100);
    world.run_ms(300, drive);
    world.session.setpoint(world.now_us, FORWARD, 40);
    let moving = |world: &World<Real>| world.mcu.controller.view().left_target_mps != 0.0;
    let took_ms = world.run_until(100, |_, _| {}, |world| !moving(world));
    assert!((38..=41).contains(&took_ms), "{took_ms} ms");
}

#[test]
fn a_step_that_was_acknowledged_is_not_repeated_before_telemetry_could_show_it() {
    let mut model = Model::new();
    model.hello.state = State::Stopped;
    let mut world = World::new(model, Faults::default(), 1);
    world.run_until(50, |_, _| {}, |world| world.session.ready() && world.session.motion().is_some());
    let seen_us = world.session.motion().unwrap().0;
    while world.session.motion().unwrap().0 == seen_us {
        world.session.arm(world.now_us);
        world.run_ms(1, |_, _| {});
    }
    let clears = |frame: &&CommandFrame| frame.command == Command::Clear(Latch::Stopped);
    assert_eq!(world.mcu.ran.iter().filter(clears).count(), 1);
}

#[test]
fn without_a_synced_clock_nothing_is_armed() {
    let mut model = Model::new();
    model.tells_time = false;
    let mut world = World::new(model, Faults::default(), 1);
    world.run_ms(500, arm);
    assert!(world.session.ready() && !world.session.clock_synced(world.now_us));
    assert_eq!(world.mcu.ran.len(), 3, "only the handshake: {:?}", world.mcu.ran);
    assert!(world.session.losses().exchanges > 3);
}

#[test]
fn setpoints_carry_rising_stamps_and_at_most_the_hold() {
    // Two in one microsecond too: the MCU takes equal stamps for a repetition.
    let mut world = armed(Faults::default(), 1, 100);
    world.run_ms(10, arm);
    let mut frame = FrameBuf::new();
    world.session.setpoint(world.now_us, FORWARD, 500);
    assert!(world.session.transmit(world.now_us, &mut frame));
    let first = setpoint(&frame);
    world.session.setpoint(world.now_us, WheelGoal::Halt, 60);
    assert!(world.session.transmit(world.now_us, &mut frame));
    let second = setpoint(&frame);
    assert!(second.sent_at_us > first.sent_at_us);
    assert_eq!((first.ttl_ms, second.ttl_ms), (100, 60));
}

fn setpoint(frame: &FrameBuf) -> Setpoint {
    match parsed(frame) {
        ToMcu::Setpoint(setpoint) => setpoint,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_stop_gets_through_a_bad_wire_within_five_ticks(
        seed in any::<u64>(), lost in 0_u64..30, damaged in 0_u64..15, repeated in 0_u64..20, estop in any::<bool>(),
    ) {
        // Repeated every tick, a stop needs one of fifteen frames.
        let mut world = armed(Faults::default(), seed, 100);
        world.run_ms(200, drive);
        world.faults = Faults { lost, damaged, repeated, jitter_us: 2_000 };
        let (kind, shown) = if estop { (StopKind::EStop, State::EStop) } else { (StopKind::Stop, State::Stopped) };
        let stop = |session: &mut Session, _| session.stop(kind);
        world.run_until(100, stop, |world| state(world) == shown);
    }

    #[test]
    fn over_a_bad_wire_it_gets_ready_and_arms(
        seed in any::<u64>(), lost in 0_u64..15, damaged in 0_u64..5, repeated in 0_u64..20, jitter_us in 0_u64..5_000,
    ) {
        // And within a boot the send times of setpoints rise, whatever the clock's estimate does.
        let faults = Faults { lost, damaged, repeated, jitter_us };
        let mut world = armed(faults, seed, 10_000);
        world.run_ms(3_000, |session, now_us| {
            drive(session, now_us);
            session.arm(now_us);
        });
        let stamps: Vec<u64> = world
            .sent
            .iter()
            .filter_map(|(_, message)| match message {
                ToMcu::Setpoint(setpoint) => Some(setpoint.sent_at_us),
                _ => None,
            })
            .collect();
        prop_assert!(stamps.len() > 100);
        prop_assert!(stamps.is_sorted_by(|earlier, later| earlier < later));
    }
}
