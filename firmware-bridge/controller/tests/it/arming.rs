//! Arming takes a host that did everything right.

use firmware_bridge_link::limits::SYNC_FRESH_MS;
use firmware_bridge_link::message::*;

use crate::rig::{BOOT, CONFIG, ESTOP, INPUTS, LIMITS, LatchedBy, Rig, STOP, follow};

/// A greeted controller with a standstill setpoint, spoiled in one way: what does Arm answer?
#[track_caller]
fn check(spoil: impl FnOnce(&mut Rig), expected: Outcome) {
    let mut rig = Rig::greeted();
    rig.set(WheelGoal::Halt, 500);
    spoil(&mut rig);
    assert_eq!(rig.arm(), expected);
    assert_eq!(rig.controller.view().armed, expected == Outcome::Done);
    rig.setpoint(rig.now_us + 1, 200, follow(0.5, 0.5));
    rig.run_ms(50);
    assert_eq!(rig.targets().0 > 0.0, expected == Outcome::Done, "only an armed body moves");
}

#[test]
fn arming_needs_all_its_preconditions() {
    // Standstill within the hold, time sync, protocol, no latch, open e-stop input: without any one it is refused.
    check(|_| {}, Outcome::Done);
    check(|rig| rig.set(follow(0.0, -0.0), 500), Outcome::Done);
    check(|rig| rig.run_ms(1), Outcome::Done);
    check(|rig| rig.run_ms(u64::from(LIMITS.hold_ms) - 1), Outcome::Done);
    check(|rig| rig.run_ms(u64::from(LIMITS.hold_ms)), Outcome::NotNeutral);
    check(
        |rig| {
            rig.run_ms(1);
            rig.set(follow(0.0, 0.001), 500);
        },
        Outcome::NotNeutral,
    );
    check(
        |rig| {
            rig.run_ms(u64::from(SYNC_FRESH_MS));
            rig.set(WheelGoal::Halt, 500);
        },
        Outcome::NoTimeSync,
    );
    check(|rig| rig.hello(Version { major: PROTOCOL.major + 1, minor: 0 }), Outcome::WrongProtocol);
    check(|rig| rig.hello(Version { major: PROTOCOL.major, minor: 200 }), Outcome::Done);
    check(|rig| rig.latch(STOP), Outcome::WrongState);
    check(|rig| rig.latch(ESTOP), Outcome::WrongState);
    check(|rig| rig.latch(LatchedBy::Button), Outcome::WrongState);
    check(|rig| rig.latch(LatchedBy::Battery), Outcome::WrongState);
}

#[test]
fn a_new_life_needs_a_new_handshake() {
    // Before Hello, before time sync, with another life's boot id or before the body was seen nothing is armed.
    let mut rig = Rig::powered(CONFIG);
    rig.run_ms(1);
    assert_eq!(rig.arm(), Outcome::WrongProtocol);
    rig.hello(PROTOCOL);
    rig.set(WheelGoal::Halt, 500);
    assert_eq!(rig.arm(), Outcome::NoTimeSync);
    rig.time();
    assert_eq!(rig.command(Command::Arm { boot_id: BOOT ^ 1 }), Outcome::WrongBoot);
    assert_eq!(rig.state(), (State::Disarmed, Reason::Started));
    assert_eq!(rig.arm(), Outcome::Done);
    assert_eq!(rig.state(), (State::Armed, Reason::None));
    assert_eq!(rig.arm(), Outcome::Done, "arming twice is the same as once");

    let mut unseen = Rig::powered(CONFIG);
    unseen.hello(PROTOCOL);
    unseen.time();
    unseen.set(WheelGoal::Halt, 500);
    assert_eq!(unseen.arm(), Outcome::WrongState);
    assert_eq!(unseen.state(), (State::Boot, Reason::Started));
}

#[test]
fn a_pressed_button_at_start_is_an_emergency_stop() {
    // A body that starts with its e-stop pressed is latched, and stays so when it is released.
    let mut rig = Rig::powered(CONFIG);
    rig.inputs.estop_pressed = true;
    rig.run_ms(1);
    rig.inputs.estop_pressed = false;
    rig.run_ms(100);
    assert_eq!(rig.state(), (State::EStop, Reason::ButtonEStop));
}

#[test]
fn limits_that_make_no_sense_never_move() {
    // Firmware with a wrong limit arms, and its wheels stay where they are.
    let limits = Limits { wheel_mps_max: f32::NAN, ..LIMITS };
    let mut rig = Rig::powered(firmware_bridge_controller::Config { limits, ..CONFIG });
    rig.run_ms(1);
    rig.hello(PROTOCOL);
    rig.time();
    rig.set(WheelGoal::Halt, 500);
    assert_eq!(rig.arm(), Outcome::Done);
    rig.drive_for_ms(0.5, 0.5, 200);
    assert_eq!((rig.targets(), rig.ramps()), ((0.0, 0.0), (0.0, 0.0)));
}

#[test]
fn setpoints_move_nothing_until_armed() {
    // Setpoints of a disarmed body are kept for bookkeeping only; a moving one is counted as refused.
    let mut rig = Rig::greeted();
    rig.drive_for_ms(0.5, 0.5, 200);
    assert_eq!((rig.targets(), rig.ramps()), ((0.0, 0.0), (0.0, 0.0)));
    let outputs = rig.outputs.expect("control ran");
    assert!(!outputs.enabled && outputs.brake);
    let motion = rig.motion();
    assert_eq!(motion.setpoints_refused, 10);
    assert_eq!(motion.setpoint_us, rig.now_us - 21_000);
    assert_eq!(rig.arm(), Outcome::NotNeutral, "the stick is not at zero");
    rig.set(WheelGoal::Halt, 100);
    assert_eq!(rig.arm(), Outcome::Done);
    rig.run_ms(20);
    assert_eq!(rig.targets(), (0.0, 0.0), "what came before arming never moves");
}

#[test]
fn another_major_gets_telemetry_and_stops_only() {
    // A host of another major cannot move or change anything, but it can subscribe, disarm and stop.
    let mut rig = Rig::driving(0.3, 0.3);
    rig.hello(Version { major: 2, minor: 0 });
    assert_eq!(rig.command(Command::Tighten(LIMITS)), Outcome::WrongProtocol);
    assert_eq!(rig.command(Command::Lights { rgb: [1; 3], brightness: 1 }), Outcome::WrongProtocol);
    assert_eq!(rig.command(Command::Head { pan_rad: 0.0, tilt_rad: 0.0 }), Outcome::WrongProtocol);
    assert_eq!(rig.command(Command::Subscribe { stream: Stream::Senses, rate_hz: 10 }), Outcome::Done);
    rig.drive_for_ms(0.3, 0.3, 120);
    assert_eq!(rig.state(), (State::Stopped, Reason::HoldOver), "its setpoints do not count");
    assert_eq!(rig.clear(Latch::Stopped), Outcome::WrongProtocol);
    rig.stop(StopKind::EStop);
    assert_eq!(rig.state(), (State::EStop, Reason::HostEStop));
    assert_eq!(rig.command(Command::Disarm), Outcome::Done);
    assert_eq!(rig.inputs.battery_mv, INPUTS.battery_mv);
}
