//! Requests on their way: from whoever asks, through network and edge, to the agent's queues.

use agent_core::caller::{Caller, Class, TokenId, label};
use agent_core::request::{Asked, Request, Seen};
use agent_core::time::BootTime;

use crate::figures::Cause;
use crate::world::{Sent, World};

/// Whoever stands beside the robot: presses stop and e-stop, resets, and helps in the end.
pub(crate) fn bystander(class: Class) -> Caller {
    Caller {
        token: TokenId(900 + class as u32),
        class,
        name: label("bystander"),
        must_show_seen: false,
        turn: None,
    }
}

impl World {
    /// The stamp of the newest state that anyone can have read.
    pub(crate) fn newest_seen(&self) -> Seen {
        Seen { run: self.process.run, mono_ms: self.process.shown.gate.at.as_ms() }
    }

    /// Puts a request on its way.
    pub(crate) fn send(&mut self, arrives_us: u64, caller: Caller, request: Request) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let asked = Asked { ticket, caller, received_at: BootTime::from_us(arrives_us), request };
        let place = self.network.partition_point(|sent| sent.arrives_us <= arrives_us);
        self.network.insert(place, Sent { arrives_us, asked });
    }

    /// Hands over what has arrived. While the edge is frozen, requests wait in its sockets.
    pub(crate) fn hand_requests_over(&mut self) {
        while self.network.front().is_some_and(|sent| sent.arrives_us <= self.now_us) {
            let Some(mut sent) = self.network.pop_front() else { return };
            if self.process.pilot.is_none() {
                continue;
            }
            if let Some(until_us) = self.process.frozen_until_us.filter(|_| self.process.is_edge_frozen) {
                let arrives_us = until_us + self.chance.between(0, 3_000);
                sent.arrives_us = arrives_us;
                sent.asked.received_at = BootTime::from_us(arrives_us);
                let place = self.network.partition_point(|other| other.arrives_us <= arrives_us);
                self.network.insert(place, sent);
                continue;
            }
            self.note_cause(&sent.asked.request);
            self.oracle.asked(&sent.asked);
            self.process.takes(self.now_us, sent.asked);
        }
    }

    fn note_cause(&mut self, request: &Request) {
        if !self.process.runs() {
            return;
        }
        match request {
            Request::Stop => self.oracle.cause(self.now_us, Cause::Stop),
            Request::EStop { .. } => self.oracle.cause(self.now_us, Cause::EStop),
            _ => {}
        }
    }
}
