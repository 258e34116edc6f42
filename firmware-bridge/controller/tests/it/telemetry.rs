//! Telemetry comes as subscribed, thins out on a slow wire, and never hides a changed state.

use firmware_bridge_link::ToHost;
use firmware_bridge_link::message::*;

use crate::rig::{BOOT, CONFIG, ESTOP, Rig};

fn motions(messages: &[ToHost]) -> Vec<Motion> {
    let motion = |message: &ToHost| match message {
        ToHost::Telemetry(Telemetry::Motion(motion)) => Some(*motion),
        _ => None,
    };
    messages.iter().filter_map(motion).collect()
}

#[track_caller]
fn check_rate(stream: Stream, rate_hz: u8, expected: usize) {
    let mut rig = Rig::greeted();
    assert_eq!(rig.command(Command::Subscribe { stream, rate_hz }), Outcome::Done);
    let (mut found, mut last_seq) = (0, None::<u8>);
    for _ in 0..1_000 {
        rig.run_ms(1);
        for (seq, message) in rig.drain_numbered() {
            if matches!(message, ToHost::Telemetry(_)) {
                assert!(
                    last_seq.is_none_or(|last| seq == last.wrapping_add(1)),
                    "a gap though nothing was lost"
                );
                last_seq = Some(seq);
                found += 1;
            }
        }
    }
    assert_eq!(found, expected, "{stream:?} at {rate_hz} Hz");
}

#[test]
fn streams_come_at_their_rate() {
    // A second of each stream; 0 ends it.
    check_rate(Stream::Motion, 100, 100);
    check_rate(Stream::Motion, 50, 50);
    check_rate(Stream::Senses, 10, 10);
    check_rate(Stream::Senses, 1, 1);
    check_rate(Stream::Senses, 0, 0);
}

#[test]
fn a_changed_state_is_sent_at_once() {
    // Start, arming and stop are seen without any subscription, with the boot id.
    let mut rig = Rig::powered(CONFIG);
    assert!(rig.drain().iter().all(|message| matches!(message, ToHost::Log(_))), "nothing was measured yet");
    rig.run_ms(1);
    let seen = motions(&rig.drain());
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].boot_id, seen[0].state, seen[0].reason), (BOOT, State::Disarmed, Reason::Started));
    let mut rig = Rig::armed();
    rig.run_ms(1);
    rig.latch(ESTOP);
    let seen = motions(&rig.drain());
    assert_eq!(seen.iter().map(|motion| motion.state).collect::<Vec<_>>(), [State::EStop]);
}

#[test]
fn a_slow_wire_gets_the_newest_and_learns_what_it_missed() {
    // Unsent frames are replaced, never queued, and the gap shows in the sequence number.
    let mut rig = Rig::greeted();
    rig.run_ms(1);
    rig.drain();
    assert_eq!(rig.command(Command::Subscribe { stream: Stream::Motion, rate_hz: 100 }), Outcome::Done);
    let telemetry = |mut messages: Vec<(u8, ToHost)>| {
        messages.retain(|(_, message)| matches!(message, ToHost::Telemetry(_)));
        messages
    };
    rig.run_ms(1);
    let first = telemetry(rig.drain_numbered());
    rig.run_ms(500);
    let second = telemetry(rig.drain_numbered());
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(second[0].0.wrapping_sub(first[0].0), 50);
    let ToHost::Telemetry(Telemetry::Motion(motion)) = second[0].1 else { panic!("motion was subscribed") };
    assert_eq!(motion.t_us, rig.now_us);
}

#[test]
fn motion_tells_speed_way_and_losses() {
    // Measured speed settles to the wheels' real one; broken frames are counted.
    let mut rig = Rig::driving(0.4, -0.2);
    rig.controller.receive(rig.now_us, &[0, 5, 1, 2, 3, 4, 0]);
    let motion = rig.motion();
    assert!((motion.left_mps - 0.4).abs() < 0.01 && (motion.right_mps + 0.2).abs() < 0.01, "{motion:?}");
    assert_eq!((motion.left_um, motion.right_um), (rig.inputs.left_um, rig.inputs.right_um));
    assert_eq!((motion.frames_lost, motion.setpoints_refused), (1, 0));
    rig.send(firmware_bridge_link::frame::Class::Telemetry, &7_u8);
    assert_eq!(rig.motion().frames_lost, 2, "a frame of the wrong direction is lost, too");
}

#[test]
fn senses_carry_what_the_body_has() {
    // Two of four range sensors are declared: the others were never read.
    let mut rig = Rig::greeted();
    rig.run_ms(1);
    rig.drain();
    assert_eq!(rig.command(Command::Subscribe { stream: Stream::Senses, rate_hz: 10 }), Outcome::Done);
    rig.inputs.gyro_radps = 0.5;
    rig.run_ms(1);
    let messages = rig.drain();
    let [ToHost::Telemetry(Telemetry::Senses(senses))] = messages[..] else { panic!("{messages:?}") };
    let never = RangeReading { mm: u16::MAX, age_ms: u16::MAX };
    assert_eq!(senses.ranges, [rig.inputs.ranges[0], rig.inputs.ranges[1], never, never]);
    assert_eq!((senses.gyro_radps, senses.battery_mv, senses.pan_rad), (0.5, 7_800, 0.25));
}

#[test]
fn time_is_answered_with_the_moment_of_reading() {
    // The reply carries the host's stamp back, and our clock at arrival, however late it is sent.
    let mut rig = Rig::greeted();
    let asked_us = rig.now_us;
    rig.time();
    rig.now_us += 5_000;
    assert_eq!(rig.drain()[0], ToHost::Time(TimeReply { host_us: asked_us + 77, mcu_us: asked_us }));
}

#[test]
fn log_lines_are_rare_and_count_what_was_dropped() {
    // A body that changes its state all the time sends ten lines a second at most and says how many it dropped.
    let mut rig = Rig::armed();
    let (mut sent, mut dropped) = (0, 0);
    for _ in 0..100 {
        rig.stop(StopKind::Stop);
        rig.clear(Latch::Stopped);
        rig.run_ms(10);
        for message in rig.drain() {
            if let ToHost::Log(log) = message {
                sent += 1;
                dropped += log.dropped;
            }
        }
    }
    assert!(sent <= 11, "{sent}");
    assert!(dropped > 100, "{dropped}");
}
