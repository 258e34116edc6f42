//! Finds the programs under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// `robbie-agent`, built by cargo for this test.
pub(crate) fn robbie_agent() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_robbie-agent"))
}

/// `robbie-body` beside it. A test run of the whole workspace builds it; a run of this package alone does not, so it is
/// built here when it is missing or older than its source.
pub(crate) fn robbie_body() -> &'static Path {
    static BODY: OnceLock<PathBuf> = OnceLock::new();
    BODY.get_or_init(|| {
        let folder = robbie_agent().parent().unwrap();
        let body = folder.join("robbie-body");
        let built = fs::metadata(&body).and_then(|file| file.modified()).ok();
        if built.is_none_or(|built| built < newest_source()) {
            build(folder);
        }
        body
    })
}

fn bridge() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware-bridge")
}

fn newest_source() -> SystemTime {
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut folders: Vec<PathBuf> =
        ["link/src", "controller/src", "sim/src"].iter().map(|part| bridge().join(part)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            match entry.metadata().unwrap() {
                metadata if metadata.is_dir() => folders.push(entry.path()),
                metadata => newest = newest.max(metadata.modified().unwrap()),
            }
        }
    }
    newest
}

fn build(folder: &Path) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "firmware-bridge-sim", "--bin", "robbie-body"]);
    cargo.arg("--manifest-path").arg(bridge().join("sim/Cargo.toml"));
    cargo.arg("--target-dir").arg(folder.parent().unwrap());
    if folder.file_name().is_some_and(|name| name == "release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "robbie-body cannot be built");
}
