//! From an opened port to ready, and what happens when the ends do not fit.

use firmware_bridge_host::SessionFault;
use firmware_bridge_link::ToMcu;
use firmware_bridge_link::message::{Outcome, PROTOCOL, State, StopKind, Version};

use crate::model::Model;
use crate::real::Real;
use crate::world::{Faults, LIMITS, World};

#[test]
fn ready_and_synced_within_30_ms_of_a_good_wire() {
    let mut world = World::new(Real::new(1), Faults::default(), 1);
    let took_ms = world.run_until(
        30,
        |_, _| {},
        |world| world.session.ready() && world.session.clock_synced(world.now_us),
    );
    assert!(took_ms < 30, "{took_ms} ms");
    assert_eq!(world.session.firmware(), [1, 2, 3]);
    assert_eq!(world.session.boot_id(), Some(1));
    assert_eq!(world.session.state().map(|(state, _)| state), Some(State::Disarmed));
}

#[test]
fn the_limits_of_the_profile_are_in_force_when_ready() {
    let mut world = World::new(Real::new(1), Faults::default(), 1);
    world.run_until(50, |_, _| {}, |world| world.session.ready());
    world.session.connected(world.now_us);
    world.run_until(50, |_, _| {}, |world| world.session.ready());
    assert_eq!(world.mcu.limits(world.now_us), LIMITS);
}

#[test]
fn telemetry_comes_at_the_subscribed_rates() {
    let mut world = World::new(Real::new(1), Faults::default(), 1);
    world.run_until(50, |_, _| {}, |world| world.session.ready());
    let (mut motions, mut senses) = (Vec::new(), Vec::new());
    for _ in 0..1_000 {
        world.run_ms(1, |_, _| {});
        motions.extend(world.session.motion().map(|(at_us, _)| at_us));
        senses.extend(world.session.senses().map(|(at_us, _)| at_us));
    }
    motions.dedup();
    senses.dedup();
    assert!((49..=52).contains(&motions.len()), "{}", motions.len());
    assert!((19..=22).contains(&senses.len()), "{}", senses.len());
    assert_eq!(world.session.frames_lost(), 0);
    assert_eq!(world.session.losses(), Default::default());
}

#[test]
fn the_estimate_of_the_mcu_clock_is_close_and_round_trips_are_measured() {
    let mut world = World::new(Real::new(1), Faults { jitter_us: 200, ..Faults::default() }, 1);
    world.mcu.reset(world.now_us - 1_000_000);
    world.run_ms(12_000, |_, _| {});
    let estimate_us = world.session.mcu_clock_us(world.now_us).unwrap();
    let true_us = 13_000_000;
    assert!(estimate_us.abs_diff(true_us) < 300, "{estimate_us}");
    assert!((400..1_500).contains(&world.session.rtt_p50_us().unwrap()));
    assert!(world.session.rtt_p50_us() <= world.session.rtt_p95_us());
}

/// An MCU that differs in one thing: the fault, and no command but stops ever sent.
#[track_caller]
fn check_fault(change: impl FnOnce(&mut Model), want: &str) {
    let mut model = Model::new();
    change(&mut model);
    let mut world = World::new(model, Faults::default(), 1);
    world.run_ms(500, |session, now_us| session.arm(now_us));
    assert!(!world.session.ready());
    let fault = world.session.fault().unwrap().to_string();
    assert!(fault.contains(want), "{fault}");
    let moving = |message: &ToMcu| match message {
        ToMcu::Setpoint(_) => true,
        ToMcu::Command(_) => world.mcu.outcome == Outcome::Done,
        ToMcu::Stop(_) | ToMcu::Hello(_) | ToMcu::Time(_) => false,
    };
    assert!(!world.sent.iter().any(|(_, message)| moving(message)), "{:?}", world.sent);
    world.session.stop(StopKind::Stop);
    world.run_ms(2, |_, _| {});
    assert_eq!(world.mcu.stops.len(), 3, "a stop is always possible");
}

#[test]
fn ends_that_do_not_fit_say_why_and_can_still_be_stopped() {
    check_fault(|mcu| mcu.hello.protocol = Version { major: 2, minor: 5 }, "protocol 2.5");
    check_fault(|mcu| mcu.hello.schema_hash ^= 1, "different message definitions");
    check_fault(|mcu| mcu.outcome = Outcome::OutOfRange, "refuses");
}

#[test]
fn a_later_minor_with_another_schema_fits() {
    let mut model = Model::new();
    model.hello.protocol = Version { minor: PROTOCOL.minor + 1, ..PROTOCOL };
    model.hello.schema_hash ^= 1;
    let mut world = World::new(model, Faults::default(), 1);
    world.run_until(50, |_, _| {}, |world| world.session.ready());
}

#[test]
fn new_firmware_is_noticed_without_a_restart_of_the_agent() {
    let mut model = Model::new();
    model.hello.protocol.major = 9;
    let mut world = World::new(model, Faults::default(), 1);
    world.run_ms(500, |_, _| {});
    assert!(matches!(world.session.fault(), Some(SessionFault::OtherMajor { .. })));
    world.mcu.hello.protocol = PROTOCOL;
    world.mcu.hello.boot_id += 1;
    world.run_until(1_200, |_, _| {}, |world| world.session.ready());
}

#[test]
fn a_stop_goes_out_first_and_before_any_handshake() {
    let mut world = World::new(Model::new(), Faults::default(), 1);
    world.cut = true;
    world.session.stop(StopKind::EStop);
    world.run_ms(1, |_, _| {});
    let kinds: Vec<bool> = world.sent.iter().map(|(_, message)| matches!(message, ToMcu::Stop(_))).collect();
    assert_eq!(kinds[..4], [true, true, true, false]);
}
