//! The session: one conversation with one MCU, without I/O and without a clock of its own.

use firmware_bridge_link::ToHost;
use firmware_bridge_link::frame::{Class, Decoder, FrameBuf, encode};
use firmware_bridge_link::limits::clamp_ttl_ms;
use firmware_bridge_link::message::{
    Hello, HelloRequest, Log, Motion, PROTOCOL, Reason, Senses, Setpoint, State, Telemetry, TimeReply,
    WheelGoal,
};

use crate::clock::Clock;
use crate::commands::{Commands, Open};
use crate::config::SessionConfig;
use crate::handshake::{Greeter, Phase, SILENCE_US};
use crate::losses::{Gaps, Losses, McuCount, count};
use crate::rtt::RttWindow;
use crate::setpoint::SetpointSlot;
use crate::stop::Stops;
use crate::sync::Sync;

/// Classes a host sends, for their sequence numbers.
const CLASSES: usize = 9;

/// One conversation with one MCU. Bytes and the time go in, frames come out; all times are host us that never go back.
///
/// After everything that changes something, ask [`transmit`](Self::transmit) for frames until it has none, and come
/// back at [`next_wake_us`](Self::next_wake_us) at the latest.
#[derive(Debug)]
pub struct Session {
    pub(crate) config: SessionConfig,
    pub(crate) phase: Phase,
    pub(crate) greeter: Greeter,
    pub(crate) commands: Commands,
    pub(crate) stops: Stops,
    pub(crate) setpoint: SetpointSlot,
    pub(crate) sync: Sync,
    pub(crate) clock: Clock,
    /// Newest `sent_at_us` of this boot; every later one is higher, whatever the estimate does.
    pub(crate) stamp_us: u64,
    /// When the newest exchange came back.
    pub(crate) synced_at_us: Option<u64>,
    pub(crate) rtt: RttWindow,
    decoder: Decoder,
    seqs: [u8; CLASSES],
    pub(crate) hello: Option<Hello>,
    pub(crate) boot_id: Option<u32>,
    pub(crate) state: Option<(State, Reason)>,
    pub(crate) motion: Option<(u64, Motion)>,
    /// When the newest stop went out that `motion` knows of.
    pub(crate) reflects_us: Option<u64>,
    pub(crate) senses: Option<(u64, Senses)>,
    pub(crate) log: Option<Log>,
    pub(crate) last_frame_us: Option<u64>,
    /// When motion telemetry came last, or when it was asked for.
    pub(crate) motion_at_us: u64,
    /// When the newest step towards armed was acknowledged.
    pub(crate) step_done_us: Option<u64>,
    /// When the newest step towards armed was refused.
    pub(crate) step_refused_us: Option<u64>,
    motion_gaps: Gaps,
    senses_gaps: Gaps,
    pub(crate) losses: Losses,
    pub(crate) lost_by_mcu: McuCount,
    pub(crate) refused_by_mcu: McuCount,
}

impl Session {
    /// A session without a port.
    #[must_use]
    pub fn new(config: SessionConfig) -> Self {
        Self {
            config,
            phase: Phase::Down,
            greeter: Greeter::default(),
            commands: Commands::new(),
            stops: Stops::default(),
            setpoint: SetpointSlot::default(),
            sync: Sync::new(config.baud),
            clock: Clock::default(),
            stamp_us: 0,
            synced_at_us: None,
            rtt: RttWindow::new(),
            decoder: Decoder::new(),
            seqs: [0; CLASSES],
            hello: None,
            boot_id: None,
            state: None,
            motion: None,
            reflects_us: None,
            senses: None,
            log: None,
            last_frame_us: None,
            motion_at_us: 0,
            step_done_us: None,
            step_refused_us: None,
            motion_gaps: Gaps::default(),
            senses_gaps: Gaps::default(),
            losses: Losses::default(),
            lost_by_mcu: McuCount::default(),
            refused_by_mcu: McuCount::default(),
        }
    }

    /// A port was opened: the handshake starts. A stop that was asked for while there was none goes out first.
    pub fn connected(&mut self, now_us: u64) {
        if self.phase == Phase::Down && self.last_frame_us.is_none() {
            self.commands.start_at(first_id(now_us));
        }
        self.decoder = Decoder::new();
        self.greet(now_us);
    }

    /// The port is gone, and with it everything that was to be sent except a stop.
    pub fn disconnected(&mut self) {
        self.phase = Phase::Down;
        self.forget_body();
        self.greeter.stop();
        self.sync.stop();
        self.setpoint.forget();
        let dropped = self.commands.drop_all();
        count(&mut self.losses.commands_dropped, dropped);
    }

    /// What was known of the body's state belongs to an earlier connection or boot.
    pub(crate) fn forget_body(&mut self) {
        self.hello = None;
        self.state = None;
        self.step_done_us = None;
        self.step_refused_us = None;
        self.synced_at_us = None;
        self.motion_gaps.forget();
        self.senses_gaps.forget();
    }

    /// Takes bytes from the MCU, as many or as few as there are.
    pub fn receive(&mut self, now_us: u64, bytes: &[u8]) {
        if self.phase == Phase::Down {
            return;
        }
        for &byte in bytes {
            let (seq, message) = match self.decoder.push(byte) {
                None => continue,
                Some(Err(_)) => {
                    count(&mut self.losses.broken_frames, 1);
                    continue;
                }
                Some(Ok(frame)) => (frame.seq, ToHost::parse(&frame)),
            };
            match message {
                Ok(message) => self.take(now_us, seq, message),
                Err(_) => count(&mut self.losses.unreadable_frames, 1),
            }
        }
    }

    fn take(&mut self, now_us: u64, seq: u8, message: ToHost) {
        self.last_frame_us = Some(now_us);
        match message {
            ToHost::Hello(hello) => self.take_hello(now_us, hello),
            ToHost::Telemetry(telemetry) => self.take_telemetry(now_us, seq, telemetry),
            ToHost::Reply(reply) => self.take_reply(now_us, &reply),
            ToHost::Time(reply) => self.take_time(now_us, &reply),
            ToHost::Log(log) => self.log = Some(log),
        }
    }

    /// Telemetry counts only after this connection's Hello: what came before may have waited in the kernel for long.
    fn take_telemetry(&mut self, now_us: u64, seq: u8, telemetry: Telemetry) {
        if self.hello.is_none() {
            return;
        }
        match telemetry {
            Telemetry::Motion(motion) if self.boot_id != Some(motion.boot_id) => {
                self.notice_restart(now_us);
                self.boot_id = Some(motion.boot_id);
            }
            // Overtaken on its way: what came later in its place is newer.
            Telemetry::Motion(motion) if self.motion.is_some_and(|(_, newest)| newest.is_after(&motion)) => {}
            Telemetry::Motion(motion) => {
                count(&mut self.losses.motion_frames, self.motion_gaps.before(seq) as usize);
                self.lost_by_mcu.shows(motion.frames_lost);
                self.refused_by_mcu.shows(motion.setpoints_refused);
                self.state = Some((motion.state, motion.reason));
                self.motion = Some((now_us, motion));
                self.motion_at_us = now_us;
                // Replies and telemetry come in the order in which the MCU made them.
                self.reflects_us = self.stops.answered_us();
            }
            Telemetry::Senses(senses) => {
                count(&mut self.losses.senses_frames, self.senses_gaps.before(seq) as usize);
                self.senses = Some((now_us, senses));
            }
        }
    }

    fn take_time(&mut self, now_us: u64, reply: &TimeReply) {
        let Some(exchange) = self.sync.answered(now_us, reply) else {
            return;
        };
        self.rtt.add(exchange.rtt_us());
        if self.clock.add(&exchange) {
            self.synced_at_us = Some(now_us);
        }
    }

    /// Sets what the wheels shall do; the latest wins. It goes out with the next frames, a new goal at most every 5 ms.
    /// `ttl_ms` is what is left of the goal's time to live; it becomes at most the MCU's hold. Passed over as long as
    /// the MCU could only refuse it: before its Hello and before the first clock exchange.
    pub fn setpoint(&mut self, now_us: u64, goal: WheelGoal, ttl_ms: u16) {
        let (Phase::Preparing | Phase::Ready, Some(hello)) = (self.phase, &self.hello) else {
            return;
        };
        let Some(estimate_us) = self.mcu_clock_us(now_us) else {
            return;
        };
        self.stamp_us = estimate_us.max(self.stamp_us.saturating_add(1));
        let hold_ms = hello.capabilities.limits.hold_ms.min(self.config.limits.hold_ms);
        let ttl_ms = clamp_ttl_ms(ttl_ms).min(hold_ms);
        self.setpoint.set(now_us, Setpoint { sent_at_us: self.stamp_us, ttl_ms, wheels: goal });
    }

    /// Writes the next frame for the wire into `frame`: stops, setpoint, commands, time, hello. False, and `frame` empty,
    /// when there is none now.
    pub fn transmit(&mut self, now_us: u64, frame: &mut FrameBuf) -> bool {
        frame.clear();
        if self.phase == Phase::Down {
            return false;
        }
        self.expire(now_us);
        if self.is_silent(now_us) {
            self.probe(now_us);
        }
        if let Some(stop) = self.stops.next(now_us) {
            return self.write(Class::Stop, &stop, frame);
        }
        if let Some(setpoint) = self.setpoint.take(now_us) {
            return self.write(Class::Setpoint, &setpoint, frame);
        }
        if let Some(command) = self.commands.take(now_us, self.open()) {
            return self.write(Class::Command, &command, frame);
        }
        if let Some(request) = self.sync.take(now_us) {
            let written = self.write(Class::Time, &request, frame);
            self.sync.sent(now_us, frame.as_bytes().len());
            return written;
        }
        self.greeter.take(now_us) && self.write(Class::Hello, &HelloRequest { protocol: PROTOCOL }, frame)
    }

    fn write(&mut self, class: Class, body: &impl serde::Serialize, frame: &mut FrameBuf) -> bool {
        let seq = &mut self.seqs[class as usize];
        *seq = seq.wrapping_add(1);
        encode(class, *seq, body, frame).is_ok()
    }

    fn open(&self) -> Open {
        if self.phase == Phase::Ready { Open::All } else { Open::Setup }
    }

    fn is_silent(&self, now_us: u64) -> bool {
        matches!(self.phase, Phase::Preparing | Phase::Ready) && self.silent_from_us() <= now_us
    }

    fn silent_from_us(&self) -> u64 {
        let three_frames_us = 3_000_000 / u64::from(self.config.motion_hz.max(1));
        self.motion_at_us + three_frames_us.max(SILENCE_US)
    }

    /// Whether the next frame is a stop. It may go to the kernel even when another frame still waits there.
    #[must_use]
    pub fn stop_waiting(&self) -> bool {
        self.phase != Phase::Down && self.stops.waiting()
    }

    /// When [`transmit`](Self::transmit) has something to do next, at the earliest now; `None` without a port.
    #[must_use]
    pub fn next_wake_us(&self, now_us: u64) -> Option<u64> {
        if self.phase == Phase::Down {
            return None;
        }
        let silence_us = match self.phase {
            Phase::Preparing | Phase::Ready if self.greeter.next_us().is_none() => {
                Some(self.silent_from_us())
            }
            _ => None,
        };
        let stop_us = self.stops.waiting().then_some(0);
        let due = [
            stop_us,
            self.setpoint.due_us(),
            self.commands.next_us(self.open()),
            self.sync.next_us(),
            self.greeter.next_us(),
            silence_us,
        ];
        due.into_iter().flatten().min().map(|us| us.max(now_us))
    }
}

/// Where a session's ids begin. Mixed (Fibonacci hashing), so that a program that was started again is unlikely to
/// begin with ids that the MCU has just answered.
fn first_id(now_us: u64) -> u16 {
    (now_us.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48) as u16
}
