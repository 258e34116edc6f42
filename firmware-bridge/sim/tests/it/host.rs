//! The host's side of the link for these tests: writes single frames, reads whatever comes.

use firmware_bridge_link::ToHost;
use firmware_bridge_link::frame::{Class, Decoder, FrameBuf, encode};
use firmware_bridge_link::message::{
    Command, CommandFrame, Hello, HelloRequest, Motion, PROTOCOL, Reply, Senses, Setpoint, StopFrame,
    StopKind, Telemetry, TimeReply, TimeRequest, WheelGoal,
};

/// Reads frames and remembers the newest of each kind.
#[derive(Default)]
pub(crate) struct Host {
    decoder: Decoder,
    next_id: u16,
    seq: u8,
    pub(crate) hello: Option<Hello>,
    pub(crate) time: Option<TimeReply>,
    pub(crate) reply: Option<Reply>,
    pub(crate) motion: Option<Motion>,
    pub(crate) senses: Option<Senses>,
    pub(crate) first_motion: Option<Motion>,
    pub(crate) motions: u32,
    pub(crate) frames: u32,
}

impl Host {
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let Some(Ok(frame)) = self.decoder.push(byte) else { continue };
            let message = ToHost::parse(&frame).expect("a frame with a right checksum is a message");
            self.frames += 1;
            match message {
                ToHost::Hello(hello) => self.hello = Some(hello),
                ToHost::Time(time) => self.time = Some(time),
                ToHost::Reply(reply) => self.reply = Some(reply),
                ToHost::Telemetry(Telemetry::Motion(motion)) => {
                    self.motion = Some(motion);
                    self.first_motion.get_or_insert(motion);
                    self.motions += 1;
                }
                ToHost::Telemetry(Telemetry::Senses(senses)) => self.senses = Some(senses),
                ToHost::Log(_) => {}
            }
        }
    }

    pub(crate) fn frames_broken(&self) -> u32 {
        self.decoder.errors()
    }

    pub(crate) fn ask_hello(&mut self) -> Vec<u8> {
        self.frame(Class::Hello, &HelloRequest { protocol: PROTOCOL })
    }

    pub(crate) fn ask_time(&mut self, host_us: u64) -> Vec<u8> {
        self.frame(Class::Time, &TimeRequest { host_us })
    }

    pub(crate) fn command(&mut self, command: Command) -> Vec<u8> {
        let id = self.take_id();
        self.frame(Class::Command, &CommandFrame { id, command })
    }

    pub(crate) fn stop(&mut self, kind: StopKind) -> Vec<u8> {
        let id = self.take_id();
        self.frame(Class::Stop, &StopFrame { id, kind })
    }

    /// A setpoint sent at `host_us`, by what the last time exchange said of the clocks.
    pub(crate) fn setpoint(&mut self, host_us: u64, ttl_ms: u16, wheels: WheelGoal) -> Vec<u8> {
        let time = self.time.expect("time exchanged");
        let sent_at_us = time.mcu_us + (host_us - time.host_us);
        self.frame(Class::Setpoint, &Setpoint { sent_at_us, ttl_ms, wheels })
    }

    fn take_id(&mut self) -> u16 {
        self.next_id += 1;
        self.next_id
    }

    fn frame(&mut self, class: Class, body: &impl serde::Serialize) -> Vec<u8> {
        let mut frame = FrameBuf::new();
        encode(class, self.seq, body, &mut frame).unwrap();
        self.seq = self.seq.wrapping_add(1);
        frame.as_bytes().to_vec()
    }
}
