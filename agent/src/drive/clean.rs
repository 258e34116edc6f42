//! `DIR/clean`: what was open when the run before ended in order. Deleted at start, written durably at the end, so that a
//! crash or a power cut leaves nothing, and the body closed.

use std::io;
use std::path::Path;

use agent_core::access::OpenLimbs;

use cloud_sync_api::files::{remove_durably, write_private};

/// Reads the note of the run before and deletes it.
///
/// # Errors
/// It cannot be deleted: then nothing may be opened on its word, since the next start could not tell either.
pub fn take(path: &Path) -> io::Result<OpenLimbs> {
    // A note that cannot be read says nothing, like one that is not there.
    let text = std::fs::read_to_string(path).unwrap_or_default();
    remove_durably(path)?;
    let says = |word: &str| text.split_whitespace().any(|open| open == word);
    Ok(OpenLimbs { base: says("base"), head: says("head") })
}

/// Writes the note of this run.
///
/// # Errors
/// It cannot be written; the next start finds base and head closed.
pub fn leave(path: &Path, open: OpenLimbs) -> io::Result<()> {
    let mut text = String::new();
    if open.base {
        text.push_str("base\n");
    }
    if open.head {
        text.push_str("head\n");
    }
    write_private(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_counts_once() {
        // What was open is opened by the next start, and by no start after a crash.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clean");
        assert_eq!(take(&path).unwrap(), OpenLimbs::NONE, "no note");
        let base_only = OpenLimbs { base: true, head: false };
        leave(&path, base_only).unwrap();
        assert_eq!(take(&path).unwrap(), base_only);
        assert_eq!(take(&path).unwrap(), OpenLimbs::NONE, "a note counts once");
    }
}
