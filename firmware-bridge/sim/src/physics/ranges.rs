//! Range sensors: a narrow cone from the edge of the body, read 25 times a second, with noise and an age.

use std::f64::consts::PI;

use firmware_bridge_link::message::{RANGES_MAX, RangeReading};

use super::noise::Noise;
use super::{Defects, Pose};
use crate::faults::RangeSide;
use crate::profile::RangeProfile;
use crate::room::{Point, Room};

/// Time between two readings of one sensor, us.
const PERIOD_US: u64 = 40_000;
/// Half the opening of the cone, rad (12 degrees), as of a small time-of-flight sensor.
const CONE_RAD: f64 = 0.21;
const NOISE_M: f64 = 0.003;
/// Nothing within reach, or never read.
const NOTHING: u16 = u16::MAX;

#[derive(Clone, Debug)]
pub(crate) struct RangeSensors(Vec<RangeSensor>);

#[derive(Clone, Debug)]
struct RangeSensor {
    side: RangeSide,
    reach_m: f64,
    next_us: u64,
    last: Option<Reading>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    mm: u16,
    at_us: u64,
}

impl RangeSensors {
    pub(crate) fn new(profiles: &[RangeProfile]) -> Self {
        // They share one bus, so they take turns.
        let apart_us = PERIOD_US / profiles.len().max(1) as u64;
        let sensors = profiles.iter().zip(0_u64..).map(|(profile, index)| RangeSensor {
            side: profile.side,
            reach_m: f64::from(profile.reach_m),
            next_us: index * apart_us,
            last: None,
        });
        Self(sensors.collect())
    }

    /// Reads the sensors whose time has come.
    pub(crate) fn pass(
        &mut self,
        now_us: u64,
        room: &Room,
        pose: &Pose,
        radius_m: f64,
        defects: &Defects,
        noise: &mut Noise,
    ) {
        for sensor in &mut self.0 {
            if now_us < sensor.next_us {
                continue;
            }
            sensor.next_us += PERIOD_US;
            let dead = match sensor.side {
                RangeSide::Front => defects.front_range_dead,
                RangeSide::Rear => defects.rear_range_dead,
            };
            if !dead {
                let mm = sensor.measure(room, pose, radius_m, noise);
                sensor.last = Some(Reading { mm, at_us: now_us });
            }
        }
    }

    pub(crate) fn readings(&self, now_us: u64) -> [RangeReading; RANGES_MAX] {
        let mut readings = [RangeReading { mm: NOTHING, age_ms: u16::MAX }; RANGES_MAX];
        for (reading, sensor) in readings.iter_mut().zip(&self.0) {
            if let Some(last) = sensor.last {
                let age_ms = (now_us - last.at_us) / 1000;
                // One less than "never": an old reading stays an old reading.
                *reading = RangeReading { mm: last.mm, age_ms: age_ms.min(u64::from(u16::MAX - 1)) as u16 };
            }
        }
        readings
    }
}

impl RangeSensor {
    fn measure(&self, room: &Room, pose: &Pose, radius_m: f64, noise: &mut Noise) -> u16 {
        let heading_rad = match self.side {
            RangeSide::Front => pose.heading_rad,
            RangeSide::Rear => pose.heading_rad + PI,
        };
        let edge = Point {
            x_m: pose.at.x_m + radius_m * heading_rad.cos(),
            y_m: pose.at.y_m + radius_m * heading_rad.sin(),
        };
        let nearest_m = [-CONE_RAD, 0.0, CONE_RAD]
            .iter()
            .filter_map(|aside_rad| room.ray(edge, heading_rad + aside_rad, self.reach_m))
            .min_by(f64::total_cmp);
        let noise_m = noise.normal(NOISE_M);
        let Some(distance_m) = nearest_m else { return NOTHING };
        ((distance_m + noise_m) * 1e3).clamp(0.0, f64::from(NOTHING - 1)) as u16
    }
}
