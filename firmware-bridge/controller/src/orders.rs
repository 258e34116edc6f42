//! Acknowledged commands: what each needs, does and answers. None of them ever takes back a latch but `Clear`.

use firmware_bridge_link::limits::TELEMETRY_HZ_MAX;
use firmware_bridge_link::message::{Command, CommandFrame, Latch, Outcome, Reason, Reply};

use crate::Controller;
use crate::faults::Stall;
use crate::fittings::Head;

impl Controller {
    /// Runs a command the first time it comes, and answers it each time.
    pub(crate) fn take_command(&mut self, now_us: u64, frame: CommandFrame) {
        let reply = self.replies.find(&frame).unwrap_or_else(|| {
            let outcome = self.run_command(now_us, &frame.command);
            self.replies.remember(frame, outcome);
            Reply { id: frame.id, outcome }
        });
        self.outbox.reply(reply);
    }

    fn run_command(&mut self, now_us: u64, command: &Command) -> Outcome {
        match *command {
            Command::Subscribe { stream, rate_hz } => {
                if rate_hz > TELEMETRY_HZ_MAX {
                    return Outcome::OutOfRange;
                }
                self.outbox.subscribe(stream, rate_hz);
                Outcome::Done
            }
            Command::Disarm => {
                self.machine.disarm();
                Outcome::Done
            }
            // What follows may mean something else in another major version.
            _ if self.host_speaks.is_some() && !self.speaks_our_major() => Outcome::WrongProtocol,
            Command::Tighten(limits) => {
                if !limits.is_valid() {
                    return Outcome::OutOfRange;
                }
                self.limits = self.limits.tightened_by(&limits);
                Outcome::Done
            }
            Command::Arm { boot_id } => self.arm(now_us, boot_id),
            Command::Clear(latch) => self.clear(latch),
            Command::Head { pan_rad, tilt_rad } => self.point_head(Head { pan_rad, tilt_rad }),
            Command::Lights { .. } if !self.config.lights => Outcome::NoSuchPart,
            Command::Lights { rgb, brightness } => {
                self.fittings.rgb = rgb;
                self.fittings.brightness = brightness;
                Outcome::Done
            }
        }
    }

    fn arm(&mut self, now_us: u64, boot_id: u32) -> Outcome {
        if boot_id != self.boot_id {
            return Outcome::WrongBoot;
        }
        if !self.speaks_our_major() {
            return Outcome::WrongProtocol;
        }
        if self.machine.is_armed() {
            return Outcome::Done;
        }
        // A pressed e-stop input is covered: it is a latch that cannot be cleared before it is released.
        if !self.machine.may_arm() {
            return Outcome::WrongState;
        }
        if !self.is_synced(now_us) {
            return Outcome::NoTimeSync;
        }
        if !self.drive.is_neutral(now_us, &self.limits) {
            return Outcome::NotNeutral;
        }
        self.machine.arm();
        Outcome::Done
    }

    fn clear(&mut self, latch: Latch) -> Outcome {
        let still_faulty = match latch {
            Latch::Stopped => false,
            Latch::EStop => self.is_estop_pressed(),
            // Whether an encoder works shows only when the wheel is driven again.
            Latch::Fault => self.machine.fault() == Some(Reason::BatteryLow) && !self.battery.is_recovered(),
        };
        if still_faulty {
            return Outcome::StillFaulty;
        }
        if latch == Latch::Fault {
            // Judged anew: the wheel may still be on its way to standstill from the drive that was found fault with.
            self.stall = Stall::default();
        }
        self.machine.clear(latch)
    }

    fn point_head(&mut self, head: Head) -> Outcome {
        if !self.config.head {
            return Outcome::NoSuchPart;
        }
        if !head.pan_rad.is_finite() || !head.tilt_rad.is_finite() {
            return Outcome::OutOfRange;
        }
        if !self.machine.is_armed() {
            return Outcome::WrongState;
        }
        self.fittings.point(head);
        Outcome::Done
    }

    fn is_estop_pressed(&self) -> bool {
        self.sample.is_some_and(|sample| sample.inputs.estop_pressed)
    }
}
