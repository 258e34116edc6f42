//! Orders to the MCU besides the setpoint. Each may be given again every tick: what is under way is not doubled.

use firmware_bridge_link::message::{Command, Latch, Outcome, Reply, State, StopKind};

use crate::commands::Place;
use crate::handshake::{Phase, SessionFault};
use crate::losses::count;
use crate::session::Session;

/// After a refused step towards armed the next try waits so long: what was missing, such as a first setpoint at zero,
/// comes with the gate's tick, and asking again at once would only keep the wire busy.
const STEP_RETRY_US: u64 = 10_000;

/// After a step towards armed the next one waits for telemetry that shows the new state, but not longer than this.
const STEP_WAIT_US: u64 = 50_000;

impl Session {
    /// Sends a stop three times, before everything else and whatever the handshake says. Call it again every tick until
    /// the MCU's state shows it. Also ends every attempt to arm and to point the head, which would otherwise be repeated
    /// after the next arming, and with an e-stop every attempt to clear it. A disarm goes on: it ends motion too.
    pub fn stop(&mut self, kind: StopKind) {
        let id = self.commands.new_id();
        self.stops.request(kind, id);
        self.setpoint.drop_motion();
        self.commands.drop_one(Place::Step);
        self.commands.drop_one(Place::Head);
        if kind == StopKind::EStop {
            self.commands.drop_one(Place::ClearEStop);
        }
    }

    /// Takes the next step towards armed: clears a stop or a fault, or arms with the present boot id. Never clears an
    /// e-stop. Does nothing while a step is under way or none is possible; call it again while arming is wanted.
    pub fn arm(&mut self, now_us: u64) {
        if !self.ready() || self.commands.holds(Place::Step) || self.must_wait_for_step(now_us) {
            return;
        }
        let Some((state, _)) = self.state else {
            return;
        };
        let step = match state {
            State::Stopped => Command::Clear(Latch::Stopped),
            State::Fault => Command::Clear(Latch::Fault),
            State::Disarmed if self.clock_synced(now_us) => match self.boot_id {
                Some(boot_id) => Command::Arm { boot_id },
                None => return,
            },
            State::Disarmed | State::Boot | State::Armed | State::EStop => return,
        };
        self.commands.put(Place::Step, step);
    }

    fn must_wait_for_step(&self, now_us: u64) -> bool {
        let may_not_show_yet = |done_us: u64| self.motion_at_us <= done_us && now_us < done_us + STEP_WAIT_US;
        self.step_done_us.is_some_and(may_not_show_yet)
            || self.step_refused_us.is_some_and(|refused_us| now_us < refused_us + STEP_RETRY_US)
    }

    /// Takes back the MCU's e-stop latch, if its state shows one.
    pub fn clear_estop(&mut self) {
        let latched = self.state.is_some_and(|(state, _)| state == State::EStop);
        if self.ready() && latched && !self.commands.holds(Place::ClearEStop) {
            self.commands.put(Place::ClearEStop, Command::Clear(Latch::EStop));
        }
    }

    /// Switches the outputs off, and ends every attempt to arm.
    pub fn disarm(&mut self) {
        self.commands.drop_one(Place::Step);
        if self.ready() && !self.commands.holds(Place::Disarm) {
            self.commands.put(Place::Disarm, Command::Disarm);
        }
    }

    /// Points the head, angles in rad, left and up positive; the newest wins. Lost when the MCU is not ready: where the
    /// head should look is not remembered over a restart.
    pub fn head(&mut self, pan_rad: f32, tilt_rad: f32) {
        if self.ready() {
            self.commands.put(Place::Head, Command::Head { pan_rad, tilt_rad });
        }
    }

    /// Sets the lights; the newest wins. Lost when the MCU is not ready.
    pub fn lights(&mut self, rgb: [u8; 3], brightness: u8) {
        if self.ready() {
            self.commands.put(Place::Lights, Command::Lights { rgb, brightness });
        }
    }

    pub(crate) fn take_reply(&mut self, now_us: u64, reply: &Reply) {
        self.stops.answered(reply.id);
        let Some(command) = self.commands.answered(reply) else {
            return;
        };
        if reply.outcome != Outcome::Done {
            count(&mut self.losses.commands_refused, 1);
            self.take_refusal(now_us, command, reply.outcome);
            return;
        }
        match command {
            Command::Tighten(_) | Command::Subscribe { .. } => self.finish_handshake(),
            Command::Arm { .. } | Command::Clear(_) => self.step_done_us = Some(now_us),
            Command::Disarm | Command::Head { .. } | Command::Lights { .. } => {}
        }
    }

    fn take_refusal(&mut self, now_us: u64, command: Command, outcome: Outcome) {
        match (command, outcome) {
            (Command::Tighten(_), _) => self.misfit(now_us, SessionFault::SetupRefused("limits")),
            (Command::Subscribe { .. }, _) => {
                self.misfit(now_us, SessionFault::SetupRefused("subscription"));
            }
            (
                Command::Arm { .. } | Command::Clear(_),
                Outcome::NotNeutral | Outcome::WrongState | Outcome::StillFaulty,
            ) => {
                self.step_refused_us = Some(now_us);
            }
            (_, Outcome::NoTimeSync) => self.sync.start(now_us),
            // The MCU is another one than we think, or has another idea of us.
            (_, Outcome::WrongBoot | Outcome::WrongProtocol) => self.probe(now_us),
            _ => {}
        }
    }

    /// Gives up unanswered commands. Without its limits and subscriptions the MCU is of no use: greet it again.
    pub(crate) fn expire(&mut self, now_us: u64) {
        let expired = self.commands.expire(now_us);
        if expired == 0 {
            return;
        }
        count(&mut self.losses.commands_unanswered, expired);
        if self.phase == Phase::Preparing {
            self.greet(now_us);
        }
    }
}
