//! What stopped the body keeps it stopped.

use firmware_bridge_link::frame::{Class, FrameBuf, encode};
use firmware_bridge_link::message::*;

use crate::rig::{BOOT, CONFIG, ESTOP, LatchedBy, Rig, STOP, follow};

/// From full speed, these latches one after the other: what is shown, and what does each Clear answer in turn?
#[track_caller]
fn check(latched: &[LatchedBy], shown: (State, Reason), clears: &[(Latch, Outcome)]) {
    let mut rig = Rig::driving(0.4, 0.4);
    for &by in latched {
        rig.latch(by);
        assert_eq!(rig.targets(), (0.0, 0.0), "a latch clears the goal at once: {by:?}");
    }
    assert_eq!(rig.state(), shown, "{latched:?}");
    rig.drive_for_ms(0.4, 0.4, 300);
    assert_eq!((rig.targets(), rig.ramps()), ((0.0, 0.0), (0.0, 0.0)), "setpoints move nothing: {latched:?}");
    rig.set(WheelGoal::Halt, 100);
    assert_eq!(rig.arm(), Outcome::WrongState, "Arm alone does not do it: {latched:?}");
    for &(latch, outcome) in clears {
        rig.set(follow(0.4, 0.4), 100);
        assert_eq!(rig.clear(latch), outcome, "{latched:?} {latch:?}");
        rig.run_ms(5);
        assert_eq!(rig.targets(), (0.0, 0.0), "Clear alone does not do it: {latched:?}");
    }
    assert_eq!(rig.state(), (State::Disarmed, Reason::Disarmed), "{latched:?}");
    rig.set(WheelGoal::Halt, 100);
    assert_eq!(rig.arm(), Outcome::Done);
}

#[test]
fn a_latch_ends_with_its_own_clear_and_an_arm() {
    // Each latch needs the Clear of its kind; an emergency stop beats a stop; a fault outlives both.
    use Outcome::{Done, WrongState};
    let (stopped, estop, fault) = (Latch::Stopped, Latch::EStop, Latch::Fault);
    check(
        &[STOP],
        (State::Stopped, Reason::HostStop),
        &[(estop, WrongState), (fault, WrongState), (stopped, Done)],
    );
    check(
        &[ESTOP],
        (State::EStop, Reason::HostEStop),
        &[(stopped, WrongState), (fault, WrongState), (estop, Done)],
    );
    check(&[LatchedBy::Button], (State::EStop, Reason::ButtonEStop), &[(stopped, WrongState), (estop, Done)]);
    check(&[LatchedBy::Hold], (State::Stopped, Reason::HoldOver), &[(stopped, Done), (stopped, Done)]);
    check(&[LatchedBy::Battery], (State::Fault, Reason::BatteryLow), &[(stopped, WrongState), (fault, Done)]);
    check(&[STOP, ESTOP], (State::EStop, Reason::HostEStop), &[(stopped, WrongState), (estop, Done)]);
    check(&[ESTOP, STOP], (State::EStop, Reason::HostEStop), &[(stopped, WrongState), (estop, Done)]);
    check(&[ESTOP, LatchedBy::Button], (State::EStop, Reason::HostEStop), &[(estop, Done)]);
    check(&[LatchedBy::Hold, STOP], (State::Stopped, Reason::HoldOver), &[(stopped, Done)]);
    let shown = (State::EStop, Reason::HostEStop);
    check(&[LatchedBy::Battery, ESTOP], shown, &[(estop, Done), (stopped, WrongState), (fault, Done)]);
    let shown = (State::Fault, Reason::BatteryLow);
    check(&[STOP, LatchedBy::Battery], shown, &[(fault, Done), (stopped, Done)]);
}

#[test]
fn a_stop_is_taken_in_every_state_and_from_anybody() {
    // Without Hello, before the body was seen, twice, and from a later version: a stop always stops.
    for (kind, shown) in [
        (StopKind::Stop, (State::Stopped, Reason::HostStop)),
        (StopKind::EStop, (State::EStop, Reason::HostEStop)),
    ] {
        let mut rig = Rig::powered(CONFIG);
        rig.stop(kind);
        assert_eq!(rig.state(), shown);
        rig.run_ms(10);
        assert_eq!(rig.state(), shown, "the end of the boot does not lose it");
    }
    let mut rig = Rig::driving(0.4, 0.4);
    rig.send(Class::Stop, &(7_u16, StopKind::EStop, [1_u8, 2, 3]));
    assert_eq!(rig.state(), (State::EStop, Reason::HostEStop), "a later minor may say more");
    let mut rig = Rig::driving(0.4, 0.4);
    rig.send(Class::Stop, &(7_u16, 99_u8));
    assert_eq!(rig.state(), (State::Stopped, Reason::HostStop), "a kind we do not know is a stop at least");
    assert_eq!(rig.targets(), (0.0, 0.0));
}

#[test]
fn clearing_waits_for_the_cause_to_go() {
    // A pressed button or a low battery cannot be cleared away.
    let mut rig = Rig::armed();
    rig.inputs.estop_pressed = true;
    rig.run_ms(1);
    assert_eq!(rig.clear(Latch::EStop), Outcome::StillFaulty);
    rig.inputs.estop_pressed = false;
    rig.run_ms(1);
    assert_eq!(rig.clear(Latch::EStop), Outcome::Done);

    let mut rig = Rig::armed();
    rig.inputs.battery_mv = 6_399;
    rig.halt_for_ms(60);
    rig.inputs.battery_mv = 6_500;
    rig.run_ms(1);
    assert_eq!(rig.clear(Latch::Fault), Outcome::StillFaulty, "back above the cut alone is not enough");
    rig.inputs.battery_mv = 6_550;
    rig.run_ms(1);
    assert_eq!(rig.clear(Latch::Fault), Outcome::Done);
}

#[test]
fn disarm_stops_but_loses_no_latch() {
    // Disarm ends the goal like a stop does; a latched body stays latched.
    let mut rig = Rig::driving(0.4, 0.4);
    assert_eq!(rig.clear(Latch::Stopped), Outcome::WrongState, "there is nothing to clear on an armed body");
    assert_eq!(rig.command(Command::Disarm), Outcome::Done);
    assert_eq!((rig.state(), rig.targets()), ((State::Disarmed, Reason::Disarmed), (0.0, 0.0)));
    rig.stop(StopKind::EStop);
    assert_eq!(rig.command(Command::Disarm), Outcome::Done);
    assert_eq!(rig.state(), (State::EStop, Reason::HostEStop));
}

#[test]
fn a_stop_beats_what_arrives_with_it() {
    // Setpoint, Arm and stop in one piece of wire: whatever the order, nothing moves afterwards.
    let mut frames = Vec::new();
    let mut add = |frame: &FrameBuf| frames.push(frame.as_bytes().to_vec());
    let mut frame = FrameBuf::new();
    let setpoint = Setpoint { sent_at_us: 9_000_000, ttl_ms: 100, wheels: follow(0.5, 0.5) };
    encode(Class::Setpoint, 0, &setpoint, &mut frame).expect("fits");
    add(&frame);
    let arm = CommandFrame { id: 1_000, command: Command::Arm { boot_id: BOOT } };
    encode(Class::Command, 0, &arm, &mut frame).expect("fits");
    add(&frame);
    encode(Class::Stop, 0, &StopFrame { id: 1_001, kind: StopKind::Stop }, &mut frame).expect("fits");
    add(&frame);
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut rig = Rig::driving(0.4, 0.4);
        let bytes: Vec<u8> = order.iter().flat_map(|&index| frames[index].clone()).collect();
        rig.controller.receive(rig.now_us, &bytes);
        assert_eq!((rig.state().0, rig.targets()), (State::Stopped, (0.0, 0.0)), "{order:?}");
    }
}
