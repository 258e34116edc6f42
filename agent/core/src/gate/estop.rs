//! The e-stop latch of a run: how it came, how far it has come, and what the file shall say.

use firmware_bridge_link::message::State;

use super::{Gate, Order, Output, REPEAT_AFTER};
use crate::caller::{Label, label};
use crate::latch::{LatchRecord, Loaded};
use crate::refusal::{ClosedBy, Refusal};
use crate::request::{Accepted, Answer};
use crate::snapshot::{EStopStage, EStopView};
use crate::time::BootTime;

/// The latch.
#[derive(Debug)]
pub(super) struct EStop {
    record: LatchRecord,
    /// The file says latched or clear as `record` does. A reason that came late may still be missing in it.
    durable: bool,
    /// The file was damaged and has to be written anew.
    is_write_due: bool,
    requested_at: Option<BootTime>,
    sent_at: Option<BootTime>,
    /// When the newest frame went out, for the repeats.
    repeated_at: Option<BootTime>,
    confirmed_at: Option<BootTime>,
}

impl EStop {
    /// As the file says.
    pub(super) fn found(loaded: &Loaded) -> Self {
        let clear = |serial, epoch| LatchRecord {
            serial,
            latched: false,
            epoch,
            reason: Label::new(),
            source: Label::new(),
        };
        let (record, durable) = match *loaded {
            Loaded::Clear { serial, epoch } => (clear(serial, epoch), true),
            Loaded::Latched(record) => (record, true),
            Loaded::Unreadable { serial, epoch } => {
                let reason = label("the latch file could not be read, which counts as latched");
                (LatchRecord { latched: true, reason, source: label("file"), ..clear(serial, epoch) }, false)
            }
        };
        Self {
            record,
            durable,
            is_write_due: !durable,
            requested_at: None,
            sent_at: None,
            repeated_at: None,
            confirmed_at: None,
        }
    }

    pub(super) const fn is_latched(&self) -> bool {
        self.record.latched
    }

    pub(super) const fn epoch(&self) -> u32 {
        self.record.epoch
    }

    /// The latch thread finished a record.
    pub(super) const fn written(&mut self, serial: u64, durable: bool) {
        if serial == self.record.serial {
            self.durable |= durable;
        }
    }

    /// The MCU shows what was latched; also when nothing is.
    pub(super) const fn is_shown(&self) -> bool {
        !self.record.latched || self.confirmed_at.is_some()
    }

    /// Whoever pressed it gave no reason with it.
    fn lacks_reason(&self) -> bool {
        self.record.latched && self.record.reason.is_empty()
    }

    /// The record with a reason that came late. The file says latched already, or is about to.
    fn explain(&mut self, reason: Label) -> LatchRecord {
        self.record.serial += 1;
        self.record.reason = reason;
        self.record
    }

    /// A record that says clear. The latch itself holds until [`cleared`](Self::cleared).
    pub(super) fn draft_clear(&mut self) -> LatchRecord {
        self.record.serial += 1;
        self.durable = false;
        LatchRecord { latched: false, ..self.record }
    }

    /// The reset is complete: file and MCU are clear.
    pub(super) fn cleared(&mut self) {
        self.record =
            LatchRecord { latched: false, reason: Label::new(), source: Label::new(), ..self.record };
        self.durable = true;
        (self.requested_at, self.sent_at, self.repeated_at, self.confirmed_at) = (None, None, None, None);
    }

    /// The reset failed: the file must say latched again, and the MCU show it again.
    pub(super) fn relatch(&mut self) -> LatchRecord {
        self.record.serial += 1;
        (self.durable, self.repeated_at, self.confirmed_at) = (false, None, None);
        self.record
    }

    /// As `GET estop` shows it.
    pub(super) const fn view(&self) -> EStopView {
        let stage = match (self.record.latched, self.confirmed_at, self.sent_at) {
            (false, _, _) => EStopStage::Clear,
            (true, Some(_), _) => EStopStage::Confirmed,
            (true, None, Some(_)) => EStopStage::Sent,
            (true, None, None) => EStopStage::Requested,
        };
        EStopView {
            latched: self.record.latched,
            epoch: self.record.epoch,
            stage,
            durable: self.durable,
            reason: self.record.reason,
            source: self.record.source,
            requested_at: self.requested_at,
            sent_at: self.sent_at,
            confirmed_at: self.confirmed_at,
        }
    }
}

impl Gate {
    /// `POST estop`: never refused. Repeating one keeps its epoch and may bring its reason; one that meets a reset is a new
    /// one.
    pub(super) fn press_estop(
        &mut self,
        reason: Label,
        source: Label,
        now: BootTime,
        out: &mut Output,
    ) -> Answer {
        if !self.estop.is_latched() || self.reset.is_some() {
            self.latch(reason, source, now, out);
        } else {
            // Takes that were sent before this repetition open nothing either.
            self.access.close(ClosedBy::EStop, &reason, now);
            if self.estop.lacks_reason() && !reason.is_empty() {
                out.latch = Some(self.estop.explain(reason));
                self.access.explain(ClosedBy::EStop, &reason);
            }
        }
        if self.estop.confirmed_at.is_none() {
            self.order_estop(now, out);
        }
        Ok(Accepted::Latched { epoch: self.estop.epoch() })
    }

    /// Latches: everything ends and closes, the epoch rises, the file is written.
    pub(super) fn latch(&mut self, reason: Label, source: Label, now: BootTime, out: &mut Output) {
        let LatchRecord { serial, epoch, .. } = self.estop.record;
        let record =
            LatchRecord { serial: serial + 1, latched: true, epoch: epoch.saturating_add(1), reason, source };
        self.estop = EStop {
            record,
            durable: false,
            is_write_due: false,
            requested_at: Some(now),
            sent_at: None,
            repeated_at: None,
            confirmed_at: None,
        };
        out.latch = Some(record);
        self.close(ClosedBy::EStop, reason.as_str(), now, out);
        self.end_reset(Err(Refusal::NewerEStop { epoch: record.epoch }), now, out);
    }

    /// Looks for the e-stop in the MCU's state, once a tick, and repeats it until it is there. So an MCU that connects later,
    /// or restarts, gets it as well.
    pub(super) fn advance_estop(&mut self, now: BootTime, out: &mut Output) {
        if std::mem::take(&mut self.estop.is_write_due) {
            out.latch = Some(self.estop.relatch());
        }
        if !self.estop.is_latched() || self.is_clearing_mcu() {
            return;
        }
        let is_shown = self.is_link_up() && self.body.state.is_some_and(|(state, _)| state == State::EStop);
        let asked_at = self.estop.sent_at.or(self.estop.requested_at);
        let is_answer = self.estop.confirmed_at.is_some()
            || asked_at.is_none_or(|asked| self.body.reflects_stop_of(asked));
        if is_shown && is_answer {
            self.estop.confirmed_at.get_or_insert(now);
            return;
        }
        self.estop.confirmed_at = None;
        if self.estop.repeated_at.is_none_or(|at| now.since(at) >= REPEAT_AFTER) {
            self.order_estop(now, out);
        }
    }

    fn order_estop(&mut self, now: BootTime, out: &mut Output) {
        if self.is_link_up() {
            self.estop.sent_at.get_or_insert(now);
        }
        self.estop.repeated_at = Some(now);
        if !out.orders.contains(&Order::EStop) {
            out.orders.push(Order::EStop);
        }
    }
}
