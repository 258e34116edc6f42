//! The gate's own thread: one loop around one poll of one eventfd. It owns every decision and the writing half of the port,
//! waits for nobody, and allocates nothing once it runs. A panic in it aborts the process; the MCU's hold stops the body.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use agent_core::access::OpenLimbs;
use agent_core::latch::LatchRecord;
use agent_core::time::BootTime;
use firmware_bridge_host::Port;
use rustix::event::{PollFd, PollFlags, poll};

use super::handle::Door;
use super::latch_file::LatchWriter;
use super::pilot::{Advance, Pilot};
use super::port_keeper::PortKeeper;
use super::shown::Shown;
use crate::os::{self, FifoPriority, Realtime};
use crate::supervise::AbortOnPanic;

/// Reads taken in one turn: a babbling port cannot keep the gate from ticking.
const CHUNKS_MAX: usize = 8;

/// Between two looks whether the wire takes the rest of a frame.
const WIRE_RETRY: Duration = Duration::from_millis(1);

/// Requests taken in one turn.
const REQUESTS_MAX: usize = 64;

/// A port without a valid frame for so long is opened anew: the device behind the name may have changed.
const PORT_SILENT: Duration = Duration::from_secs(2);

/// Between two tries to hand something over to a thread that was just at its mailbox.
const HAND_OVER_RETRY: Duration = Duration::from_micros(200);

/// How long the body may take to stand when the program ends.
const SHUTDOWN_MAX: Duration = Duration::from_secs(1);

/// What the gate thread shows the rest of the program, besides the snapshot.
#[derive(Debug, Default)]
pub struct Pulse {
    ticks: AtomicU64,
    fifo: AtomicBool,
    memory_locked: AtomicBool,
    longest_gap_us: AtomicU64,
    frames_written: AtomicU64,
    ending: AtomicBool,
    base_ended_open: AtomicBool,
    head_ended_open: AtomicBool,
}

impl Pulse {
    /// Ticks so far; the watchdog is fed only while this rises.
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// What the operating system granted.
    pub fn realtime(&self) -> Realtime {
        Realtime {
            fifo: self.fifo.load(Ordering::Relaxed),
            memory_locked: self.memory_locked.load(Ordering::Relaxed),
        }
    }

    /// The longest time between two ticks so far.
    pub fn longest_gap(&self) -> Duration {
        Duration::from_micros(self.longest_gap_us.load(Ordering::Relaxed))
    }

    /// Frames written to the MCU so far.
    pub fn frames_written(&self) -> u64 {
        self.frames_written.load(Ordering::Relaxed)
    }

    /// Asks the thread to halt the body and end.
    pub fn end(&self, door: &Door) {
        self.ending.store(true, Ordering::Release);
        os::wake(&door.gate_wake);
    }

    fn leave(&self, open: OpenLimbs) {
        self.base_ended_open.store(open.base, Ordering::Release);
        self.head_ended_open.store(open.head, Ordering::Release);
    }

    /// After the thread ended: what was open until then.
    pub fn ended_open(&self) -> OpenLimbs {
        OpenLimbs {
            base: self.base_ended_open.load(Ordering::Acquire),
            head: self.head_ended_open.load(Ordering::Acquire),
        }
    }
}

/// Everything the thread owns.
#[derive(Debug)]
pub struct GateThread {
    /// Gate and session.
    pub pilot: Pilot,
    /// The door to the rest of the program.
    pub door: Arc<Door>,
    /// Opens and closes ports, which may block.
    pub ports: PortKeeper,
    /// Makes the latch durable.
    pub latch: LatchWriter,
    /// What others see of the thread.
    pub pulse: Arc<Pulse>,
}

/// Starts the thread.
///
/// # Errors
/// No thread can be started.
pub fn start(gate: GateThread) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("gate".into()).spawn(move || {
        let _abort = AbortOnPanic;
        gate.pulse.fifo.store(os::ask_for_fifo(FifoPriority::Gate), Ordering::Relaxed);
        gate.pulse.memory_locked.store(os::ask_for_locked_memory(), Ordering::Relaxed);
        Loop::new(gate).run();
    })
}

struct Loop {
    gate: GateThread,
    port: Option<Port>,
    port_since: BootTime,
    /// What is to be handed over as soon as the other side is not just at its mailbox.
    closing: Option<Port>,
    record: Option<LatchRecord>,
    shown: Shown,
    is_show_due: bool,
    last_tick: Option<BootTime>,
    ending_since: Option<BootTime>,
}

impl Loop {
    fn new(gate: GateThread) -> Self {
        let shown = gate.pilot.first_shown(os::boot_time());
        Self {
            gate,
            shown,
            port: None,
            port_since: BootTime::default(),
            closing: None,
            record: None,
            is_show_due: false,
            last_tick: None,
            ending_since: None,
        }
    }

    fn run(mut self) {
        self.gate.ports.want();
        loop {
            self.wait();
            os::drain(&self.gate.door.gate_wake);
            let mut changed = self.take_port();
            changed |= self.read();
            // Before any request: whoever asks after a gap between ticks is judged by a gate that has seen it.
            changed |= self.advance();
            changed |= self.take_requests();
            changed |= self.take_latch_results();
            self.write();
            self.hand_latch_over();
            self.show(changed);
            if self.has_ended() {
                self.gate.pulse.leave(self.gate.pilot.ends_open());
                return;
            }
        }
    }

    fn wait(&self) {
        let now = os::boot_time();
        let timeout = os::timespec(self.next_turn(now).since(now));
        let door = PollFd::from_borrowed_fd(self.gate.door.gate_wake.as_fd(), PollFlags::IN);
        // An interrupted or failed poll only means that this turn comes early. Never a tty here: see `PortReader`.
        poll(&mut [door], Some(&timeout)).ok();
    }

    /// A frame that the wire cannot take yet is no reason to turn before it can.
    fn next_turn(&self, now: BootTime) -> BootTime {
        let mut step = self.gate.pilot.next_step(now);
        if self.is_show_due || self.record.is_some() || self.closing.is_some() {
            step = step.min(now + HAND_OVER_RETRY);
        }
        let Some(port) = &self.port else { return step };
        if port.is_unfinished() {
            return step.min(now + WIRE_RETRY);
        }
        let Some(frame) = self.gate.pilot.next_frame(now) else { return step };
        let wire_free = now + Duration::from_micros(port.drained_in_us().unwrap_or(0));
        step.min(frame.max(wire_free))
    }

    fn take_port(&mut self) -> bool {
        let now = os::boot_time();
        self.gate.ports.close(&mut self.closing);
        if self.port.is_some() {
            let last_frame = self.gate.pilot.session().last_frame_us().map(BootTime::from_us);
            let heard = last_frame.unwrap_or_default().max(self.port_since);
            if now.since(heard) > PORT_SILENT {
                self.drop_port();
                return true;
            }
            return false;
        }
        let Some(port) = self.gate.ports.opened() else { return false };
        self.port = Some(port);
        self.port_since = now;
        self.gate.pilot.connected(now);
        true
    }

    fn drop_port(&mut self) {
        self.closing = self.port.take();
        self.gate.ports.close(&mut self.closing);
        self.gate.pilot.disconnected();
        self.gate.ports.want();
    }

    fn read(&mut self) -> bool {
        if self.port.is_none() {
            return false;
        }
        if self.gate.ports.is_gone() {
            self.drop_port();
            return true;
        }
        let mut any = false;
        for _ in 0..CHUNKS_MAX {
            let Some(bytes) = self.gate.ports.read() else { return any };
            self.gate.pilot.receive(os::boot_time(), &bytes);
            any = true;
        }
        // More is waiting: come back at once, after the tick.
        os::wake(&self.gate.door.gate_wake);
        any
    }

    fn take_requests(&mut self) -> bool {
        let mut taken = false;
        for _ in 0..REQUESTS_MAX {
            // Stops are looked for again before every request: none waits behind commands.
            let door = &self.gate.door;
            let asked =
                door.estops.take_now().or_else(|| door.urgent.take_now()).or_else(|| door.asked.take_now());
            let Some(asked) = asked else { return taken };
            taken = true;
            self.gate.pilot.ask(os::boot_time(), &asked);
        }
        // More is waiting: come back at once, after the tick.
        os::wake(&self.gate.door.gate_wake);
        taken
    }

    fn take_latch_results(&mut self) -> bool {
        let mut taken = false;
        while let Some(written) = self.gate.latch.result() {
            self.gate.pilot.latch_written(os::boot_time(), written.serial, written.durable);
            taken = true;
        }
        taken
    }

    fn advance(&mut self) -> bool {
        let now = os::boot_time();
        if self.gate.pulse.ending.load(Ordering::Acquire) && self.ending_since.is_none() {
            self.ending_since = Some(now);
            self.gate.pilot.shut_down(now);
        }
        let advance = self.gate.pilot.advance(now);
        if advance == Advance::Ticked {
            if let Some(last) = self.last_tick.replace(now) {
                let gap_us = u64::try_from(now.since(last).as_micros()).unwrap_or(u64::MAX);
                self.gate.pulse.longest_gap_us.fetch_max(gap_us, Ordering::Relaxed);
            }
            self.gate.pulse.ticks.fetch_add(1, Ordering::Relaxed);
        }
        advance != Advance::Nothing
    }

    fn write(&mut self) {
        let Some(port) = &mut self.port else { return };
        match port.send_from(os::boot_time().as_us(), self.gate.pilot.session_mut()) {
            Ok(frames) => {
                self.gate.pulse.frames_written.fetch_add(frames as u64, Ordering::Relaxed);
            }
            Err(_gone) => self.drop_port(),
        }
    }

    fn hand_latch_over(&mut self) {
        if let Some(newest) = self.gate.pilot.take_latch_record() {
            self.record = Some(newest);
        }
        self.gate.latch.write(&mut self.record);
    }

    /// Shows first and answers then, so that whoever gets an answer finds a state at least as new.
    fn show(&mut self, changed: bool) {
        let door = &self.gate.door;
        if let Some(line) = self.gate.pilot.session_mut().take_log() {
            // A line that comes while somebody reads the one before is lost; the firmware counts such losses, too.
            door.log.put_now(line).ok();
        }
        if !changed && !self.is_show_due {
            return;
        }
        self.gate.pilot.show(os::boot_time(), &mut self.shown);
        let is_shown = door.shown.put_now(self.shown.clone()).is_ok();
        self.is_show_due = !(is_shown && door.answers.put_all_now(self.gate.pilot.answers()));
        os::wake_reader(&door.task_wake);
    }

    /// The end has come when the body stands and everything is written, or took too long.
    fn has_ended(&self) -> bool {
        let Some(since) = self.ending_since else { return false };
        let waited = os::boot_time().since(since);
        let (left, right) = self
            .gate
            .pilot
            .session()
            .motion()
            .map_or((0.0, 0.0), |(_, motion)| (motion.left_mps, motion.right_mps));
        let stands = left.abs() < 0.01 && right.abs() < 0.01;
        // Three ticks, so that the order to stop has left in any case.
        waited > SHUTDOWN_MAX || (stands && waited > Duration::from_millis(60))
    }
}
