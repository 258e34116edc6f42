//! Any bytes at the host's end: the decoder and the session never panic, never emit a broken frame, and always stop.
//!
//! The input is a script: raw bytes, whole frames with any body, waits, and what the gate may ask for.

#![no_main]

use firmware_bridge_host::{Session, SessionConfig};
use firmware_bridge_link::frame::{BODY_MAX, Class, Decoder, FrameBuf, encode};
use firmware_bridge_link::message::{Limits, StopKind, WheelGoal};
use firmware_bridge_link::{ToHost, ToMcu};
use serde::Serialize;
use serde::ser::{SerializeTuple, Serializer};

const CONFIG: SessionConfig = SessionConfig::new(
    Limits {
        wheel_mps_max: 0.9,
        acceleration_mps2: 1.0,
        emergency_mps2: 3.0,
        hold_ms: 100,
        pan_rad_max: 1.5,
        tilt_rad_max: 0.75,
    },
    921_600,
);
/// More frames than this are never ready at one moment.
const WAITING_MAX: usize = 64;

libfuzzer_sys::fuzz_target!(|script: &[u8]| {
    let mut script = Script(script);
    let mut session = Session::new(CONFIG);
    let mut now_us = 1_000_000;
    session.connected(now_us);
    while let Some(step) = script.byte() {
        match step % 8 {
            0 => receive(&mut session, now_us, script.bytes(64)),
            1 => {
                let class = Class::from_byte(script.number() % 8 + 1).expect("a class");
                let mut frame = FrameBuf::new();
                encode(class, script.number(), &Raw(script.bytes(BODY_MAX)), &mut frame)
                    .expect("a body that fits");
                receive(&mut session, now_us, frame.as_bytes());
            }
            2 => now_us += u64::from(script.number()) * 500,
            3 => session.arm(now_us),
            4 => {
                let speed = f32::from(script.number() as i8) / 100.0;
                let goal = WheelGoal::Follow { left_mps: speed, right_mps: -speed };
                session.setpoint(now_us, goal, u16::from(script.number()));
            }
            5 => stop(&mut session, now_us),
            6 => {
                session.disconnected();
                session.connected(now_us);
            }
            _ => {
                transmit_all(&mut session, now_us);
            }
        }
        if let Some(wake_us) = session.next_wake_us(now_us) {
            assert!(wake_us >= now_us, "a wake-up in the past would spin");
        }
    }
});

fn receive(session: &mut Session, now_us: u64, bytes: &[u8]) {
    let mut decoder = Decoder::new();
    for &byte in bytes {
        if let Some(Ok(frame)) = decoder.push(byte) {
            let _message = ToHost::parse(&frame);
        }
    }
    session.receive(now_us, bytes);
}

/// A stop is on the wire before anything else, whatever the MCU said before.
fn stop(session: &mut Session, now_us: u64) {
    session.stop(StopKind::EStop);
    let mut frame = FrameBuf::new();
    assert!(session.transmit(now_us, &mut frame), "a stop must be sent at once");
    assert!(
        matches!(read(&frame), ToMcu::Stop(stop) if stop.kind == StopKind::EStop),
        "something was ahead of a stop"
    );
    transmit_all(session, now_us);
}

fn transmit_all(session: &mut Session, now_us: u64) {
    let mut frame = FrameBuf::new();
    for _ in 0..WAITING_MAX {
        if !session.transmit(now_us, &mut frame) {
            return;
        }
        read(&frame);
    }
    panic!("the session never stops sending");
}

/// What goes out must be one message for the MCU.
fn read(frame: &FrameBuf) -> ToMcu {
    let mut decoder = Decoder::new();
    let mut message = None;
    for &byte in frame.as_bytes() {
        if let Some(found) = decoder.push(byte) {
            message = Some(ToMcu::parse(&found.expect("a whole frame")).expect("a message for the MCU"));
        }
    }
    message.expect("one frame")
}

/// Reads a script; where it ends early the rest is zeros.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> u8 {
        self.byte().unwrap_or(0)
    }

    fn bytes(&mut self, most: usize) -> &'a [u8] {
        let len = usize::from(self.number()) % (most + 1);
        let (bytes, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        bytes
    }
}

/// Bytes that postcard writes as they are.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}
