//! Where the controller stands: booted, armed, and which latches are set. It never moves anything.
//!
//! There are three latches and they are independent: taking back one leaves the others. Shown is the gravest:
//! emergency stop, then fault, then stop.

use firmware_bridge_link::message::{Latch, Outcome, Reason, State, StopKind};

#[derive(Debug)]
pub(crate) struct Machine {
    booted: bool,
    armed: bool,
    /// Why it is not armed when no latch says it.
    at_rest: Reason,
    stopped: Option<Reason>,
    estop: Option<Reason>,
    fault: Option<Reason>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self {
            booted: false,
            armed: false,
            at_rest: Reason::Started,
            stopped: None,
            estop: None,
            fault: None,
        }
    }

    pub(crate) fn state(&self) -> (State, Reason) {
        if let Some(reason) = self.estop {
            (State::EStop, reason)
        } else if let Some(reason) = self.fault {
            (State::Fault, reason)
        } else if let Some(reason) = self.stopped {
            (State::Stopped, reason)
        } else if self.armed {
            (State::Armed, Reason::None)
        } else if self.booted {
            (State::Disarmed, self.at_rest)
        } else {
            (State::Boot, Reason::Started)
        }
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.armed
    }

    fn is_latched(&self) -> bool {
        self.stopped.is_some() || self.estop.is_some() || self.fault.is_some()
    }

    /// The body has been seen for the first time.
    pub(crate) fn finish_boot(&mut self) {
        self.booted = true;
    }

    /// No latch is set and the body has been seen. What the host must have done is checked by the caller.
    pub(crate) fn may_arm(&self) -> bool {
        self.booted && !self.is_latched()
    }

    pub(crate) fn arm(&mut self) {
        self.armed = self.may_arm();
    }

    pub(crate) fn disarm(&mut self) {
        self.armed = false;
        self.at_rest = Reason::Disarmed;
    }

    /// The first reason of a latch is kept: it is what a person wants to know.
    pub(crate) fn stop(&mut self, kind: StopKind, reason: Reason) {
        self.armed = false;
        match kind {
            StopKind::EStop => {
                self.estop = self.estop.or(Some(reason));
                // An emergency stop is the stronger stop, and its own Clear is the harder one to get.
                self.stopped = None;
            }
            StopKind::Stop if self.estop.is_none() => self.stopped = self.stopped.or(Some(reason)),
            StopKind::Stop => {}
        }
    }

    pub(crate) fn fail(&mut self, reason: Reason) {
        self.armed = false;
        self.fault = self.fault.or(Some(reason));
    }

    /// Why the fault latch is set.
    pub(crate) fn fault(&self) -> Option<Reason> {
        self.fault
    }

    /// Takes back one latch. Without that latch it is done when nothing is latched, and refused otherwise.
    pub(crate) fn clear(&mut self, latch: Latch) -> Outcome {
        let slot = match latch {
            Latch::Stopped => &mut self.stopped,
            Latch::EStop => &mut self.estop,
            Latch::Fault => &mut self.fault,
        };
        if slot.take().is_some() {
            self.at_rest = Reason::Disarmed;
            return Outcome::Done;
        }
        if self.armed || !self.booted || self.is_latched() { Outcome::WrongState } else { Outcome::Done }
    }
}
