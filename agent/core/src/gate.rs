//! The gate: the one place that decides what moves the body. `(state, input, now) -> output`, nothing else.
//!
//! Each step first ends what is over, then takes one input, then says what the wheels shall do: always something, and a halt
//! unless a live setpoint under a live lease says otherwise on an open base.

mod admit;
mod command;
mod decide;
mod drive;
mod estop;
mod holding;
mod opening;
mod reset;
mod revoked;
mod show;
mod stop;
mod tick;
mod turns;

use std::time::Duration;

use arrayvec::ArrayVec;
use firmware_bridge_link::message::WheelGoal;

use crate::access::{Access, OpenLimbs};
use crate::ai::Turns;
use crate::backoff::Backoff;
use crate::envelope::EnvelopeState;
use crate::freshness::{Judge, TICK_GAP_MAX};
use crate::latch::{LatchRecord, Loaded};
use crate::lease::Leases;
use crate::odometry::Odometry;
use crate::presence::Typed;
use crate::profile::Profile;
use crate::refusal::ClosedBy;
use crate::report::BodyReport;
use crate::request::{Accepted, Answer, Asked, Ticket};
use crate::snapshot::Lights;
use crate::teleop::Sockets;
use crate::time::BootTime;
use crate::why::Why;

use drive::{Drive, Tasks};
use estop::EStop;
use opening::Opening;
use reset::Reset;
use revoked::Revoked;
use stop::StopOrder;

pub use reset::RESET_WITHIN;

/// Period at which the gate's owner steps it with [`Input::Tick`].
pub const TICK_MS: u64 = 20;

/// What the gate is told.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Every [`TICK_MS`], and whenever [`Gate::next_wake`] comes: the body as it is.
    Tick(&'a BodyReport),
    /// Somebody asks for something.
    Asked(&'a Asked),
    /// The latch thread finished a write.
    LatchWritten {
        /// [`LatchRecord::serial`] of what was written.
        serial: u64,
        /// It is on the disk.
        durable: bool,
    },
    /// The program ends: halt the body, take nothing more.
    Shutdown,
}

/// Orders to the MCU besides the wheels' goal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// Three stop frames now; repeated every tick until the MCU shows it.
    Stop,
    /// Three e-stop frames now; repeated every tick until the MCU shows it.
    EStop,
    /// Bring the MCU to armed: clears a stop or a fault, then arms with the current boot id. Repeated while wanted.
    Arm,
    /// Take back the MCU's e-stop latch. Only ever comes from a reset.
    ClearEStop,
    /// Switch the outputs off.
    Disarm,
    /// Point the head.
    Head {
        /// To the left positive, rad.
        pan_rad: f32,
        /// Up positive, rad.
        tilt_rad: f32,
    },
    /// Set the lights.
    Lights {
        /// Red, green, blue.
        rgb: [u8; 3],
        /// 0 off .. 255 full.
        brightness: u8,
    },
}

/// What the gate wants done now. Reused from step to step: the gate clears and fills it.
#[derive(Clone, Debug)]
pub struct Output {
    /// What the wheels shall do, always.
    pub goal: WheelGoal,
    /// What is left of the goal's time to live, ms, at most the MCU's hold.
    pub ttl_ms: u16,
    /// The goal changed or ended: send it at once instead of with the next tick.
    pub urgent: bool,
    /// Orders to the MCU, in this order.
    pub orders: ArrayVec<Order, 8>,
    /// Write this to the latch file, newest wins.
    pub latch: Option<LatchRecord>,
    /// Answers that are ready, also to earlier requests.
    pub answers: ArrayVec<(Ticket, Answer), 32>,
}

impl Output {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self {
            goal: WheelGoal::Halt,
            ttl_ms: 0,
            urgent: false,
            orders: ArrayVec::new_const(),
            latch: None,
            answers: ArrayVec::new_const(),
        }
    }

    fn clear(&mut self) {
        self.urgent = false;
        self.orders.clear();
        self.latch = None;
        self.answers.clear();
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}

/// What a run begins with.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// What the latch file says.
    pub latch: Loaded,
    /// What was open when the run before ended in order; all on a first start.
    pub ended_open: OpenLimbs,
    /// Random number of this run, for `seen`.
    pub run: u64,
}

/// The state of everything that may move the body.
#[derive(Debug)]
pub struct Gate {
    profile: Profile,
    body: BodyReport,
    /// When the newest tick came; requests may be the first to notice that none came for too long.
    ticked_at: Option<BootTime>,
    /// The MCU's state has been read on this run's first connection.
    is_started: bool,
    /// The program ends.
    ended: Option<OpenLimbs>,
    boot_id: Option<u32>,
    /// Since when the MCU is heard although orders cannot be given.
    unready_since: Option<BootTime>,
    judge: Judge,
    access: Access,
    leases: Leases,
    backoff: Backoff,
    revoked: Revoked,
    typed: Typed,
    turns: Turns,
    sockets: Sockets,
    envelope: EnvelopeState,
    odometry: Odometry,
    estop: EStop,
    stop: Option<StopOrder>,
    openings: [Option<Opening>; 2],
    reset: Option<Reset>,
    drive: Option<Drive>,
    tasks: Tasks,
    lights: Lights,
    /// The MCU has yet to be told about the lights.
    is_lights_order_due: bool,
    why: Why,
    /// What the newest step told the wheels.
    goal: WheelGoal,
}

impl Gate {
    /// A gate at the start of a run: everything is closed until the MCU's state has been read.
    pub fn new(profile: Profile, start: Start, now: BootTime) -> Self {
        let estop = EStop::found(&start.latch);
        let closed_by = |was_open: bool| match (estop.is_latched(), was_open) {
            (true, _) => ClosedBy::EStop,
            (false, true) => ClosedBy::Starting,
            (false, false) => ClosedBy::Restart,
        };
        Self {
            profile,
            body: BodyReport::default(),
            ticked_at: None,
            is_started: false,
            ended: None,
            boot_id: None,
            unready_since: None,
            judge: Judge::new(start.run),
            access: Access::new(closed_by(start.ended_open.base), closed_by(start.ended_open.head), now),
            leases: Leases::new(),
            backoff: Backoff::new(),
            revoked: Revoked::new(),
            typed: Typed::new(),
            turns: Turns::new(profile.ai),
            sockets: Sockets::new(),
            envelope: EnvelopeState::new(&profile),
            odometry: Odometry::new(profile.track_m),
            estop,
            stop: None,
            openings: [None; 2],
            reset: None,
            drive: None,
            tasks: Tasks::new(),
            lights: Lights { on: false, rgb: [255; 3], brightness: 1.0 },
            is_lights_order_due: false,
            why: Why::new(),
            goal: WheelGoal::Halt,
        }
    }

    /// Takes one input and says what to do now. `out` is cleared first.
    pub fn step(&mut self, input: Input<'_>, now: BootTime, out: &mut Output) {
        out.clear();
        self.count_time(now);
        self.notice_gap(now, out);
        self.end_overdue(now, out);
        match input {
            Input::Tick(body) => self.tick(body, now, out),
            Input::Asked(asked) => {
                if let Some(answer) = self.decide(asked, now, out) {
                    self.answer(asked.ticket, &asked.caller, answer, now, out);
                }
            }
            Input::LatchWritten { serial, durable } => self.latch_written(serial, durable, now, out),
            Input::Shutdown => self.shut_down(now, out),
        }
        // The input may have taken a lease, the last person who was present, or the time that a head needs.
        self.end_turns_without_lease();
        self.end_overdue_drive(now);
        self.emit(now, out);
    }

    /// When the gate wants the next [`Input::Tick`] at the latest, apart from the regular ones.
    pub fn next_wake(&self, now: BootTime) -> Option<BootTime> {
        let setpoint_end = self.drive.as_ref().map(|drive| self.drive_end(drive));
        let openings = self.openings.iter().flatten().map(|opening| opening.deadline);
        let reset = self.reset.as_ref().map(Reset::deadline);
        openings
            .chain(setpoint_end)
            .chain(reset)
            .chain(self.leases.next_end())
            .min()
            .map(|wake| wake.max(now))
    }

    /// What is open now; once the program ends, what was open then.
    pub fn ends_open(&self) -> OpenLimbs {
        if self.estop.is_latched() {
            return OpenLimbs::NONE;
        }
        self.ended.unwrap_or_else(|| self.access.open_limbs())
    }

    /// Closes everything when the gate was not ticked for too long: what it knew is old.
    fn notice_gap(&mut self, now: BootTime, out: &mut Output) {
        if self.ticked_at.is_some_and(|at| now.since(at) > TICK_GAP_MAX) {
            self.ticked_at = Some(now);
            self.judge.gap_ended(now);
            self.close(ClosedBy::TickGap, "", now, out);
        }
    }

    /// Ends what is over: setpoint, leases, and what waits for the MCU or the disk.
    fn end_overdue(&mut self, now: BootTime, out: &mut Output) {
        self.end_overdue_drive(now);
        self.leases.expire(now);
        self.end_turns_without_lease();
        self.abandon_overdue_openings(now, out);
        self.end_overdue_reset(now, out);
    }

    /// Says what the wheels shall do: the live setpoint within the envelope of this moment, or a halt.
    fn emit(&mut self, now: BootTime, out: &mut Output) {
        let hold_ms = u16::try_from(self.profile.hold_ms).unwrap_or(u16::MAX);
        let (goal, ttl_ms) = match &self.drive {
            Some(drive) if self.may_drive() => {
                let limits = self.limits(drive.class);
                let rest_ms = u16::try_from(self.drive_end(drive).since(now).as_millis()).unwrap_or(u16::MAX);
                match rest_ms {
                    // Less than a millisecond is left: the MCU could not count it down.
                    0 => (WheelGoal::Halt, hold_ms),
                    _ => (
                        drive.wanted.clamped(&limits.speed).to_wheels(self.profile.track_m),
                        rest_ms.min(hold_ms),
                    ),
                }
            }
            _ => (WheelGoal::Halt, hold_ms),
        };
        out.urgent |= goal != self.goal;
        (out.goal, out.ttl_ms, self.goal) = (goal, ttl_ms, goal);
    }

    /// Nothing above a setpoint forbids motion. Every way to close ends the setpoint as well; this is the second look.
    fn may_drive(&self) -> bool {
        self.access.is_open(crate::access::Limb::Base) && !self.estop.is_latched() && self.ended.is_none()
    }
}

/// The answer of whatever needs none.
const DONE: Answer = Ok(Accepted::Done);

/// An MCU that is heard for longer without a finished handshake will not finish it.
const READY_WITHIN: Duration = Duration::from_secs(1);

/// A link without a valid frame for longer is lost.
const LINK_LOST_AFTER: Duration = Duration::from_millis(100);

/// A stop that is not shown yet is repeated every tick, not with every frame that comes in between.
const REPEAT_AFTER: Duration = Duration::from_millis(TICK_MS / 2);

/// How long the MCU has to show what it was ordered.
const MCU_ANSWERS_WITHIN: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests;
