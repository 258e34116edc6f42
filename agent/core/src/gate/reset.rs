//! Taking back an e-stop: file, then MCU, then gate. It opens nothing; a take does.

use arrayvec::ArrayVec;
use firmware_bridge_link::message::State;

use std::time::Duration;

use super::{DONE, Gate, MCU_ANSWERS_WITHIN, Order, Output};
use crate::caller::{Caller, Class};
use crate::refusal::Refusal;
use crate::request::{Answer, Asked, Ticket};
use crate::time::BootTime;

/// How long the file may take. The latch thread retries for ever, a person does not wait for ever.
const FILE_WITHIN: Duration = Duration::from_secs(1);

/// A reset is answered within this long. The edge must wait at least as long.
pub const RESET_WITHIN: Duration = FILE_WITHIN.saturating_add(MCU_ANSWERS_WITHIN);

/// A reset under way, and everybody who asked for it.
#[derive(Debug)]
pub(super) struct Reset {
    waiters: ArrayVec<(Ticket, Caller), 4>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The file is being written.
    File { serial: u64, deadline: BootTime },
    /// The MCU has to show the e-stop, which may still be on its way, and then to take it back.
    Mcu { deadline: BootTime },
}

impl Stage {
    /// What it means when its time is over.
    const fn overdue(&self) -> Refusal {
        match self {
            Self::File { .. } => Refusal::NotDurable,
            Self::Mcu { .. } => Refusal::LinkDown,
        }
    }

    const fn awaits(&self, written: u64) -> bool {
        matches!(self, Self::File { serial, .. } if *serial == written)
    }
}

impl Reset {
    /// When it has failed.
    pub(super) const fn deadline(&self) -> BootTime {
        match self.stage {
            Stage::File { deadline, .. } | Stage::Mcu { deadline } => deadline,
        }
    }
}

impl Gate {
    /// `POST estop/reset`. `None`: the answer comes once it is complete.
    pub(super) fn begin_reset(
        &mut self,
        epoch: u32,
        asked: &Asked,
        now: BootTime,
        out: &mut Output,
    ) -> Option<Answer> {
        if let Err(refusal) = self.admit_reset(epoch, &asked.caller) {
            return Some(Err(refusal));
        }
        if !self.estop.is_latched() {
            return Some(DONE);
        }
        let waiter = (asked.ticket, asked.caller);
        if let Some(reset) = &mut self.reset {
            // Nobody needs more than a few; the others may ask again.
            return reset.waiters.try_push(waiter).is_err().then_some(Err(Refusal::LinkDown));
        }
        let record = self.estop.draft_clear();
        out.latch = Some(record);
        let stage = Stage::File { serial: record.serial, deadline: now + FILE_WITHIN };
        self.reset = Some(Reset { waiters: ArrayVec::from_iter([waiter]), stage });
        None
    }

    /// Nothing is written before all of this holds.
    fn admit_reset(&self, epoch: u32, caller: &Caller) -> Result<(), Refusal> {
        if caller.class != Class::Local {
            return Err(Refusal::ClassTooLow);
        }
        self.check_mcu()?;
        if epoch != self.estop.epoch() {
            return Err(Refusal::NewerEStop { epoch: self.estop.epoch() });
        }
        Ok(())
    }

    /// The latch thread finished a write.
    pub(super) fn latch_written(&mut self, serial: u64, durable: bool, now: BootTime, out: &mut Output) {
        match self.reset.as_mut().map(|reset| &mut reset.stage) {
            Some(stage) if stage.awaits(serial) && !durable => {
                self.fail_reset(Refusal::NotDurable, now, out);
            }
            Some(stage) if stage.awaits(serial) => {
                *stage = Stage::Mcu { deadline: now + MCU_ANSWERS_WITHIN };
                if self.is_clearing_mcu() {
                    out.orders.push(Order::ClearEStop);
                }
            }
            _ => self.estop.written(serial, durable),
        }
    }

    /// Looks for the cleared latch in the MCU's state, once a tick.
    pub(super) fn advance_reset(&mut self, now: BootTime, out: &mut Output) {
        if !self.is_clearing_mcu() {
            return;
        }
        // It has shown the e-stop, so whatever else it shows now came later.
        if self.is_link_up() && self.body.state.is_some_and(|(state, _)| state != State::EStop) {
            self.estop.cleared();
            self.end_reset(DONE, now, out);
        } else {
            out.orders.push(Order::ClearEStop);
        }
    }

    /// The MCU is being cleared: it must not get the e-stop meanwhile.
    pub(super) fn is_clearing_mcu(&self) -> bool {
        self.estop.is_shown()
            && self.reset.as_ref().is_some_and(|reset| matches!(reset.stage, Stage::Mcu { .. }))
    }

    /// Its time is over.
    pub(super) fn end_overdue_reset(&mut self, now: BootTime, out: &mut Output) {
        let overdue = self.reset.as_ref().filter(|reset| reset.deadline() <= now);
        if let Some(refusal) = overdue.map(|reset| reset.stage.overdue()) {
            self.fail_reset(refusal, now, out);
        }
    }

    /// It did not work: the file is latched again, and the MCU with the next tick.
    pub(super) fn fail_reset(&mut self, refusal: Refusal, now: BootTime, out: &mut Output) {
        out.latch = Some(self.estop.relatch());
        self.end_reset(Err(refusal), now, out);
    }

    /// Answers everybody who waits for it.
    pub(super) fn end_reset(&mut self, answer: Answer, now: BootTime, out: &mut Output) {
        let Some(reset) = self.reset.take() else {
            return;
        };
        for (ticket, caller) in reset.waiters {
            self.answer(ticket, &caller, answer, now, out);
        }
    }
}
