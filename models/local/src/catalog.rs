//! What `models/weights.toml` says, compiled in: every weight file with its sources, size and checksum.
//!
//! Sizes and checksums are what makes a download safe to use; nothing that is fetched or read from the disk is believed
//! without them.

use std::sync::LazyLock;

use serde::Deserialize;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    toml::from_str(include_str!("../../weights.toml"))
        .expect("weights.toml is compiled in, and a test reads it")
});

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalog {
    weights: Vec<Entry>,
}

/// Weights under one name: one or more files, and where they come from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What a person types.
    pub name: String,
    /// The model id that stands beside what it computed.
    pub model: String,
    /// What it is for.
    pub about: String,
    /// SPDX name of the licence of the weights.
    pub licence: String,
    /// Memory that the weights need while they are loaded, in MB.
    pub ram_mb: u32,
    /// The files.
    pub files: Vec<WeightFile>,
    /// The second source.
    pub pypi: Wheel,
}

/// One file as it lies in the folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightFile {
    /// Its name in the folder.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// In lower-case hexadecimal digits.
    pub sha256: String,
    /// Its address on the model hub.
    pub hub: String,
}

/// A Python package that carries the same files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// The project's name on a package index.
    pub project: String,
    /// The file's name there: a zip.
    pub file: String,
    /// In bytes.
    pub size: u64,
    /// In lower-case hexadecimal digits.
    pub sha256: String,
    /// The folder inside the zip that holds the files.
    pub folder: String,
}

impl Entry {
    /// Bytes of all files together.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// Everything that can be fetched.
pub fn all() -> &'static [Entry] {
    &CATALOG.weights
}

/// The weights of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    all().iter().find(|entry| entry.name == name)
}

/// The weights of the sentence embedder.
pub(crate) fn minilm() -> &'static Entry {
    find("minilm").expect("weights.toml is compiled in, and a test looks for this entry")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_a_plain_name_a_size_and_a_checksum() {
        let is_hash = |text: &str| {
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        for entry in all() {
            assert!(is_hash(&entry.pypi.sha256) && entry.pypi.size > 0, "{}", entry.name);
            for file in &entry.files {
                assert!(is_hash(&file.sha256) && file.size > 0, "{}", file.name);
                assert!(!file.name.contains('/') && file.hub.starts_with("https://"), "{}", file.name);
            }
        }
        assert!(find("minilm").is_some_and(|entry| entry.model == crate::MINILM && entry.files.len() == 2));
    }
}
