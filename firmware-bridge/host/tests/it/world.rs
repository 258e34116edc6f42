//! A session and an MCU joined by two pipes that lose, damage, repeat and delay, in virtual time.

use std::collections::VecDeque;

use firmware_bridge_host::{Session, SessionConfig};
use firmware_bridge_link::ToMcu;
use firmware_bridge_link::frame::{Decoder, FrameBuf};
use firmware_bridge_link::message::Limits;

/// Resolution of the virtual time.
pub(crate) const STEP_US: u64 = 200;
/// The gate's period.
pub(crate) const TICK_US: u64 = 20_000;

pub(crate) const LIMITS: Limits = Limits {
    wheel_mps_max: 0.5,
    acceleration_mps2: 1.0,
    emergency_mps2: 3.0,
    hold_ms: 100,
    pan_rad_max: 1.0,
    tilt_rad_max: 0.5,
};

/// The other end.
pub(crate) trait Mcu {
    /// Takes what came and puts out what is to be sent. `now_us` is the host's clock.
    fn turn(&mut self, now_us: u64, bytes: &[u8], out: &mut Vec<FrameBuf>);
}

/// What the wire does, per frame and direction, in percent; and how long it takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub lost: u64,
    pub damaged: u64,
    pub repeated: u64,
    pub jitter_us: u64,
}

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x5DEE_CE66_D123_4567)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

struct Pipe {
    random: Random,
    under_way: VecDeque<(u64, Vec<u8>)>,
}

impl Pipe {
    fn push(&mut self, now_us: u64, faults: &Faults, bytes: &[u8]) {
        if self.random.below(100) < faults.lost {
            return;
        }
        let mut bytes = bytes.to_vec();
        if self.random.below(100) < faults.damaged {
            let at = self.random.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << self.random.below(8);
        }
        if self.random.below(100) < faults.repeated {
            bytes.extend_from_within(..);
        }
        let after = self.under_way.back().map_or(0, |(due_us, _)| *due_us);
        let due_us = (now_us + 300 + self.random.below(faults.jitter_us)).max(after);
        self.under_way.push_back((due_us, bytes));
    }

    fn pop(&mut self, now_us: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some((_, more)) = self.under_way.pop_front_if(|(due_us, _)| *due_us <= now_us) {
            bytes.extend(more);
        }
        bytes
    }
}

pub(crate) struct World<M> {
    pub now_us: u64,
    pub session: Session,
    pub mcu: M,
    pub faults: Faults,
    /// Nothing gets through.
    pub cut: bool,
    /// Everything the session sent, with its time.
    pub sent: Vec<(u64, ToMcu)>,
    to_mcu: Pipe,
    to_host: Pipe,
}

impl<M: Mcu> World<M> {
    pub(crate) fn new(mcu: M, faults: Faults, seed: u64) -> Self {
        let now_us = 3_000_000_000;
        let mut session = Session::new(SessionConfig::new(LIMITS, 921_600));
        session.connected(now_us);
        Self {
            now_us,
            session,
            mcu,
            faults,
            cut: false,
            sent: Vec::new(),
            to_mcu: Pipe { random: Random::new(seed), under_way: VecDeque::new() },
            to_host: Pipe { random: Random::new(!seed), under_way: VecDeque::new() },
        }
    }

    /// Lets `ms` pass; `tick` is called every 20 ms, as the gate calls the session.
    pub(crate) fn run_ms(&mut self, ms: u64, mut tick: impl FnMut(&mut Session, u64)) {
        let end_us = self.now_us + ms * 1_000;
        while self.now_us < end_us {
            if self.now_us.is_multiple_of(TICK_US) {
                tick(&mut self.session, self.now_us);
            }
            self.step();
        }
    }

    /// Like [`run_ms`](Self::run_ms) until `done`; how long that took, or a panic after `ms`.
    #[track_caller]
    pub(crate) fn run_until(
        &mut self,
        ms: u64,
        mut tick: impl FnMut(&mut Session, u64),
        done: impl Fn(&Self) -> bool,
    ) -> u64 {
        let start_us = self.now_us;
        while !done(self) {
            assert!(
                self.now_us < start_us + ms * 1_000,
                "not within {ms} ms: state {:?}, ready {}, fault {:?}, {:?}",
                self.session.state(),
                self.session.ready(),
                self.session.fault(),
                self.session.losses()
            );
            if self.now_us.is_multiple_of(TICK_US) {
                tick(&mut self.session, self.now_us);
            }
            self.step();
        }
        (self.now_us - start_us) / 1_000
    }

    fn step(&mut self) {
        let mut frame = FrameBuf::new();
        let wake_us = self.session.next_wake_us(self.now_us);
        let mut first = true;
        while self.session.transmit(self.now_us, &mut frame) {
            assert!(!first || wake_us == Some(self.now_us), "next_wake_us said {wake_us:?}");
            first = false;
            self.sent.push((self.now_us, parsed(&frame)));
            if !self.cut {
                self.to_mcu.push(self.now_us, &self.faults, frame.as_bytes());
            }
        }
        self.now_us += STEP_US;
        let bytes = self.to_mcu.pop(self.now_us);
        let mut out = Vec::new();
        self.mcu.turn(self.now_us, &bytes, &mut out);
        for frame in out.iter().filter(|_| !self.cut) {
            self.to_host.push(self.now_us, &self.faults, frame.as_bytes());
        }
        let bytes = self.to_host.pop(self.now_us);
        self.session.receive(self.now_us, &bytes);
    }
}

pub(crate) fn parsed(frame: &FrameBuf) -> ToMcu {
    let mut decoder = Decoder::new();
    let mut found = None;
    for byte in frame.as_bytes() {
        if let Some(frame) = decoder.push(*byte) {
            found = Some(ToMcu::parse(&frame.unwrap()).unwrap());
        }
    }
    found.unwrap()
}
