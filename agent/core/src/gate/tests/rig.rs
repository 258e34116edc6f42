//! A gate with a small model of an MCU behind it: it obeys at once, shows it with the next tick, and its wheels follow at once.

use std::time::Duration;

use firmware_bridge_link::message::{Motion, RANGES_MAX, RangeReading, Reason, State, WheelGoal};

use crate::access::OpenLimbs;
use crate::caller::{Caller, Class, TokenId, label};
use crate::gate::{Gate, Input, Order, Output, Start};
use crate::latch::{LatchRecord, Loaded};
use crate::profile::Profile;
use crate::refusal::{ClosedBy, Refusal};
use crate::report::BodyReport;
use crate::request::{
    Accepted, Answer, Asked, Freshness, LeaseId, LeaseView, Request, Seen, SocketId, Ticket, Travel, Twist,
};
use crate::resource::Resource;
use crate::snapshot::Snapshot;
use crate::testing::{SIM, healthy_body, motion};
use crate::time::BootTime;

pub(super) const RUN: u64 = 0xfeed;
pub(super) const TICK: u64 = 20;

/// The MCU as far as the gate can tell.
#[derive(Debug)]
pub(super) struct Mcu {
    pub(super) boot_id: u32,
    pub(super) state: State,
    pub(super) reason: Reason,
    /// Answers at all.
    pub(super) alive: bool,
    /// The handshake gets done.
    pub(super) ready: bool,
    /// Frames reach it; its own always reach the host while it is alive.
    pub(super) hears: bool,
    /// Obeys `Clear` and `Arm`.
    pub(super) obeys: bool,
    pub(super) blocked: bool,
    pub(super) range_mm: u16,
    pub(super) range_age_ms: u16,
    wheels: (f32, f32),
    pub(super) travelled_um: (i64, i64),
    deadline_ms: u64,
    set_at_ms: u64,
    frame_at: Option<BootTime>,
    reported: Option<(BootTime, Motion)>,
    /// When the newest stop that it has read was sent.
    stop_read_at: Option<BootTime>,
}

pub(super) struct Rig {
    pub(super) gate: Gate,
    pub(super) out: Output,
    pub(super) mcu: Mcu,
    pub(super) now_ms: u64,
    /// The latch thread writes at once and says so; `false`: the disk is full.
    pub(super) disk_works: bool,
    /// What is on the disk.
    pub(super) disk: Option<LatchRecord>,
    pub(super) orders: Vec<Order>,
    answers: Vec<(Ticket, Answer)>,
    tickets: Ticket,
}

impl Rig {
    /// Started in order, base and head open.
    pub(super) fn open() -> Self {
        let mut rig = Self::start(SIM, Loaded::Clear { serial: 0, epoch: 0 }, OpenLimbs::ALL);
        rig.run(100);
        assert!(rig.snapshot().base_closed.is_none() && rig.snapshot().head_closed.is_none());
        rig
    }

    pub(super) fn start(profile: Profile, latch: Loaded, ended_open: OpenLimbs) -> Self {
        let now_ms = 10_000;
        let gate = Gate::new(profile, Start { latch, ended_open, run: RUN }, BootTime::from_ms(now_ms));
        Self {
            gate,
            out: Output::new(),
            mcu: Mcu {
                boot_id: 1,
                state: State::Disarmed,
                reason: Reason::Started,
                alive: true,
                ready: true,
                hears: true,
                obeys: true,
                blocked: false,
                range_mm: u16::MAX,
                range_age_ms: 5,
                wheels: (0.0, 0.0),
                travelled_um: (0, 0),
                deadline_ms: 0,
                set_at_ms: 0,
                frame_at: None,
                reported: None,
                stop_read_at: None,
            },
            now_ms,
            disk_works: true,
            disk: None,
            orders: Vec::new(),
            answers: Vec::new(),
            tickets: 0,
        }
    }

    pub(super) fn now(&self) -> BootTime {
        BootTime::from_ms(self.now_ms)
    }

    pub(super) fn report(&mut self) -> BodyReport {
        let now = self.now();
        let mcu = &mut self.mcu;
        if mcu.alive {
            let telemetry = Motion {
                reason: mcu.reason,
                left_mps: mcu.wheels.0,
                right_mps: mcu.wheels.1,
                left_um: mcu.travelled_um.0,
                right_um: mcu.travelled_um.1,
                ..motion(mcu.boot_id, mcu.state)
            };
            mcu.frame_at = Some(now);
            mcu.reported = Some((now, telemetry));
        }
        let Some((at, telemetry)) = mcu.reported else {
            return BodyReport::default();
        };
        let mut body = BodyReport {
            last_frame_at: mcu.frame_at,
            ready: mcu.ready,
            boot_id: Some(telemetry.boot_id),
            state: Some((telemetry.state, telemetry.reason)),
            motion: Some((at, telemetry)),
            reflects: mcu.stop_read_at,
            ..healthy_body(at)
        };
        if let Some((_, senses)) = &mut body.senses {
            senses.ranges = [RangeReading { mm: mcu.range_mm, age_ms: mcu.range_age_ms }; RANGES_MAX];
        }
        body
    }

    /// Lets 20 ms pass and ticks.
    pub(super) fn tick(&mut self) {
        self.now_ms += TICK;
        self.mcu.pass(TICK, self.now_ms);
        self.step_body();
    }

    /// Ticks without letting time pass.
    pub(super) fn step_body(&mut self) {
        let report = self.report();
        self.gate.step(Input::Tick(&report), BootTime::from_ms(self.now_ms), &mut self.out);
        self.carry_out();
    }

    pub(super) fn run(&mut self, ms: u64) {
        for _ in 0..ms / TICK {
            self.tick();
        }
    }

    /// The process stands still; the MCU does not.
    pub(super) fn freeze(&mut self, ms: u64) {
        for _ in 0..ms / TICK {
            self.now_ms += TICK;
            self.mcu.pass(TICK, self.now_ms);
        }
    }

    /// Asks, and returns the answer if it is there at once.
    pub(super) fn ask(&mut self, caller: Caller, request: Request) -> Option<Answer> {
        self.ask_received_at(caller, request, self.now_ms)
    }

    pub(super) fn ask_received_at(
        &mut self,
        caller: Caller,
        request: Request,
        received_ms: u64,
    ) -> Option<Answer> {
        self.tickets += 1;
        let ticket = self.tickets;
        let asked = Asked { ticket, caller, received_at: BootTime::from_ms(received_ms), request };
        self.gate.step(Input::Asked(&asked), BootTime::from_ms(self.now_ms), &mut self.out);
        self.carry_out();
        self.answer_to(ticket)
    }

    /// The answer to the newest request, which may come later.
    pub(super) fn late_answer(&self) -> Option<Answer> {
        self.answer_to(self.tickets)
    }

    pub(super) fn answer_to(&self, ticket: Ticket) -> Option<Answer> {
        let mut answers = self.answers.iter().filter(|(answered, _)| *answered == ticket);
        let answer = answers.next().map(|(_, answer)| *answer);
        assert!(answers.next().is_none(), "a request is answered once");
        answer
    }

    pub(super) fn newest_ticket(&self) -> Ticket {
        self.tickets
    }

    pub(super) fn written(&mut self, serial: u64, durable: bool) {
        self.gate.step(
            Input::LatchWritten { serial, durable },
            BootTime::from_ms(self.now_ms),
            &mut self.out,
        );
        self.carry_out();
    }

    pub(super) fn shut_down(&mut self) {
        self.gate.step(Input::Shutdown, BootTime::from_ms(self.now_ms), &mut self.out);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        let out = self.out.clone();
        self.answers.extend(out.answers);
        self.orders.extend(out.orders.iter().copied());
        for order in &out.orders {
            self.mcu.obey(*order, self.now_ms);
        }
        self.mcu.set(out.goal, out.ttl_ms, self.now_ms);
        if let Some(record) = out.latch {
            if self.disk_works {
                self.disk = Some(record);
            }
            self.written(record.serial, self.disk_works);
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::new(self.now());
        self.gate.snapshot(self.now(), &mut snapshot);
        snapshot
    }

    pub(super) fn closed_by(&self) -> Option<ClosedBy> {
        self.snapshot().base_closed.map(|closed| closed.by)
    }

    pub(super) fn is_driving(&self) -> bool {
        matches!(self.out.goal, WheelGoal::Follow { .. })
    }

    /// Takes the base with an open or opened answer.
    #[track_caller]
    pub(super) fn take(&mut self, caller: Caller, resource: Resource) -> LeaseView {
        let answer = self.ask(caller, take_request(resource));
        let answer = answer.or_else(|| {
            self.run(200);
            self.late_answer()
        });
        match answer {
            Some(Ok(Accepted::Lease(view))) => view,
            other => panic!("no lease: {other:?}"),
        }
    }
}

impl Mcu {
    fn obey(&mut self, order: Order, now_ms: u64) {
        if !self.alive || !self.hears {
            return;
        }
        if matches!(order, Order::Stop | Order::EStop) {
            self.stop_read_at = Some(BootTime::from_ms(now_ms));
        }
        match (order, self.state) {
            // The gravest latch is what it shows.
            (Order::Stop, State::EStop | State::Fault) => {}
            (Order::Stop, _) => (self.state, self.reason) = (State::Stopped, Reason::HostStop),
            (Order::EStop, _) => (self.state, self.reason) = (State::EStop, Reason::HostEStop),
            (Order::Arm, State::Stopped | State::Fault) if self.obeys => {
                (self.state, self.reason) = (State::Disarmed, Reason::Disarmed);
            }
            (Order::Arm, State::Disarmed) if self.obeys => {
                (self.state, self.reason) = (State::Armed, Reason::None)
            }
            (Order::ClearEStop, State::EStop) if self.obeys => {
                (self.state, self.reason) = (State::Disarmed, Reason::Disarmed)
            }
            (Order::Disarm, State::Armed) => (self.state, self.reason) = (State::Disarmed, Reason::Disarmed),
            _ => {}
        }
        if self.state != State::Armed {
            self.wheels = (0.0, 0.0);
        }
    }

    fn set(&mut self, goal: WheelGoal, ttl_ms: u16, now_ms: u64) {
        (self.deadline_ms, self.set_at_ms) = (now_ms + u64::from(ttl_ms), now_ms);
        self.wheels = match goal {
            WheelGoal::Follow { left_mps, right_mps } if self.state == State::Armed => (left_mps, right_mps),
            _ => (0.0, 0.0),
        };
    }

    fn pass(&mut self, ms: u64, now_ms: u64) {
        if !self.blocked {
            let um = |mps: f32| (f64::from(mps) * ms as f64 * 1000.0) as i64;
            self.travelled_um.0 += um(self.wheels.0);
            self.travelled_um.1 += um(self.wheels.1);
        }
        if now_ms >= self.deadline_ms {
            self.wheels = (0.0, 0.0);
        }
        if self.state == State::Armed && now_ms - self.set_at_ms > u64::from(SIM.hold_ms) {
            (self.state, self.reason) = (State::Stopped, Reason::HoldOver);
        }
    }

    /// A new boot: disarmed, counters at zero.
    pub(super) fn reset(&mut self) {
        self.boot_id += 1;
        (self.state, self.reason) = (State::Disarmed, Reason::Started);
        self.wheels = (0.0, 0.0);
        self.travelled_um = (0, 0);
    }
}

pub(super) fn caller(token: u32, class: Class) -> Caller {
    let name = label(&format!("{} {token}", class.as_str()));
    Caller { token: TokenId(token), class, name, must_show_seen: false, turn: None }
}

pub(super) fn local(token: u32) -> Caller {
    caller(token, Class::Local)
}

pub(super) fn remote(token: u32) -> Caller {
    caller(token, Class::Remote)
}

pub(super) fn script(token: u32) -> Caller {
    caller(token, Class::Autonomy)
}

pub(super) const NO_STAMP: Freshness = Freshness { seen: None, max_age: Duration::from_millis(300) };

pub(super) fn stamp(mono_ms: u64) -> Freshness {
    Freshness { seen: Some(Seen { run: RUN, mono_ms }), ..NO_STAMP }
}

pub(super) fn twist(linear_mps: f32, angular_radps: f32, ttl_ms: u64) -> Twist {
    Twist { linear_mps, angular_radps, ttl: Duration::from_millis(ttl_ms) }
}

pub(super) fn forward() -> Request {
    velocity(None, None, NO_STAMP)
}

pub(super) fn velocity(lease: Option<LeaseId>, seq: Option<u64>, freshness: Freshness) -> Request {
    Request::Velocity { twist: twist(0.3, 0.0, 250), lease, seq, freshness }
}

pub(super) fn travel(distance_m: f32) -> Request {
    Request::Move {
        travel: Travel::Distance { distance_m, speed_mps: None },
        lease: None,
        freshness: NO_STAMP,
    }
}

pub(super) fn look(pan_rad: f32) -> Request {
    Request::Head { pan_rad, tilt_rad: 0.0, lease: None, freshness: NO_STAMP }
}

pub(super) fn take_request(resource: Resource) -> Request {
    Request::Take { resource, ttl: Duration::from_millis(3000), take_over: false, seen: None }
}

pub(super) fn take_over(resource: Resource) -> Request {
    Request::Take { resource, ttl: Duration::from_millis(3000), take_over: true, seen: None }
}

pub(super) fn frame(socket: u64, seq: u64, linear_mps: f32, mono_ms: u64) -> Request {
    Request::TeleopFrame {
        socket: SocketId(socket),
        twist: twist(linear_mps, 0.0, 250),
        seq,
        freshness: stamp(mono_ms),
    }
}

pub(super) fn press() -> Request {
    Request::EStop { reason: label("a cat on the table") }
}

/// The word of a refusal's problem type.
pub(super) fn kind(answer: &Option<Answer>) -> &'static str {
    match answer {
        None => "pending",
        Some(Ok(_)) => "ok",
        Some(Err(refusal)) => match refusal {
            Refusal::OutOfRange { .. } => "out-of-range",
            Refusal::SeenMissing => "seen-missing",
            Refusal::NotFound => "not-found",
            Refusal::EStopLatched { .. } => "estop-latched",
            Refusal::Starting => "starting",
            Refusal::LinkDown => "link-down",
            Refusal::NotDurable => "not-durable",
            Refusal::LeaseHeld { .. } => "lease-held",
            Refusal::LeaseNeeded => "lease-needed",
            Refusal::Closed { .. } => "closed",
            Refusal::NeutralFirst => "neutral-first",
            Refusal::NewerEStop { .. } => "newer-estop",
            Refusal::Stale { .. } => "stale",
            Refusal::LeaseGone => "lease-gone",
            Refusal::NotRising { .. } => "not-rising",
            Refusal::TokenRevoked => "token-revoked",
            Refusal::ClassTooLow => "class-too-low",
            Refusal::OutsideBounds { .. } => "outside-bounds",
            Refusal::NobodyPresent => "nobody-present",
        },
    }
}
