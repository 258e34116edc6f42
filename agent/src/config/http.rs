//! `[http]` and `[limits]` of the agent: where it listens unless somebody says otherwise, and how often who may ask.

use cloud_sync_api::http_config::listen_key;
use cloud_sync_api::settings::{Key, Problems, Settings};

/// The keys beside those that both programs have.
pub(super) const KEYS: &[Key] = &[
    listen_key("127.0.0.1:8700"),
    Key::count(
        "limits.motion_per_s",
        0,
        100_000,
        "requests a second",
        "100",
        "a token's motion requests; 0: off",
    ),
    Key::count("limits.read_per_s", 0, 100_000, "requests a second", "100", "a token's reads; 0: off"),
    Key::count("limits.write_per_s", 0, 100_000, "requests a second", "50", "a token's other writes; 0: off"),
    Key::count("limits.write_burst", 1, 1_000_000, "requests", "1000", "writes that may come at once"),
    Key::count(
        "limits.chat_per_min",
        0,
        100_000,
        "messages a minute",
        "30",
        "a token's chat messages; 0: off",
    ),
];

/// Rate limits of one token (or, on open routes, of one address). 0 means off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Motion requests a second.
    pub motion_per_s: u32,
    /// Reads a second.
    pub read_per_s: u32,
    /// Other writes a second.
    pub write_per_s: u32,
    /// Writes that may come at once.
    pub write_burst: u32,
    /// Chat messages a minute.
    pub chat_per_min: u32,
}

impl LimitsConfig {
    pub(super) fn read(settings: &Settings) -> Result<Self, Problems> {
        Ok(Self {
            motion_per_s: settings.integer("limits.motion_per_s")?,
            read_per_s: settings.integer("limits.read_per_s")?,
            write_per_s: settings.integer("limits.write_per_s")?,
            write_burst: settings.integer("limits.write_burst")?,
            chat_per_min: settings.integer("limits.chat_per_min")?,
        })
    }
}
