//! Plays bytes as a script against a controller and asserts after every step what must always hold.
//!
//! Used by the property tests here and by the fuzz target `decode_to_mcu`. An observer of its own reads the same bytes
//! from the wire, so the rules are judged by what really arrived and not by what the script meant to send.

use firmware_bridge_controller::{Config, Controller, Inputs, View};
use firmware_bridge_link::frame::{BODY_MAX, Class, Decoder, FRAME_MAX, FrameBuf, encode};
use firmware_bridge_link::message::*;
use firmware_bridge_link::{ToHost, ToMcu};
use serde::Serialize;

const BOOT: u32 = 0x0b00_71d0;
const WHEEL_MPS_MAX: f32 = 0.9;
const CONFIG: Config = Config {
    board: *b"harness\0\0\0\0\0\0\0\0\0",
    firmware: [0, 0, 1],
    head: true,
    lights: true,
    ranges: 2,
    limits: Limits {
        wheel_mps_max: WHEEL_MPS_MAX,
        acceleration_mps2: 1.0,
        emergency_mps2: 3.0,
        hold_ms: 100,
        pan_rad_max: 1.5,
        tilt_rad_max: 0.75,
    },
    battery_soft_mv: 7_000,
    battery_cut_mv: 6_400,
};
/// More frames than this never wait at one moment.
const WAITING_MAX: usize = 32;

/// Runs the whole script. Panics where a rule is broken. Returns whether the body was armed and had a goal at any time.
pub(crate) fn play(script: &[u8]) -> bool {
    let mut play = Play::new();
    let mut script = Script(script);
    while let Some(step) = script.byte() {
        play.step(step, &mut script);
    }
    play.moved
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
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple;
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

/// What arrived so far that arming needs.
#[derive(Default)]
struct Seen {
    hello: bool,
    time: bool,
    cleared: bool,
    armed: bool,
}

struct Play {
    controller: Controller,
    observer: Decoder,
    seen: Seen,
    inputs: Inputs,
    now_us: u64,
    next_id: u16,
    moved: bool,
}

impl Play {
    fn new() -> Self {
        let never = RangeReading { mm: u16::MAX, age_ms: u16::MAX };
        Self {
            controller: Controller::new(CONFIG, BOOT, ResetReason::PowerOn),
            observer: Decoder::new(),
            seen: Seen::default(),
            inputs: Inputs {
                left_um: 0,
                right_um: 0,
                gyro_radps: 0.0,
                acceleration_mps2: 0.0,
                ranges: [never; RANGES_MAX],
                battery_mv: 8_000,
                battery_percent: 50,
                pan_rad: 0.0,
                tilt_rad: 0.0,
                estop_pressed: false,
            },
            now_us: 1_000_000,
            next_id: 0,
            moved: false,
        }
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        match step % 10 {
            0 => self.receive(script.bytes(64)),
            1 => {
                let class = Class::from_byte(script.number() % 8 + 1).expect("a class");
                self.send(class, &Raw(script.bytes(BODY_MAX)));
            }
            2 => {
                self.now_us += u64::from(script.number()) * 500;
                self.control(script);
            }
            3 => {
                self.now_us += u64::from(script.number()) * 500;
                self.controller.check_deadlines(self.now_us);
                self.assert_no_deadline_is_over();
            }
            4 => self.send(Class::Hello, &HelloRequest { protocol: PROTOCOL }),
            5 => self.send(Class::Time, &TimeRequest { host_us: self.now_us }),
            6 => self.setpoint(script),
            7 => self.command(script),
            8 => {
                let kind = if script.number().is_multiple_of(2) { StopKind::Stop } else { StopKind::EStop };
                self.next_id = self.next_id.wrapping_add(1);
                self.send(Class::Stop, &StopFrame { id: self.next_id, kind });
                assert!(!self.controller.view().armed, "a stop did not stop");
            }
            _ => self.transmit_all(),
        }
        self.assert_always();
    }

    fn send(&mut self, class: Class, body: &impl Serialize) {
        let mut frame = FrameBuf::new();
        encode(class, 0, body, &mut frame).expect("a body that fits");
        self.receive(frame.as_bytes());
    }

    fn setpoint(&mut self, script: &mut Script<'_>) {
        let sent_at_us = self.now_us.saturating_sub(u64::from(script.number() % 32) * 1_000);
        let ttl_ms = u16::from(script.number()) * 2;
        let mut speed = || f32::from(script.number() as i8) / 100.0;
        let (left_mps, right_mps) = (speed(), speed());
        let wheels =
            if left_mps < -1.2 { WheelGoal::Halt } else { WheelGoal::Follow { left_mps, right_mps } };
        self.send(Class::Setpoint, &Setpoint { sent_at_us, ttl_ms, wheels });
    }

    fn command(&mut self, script: &mut Script<'_>) {
        let command = match script.number() % 8 {
            0 => Command::Disarm,
            1 => Command::Clear(Latch::Stopped),
            2 => Command::Clear(Latch::EStop),
            3 => Command::Clear(Latch::Fault),
            4 => Command::Arm { boot_id: BOOT ^ 1 },
            5 => Command::Subscribe { stream: Stream::Motion, rate_hz: script.number() },
            _ => Command::Arm { boot_id: BOOT },
        };
        self.next_id = self.next_id.wrapping_add(1);
        self.send(Class::Command, &CommandFrame { id: self.next_id, command });
    }

    /// Gives the controller one byte at a time, and judges what each of them caused.
    fn receive(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let before = self.controller.view();
            self.controller.receive(self.now_us, &[byte]);
            let message = match self.observer.push(byte) {
                Some(Ok(frame)) => ToMcu::parse(&frame).ok(),
                _ => None,
            };
            self.note(message);
            self.judge_change(&before, message);
        }
    }

    fn note(&mut self, message: Option<ToMcu>) {
        match message {
            Some(ToMcu::Hello(hello)) => self.seen.hello = hello.protocol.major == PROTOCOL.major,
            Some(ToMcu::Time(_)) => self.seen.time = true,
            Some(ToMcu::Command(CommandFrame { command: Command::Clear(_), .. })) => self.seen.cleared = true,
            Some(ToMcu::Command(CommandFrame { command: Command::Arm { boot_id }, .. })) => {
                self.seen.armed = boot_id == BOOT;
            }
            _ => {}
        }
    }

    fn judge_change(&mut self, before: &View, message: Option<ToMcu>) {
        let after = self.controller.view();
        if after.armed && !before.armed {
            assert!(self.seen.armed && self.seen.hello && self.seen.time, "armed without its preconditions");
            assert!(matches!(message, Some(ToMcu::Command(_))), "armed by something else than a command");
            assert_eq!(before.state, State::Disarmed, "armed out of {:?}", before.state);
        }
        if is_latched(before.state) && !is_latched(after.state) {
            assert!(self.seen.cleared, "the latch was lost without Clear");
            assert!(
                matches!(after.state, State::Boot | State::Disarmed),
                "out of a latch into {:?}",
                after.state
            );
        }
        if is_latched(after.state) && !is_latched(before.state) {
            self.seen.cleared = false;
            self.seen.armed = false;
        }
    }

    fn control(&mut self, script: &mut Script<'_>) {
        let body = script.number();
        self.inputs.estop_pressed = body % 16 == 15;
        self.inputs.battery_mv = if body % 16 == 14 { 6_000 } else { 8_000 };
        self.inputs.left_um = self.inputs.left_um.wrapping_add(i64::from(body as i8) * 1_000);
        self.inputs.right_um = self.inputs.right_um.wrapping_add(i64::from(body as i8) * 1_000);
        let before = self.controller.view();
        let outputs = self.controller.control(self.now_us, &self.inputs);
        let after = self.controller.view();
        assert!(!after.armed || before.armed, "armed by a control step");
        assert!(!is_latched(before.state) || is_latched(after.state), "a control step lost a latch");
        assert_eq!((outputs.left_mps, outputs.right_mps), (after.left_ramp_mps, after.right_ramp_mps));
        if !after.armed {
            assert!(outputs.left_mps.abs() <= before.left_ramp_mps.abs(), "faster though not armed");
            assert!(outputs.right_mps.abs() <= before.right_ramp_mps.abs(), "faster though not armed");
            assert_eq!(outputs.enabled, outputs.left_mps != 0.0 || outputs.right_mps != 0.0);
        }
        assert!(outputs.pan_rad.abs() <= 1.5 && outputs.tilt_rad.abs() <= 0.75);
        self.assert_no_deadline_is_over();
    }

    fn assert_no_deadline_is_over(&self) {
        let view = self.controller.view();
        let next_us = self.controller.next_deadline_us();
        assert_eq!(next_us.is_some(), view.armed, "an armed body has a deadline, another has none");
        assert!(next_us.is_none_or(|next_us| next_us > self.now_us), "a deadline was passed over");
    }

    fn assert_always(&mut self) {
        let view = self.controller.view();
        assert_eq!(view.armed, view.state == State::Armed);
        let numbers = [view.left_target_mps, view.right_target_mps, view.left_ramp_mps, view.right_ramp_mps];
        assert!(numbers.iter().all(|number| number.abs() <= WHEEL_MPS_MAX), "{numbers:?}");
        let has_goal = view.left_target_mps != 0.0 || view.right_target_mps != 0.0;
        assert!(view.armed || !has_goal, "a goal though not armed");
        self.moved |= has_goal;
    }

    fn transmit_all(&mut self) {
        let (mut frame, mut decoder) = (FrameBuf::new(), Decoder::new());
        for _ in 0..WAITING_MAX {
            if !self.controller.transmit(self.now_us, &mut frame) {
                return;
            }
            assert!(frame.as_bytes().len() <= FRAME_MAX);
            let mut read = 0;
            for &byte in frame.as_bytes() {
                if let Some(found) = decoder.push(byte) {
                    ToHost::parse(&found.expect("a whole frame")).expect("a message for the host");
                    read += 1;
                }
            }
            assert_eq!(read, 1);
        }
        assert!(!self.controller.transmit(self.now_us, &mut frame), "the queue has no end");
    }
}

fn is_latched(state: State) -> bool {
    matches!(state, State::Stopped | State::EStop | State::Fault)
}
