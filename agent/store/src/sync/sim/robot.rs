//! A robot: its memory, its clocks, and the little that runs beside them and forgets everything at a crash. It says one frame
//! at a time and waits for the answer.

use cloud_sync_protocol::sync::frame::{Frame, FrameError};
use cloud_sync_protocol::sync::replica::{Change, Durable, Replica, Step};

use super::chance::Chance;
use super::clock::{Clock, DAY_MS};
use super::memory::Memory;

/// How long an answer may take.
const ANSWER_MS: i64 = 20_000;
/// Where nothing is to be said: how long until it asks all the same.
const ASK_MS: i64 = 2 * DAY_MS;
/// Bytes of operations in one frame at first.
const OPS_BYTES: usize = 48 * 1024;

/// A robot.
pub(super) struct Robot {
    pub(super) name: String,
    pub(super) user: String,
    pub(super) memory: Memory,
    pub(super) clock: Clock,
    machine: Replica,
    pub(super) is_on: bool,
    pub(super) is_linked: bool,
    waits_until_ms: Option<i64>,
    next_ms: i64,
    ask_ms: i64,
    ops_bytes: usize,
    /// Frames go another way for a while, which takes any size: so many.
    pub(super) other_way: u32,
}

/// What a robot made of a frame.
pub(super) struct Heard {
    pub(super) change: Change,
    pub(super) is_unreadable: bool,
}

impl Robot {
    pub(super) fn new(name: String, user: &str, now_ms: i64, chance: &mut Chance) -> Self {
        Self {
            memory: Memory::new(chance.fork()),
            user: user.to_owned(),
            name,
            clock: Clock::boot(now_ms, chance),
            machine: Replica::default(),
            is_on: true,
            is_linked: true,
            waits_until_ms: None,
            next_ms: now_ms,
            ask_ms: now_ms,
            ops_bytes: OPS_BYTES,
            other_way: 0,
        }
    }

    /// A second one from a copy of its card.
    pub(super) fn copy(&self, now_ms: i64, chance: &mut Chance) -> Self {
        let mut copy = Self {
            memory: self.memory.copy(chance.fork()),
            user: self.user.clone(),
            name: self.name.clone(),
            clock: Clock::boot(now_ms, chance),
            machine: Replica::default(),
            is_on: true,
            is_linked: true,
            waits_until_ms: None,
            next_ms: now_ms,
            ask_ms: now_ms,
            ops_bytes: OPS_BYTES,
            other_way: 0,
        };
        copy.begin(now_ms, chance);
        copy
    }

    /// The process ends wherever it is, and starts again.
    pub(super) fn crash(&mut self, now_ms: i64, chance: &mut Chance) {
        self.begin(now_ms, chance);
        self.ops_bytes = OPS_BYTES;
    }

    /// Power off and on.
    pub(super) fn reboot(&mut self, now_ms: i64, chance: &mut Chance) {
        self.clock = Clock::boot(now_ms, chance);
        self.crash(now_ms, chance);
    }

    /// A new connection.
    pub(super) fn begin(&mut self, now_ms: i64, chance: &mut Chance) {
        self.machine.begin(chance.bits());
        self.waits_until_ms = None;
        self.next_ms = now_ms + chance.ms(0, 3_000);
    }

    /// Somebody wrote here: there is something to say.
    pub(super) fn wake(&mut self, now_ms: i64) {
        if self.waits_until_ms.is_none() {
            self.next_ms = self.next_ms.min(now_ms);
        }
    }

    /// When something is due here.
    pub(super) fn next_ms(&self) -> Option<i64> {
        (self.is_on && self.is_linked).then(|| self.waits_until_ms.unwrap_or(self.next_ms))
    }

    /// Whether it has nothing to say and waits for nothing.
    pub(super) fn rests(&self) -> bool {
        let step = self.memory.durable().map(|durable| self.machine.step(&durable));
        step == Some(Step::Rest) && self.waits_until_ms.is_none()
    }

    /// What it says now, where something is due.
    pub(super) fn says(&mut self, now_ms: i64, chance: &mut Chance) -> Option<Vec<u8>> {
        if self.next_ms().is_none_or(|next_ms| next_ms > now_ms) {
            return None;
        }
        if self.waits_until_ms.is_some() {
            self.begin(now_ms, chance);
            return None;
        }
        let Some(durable) = self.memory.durable() else {
            self.next_ms = now_ms + ASK_MS;
            return None;
        };
        let bytes = self.frame(&durable, now_ms, chance)?;
        self.waits_until_ms = Some(now_ms + ANSWER_MS);
        Some(bytes)
    }

    fn frame(&mut self, durable: &Durable, now_ms: i64, chance: &mut Chance) -> Option<Vec<u8>> {
        let now = self.clock.now(now_ms);
        let frame = match self.machine.step(durable) {
            Step::Greet => self.machine.hello(durable, now),
            Step::Push { from } => return Some(self.push(durable, from, now_ms)),
            Step::Pull(scope) => self.machine.pull(durable, &scope),
            Step::Rest if now_ms >= self.ask_ms => {
                self.ask_ms = now_ms + ASK_MS;
                let scope = &durable.scopes[chance.place(durable.scopes.len())].scope;
                self.machine.pull(durable, scope)
            }
            Step::Rest => {
                self.next_ms = self.ask_ms;
                return None;
            }
        };
        Some(frame.encode().expect("short enough"))
    }

    fn push(&mut self, durable: &Durable, from: u64, now_ms: i64) -> Vec<u8> {
        loop {
            let ops = self.memory.outbox(from, self.ops_bytes);
            let alone = ops.len() <= 1;
            match self.machine.push(durable, ops, self.clock.now(now_ms)).encode() {
                Err(FrameError::TooLong) if !alone => self.ops_bytes /= 2,
                bytes => return bytes.expect("one operation fits"),
            }
        }
    }

    /// Its frame was too large for the connection, which is gone.
    pub(super) fn hung_up(&mut self, now_ms: i64, chance: &mut Chance) {
        self.begin(now_ms, chance);
        self.ops_bytes = (self.ops_bytes / 2).max(1);
        if chance.percent(40) {
            self.other_way = 20;
        }
    }

    /// What a frame means.
    pub(super) fn hears(&mut self, now_ms: i64, bytes: &[u8]) -> Heard {
        let nothing = |is_unreadable| Heard { change: Change::None, is_unreadable };
        let Some(durable) = self.memory.durable() else { return nothing(false) };
        let Ok(frame) = Frame::decode(bytes) else { return nothing(true) };
        let is_answer = !matches!(frame, Frame::Poke(_));
        let change = self.machine.receive(&durable, frame, |seq| self.memory.chain_at(seq));
        if is_answer {
            self.waits_until_ms = None;
        }
        self.next_ms = match change {
            Change::Refused(_) => now_ms + ANSWER_MS,
            _ => now_ms,
        };
        Heard { change, is_unreadable: false }
    }
}
