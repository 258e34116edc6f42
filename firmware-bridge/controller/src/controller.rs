//! The state machine of one life of the MCU: bytes and measurements in, bytes and outputs out.

use firmware_bridge_link::ToMcu;
use firmware_bridge_link::frame::{Class, Decoder, FrameBuf, encode};
use firmware_bridge_link::limits::SYNC_FRESH_MS;
use firmware_bridge_link::message::{
    Capabilities, Hello, Limits, LogEvent, LogLevel, Motion, Outcome, PROTOCOL, RANGES_MAX, Reason, Reply,
    ResetReason, Setpoint, State, StopFrame, StopKind, Stream, Telemetry, TimeReply, Version,
};
use firmware_bridge_link::schema::SCHEMA_HASH;

use crate::drive::{Drive, Judged, Wheels};
use crate::faults::{Battery, Stall};
use crate::fittings::{Fittings, Head};
use crate::machine::Machine;
use crate::outbox::{Next, Outbox};
use crate::replies::Replies;
use crate::sample::Sample;
use crate::{Config, Inputs, Outputs, View};

/// The controller of one life of the MCU. A reset is a new one with another boot id.
///
/// The caller gives the time: us since the start, never going back. It brings bytes as they come, calls
/// [`control`](Self::control) every 1 to 10 ms, and [`check_deadlines`](Self::check_deadlines) from a timer of its own
/// at [`next_deadline_us`](Self::next_deadline_us), so that a control loop that hangs keeps nothing moving.
#[derive(Debug)]
pub struct Controller {
    pub(crate) config: Config,
    pub(crate) limits: Limits,
    pub(crate) boot_id: u32,
    reset_reason: ResetReason,
    decoder: Decoder,
    /// Frames whose checksum was right but whose content was not.
    unread: u32,
    pub(crate) machine: Machine,
    /// State and reason that were last reported.
    reported: (State, Reason),
    pub(crate) drive: Drive,
    setpoints_refused: u32,
    /// What the host said it speaks, in this life.
    pub(crate) host_speaks: Option<Version>,
    synced_at_us: Option<u64>,
    pub(crate) battery: Battery,
    pub(crate) stall: Stall,
    pub(crate) fittings: Fittings,
    pub(crate) sample: Option<Sample>,
    pub(crate) replies: Replies,
    pub(crate) outbox: Outbox,
    seqs: Seqs,
}

/// Sequence numbers of the classes that are not telemetry.
#[derive(Debug, Default)]
struct Seqs {
    reply: u8,
    time: u8,
    hello: u8,
    log: u8,
}

impl Controller {
    /// A controller that has just started. It is in [`State::Boot`] until the first control step has seen the body.
    #[must_use]
    pub fn new(config: Config, boot_id: u32, reset_reason: ResetReason) -> Self {
        let limits = if config.limits.is_valid() { config.limits } else { Limits::STANDSTILL };
        let machine = Machine::new();
        let mut outbox = Outbox::new();
        outbox.log(LogLevel::Info, LogEvent::Started);
        Self {
            limits,
            boot_id,
            reset_reason,
            decoder: Decoder::new(),
            unread: 0,
            reported: machine.state(),
            machine,
            drive: Drive::new(),
            setpoints_refused: 0,
            host_speaks: None,
            synced_at_us: None,
            battery: Battery::new(config.battery_soft_mv, config.battery_cut_mv),
            stall: Stall::default(),
            fittings: Fittings::new(),
            sample: None,
            replies: Replies::new(),
            outbox,
            seqs: Seqs::default(),
            config,
        }
    }

    /// Takes bytes from the host, as many or as few as there are. Answers wait for [`transmit`](Self::transmit).
    pub fn receive(&mut self, now_us: u64, bytes: &[u8]) {
        for &byte in bytes {
            let (class, message) = match self.decoder.push(byte) {
                None | Some(Err(_)) => continue,
                Some(Ok(frame)) => (frame.class, ToMcu::parse(&frame)),
            };
            // What ran out before this frame arrived cannot be saved by it.
            self.check_deadlines(now_us);
            match message {
                Ok(ToMcu::Setpoint(setpoint)) => self.take_setpoint(now_us, &setpoint),
                Ok(ToMcu::Command(command)) => self.take_command(now_us, command),
                Ok(ToMcu::Stop(stop)) => self.take_stop(now_us, stop),
                Ok(ToMcu::Hello(request)) => {
                    self.host_speaks = Some(request.protocol);
                    self.replies.forget();
                    self.outbox.greet();
                }
                Ok(ToMcu::Time(request)) => {
                    self.synced_at_us = Some(now_us);
                    self.outbox.tell_time(TimeReply { host_us: request.host_us, mcu_us: now_us });
                }
                Err(_) => {
                    self.unread = self.unread.saturating_add(1);
                    // A stop of a later version that we cannot read in full is a stop all the same.
                    if class == Class::Stop {
                        self.machine.stop(StopKind::Stop, Reason::HostStop);
                    }
                }
            }
            self.notice_state(now_us);
        }
    }

    fn take_setpoint(&mut self, now_us: u64, setpoint: &Setpoint) {
        if !self.speaks_our_major() {
            self.setpoints_refused = self.setpoints_refused.saturating_add(1);
            return;
        }
        let armed = self.machine.is_armed();
        let judged = self.drive.take(now_us, setpoint, &self.limits, armed);
        let moved_nothing =
            judged == Judged::Accepted && !armed && !self.drive.is_neutral(now_us, &self.limits);
        if judged == Judged::Refused || moved_nothing {
            self.setpoints_refused = self.setpoints_refused.saturating_add(1);
        }
    }

    /// A stop acts each time it comes: it can only make things safer.
    fn take_stop(&mut self, now_us: u64, stop: StopFrame) {
        let reason = match stop.kind {
            StopKind::Stop => Reason::HostStop,
            StopKind::EStop => Reason::HostEStop,
        };
        self.machine.stop(stop.kind, reason);
        self.drive.halt(now_us, &self.limits);
        self.outbox.reply_stop(Reply { id: stop.id, outcome: Outcome::Done });
    }

    pub(crate) fn speaks_our_major(&self) -> bool {
        self.host_speaks.is_some_and(|version| version.major == PROTOCOL.major)
    }

    pub(crate) fn is_synced(&self, now_us: u64) -> bool {
        let fresh_us = u64::from(SYNC_FRESH_MS) * 1_000;
        self.synced_at_us.is_some_and(|at| now_us.saturating_sub(at) < fresh_us)
    }

    /// Ends a setpoint whose time to live is over, and stops when the hold is over. Cheap; touches no measurement, so
    /// it may be called from a timer while the control loop hangs.
    pub fn check_deadlines(&mut self, now_us: u64) {
        self.drive.end_overdue(now_us, &self.limits);
        if self.machine.is_armed() && self.drive.hold_ends_us(&self.limits) <= now_us {
            self.machine.stop(StopKind::Stop, Reason::HoldOver);
            self.notice_state(now_us);
        }
    }

    /// When [`check_deadlines`](Self::check_deadlines) has something to do, us. `None` while nothing can run out.
    #[must_use]
    pub fn next_deadline_us(&self) -> Option<u64> {
        if !self.machine.is_armed() {
            return None;
        }
        let hold_ends_us = self.drive.hold_ends_us(&self.limits);
        Some(self.drive.deadline_us().map_or(hold_ends_us, |deadline_us| deadline_us.min(hold_ends_us)))
    }

    /// One control step, every 1 to 10 ms: watches body and power, and moves the ramps on.
    pub fn control(&mut self, now_us: u64, inputs: &Inputs) -> Outputs {
        self.check_deadlines(now_us);
        self.machine.finish_boot();
        self.sample = Some(match &self.sample {
            Some(sample) => sample.followed_by(now_us, inputs),
            None => Sample::first(now_us, inputs),
        });
        self.watch_body(now_us, inputs);
        self.notice_state(now_us);
        self.drive.step(now_us, &self.limits, self.wheel_mps_max());
        self.outbox.sampled(now_us);
        self.outputs(inputs)
    }

    fn watch_body(&mut self, now_us: u64, inputs: &Inputs) {
        if inputs.estop_pressed {
            self.machine.stop(StopKind::EStop, Reason::ButtonEStop);
        }
        self.battery.sample(now_us, inputs.battery_mv);
        if self.battery.is_cut() {
            self.machine.fail(Reason::BatteryLow);
        }
        if self.battery.entered_soft() {
            self.outbox.log(LogLevel::Warn, LogEvent::BatterySoftLimit);
        }
        if self.stall.sample(now_us, self.drive.ramp(), inputs.left_um, inputs.right_um) {
            self.machine.fail(Reason::EncoderStuck);
        }
    }

    fn wheel_mps_max(&self) -> f32 {
        self.limits.wheel_mps_max * self.battery.factor()
    }

    fn outputs(&mut self, inputs: &Inputs) -> Outputs {
        let ramp = self.drive.ramp();
        let still = ramp == Wheels::STILL && self.drive.target(self.wheel_mps_max()) == Wheels::STILL;
        let head = match self.config.head {
            true => {
                self.fittings.head(Head { pan_rad: inputs.pan_rad, tilt_rad: inputs.tilt_rad }, &self.limits)
            }
            false => Head::default(),
        };
        Outputs {
            enabled: self.machine.is_armed() || !still,
            left_mps: ramp.left_mps,
            right_mps: ramp.right_mps,
            brake: still,
            pan_rad: head.pan_rad,
            tilt_rad: head.tilt_rad,
            rgb: self.fittings.rgb,
            brightness: self.fittings.brightness,
        }
    }

    /// Draws the consequences of a changed state: not armed, nothing has a goal; and the host hears of it at once.
    fn notice_state(&mut self, now_us: u64) {
        if !self.machine.is_armed() {
            self.drive.halt(now_us, &self.limits);
        }
        let state = self.machine.state();
        if state == self.reported {
            return;
        }
        if self.reported.0 == State::Armed {
            self.fittings.freeze_head();
        }
        self.reported = state;
        let level = match state.0 {
            State::Stopped | State::EStop | State::Fault => LogLevel::Error,
            State::Boot | State::Disarmed | State::Armed => LogLevel::Info,
        };
        self.outbox.log(level, LogEvent::Entered(state.0, state.1));
        self.outbox.hurry_motion();
    }

    /// Writes the next frame for the wire into `frame`: answers to stops, other answers, telemetry, log. False, and
    /// `frame` empty, when there is none.
    pub fn transmit(&mut self, now_us: u64, frame: &mut FrameBuf) -> bool {
        frame.clear();
        let Some(next) = self.outbox.next(now_us, self.sample.is_some()) else {
            return false;
        };
        let encoded = match next {
            Next::Reply(reply) => encode(Class::Reply, count(&mut self.seqs.reply), &reply, frame),
            Next::Time(reply) => encode(Class::Time, count(&mut self.seqs.time), &reply, frame),
            Next::Hello => encode(Class::Hello, count(&mut self.seqs.hello), &self.hello(), frame),
            Next::Log(log) => encode(Class::Log, count(&mut self.seqs.log), &log, frame),
            Next::Telemetry(stream) => {
                let Some(sample) = &self.sample else {
                    return false;
                };
                let telemetry = match stream {
                    Stream::Motion => Telemetry::Motion(self.motion(sample)),
                    Stream::Senses => Telemetry::Senses(sample.senses(self.config.ranges)),
                };
                encode(Class::Telemetry, self.outbox.next_seq(stream), &telemetry, frame)
            }
        };
        encoded.is_ok()
    }

    fn hello(&self) -> Hello {
        let (state, reason) = self.machine.state();
        Hello {
            protocol: PROTOCOL,
            schema_hash: SCHEMA_HASH,
            firmware: self.config.firmware,
            board: self.config.board,
            boot_id: self.boot_id,
            reset_reason: self.reset_reason,
            state,
            reason,
            capabilities: Capabilities {
                head: self.config.head,
                lights: self.config.lights,
                ranges: self.config.ranges.min(RANGES_MAX as u8),
                limits: self.limits,
            },
        }
    }

    fn motion(&self, sample: &Sample) -> Motion {
        let (state, reason) = self.machine.state();
        Motion {
            t_us: sample.t_us,
            boot_id: self.boot_id,
            state,
            reason,
            left_mps: sample.left_mps,
            right_mps: sample.right_mps,
            left_um: sample.inputs.left_um,
            right_um: sample.inputs.right_um,
            setpoint_us: self.drive.newest_us(),
            setpoints_refused: self.setpoints_refused,
            frames_lost: self.decoder.errors().saturating_add(self.unread),
        }
    }

    /// The inside as it is now, for a trace.
    #[must_use]
    pub fn view(&self) -> View {
        let (state, reason) = self.machine.state();
        let (target, ramp) = (self.drive.target(self.wheel_mps_max()), self.drive.ramp());
        View {
            state,
            reason,
            armed: self.machine.is_armed(),
            left_target_mps: target.left_mps,
            right_target_mps: target.right_mps,
            left_ramp_mps: ramp.left_mps,
            right_ramp_mps: ramp.right_mps,
        }
    }
}

/// The number to use now; the next one is one higher, wrapping.
fn count(seq: &mut u8) -> u8 {
    let now = *seq;
    *seq = now.wrapping_add(1);
    now
}
