//! The configuration of the agent: a profile, then a file, then the environment, then flags; the later one wins.
//!
//! Gathers the keys that the features declare. A configuration that cannot keep its promise of standing still, or that would
//! talk in the clear beyond this machine, is refused here, before anything is opened. The only place that reads the
//! process's environment.

mod http;

use std::path::PathBuf;

use agent_core::budget::Budget;
use agent_core::profile::Profile;

use crate::drive::config::{BodyConfig, DriveConfig};
use crate::memory::config::MemoryConfig;
use crate::mind::config::MindConfig;
use cloud_sync_api::settings::{Key, Kind, Layers, Problems, Settings, Source};

pub use cloud_sync_api::environment::Environment;
pub use cloud_sync_api::http_config::{HttpConfig, TlsFiles};
pub use cloud_sync_api::settings::show;
pub use http::LimitsConfig;

/// Built-in profiles: name and text.
pub const PROFILES: [(&str, &str); 4] = [
    ("sim", include_str!("../profiles/sim.toml")),
    ("pi5", include_str!("../profiles/pi5.toml")),
    ("pi4", include_str!("../profiles/pi4.toml")),
    ("jetson", include_str!("../profiles/jetson.toml")),
];

const PROFILE_NAMES: &[&str] = &["sim", "pi5", "pi4", "jetson"];

const KEYS: &[Key] = &[
    Key {
        name: "profile",
        kind: Kind::Choice(PROFILE_NAMES),
        default: Some("sim"),
        help: "built-in profile whose values hold where nothing else sets one",
    },
    Key {
        name: "robot.id",
        kind: Kind::Text { allowed: "1 to 32 of a-z, 0-9 and -", accepts: is_robot_id },
        default: Some("robbie"),
        help: "name of the robot in paths and topics",
    },
    Key {
        name: "robot.board",
        kind: Kind::Choice(&["any", "pi4", "pi5", "jetson"]),
        default: Some("any"),
        help: "board the profile is made for; doctor compares it with the one it runs on",
    },
];

/// What the variables of the environment begin with that are settings.
const PREFIX: &str = "ROBBIE_";
/// Those of them that are none: where the data are, who asks, and what belongs to the cloud's program.
const RESERVED: [&str; 2] = ["ROBBIE_DATA", "ROBBIE_TOKEN"];
const CLOUD: &str = "ROBBIE_CLOUD_";

fn is_setting(variable: &str) -> bool {
    !RESERVED.contains(&variable) && !variable.starts_with(CLOUD)
}

fn is_robot_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(fits)
}

/// Everything a configuration is made of.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--profile`.
    pub profile: Option<String>,
    /// `--config`.
    pub file: Option<PathBuf>,
    /// The environment; [`Environment::of_process`].
    pub environment: Environment,
    /// `--set`, each `key=value`.
    pub set: Vec<String>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--lan`.
    pub lan: bool,
}

/// The robot itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotConfig {
    /// Its id, `[a-z0-9-]{1,32}`.
    pub id: String,
    /// The board that the profile is made for: `any`, `pi4`, `pi5`, `jetson`.
    pub board: String,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The robot itself.
    pub robot: RobotConfig,
    /// Which body, and its numbers.
    pub drive: DriveConfig,
    /// How much is remembered.
    pub memory: MemoryConfig,
    /// How long is waited for whoever thinks.
    pub mind: MindConfig,
    /// Who may connect, and how.
    pub http: HttpConfig,
    /// Rate limits.
    pub limits: LimitsConfig,
    /// Every value with where it came from.
    pub settings: Settings,
}

impl Config {
    /// Which body is driven.
    pub fn body(&self) -> &BodyConfig {
        &self.drive.body
    }

    /// The numbers that gate, session and simulated body share.
    pub fn profile(&self) -> Profile {
        self.drive.profile
    }

    /// Name of the built-in profile it stands on.
    pub fn profile_name(&self) -> &str {
        self.settings.text("profile").unwrap_or_default()
    }
}

/// Why there is no configuration. All of them end the program with exit code 78.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}")]
    ReadFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Values are unknown, out of range, or do not go together.
    #[error(transparent)]
    Refused(#[from] Problems),
    /// The body would not stand still in time.
    #[error(
        "this configuration breaks its own promise of standing still within safety.standstill_promise_ms: {what}; \
         lower motion.linear_mps_max, motion.angular_radps_max or safety.hold_ms, raise motion.emergency_mps2 if the \
         body can do it, or promise less"
    )]
    BreaksPromise {
        /// Which time, and by how much.
        what: String,
    },
}

/// Loads and checks a configuration.
///
/// # Errors
/// Everything that is wrong, each with its source, key and allowed range.
pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let file = match &sources.file {
        None => None,
        Some(path) => match std::fs::read_to_string(path) {
            Ok(text) => Some((path.clone(), text)),
            Err(source) => return Err(ConfigError::ReadFile { path: path.clone(), source }),
        },
    };
    // The profile is the lowest layer, but any other one may name it: look at those first.
    let mut preview = Layers::new(keys());
    add_upper_layers(&mut preview, sources, file.as_ref());
    let mut layers = Layers::new(keys());
    if let Some((name, text)) =
        PROFILES.into_iter().find(|(name, _)| preview.text_so_far("profile") == Some(name))
    {
        layers.toml(text, |_| Source::Profile(name));
    }
    add_upper_layers(&mut layers, sources, file.as_ref());
    check(layers.finish()?)
}

fn keys() -> Vec<&'static Key> {
    KEYS.iter()
        .chain(crate::drive::config::KEYS)
        .chain(crate::memory::config::KEYS)
        .chain(crate::mind::config::KEYS)
        .chain(http::KEYS)
        .chain(cloud_sync_api::http_config::KEYS)
        .collect()
}

fn add_upper_layers(layers: &mut Layers, sources: &Sources, file: Option<&(PathBuf, String)>) {
    if let Some((path, text)) = file {
        layers.toml(text, |line| Source::File(path.clone(), line));
    }
    let settings = sources.environment.settings(PREFIX);
    for (variable, name, value) in settings.filter(|(variable, ..)| is_setting(variable)) {
        layers.text(Source::Variable(variable.to_owned()), &name, value);
    }
    if let Some(profile) = &sources.profile {
        layers.text(Source::Flag("--profile".to_owned()), "profile", profile);
    }
    if let Some(listen) = &sources.listen {
        layers.text(Source::Flag("--listen".to_owned()), "http.listen", listen);
    }
    if sources.lan {
        layers.text(Source::Flag("--lan".to_owned()), "http.lan", "true");
    }
    for set in &sources.set {
        let source = Source::Flag("--set".to_owned());
        match set.split_once('=') {
            Some((name, value)) => layers.text(source, name.trim(), value.trim()),
            None => {
                layers.problem(source, set, "must be KEY=VALUE, such as motion.linear_mps_max=0.4".to_owned())
            }
        }
    }
}

fn check(settings: Settings) -> Result<Config, ConfigError> {
    let robot = RobotConfig {
        id: settings.text("robot.id").unwrap_or_default().to_owned(),
        board: settings.text("robot.board").unwrap_or_default().to_owned(),
    };
    let drive = DriveConfig::read(&settings)?;
    let memory = MemoryConfig::read(&settings)?;
    let mind = MindConfig::read(&settings)?;
    let http = HttpConfig::read(&settings)?;
    let limits = LimitsConfig::read(&settings)?;
    Budget::check(&drive.profile)
        .map_err(|broken| ConfigError::BreaksPromise { what: broken.to_string() })?;
    Ok(Config { robot, drive, memory, mind, http, limits, settings })
}

#[cfg(test)]
mod tests;
