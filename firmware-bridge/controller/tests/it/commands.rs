//! Commands are run once and answered every time.

use firmware_bridge_controller::Config;
use firmware_bridge_link::ToHost;
use firmware_bridge_link::frame::Class;
use firmware_bridge_link::message::*;

use crate::rig::{CONFIG, INPUTS, LIMITS, Rig, follow};

fn replies(rig: &mut Rig) -> Vec<(u16, Outcome)> {
    let reply = |message| match message {
        ToHost::Reply(reply) => Some((reply.id, reply.outcome)),
        _ => None,
    };
    rig.drain().into_iter().filter_map(reply).collect()
}

#[test]
fn a_repeated_command_is_answered_but_not_run_again() {
    // The same frame after the state changed gets the first answer and changes nothing.
    let mut rig = Rig::armed();
    let disarm = CommandFrame { id: 500, command: Command::Disarm };
    rig.send(Class::Command, &disarm);
    assert_eq!(replies(&mut rig), [(500, Outcome::Done)]);
    rig.set(WheelGoal::Halt, 100);
    assert_eq!(rig.arm(), Outcome::Done);
    rig.send(Class::Command, &disarm);
    assert_eq!(replies(&mut rig), [(500, Outcome::Done)]);
    assert_eq!(rig.state().0, State::Armed, "the repetition must not disarm");
}

#[test]
fn refusals_are_repeated_too() {
    // A refused Arm stays refused for its id, though it would be possible now; a new id succeeds.
    let mut rig = Rig::greeted();
    let arm = |id| CommandFrame { id, command: Command::Arm { boot_id: crate::rig::BOOT } };
    rig.send(Class::Command, &arm(7));
    rig.set(WheelGoal::Halt, 100);
    rig.send(Class::Command, &arm(7));
    assert_eq!(replies(&mut rig), [(7, Outcome::NotNeutral), (7, Outcome::NotNeutral)]);
    rig.send(Class::Command, &arm(8));
    assert_eq!(replies(&mut rig), [(8, Outcome::Done)]);
}

#[test]
fn a_restarted_host_may_count_its_ids_anew() {
    // An old id with another command, or the same one after a new Hello, is a new command.
    let mut rig = Rig::armed();
    let lights = |brightness| Command::Lights { rgb: [9; 3], brightness };
    rig.send(Class::Command, &CommandFrame { id: 3, command: Command::Disarm });
    rig.send(Class::Command, &CommandFrame { id: 3, command: lights(5) });
    rig.run_ms(1);
    assert_eq!(rig.outputs.expect("control ran").brightness, 5);
    rig.set(WheelGoal::Halt, 100);
    assert_eq!(rig.arm(), Outcome::Done);
    rig.hello(PROTOCOL);
    rig.send(Class::Command, &CommandFrame { id: 3, command: Command::Disarm });
    assert_eq!(rig.state().0, State::Disarmed);
}

#[test]
fn eight_answers_are_remembered() {
    // The eighth last command is still known; four can be under way at most.
    let mut rig = Rig::armed();
    rig.send(Class::Command, &CommandFrame { id: 100, command: Command::Disarm });
    rig.set(WheelGoal::Halt, 100);
    for id in 101..107 {
        rig.send(Class::Command, &CommandFrame { id, command: Command::Clear(Latch::Stopped) });
    }
    rig.send(Class::Command, &CommandFrame { id: 107, command: Command::Arm { boot_id: crate::rig::BOOT } });
    assert_eq!(replies(&mut rig).len(), 8);
    rig.send(Class::Command, &CommandFrame { id: 100, command: Command::Disarm });
    assert_eq!(replies(&mut rig), [(100, Outcome::Done)]);
    assert_eq!(rig.state().0, State::Armed);
}

#[test]
fn stops_are_answered_once_for_three() {
    // Three stops back to back wait as one answer, ahead of everything else.
    let mut rig = Rig::driving(0.3, 0.3);
    rig.time();
    rig.hello(PROTOCOL);
    for _ in 0..3 {
        rig.send(Class::Stop, &StopFrame { id: 77, kind: StopKind::Stop });
    }
    let messages = rig.drain();
    assert_eq!(messages[0], ToHost::Reply(Reply { id: 77, outcome: Outcome::Done }));
    assert!(matches!(messages[1], ToHost::Time(_)) && matches!(messages[2], ToHost::Hello(_)));
    assert_eq!(messages.iter().filter(|message| matches!(message, ToHost::Reply(_))).count(), 1);
    rig.send(Class::Stop, &StopFrame { id: 77, kind: StopKind::Stop });
    assert_eq!(replies(&mut rig), [(77, Outcome::Done)], "asked again it answers again");
}

#[test]
fn a_flood_of_commands_is_bounded_and_never_delays_a_stop() {
    // A host that sends without reading loses answers, never the one to a stop.
    let mut rig = Rig::armed();
    for id in 1_000..2_000 {
        rig.send(Class::Command, &CommandFrame { id, command: Command::Clear(Latch::Stopped) });
        rig.time();
    }
    rig.send(Class::Stop, &StopFrame { id: 9, kind: StopKind::EStop });
    let messages = rig.drain();
    assert_eq!(messages[0], ToHost::Reply(Reply { id: 9, outcome: Outcome::Done }));
    assert!(messages.len() < 30, "{}", messages.len());
}

/// What a greeted, disarmed body with this configuration answers.
#[track_caller]
fn check(config: Config, command: Command, expected: Outcome) {
    let mut rig = Rig::powered(config);
    rig.run_ms(1);
    rig.hello(PROTOCOL);
    assert_eq!(rig.command(command), expected, "{command:?}");
}

#[test]
fn senseless_commands_are_refused_with_the_reason() {
    // Not finite, out of range, or for a part that is not there.
    let no_parts = Config { head: false, lights: false, ..CONFIG };
    let lights = Command::Lights { rgb: [1, 2, 3], brightness: 4 };
    let head = |pan_rad, tilt_rad| Command::Head { pan_rad, tilt_rad };
    check(CONFIG, lights, Outcome::Done);
    check(no_parts, lights, Outcome::NoSuchPart);
    check(no_parts, head(0.0, 0.0), Outcome::NoSuchPart);
    check(CONFIG, head(f32::NAN, 0.0), Outcome::OutOfRange);
    check(CONFIG, head(0.0, f32::INFINITY), Outcome::OutOfRange);
    check(CONFIG, head(0.0, 0.0), Outcome::WrongState);
    check(CONFIG, Command::Subscribe { stream: Stream::Motion, rate_hz: 100 }, Outcome::Done);
    check(CONFIG, Command::Subscribe { stream: Stream::Senses, rate_hz: 101 }, Outcome::OutOfRange);
    check(CONFIG, Command::Tighten(LIMITS), Outcome::Done);
    check(CONFIG, Command::Tighten(Limits { wheel_mps_max: f32::NAN, ..LIMITS }), Outcome::OutOfRange);
    check(CONFIG, Command::Tighten(Limits { emergency_mps2: 1e9, ..LIMITS }), Outcome::OutOfRange);
    check(CONFIG, Command::Tighten(Limits { hold_ms: 10, ..LIMITS }), Outcome::OutOfRange);
    check(CONFIG, Command::Clear(Latch::Fault), Outcome::Done);
}

#[test]
fn hello_shows_the_limits_in_force() {
    // After Tighten, Hello shows the tighter of both for every field.
    let mut rig = Rig::greeted();
    let asked =
        Limits { wheel_mps_max: 0.5, acceleration_mps2: 2.0, emergency_mps2: 4.0, hold_ms: 200, ..LIMITS };
    assert_eq!(rig.command(Command::Tighten(asked)), Outcome::Done);
    rig.hello(PROTOCOL);
    let hello = rig.drain().into_iter().find_map(|message| match message {
        ToHost::Hello(hello) => Some(hello),
        _ => None,
    });
    let hello = hello.expect("Hello is answered");
    let expected = Limits { wheel_mps_max: 0.5, emergency_mps2: 4.0, ..LIMITS };
    assert_eq!(hello.capabilities.limits, expected);
    assert_eq!(
        (hello.boot_id, hello.firmware, hello.board),
        (crate::rig::BOOT, CONFIG.firmware, CONFIG.board)
    );
    assert_eq!((hello.state, hello.reset_reason), (State::Disarmed, ResetReason::PowerOn));
}

#[test]
fn the_head_moves_only_while_armed_and_freezes_with_the_body() {
    // It keeps the place it was found at, goes where it is told within its limits, and stays where a stop met it.
    let mut rig = Rig::armed();
    rig.run_ms(1);
    let head =
        |rig: &Rig| rig.outputs.map(|outputs| (outputs.pan_rad, outputs.tilt_rad)).expect("control ran");
    assert_eq!(head(&rig), (INPUTS.pan_rad, INPUTS.tilt_rad));
    assert_eq!(rig.command(Command::Head { pan_rad: -1.0, tilt_rad: 9.0 }), Outcome::Done);
    rig.run_ms(1);
    assert_eq!(head(&rig), (-1.0, LIMITS.tilt_rad_max));
    rig.inputs.pan_rad = -0.25;
    rig.inputs.tilt_rad = 0.5;
    rig.stop(StopKind::Stop);
    rig.run_ms(1);
    assert_eq!(head(&rig), (-0.25, 0.5));
    rig.inputs.pan_rad = -0.3;
    rig.run_ms(1);
    assert_eq!(head(&rig), (-0.25, 0.5), "it does not follow its own sagging");
    assert_eq!(rig.command(Command::Head { pan_rad: 0.0, tilt_rad: 0.0 }), Outcome::WrongState);
}

#[test]
fn a_command_does_not_keep_the_body_alive() {
    // Only setpoints prove that the host lives: commands, time and Hello do not prolong the hold.
    let mut rig = Rig::armed();
    rig.set(follow(0.3, 0.3), 100);
    for _ in 0..10 {
        rig.run_ms(10);
        rig.time();
        rig.hello(PROTOCOL);
        rig.send(
            Class::Command,
            &CommandFrame { id: 40, command: Command::Lights { rgb: [0; 3], brightness: 0 } },
        );
    }
    assert_eq!(rig.state(), (State::Stopped, Reason::HoldOver));
}
