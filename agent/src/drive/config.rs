//! The settings of everything that moves: `[body]`, `[motion]`, `[head]`, `[safety]`, `[ai]`.
//!
//! Builds the [`Profile`] that the gate, the session and the simulated body share, and refuses one that breaks its promise
//! of standing still.

use agent_core::ai::AiBounds;
use agent_core::profile::{HeadLimits, Profile, RangeDirection, RangePolicy};
use firmware_bridge_link::limits::EMERGENCY_MPS2_MAX;
use firmware_bridge_link::message::RANGES_MAX;

use cloud_sync_api::settings::{Key, Kind, Problems, Settings, Source};

const fn number(name: &'static str, min: f64, max: f64, unit: &'static str, help: &'static str) -> Key {
    Key { name, kind: Kind::Number { min, max, unit }, default: None, help }
}

const fn integer(name: &'static str, min: i64, max: i64, unit: &'static str, help: &'static str) -> Key {
    Key { name, kind: Kind::Integer { min, max, unit }, default: None, help }
}

const fn bound(
    name: &'static str,
    min: f64,
    max: f64,
    unit: &'static str,
    default: &'static str,
    help: &'static str,
) -> Key {
    Key { name, kind: Kind::Number { min, max, unit }, default: Some(default), help }
}

/// The keys. Those without a default stand in every profile.
pub const KEYS: &[Key] = &[
    Key {
        name: "body.driver",
        kind: Kind::Choice(&["sim", "serial"]),
        default: Some("sim"),
        help: "sim: a simulated body inside the agent; serial: a microcontroller, or robbie-body, at body.port",
    },
    Key {
        name: "body.port",
        kind: Kind::Text {
            allowed: "the path of a serial port, such as /dev/serial/by-id/...",
            accepts: is_path,
        },
        default: None,
        help: "serial port of the body, for driver = \"serial\"",
    },
    Key {
        name: "body.baud",
        kind: Kind::Integer { min: 9600, max: 4_000_000, unit: "baud" },
        default: Some("921600"),
        help: "rate of the serial line",
    },
    Key {
        name: "body.sim_seed",
        kind: Kind::Integer { min: 0, max: i64::MAX, unit: "" },
        default: Some("1"),
        help: "seed of the simulated body's noise",
    },
    number("motion.linear_mps_max", 0.05, 3.0, "m/s", "hard limit of forward and backward speed"),
    number("motion.angular_radps_max", 0.1, 10.0, "rad/s", "hard limit of turn rate"),
    number("motion.acceleration_mps2", 0.1, 10.0, "m/s²", "normal acceleration of a wheel"),
    number(
        "motion.emergency_mps2",
        0.1,
        EMERGENCY_MPS2_MAX as f64,
        "m/s²",
        "emergency deceleration of a wheel",
    ),
    number("motion.track_m", 0.03, 2.0, "m", "distance between the wheels"),
    integer("motion.motor_lag_ms", 0, 500, "ms", "time constant of the motors"),
    number("head.pan_rad_max", 0.0, 3.15, "rad", "largest pan to either side"),
    number("head.tilt_rad_max", 0.0, 1.58, "rad", "largest tilt up or down"),
    integer("safety.hold_ms", 60, 500, "ms", "the body stops by itself after this long without a setpoint"),
    integer("safety.watchdog_ms", 10, 1000, "ms", "hardware watchdog of the microcontroller"),
    integer("safety.coast_ms", 0, 5000, "ms", "time to standstill with unpowered motors from full speed"),
    Key {
        name: "safety.standstill_promise_ms",
        kind: Kind::Integer { min: 100, max: 5000, unit: "ms" },
        default: Some("1000"),
        help: "every computed time to standstill must stay under this, or the agent does not start",
    },
    Key {
        name: "safety.range",
        kind: Kind::Choice(&["sensors", "none"]),
        default: Some("sensors"),
        help: "sensors: age and distance of safety.range_sensors limit the speed; none: drive without, below \
               safety.linear_mps_max",
    },
    Key {
        name: "safety.range_sensors",
        kind: Kind::List { allowed: "front, rear or unused", accepts: is_range_sensor },
        default: None,
        help: "where the body's range sensors look, in the order of its telemetry (at most 4)",
    },
    Key {
        name: "safety.linear_mps_max",
        kind: Kind::Number { min: 0.01, max: 3.0, unit: "m/s" },
        default: None,
        help: "speed limit without range sensors, for range = \"none\"",
    },
    bound(
        "ai.linear_mps_max",
        0.01,
        1.0,
        "m/s",
        "0.2",
        "speed of what a chat moves; more than 0.2 only in the file",
    ),
    bound(
        "ai.distance_m_max",
        0.0,
        50.0,
        "m",
        "2.0",
        "way that one chat message may cause; more than 2.0 only in the file",
    ),
    bound(
        "ai.angle_deg_max",
        0.0,
        3600.0,
        "degrees",
        "360",
        "turning that one chat message may cause; more than 360 only in the file",
    ),
    bound(
        "ai.seconds_max",
        0.0,
        300.0,
        "s",
        "20",
        "time that one chat message may move; more than 20 only in the file",
    ),
];

fn is_path(text: &str) -> bool {
    !text.is_empty() && !text.contains('\0')
}

fn is_range_sensor(text: &str) -> bool {
    matches!(text, "front" | "rear" | "unused")
}

/// Which body is driven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyConfig {
    /// A simulated one in this process, behind a real pty.
    Sim {
        /// Seed of its noise.
        seed: u64,
    },
    /// One that speaks the link at a serial port (or the pty of `robbie-body`).
    Serial {
        /// The port.
        port: String,
    },
}

/// Settings of everything that moves.
#[derive(Clone, Debug, PartialEq)]
pub struct DriveConfig {
    /// Which body.
    pub body: BodyConfig,
    /// Its numbers, shared with gate, session and simulated body.
    pub profile: Profile,
}

impl DriveConfig {
    /// Reads the settings. Refuses what is incomplete or would not stand still in time.
    pub fn read(settings: &Settings) -> Result<Self, Problems> {
        let profile = Profile {
            linear_mps_max: settings.number_f32("motion.linear_mps_max")?,
            angular_radps_max: settings.number_f32("motion.angular_radps_max")?,
            acceleration_mps2: settings.number_f32("motion.acceleration_mps2")?,
            emergency_mps2: settings.number_f32("motion.emergency_mps2")?,
            track_m: settings.number_f32("motion.track_m")?,
            motor_lag_ms: settings.integer("motion.motor_lag_ms")?,
            hold_ms: settings.integer("safety.hold_ms")?,
            watchdog_ms: settings.integer("safety.watchdog_ms")?,
            coast_ms: settings.integer("safety.coast_ms")?,
            baud: settings.integer("body.baud")?,
            standstill_promise_ms: settings.integer("safety.standstill_promise_ms")?,
            head: HeadLimits {
                pan_rad_max: settings.number_f32("head.pan_rad_max")?,
                tilt_rad_max: settings.number_f32("head.tilt_rad_max")?,
            },
            range: range(settings)?,
            ai: ai(settings)?,
        };
        if profile.emergency_mps2 < profile.acceleration_mps2 {
            let what =
                format!("must be at least motion.acceleration_mps2, {} m/s²", profile.acceleration_mps2);
            return Err(settings.problem("motion.emergency_mps2", what));
        }
        Ok(Self { body: body(settings)?, profile })
    }
}

/// What one message of a chat may move. Anybody may ask for less; more stands in the file, where only the owner writes.
fn ai(settings: &Settings) -> Result<AiBounds, Problems> {
    let bounded = |name: &'static str, default: f32| {
        let value = settings.number_f32(name)?;
        let is_by_hand = matches!(settings.source(name), Source::Variable(_) | Source::Flag(_));
        if is_by_hand && value > default {
            let what = format!("is at most {default} here; only the configuration file raises it");
            return Err(settings.problem(name, what));
        }
        Ok(value)
    };
    let default = AiBounds::DEFAULT;
    Ok(AiBounds {
        linear_mps: bounded("ai.linear_mps_max", default.linear_mps)?,
        distance_m: bounded("ai.distance_m_max", default.distance_m)?,
        angle_rad: bounded("ai.angle_deg_max", default.angle_rad.to_degrees())?.to_radians(),
        seconds: bounded("ai.seconds_max", default.seconds)?,
    })
}

fn body(settings: &Settings) -> Result<BodyConfig, Problems> {
    if settings.text("body.driver") == Some("serial") {
        let port = settings.text("body.port").ok_or_else(|| settings.missing("body.port"))?;
        return Ok(BodyConfig::Serial { port: port.to_owned() });
    }
    Ok(BodyConfig::Sim { seed: settings.integer("body.sim_seed")? })
}

fn range(settings: &Settings) -> Result<RangePolicy, Problems> {
    if settings.text("safety.range") == Some("none") {
        return Ok(RangePolicy::None { linear_mps_max: settings.number_f32("safety.linear_mps_max")? });
    }
    let named = settings.list("safety.range_sensors");
    if named.len() > RANGES_MAX {
        return Err(settings
            .problem("safety.range_sensors", format!("has {} items, at most {RANGES_MAX}", named.len())));
    }
    let mut sensors = [None; RANGES_MAX];
    for (sensor, name) in sensors.iter_mut().zip(named) {
        *sensor = match name.as_str() {
            "front" => Some(RangeDirection::Front),
            "rear" => Some(RangeDirection::Rear),
            _ => None,
        };
    }
    if sensors.iter().all(Option::is_none) {
        let what =
            "must name a sensor; to drive without one, set safety.range = \"none\" and safety.linear_mps_max";
        return Err(settings.problem("safety.range_sensors", what));
    }
    Ok(RangePolicy::Sensors(sensors))
}
