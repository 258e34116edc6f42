//! The agent: its configuration, whether it runs, whether it could.

use std::io::ErrorKind;
use std::net::TcpListener;

use agent_core::profile::RangePolicy;

use super::report::Check;
use crate::config::{Config, ConfigError};
use crate::data_dir::{DataPaths, run_note};

pub(super) fn config(config: Result<&Config, &ConfigError>) -> Check {
    match config {
        Ok(config) => {
            Check::ok("config", format!("robot {}, profile {}", config.robot.id, config.profile_name()))
        }
        Err(error) => Check::fail(
            "config",
            error.to_string(),
            "`robbie-agent config show` lists all keys with their ranges",
        ),
    }
}

pub(super) fn range_policy(config: &Config) -> Check {
    match config.profile().range {
        RangePolicy::Sensors(sensors) => Check::ok(
            "safety.range",
            format!("{} range sensors limit the speed", sensors.iter().flatten().count()),
        ),
        RangePolicy::None { linear_mps_max } => Check::warn(
            "safety.range",
            format!(
                "the robot drives without range sensors, at most {linear_mps_max} m/s: it sees no obstacle"
            ),
            "fit range sensors and set safety.range = \"sensors\"",
        ),
    }
}

pub(super) fn runs(paths: &DataPaths, holder: Option<&str>) -> Check {
    let Some(holder) = holder else { return Check::ok("agent", "does not run") };
    let url = run_note(paths).ok().flatten().map(|run| format!(" at {}", run.url)).unwrap_or_default();
    Check::ok("agent", format!("runs{url} ({holder})"))
}

/// Binds the address for an instant.
pub(super) fn listening(config: &Config, agent_runs: bool) -> Check {
    let id = "http.listen";
    let address = config.http.listen;
    let tls = if config.http.serves_tls() { "TLS" } else { "no TLS" };
    if agent_runs {
        return Check::ok(id, format!("{address}, {tls}; the agent has it"));
    }
    match TcpListener::bind(address) {
        Ok(_listener) => Check::ok(id, format!("{address} is free, {tls}")),
        Err(error) => {
            let fix = match error.kind() {
                ErrorKind::AddrInUse => {
                    "another program listens there: end it, or give --listen another port"
                }
                ErrorKind::AddrNotAvailable => "no interface has this address: give --listen another one",
                _ => "give --listen another address",
            };
            Check::fail(id, format!("{address}: {error}"), fix)
        }
    }
}
