//! The wire does not change without a new protocol version.

#[path = "support/trace.rs"]
mod trace;

use std::fmt::Write;

use firmware_bridge_link::frame::{Class, Decoder, FrameBuf, encode};
use firmware_bridge_link::message::*;
use firmware_bridge_link::schema::{DESCRIPTION, SCHEMA_HASH};
use firmware_bridge_link::{ToHost, ToMcu};
use serde::Serialize;

/// Versions that were ever released, each with its hash and one frame of every message. Old lines stay.
const BASELINE: &str = include_str!("baseline.txt");

#[test]
fn description_says_what_the_types_are() {
    // schema.txt, whose hash both ends compare, must describe the types as they are.
    let described = describe();
    assert_eq!(
        DESCRIPTION, described,
        "write this into src/schema.txt, and give PROTOCOL a new version:\n{described}"
    );
}

#[test]
fn bytes_change_only_with_a_new_version() {
    // Hash and bytes of every message must be those that were recorded for this protocol version.
    let version = version_prefix(PROTOCOL);
    let recorded: Vec<_> = BASELINE.lines().filter(|line| line.starts_with(&version)).collect();
    let now = baseline();
    assert_eq!(
        recorded,
        now.lines().collect::<Vec<_>>(),
        "the wire differs from what version {version}was. Give PROTOCOL a new version and append:\n{now}"
    );
}

#[test]
fn frames_of_earlier_minors_are_still_read() {
    // Every frame recorded under our major must still be read, whichever minor wrote it.
    let ours = format!("{}.", PROTOCOL.major);
    let mut read = 0;
    for line in BASELINE.lines().filter(|line| line.starts_with(&ours)) {
        let [_, direction, _, hex] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
        assert!(is_read(direction, &unhex(hex)), "no longer read: {line}");
        read += 1;
    }
    assert!(read > 20, "only {read} frames are recorded");
}

fn describe() -> String {
    let mut tracer = trace::Tracer::default();
    let mut text = String::new();
    let mut line = |class: Class, direction: &str, message: String| {
        writeln!(text, "class {} {direction} {message}", class as u8).expect("a string can be written");
    };
    line(Class::Setpoint, "to_mcu", tracer.trace::<Setpoint>());
    line(Class::Command, "to_mcu", tracer.trace::<CommandFrame>());
    line(Class::Stop, "to_mcu", tracer.trace::<StopFrame>());
    line(Class::Hello, "to_mcu", tracer.trace::<HelloRequest>());
    line(Class::Time, "to_mcu", tracer.trace::<TimeRequest>());
    line(Class::Telemetry, "to_host", tracer.trace::<Telemetry>());
    line(Class::Log, "to_host", tracer.trace::<Log>());
    line(Class::Hello, "to_host", tracer.trace::<Hello>());
    line(Class::Time, "to_host", tracer.trace::<TimeReply>());
    line(Class::Reply, "to_host", tracer.trace::<Reply>());
    for described in tracer.lines() {
        writeln!(text, "{described}").expect("a string can be written");
    }
    text
}

fn version_prefix(version: Version) -> String {
    format!("{}.{} ", version.major, version.minor)
}

/// The lines of the present version.
fn baseline() -> String {
    let version = version_prefix(PROTOCOL);
    let mut text = format!("{version}schema {SCHEMA_HASH:016x}\n");
    for (direction, name, frame) in golden() {
        let hex: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(text, "{version}{direction} {name} {hex}").expect("a string can be written");
    }
    text
}

type Golden = Vec<(&'static str, String, Vec<u8>)>;

/// One frame of every message, with numbers that show byte order, sign and length.
fn golden() -> Golden {
    let mut frames = Golden::new();
    to_mcu(&mut frames);
    to_host(&mut frames);
    frames
}

fn to_mcu(frames: &mut Golden) {
    let limits = Limits {
        wheel_mps_max: 0.5,
        acceleration_mps2: 1.0,
        emergency_mps2: 3.0,
        hold_ms: 100,
        pan_rad_max: 1.5,
        tilt_rad_max: 0.75,
    };
    let halt = Setpoint { sent_at_us: 1_000_000, ttl_ms: 250, wheels: WheelGoal::Halt };
    let follow = WheelGoal::Follow { left_mps: 0.25, right_mps: -0.5 };
    add(frames, "to_mcu", "setpoint-halt", Class::Setpoint, &halt);
    add(frames, "to_mcu", "setpoint-follow", Class::Setpoint, &Setpoint { wheels: follow, ..halt });
    let commands = [
        ("tighten", Command::Tighten(limits)),
        ("subscribe-motion", Command::Subscribe { stream: Stream::Motion, rate_hz: 50 }),
        ("subscribe-senses", Command::Subscribe { stream: Stream::Senses, rate_hz: 0 }),
        ("arm", Command::Arm { boot_id: 0x1234_5678 }),
        ("disarm", Command::Disarm),
        ("clear-stopped", Command::Clear(Latch::Stopped)),
        ("clear-estop", Command::Clear(Latch::EStop)),
        ("clear-fault", Command::Clear(Latch::Fault)),
        ("head", Command::Head { pan_rad: 0.5, tilt_rad: -0.25 }),
        ("lights", Command::Lights { rgb: [255, 128, 0], brightness: 200 }),
    ];
    for (name, command) in commands {
        add(frames, "to_mcu", name, Class::Command, &CommandFrame { id: 300, command });
    }
    add(frames, "to_mcu", "stop", Class::Stop, &StopFrame { id: 7, kind: StopKind::Stop });
    add(frames, "to_mcu", "estop", Class::Stop, &StopFrame { id: 8, kind: StopKind::EStop });
    add(frames, "to_mcu", "hello", Class::Hello, &HelloRequest { protocol: Version { major: 1, minor: 2 } });
    add(frames, "to_mcu", "time", Class::Time, &TimeRequest { host_us: u64::MAX });
}

fn to_host(frames: &mut Golden) {
    let motion = Motion {
        t_us: 2_000_000,
        boot_id: 0x1234_5678,
        state: State::Armed,
        reason: Reason::None,
        left_mps: 0.25,
        right_mps: -0.25,
        left_um: -1_000_000,
        right_um: 1_000_000,
        setpoint_us: 1_990_000,
        setpoints_refused: 3,
        frames_lost: 300,
    };
    add(frames, "to_host", "motion", Class::Telemetry, &Telemetry::Motion(motion));
    let near = RangeReading { mm: 450, age_ms: 30 };
    let never = RangeReading { mm: u16::MAX, age_ms: u16::MAX };
    let senses = Senses {
        t_us: 2_000_000,
        ranges: [near, near, never, never],
        gyro_radps: 0.125,
        acceleration_mps2: -0.5,
        battery_mv: 7_400,
        battery_percent: 80,
        pan_rad: 0.5,
        tilt_rad: -0.25,
    };
    add(frames, "to_host", "senses", Class::Telemetry, &Telemetry::Senses(senses));
    let events =
        [LogEvent::Started, LogEvent::Entered(State::Fault, Reason::BatteryLow), LogEvent::BatterySoftLimit];
    for (level, event) in [LogLevel::Info, LogLevel::Error, LogLevel::Warn].into_iter().zip(events) {
        add(frames, "to_host", "log", Class::Log, &Log { level, event, dropped: 2 });
    }
    let hello = Hello {
        protocol: Version { major: 1, minor: 0 },
        schema_hash: 0x0123_4567_89ab_cdef,
        firmware: [1, 2, 3],
        board: *b"golden\0\0\0\0\0\0\0\0\0\0",
        boot_id: 0x1234_5678,
        reset_reason: ResetReason::Watchdog,
        state: State::EStop,
        reason: Reason::ButtonEStop,
        capabilities: Capabilities {
            head: true,
            lights: false,
            ranges: 2,
            limits: Limits {
                wheel_mps_max: 1.0,
                acceleration_mps2: 1.0,
                emergency_mps2: 3.0,
                hold_ms: 500,
                pan_rad_max: 1.5,
                tilt_rad_max: 0.75,
            },
        },
    };
    add(frames, "to_host", "hello", Class::Hello, &hello);
    add(frames, "to_host", "time", Class::Time, &TimeReply { host_us: 5, mcu_us: 300 });
    for outcome in [Outcome::Done, Outcome::NotNeutral, Outcome::StillFaulty] {
        add(frames, "to_host", "reply", Class::Reply, &Reply { id: u16::MAX, outcome });
    }
}

fn add(frames: &mut Golden, direction: &'static str, name: &str, class: Class, body: &impl Serialize) {
    let mut frame = FrameBuf::new();
    encode(class, 42, body, &mut frame).expect("a message fits a frame");
    frames.push((direction, name.to_owned(), frame.as_bytes().to_vec()));
}

fn is_read(direction: &str, wire: &[u8]) -> bool {
    let mut decoder = Decoder::new();
    wire.iter().any(|&byte| match decoder.push(byte) {
        Some(Ok(frame)) if direction == "to_mcu" => ToMcu::parse(&frame).is_ok(),
        Some(Ok(frame)) => ToHost::parse(&frame).is_ok(),
        _ => false,
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hex is ASCII"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("two hex digits")).collect()
}
