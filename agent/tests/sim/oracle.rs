//! The judge: joins what was answered ([`Ledger`]) and what reached the microcontroller ([`McuSide`]) with what the wheels
//! do, and says at every step whether a promise is broken. It reads the gate's snapshot and frames only to compare them.

use agent_core::access::OpenLimbs;
use agent_core::budget::Budget;
use agent_core::latch::Loaded;
use agent_core::refusal::ClosedBy;
use agent_core::request::{Answer, Asked, Request, Ticket};
use agent_core::snapshot::Snapshot;
use firmware_bridge_host::Session;
use firmware_bridge_link::ToMcu;
use firmware_bridge_link::frame::Decoder;
use firmware_bridge_link::message::{Setpoint, State, WheelGoal};
use firmware_bridge_sim::BodyView;

use crate::figures::{Cause, Figures};
use crate::ledger::{BASE, Check, Door, HEAD, Ledger, ensure};
use crate::mcu::{McuSide, moves};

/// What a step may be late and still count as in time, us: the 2 ms.
const SLACK_US: u64 = 2_000;
/// Shortest time to live on the wire: what is left of a setpoint is rounded up to it, us.
const TTL_MIN_US: u64 = 20_000;
/// What standstill may take beyond the budget, us.
const STANDSTILL_SLACK_US: u64 = 60_000;
/// A gap between ticks that closes for certain: 100 ms, a tick, and the latest wake-up of a late process, us.
const GAP_US: u64 = 140_000;
const WARY_US: u64 = 500_000;
const LINK_LOST_US: u64 = 100_000;
/// A stop is sent so often, back to back.
const STOP_FRAMES: u32 = 3;
const EMIT_GAP_US: u64 = 100_000;
/// A setpoint may wait this long in its slot: 5 ms between two new goals, and the frame before it on the wire, us.
const SLOT_US: u64 = 8_000;

/// How things stand around the body while a step is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings {
    /// The agent's process turns.
    pub(crate) runs: bool,
    /// `Some`: nothing is wrong with line, MCU and process, and a frame needs at most this long, us.
    pub(crate) clean_transit_us: Option<u64>,
    /// Both wheels stand.
    pub(crate) stands: bool,
}

/// The judge.
pub(crate) struct Oracle {
    pub(crate) ledger: Ledger,
    pub(crate) mcu: McuSide,
    pub(crate) figures: Figures,
    hold_us: u64,
    ramp_us: u64,
    wheel_mps_max: f32,
    from_host: Decoder,
    /// Until when the newest legitimate motion may show in a wheel's target, if clocks agree.
    ends_us: u64,
    /// The same for whatever was followed, zeros included: the emergency ramp begins then at the latest.
    follows_until_us: u64,
    /// How far send times of moving setpoints were ahead of this life of the MCU.
    clock_error_us: u64,
    worst_clock_error_us: u64,
    /// Until when the newest motion was legitimate.
    legit_until_us: u64,
    planned_end_us: Option<u64>,
    /// Unpowered wheels may roll until then.
    pub(crate) rolls_until_us: u64,
    zero_since_us: Option<u64>,
    stopping_since_us: Option<u64>,
    causes: Vec<((Cause, bool), u64)>,
    /// Something was wrong at the newest step.
    is_faulty: bool,
    checked_us: u64,
    /// Newest latch that was shown as durable, and whether it is certainly still there.
    durable_epoch: u32,
    is_latch_durable: bool,
    boot_id: Option<u32>,
    is_started: bool,
    stepped_us: Option<u64>,
    /// A setpoint is due within 100 ms of this; `None` while none can be sent.
    emits_from_us: Option<u64>,
    /// Stop frames that must leave in this very turn.
    stops_due: u32,
    /// The MCU is armed, as of the newest step.
    is_armed: bool,
}

impl Oracle {
    pub(crate) fn new(budget: &Budget, wheel_mps_max: f32, clock_ppm: i32) -> Self {
        Self {
            ledger: Ledger::new(0, OpenLimbs::NONE, false, 0),
            mcu: McuSide::new(clock_ppm),
            figures: Figures::default(),
            hold_us: u64::from(budget.parts.hold_ms) * 1000,
            ramp_us: u64::from(budget.parts.ramp_ms) * 1000,
            wheel_mps_max,
            from_host: Decoder::new(),
            ends_us: 0,
            follows_until_us: 0,
            clock_error_us: 0,
            worst_clock_error_us: 0,
            legit_until_us: 0,
            planned_end_us: None,
            rolls_until_us: 0,
            zero_since_us: Some(0),
            stopping_since_us: None,
            causes: Vec::new(),
            is_faulty: false,
            checked_us: 0,
            durable_epoch: 0,
            is_latch_durable: false,
            boot_id: None,
            is_started: false,
            stepped_us: None,
            emits_from_us: None,
            stops_due: 0,
            is_armed: false,
        }
    }

    /// The agent starts. What was durable must be there again.
    pub(crate) fn run_starts(&mut self, run: u64, open: OpenLimbs, loaded: &Loaded) -> Check {
        let (latched, epoch) = match loaded {
            Loaded::Clear { epoch, .. } => (false, *epoch),
            Loaded::Latched(record) => (true, record.epoch),
            Loaded::Unreadable { epoch, .. } => (true, *epoch),
        };
        ensure(epoch >= self.durable_epoch, || {
            format!("epoch {epoch} after durable {}", self.durable_epoch)
        })?;
        ensure(latched || !self.is_latch_durable, || "a durable e-stop is gone after a restart".into())?;
        self.ledger = Ledger::new(run, open, latched, epoch);
        (self.boot_id, self.is_started, self.stepped_us, self.emits_from_us) = (None, false, None, None);
        self.from_host = Decoder::new();
        Ok(())
    }

    /// The agent is gone, with everything it knew.
    pub(crate) fn run_ends(&mut self) {
        self.ledger.close();
        self.emits_from_us = None;
    }

    /// Nothing was expected of the agent while it could not run.
    pub(crate) fn excuses_silence(&mut self, now_us: u64) {
        self.emits_from_us = self.emits_from_us.map(|_| now_us);
    }

    /// The MCU hangs or restarts.
    pub(crate) fn mcu_restarts(&mut self, hears_again_us: u64, rolls_until_us: u64) {
        self.mcu.restarts(hears_again_us);
        self.rolls_until_us = self.rolls_until_us.max(rolls_until_us);
        self.clock_error_us = 0;
    }

    /// The gate has just been stepped with the body as `session` shows it. Closes what that must close.
    pub(crate) fn observe(&mut self, now_us: u64, session: &Session) {
        if self.stepped_us.replace(now_us).is_some_and(|before_us| now_us - before_us > GAP_US) {
            self.ledger.close();
            self.ledger.wary_until_us = now_us + WARY_US;
        }
        let is_fresh = session.last_frame_us().is_some_and(|at_us| now_us - at_us <= LINK_LOST_US);
        let state = session.state().map(|(state, _)| state);
        self.is_started |= is_fresh && state.is_some();
        if !self.is_started {
            return;
        }
        let is_new =
            session.boot_id().is_some_and(|id| self.boot_id.replace(id).is_some_and(|before| before != id));
        let is_any = |door: Door| self.ledger.doors.contains(&door);
        let closes = match state.filter(|_| is_fresh) {
            None => true,
            Some(State::Armed) => false,
            Some(State::EStop) => true,
            Some(State::Fault) => is_any(Door::Open) || is_any(Door::Starting),
            Some(State::Stopped | State::Boot | State::Disarmed) => is_any(Door::Open),
        };
        if is_new || closes {
            self.ledger.close();
        }
    }

    pub(crate) fn asked(&mut self, asked: &Asked) {
        self.ledger.asked(asked);
    }

    pub(crate) fn answered(&mut self, now_us: u64, ticket: Ticket, answer: &Answer) -> Check {
        match answer {
            Ok(_) => self.figures.accepted += 1,
            Err(_) => self.figures.refused += 1,
        }
        let before = self.ledger.drive.map(|drive| drive.ends_us);
        let was_latched = self.ledger.latched;
        let request = self.ledger.asker(ticket).map(|asked| asked.request);
        self.ledger.answered(now_us, ticket, answer)?;
        match request {
            Some(Request::Stop) => self.stops_due = STOP_FRAMES,
            // A repeated one needs no frame once the MCU has shown it.
            Some(Request::EStop { .. }) if !was_latched => self.stops_due = STOP_FRAMES,
            _ => {}
        }
        if self.ledger.drive.is_some_and(|drive| drive.moves && Some(drive.ends_us) != before) {
            self.causes.retain(|((cause, _), _)| !cause.is_of_a_client());
        }
        Ok(())
    }

    /// A frame begins its way to the MCU.
    pub(crate) fn sent(&mut self, now_us: u64, bytes: &[u8]) -> Result<Option<Setpoint>, String> {
        let mut found = None;
        for &byte in bytes {
            if let Some(Ok(frame)) = self.from_host.push(byte) {
                found = ToMcu::parse(&frame).ok();
            }
        }
        if let Some(ToMcu::Stop(_)) = found {
            self.stops_due = self.stops_due.saturating_sub(1);
        }
        let Some(ToMcu::Setpoint(setpoint)) = found else {
            return Ok(None);
        };
        self.emits_from_us = Some(now_us);
        self.check_setpoint(now_us, &setpoint)?;
        Ok(Some(setpoint))
    }

    /// The agent has written what it could in this turn.
    pub(crate) fn written(&mut self, is_port_open: bool) -> Check {
        let due = std::mem::take(&mut self.stops_due);
        ensure(due == 0 || !is_port_open, || {
            format!("{due} of {STOP_FRAMES} stop frames did not leave at once")
        })
    }

    fn check_setpoint(&mut self, now_us: u64, setpoint: &Setpoint) -> Check {
        let ttl_us = u64::from(setpoint.ttl_ms) * 1000;
        ensure(ttl_us <= self.hold_us, || format!("a setpoint outlives the hold: {setpoint:?}"))?;
        let WheelGoal::Follow { left_mps, right_mps } = setpoint.wheels else { return Ok(()) };
        let most_mps = self.wheel_mps_max + 1e-4;
        ensure(left_mps.abs() <= most_mps && right_mps.abs() <= most_mps, || {
            format!("too fast: {setpoint:?}")
        })?;
        if !moves(&setpoint.wheels) {
            return Ok(());
        }
        let ledger = &self.ledger;
        ensure(ledger.may_drive(now_us), || {
            let (drive, doors) = (ledger.drive, ledger.doors);
            format!(
                "a setpoint that nobody may cause: {setpoint:?}, {drive:?}, {doors:?}, latched {}",
                ledger.latched
            )
        })?;
        let end_us = ledger.drive.map_or(0, |drive| drive.ends_us);
        ensure(now_us + ttl_us <= end_us.max(now_us) + TTL_MIN_US + SLOT_US, || {
            format!("a setpoint outlives its command, which ends at {end_us}: {setpoint:?}")
        })?;
        if let Some(sent_us) = self.mcu.true_us(setpoint.sent_at_us).filter(|_| self.is_armed) {
            self.clock_error_us = self.clock_error_us.max(sent_us.saturating_sub(now_us));
            self.worst_clock_error_us = self.worst_clock_error_us.max(self.clock_error_us);
        }
        Ok(())
    }

    /// Compares what the gate shows with the books, after every turn of the agent.
    pub(crate) fn shown(
        &mut self,
        now_us: u64,
        shown: &Snapshot,
        session: &Session,
        is_port_free: bool,
    ) -> Check {
        self.ledger.drop_expired(now_us);
        for (limb, closed) in [(BASE, shown.base_closed), (HEAD, shown.head_closed)] {
            match (self.ledger.doors[limb], closed) {
                (Door::Closed, None) => return Err(format!("limb {limb} opened without a person's take")),
                (Door::Starting, None) => self.ledger.doors[limb] = Door::Open,
                (Door::Open, Some(_)) => self.ledger.close_one(limb),
                (Door::Starting, Some(closed)) if closed.by != ClosedBy::Starting => {
                    self.ledger.close_one(limb)
                }
                _ => {}
            }
            let lease = shown.leases[limb].filter(|lease| !lease.expires_in.is_zero());
            match (self.ledger.holders[limb], lease) {
                (Some(holder), Some(lease)) if holder.token == lease.token => {}
                (None, None) => {}
                (Some(_), None) => self.ledger.drop_holder(limb),
                (holder, lease) => return Err(format!("limb {limb} is held by {holder:?} and by {lease:?}")),
            }
        }
        self.check_latch(shown, session)?;
        let may_emit = session.ready() && session.mcu_clock_us(now_us).is_some() && is_port_free;
        self.emits_from_us = may_emit.then(|| self.emits_from_us.unwrap_or(now_us));
        Ok(())
    }

    fn check_latch(&mut self, shown: &Snapshot, session: &Session) -> Check {
        let (estop, ledger) = (&shown.estop, &mut self.ledger);
        let mcu_is_latched = session.state().is_some_and(|(state, _)| state == State::EStop);
        ensure(estop.epoch >= ledger.epoch, || format!("epoch {} after {}", estop.epoch, ledger.epoch))?;
        ledger.epoch = estop.epoch;
        match (ledger.latched, estop.latched) {
            (true, false) => return Err("the latch was cleared without an answered reset".into()),
            (false, true) => {
                ensure(mcu_is_latched, || "latched by nobody".into())?;
                ledger.latched = true;
                ledger.close();
            }
            _ => {}
        }
        let is_missed = self.is_started && mcu_is_latched && shown.link_up && !estop.latched;
        ensure(!is_missed, || "the MCU shows an e-stop, the agent does not".into())?;
        if estop.durable {
            self.durable_epoch = self.durable_epoch.max(estop.epoch);
        }
        // While a reset is under way the file may already say clear.
        self.is_latch_durable = estop.latched && estop.durable;
        Ok(())
    }

    /// Something that must stop the body happened.
    pub(crate) fn cause(&mut self, at_us: u64, cause: Cause) {
        let cause = (cause, self.is_faulty && cause.is_of_people());
        match self.zero_since_us {
            None => self.causes.push((cause, at_us)),
            Some(zero_us) if zero_us >= at_us => self.figures.add(cause, zero_us - at_us),
            Some(_) => {}
        }
    }

    /// Judges the wheels.
    pub(crate) fn check(&mut self, now_us: u64, view: &BodyView, around: Surroundings) -> Check {
        self.is_armed = view.armed;
        self.is_faulty = around.clean_transit_us.is_none();
        self.end_overdue(now_us, around);
        let is_legit = around.runs && self.ledger.may_drive(now_us);
        if let Some(drive) = self.ledger.drive.filter(|_| around.runs && self.ledger.may_follow(now_us)) {
            let until_us = (drive.ends_us + TTL_MIN_US).min(now_us + self.hold_us);
            self.follows_until_us = self.follows_until_us.max(until_us);
        }
        if let Some(drive) = self.ledger.drive.filter(|_| is_legit) {
            self.ends_us = self.ends_us.max((drive.ends_us + TTL_MIN_US).min(now_us + self.hold_us));
            (self.legit_until_us, self.planned_end_us) = (now_us, Some(drive.ends_us));
        } else if let Some(planned_us) = self.planned_end_us.take() {
            self.legit_until_us = planned_us.min(now_us);
        }
        let is_silent =
            self.emits_from_us.is_some_and(|from_us| around.runs && now_us - from_us > EMIT_GAP_US);
        ensure(!is_silent, || "the gate has not emitted for 100 ms".into())?;
        let moves = view.left_target_mps != 0.0 || view.right_target_mps != 0.0;
        self.note_target(now_us, moves, around.stands);
        if now_us >= self.mcu.deaf_until_us && moves {
            self.check_moving(now_us, view, is_legit, around)?;
        }
        let bound_us =
            self.follows_until_us + self.clock_error_us + self.ramp_us + STANDSTILL_SLACK_US + SLACK_US;
        let must_stand = now_us > bound_us.max(self.rolls_until_us).max(self.mcu.deaf_until_us);
        ensure(around.stands || !must_stand, || {
            format!(
                "still rolling with {} and {} m/s, past the budget at {bound_us} us",
                view.left_mps, view.right_mps
            )
        })
    }

    fn check_moving(&self, now_us: u64, view: &BodyView, is_legit: bool, around: Surroundings) -> Check {
        ensure(view.armed, || "a target while not armed".into())?;
        let late_us = |end_us: u64| now_us.saturating_sub(end_us);
        ensure(late_us(self.mcu.ends_us) <= SLACK_US, || {
            format!("a target {} us past the MCU's deadline", late_us(self.mcu.ends_us))
        })?;
        let end_us = self.ends_us + self.clock_error_us;
        ensure(late_us(end_us) <= SLACK_US, || {
            format!("a target {} us past the end of everything that was accepted", late_us(end_us))
        })?;
        if let (false, Some(transit_us)) = (is_legit, around.clean_transit_us) {
            let late_us = late_us(self.legit_until_us + transit_us);
            ensure(late_us <= SLACK_US, || {
                format!("a target {late_us} us past its end although nothing is wrong")
            })?;
        }
        Ok(())
    }

    fn end_overdue(&mut self, now_us: u64, around: Surroundings) {
        let Some(drive) = self.ledger.drive.filter(|drive| drive.ends_us <= now_us) else { return };
        self.ledger.drive = None;
        if around.runs && drive.moves {
            self.cause(drive.ends_us, Cause::TtlOver);
        }
    }

    fn note_target(&mut self, now_us: u64, moves: bool, stands: bool) {
        let passed_us = now_us - self.checked_us;
        self.checked_us = now_us;
        if moves {
            if self.zero_since_us.is_none() {
                self.figures.moving_us += passed_us;
            }
            (self.zero_since_us, self.stopping_since_us) = (None, None);
            return;
        }
        if self.zero_since_us.is_none() {
            (self.zero_since_us, self.stopping_since_us) = (Some(now_us), Some(now_us));
            for ((cause, was_faulty), at_us) in std::mem::take(&mut self.causes) {
                let is_faulty = was_faulty || (self.is_faulty && cause.is_of_people());
                self.figures.add((cause, is_faulty), now_us.saturating_sub(at_us));
            }
        }
        if now_us < self.rolls_until_us {
            // Without power it takes longer; that is another budget.
            self.stopping_since_us = None;
        }
        if let Some(since_us) = self.stopping_since_us.filter(|_| stands) {
            self.figures.standstills.push(now_us - since_us);
            self.stopping_since_us = None;
        }
    }

    /// What was measured over the whole run.
    pub(crate) fn into_figures(mut self) -> Figures {
        self.figures.clock_errors.push(self.worst_clock_error_us);
        self.figures
    }
}
