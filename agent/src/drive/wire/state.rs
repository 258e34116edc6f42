//! State, as `GET state`, the streams and the teleop socket show it.

use std::collections::BTreeMap;
use std::time::Duration;

use agent_core::profile::{Profile, RangeDirection, RangePolicy};
use agent_core::request::LeaseView;
use agent_core::snapshot::{Closed, EStopStage, EStopView, Snapshot};
use agent_core::time::BootTime;
use firmware_bridge_link::message::State as McuState;
use serde::Serialize;
use utoipa::ToSchema;

use super::identity::Identity;
use super::ids::{SeenBody, lease_name};

pub(in crate::drive) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Rounds to what the sensors can tell, so that a state stays short on the wire.
pub(super) fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (value * scale).round() / scale
}

/// The robot now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct State {
    /// Robot id.
    pub robot: String,
    /// The robot's stamp of this state; echo it with commands.
    pub seen: SeenBody,
    /// Wheels.
    pub base: Base,
    /// Head.
    pub head: Head,
    /// Lights.
    pub lights: LightsState,
    /// Battery; null before the first reading.
    pub battery: Option<Battery>,
    /// E-stop.
    pub estop: EStopBrief,
    /// Who holds what.
    pub control: Control,
    /// Speed limits now.
    pub envelope: EnvelopeState,
    /// The microcontroller.
    pub mcu: Mcu,
    /// Readings of the body's sensors, by name.
    #[schema(value_type = Object)]
    pub sensors: BTreeMap<&'static str, Reading>,
}

/// Wheels.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Base {
    /// From wheel odometry since the agent started.
    pub pose: PoseState,
    /// Measured.
    pub velocity: Velocity,
    /// In force, after clamping.
    pub setpoint: Option<SetpointState>,
    /// Null while open.
    pub closed: Option<ClosedState>,
}

/// Where the robot is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PoseState {
    /// Forward at start, m.
    pub x_m: f64,
    /// Left at start, m.
    pub y_m: f64,
    /// Counter-clockwise, rad.
    pub heading_rad: f64,
}

/// A speed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Velocity {
    /// Forward, m/s.
    pub linear_mps: f64,
    /// Counter-clockwise, rad/s.
    pub angular_radps: f64,
}

/// A setpoint in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SetpointState {
    /// Forward, m/s.
    pub linear_mps: f64,
    /// Counter-clockwise, rad/s.
    pub angular_radps: f64,
    /// Ends in, ms.
    pub expires_in_ms: u64,
}

/// Why something is closed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ClosedState {
    /// `starting`, `restart`, `tick-gap`, `hold`, `link-lost`, `mcu-reset`, `mcu-fault`, `stop` or `estop`.
    pub by: &'static str,
    /// In words.
    pub reason: String,
    /// How long ago, ms.
    pub since_ms: u64,
}

impl ClosedState {
    pub(super) fn of(closed: Closed, now: BootTime) -> Self {
        Self {
            by: closed.by.as_str(),
            reason: closed.reason.to_string(),
            since_ms: ms(now.since(closed.since)),
        }
    }
}

/// Head.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Head {
    /// Measured, to the left positive, rad.
    pub pan_rad: f64,
    /// Measured, up positive, rad.
    pub tilt_rad: f64,
    /// Null while open.
    pub closed: Option<ClosedState>,
}

/// Lights as ordered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LightsState {
    /// On or off.
    pub on: bool,
    /// `#rrggbb`.
    pub color: String,
    /// 0 ..= 1.
    pub brightness: f64,
}

/// Battery.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Battery {
    /// Voltage.
    pub voltage_v: f64,
    /// Charge.
    pub percent: u8,
}

/// E-stop, in short.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EStopBrief {
    /// Latched.
    pub latched: bool,
    /// Rises with every new e-stop.
    pub epoch: u32,
    /// `clear`, `requested`, `sent` or `confirmed`.
    pub stage: &'static str,
    /// In the words of whoever pressed it.
    pub reason: String,
    /// How long ago, ms; null while clear or when it was latched before this run.
    pub since_ms: Option<u64>,
}

/// Who holds what.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Control {
    /// Wheels.
    pub base: Option<Holder>,
    /// Head.
    pub head: Option<Holder>,
    /// Lights.
    pub lights: Option<Holder>,
    /// Somebody who is there, so that a chat may move the body.
    pub presence: Option<Holder>,
}

/// A lease as everyone may see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Holder {
    /// Lease id.
    pub lease: String,
    /// Name of its token.
    pub holder: String,
    /// `local`, `remote`, `autonomy` or `ai`.
    pub class: &'static str,
    /// Ends in, ms.
    pub expires_in_ms: u64,
}

/// Speed limits now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EnvelopeState {
    /// m/s.
    pub linear_mps: f64,
    /// rad/s.
    pub angular_radps: f64,
    /// `none`, `range-stale`, `obstacle`, `link-slow`, `battery-low`, `no-range` or `ai-bounds`.
    pub reason: &'static str,
}

/// The microcontroller.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Mcu {
    /// `up` or `down`.
    pub link: &'static str,
    /// Setpoints move the body.
    pub armed: bool,
    /// `boot`, `disarmed`, `armed`, `stopped`, `estop`, `fault`, or `unknown`.
    pub state: &'static str,
    /// Random for each start of the MCU.
    pub boot_id: Option<u32>,
    /// Median round trip, us.
    pub rtt_us: Option<u64>,
    /// Version of its firmware.
    pub firmware: String,
    /// Frames lost in either direction.
    pub frames_lost: u32,
}

/// A reading of a sensor.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reading {
    /// Null: nothing within reach, or never read.
    pub value: Option<f64>,
    /// Unit of the value.
    pub unit: &'static str,
    /// Age, ms; null: never read.
    pub age_ms: Option<u64>,
}

impl State {
    /// The state that `snapshot` shows.
    pub fn of(snapshot: &Snapshot, identity: &Identity) -> Self {
        let [base, head, lights, presence] = snapshot.leases.map(|held| held.map(|held| Holder::of(&held)));
        Self {
            robot: identity.robot.now().to_string(),
            seen: SeenBody::new(identity.run, snapshot.at.as_ms()),
            base: Base::of(snapshot),
            head: Head::of(snapshot),
            lights: LightsState::of(snapshot),
            battery: snapshot.body.senses.map(|(_, senses)| Battery {
                voltage_v: round(f64::from(senses.battery_mv) / 1000.0, 2),
                percent: senses.battery_percent,
            }),
            estop: EStopBrief::of(&snapshot.estop, snapshot.at),
            control: Control { base, head, lights, presence },
            envelope: EnvelopeState {
                linear_mps: round(f64::from(snapshot.envelope.linear_mps), 3),
                angular_radps: round(f64::from(snapshot.envelope.angular_radps), 3),
                reason: snapshot.envelope.reason.as_str(),
            },
            mcu: Mcu::of(snapshot),
            sensors: sensors(snapshot, &identity.profile),
        }
    }
}

impl Base {
    fn of(snapshot: &Snapshot) -> Self {
        Self {
            pose: PoseState {
                x_m: round(snapshot.pose.x_m, 4),
                y_m: round(snapshot.pose.y_m, 4),
                heading_rad: round(snapshot.pose.heading_rad, 4),
            },
            velocity: Velocity {
                linear_mps: round(f64::from(snapshot.linear_mps), 3),
                angular_radps: round(f64::from(snapshot.angular_radps), 3),
            },
            setpoint: snapshot.setpoint.map(|twist| SetpointState {
                linear_mps: round(f64::from(twist.linear_mps), 3),
                angular_radps: round(f64::from(twist.angular_radps), 3),
                expires_in_ms: ms(twist.ttl),
            }),
            closed: snapshot.base_closed.map(|closed| ClosedState::of(closed, snapshot.at)),
        }
    }
}

impl Head {
    fn of(snapshot: &Snapshot) -> Self {
        let (pan, tilt) =
            snapshot.body.senses.map_or((0.0, 0.0), |(_, senses)| (senses.pan_rad, senses.tilt_rad));
        Self {
            pan_rad: round(f64::from(pan), 3),
            tilt_rad: round(f64::from(tilt), 3),
            closed: snapshot.head_closed.map(|closed| ClosedState::of(closed, snapshot.at)),
        }
    }
}

impl LightsState {
    fn of(snapshot: &Snapshot) -> Self {
        let [red, green, blue] = snapshot.lights.rgb;
        Self {
            on: snapshot.lights.on,
            color: format!("#{red:02x}{green:02x}{blue:02x}"),
            brightness: round(f64::from(snapshot.lights.brightness), 3),
        }
    }
}

impl EStopBrief {
    fn of(estop: &EStopView, now: BootTime) -> Self {
        Self {
            latched: estop.latched,
            epoch: estop.epoch,
            stage: stage(estop.stage),
            reason: estop.reason.to_string(),
            since_ms: since_ms(estop, now),
        }
    }
}

pub(super) fn stage(stage: EStopStage) -> &'static str {
    match stage {
        EStopStage::Clear => "clear",
        EStopStage::Requested => "requested",
        EStopStage::Sent => "sent",
        EStopStage::Confirmed => "confirmed",
    }
}

pub(super) fn since_ms(estop: &EStopView, now: BootTime) -> Option<u64> {
    estop.requested_at.filter(|_| estop.latched).map(|at| ms(now.since(at)))
}

impl Holder {
    pub(super) fn of(lease: &LeaseView) -> Self {
        Self {
            lease: lease_name(lease.id),
            holder: lease.holder.to_string(),
            class: lease.class.as_str(),
            expires_in_ms: ms(lease.expires_in),
        }
    }
}

impl Mcu {
    fn of(snapshot: &Snapshot) -> Self {
        let body = &snapshot.body;
        let state = body.state.map(|(state, _)| state);
        let up = snapshot.link_up;
        let [major, minor, patch] = body.firmware;
        Self {
            link: if up { "up" } else { "down" },
            armed: up && state == Some(McuState::Armed),
            state: match state {
                None => "unknown",
                Some(McuState::Boot) => "boot",
                Some(McuState::Disarmed) => "disarmed",
                Some(McuState::Armed) => "armed",
                Some(McuState::Stopped) => "stopped",
                Some(McuState::EStop) => "estop",
                Some(McuState::Fault) => "fault",
            },
            boot_id: body.boot_id,
            rtt_us: body.rtt_p50.map(|rtt| u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX)),
            firmware: format!("{major}.{minor}.{patch}"),
            frames_lost: body.frames_lost,
        }
    }
}

fn sensors(snapshot: &Snapshot, profile: &Profile) -> BTreeMap<&'static str, Reading> {
    let mut sensors = BTreeMap::new();
    let RangePolicy::Sensors(declared) = &profile.range else { return sensors };
    for (index, direction) in declared.iter().enumerate() {
        let name = match direction {
            Some(RangeDirection::Front) => "range_front",
            Some(RangeDirection::Rear) => "range_rear",
            None => continue,
        };
        let reading = snapshot.body.senses.map(|(at, senses)| (at, senses.ranges[index]));
        let fresh = reading.filter(|(_, range)| range.age_ms != u16::MAX);
        sensors.insert(
            name,
            Reading {
                value: fresh
                    .filter(|(_, range)| range.mm != u16::MAX)
                    .map(|(_, range)| f64::from(range.mm) / 1000.0),
                unit: "m",
                age_ms: fresh.map(|(at, range)| ms(snapshot.at.since(at)) + u64::from(range.age_ms)),
            },
        );
    }
    sensors
}
