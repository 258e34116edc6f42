//! Gate and link session as one machine without I/O: bytes, requests and time in; frames, answers and latch records
//! out. The gate thread runs it against a port, the seeded simulation runs the same code in virtual time.

use agent_core::access::OpenLimbs;
use agent_core::gate::{Gate, Input, Order, Output, TICK_MS};
use agent_core::latch::LatchRecord;
use agent_core::report::BodyReport;
use agent_core::request::{Answer, Asked, Ticket};
use agent_core::snapshot::Snapshot;
use agent_core::time::BootTime;
use arrayvec::ArrayVec;
use firmware_bridge_host::Session;
use firmware_bridge_link::message::StopKind;
use std::time::Duration;

use super::shown::Shown;

const TICK: Duration = Duration::from_millis(TICK_MS);

/// Answers that wait to be collected: more than the requests of one turn, so none is lost while they are collected every
/// turn.
pub const ANSWERS_MAX: usize = 128;

/// What a moment asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The regular tick.
    Ticked,
    /// Something ended between two ticks.
    Stepped,
    /// Nothing.
    Nothing,
}

/// Gate and session.
#[derive(Debug)]
pub struct Pilot {
    gate: Gate,
    session: Session,
    output: Output,
    next_tick: BootTime,
    answers: ArrayVec<(Ticket, Answer), ANSWERS_MAX>,
    latch: Option<LatchRecord>,
}

impl Pilot {
    /// A pilot whose first tick is due at once.
    pub fn new(gate: Gate, session: Session, now: BootTime) -> Self {
        Self {
            gate,
            session,
            output: Output::default(),
            next_tick: now,
            answers: ArrayVec::new(),
            latch: None,
        }
    }

    /// A port was opened: the handshake starts anew.
    pub fn connected(&mut self, now: BootTime) {
        self.session.connected(now.as_us());
    }

    /// The port is gone.
    pub fn disconnected(&mut self) {
        self.session.disconnected();
    }

    /// Bytes from the MCU. What they change is acted upon at once, not with the next tick.
    pub fn receive(&mut self, now: BootTime, bytes: &[u8]) {
        let before = self.session.last_frame_us();
        self.session.receive(now.as_us(), bytes);
        if self.session.last_frame_us() != before {
            self.step_body(now, false);
        }
    }

    /// A request from the edge.
    pub fn ask(&mut self, now: BootTime, asked: &Asked) {
        self.gate.step(Input::Asked(asked), now, &mut self.output);
        self.carry_out(now, false);
    }

    /// The latch thread finished a write.
    pub fn latch_written(&mut self, now: BootTime, serial: u64, durable: bool) {
        self.gate.step(Input::LatchWritten { serial, durable }, now, &mut self.output);
        self.carry_out(now, false);
    }

    /// The program ends: halts the body and takes nothing more.
    pub fn shut_down(&mut self, now: BootTime) {
        self.gate.step(Input::Shutdown, now, &mut self.output);
        self.carry_out(now, true);
    }

    /// Does what time asks for.
    pub fn advance(&mut self, now: BootTime) -> Advance {
        if now >= self.next_tick {
            // Missed ticks are not made up for: the gate sees the gap and closes.
            let missed = now.since(self.next_tick).as_micros() / TICK.as_micros();
            let periods = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
            self.next_tick = self.next_tick + TICK * periods;
            self.step_body(now, true);
            Advance::Ticked
        } else if self.gate.next_wake(now).is_some_and(|wake| now >= wake) {
            self.step_body(now, false);
            Advance::Stepped
        } else {
            Advance::Nothing
        }
    }

    /// The session, whose frames go to the wire.
    pub fn session_mut(&mut self) -> &mut Session {
        &mut self.session
    }

    /// When [`advance`](Self::advance) next has something to do.
    pub fn next_step(&self, now: BootTime) -> BootTime {
        self.gate.next_wake(now).map_or(self.next_tick, |wake| wake.min(self.next_tick))
    }

    /// When the session next has a frame for the wire; `None` without a port.
    pub fn next_frame(&self, now: BootTime) -> Option<BootTime> {
        self.session.next_wake_us(now.as_us()).map(BootTime::from_us)
    }

    /// Answers not collected yet, oldest first. Whoever collects them takes them out.
    pub fn answers(&mut self) -> &mut ArrayVec<(Ticket, Answer), ANSWERS_MAX> {
        &mut self.answers
    }

    /// The newest latch record not collected yet.
    pub fn take_latch_record(&mut self) -> Option<LatchRecord> {
        self.latch.take()
    }

    /// What it shows at the start.
    pub fn first_shown(&self, now: BootTime) -> Shown {
        let mut shown =
            Shown { gate: Snapshot::new(now), losses: self.session.losses(), fault: self.session.fault() };
        self.show(now, &mut shown);
        shown
    }

    /// Copies what it shows of itself into `shown`.
    pub fn show(&self, now: BootTime, shown: &mut Shown) {
        self.gate.snapshot(now, &mut shown.gate);
        shown.losses = self.session.losses();
        shown.fault = self.session.fault();
    }

    /// What is open, so that the next start may open it too.
    pub fn ends_open(&self) -> OpenLimbs {
        self.gate.ends_open()
    }

    /// The link session, for its counters.
    pub fn session(&self) -> &Session {
        &self.session
    }

    fn step_body(&mut self, now: BootTime, tick: bool) {
        let report = report_of(&self.session);
        self.gate.step(Input::Tick(&report), now, &mut self.output);
        self.carry_out(now, tick);
    }

    fn carry_out(&mut self, now: BootTime, tick: bool) {
        let now_us = now.as_us();
        for order in &self.output.orders {
            match *order {
                Order::Stop => self.session.stop(StopKind::Stop),
                Order::EStop => self.session.stop(StopKind::EStop),
                Order::Arm => self.session.arm(now_us),
                Order::ClearEStop => self.session.clear_estop(),
                Order::Disarm => self.session.disarm(),
                Order::Head { pan_rad, tilt_rad } => self.session.head(pan_rad, tilt_rad),
                Order::Lights { rgb, brightness } => self.session.lights(rgb, brightness),
            }
        }
        if tick || self.output.urgent {
            self.session.setpoint(now_us, self.output.goal, self.output.ttl_ms);
        }
        if let Some(record) = self.output.latch.take() {
            self.latch = Some(record);
        }
        for answer in self.output.answers.drain(..) {
            // Collected after every turn; a turn cannot produce as many as fit.
            if self.answers.try_push(answer).is_err() {
                debug_assert!(false, "answers are collected every turn");
            }
        }
    }
}

fn report_of(session: &Session) -> BodyReport {
    BodyReport {
        last_frame_at: session.last_frame_us().map(BootTime::from_us),
        ready: session.ready(),
        boot_id: session.boot_id(),
        state: session.state(),
        motion: session.motion().map(|(at_us, motion)| (BootTime::from_us(at_us), motion)),
        reflects: session.reflects_us().map(BootTime::from_us),
        senses: session.senses().map(|(at_us, senses)| (BootTime::from_us(at_us), senses)),
        rtt_p95: session.rtt_p95_us().map(micros),
        rtt_p50: session.rtt_p50_us().map(micros),
        frames_lost: session.frames_lost(),
        firmware: session.firmware(),
    }
}

fn micros(us: u32) -> Duration {
    Duration::from_micros(u64::from(us))
}
