//! Stop, and every other way in which base and head get closed.

use firmware_bridge_link::message::State;

use super::drive::Ending;
use super::{DONE, Gate, Order, Output, REPEAT_AFTER};
use crate::access::{Limb, OpenLimbs};
use crate::caller::{Label, joined};
use crate::refusal::{ClosedBy, Refusal};
use crate::request::Answer;
use crate::time::BootTime;

/// A stop that the MCU has been sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct StopOrder {
    /// What the MCU reports counts once a stop from then on has reached it.
    since: BootTime,
    sent_at: BootTime,
    /// Its state shows that nothing can move.
    is_confirmed: bool,
}

impl Gate {
    /// `POST stop`: never refused.
    pub(super) fn stop_all(&mut self, who: Label, now: BootTime, out: &mut Output) -> Answer {
        if self.ended.is_some() {
            // Pressed while the program ends: the next start finds it closed.
            self.ended = Some(OpenLimbs::NONE);
        }
        let reason = joined(&["stop was pressed by ", &who]);
        self.close(ClosedBy::Stop, &reason, now, out);
        self.order_stop(now, out);
        DONE
    }

    /// The program ends: halts the body, and takes nothing more.
    pub(super) fn shut_down(&mut self, now: BootTime, out: &mut Output) {
        if self.ended.is_none() {
            self.ended = Some(self.access.open_limbs());
        }
        if self.reset.is_some() {
            self.fail_reset(Refusal::LinkDown, now, out);
        }
        self.close(ClosedBy::Stop, "the agent ends", now, out);
        self.order_stop(now, out);
        out.orders.push(Order::Disarm);
    }

    /// Sends the MCU Stop, now and every tick until it shows it.
    pub(super) fn order_stop(&mut self, now: BootTime, out: &mut Output) {
        self.stop = Some(StopOrder { since: now, sent_at: now, is_confirmed: false });
        if !out.orders.contains(&Order::Stop) {
            out.orders.push(Order::Stop);
        }
    }

    /// Closes base and head: ends setpoint, task and turns, revokes their leases, ends what was being opened, and stops the MCU,
    /// which may still be armed and hold on for longer than whatever closed them. An e-stop orders its own, stronger stop.
    pub(super) fn close(&mut self, by: ClosedBy, reason: &str, now: BootTime, out: &mut Output) {
        self.access.close(by, reason, now);
        self.end_drive(Ending::Closed(by));
        for limb in Limb::ALL {
            self.leases.revoke(limb.resource());
        }
        self.turns.end_all();
        self.sockets.demand_neutral();
        let epoch = self.estop.epoch();
        let refusal = |limb: Limb| match by {
            ClosedBy::EStop => Refusal::EStopLatched { epoch },
            ClosedBy::Stop => Refusal::Closed { resource: limb.resource(), by, since: now },
            _ => Refusal::LinkDown,
        };
        self.abandon_openings(refusal, now, out);
        // A stop on its way is repeated with every tick; while a link is lost this is called as often.
        if by != ClosedBy::EStop && self.is_stop_done() {
            self.order_stop(now, out);
        }
    }

    /// Looks for the stop in the MCU's state, once a tick, and repeats it until it is there.
    pub(super) fn advance_stop(&mut self, now: BootTime, out: &mut Output) {
        let is_still = self.is_link_up() && self.body.state.is_some_and(|(state, _)| state != State::Armed);
        let Some(stop) = &mut self.stop else {
            return;
        };
        if stop.is_confirmed && !is_still {
            // Armed without anybody's take, or out of sight: what confirmed it is old.
            (stop.is_confirmed, stop.since) = (false, now);
        }
        stop.is_confirmed = is_still && (stop.is_confirmed || self.body.reflects_stop_of(stop.since));
        if !stop.is_confirmed && now.since(stop.sent_at) >= REPEAT_AFTER {
            stop.sent_at = now;
            if !out.orders.contains(&Order::Stop) {
                out.orders.push(Order::Stop);
            }
        }
    }

    /// The MCU showed the last stop, or nothing is left to stop.
    pub(super) fn is_stop_done(&self) -> bool {
        self.stop.is_none_or(|stop| stop.is_confirmed)
    }
}
