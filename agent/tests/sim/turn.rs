//! One turn of the agent's process, in the order of the gate thread: port, bytes, tick, requests, disk, frames.

use agent_core::access::OpenLimbs;
use agent_core::gate::{Gate, Start};
use agent_core::request::{Asked, Request};
use agent_core::time::BootTime;
use firmware_bridge_host::{Session, SessionConfig};
use firmware_bridge_link::frame::FrameBuf;

use agent::drive::pilot::{Advance, Pilot};

use crate::figures::Cause;
use crate::ledger::Check;
use crate::mcu::moves;
use crate::process::{END_MAX_US, PORT_SILENT_US, REQUESTS_MAX};
use crate::world::World;

/// Shortest time until the next turn, us.
const TURN_MIN_US: u64 = 20;
/// An end in order takes at least three ticks, us.
const END_MIN_US: u64 = 60_000;

impl World {
    /// Starts, thaws or turns the process, if that is due.
    pub(crate) fn turn_process(&mut self) -> Check {
        if self.process.next_us().is_none_or(|at_us| at_us > self.now_us) && !self.has_disk_result() {
            return Ok(());
        }
        if let Some((_, open)) = self.process.starts.filter(|_| self.process.pilot.is_none()) {
            return self.start_process(open);
        }
        if self.process.frozen_until_us.is_some_and(|until_us| until_us <= self.now_us) {
            self.trace.note(self.now_us, || "agent   continues".into());
            (self.process.frozen_until_us, self.process.is_edge_frozen) = (None, false);
            self.oracle.excuses_silence(self.now_us);
        }
        let Some(mut pilot) = self.process.pilot.take().filter(|_| self.process.frozen_until_us.is_none())
        else {
            return Ok(());
        };
        let result = self.turn(&mut pilot);
        self.process.pilot = Some(pilot);
        self.end_process_if_done();
        result
    }

    fn has_disk_result(&self) -> bool {
        self.process.runs() && self.disk.has_result()
    }

    fn start_process(&mut self, open: OpenLimbs) -> Check {
        let now = BootTime::from_us(self.now_us);
        let file = self.disk.open();
        let run = self.chance.bits();
        self.trace.note(self.now_us, || format!("agent   starts, {open:?}, {:?}", file.loaded));
        let gate = Gate::new(self.setup.profile, Start { latch: file.loaded, ended_open: open, run }, now);
        let session = Session::new(SessionConfig::new(self.setup.limits, self.setup.profile.baud));
        let pilot = Pilot::new(gate, session, now);
        pilot.show(now, &mut self.process.shown);
        self.process.pilot = Some(pilot);
        (self.process.run, self.process.starts) = (run, None);
        self.process.port_opens_us = Some(self.now_us + self.chance.ms(0, 30));
        self.process.wakes_us = self.now_us;
        self.oracle.run_starts(run, open, &file.loaded)
    }

    fn turn(&mut self, pilot: &mut Pilot) -> Check {
        let now = BootTime::from_us(self.now_us);
        self.keep_port(pilot);
        let bytes = self.process.read();
        let before = pilot.session().last_frame_us();
        pilot.receive(now, &bytes);
        if pilot.session().last_frame_us() != before {
            self.oracle.observe(self.now_us, pilot.session());
        }
        self.collect_answers(pilot)?;
        if pilot.advance(now) != Advance::Nothing {
            self.oracle.observe(self.now_us, pilot.session());
        }
        self.collect_answers(pilot)?;
        self.take_requests(pilot)?;
        while let Some((serial, durable)) = self.disk.result() {
            self.trace.note(self.now_us, || format!("disk    {serial} durable {durable}"));
            pilot.latch_written(now, serial, durable);
            self.collect_answers(pilot)?;
        }
        self.write(pilot)?;
        if let Some(record) = pilot.take_latch_record() {
            self.trace.note(self.now_us, || format!("agent   writes latch {record:?}"));
            self.disk.hand_over(self.now_us, record);
        }
        pilot.show(now, &mut self.process.shown);
        let is_port_free = self.port_free_us <= self.now_us && self.process.ending.is_none();
        self.oracle.shown(self.now_us, &self.process.shown.gate, pilot.session(), is_port_free)?;
        self.process.wakes_us = self.next_turn_us(pilot);
        Ok(())
    }

    fn take_requests(&mut self, pilot: &mut Pilot) -> Check {
        for _ in 0..REQUESTS_MAX {
            let Some(asked) = self.process.next_request() else { return Ok(()) };
            let had_drive = self.oracle.ledger.drive.is_some();
            pilot.ask(BootTime::from_us(self.now_us), &asked);
            self.collect_answers_to(pilot, Some(&asked))?;
            if had_drive && self.oracle.ledger.drive.is_none() {
                self.note_end(&asked);
            }
        }
        Ok(())
    }

    fn note_end(&mut self, asked: &Asked) {
        let cause = match asked.request {
            Request::Release(_) | Request::Take { .. } => Cause::LeaseLost,
            Request::Revoke(_) => Cause::TokenRevoked,
            Request::TeleopClose(_) | Request::TeleopOpen(_) => Cause::SocketClosed,
            _ => return,
        };
        self.oracle.cause(self.now_us, cause);
    }

    fn collect_answers(&mut self, pilot: &mut Pilot) -> Check {
        self.collect_answers_to(pilot, None)
    }

    fn collect_answers_to(&mut self, pilot: &mut Pilot, asked: Option<&Asked>) -> Check {
        let answers: Vec<_> = pilot.answers().drain(..).collect();
        for (ticket, answer) in answers {
            let request = match asked.filter(|asked| asked.ticket == ticket) {
                Some(asked) => Some(*asked),
                None => self.oracle.ledger.asker(ticket),
            };
            let now_us = self.now_us;
            if let Some(asked) = request {
                self.trace
                    .note(now_us, || format!("{:<8}{:?} -> {answer:?}", asked.caller.name, asked.request));
                for driver in &mut self.drivers {
                    if driver.caller.token == asked.caller.token {
                        driver.hears(&asked.request, &answer);
                    }
                }
                self.rescue.hears(now_us, &asked, &answer, &mut self.oracle.figures);
            }
            self.oracle.answered(now_us, ticket, &answer)?;
        }
        Ok(())
    }

    fn write(&mut self, pilot: &mut Pilot) -> Check {
        let mut frame = FrameBuf::new();
        while self.process.is_port_open
            && (pilot.session().stop_waiting() || self.port_free_us <= self.now_us)
            && pilot.session_mut().transmit(self.now_us, &mut frame)
        {
            let setpoint = self.oracle.sent(self.now_us, frame.as_bytes())?;
            if let Some(setpoint) = setpoint.filter(|setpoint| moves(&setpoint.wheels)) {
                self.trace.note(self.now_us, || format!("agent   sends {setpoint:?}"));
            }
            let leaves_us = self.port_free_us.max(self.now_us) + self.setup.wire_us(frame.as_bytes().len());
            self.port_free_us = leaves_us;
            self.to_mcu.send(leaves_us, frame.as_bytes());
        }
        self.oracle.written(self.process.is_port_open)
    }

    fn keep_port(&mut self, pilot: &mut Pilot) {
        if !self.process.is_port_open {
            if self.process.port_opens_us.is_some_and(|at_us| at_us <= self.now_us) {
                self.trace.note(self.now_us, || "agent   opens the port".into());
                self.process.opens_port(self.now_us);
                pilot.connected(BootTime::from_us(self.now_us));
            }
            return;
        }
        let heard_us = pilot.session().last_frame_us().unwrap_or(0).max(self.process.port_since_us);
        if self.now_us.saturating_sub(heard_us) > PORT_SILENT_US {
            self.process.is_port_open = false;
            self.process.port_opens_us = Some(self.now_us + self.chance.ms(1, 30));
            pilot.disconnected();
        }
    }

    fn next_turn_us(&mut self, pilot: &Pilot) -> u64 {
        if self.process.has_work() {
            return self.now_us + TURN_MIN_US;
        }
        let now = BootTime::from_us(self.now_us);
        let step_us = pilot.next_step(now).as_us();
        let frame_us = pilot.next_frame(now).filter(|_| self.process.is_port_open);
        let frame_us = frame_us.map(|at| at.as_us().max(self.port_free_us));
        let opens_us = self.process.port_opens_us;
        let next_us = [Some(step_us), frame_us, opens_us].into_iter().flatten().min().unwrap_or(step_us);
        next_us.max(self.now_us + TURN_MIN_US) + self.chance.between(0, self.setup.late_us)
    }

    fn end_process_if_done(&mut self) {
        let (Some(ending), Some(pilot)) = (self.process.ending, &self.process.pilot) else { return };
        let waited_us = self.now_us - ending.since_us;
        let speeds =
            pilot.session().motion().map_or((0.0, 0.0), |(_, motion)| (motion.left_mps, motion.right_mps));
        let stands = speeds.0.abs() < 0.01 && speeds.1.abs() < 0.01;
        if waited_us > END_MAX_US || (stands && waited_us > END_MIN_US) {
            let open = pilot.ends_open();
            self.trace
                .note(self.now_us, || format!("agent   has ended in order, base was open: {}", open.base));
            self.process.dies();
            self.oracle.run_ends();
            self.disk.finish();
            self.process.starts = Some((self.now_us + ending.restart_us, open));
            self.drivers.iter_mut().for_each(crate::drivers::Driver::is_cut_off);
        }
    }

    /// Ends the process in order, as on SIGTERM.
    pub(crate) fn end_in_order(&mut self, restart_us: u64) {
        let Some(pilot) = &mut self.process.pilot else { return };
        if self.process.ending.is_some() || self.process.frozen_until_us.is_some() {
            return;
        }
        let now = BootTime::from_us(self.now_us);
        pilot.shut_down(now);
        self.process.ending = Some(crate::process::Ending { since_us: self.now_us, restart_us });
        self.process.wakes_us = self.now_us;
        self.oracle.ledger.close();
    }
}
