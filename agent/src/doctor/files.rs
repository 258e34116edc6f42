//! The data folder: whose it is, how durable it is, what is in it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use agent_core::latch::{LatchFile, Loaded};
use cloud_sync_api::token_file::TokenFile;
use rustix::fs::{Access, access, statvfs};

use super::Probe;
use super::report::Check;
use crate::data_dir::DataPaths;

const FREE_MB_LOW: u64 = 200;
const FREE_MB_MIN: u64 = 10;

/// Folder, file system and free space.
pub(super) fn data_folder(probe: &Probe, paths: &DataPaths) -> Vec<Check> {
    let root = paths.root();
    let Some(there) = nearest_that_exists(root) else {
        return vec![Check::fail(
            "data.folder",
            format!("no part of {} exists", root.display()),
            "give --data DIR",
        )];
    };
    let mut checks = vec![folder(root, &there)];
    checks.extend(filesystem(probe, &there));
    checks.extend(free_space(&there));
    checks
}

fn nearest_that_exists(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    absolute.ancestors().find(|ancestor| ancestor.exists()).map(Path::to_owned)
}

fn folder(root: &Path, there: &Path) -> Check {
    let id = "data.folder";
    let shown = root.display();
    if access(there, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        return Check::fail(
            id,
            format!("{shown} cannot be written by this user"),
            "give --data DIR, or ask as the agent's user",
        );
    }
    if !root.exists() {
        return Check::ok(id, format!("{shown} will be made at the first start"));
    }
    let mode = std::fs::metadata(root).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        return Check::warn(
            id,
            format!("{shown} is open to others (mode {mode:o})"),
            format!("chmod 700 {shown}"),
        );
    }
    Check::ok(id, shown.to_string())
}

/// Whether what is written stays there after a power cut: an e-stop must.
pub(super) fn filesystem(probe: &Probe, folder: &Path) -> Option<Check> {
    let id = "data.filesystem";
    let mounts = probe.text("/proc/self/mountinfo")?;
    let mount = mounts
        .lines()
        .filter_map(Mount::parse)
        .filter(|mount| folder.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.len())?;
    let shown = format!("{} on {}", mount.kind, mount.point);
    let has = |option: &str| mount.options.split(',').any(|has| has == option);
    if matches!(mount.kind.as_str(), "tmpfs" | "ramfs") {
        return Some(Check::fail(
            id,
            format!("{shown}: everything is gone after a restart, an e-stop too"),
            "give --data a folder on a disk",
        ));
    }
    if mount.kind == "overlay" && mount.options.contains("upperdir=/run") {
        return Some(Check::fail(
            id,
            format!("{shown}: writes go to memory"),
            "give --data a folder on a disk",
        ));
    }
    if has("ro") {
        return Some(Check::fail(
            id,
            format!("{shown} is read-only"),
            "give --data a folder on a disk that can be written",
        ));
    }
    if has("barrier=0") || has("nobarrier") || has("data=writeback") || has("nointegrity") {
        return Some(Check::warn(
            id,
            format!("{shown} ({}): an e-stop may be lost in a power cut", mount.options),
            "mount it with barriers and data=ordered",
        ));
    }
    if matches!(mount.kind.as_str(), "vfat" | "exfat") {
        return Some(Check::warn(
            id,
            format!("{shown}: no permissions and no journal"),
            "give --data a folder on ext4, or another file system with a journal",
        ));
    }
    Some(Check::ok(id, shown))
}

/// One line of `/proc/self/mountinfo`.
struct Mount {
    point: String,
    kind: String,
    /// Of the mount and of the file system.
    options: String,
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(4);
        let (point, per_mount) = (mount.next()?, mount.next()?);
        let mut filesystem = filesystem.split(' ');
        let (kind, _source) = (filesystem.next()?, filesystem.next()?);
        let options = format!("{per_mount},{}", filesystem.next().unwrap_or_default());
        Some(Self { point: point.replace("\\040", " "), kind: kind.to_owned(), options })
    }
}

fn free_space(folder: &Path) -> Option<Check> {
    let id = "data.space";
    let space = statvfs(folder).ok()?;
    let free_mb = space.f_bavail.saturating_mul(space.f_frsize) / 1_000_000;
    let what = format!("{free_mb} MB free");
    Some(match free_mb {
        0..FREE_MB_MIN => Check::fail(id, what, "make room: the next e-stop might not reach the disk"),
        FREE_MB_MIN..FREE_MB_LOW => Check::warn(id, what, "make room"),
        _ => Check::ok(id, what),
    })
}

pub(super) fn tokens(paths: &DataPaths) -> Check {
    let id = "tokens";
    if !paths.tokens().exists() {
        return Check::ok(id, "the owner's is made at the first start");
    }
    match TokenFile::in_dir(paths.root()).list() {
        Ok(records) => Check::ok(id, format!("{} in {}", records.len(), paths.tokens().display())),
        Err(error) => Check::fail(id, error.to_string(), "ask as the agent's user, or mend the file"),
    }
}

pub(super) fn latch(paths: &DataPaths) -> Check {
    let id = "estop.latch";
    let bytes = match std::fs::read(paths.latch()) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Check::ok(id, "clear: no run yet");
        }
        Err(error) => {
            return Check::fail(
                id,
                format!("{}: {error}", paths.latch().display()),
                "ask as the agent's user",
            );
        }
    };
    match LatchFile::read(&bytes).loaded {
        Loaded::Clear { .. } => Check::ok(id, "clear"),
        Loaded::Latched(record) => Check::warn(
            id,
            format!("LATCHED, epoch {}: {}", record.epoch, record.reason),
            "when it is safe: `robbie-agent reset`, then take control",
        ),
        Loaded::Unreadable { .. } => Check::warn(
            id,
            "the file is torn, which counts as latched",
            "when it is safe: `robbie-agent reset` writes it anew; if this comes again, replace the disk",
        ),
    }
}
