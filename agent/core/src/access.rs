//! Open and closed: whether base and head may be moved at all, and what closed them.
//!
//! Knows the order of the contract's table ("where several apply, the lower row"); never decides who may open.

use crate::caller::label;
use crate::refusal::{ClosedBy, Refusal};
use crate::resource::Resource;
use crate::snapshot::Closed;
use crate::time::BootTime;

/// A part of the body that is open or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limb {
    /// The wheels.
    Base,
    /// The head.
    Head,
}

impl Limb {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Base, Self::Head];

    /// The limb behind a resource; nothing else is ever closed.
    pub const fn of(resource: Resource) -> Option<Self> {
        match resource {
            Resource::Base => Some(Self::Base),
            Resource::Head => Some(Self::Head),
            Resource::Lights | Resource::Presence => None,
        }
    }

    /// The resource that is held to move it.
    pub const fn resource(self) -> Resource {
        match self {
            Self::Base => Resource::Base,
            Self::Head => Resource::Head,
        }
    }
}

/// Which limbs were open when a run ended in order. The program keeps it in `DIR/clean`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenLimbs {
    /// The wheels.
    pub base: bool,
    /// The head.
    pub head: bool,
}

impl OpenLimbs {
    /// A first start.
    pub const ALL: Self = Self { base: true, head: true };
    /// The run before crashed, or ended closed.
    pub const NONE: Self = Self { base: false, head: false };
}

/// Base and head, each open or closed.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    closed: [Option<Closed>; 2],
    /// What closed a limb last and when, also while it is open again; [`Closed::since`] keeps the first cause.
    newest: Option<(ClosedBy, BootTime)>,
}

impl Access {
    /// Both closed, each for its own reason.
    pub fn new(base: ClosedBy, head: ClosedBy, now: BootTime) -> Self {
        let closed = |by: ClosedBy| Some(Closed { by, reason: label(words(by)), since: now });
        Self { closed: [closed(base), closed(head)], newest: None }
    }

    /// Why `limb` is closed; `None` while it is open.
    pub const fn closed(&self, limb: Limb) -> Option<Closed> {
        self.closed[limb as usize]
    }

    /// The refusal of a closed limb.
    pub fn refusal(&self, limb: Limb) -> Option<Refusal> {
        self.closed(limb).map(|closed| Refusal::Closed {
            resource: limb.resource(),
            by: closed.by,
            since: closed.since,
        })
    }

    /// The refusal of what was received before the newest close: whoever sent it had not seen that. A stop reaches the gate
    /// before requests that were sent earlier, so the order of arrival says nothing.
    pub fn refusal_of_older(&self, limb: Limb, received_at: BootTime) -> Option<Refusal> {
        let (by, since) = self.newest.filter(|(_, closed_at)| received_at <= *closed_at)?;
        Some(self.refusal(limb).unwrap_or(Refusal::Closed { resource: limb.resource(), by, since }))
    }

    /// `limb` may be moved.
    pub const fn is_open(&self, limb: Limb) -> bool {
        self.closed[limb as usize].is_none()
    }

    /// Which limbs may be moved.
    pub const fn open_limbs(&self) -> OpenLimbs {
        OpenLimbs { base: self.is_open(Limb::Base), head: self.is_open(Limb::Head) }
    }

    /// At least one limb may be moved.
    pub fn is_any_open(&self) -> bool {
        self.closed.iter().any(Option::is_none)
    }

    /// At least one limb is closed by `by`.
    pub fn is_any_closed_by(&self, by: ClosedBy) -> bool {
        self.closed.iter().flatten().any(|closed| closed.by == by)
    }

    /// Closes both. What stands lower in the contract's table replaces what stands above it; of equal rows the first stays,
    /// since it is the cause and the rest its consequences.
    pub fn close(&mut self, by: ClosedBy, reason: &str, now: BootTime) {
        self.newest = Some((by, now));
        for slot in &mut self.closed {
            if slot.is_none_or(|closed| row(closed.by) < row(by)) {
                let reason = label(if reason.is_empty() { words(by) } else { reason });
                *slot = Some(Closed { by, reason, since: now });
            }
        }
    }

    /// Puts words to what closed them, where it was closed by `by`.
    pub fn explain(&mut self, by: ClosedBy, reason: &str) {
        for closed in self.closed.iter_mut().flatten().filter(|closed| closed.by == by) {
            closed.reason = label(reason);
        }
    }

    /// Opens one limb.
    pub const fn open(&mut self, limb: Limb) {
        self.closed[limb as usize] = None;
    }
}

/// Row of the contract's table, lower on the page = greater.
const fn row(by: ClosedBy) -> u8 {
    match by {
        ClosedBy::Starting => 0,
        ClosedBy::Restart => 1,
        ClosedBy::TickGap | ClosedBy::Hold | ClosedBy::LinkLost | ClosedBy::McuReset | ClosedBy::McuFault => {
            2
        }
        ClosedBy::Stop => 3,
        ClosedBy::EStop => 4,
    }
}

/// What a person reads when nobody gave a reason.
const fn words(by: ClosedBy) -> &'static str {
    match by {
        ClosedBy::Starting => "the microcontroller's state has not been read yet",
        ClosedBy::Restart => "the run before did not end in order, or ended closed",
        ClosedBy::TickGap => "the agent stood still for more than 100 ms",
        ClosedBy::Hold => "the microcontroller stopped: no setpoint for its hold time",
        ClosedBy::LinkLost => "no valid frame from the microcontroller for 100 ms",
        ClosedBy::McuReset => "the microcontroller restarted",
        ClosedBy::McuFault => "the microcontroller reports a fault",
        ClosedBy::Stop => "stop was pressed",
        ClosedBy::EStop => "e-stop was pressed",
    }
}
