//! One tick: what the body reports, what that closes, and what is ordered again because it is not shown yet.

use firmware_bridge_link::message::{Reason, State};

use super::{Gate, Output};
use crate::caller::{Label, label};
use crate::refusal::ClosedBy;
use crate::report::BodyReport;
use crate::time::BootTime;

impl Gate {
    /// Takes the body as it is.
    pub(super) fn tick(&mut self, body: &BodyReport, now: BootTime, out: &mut Output) {
        self.body = *body;
        self.ticked_at = Some(now);
        self.envelope.update(body, now);
        if let Some((_, motion)) = &body.motion {
            self.odometry.update(motion);
        }
        self.note_readiness(now);
        if !self.is_started && self.is_heard() && body.state.is_some() {
            self.is_started = true;
            self.stop_what_runs_on(now, out);
        }
        if self.is_started {
            self.watch_link(now, out);
            self.watch_state(now, out);
        }
        self.advance_estop(now, out);
        self.advance_stop(now, out);
        self.advance_reset(now, out);
        self.advance_start(out);
        self.advance_openings(now, out);
        self.advance_task(now);
        self.order_due_lights(out);
    }

    /// A lost link and a new boot id close. A later connection never opens.
    fn watch_link(&mut self, now: BootTime, out: &mut Output) {
        if let Some(boot_id) = self.body.boot_id
            && self.boot_id.replace(boot_id).is_some_and(|before| before != boot_id)
        {
            self.is_lights_order_due = true;
            self.close(ClosedBy::McuReset, "", now, out);
        }
        // Without a state this is a new connection that has not been read yet.
        if !self.is_heard() || self.body.state.is_none() {
            self.close(ClosedBy::LinkLost, "", now, out);
        }
    }

    /// What the MCU stopped by itself is closed here too.
    fn watch_state(&mut self, now: BootTime, out: &mut Output) {
        let Some((state, reason)) = self.body.state.filter(|_| self.is_heard()) else {
            return;
        };
        match state {
            State::EStop if !self.estop.is_latched() => {
                self.latch(estop_words(reason), label("mcu"), now, out);
            }
            State::Fault if self.access.is_any_open() || self.access.is_any_closed_by(ClosedBy::Starting) => {
                self.close(ClosedBy::McuFault, fault_words(reason), now, out);
            }
            State::Stopped if self.access.is_any_open() => {
                let by = if reason == Reason::HostStop { ClosedBy::Stop } else { ClosedBy::Hold };
                self.close(by, "", now, out);
            }
            State::Boot | State::Disarmed if self.access.is_any_open() => {
                self.close(ClosedBy::McuReset, "the microcontroller is disarmed", now, out);
            }
            _ => {}
        }
    }

    /// Since when the MCU is heard without its handshake getting done.
    fn note_readiness(&mut self, now: BootTime) {
        self.unready_since = match self.unready_since {
            _ if self.body.ready || !self.is_heard() => None,
            Some(since) => Some(since),
            None => Some(now),
        };
    }

    /// An agent that died left the MCU armed, and its hold is not over yet. With nothing to open that must not go on: the
    /// halts of this run would keep it armed, and its head on the way to where it was told.
    fn stop_what_runs_on(&mut self, now: BootTime, out: &mut Output) {
        let is_armed = self.body.state.is_some_and(|(state, _)| state == State::Armed);
        if is_armed && !self.access.is_any_closed_by(ClosedBy::Starting) {
            self.order_stop(now, out);
        }
    }

    /// A restarted MCU has forgotten its lights.
    fn order_due_lights(&mut self, out: &mut Output) {
        if self.is_lights_order_due && self.is_link_up() {
            self.is_lights_order_due = false;
            out.orders.push(self.lights_order());
        }
    }
}

fn estop_words(reason: Reason) -> Label {
    label(match reason {
        Reason::ButtonEStop => "the e-stop button of the body was pressed",
        _ => "the microcontroller was latched when it connected",
    })
}

const fn fault_words(reason: Reason) -> &'static str {
    match reason {
        Reason::EncoderStuck => "a wheel is driven but does not turn",
        Reason::BatteryLow => "the battery is below its cut-off voltage",
        _ => "",
    }
}
