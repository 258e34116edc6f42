//! What each planned event does to the world.

use agent_core::caller::{Class, label};
use agent_core::request::Request;
use firmware_bridge_link::message::ResetReason;
use firmware_bridge_sim::{Button, Fault};

use agent_core::access::OpenLimbs;

use crate::disk::WRITE_US;
use crate::figures::Cause;
use crate::people::bystander;
use crate::plan::{Event, Way};
use crate::world::World;

/// How long something that went wrong is felt: hold, retransmissions, a new handshake, us.
const AFTERMATH_US: u64 = 700_000;
/// A line that stalls for longer than any hold ends the motion, us.
const STALL_ENDS_US: u64 = 250_000;

impl World {
    /// Lets an event happen.
    pub(crate) fn happens(&mut self, event: Event) {
        self.trace.note(self.now_us, || format!("-----   {event:?}"));
        if !matches!(event, Event::Stop | Event::EStop | Event::Reset { .. } | Event::Heal) {
            self.oracle.figures.faults += 1;
        }
        match event {
            Event::Spoil(way, spoil) => {
                self.line(way).spoil = spoil;
                self.is_spoiled = true;
            }
            Event::Stall { way, for_us, blocks } => self.stall(way, for_us, blocks),
            Event::Cut { for_us } => self.cut(for_us),
            Event::Body(fault) => self.hurt_body(fault),
            Event::Kill { restart_us } => self.kill(restart_us),
            Event::EndInOrder { restart_us } => {
                self.oracle.cause(self.now_us, Cause::AgentEnds);
                self.is_dirty_for(2_000_000);
                self.end_in_order(restart_us);
            }
            Event::Freeze { for_us, whole } => self.freeze(for_us, whole),
            Event::Disk { fail_percent, slow_us } => {
                (self.disk.fail_percent, self.disk.slow_us) = (fail_percent, slow_us);
            }
            Event::Stop => self.press(Class::Remote, Request::Stop),
            Event::EStop => self.press(Class::Remote, Request::EStop { reason: label("a bystander") }),
            Event::Reset { class, behind } => {
                let epoch = self.process.shown.gate.estop.epoch.saturating_sub(behind);
                self.press(class, Request::Reset { epoch });
            }
            Event::Revoke { client } => {
                let dead = self.drivers[client].caller.token;
                self.drivers[client].gets_new_token();
                self.press(Class::Local, Request::Revoke(dead));
            }
            Event::HoldBack { client, for_us } => {
                self.drivers[client].held_back_until_us = self.now_us + for_us
            }
            Event::Heal => self.heal(),
        }
    }

    fn line(&mut self, way: Way) -> &mut crate::line::Line {
        match way {
            Way::ToMcu => &mut self.to_mcu,
            Way::ToHost => &mut self.to_host,
        }
    }

    fn is_dirty_for(&mut self, for_us: u64) {
        self.dirty_until_us = self.dirty_until_us.max(self.now_us + for_us + AFTERMATH_US);
    }

    fn press(&mut self, class: Class, request: Request) {
        self.send(self.now_us + 200, bystander(class), request);
    }

    fn stall(&mut self, way: Way, for_us: u64, blocks: bool) {
        let until_us = self.now_us + for_us;
        self.is_dirty_for(for_us);
        self.line(way).stall(until_us);
        if way == Way::ToMcu {
            if for_us > STALL_ENDS_US {
                self.oracle.cause(self.now_us, Cause::LineStalled);
            }
            if blocks {
                self.port_free_us = self.port_free_us.max(until_us);
            }
        }
    }

    fn cut(&mut self, for_us: u64) {
        self.is_dirty_for(for_us);
        // After a shorter one the line may be back before anybody misses it.
        if for_us > STALL_ENDS_US {
            self.oracle.cause(self.now_us, Cause::LineCut);
        }
        self.to_mcu.cut();
        self.to_host.cut();
        self.port_free_us = self.now_us;
        let Some(pilot) = &mut self.process.pilot else { return };
        // A frozen agent finds out later; for the line that is the same.
        pilot.disconnected();
        self.process.is_port_open = false;
        self.process.port_opens_us = Some(self.now_us + for_us);
    }

    fn hurt_body(&mut self, fault: Fault) {
        let now_us = self.now_us;
        let (hang_us, boot_us) = (
            u64::from(self.setup.body.mcu.watchdog_ms) * 1000,
            u64::from(self.setup.body.mcu.boot_ms) * 1000,
        );
        let rolls_us = (self.setup.body.wheels.coast_ms as u64 + 60) * 1000;
        match fault {
            Fault::Reset(ResetReason::Watchdog) => {
                self.oracle.cause(now_us, Cause::McuHung);
                self.oracle.mcu_restarts(now_us + hang_us + boot_us, now_us + hang_us + rolls_us);
                self.is_dirty_for(hang_us);
            }
            Fault::Reset(_) => {
                self.oracle.cause(now_us, Cause::McuReset);
                self.oracle.mcu_restarts(now_us + boot_us, now_us + rolls_us);
                self.is_dirty_for(boot_us);
            }
            Fault::EStop(Button::Pressed) => self.oracle.cause(now_us, Cause::Button),
            Fault::Silence { for_ms } => self.is_dirty_for(u64::from(for_ms) * 1000),
            _ => self.is_dirty_for(0),
        }
        self.body.inject(now_us, fault);
    }

    fn kill(&mut self, restart_us: Option<u64>) {
        self.is_dirty_for(restart_us.unwrap_or(60_000_000));
        if self.process.pilot.is_none() {
            return;
        }
        self.oracle.cause(self.now_us, Cause::AgentKilled);
        self.process.dies();
        self.oracle.run_ends();
        self.disk.crash();
        self.process.starts = restart_us.map(|after_us| (self.now_us + after_us, OpenLimbs::NONE));
        self.drivers.iter_mut().for_each(crate::drivers::Driver::is_cut_off);
    }

    fn freeze(&mut self, for_us: u64, whole: bool) {
        self.is_dirty_for(for_us);
        if self.process.pilot.is_none() || self.process.ending.is_some() {
            return;
        }
        if for_us > STALL_ENDS_US {
            self.oracle.cause(self.now_us, Cause::AgentFrozen);
        }
        let until_us = self.process.frozen_until_us.map_or(0, |until_us| until_us).max(self.now_us + for_us);
        (self.process.frozen_until_us, self.process.is_edge_frozen) = (Some(until_us), whole);
    }

    fn heal(&mut self) {
        let now_us = self.now_us;
        self.dirty_until_us = now_us + AFTERMATH_US;
        for way in [Way::ToMcu, Way::ToHost] {
            self.line(way).spoil = Default::default();
            self.line(way).stall(now_us);
        }
        self.port_free_us = self.port_free_us.min(now_us);
        (self.disk.fail_percent, self.disk.slow_us) = (0, WRITE_US);
        self.body.inject(now_us, Fault::Clear);
        self.network.clear();
        self.process.frozen_until_us = self.process.frozen_until_us.map(|_| now_us);
        if !self.process.is_port_open && self.process.pilot.is_some() {
            self.process.port_opens_us = Some(now_us);
            self.process.wakes_us = now_us;
        }
        if self.process.pilot.is_none() {
            let open = self.process.starts.map_or(OpenLimbs::NONE, |(_, open)| open);
            self.process.starts = Some((now_us + 20_000, open));
        }
    }
}
