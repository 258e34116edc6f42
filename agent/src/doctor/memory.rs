//! The memory's file and the weights of models. It reads the beginning of a file and never opens it as a database: that alone
//! would change what lies beside it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use models_local::catalog::Entry;
use models_local::{WeightState, Weights};

use super::report::Check;
use crate::data_dir::DataPaths;

/// How every SQLite file begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Beside the file while a running agent has met damage in it.
const SUSPECT: &str = ".suspect";
/// Beside the file, with a date behind it: what a repair has set aside.
const SET_ASIDE: &str = ".damaged-";

/// The file, whether it can be read, and what was found wrong with it before.
pub(super) fn file(paths: &DataPaths) -> Check {
    let id = "memory.file";
    let path = paths.memory();
    let shown = path.display();
    let size = match begins_well(&path) {
        Ok(Some(size)) => size,
        Ok(None) => {
            return Check::warn(
                id,
                format!("{shown} is damaged: it does not begin as it should"),
                "start the agent anew: it sets the file aside, carries over what can be read, and says what was lost",
            );
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Check::ok(id, "made at the first start");
        }
        Err(error) => return Check::fail(id, format!("{shown}: {error}"), "ask as the agent's user"),
    };
    let beside = names_beside(&path);
    if beside.iter().any(|name| name == SUSPECT) {
        return Check::warn(
            id,
            format!("damage was met in {shown} while the agent ran"),
            "start the agent anew: it repairs the file and says what was lost; if this comes again, replace the disk",
        );
    }
    let what = format!("{shown}, {:.1} MB", size as f64 / 1e6);
    match beside.iter().filter(|name| name.starts_with(SET_ASIDE) && !is_log(name)).count() {
        0 => Check::ok(id, what),
        count => Check::warn(
            id,
            format!("{what}; {count} damaged before and set aside"),
            format!("delete {shown}{SET_ASIDE}* when nobody needs what could not be carried over"),
        ),
    }
}

/// Its size, where it begins as an SQLite file does. An empty file is one, too.
fn begins_well(path: &Path) -> io::Result<Option<u64>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut beginning = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut beginning)?;
    Ok((beginning.is_empty() || beginning == MAGIC).then_some(size))
}

/// What the names in the file's folder that begin with its own have behind it.
fn names_beside(path: &Path) -> Vec<String> {
    let (Some(folder), Some(own)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.strip_prefix(own).map(str::to_owned)).collect()
}

/// The log of a file that was set aside lies beside it.
fn is_log(name: &str) -> bool {
    name.ends_with("-wal") || name.ends_with("-shm")
}

/// What the catalogue knows, by the sizes of files: nobody waits here for checksums.
pub(super) fn weights(paths: &DataPaths) -> Vec<Check> {
    Weights::in_dir(paths.models()).list().into_iter().map(|(entry, state)| weight(entry, &state)).collect()
}

fn weight(entry: &Entry, state: &WeightState) -> Check {
    let id = "models.weights";
    let pull = format!("`robbie-agent models pull {}`", entry.name);
    let without = "search compares words and letters, not meaning";
    match state {
        WeightState::Present => Check::ok(id, format!("{} is there", entry.name)),
        WeightState::Missing => Check::warn(id, format!("{} is not there: {without}", entry.name), pull),
        WeightState::Partial { percent } => {
            Check::warn(id, format!("{percent} % of {} are there: {without}", entry.name), pull)
        }
        WeightState::Damaged { what } => {
            Check::warn(id, format!("{} is damaged ({what}): {without}", entry.name), pull)
        }
    }
}
