//! State as a client reads it, and `status`: the same in words.
//!
//! Lenient: a field that an older or newer agent does not send is left out of what is shown.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::args::ReachArgs;
use super::client::Client;
use super::find;
use crate::config::Environment;
use cloud_sync_api::failure::Failure;

/// What opens base and head.
const OPENS: &str = "opens when a person takes control";

pub(super) const STATE: &str = "/api/robot/state";

/// The robot's stamp: echoed, never made up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Random for each start of the agent.
    pub(super) run: String,
    /// The agent's clock, ms.
    pub(super) mono_ms: u64,
}

/// State.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct State {
    pub(super) robot: String,
    pub(super) seen: Option<Seen>,
    pub(super) base: Base,
    pub(super) head: Head,
    pub(super) battery: Option<Battery>,
    pub(super) estop: EStopBrief,
    pub(super) control: Control,
    pub(super) envelope: Envelope,
    pub(super) mcu: Mcu,
}

/// Wheels.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Base {
    pub(super) pose: Pose,
    pub(super) velocity: Velocity,
    pub(super) closed: Option<Closed>,
}

/// Where the robot is.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pose {
    pub(super) x_m: f64,
    pub(super) y_m: f64,
    pub(super) heading_rad: f64,
}

/// A speed.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Velocity {
    pub(super) linear_mps: f64,
    pub(super) angular_radps: f64,
}

/// Why something is closed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Closed {
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) since_ms: u64,
}

/// Head.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Head {
    pub(super) pan_rad: f64,
    pub(super) tilt_rad: f64,
    pub(super) closed: Option<Closed>,
}

/// Battery.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Battery {
    pub(super) voltage_v: f64,
    pub(super) percent: f64,
}

/// E-stop, in short.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EStopBrief {
    pub(super) latched: bool,
    pub(super) epoch: u32,
    pub(super) stage: String,
    pub(super) reason: String,
}

/// Who holds what.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Control {
    pub(super) base: Option<Holder>,
    pub(super) head: Option<Holder>,
}

/// A lease.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Holder {
    pub(super) lease: String,
    pub(super) holder: String,
    pub(super) class: String,
    pub(super) expires_in_ms: u64,
}

/// Speed limits now.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Envelope {
    pub(super) linear_mps: f64,
    pub(super) angular_radps: f64,
    pub(super) reason: String,
}

/// The microcontroller.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Mcu {
    pub(super) link: String,
    pub(super) state: String,
    pub(super) rtt_us: Option<u64>,
    pub(super) firmware: String,
    pub(super) frames_lost: u64,
}

pub(super) async fn status(
    reach: &ReachArgs,
    environment: &Environment,
    as_json: bool,
) -> Result<(), Failure> {
    let client = Client::new(find::target(reach, environment)?)?;
    let value: Value = client.get(STATE).await?;
    if as_json {
        println!("{value:#}");
        return Ok(());
    }
    let state: State = serde_json::from_value(value)
        .map_err(|error| Failure::Refused(format!("cannot read the state of {}: {error}", client.url())))?;
    print!("{state}");
    Ok(())
}

/// One line a subject.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "robot", &self.robot)?;
        line(f, "e-stop", &self.estop)?;
        line(f, "base", &open_or(self.base.closed.as_ref(), OPENS))?;
        line(f, "head", &open_or(self.head.closed.as_ref(), OPENS))?;
        let (pan, tilt) = (self.head.pan_rad.to_degrees(), self.head.tilt_rad.to_degrees());
        line(f, "looks", &format!("pan {pan:+.0}°, tilt {tilt:+.0}°"))?;
        line(f, "driver", &held_by(self.control.base.as_ref()))?;
        line(f, "speed", &self.base.velocity)?;
        line(f, "limit", &self.envelope)?;
        line(f, "pose", &self.base.pose)?;
        match &self.battery {
            Some(battery) => line(f, "battery", battery)?,
            None => line(f, "battery", &"not read yet")?,
        }
        line(f, "body", &self.mcu)
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display) -> fmt::Result {
    writeln!(f, "{name:<8} {value}")
}

/// `open`, or who or what closed it, and `opens`: what opens it.
pub(super) fn open_or(closed: Option<&Closed>, opens: &str) -> String {
    let Some(closed) = closed else { return "open".to_owned() };
    let reason = if closed.reason.is_empty() || closed.reason == closed.by {
        String::new()
    } else {
        format!(" ({})", closed.reason)
    };
    format!("closed by {}{reason} {} ago; {opens}", closed.by, ago(closed.since_ms))
}

/// Who drives.
pub(super) fn held_by(holder: Option<&Holder>) -> String {
    let Some(holder) = holder else { return "nobody".to_owned() };
    format!("{} ({}), {:.1} s left", holder.holder, holder.class, holder.expires_in_ms as f64 / 1000.0)
}

fn ago(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

impl fmt::Display for EStopBrief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.latched {
            return f.write_str("clear");
        }
        let reason = if self.reason.is_empty() { "reason unknown" } else { &self.reason };
        write!(
            f,
            "LATCHED, epoch {} ({reason}), {}; `robbie-agent reset` takes it back",
            self.epoch, self.stage
        )
    }
}

impl fmt::Display for Velocity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.2} m/s, {:+.2} rad/s", self.linear_mps, self.angular_radps)
    }
}

impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} m/s, {:.2} rad/s", self.linear_mps, self.angular_radps)?;
        if !self.reason.is_empty() && self.reason != "none" {
            write!(f, " ({})", self.reason)?;
        }
        Ok(())
    }
}

impl fmt::Display for Pose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "x {:+.2} m, y {:+.2} m, heading {:+.0}°",
            self.x_m,
            self.y_m,
            self.heading_rad.to_degrees()
        )
    }
}

impl fmt::Display for Battery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} %, {:.1} V", self.percent, self.voltage_v)
    }
}

impl fmt::Display for Mcu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}, {}", self.link, self.state)?;
        if let Some(rtt_us) = self.rtt_us {
            write!(f, ", {:.1} ms round trip", rtt_us as f64 / 1000.0)?;
        }
        write!(f, ", {} frames lost, firmware {}", self.frames_lost, self.firmware)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: Value, expected: &[&str]) {
        let state: State = serde_json::from_value(value).unwrap();
        let text = state.to_string();
        for part in expected {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn status_says_what_stopped_the_robot_and_what_opens_it() {
        let stopped = serde_json::json!({
            "robot": "robbie", "seen": {"run": "00", "mono_ms": 1},
            "base": {"closed": {"by": "stop", "reason": "Ann pressed stop", "since_ms": 61_500}},
            "estop": {"latched": true, "epoch": 3, "stage": "confirmed", "reason": "cat", "since_ms": null},
            "control": {"base": {"lease": "l-1", "holder": "page", "class": "local", "expires_in_ms": 2300}},
            "battery": {"voltage_v": 12.13, "percent": 84},
            "mcu": {"link": "up", "state": "estop", "rtt_us": 420, "firmware": "0.1.0", "frames_lost": 0},
            "field_of_a_newer_agent": 1
        });
        check(
            stopped,
            &[
                "closed by stop (Ann pressed stop) 61 s ago; opens when a person takes control",
                "LATCHED, epoch 3 (cat), confirmed",
                "page (local), 2.3 s left",
                "84 %, 12.1 V",
                "link up, estop, 0.4 ms round trip",
            ],
        );
    }

    #[test]
    fn status_reads_a_state_without_readings() {
        // Right after the start nothing is known yet.
        check(
            serde_json::json!({"robot": "robbie", "battery": null}),
            &["battery  not read yet", "driver   nobody", "base     open"],
        );
    }
}
