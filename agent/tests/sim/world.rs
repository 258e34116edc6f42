//! One seed: robot, line, process, disk and people, moved from event to event in virtual time.

use std::collections::VecDeque;

use agent_core::request::{Asked, Request, Ticket};
use firmware_bridge_link::ToHost;
use firmware_bridge_link::frame::Decoder;
use firmware_bridge_link::message::{Reason, State};
use firmware_bridge_sim::Body;

use crate::chance::Chance;
use crate::disk::Disk;
use crate::drivers::Driver;
use crate::figures::Figures;
use crate::ledger::Check;
use crate::line::Line;
use crate::mcu::Heard;
use crate::oracle::{Oracle, Surroundings};
use crate::plan::{self, CLIENTS, Event};
use crate::process::Process;
use crate::rescue::Rescue;
use crate::setup::{RESCUE_US, START_US, Setup};
use crate::trace::Trace;

/// Largest frame that is timed for a clean line, bytes.
const FRAME_BYTES: usize = 64;

/// A request on its way to the agent.
pub(crate) struct Sent {
    pub(crate) arrives_us: u64,
    pub(crate) asked: Asked,
}

/// Everything of one seed.
pub(crate) struct World {
    pub(crate) now_us: u64,
    pub(crate) chance: Chance,
    pub(crate) setup: Setup,
    pub(crate) body: Body,
    from_body: Decoder,
    pub(crate) to_mcu: Line,
    pub(crate) to_host: Line,
    /// When the host's kernel has handed its frame to the wire.
    pub(crate) port_free_us: u64,
    mcu_free_us: u64,
    pub(crate) process: Process,
    pub(crate) disk: Disk,
    pub(crate) drivers: Vec<Driver>,
    pub(crate) network: VecDeque<Sent>,
    pub(crate) next_ticket: Ticket,
    plan: VecDeque<(u64, Event)>,
    pub(crate) oracle: Oracle,
    pub(crate) trace: Trace,
    /// Something is wrong with line, MCU or process until then.
    pub(crate) dirty_until_us: u64,
    pub(crate) is_spoiled: bool,
    pub(crate) rescue: Rescue,
    traced: (State, Reason, bool),
}

/// A broken promise.
pub(crate) struct Violation {
    pub(crate) at_us: u64,
    pub(crate) text: String,
    pub(crate) trace: Vec<String>,
}

impl World {
    pub(crate) fn new(seed: u64, trace: Trace) -> Self {
        let mut chance = Chance::seeded(seed);
        let setup = Setup::draw(&mut chance);
        let plan = plan::draw(&setup, &mut chance);
        let (latency_us, jitter_us) = (setup.latency_us, setup.jitter_us);
        let mut line = || Line::new(chance.fork(), latency_us, jitter_us);
        let (to_mcu, to_host) = (line(), line());
        let oracle = Oracle::new(&setup.budget, setup.limits.wheel_mps_max, setup.body.mcu.clock_ppm);
        Self {
            now_us: START_US,
            body: Body::new(&setup.body, seed, START_US),
            from_body: Decoder::new(),
            to_mcu,
            to_host,
            port_free_us: 0,
            mcu_free_us: 0,
            process: Process::new(START_US + chance.ms(1, 100)),
            disk: Disk::new(chance.fork()),
            drivers: drivers(&mut chance),
            network: VecDeque::new(),
            next_ticket: 1,
            plan: plan.into(),
            oracle,
            trace,
            dirty_until_us: 0,
            is_spoiled: false,
            rescue: Rescue::new(setup.heals_us),
            traced: (State::Boot, Reason::Started, false),
            setup,
            chance,
        }
    }

    /// Runs the seed to its end, or to the first broken promise.
    pub(crate) fn run(mut self) -> Result<Figures, Violation> {
        let end_us = self.setup.heals_us + RESCUE_US;
        while self.now_us < end_us {
            self.now_us = self.next_us().clamp(self.now_us, end_us);
            if let Err(text) = self.step() {
                let trace = self.trace.lines().cloned().collect();
                return Err(Violation { at_us: self.now_us, text, trace });
            }
        }
        let mut figures = self.oracle.into_figures();
        figures.virtual_us += end_us - START_US;
        Ok(figures)
    }

    fn next_us(&self) -> u64 {
        let others = [
            self.to_mcu.next_us(),
            self.to_host.next_us(),
            self.process.next_us(),
            self.disk.next_us(),
            self.network.front().map(|sent| sent.arrives_us),
            self.plan.front().map(|(at_us, _)| *at_us),
            self.rescue.next_us(),
            (self.mcu_free_us > self.now_us).then_some(self.mcu_free_us),
        ];
        let drivers = self.drivers.iter().map(|driver| driver.next_us);
        others
            .into_iter()
            .flatten()
            .chain(drivers)
            .min()
            .map_or(self.body.next_wake_us(), |us| us.min(self.body.next_wake_us()))
    }

    fn step(&mut self) -> Check {
        while let Some((_, event)) = self.plan.pop_front_if(|(at_us, _)| *at_us <= self.now_us) {
            self.happens(event);
        }
        self.move_body();
        while let Some(bytes) = self.to_host.arrived(self.now_us) {
            self.process.gets(self.now_us, &bytes);
        }
        self.disk.advance(self.now_us);
        self.let_people_ask();
        self.rescue()?;
        self.hand_requests_over();
        self.turn_process()?;
        let (around, view) = (self.surroundings(), self.body.view());
        let state = (view.state, view.reason, view.left_target_mps != 0.0 || view.right_target_mps != 0.0);
        if state != self.traced {
            self.traced = state;
            self.trace.note(self.now_us, || {
                format!("mcu     {:?}, {:?}, has a target: {}", state.0, state.1, state.2)
            });
        }
        self.oracle.check(self.now_us, &view, around)
    }

    fn surroundings(&self) -> Surroundings {
        let transit_us = self.setup.wire_us(2 * FRAME_BYTES) + self.to_mcu.longest_us() + self.setup.late_us;
        let is_clean = self.now_us > self.dirty_until_us && !self.is_spoiled;
        Surroundings {
            runs: self.process.runs(),
            clean_transit_us: is_clean.then_some(transit_us),
            stands: self.body.is_standing(),
        }
    }

    /// Bytes reach the MCU, the body does what is due, and its bytes go on their way.
    pub(crate) fn move_body(&mut self) {
        let now_us = self.now_us;
        while let Some(bytes) = self.to_mcu.arrived(now_us) {
            let trace = &mut self.trace;
            self.oracle.mcu.hears(now_us, &bytes, |heard| {
                if heard == Heard::Stops {
                    trace.note(now_us, || "mcu     hears a stop".into());
                }
            });
            self.body.receive(now_us, &bytes);
            self.drain_body();
        }
        self.body.step(now_us);
        self.drain_body();
    }

    fn drain_body(&mut self) {
        // A microcontroller makes its next frame when the wire is free for it.
        let mut frame = Vec::new();
        while self.mcu_free_us <= self.now_us && self.body.transmit(self.now_us, &mut frame) {
            for &byte in &frame {
                let Some(Ok(found)) = self.from_body.push(byte) else { continue };
                if let Ok(ToHost::Time(reply)) = ToHost::parse(&found) {
                    self.oracle.mcu.tells_time(&reply);
                }
            }
            self.mcu_free_us = self.now_us + self.setup.wire_us(frame.len());
            self.to_host.send(self.mcu_free_us, &frame);
            frame.clear();
        }
    }

    fn let_people_ask(&mut self) {
        if self.now_us >= self.setup.heals_us {
            for driver in &mut self.drivers {
                driver.next_us = u64::MAX;
            }
            return;
        }
        let newest = self.newest_seen();
        for index in 0..self.drivers.len() {
            if self.drivers[index].next_us > self.now_us {
                continue;
            }
            let requests = self.drivers[index].turn(self.now_us, newest);
            for request in requests {
                self.send_from_driver(index, request);
            }
        }
    }

    fn send_from_driver(&mut self, index: usize, request: Request) {
        let delay_us =
            if self.chance.percent(4) { self.chance.ms(5, 100) } else { self.chance.between(100, 3_000) };
        let driver = &mut self.drivers[index];
        let arrives_us = (self.now_us + delay_us).max(driver.arrives_us).max(driver.held_back_until_us);
        driver.arrives_us = arrives_us;
        let caller = driver.caller;
        self.send(arrives_us, caller, request);
    }
}

/// Mostly one or two of them drive, sometimes all.
fn drivers(chance: &mut Chance) -> Vec<Driver> {
    let awake_percent = chance.pick(&[20, 35, 35, 60, 100]);
    let mut drivers: Vec<_> = (0..CLIENTS).map(|index| Driver::new(index, START_US, chance)).collect();
    // A person is always there.
    for driver in drivers.iter_mut().skip(1) {
        if !chance.percent(awake_percent) {
            driver.next_us = u64::MAX;
        }
    }
    drivers
}
