//! A damaged file: what can be read of it is carried over, row by row, into a new one; the damaged file is set aside under a
//! dated name and never changed or deleted; what is missing is counted and said.
//!
//! The order is such that a power cut at any moment loses nothing: the new file is whole before the old one is moved, and
//! [`finish`] takes up again where it stopped. Events are not carried over: those who look on read the state afresh. Words and
//! the table `memory` are made anew. Nor is the place in sync: whoever pairs the robot again sends what is there once more.

mod carry;
mod reading;
mod source;

use std::fmt;
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::open::{Files, OpenError, beside, file_error, sql_error};

/// Name in `meta` of what the newest repair cost.
const LOSS: &str = "loss";

/// Rows, by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Sticky notes.
    pub notes: u64,
    /// Turns of conversations.
    pub turns: u64,
    /// Facts.
    pub facts: u64,
    /// Changes of mood.
    pub mood_changes: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { notes, turns, facts, mood_changes } = self;
        write!(f, "{notes} notes, {turns} turns, {facts} facts, {mood_changes} changes of mood")
    }
}

/// What a damaged file cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Where the damaged file is kept.
    pub set_aside: PathBuf,
    /// What was found wrong with it.
    pub found: String,
    /// What could be read, and is in the new file.
    pub carried: Counts,
    /// What is known to have been there and could not be read.
    pub lost: Counts,
    /// `false`: there may have been more, which nothing that could be read speaks of.
    pub is_exact: bool,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = if self.is_exact { "" } else { "at least " };
        write!(
            f,
            "the memory's file was damaged ({}). Carried over: {}. Lost: {least}{}. The damaged file is kept as {}",
            self.found,
            self.carried,
            self.lost,
            self.set_aside.display()
        )
    }
}

/// Reads what can be read into `files.new`, which is an empty memory, and names it `files.carried` once it is whole.
pub(crate) fn carry_over(files: &Files, found: &str, now: Timestamp) -> Result<(), OpenError> {
    let set_aside = free_name(files, now);
    let empty = fs::read(&files.new).map_err(file_error(&files.new))?;
    let source = source::open(files, &empty)?;
    let target = crate::open::connect(&files.new).map_err(sql_error(&files.new))?;
    let carried = carry::everything(source.as_ref(), &target)
        .map_err(|fail| OpenError::CarryOver { path: files.db.clone(), why: fail.to_string() })?;
    let loss = Loss {
        set_aside,
        found: found.to_owned(),
        carried: carried.carried,
        lost: carried.lost,
        is_exact: carried.is_exact,
    };
    let json = serde_json::to_string(&loss)
        .map_err(|error| OpenError::CarryOver { path: files.db.clone(), why: error.to_string() })?;
    target
        .execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)", [LOSS, &json])
        .and_then(|_| target.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"))
        .map_err(sql_error(&files.new))?;
    target.close().map_err(|(_, error)| sql_error(&files.new)(error))?;
    drop(source);
    crate::open::remove(&files.patched)?;
    fs::rename(&files.new, &files.carried).map_err(file_error(&files.carried))?;
    files.sync_dir()
}

/// A name that nothing has yet: a clock that stands at 1970 may say the same moment twice.
fn free_name(files: &Files, now: Timestamp) -> PathBuf {
    let name = format!("memory.db.damaged-{}", now.strftime("%Y-%m-%dT%H-%M-%SZ"));
    let mut path = files.dir.join(&name);
    let mut number = 1;
    while path.exists() {
        number += 1;
        path = files.dir.join(format!("{name}-{number}"));
    }
    path
}

/// Sets the damaged file aside and puts the carried-over one in its place, where there is one. Returns what it cost.
pub(crate) fn finish(files: &Files) -> Result<Option<Loss>, OpenError> {
    if !files.carried.exists() {
        return Ok(None);
    }
    let loss = read_loss(&files.carried).map_err(sql_error(&files.carried))?;
    let aside =
        loss.as_ref().map_or_else(|| free_name(files, Timestamp::UNIX_EPOCH), |loss| loss.set_aside.clone());
    for suffix in ["", "-wal", "-shm"] {
        let (from, to) = (beside(&files.db, suffix), beside(&aside, suffix));
        if from.exists() {
            fs::rename(&from, &to).map_err(file_error(&from))?;
        }
    }
    files.sync_dir()?;
    fs::rename(&files.carried, &files.db).map_err(file_error(&files.db))?;
    files.sync_dir()?;
    Ok(loss)
}

fn read_loss(file: &std::path::Path) -> rusqlite::Result<Option<Loss>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    let json: Option<String> =
        connection.query_row("SELECT value FROM meta WHERE key = ?1", [LOSS], |row| row.get(0)).optional()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
}
