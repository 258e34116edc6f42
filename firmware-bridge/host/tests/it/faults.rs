//! Silence, restarts and garbage.

use firmware_bridge_host::{Session, SessionConfig};
use firmware_bridge_link::ToMcu;
use firmware_bridge_link::frame::{Class, FrameBuf, encode};
use firmware_bridge_link::message::{Motion, State, StopKind, Telemetry, WheelGoal};
use proptest::prelude::*;

use crate::model::Model;
use crate::orders::{arm, armed, drive, is_armed, state};
use crate::real::Real;
use crate::world::{Faults, LIMITS, Mcu, World};

#[test]
fn after_a_silence_the_session_goes_on_by_itself() {
    let mut world = armed(Faults::default(), 1, 100);
    world.run_ms(200, drive);
    world.cut = true;
    world.run_ms(2_000, drive);
    assert!(world.now_us - world.session.last_frame_us().unwrap() > 1_900_000);
    world.cut = false;
    world.run_until(
        400,
        |_, _| {},
        |world| {
            let fresh = world.session.motion().is_some_and(|(at_us, _)| world.now_us - at_us < 20_000);
            fresh && world.session.ready()
        },
    );
    assert_eq!(world.session.boot_id(), Some(1));
    assert_eq!(world.session.losses().restarts, 0);
    assert_eq!(state(&world), State::Stopped, "its hold was over");
    assert!(world.session.losses().motion_frames > 50, "the gap is counted");
    world.run_until(200, arm, is_armed);
}

#[test]
fn telemetry_that_was_overtaken_on_its_way_is_passed_over() {
    let mut world = World::new(Model::new(), Faults::default(), 1);
    world.run_until(100, |_, _| {}, |world| world.session.motion().is_some());
    let (_, newest) = world.session.motion().unwrap();
    let state = world.session.state();
    let mut frame = FrameBuf::new();
    let older = Motion { t_us: newest.t_us - 1, state: State::Armed, ..newest };
    encode(Class::Telemetry, 9, &Telemetry::Motion(older), &mut frame).unwrap();
    world.session.receive(world.now_us, frame.as_bytes());
    assert_eq!((world.session.motion().unwrap().1, world.session.state()), (newest, state));
}

#[test]
fn a_restart_of_the_mcu_while_driving_is_noticed_and_survived() {
    // At every phase of the telemetry period.
    for ms in 0..25 {
        let mut world = armed(Faults::default(), 1, 100);
        world.run_ms(200 + ms, drive);
        world.session.lights([1, 1, 1], 1);
        world.mcu.reset(world.now_us);
        world.run_until(150, drive, |world| world.session.boot_id() == Some(2));
        assert_eq!(world.session.losses().restarts, 1);
        assert_eq!(world.mcu.controller.view().left_target_mps, 0.0);
        world.run_until(300, arm, is_armed);
        world.run_ms(200, drive);
        assert_eq!(world.mcu.controller.view().left_target_mps, 0.2, "setpoints count again");
        let (sent_us, sent_at_us) = last_setpoint(&world).unwrap();
        let mcu_us = world.mcu.clock_us(sent_us);
        assert!(sent_at_us.abs_diff(mcu_us) < 1_000, "stamped {sent_at_us} at {mcu_us} of its clock");
    }
}

fn last_setpoint(world: &World<Real>) -> Option<(u64, u64)> {
    world.sent.iter().rev().find_map(|(at_us, message)| match message {
        ToMcu::Setpoint(setpoint) => Some((*at_us, setpoint.sent_at_us)),
        _ => None,
    })
}

#[test]
fn a_restart_whose_first_words_were_lost_is_noticed() {
    // A started MCU says nothing of its own accord: the silence has to be noticed.
    let mut world = armed(Faults::default(), 1, 100);
    world.run_ms(12_000, drive);
    world.mcu.reset(world.now_us);
    world.cut = true;
    world.run_ms(30, drive);
    world.cut = false;
    let took_ms = world.run_until(200, drive, |world| world.session.boot_id() == Some(2));
    assert!(took_ms < 120, "{took_ms} ms");
    world.run_until(300, arm, is_armed);
}

#[test]
fn lost_subscriptions_are_renewed() {
    let mut world = World::new(Model::new(), Faults::default(), 1);
    world.run_until(50, |_, _| {}, |world| world.session.ready() && world.session.motion().is_some());
    world.mcu.subscribed = false;
    world.run_until(200, |_, _| {}, |world| world.mcu.subscribed);
    world.run_until(50, |_, _| {}, |world| world.session.ready());
    assert_eq!(world.session.losses().restarts, 0);
}

#[test]
fn no_setpoint_for_the_old_mcu_goes_to_a_restarted_one() {
    let mut world = World::new(Model::new(), Faults::default(), 1);
    world.run_until(50, |_, _| {}, |world| world.session.ready() && world.session.motion().is_some());
    world.mcu.hello.boot_id += 1;
    let mut step = 0.0;
    while world.session.boot_id() == Some(7) {
        // A new goal every ms, so that one nearly always waits for its 5 ms.
        step += 0.001;
        let goal = WheelGoal::Follow { left_mps: step, right_mps: step };
        world.session.setpoint(world.now_us, goal, 100);
        world.run_ms(1, |_, _| {});
    }
    let restarted = world.sent.len();
    world.run_until(100, |_, _| {}, |world| world.session.ready());
    let late: Vec<_> =
        world.sent[restarted..].iter().filter(|(_, message)| matches!(message, ToMcu::Setpoint(_))).collect();
    assert!(late.is_empty(), "{late:?}");
}

#[test]
fn a_restart_behind_a_reopened_port_is_noticed() {
    let mut world = armed(Faults::default(), 1, 100);
    world.faults.damaged = 30;
    world.run_ms(500, drive);
    world.faults.damaged = 0;
    let lost = world.session.losses().mcu_frames;
    world.session.disconnected();
    assert_eq!(world.session.state(), None);
    assert_eq!(world.session.next_wake_us(world.now_us), None);
    world.mcu.reset(world.now_us);
    world.run_ms(500, |_, _| {});
    world.session.connected(world.now_us);
    world.run_until(100, |_, _| {}, |world| world.session.ready());
    assert_eq!(world.session.boot_id(), Some(2));
    assert_eq!(world.session.losses().restarts, 1);
    world.run_ms(50, |_, _| {});
    assert!(lost > 0 && world.session.losses().mcu_frames >= lost, "earlier losses stay counted");
    let estimate_us = world.session.mcu_clock_us(world.now_us).unwrap();
    assert!(estimate_us < 1_000_000, "the clock is the new one: {estimate_us}");
}

#[test]
fn a_stop_asked_for_without_a_port_goes_out_first_on_the_next() {
    let mut world = armed(Faults::default(), 1, 100);
    world.session.disconnected();
    world.session.stop(StopKind::EStop);
    let before = world.sent.len();
    world.session.connected(world.now_us);
    world.run_ms(10, |_, _| {});
    assert!(world.sent[before..before + 3].iter().all(|(_, message)| matches!(message, ToMcu::Stop(_))));
    assert_eq!(state(&world), State::EStop);
}

#[test]
fn telemetry_from_before_the_hello_is_not_believed() {
    // It may have waited in a kernel buffer while nobody read.
    let mut world = armed(Faults::default(), 1, 100);
    world.session.disconnected();
    let mut frames = Vec::new();
    for step in 0..200 {
        world.mcu.turn(world.now_us + step * 200, &[], &mut frames);
    }
    assert!(!frames.is_empty());
    let mut session = Session::new(SessionConfig::new(LIMITS, 921_600));
    session.connected(0);
    for frame in &frames {
        session.receive(1, frame.as_bytes());
    }
    assert_eq!(session.state(), None);
    assert_eq!(session.boot_id(), None);
    assert!(session.motion().is_none());
}

#[test]
fn broken_frames_are_counted_on_both_sides() {
    let faults = Faults { damaged: 20, ..Faults::default() };
    let mut world = armed(faults, 3, 3_000);
    world.run_ms(2_000, drive);
    let losses = world.session.losses();
    assert!(losses.broken_frames > 10, "{losses:?}");
    assert!(losses.mcu_frames > 10, "{losses:?}");
    assert!(losses.motion_frames > 5, "{losses:?}");
    assert_eq!(world.session.frames_lost(), losses.mcu_frames + losses.motion_frames + losses.senses_frames);
}

/// An MCU that talks nonsense between its frames.
struct Babbling {
    real: Real,
    random: crate::world::Random,
}

impl Mcu for Babbling {
    fn turn(&mut self, now_us: u64, bytes: &[u8], out: &mut Vec<FrameBuf>) {
        self.real.turn(now_us, bytes, out);
        if self.random.below(10) == 0
            && let Some(frame) = out.first_mut()
        {
            // The first frame of this turn turns into another frame's bytes: a valid frame of the wrong direction.
            let nonsense = firmware_bridge_link::message::TimeRequest { host_us: self.random.below(1 << 40) };
            firmware_bridge_link::frame::encode(
                firmware_bridge_link::frame::Class::Setpoint,
                0,
                &nonsense,
                frame,
            )
            .unwrap();
        }
    }
}

#[test]
fn frames_of_the_wrong_direction_are_counted_and_ignored() {
    let mcu = Babbling { real: Real::new(1), random: crate::world::Random::new(5) };
    let mut world = World::new(mcu, Faults::default(), 1);
    world.run_until(3_000, |_, _| {}, |world| world.session.ready());
    world.run_ms(2_000, |_, _| {});
    assert!(world.session.losses().unreadable_frames > 5);
    assert!(world.session.ready());
}

proptest! {
    #[test]
    fn any_bytes_at_any_time_never_panic_and_never_make_it_ready(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..30),
    ) {
        let mut session = Session::new(SessionConfig::new(LIMITS, 921_600));
        session.connected(0);
        let mut frame = FrameBuf::new();
        for (index, chunk) in chunks.iter().enumerate() {
            let now_us = index as u64 * 7_000;
            session.receive(now_us, chunk);
            session.setpoint(now_us, WheelGoal::Halt, u16::MAX);
            session.arm(now_us);
            while session.transmit(now_us, &mut frame) {
                prop_assert!(!frame.as_bytes().is_empty());
            }
        }
        prop_assert!(!session.ready());
    }

    #[test]
    fn garbage_between_frames_costs_no_more_than_a_retry(
        seed in any::<u64>(), garbage in proptest::collection::vec(any::<u8>(), 1..400),
    ) {
        let mut world = armed(Faults::default(), seed, 100);
        let now_us = world.now_us;
        world.session.receive(now_us, &garbage);
        world.mcu.turn(now_us, &garbage, &mut Vec::new());
        world.run_until(300, arm, |world| is_armed(world) && world.session.ready());
    }
}
