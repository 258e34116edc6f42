//! Who is there, do we understand each other, and is it still the same one: everything about [`Hello`].
//!
//! A new boot id means that the MCU restarted and forgot limits, subscriptions and arming; then all of it begins anew.

use firmware_bridge_link::message::{Command, Hello, PROTOCOL, Stream, Version};
use firmware_bridge_link::schema::SCHEMA_HASH;

use crate::commands::Place;
use crate::losses::count;
use crate::session::Session;

/// The request is repeated after this long; the pause doubles up to the longest, us.
const RETRY_US: u64 = 25_000;
const RETRY_US_MAX: u64 = 250_000;
/// While the two ends do not fit, somebody may flash another firmware: asked again this often, us.
const MISFIT_RETRY_US: u64 = 1_000_000;
/// Motion telemetry missing for this long makes the session ask who is there, us.
pub(crate) const SILENCE_US: u64 = 100_000;

/// Why orders cannot be given although an MCU answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionFault {
    /// Major versions differ: telemetry and stops only.
    #[error("the firmware speaks protocol {}.{}, this agent {}.{}: update the older of the two", theirs.major, theirs.minor, ours.major, ours.minor)]
    OtherMajor {
        /// What this end speaks.
        ours: Version,
        /// What the MCU speaks.
        theirs: Version,
    },
    /// Same version, other message definitions: one end is a development build.
    #[error("firmware and agent both call their protocol {}.{} but were built from different message definitions ({theirs:016x} and {ours:016x}): build both from the same source", version.major, version.minor)]
    OtherSchema {
        /// Version of both ends.
        version: Version,
        /// Hash of this end.
        ours: u64,
        /// Hash of the MCU.
        theirs: u64,
    },
    /// The MCU does not take what every session begins with.
    #[error(
        "the firmware refuses the session's {0}: check the limits in the body's profile, and the firmware's version"
    )]
    SetupRefused(&'static str),
}

impl SessionFault {
    fn of(hello: &Hello) -> Option<Self> {
        let theirs = hello.protocol;
        if theirs.major != PROTOCOL.major {
            return Some(Self::OtherMajor { ours: PROTOCOL, theirs });
        }
        if theirs.minor == PROTOCOL.minor && hello.schema_hash != SCHEMA_HASH {
            let (ours, theirs) = (SCHEMA_HASH, hello.schema_hash);
            return Some(Self::OtherSchema { version: PROTOCOL, ours, theirs });
        }
        None
    }
}

/// How far the session has come with the MCU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No port.
    Down,
    /// Waiting for a Hello.
    Greeting,
    /// Hello came; limits and subscriptions are not all acknowledged.
    Preparing,
    /// Orders can be given.
    Ready,
    /// Orders can never be given to this firmware.
    Misfit(SessionFault),
}

/// When to send the next request for a Hello.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Greeter {
    next_us: Option<u64>,
    pause_us: u64,
}

impl Greeter {
    pub(crate) fn start(&mut self, now_us: u64) {
        self.next_us = Some(now_us);
        self.pause_us = RETRY_US;
    }

    fn pause(&mut self, until_us: u64) {
        self.next_us = Some(until_us);
        self.pause_us = MISFIT_RETRY_US;
    }

    pub(crate) fn stop(&mut self) {
        self.next_us = None;
    }

    pub(crate) fn next_us(&self) -> Option<u64> {
        self.next_us
    }

    /// Whether a request is due; it counts as sent.
    pub(crate) fn take(&mut self, now_us: u64) -> bool {
        if self.next_us.is_none_or(|at| at > now_us) {
            return false;
        }
        self.next_us = Some(now_us + self.pause_us);
        if self.pause_us < RETRY_US_MAX {
            self.pause_us = (self.pause_us * 2).min(RETRY_US_MAX);
        }
        true
    }
}

impl Session {
    /// Waits for a Hello, with nothing known about the MCU. The clock is kept until the boot id says otherwise.
    pub(crate) fn greet(&mut self, now_us: u64) {
        self.phase = Phase::Greeting;
        self.forget_body();
        self.sync.stop();
        self.greeter.start(now_us);
        let dropped = self.commands.drop_all();
        count(&mut self.losses.commands_dropped, dropped);
    }

    /// Asks who is there without giving anything up: telemetry has stopped, or something else looks like a restart.
    pub(crate) fn probe(&mut self, now_us: u64) {
        if self.greeter.next_us().is_none() {
            self.greeter.start(now_us);
        }
    }

    pub(crate) fn take_hello(&mut self, now_us: u64, hello: Hello) {
        if self.boot_id.is_some_and(|known| known != hello.boot_id) {
            self.notice_restart(now_us);
        }
        let silent = now_us.saturating_sub(self.motion_at_us) >= SILENCE_US;
        let first = matches!(self.phase, Phase::Greeting | Phase::Misfit(_));
        self.hello = Some(hello);
        self.boot_id = Some(hello.boot_id);
        self.state = Some((hello.state, hello.reason));
        self.greeter.stop();
        if let Some(fault) = SessionFault::of(&hello) {
            self.misfit(now_us, fault);
            return;
        }
        if first {
            self.sync.start(now_us);
        }
        if first || silent {
            self.prepare(now_us);
        }
    }

    /// Another boot id was seen: nothing that was said to the MCU before counts any more.
    pub(crate) fn notice_restart(&mut self, now_us: u64) {
        count(&mut self.losses.restarts, 1);
        self.greet(now_us);
        self.refused_by_mcu.restarted();
        self.lost_by_mcu.restarted();
        self.clock = Default::default();
        self.stamp_us = 0;
        self.setpoint.forget();
    }

    /// Hands the limits and subscriptions over. Also after a silence, for an MCU that lost its subscriptions.
    fn prepare(&mut self, now_us: u64) {
        self.phase = Phase::Preparing;
        self.motion_at_us = now_us;
        let subscribe = |stream, rate_hz| Command::Subscribe { stream, rate_hz };
        self.commands.put(Place::Tighten, Command::Tighten(self.config.limits));
        self.commands.put(Place::Motion, subscribe(Stream::Motion, self.config.motion_hz));
        self.commands.put(Place::Senses, subscribe(Stream::Senses, self.config.senses_hz));
    }

    pub(crate) fn misfit(&mut self, now_us: u64, fault: SessionFault) {
        self.phase = Phase::Misfit(fault);
        self.sync.stop();
        let dropped = self.commands.drop_all();
        count(&mut self.losses.commands_dropped, dropped);
        self.greeter.pause(now_us + MISFIT_RETRY_US);
    }

    /// The last command of the handshake may just have been answered.
    pub(crate) fn finish_handshake(&mut self) {
        let open = Place::SETUP.iter().any(|place| self.commands.holds(*place));
        if self.phase == Phase::Preparing && !open {
            self.phase = Phase::Ready;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_back_off_from_25_to_250_ms() {
        let mut greeter = Greeter::default();
        greeter.start(0);
        let times: Vec<u64> = (0..1_000).filter(|ms| greeter.take(ms * 1_000)).collect();
        assert_eq!(times, [0, 25, 75, 175, 375, 625, 875]);
    }

    #[test]
    fn faults_tell_a_person_what_to_do() {
        let (ours, theirs) = (Version { major: 1, minor: 0 }, Version { major: 2, minor: 3 });
        let fault = SessionFault::OtherMajor { ours, theirs };
        assert_eq!(
            fault.to_string(),
            "the firmware speaks protocol 2.3, this agent 1.0: update the older of the two"
        );
    }
}
