//! `[memory]`: how much is remembered.

use agent_store::Limits;

use cloud_sync_api::settings::{Key, Kind, Problems, Settings};

const fn mib(name: &'static str, default: &'static str, help: &'static str) -> Key {
    Key { name, kind: Kind::Integer { min: 1, max: 1_048_576, unit: "MiB" }, default: Some(default), help }
}

/// The keys.
pub const KEYS: &[Key] = &[
    mib(
        "memory.notes_mib",
        "128",
        "notes at most; when it is full, writing is refused and nothing is dropped",
    ),
    mib(
        "memory.turns_mib",
        "1024",
        "conversations at most; when it is full, writing is refused and nothing is dropped",
    ),
    mib(
        "memory.facts_mib",
        "128",
        "facts at most; when it is full, writing is refused and nothing is dropped",
    ),
    mib("memory.total_mib", "4096", "the whole file, indexes and vectors included"),
];

const MIB: u64 = 1024 * 1024;

/// How much is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryConfig {
    /// Bytes, class by class.
    pub limits: Limits,
}

impl MemoryConfig {
    /// Reads the settings.
    ///
    /// # Errors
    /// What is out of range.
    pub fn read(settings: &Settings) -> Result<Self, Problems> {
        let bytes = |name| Ok(u64::from(settings.integer::<u32>(name)?) * MIB);
        Ok(Self {
            limits: Limits {
                notes_bytes: bytes("memory.notes_mib")?,
                turns_bytes: bytes("memory.turns_mib")?,
                facts_bytes: bytes("memory.facts_mib")?,
                total_bytes: bytes("memory.total_mib")?,
                ..Limits::default()
            },
        })
    }
}
