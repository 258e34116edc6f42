//! The agent's process in virtual time: the real [`Pilot`] turned as the gate thread turns it, started, frozen, killed and
//! ended, with its port and its queues.

use std::collections::VecDeque;

use agent_core::access::OpenLimbs;
use agent_core::request::{Asked, Request};
use agent_core::snapshot::Snapshot;
use agent_core::time::BootTime;
use firmware_bridge_host::Losses;

use agent::drive::pilot::Pilot;
use agent::drive::shown::Shown;

/// Bytes read in one turn, as in the gate thread.
pub(crate) const READ_MAX: usize = 2048;
/// Requests taken in one turn, as in the gate thread.
pub(crate) const REQUESTS_MAX: usize = 64;
/// A port without a valid frame for so long is opened anew, as in the gate thread, us.
pub(crate) const PORT_SILENT_US: u64 = 2_000_000;
/// How long the body may take to stand when the program ends, us.
pub(crate) const END_MAX_US: u64 = 1_000_000;
/// What the kernel keeps of unread bytes.
const KERNEL_BYTES: usize = 4095;

/// The process, running or not.
pub(crate) struct Process {
    pub(crate) pilot: Option<Pilot>,
    pub(crate) run: u64,
    /// When it starts, and what was open when it ended in order.
    pub(crate) starts: Option<(u64, OpenLimbs)>,
    pub(crate) frozen_until_us: Option<u64>,
    /// Frozen with its edge: requests are read afterwards.
    pub(crate) is_edge_frozen: bool,
    pub(crate) ending: Option<Ending>,
    pub(crate) is_port_open: bool,
    pub(crate) port_opens_us: Option<u64>,
    pub(crate) port_since_us: u64,
    unread: Vec<u8>,
    estops: VecDeque<Asked>,
    urgent: VecDeque<Asked>,
    asked: VecDeque<Asked>,
    pub(crate) wakes_us: u64,
    /// What it showed last.
    pub(crate) shown: Shown,
}

/// An end in order, under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    pub(crate) since_us: u64,
    pub(crate) restart_us: u64,
}

impl Process {
    /// A process that starts at `starts_us` for the first time.
    pub(crate) fn new(starts_us: u64) -> Self {
        Self {
            pilot: None,
            run: 0,
            starts: Some((starts_us, OpenLimbs::ALL)),
            frozen_until_us: None,
            is_edge_frozen: false,
            ending: None,
            is_port_open: false,
            port_opens_us: None,
            port_since_us: 0,
            unread: Vec::new(),
            estops: VecDeque::new(),
            urgent: VecDeque::new(),
            asked: VecDeque::new(),
            wakes_us: 0,
            shown: Shown {
                gate: Snapshot::new(BootTime::from_us(starts_us)),
                losses: Losses::default(),
                fault: None,
            },
        }
    }

    /// It is there and turns.
    pub(crate) fn runs(&self) -> bool {
        self.pilot.is_some() && self.frozen_until_us.is_none()
    }

    /// It is gone, with everything in its queues and its kernel's.
    pub(crate) fn dies(&mut self) {
        self.pilot = None;
        (self.frozen_until_us, self.is_edge_frozen, self.ending) = (None, false, None);
        (self.is_port_open, self.port_opens_us) = (false, None);
        self.unread.clear();
        self.estops.clear();
        self.urgent.clear();
        self.asked.clear();
    }

    /// Bytes reached the host's kernel.
    pub(crate) fn gets(&mut self, now_us: u64, bytes: &[u8]) {
        if !self.is_port_open {
            return;
        }
        let room = KERNEL_BYTES.saturating_sub(self.unread.len());
        self.unread.extend(&bytes[..bytes.len().min(room)]);
        self.wakes_us = self.wakes_us.min(now_us);
    }

    /// What one turn reads.
    pub(crate) fn read(&mut self) -> Vec<u8> {
        let len = self.unread.len().min(READ_MAX);
        self.unread.drain(..len).collect()
    }

    /// The port is opened: what lay in the kernel is thrown away.
    pub(crate) fn opens_port(&mut self, now_us: u64) {
        self.unread.clear();
        (self.is_port_open, self.port_opens_us, self.port_since_us) = (true, None, now_us);
    }

    /// The edge hands a request over.
    pub(crate) fn takes(&mut self, now_us: u64, asked: Asked) {
        let queue = match asked.request {
            Request::EStop { .. } => &mut self.estops,
            Request::Stop | Request::TeleopClose(_) | Request::Revoke(_) => &mut self.urgent,
            _ => &mut self.asked,
        };
        queue.push_back(asked);
        self.wakes_us = self.wakes_us.min(now_us);
    }

    /// The next request: e-stops and stops go first.
    pub(crate) fn next_request(&mut self) -> Option<Asked> {
        self.estops.pop_front().or_else(|| self.urgent.pop_front()).or_else(|| self.asked.pop_front())
    }

    pub(crate) fn has_work(&self) -> bool {
        let are_empty = self.estops.is_empty() && self.urgent.is_empty() && self.asked.is_empty();
        !self.unread.is_empty() || !are_empty
    }

    /// When it does something next.
    pub(crate) fn next_us(&self) -> Option<u64> {
        if self.pilot.is_none() {
            return self.starts.map(|(at_us, _)| at_us);
        }
        Some(self.frozen_until_us.unwrap_or(self.wakes_us))
    }
}
