//! Opening what is closed: only by a person's take, and only once the MCU shows armed.

use std::time::Duration;

use firmware_bridge_link::message::State;

use super::{Gate, MCU_ANSWERS_WITHIN, Order, Output};
use crate::access::Limb;
use crate::caller::{Caller, TokenId};
use crate::lease::may_take_from;
use crate::refusal::{ClosedBy, Refusal};
use crate::request::{Accepted, Asked, Ticket};
use crate::time::BootTime;

/// A take that waits for the MCU.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    ticket: Ticket,
    caller: Caller,
    limb: Limb,
    ttl: Duration,
    /// What the MCU reported up to then does not count.
    since: BootTime,
    /// When it has failed.
    pub(super) deadline: BootTime,
}

impl Opening {
    pub(super) fn new(asked: &Asked, limb: Limb, ttl: Duration, now: BootTime) -> Self {
        let (ticket, caller) = (asked.ticket, asked.caller);
        Self { ticket, caller, limb, ttl, since: now, deadline: now + MCU_ANSWERS_WITHIN }
    }
}

impl Gate {
    /// While somebody else's take of the same limb waits, it counts as a lease.
    pub(super) fn check_rival_opening(
        &self,
        limb: Limb,
        caller: &Caller,
        take_over: bool,
    ) -> Result<(), Refusal> {
        match &self.openings[limb as usize] {
            Some(rival)
                if !may_take_from(
                    caller,
                    (rival.caller.token, rival.caller.turn),
                    rival.caller.class,
                    take_over,
                ) =>
            {
                Err(Refusal::LeaseHeld { holder: rival.caller.name, class: rival.caller.class })
            }
            _ => Ok(()),
        }
    }

    /// Starts to open. A take that it outranks has lost, and one of the same token is replaced, as its lease would be.
    pub(super) fn begin_opening(&mut self, opening: Opening, now: BootTime, out: &mut Output) {
        if let Some(loser) = self.openings[opening.limb as usize].replace(opening) {
            let (token, holder, class) = (opening.caller.token, opening.caller.name, opening.caller.class);
            let refusal = match loser.caller.token == token {
                true => Refusal::LeaseGone,
                false => Refusal::LeaseHeld { holder, class },
            };
            self.answer(loser.ticket, &loser.caller, Err(refusal), now, out);
        }
        if self.is_stop_done() {
            self.stop = None;
            if !self.is_armed() {
                out.orders.push(Order::Arm);
            }
        }
    }

    /// Looks at the MCU, once a tick: arms it, and opens once it shows armed.
    pub(super) fn advance_openings(&mut self, now: BootTime, out: &mut Output) {
        // A stop that the MCU has not shown yet goes first.
        if self.openings.iter().all(Option::is_none) || !self.is_stop_done() {
            return;
        }
        self.stop = None;
        if !self.is_armed() {
            out.orders.push(Order::Arm);
            return;
        }
        for limb in Limb::ALL {
            let slot = &mut self.openings[limb as usize];
            let Some(opening) =
                slot.take_if(|opening| self.body.motion.is_some_and(|(at, _)| at > opening.since))
            else {
                continue;
            };
            self.access.open(limb);
            let view = self.grant(limb.resource(), &opening.caller, opening.ttl, now);
            self.answer(opening.ticket, &opening.caller, Ok(Accepted::Lease(view)), now, out);
        }
    }

    /// The run before ended in order: once the MCU's state has been read, arms it and opens what was open then.
    pub(super) fn advance_start(&mut self, out: &mut Output) {
        if !self.is_started || !self.is_link_up() || !self.access.is_any_closed_by(ClosedBy::Starting) {
            return;
        }
        if !self.is_armed() {
            out.orders.push(Order::Arm);
            return;
        }
        for limb in Limb::ALL {
            if self.access.closed(limb).is_some_and(|closed| closed.by == ClosedBy::Starting) {
                self.access.open(limb);
            }
        }
    }

    /// Ends every opening with a refusal; what it opened halfway is stopped again.
    pub(super) fn abandon_openings(
        &mut self,
        refusal: impl Fn(Limb) -> Refusal,
        now: BootTime,
        out: &mut Output,
    ) {
        self.abandon(|_| true, refusal, now, out);
    }

    /// A token died.
    pub(super) fn abandon_openings_of(&mut self, token: TokenId, now: BootTime, out: &mut Output) {
        self.abandon(|opening| opening.caller.token == token, |_| Refusal::TokenRevoked, now, out);
    }

    /// Ends the openings whose time is over; another limb's goes on.
    pub(super) fn abandon_overdue_openings(&mut self, now: BootTime, out: &mut Output) {
        self.abandon(|opening| opening.deadline <= now, |_| Refusal::LinkDown, now, out);
    }

    fn abandon(
        &mut self,
        is_over: impl Fn(&Opening) -> bool,
        refusal: impl Fn(Limb) -> Refusal,
        now: BootTime,
        out: &mut Output,
    ) {
        for limb in Limb::ALL {
            let Some(opening) = self.openings[limb as usize].take_if(|opening| is_over(opening)) else {
                continue;
            };
            self.answer(opening.ticket, &opening.caller, Err(refusal(limb)), now, out);
            // The order to arm may still be on its way: with nothing open, nothing shall stay armed.
            if !self.access.is_any_open() && self.openings.iter().all(Option::is_none) {
                self.order_stop(now, out);
            }
        }
    }

    /// The MCU shows that setpoints move it.
    fn is_armed(&self) -> bool {
        self.is_link_up() && self.body.state.is_some_and(|(state, _)| state == State::Armed)
    }
}
