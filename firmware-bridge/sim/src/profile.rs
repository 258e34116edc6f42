//! What a simulated body is made of: the numbers of its wheels, head, battery, sensors and microcontroller.
//!
//! Read from TOML; whatever a file leaves out is as in profile `sim`. Unknown keys and impossible numbers are refused,
//! so that everything behind this module can compute without checking again.

use std::path::{Path, PathBuf};

use firmware_bridge_controller::Config;
use firmware_bridge_link::limits::{EMERGENCY_MPS2_MAX, HOLD_MS_MAX, HOLD_MS_MIN};
use firmware_bridge_link::message::{Limits, RANGES_MAX};
use serde::Deserialize;

use crate::faults::RangeSide;

/// Firmware version that a simulated body reports.
const FIRMWARE: [u8; 3] = [0, 1, 0];

/// One kind of body. [`BodyProfile::default`] is the profile `sim`: 0.6 m/s and 2.0 rad/s.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BodyProfile {
    /// Board name in `Hello`: 1 to 16 ASCII characters.
    pub board: String,
    /// Distance between the wheels, m.
    pub track_m: f32,
    /// Radius of the round body, m.
    pub radius_m: f32,
    /// Longest time without an accepted setpoint, ms.
    pub hold_ms: u16,
    /// Drive train.
    pub wheels: WheelProfile,
    /// Head servos; a body without them: `head.fitted = false`.
    pub head: HeadProfile,
    /// Battery.
    pub battery: BatteryProfile,
    /// Range sensors, in the order of the telemetry.
    pub ranges: Vec<RangeProfile>,
    /// Microcontroller.
    pub mcu: McuProfile,
}

/// Drive train of both sides.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WheelProfile {
    /// Highest speed of one wheel, m/s.
    pub mps_max: f32,
    /// Normal acceleration, m/s².
    pub acceleration_mps2: f32,
    /// Emergency deceleration, m/s².
    pub emergency_mps2: f32,
    /// Time constant with which a driven wheel follows its order, ms.
    pub motor_lag_ms: f32,
    /// Time from full speed to standstill with unpowered motors, ms.
    pub coast_ms: f32,
    /// Way of the rim for one count of the encoder, um.
    pub encoder_tick_um: u32,
    /// Largest share of a wheel's way that is lost to slip, 0..=0.2.
    pub slip_max: f32,
}

/// Head servos.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeadProfile {
    /// Whether there is a head.
    pub fitted: bool,
    /// Largest pan to either side, rad.
    pub pan_rad_max: f32,
    /// Largest tilt up or down, rad.
    pub tilt_rad_max: f32,
    /// How fast the servos turn, rad/s.
    pub slew_radps: f32,
}

/// Battery.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatteryProfile {
    /// Voltage without load when full, mV.
    pub full_mv: u16,
    /// Voltage without load when empty, mV.
    pub empty_mv: u16,
    /// Under this the controller drives more slowly, mV.
    pub soft_mv: u16,
    /// Under this the controller stops, mV.
    pub cut_mv: u16,
    /// Charge when full, mAh.
    pub capacity_mah: f32,
    /// Charge at the start, percent.
    pub charge_percent: f32,
    /// Internal resistance, ohm.
    pub resistance_ohm: f32,
    /// Current of the electronics, A.
    pub idle_a: f32,
    /// Further current of one motor at full speed, A.
    pub motor_a: f32,
    /// Further current of one motor at emergency acceleration, A.
    pub surge_a: f32,
}

/// One range sensor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RangeProfile {
    /// Where it looks.
    pub side: RangeSide,
    /// Farthest echo, m.
    pub reach_m: f32,
}

/// Microcontroller.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct McuProfile {
    /// Time from reset to the first control step, ms.
    pub boot_ms: u32,
    /// Time after which the hardware watchdog resets a hung MCU, ms.
    pub watchdog_ms: u32,
    /// How much faster than true time its clock runs, parts per million.
    pub clock_ppm: i32,
}

/// Why a profile was refused.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file could not be read.
    #[error("cannot read profile {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not TOML, or has a key or type that no profile has.
    #[error("profile is not valid")]
    Parse(#[source] Box<toml::de::Error>),
    /// A number is impossible.
    #[error("profile: {key} = {value} must be {wanted}")]
    Range {
        /// Which key.
        key: &'static str,
        /// What it was.
        value: String,
        /// What it may be.
        wanted: String,
    },
}

impl BodyProfile {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// When it cannot be read, is not a profile, or has an impossible number.
    pub fn load(path: &Path) -> Result<Self, ProfileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ProfileError::Read { path: path.to_owned(), source })?;
        Self::from_toml(&text)
    }

    /// Reads and checks a text.
    ///
    /// # Errors
    /// When it is not a profile or has an impossible number.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text).map_err(|error| ProfileError::Parse(Box::new(error)))?;
        profile.check()?;
        Ok(profile)
    }

    /// What is compiled into the firmware of this body.
    #[must_use]
    pub fn controller_config(&self) -> Config {
        let mut board = [0; 16];
        for (place, byte) in board.iter_mut().zip(self.board.bytes()) {
            *place = byte;
        }
        Config {
            board,
            firmware: FIRMWARE,
            head: self.head.fitted,
            lights: true,
            ranges: self.ranges.len().min(RANGES_MAX) as u8,
            limits: Limits {
                wheel_mps_max: self.wheels.mps_max,
                acceleration_mps2: self.wheels.acceleration_mps2,
                emergency_mps2: self.wheels.emergency_mps2,
                hold_ms: self.hold_ms,
                pan_rad_max: self.head.pan_rad_max,
                tilt_rad_max: self.head.tilt_rad_max,
            },
            battery_soft_mv: self.battery.soft_mv,
            battery_cut_mv: self.battery.cut_mv,
        }
    }

    fn check(&self) -> Result<(), ProfileError> {
        if self.board.is_empty() || self.board.len() > 16 || !self.board.is_ascii() {
            return Err(refuse("board", &self.board, "1 to 16 ASCII characters"));
        }
        if self.ranges.len() > RANGES_MAX {
            return Err(refuse("ranges", self.ranges.len(), format_args!("at most {RANGES_MAX} sensors")));
        }
        let (wheels, head, battery) = (&self.wheels, &self.head, &self.battery);
        within("track_m", self.track_m, 0.02, 2.0)?;
        within("radius_m", self.radius_m, 0.02, 0.5)?;
        within("hold_ms", f32::from(self.hold_ms), f32::from(HOLD_MS_MIN), f32::from(HOLD_MS_MAX))?;
        within("wheels.mps_max", wheels.mps_max, 0.01, 5.0)?;
        within("wheels.acceleration_mps2", wheels.acceleration_mps2, 0.01, EMERGENCY_MPS2_MAX)?;
        within("wheels.emergency_mps2", wheels.emergency_mps2, wheels.acceleration_mps2, EMERGENCY_MPS2_MAX)?;
        within("wheels.motor_lag_ms", wheels.motor_lag_ms, 1.0, 1000.0)?;
        within("wheels.coast_ms", wheels.coast_ms, 10.0, 10_000.0)?;
        within("wheels.encoder_tick_um", wheels.encoder_tick_um as f32, 1.0, 10_000.0)?;
        within("wheels.slip_max", wheels.slip_max, 0.0, 0.2)?;
        within("head.pan_rad_max", head.pan_rad_max, 0.0, 3.2)?;
        within("head.tilt_rad_max", head.tilt_rad_max, 0.0, 1.6)?;
        within("head.slew_radps", head.slew_radps, 0.1, 20.0)?;
        within("battery.empty_mv", f32::from(battery.empty_mv), 1000.0, 60_000.0)?;
        within("battery.full_mv", f32::from(battery.full_mv), f32::from(battery.empty_mv) + 1.0, 65_000.0)?;
        within("battery.cut_mv", f32::from(battery.cut_mv), 0.0, f32::from(battery.soft_mv))?;
        within("battery.soft_mv", f32::from(battery.soft_mv), 0.0, f32::from(battery.full_mv))?;
        within("battery.capacity_mah", battery.capacity_mah, 10.0, 1e6)?;
        within("battery.charge_percent", battery.charge_percent, 0.0, 100.0)?;
        within("battery.resistance_ohm", battery.resistance_ohm, 0.0, 1.0)?;
        within("battery.idle_a", battery.idle_a, 0.0, 10.0)?;
        within("battery.motor_a", battery.motor_a, 0.0, 20.0)?;
        within("battery.surge_a", battery.surge_a, 0.0, 20.0)?;
        for range in &self.ranges {
            within("ranges.reach_m", range.reach_m, 0.1, 60.0)?;
        }
        within("mcu.boot_ms", self.mcu.boot_ms as f32, 1.0, 5000.0)?;
        within("mcu.watchdog_ms", self.mcu.watchdog_ms as f32, 1.0, 1000.0)?;
        within("mcu.clock_ppm", self.mcu.clock_ppm as f32, -500.0, 500.0)
    }
}

fn within(key: &'static str, value: f32, min: f32, max: f32) -> Result<(), ProfileError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(refuse(key, value, format_args!("{min} to {max}")))
}

fn refuse(key: &'static str, value: impl ToString, wanted: impl ToString) -> ProfileError {
    ProfileError::Range { key, value: value.to_string(), wanted: wanted.to_string() }
}

impl Default for BodyProfile {
    fn default() -> Self {
        Self {
            board: "sim".to_owned(),
            track_m: 0.2,
            radius_m: 0.12,
            hold_ms: 100,
            wheels: WheelProfile::default(),
            head: HeadProfile::default(),
            battery: BatteryProfile::default(),
            ranges: vec![
                RangeProfile { side: RangeSide::Front, reach_m: 2.0 },
                RangeProfile { side: RangeSide::Rear, reach_m: 2.0 },
            ],
            mcu: McuProfile::default(),
        }
    }
}

impl Default for WheelProfile {
    fn default() -> Self {
        Self {
            // 0.6 m/s ahead and 2.0 rad/s of turn at once, on a track of 0.2 m.
            mps_max: 0.8,
            acceleration_mps2: 1.0,
            emergency_mps2: 3.0,
            motor_lag_ms: 50.0,
            coast_ms: 500.0,
            // 4096 counts on a wheel of 65 mm.
            encoder_tick_um: 50,
            slip_max: 0.01,
        }
    }
}

impl Default for HeadProfile {
    fn default() -> Self {
        Self { fitted: true, pan_rad_max: 1.2, tilt_rad_max: 0.6, slew_radps: 3.0 }
    }
}

impl Default for BatteryProfile {
    fn default() -> Self {
        Self {
            full_mv: 12_600,
            empty_mv: 9_000,
            soft_mv: 10_500,
            cut_mv: 9_600,
            capacity_mah: 10_000.0,
            charge_percent: 95.0,
            resistance_ohm: 0.12,
            idle_a: 0.08,
            motor_a: 0.4,
            surge_a: 0.8,
        }
    }
}

impl Default for McuProfile {
    fn default() -> Self {
        Self { boot_ms: 20, watchdog_ms: 50, clock_ppm: 20 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_profile_sim() {
        // What a file leaves out is as in profile `sim`.
        assert_eq!(BodyProfile::from_toml("").unwrap(), BodyProfile::default());
        let config = BodyProfile::default().controller_config();
        assert_eq!(config.limits.wheel_mps_max, 0.6 + 2.0 * 0.2 / 2.0);
        assert_eq!(&config.board[..4], b"sim\0");
        assert_eq!(config.ranges, 2);
    }

    #[test]
    fn some_keys_can_be_changed() {
        // A file changes what it names and nothing else.
        let profile = BodyProfile::from_toml(
            "hold_ms = 200\n[head]\nfitted = false\n[[ranges]]\nside = \"rear\"\nreach_m = 1.5",
        )
        .unwrap();
        assert_eq!(profile.hold_ms, 200);
        assert!(!profile.controller_config().head);
        assert_eq!(profile.controller_config().ranges, 1);
        assert_eq!(profile.wheels, WheelProfile::default());
    }

    /// A bad profile is refused with a message that names `wanted`.
    fn check_refused(text: &str, wanted: &str) {
        let error = BodyProfile::from_toml(text).unwrap_err();
        let message = format!(
            "{error}: {}",
            std::error::Error::source(&error).map_or(String::new(), ToString::to_string)
        );
        assert!(message.contains(wanted), "{message}");
    }

    #[test]
    fn impossible_profiles_are_refused_by_name() {
        // Whoever writes a wrong profile reads which key is wrong.
        check_refused("speed = 1", "speed");
        check_refused("[wheels]\nmps = 1.0", "mps");
        check_refused("hold_ms = 20", "hold_ms = 20 must be 60 to 500");
        check_refused("track_m = nan", "track_m");
        check_refused("[wheels]\nmotor_lag_ms = 0.0", "motor_lag_ms");
        check_refused("[wheels]\nemergency_mps2 = 0.5", "emergency_mps2");
        check_refused("[battery]\nfull_mv = 8000", "full_mv");
        check_refused("board = \"a name that is too long\"", "board");
        check_refused("[[ranges]]\nside = \"left\"\nreach_m = 1.0", "left");
    }
}
