//! A body in its room: what the controller's outputs do to it, and what its sensors then measure.
//!
//! Pure and deterministic: the same seed and the same steps give the same world. It has no clock of its own beyond the
//! steps it was given, and it knows nothing of the link.

mod battery;
mod drive_train;
mod head;
mod inertia;
mod noise;
mod ranges;

use firmware_bridge_controller::{Inputs, Outputs};

use self::battery::Battery;
use self::drive_train::{DriveTrain, Power, Turned};
use self::head::Head;
use self::inertia::Inertia;
pub(crate) use self::noise::Noise;
use self::ranges::RangeSensors;
use crate::faults::{RangeSide, Wheel};
use crate::profile::BodyProfile;
use crate::room::{Point, Room};

/// Longest piece of time computed at once, us: short against the motor lag, and no wheel passes a wall in it.
const PIECE_US: u64 = 5_000;

/// Where the body is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Its centre.
    pub at: Point,
    /// Where it looks, rad, counter-clockwise positive, not wrapped.
    pub heading_rad: f64,
}

/// Parts of the world that are broken or forced; all fine by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defects {
    /// The left encoder does not count.
    pub left_encoder_stuck: bool,
    /// The right encoder does not count.
    pub right_encoder_stuck: bool,
    /// The front range sensor gives no new readings.
    pub front_range_dead: bool,
    /// The rear range sensor gives no new readings.
    pub rear_range_dead: bool,
    /// Voltage of the battery without load, instead of what its charge gives, mV.
    pub battery_mv: Option<u16>,
    /// The e-stop button is down.
    pub estop_pressed: bool,
}

impl Defects {
    pub(crate) fn stick_encoder(&mut self, wheel: Wheel) {
        match wheel {
            Wheel::Left => self.left_encoder_stuck = true,
            Wheel::Right => self.right_encoder_stuck = true,
        }
    }

    pub(crate) fn kill_range(&mut self, side: RangeSide) {
        match side {
            RangeSide::Front => self.front_range_dead = true,
            RangeSide::Rear => self.rear_range_dead = true,
        }
    }
}

/// One body in one room.
#[derive(Clone, Debug)]
pub struct World {
    room: Room,
    radius_m: f64,
    now_us: u64,
    pose: Pose,
    touching: bool,
    noise: Noise,
    drive_train: DriveTrain,
    head: Head,
    battery: Battery,
    inertia: Inertia,
    ranges: RangeSensors,
    /// What is broken in it.
    pub defects: Defects,
}

impl World {
    /// A body at rest at the start of its room.
    #[must_use]
    pub fn new(profile: &BodyProfile, room: Room, seed: u64) -> Self {
        let mut noise = Noise::seeded(seed);
        Self {
            room,
            radius_m: f64::from(profile.radius_m),
            now_us: 0,
            pose: Pose { at: Point { x_m: 0.0, y_m: 0.0 }, heading_rad: 0.0 },
            touching: false,
            drive_train: DriveTrain::new(profile, &mut noise),
            head: Head::new(&profile.head),
            battery: Battery::new(profile),
            inertia: Inertia::new(&mut noise),
            ranges: RangeSensors::new(&profile.ranges),
            noise,
            defects: Defects::default(),
        }
    }

    /// Lets `dt_us` pass with the same outputs, then measures.
    pub fn step(&mut self, dt_us: u64, outputs: &Outputs) -> Inputs {
        let before_mps = self.drive_train.forward_mps();
        let before_rad = self.pose.heading_rad;
        let mut left_us = dt_us;
        while left_us > 0 {
            let piece_us = left_us.min(PIECE_US);
            self.pass(piece_us, outputs);
            left_us -= piece_us;
        }
        let moved = inertia::Moved {
            dt_s: seconds(dt_us),
            speed_change_mps: self.drive_train.forward_mps() - before_mps,
            turn_rad: self.pose.heading_rad - before_rad,
        };
        let (gyro_radps, acceleration_mps2) = self.inertia.measure(moved, &mut self.noise);
        let (left_um, right_um) = self.drive_train.counted_um();
        Inputs {
            left_um,
            right_um,
            gyro_radps,
            acceleration_mps2,
            ranges: self.ranges.readings(self.now_us),
            battery_mv: self.battery.voltage_mv(&self.defects),
            battery_percent: self.battery.percent(&self.defects),
            pan_rad: self.head.pan_rad(),
            tilt_rad: self.head.tilt_rad(),
            estop_pressed: self.defects.estop_pressed,
        }
    }

    fn pass(&mut self, piece_us: u64, outputs: &Outputs) {
        self.now_us += piece_us;
        let dt_s = seconds(piece_us);
        let turned =
            self.drive_train.pass(dt_s, self.now_us, Power::of(outputs), &self.defects, &mut self.noise);
        self.move_over_ground(turned);
        self.head.pass(dt_s, outputs);
        self.battery.pass(dt_s, &self.drive_train);
        self.ranges.pass(self.now_us, &self.room, &self.pose, self.radius_m, &self.defects, &mut self.noise);
    }

    fn move_over_ground(&mut self, turned: Turned) {
        if turned.forward_m == 0.0 && turned.turn_rad == 0.0 {
            return;
        }
        let middle_rad = self.pose.heading_rad + turned.turn_rad / 2.0;
        let wanted = Point {
            x_m: self.pose.at.x_m + turned.forward_m * middle_rad.cos(),
            y_m: self.pose.at.y_m + turned.forward_m * middle_rad.sin(),
        };
        (self.pose.at, self.touching) = self.room.slide(self.pose.at, wanted, self.radius_m);
        self.pose.heading_rad += turned.turn_rad;
    }

    /// The counters of the encoders start again, as they do when the MCU restarts.
    pub fn restart_counters(&mut self) {
        self.drive_train.restart_counters();
    }

    /// Where the body really is.
    #[must_use]
    pub fn pose(&self) -> Pose {
        self.pose
    }

    /// True speed of both rims, m/s, left and right.
    #[must_use]
    pub fn wheels_mps(&self) -> (f64, f64) {
        self.drive_train.speeds_mps()
    }

    /// Whether the body rubs against a wall.
    #[must_use]
    pub fn touches_wall(&self) -> bool {
        self.touching
    }

    /// Whether wheels and head stand.
    #[must_use]
    pub fn at_rest(&self) -> bool {
        self.drive_train.speeds_mps() == (0.0, 0.0) && !self.head.turns()
    }

    /// The room.
    #[must_use]
    pub fn room(&self) -> &Room {
        &self.room
    }
}

fn seconds(us: u64) -> f64 {
    us as f64 * 1e-6
}

#[cfg(test)]
mod tests;
