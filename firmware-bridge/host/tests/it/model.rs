//! A model of an MCU: remembers every command it ran and answers what it is told to answer.

use firmware_bridge_link::ToMcu;
use firmware_bridge_link::frame::{Class, Decoder, FrameBuf, encode};
use firmware_bridge_link::message::{
    Capabilities, Command, CommandFrame, Hello, Motion, Outcome, PROTOCOL, Reason, Reply, ResetReason, State,
    StopFrame, Stream, Telemetry, TimeReply,
};
use firmware_bridge_link::schema::SCHEMA_HASH;
use proptest::prelude::*;

use crate::world::{Faults, LIMITS, Mcu, World};

pub(crate) struct Model {
    pub hello: Hello,
    /// What every command is answered with.
    pub outcome: Outcome,
    /// Commands that were run, in this order.
    pub ran: Vec<CommandFrame>,
    pub stops: Vec<StopFrame>,
    /// Answers questions for the time.
    pub tells_time: bool,
    /// Motion was subscribed.
    pub subscribed: bool,
    decoder: Decoder,
    motion_at_us: u64,
    motion_seq: u8,
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            hello: Hello {
                protocol: PROTOCOL,
                schema_hash: SCHEMA_HASH,
                firmware: [1, 0, 0],
                board: [0; 16],
                boot_id: 7,
                reset_reason: ResetReason::PowerOn,
                state: State::Disarmed,
                reason: Reason::Started,
                capabilities: Capabilities { head: true, lights: true, ranges: 0, limits: LIMITS },
            },
            outcome: Outcome::Done,
            ran: Vec::new(),
            stops: Vec::new(),
            tells_time: true,
            subscribed: false,
            decoder: Decoder::new(),
            motion_at_us: 0,
            motion_seq: 0,
        }
    }

    fn answer(&mut self, now_us: u64, message: ToMcu, frame: &mut FrameBuf) {
        match message {
            ToMcu::Hello(_) => encode(Class::Hello, 0, &self.hello, frame).unwrap(),
            ToMcu::Time(request) if self.tells_time => {
                let reply = TimeReply { host_us: request.host_us, mcu_us: now_us };
                encode(Class::Time, 0, &reply, frame).unwrap();
            }
            ToMcu::Command(command) => {
                if !self.ran.iter().rev().take(8).any(|known| known.id == command.id) {
                    self.ran.push(command);
                }
                if matches!(command.command, Command::Subscribe { stream: Stream::Motion, .. }) {
                    self.subscribed = true;
                }
                let reply = Reply { id: command.id, outcome: self.outcome };
                encode(Class::Reply, 0, &reply, frame).unwrap();
            }
            ToMcu::Stop(stop) => {
                self.stops.push(stop);
                self.hello.state = State::Stopped;
            }
            ToMcu::Setpoint(_) | ToMcu::Time(_) => {}
        }
    }

    fn motion(&self, now_us: u64) -> Telemetry {
        Telemetry::Motion(Motion {
            t_us: now_us,
            boot_id: self.hello.boot_id,
            state: self.hello.state,
            reason: self.hello.reason,
            left_mps: 0.0,
            right_mps: 0.0,
            left_um: 0,
            right_um: 0,
            setpoint_us: 0,
            setpoints_refused: 0,
            frames_lost: 0,
        })
    }
}

impl Mcu for Model {
    fn turn(&mut self, now_us: u64, bytes: &[u8], out: &mut Vec<FrameBuf>) {
        for byte in bytes {
            let message = match self.decoder.push(*byte) {
                Some(Ok(frame)) => ToMcu::parse(&frame),
                _ => continue,
            };
            let mut frame = FrameBuf::new();
            if let Ok(message) = message {
                self.answer(now_us, message, &mut frame);
            }
            if !frame.as_bytes().is_empty() {
                out.push(frame);
            }
        }
        if self.subscribed && self.motion_at_us <= now_us {
            self.motion_at_us = now_us + 20_000;
            self.motion_seq = self.motion_seq.wrapping_add(1);
            let mut frame = FrameBuf::new();
            encode(Class::Telemetry, self.motion_seq, &self.motion(now_us), &mut frame).unwrap();
            out.push(frame);
        }
    }
}

fn brightness(command: &CommandFrame) -> Option<u8> {
    match command.command {
        Command::Lights { brightness, .. } => Some(brightness),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_order_runs_at_most_once_in_order_and_the_last_one_runs(
        seed in any::<u64>(), lost in 0_u64..25, damaged in 0_u64..10, repeated in 0_u64..20,
    ) {
        // Whatever the wire does, lights never go back to an older order, and end as ordered last.
        let faults = Faults { lost, damaged, repeated, jitter_us: 3_000 };
        let mut world = World::new(Model::new(), faults, seed);
        world.run_until(5_000, |_, _| {}, |world| world.session.ready());
        let mut level = 0;
        world.run_ms(2_000, |session, _| {
            if level < 60 {
                level += 1;
            }
            session.lights([1, 2, 3], level);
        });
        world.run_ms(500, |_, _| {});
        let levels: Vec<u8> = world.mcu.ran.iter().filter_map(brightness).collect();
        prop_assert!(levels.is_sorted(), "{levels:?}");
        prop_assert_eq!(levels.last(), Some(&60));
        let mut ids: Vec<u16> = world.mcu.ran.iter().map(|frame| frame.id).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), world.mcu.ran.len(), "an id ran twice");
    }
}
