//! The tokens of a data folder as they change: reads the file anew whenever somebody has written it.
//!
//! It never writes the file; [`crate::token_file`] does.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::token_file::{TokenFile, TokenFileError};
use crate::tokens::{Credential, TokenStore};

/// How often the file is looked at: well within the promised second.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Keeps the valid tokens as the file has them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TokenFollower {
    /// The tokens that are valid now.
    pub tokens: TokenStore,
    file: TokenFile,
    seen: Arc<Mutex<Option<Stamp>>>,
}

/// What changes when the file is replaced or written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    modified_s: i64,
    modified_ns: i64,
    bytes: u64,
}

impl TokenFollower {
    /// Reads the tokens of the data folder `dir`; the first start makes the owner's.
    pub fn open(dir: &Path, now_unix_s: u64) -> Result<Self, TokenFileError> {
        let file = TokenFile::in_dir(dir);
        file.first_start(now_unix_s)?;
        let follower = Self { tokens: TokenStore::new(), file, seen: Arc::default() };
        follower.refresh()?;
        Ok(follower)
    }

    /// Follows the file for ever; changes take effect within 1 s. `report` hears each time how it went.
    ///
    /// While the file cannot be read, the tokens read last stay valid: a slip of the pen must not lock everybody out of
    /// a robot that drives.
    pub async fn follow(self, report: impl Fn(Result<(), TokenFileError>)) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            report(self.refresh());
        }
    }

    /// Looks at the file, and reads it if it has changed.
    pub fn refresh(&self) -> Result<(), TokenFileError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp_of(&self.file.path());
        if stamp.is_some() && stamp == *seen {
            return Ok(());
        }
        // The stamp is older than what is read: a change in between shows at the next look.
        let records = self.file.list()?;
        self.tokens.replace(records.into_iter().map(Credential::from));
        *seen = stamp;
        Ok(())
    }
}

fn stamp_of(path: &Path) -> Option<Stamp> {
    let data = std::fs::metadata(path).ok()?;
    Some(Stamp {
        inode: data.ino(),
        modified_s: data.mtime(),
        modified_ns: data.mtime_nsec(),
        bytes: data.size(),
    })
}

#[cfg(test)]
mod tests {
    use agent_core::caller::Class;

    use super::*;
    use crate::scope::Scope;
    use crate::token_file::NewToken;

    fn wish(name: &str) -> NewToken {
        NewToken {
            scopes: [Scope::Read].into_iter().collect(),
            class: Class::Remote,
            user_id: "ann".to_owned(),
            name: Some(name.to_owned()),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_beside_a_running_program_takes_effect_within_a_second() {
        // Created: valid within 1 s. Revoked: refused within 1 s, and whoever listens hears the number.
        let dir = tempfile::tempdir().unwrap();
        let follower = TokenFollower::open(dir.path(), 0).unwrap();
        let file = TokenFile::in_dir(dir.path());
        tokio::select! {
            () = follower.clone().follow(|result| result.unwrap()) => {}
            () = commands_beside(&follower.tokens, &file) => {}
        }
    }

    async fn commands_beside(store: &TokenStore, file: &TokenFile) {
        let mut revocations = store.revocations();
        let secret = file.create(&wish("app"), 0).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let token = store.find(secret.as_bytes()).expect("valid within a second");
        assert_eq!((token.name.as_str(), token.user_id.as_str()), ("app", "ann"));

        let other = file.create(&wish("other"), 0).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(store.find(secret.as_bytes()).unwrap().number, token.number, "numbers are stable");
        assert_ne!(store.find(other.as_bytes()).unwrap().number, token.number);

        file.revoke("app").unwrap();
        let revoked =
            tokio::time::timeout(Duration::from_secs(1), revocations.recv()).await.unwrap().unwrap();
        assert_eq!(revoked, token.number);
        assert!(store.find(secret.as_bytes()).is_none());
        assert!(!store.is_valid(token.number));
    }

    #[test]
    fn a_damaged_file_keeps_the_tokens_read_last() {
        // The slip is reported, nobody is locked out, and mending the file ends it.
        let dir = tempfile::tempdir().unwrap();
        let follower = TokenFollower::open(dir.path(), 0).unwrap();
        let file = TokenFile::in_dir(dir.path());
        let secret = file.create(&wish("app"), 0).unwrap();
        follower.refresh().unwrap();
        let good = std::fs::read(file.path()).unwrap();
        std::fs::write(file.path(), "{").unwrap();
        assert!(matches!(follower.refresh(), Err(TokenFileError::Damaged { .. })));
        assert!(
            matches!(follower.refresh(), Err(TokenFileError::Damaged { .. })),
            "reported until it is mended"
        );
        assert!(follower.tokens.find(secret.as_bytes()).is_some());
        std::fs::write(file.path(), good).unwrap();
        follower.refresh().unwrap();
        assert!(TokenFollower::open(dir.path(), 0).is_ok());
        std::fs::write(file.path(), "{").unwrap();
        assert!(TokenFollower::open(dir.path(), 0).is_err(), "a start with a damaged file is refused");
    }

    #[test]
    fn only_the_whole_secret_is_valid() {
        // A prefix, a longer text, another case: all unknown.
        let dir = tempfile::tempdir().unwrap();
        let follower = TokenFollower::open(dir.path(), 0).unwrap();
        let secret = std::fs::read_to_string(TokenFile::in_dir(dir.path()).owner_path()).unwrap();
        let secret = secret.trim_end();
        assert!(follower.tokens.find(secret.as_bytes()).is_some());
        for wrong in [&secret[..66], &secret[3..], &format!("{secret} "), &secret.to_uppercase(), ""] {
            assert!(follower.tokens.find(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
