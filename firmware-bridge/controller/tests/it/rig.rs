//! A controller on a bench: a host that says what a test wants, wheels that follow, and a clock of our own.

use firmware_bridge_controller::{Config, Controller, Inputs, Outputs};
use firmware_bridge_link::ToHost;
use firmware_bridge_link::frame::{Class, Decoder, FrameBuf, encode};
use firmware_bridge_link::message::*;
use serde::Serialize;

pub(crate) const BOOT: u32 = 0xb007_1234;
pub(crate) const LIMITS: Limits = Limits {
    wheel_mps_max: 0.9,
    acceleration_mps2: 1.0,
    emergency_mps2: 3.0,
    hold_ms: 100,
    pan_rad_max: 1.5,
    tilt_rad_max: 0.75,
};
pub(crate) const CONFIG: Config = Config {
    board: *b"bench\0\0\0\0\0\0\0\0\0\0\0",
    firmware: [1, 2, 3],
    head: true,
    lights: true,
    ranges: 2,
    limits: LIMITS,
    battery_soft_mv: 7_000,
    battery_cut_mv: 6_400,
};
pub(crate) const INPUTS: Inputs = Inputs {
    left_um: 0,
    right_um: 0,
    gyro_radps: 0.0,
    acceleration_mps2: 0.0,
    ranges: [RangeReading { mm: 500, age_ms: 20 }; RANGES_MAX],
    battery_mv: 7_800,
    battery_percent: 90,
    pan_rad: 0.25,
    tilt_rad: -0.125,
    estop_pressed: false,
};
pub(crate) const STOP: LatchedBy = LatchedBy::Frame(StopKind::Stop);
pub(crate) const ESTOP: LatchedBy = LatchedBy::Frame(StopKind::EStop);

/// What sets a latch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LatchedBy {
    Frame(StopKind),
    Button,
    Hold,
    Battery,
}

pub(crate) struct Rig {
    pub(crate) controller: Controller,
    pub(crate) now_us: u64,
    pub(crate) inputs: Inputs,
    pub(crate) outputs: Option<Outputs>,
    /// Wheels that follow the ramp as they should.
    pub(crate) wheels_turn: bool,
    next_id: u16,
    to_mcu: u8,
}

impl Rig {
    /// Just powered, nothing seen yet.
    pub(crate) fn powered(config: Config) -> Self {
        Self {
            controller: Controller::new(config, BOOT, ResetReason::PowerOn),
            now_us: 1_000_000,
            inputs: INPUTS,
            outputs: None,
            wheels_turn: true,
            next_id: 0,
            to_mcu: 0,
        }
    }

    /// Booted, the host has introduced itself and asked for the time.
    pub(crate) fn greeted() -> Self {
        let mut rig = Self::powered(CONFIG);
        rig.run_ms(1);
        rig.hello(PROTOCOL);
        rig.time();
        rig.drain();
        rig
    }

    /// Armed at standstill.
    pub(crate) fn armed() -> Self {
        let mut rig = Self::greeted();
        rig.set(WheelGoal::Halt, 500);
        assert_eq!(rig.arm(), Outcome::Done);
        rig.drain();
        rig
    }

    /// Armed and at the speed of its setpoint.
    pub(crate) fn driving(left_mps: f32, right_mps: f32) -> Self {
        let mut rig = Self::armed();
        rig.drive_for_ms(left_mps, right_mps, 1_000);
        rig.drain();
        rig
    }

    pub(crate) fn send(&mut self, class: Class, body: &impl Serialize) {
        let mut frame = FrameBuf::new();
        encode(class, self.to_mcu, body, &mut frame).expect("a message fits a frame");
        self.to_mcu = self.to_mcu.wrapping_add(1);
        self.controller.receive(self.now_us, frame.as_bytes());
    }

    pub(crate) fn hello(&mut self, protocol: Version) {
        self.send(Class::Hello, &HelloRequest { protocol });
    }

    pub(crate) fn time(&mut self) {
        self.send(Class::Time, &TimeRequest { host_us: self.now_us + 77 });
    }

    pub(crate) fn setpoint(&mut self, sent_at_us: u64, ttl_ms: u16, wheels: WheelGoal) {
        self.send(Class::Setpoint, &Setpoint { sent_at_us, ttl_ms, wheels });
    }

    /// A setpoint that is sent now.
    pub(crate) fn set(&mut self, wheels: WheelGoal, ttl_ms: u16) {
        self.setpoint(self.now_us, ttl_ms, wheels);
    }

    pub(crate) fn stop(&mut self, kind: StopKind) {
        self.next_id += 1;
        self.send(Class::Stop, &StopFrame { id: self.next_id, kind });
    }

    /// Sends a command and returns the answer; other waiting frames are dropped.
    pub(crate) fn command(&mut self, command: Command) -> Outcome {
        self.next_id += 1;
        let id = self.next_id;
        self.send(Class::Command, &CommandFrame { id, command });
        let mut replies = self.drain().into_iter().filter_map(|message| match message {
            ToHost::Reply(reply) if reply.id == id => Some(reply.outcome),
            _ => None,
        });
        replies.next_back().expect("every command is answered")
    }

    pub(crate) fn arm(&mut self) -> Outcome {
        self.command(Command::Arm { boot_id: BOOT })
    }

    pub(crate) fn clear(&mut self, latch: Latch) -> Outcome {
        self.command(Command::Clear(latch))
    }

    /// One control step a millisecond.
    pub(crate) fn run_ms(&mut self, ms: u64) {
        for _ in 0..ms {
            self.now_us += 1_000;
            self.controller.check_deadlines(self.now_us);
            if let (Some(outputs), true) = (self.outputs, self.wheels_turn) {
                self.inputs.left_um += (outputs.left_mps * 1_000.0) as i64;
                self.inputs.right_um += (outputs.right_mps * 1_000.0) as i64;
            }
            self.outputs = Some(self.controller.control(self.now_us, &self.inputs));
        }
    }

    /// A host that sends a setpoint every 20 ms.
    pub(crate) fn drive_for_ms(&mut self, left_mps: f32, right_mps: f32, ms: u64) {
        for _ in 0..ms / 20 {
            self.set(WheelGoal::Follow { left_mps, right_mps }, 100);
            self.run_ms(20);
        }
    }

    /// A host that sends Halt every 20 ms.
    pub(crate) fn halt_for_ms(&mut self, ms: u64) {
        for _ in 0..ms / 20 {
            self.set(WheelGoal::Halt, 100);
            self.run_ms(20);
        }
    }

    /// Sets a latch the way it really comes about.
    pub(crate) fn latch(&mut self, by: LatchedBy) {
        match by {
            LatchedBy::Frame(kind) => self.stop(kind),
            LatchedBy::Button => {
                self.inputs.estop_pressed = true;
                self.run_ms(1);
                self.inputs.estop_pressed = false;
                self.run_ms(1);
            }
            LatchedBy::Hold => self.run_ms(101),
            LatchedBy::Battery => {
                self.inputs.battery_mv = 6_000;
                self.halt_for_ms(60);
                self.inputs.battery_mv = INPUTS.battery_mv;
                self.halt_for_ms(20);
            }
        }
    }

    /// Everything that waits for the wire, as the host reads it.
    pub(crate) fn drain(&mut self) -> Vec<ToHost> {
        self.drain_numbered().into_iter().map(|(_, message)| message).collect()
    }

    /// The same with the sequence numbers.
    pub(crate) fn drain_numbered(&mut self) -> Vec<(u8, ToHost)> {
        let (mut frame, mut decoder, mut messages) = (FrameBuf::new(), Decoder::new(), Vec::new());
        while self.controller.transmit(self.now_us, &mut frame) {
            for &byte in frame.as_bytes() {
                if let Some(found) = decoder.push(byte) {
                    let found = found.expect("a whole frame");
                    messages.push((found.seq, ToHost::parse(&found).expect("a message for the host")));
                }
            }
        }
        messages
    }

    pub(crate) fn state(&self) -> (State, Reason) {
        let view = self.controller.view();
        (view.state, view.reason)
    }

    pub(crate) fn targets(&self) -> (f32, f32) {
        let view = self.controller.view();
        (view.left_target_mps, view.right_target_mps)
    }

    pub(crate) fn ramps(&self) -> (f32, f32) {
        let view = self.controller.view();
        (view.left_ramp_mps, view.right_ramp_mps)
    }

    pub(crate) fn motion(&mut self) -> Motion {
        assert_eq!(self.command(Command::Subscribe { stream: Stream::Motion, rate_hz: 100 }), Outcome::Done);
        self.run_ms(1);
        let mut motions = self.drain().into_iter().filter_map(|message| match message {
            ToHost::Telemetry(Telemetry::Motion(motion)) => Some(motion),
            _ => None,
        });
        motions.next_back().expect("a subscribed stream sends")
    }
}

pub(crate) fn follow(left_mps: f32, right_mps: f32) -> WheelGoal {
    WheelGoal::Follow { left_mps, right_mps }
}

#[track_caller]
pub(crate) fn assert_near(value: (f32, f32), expected: (f32, f32)) {
    let near = (value.0 - expected.0).abs() < 0.005 && (value.1 - expected.1).abs() < 0.005;
    assert!(near, "{value:?} is not {expected:?}");
}
