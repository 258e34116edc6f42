//! A whole body without I/O: controller, physics, wire and faults, driven by bytes and time.
//!
//! The caller says what time it is. A caller that comes late (a busy machine, a stopped process) finds every control
//! period and deadline in between worked off at its own time, as a microcontroller of its own would have done.

use firmware_bridge_controller::{Controller, Outputs};
use firmware_bridge_link::frame::FrameBuf;
use firmware_bridge_link::message::{Reason, ResetReason, State};

use crate::clock::McuClock;
use crate::faults::{Button, Fault};
use crate::physics::{Noise, Pose, World};
use crate::profile::{BodyProfile, McuProfile};
use crate::room::Room;
use crate::wire::Wire;

/// Control period while anything moves or is driven, us.
const PERIOD_BUSY_US: u64 = 5_000;
/// Control period at rest, us: cheap, and still often enough for every telemetry rate a dashboard needs.
const PERIOD_REST_US: u64 = 20_000;
/// Most turns worked off for a caller that comes late; after that the body skips to the present. More than 5 s.
const CATCH_UP_MAX: u32 = 1_100;
/// Below this both wheels count as standing, m/s.
const STANDING_MPS: f64 = 0.01;
/// What the motor bridges do while the MCU is not there.
const UNPOWERED: Outputs = Outputs {
    enabled: false,
    left_mps: 0.0,
    right_mps: 0.0,
    brake: false,
    pan_rad: 0.0,
    tilt_rad: 0.0,
    rgb: [0; 3],
    brightness: 0,
};

/// One simulated body.
#[derive(Debug)]
pub struct Body {
    profile: BodyProfile,
    controller: Controller,
    world: World,
    outputs: Outputs,
    clock: McuClock,
    mcu: Mcu,
    wire: Wire,
    boot_ids: Noise,
    frame: FrameBuf,
    /// Time up to which the world was computed, us.
    world_us: u64,
    next_control_us: u64,
}

/// Whether the microcontroller works.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mcu {
    Running,
    /// Hung with its outputs frozen, until the watchdog bites.
    Hung {
        until_us: u64,
    },
    /// Starting.
    Starting {
        until_us: u64,
        reason: ResetReason,
    },
}

/// A look inside, for a trace or a test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BodyView {
    /// True speed of the left rim, m/s.
    pub left_mps: f32,
    /// True speed of the right rim, m/s.
    pub right_mps: f32,
    /// Goal of the left wheel before the ramp, m/s.
    pub left_target_mps: f32,
    /// Goal of the right wheel before the ramp, m/s.
    pub right_target_mps: f32,
    /// Order to the left motor after the ramp, m/s.
    pub left_ramp_mps: f32,
    /// Order to the right motor after the ramp, m/s.
    pub right_ramp_mps: f32,
    /// Whether setpoints move the body.
    pub armed: bool,
    /// State of the controller.
    pub state: State,
    /// Why.
    pub reason: Reason,
}

impl Body {
    /// A body at rest in [`Room::small`], its MCU just started at `now_us`. The same seed and start time give the same
    /// body, boot ids included; a live body, started at another time, has other boot ids.
    #[must_use]
    pub fn new(profile: &BodyProfile, seed: u64, now_us: u64) -> Self {
        let mut boot_ids = Noise::seeded(seed ^ now_us.rotate_left(32));
        let controller = Controller::new(profile.controller_config(), boot_ids.bits(), ResetReason::PowerOn);
        Self {
            controller,
            world: World::new(profile, Room::small(), seed),
            outputs: UNPOWERED,
            clock: McuClock::started(now_us, profile.mcu.clock_ppm),
            mcu: Mcu::Running,
            wire: Wire::new(Noise::seeded(seed.wrapping_add(1))),
            boot_ids,
            frame: FrameBuf::new(),
            world_us: now_us,
            next_control_us: now_us,
            profile: profile.clone(),
        }
    }

    /// Bytes from the host. An MCU that hangs or starts does not hear them.
    pub fn receive(&mut self, now_us: u64, bytes: &[u8]) {
        self.step(now_us);
        if self.mcu != Mcu::Running {
            return;
        }
        let was_busy = self.is_busy();
        self.controller.receive(self.clock.mcu_us(now_us), bytes);
        if !was_busy && self.is_busy() {
            // Motion begins at once, not at the end of a long period at rest.
            self.next_control_us = now_us;
            self.step(now_us);
        }
    }

    /// Works off everything that is due at `now_us`.
    pub fn step(&mut self, now_us: u64) {
        for _ in 0..CATCH_UP_MAX {
            let due_us = self.next_wake_us();
            if due_us > now_us {
                return;
            }
            self.turn(due_us);
        }
        self.world_us = now_us;
        self.next_control_us = now_us;
        self.turn(now_us);
    }

    /// Adds the next bytes for the host to `out`; false when there are none. Call until it says so.
    pub fn transmit(&mut self, now_us: u64, out: &mut Vec<u8>) -> bool {
        if self.wire.send_garbage(out) {
            return true;
        }
        if self.mcu != Mcu::Running {
            return false;
        }
        let mcu_us = self.clock.mcu_us(now_us);
        while self.controller.transmit(mcu_us, &mut self.frame) {
            if !self.wire.is_silent(now_us) {
                self.wire.send(self.frame.as_bytes(), out);
                return true;
            }
        }
        false
    }

    /// When [`Body::step`] has something to do next, us.
    #[must_use]
    pub fn next_wake_us(&self) -> u64 {
        let other_us = match self.mcu {
            Mcu::Running => self.controller.next_deadline_us().map(|mcu_us| self.clock.true_us(mcu_us)),
            Mcu::Hung { until_us } | Mcu::Starting { until_us, .. } => Some(until_us),
        };
        other_us.map_or(self.next_control_us, |other_us| other_us.min(self.next_control_us))
    }

    /// Lets something go wrong.
    pub fn inject(&mut self, now_us: u64, fault: Fault) {
        self.step(now_us);
        let defects = &mut self.world.defects;
        match fault {
            Fault::Reset(ResetReason::Watchdog) => {
                self.mcu = Mcu::Hung { until_us: now_us + ms(self.profile.mcu.watchdog_ms) };
            }
            Fault::Reset(reason) => self.restart(now_us, reason),
            Fault::Silence { for_ms } => self.wire.silence_until(now_us + ms(for_ms)),
            Fault::Garbage { bytes } => self.wire.add_garbage(bytes),
            Fault::Corrupt { ppm } => self.wire.corrupt_ppm = ppm,
            Fault::Drop { ppm } => self.wire.drop_ppm = ppm,
            Fault::Duplicate { ppm } => self.wire.duplicate_ppm = ppm,
            Fault::EncoderStuck(wheel) => defects.stick_encoder(wheel),
            Fault::RangeDead(side) => defects.kill_range(side),
            Fault::Battery { mv } => defects.battery_mv = Some(mv),
            Fault::EStop(button) => defects.estop_pressed = button == Button::Pressed,
            Fault::Clear => {
                *defects = crate::physics::Defects::default();
                self.wire.heal();
            }
        }
        // The next control step notices it, at once.
        self.next_control_us = now_us;
        self.step(now_us);
    }

    /// A look inside.
    #[must_use]
    pub fn view(&self) -> BodyView {
        let (left_mps, right_mps) = self.world.wheels_mps();
        let (left_mps, right_mps) = (left_mps as f32, right_mps as f32);
        if let Mcu::Starting { .. } = self.mcu {
            return BodyView {
                left_mps,
                right_mps,
                left_target_mps: 0.0,
                right_target_mps: 0.0,
                left_ramp_mps: 0.0,
                right_ramp_mps: 0.0,
                armed: false,
                state: State::Boot,
                reason: Reason::Started,
            };
        }
        let view = self.controller.view();
        BodyView {
            left_mps,
            right_mps,
            left_target_mps: view.left_target_mps,
            right_target_mps: view.right_target_mps,
            left_ramp_mps: view.left_ramp_mps,
            right_ramp_mps: view.right_ramp_mps,
            armed: view.armed,
            state: view.state,
            reason: view.reason,
        }
    }

    /// Where the body really is.
    #[must_use]
    pub fn pose(&self) -> Pose {
        self.world.pose()
    }

    /// Whether both wheels stand.
    #[must_use]
    pub fn is_standing(&self) -> bool {
        let (left_mps, right_mps) = self.world.wheels_mps();
        left_mps.abs() < STANDING_MPS && right_mps.abs() < STANDING_MPS
    }

    /// Whether the body rubs against a wall.
    #[must_use]
    pub fn touches_wall(&self) -> bool {
        self.world.touches_wall()
    }

    /// The room it is in.
    #[must_use]
    pub fn room(&self) -> &Room {
        self.world.room()
    }

    /// One wake-up, at exactly its time.
    fn turn(&mut self, now_us: u64) {
        match self.mcu {
            Mcu::Running => self.controller.check_deadlines(self.clock.mcu_us(now_us)),
            Mcu::Hung { until_us } if now_us >= until_us => self.restart(now_us, ResetReason::Watchdog),
            Mcu::Starting { until_us, reason } if now_us >= until_us => self.boot(now_us, reason),
            Mcu::Hung { .. } | Mcu::Starting { .. } => {}
        }
        if now_us < self.next_control_us {
            return;
        }
        let inputs = self.world.step(now_us.saturating_sub(self.world_us), &self.outputs);
        self.world_us = now_us;
        if self.mcu == Mcu::Running {
            self.outputs = self.controller.control(self.clock.mcu_us(now_us), &inputs);
        }
        self.next_control_us = now_us + if self.is_busy() { PERIOD_BUSY_US } else { PERIOD_REST_US };
    }

    /// The MCU goes away; the bridges have a pull-down, so the motors are without power.
    fn restart(&mut self, now_us: u64, reason: ResetReason) {
        self.world.step(now_us.saturating_sub(self.world_us), &self.outputs);
        self.world_us = now_us;
        self.outputs = UNPOWERED;
        let McuProfile { boot_ms, .. } = self.profile.mcu;
        self.mcu = Mcu::Starting { until_us: now_us + ms(boot_ms), reason };
    }

    fn boot(&mut self, now_us: u64, reason: ResetReason) {
        let config = self.profile.controller_config();
        self.controller = Controller::new(config, self.boot_ids.bits(), reason);
        self.clock = McuClock::started(now_us, self.profile.mcu.clock_ppm);
        self.world.restart_counters();
        self.mcu = Mcu::Running;
        self.next_control_us = now_us;
    }

    fn is_busy(&self) -> bool {
        let view = self.view();
        let orders = [view.left_target_mps, view.right_target_mps, view.left_ramp_mps, view.right_ramp_mps];
        orders.iter().any(|&order_mps| order_mps != 0.0) || !self.world.at_rest()
    }
}

fn ms(ms: u32) -> u64 {
    u64::from(ms) * 1000
}
