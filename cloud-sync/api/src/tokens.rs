//! The tokens that are valid now: looks a secret up on every request, follows the file, tells who was revoked.
//!
//! It never writes the file; [`crate::token_file`] does.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use agent_core::caller::{Class, TokenId};
use subtle::ConstantTimeEq;
use tokio::sync::broadcast;

use crate::rate::Buckets;
use crate::scope::Scopes;
use crate::token_file::{TOKENS_MAX, TokenFile, TokenFileError, TokenHash, TokenRecord, hash_of};

/// How often the file is looked at: well within the promised second.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A token in use.
#[derive(Debug)]
pub struct Token {
    /// Its number within this run; never reused.
    pub number: TokenId,
    /// Its id in the file.
    pub id: String,
    /// Shown as holder.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Its rank; a peer may lower it.
    pub class: Class,
    /// Whom it belongs to.
    pub user_id: String,
    /// How often it may ask.
    pub buckets: Buckets,
    hash: TokenHash,
}

/// A handle on the valid tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TokenStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: TokenFile,
    valid: RwLock<Arc<Table>>,
    known: Mutex<Known>,
    revoked: broadcast::Sender<TokenId>,
}

/// Keyed by the first 64 bits of the hash. Whoever could time that lookup would learn about a hash, not about a token;
/// the whole hash is then compared in constant time.
type Table = HashMap<u64, Arc<Token>>;

#[derive(Debug, Default)]
struct Known {
    stamp: Option<Stamp>,
    next_number: u32,
}

/// What changes when the file is replaced or written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    modified_s: i64,
    modified_ns: i64,
    bytes: u64,
}

impl TokenStore {
    /// Reads the tokens of the data folder `dir`; the first start makes the owner's.
    pub fn open(dir: &Path, now_unix_s: u64) -> Result<Self, TokenFileError> {
        let file = TokenFile::in_dir(dir);
        file.first_start(now_unix_s)?;
        // At most as many are revoked at once as there can be, so a receiver that keeps up misses none.
        let (revoked, _) = broadcast::channel(TOKENS_MAX.next_power_of_two());
        let inner = Inner { file, valid: RwLock::default(), known: Mutex::default(), revoked };
        let store = Self(Arc::new(inner));
        store.refresh()?;
        Ok(store)
    }

    /// The token of that secret, if it is valid now.
    pub fn find(&self, secret: &[u8]) -> Option<Arc<Token>> {
        let hash = hash_of(secret);
        let table = self.0.valid.read().unwrap_or_else(PoisonError::into_inner);
        let token = table.get(&prefix(&hash))?;
        bool::from(token.hash.ct_eq(&hash)).then(|| Arc::clone(token))
    }

    /// Whether the token of that number is still valid.
    pub fn is_valid(&self, number: TokenId) -> bool {
        let table = self.0.valid.read().unwrap_or_else(PoisonError::into_inner);
        table.values().any(|token| token.number == number)
    }

    /// Numbers of tokens that are revoked from now on. A receiver that lags asks [`Self::is_valid`] about its own.
    pub fn revocations(&self) -> broadcast::Receiver<TokenId> {
        self.0.revoked.subscribe()
    }

    /// Completes when the token of that number is revoked, at once where it is no longer valid.
    pub async fn until_revoked(self, number: TokenId) {
        let mut revocations = self.revocations();
        while self.is_valid(number) {
            // A receiver that lags asks the table itself.
            if revocations.recv().await.is_ok_and(|revoked| revoked == number) {
                return;
            }
        }
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
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp_of(&self.0.file.path());
        if stamp.is_some() && stamp == known.stamp {
            return Ok(());
        }
        // The stamp is older than what is read: a change in between shows at the next look.
        let records = self.0.file.list()?;
        let old = Arc::clone(&self.0.valid.read().unwrap_or_else(PoisonError::into_inner));
        let new: Table = records
            .into_iter()
            .map(|record| (prefix(&record.hash), keep_or_make(&old, record, &mut known.next_number)))
            .collect();
        let gone: Vec<TokenId> =
            old.values().filter(|token| !holds(&new, token)).map(|token| token.number).collect();
        *self.0.valid.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        known.stamp = stamp;
        for number in gone {
            // Nobody listens yet, or any more: then there is nothing to end.
            drop(self.0.revoked.send(number));
        }
        Ok(())
    }
}

/// A token that did not change keeps its number and its buckets; one whose rights changed is a new one.
fn keep_or_make(old: &Table, record: TokenRecord, next_number: &mut u32) -> Arc<Token> {
    if let Some(token) = old.get(&prefix(&record.hash))
        && is_same(token, &record)
    {
        return Arc::clone(token);
    }
    let number = TokenId(*next_number);
    *next_number += 1;
    Arc::new(Token {
        number,
        id: record.id,
        name: record.name,
        scopes: record.scopes,
        class: record.class,
        user_id: record.user_id,
        buckets: Buckets::default(),
        hash: record.hash,
    })
}

fn is_same(token: &Token, record: &TokenRecord) -> bool {
    token.hash == record.hash
        && token.id == record.id
        && token.name == record.name
        && token.scopes == record.scopes
        && token.class == record.class
        && token.user_id == record.user_id
}

fn holds(table: &Table, token: &Token) -> bool {
    table.get(&prefix(&token.hash)).is_some_and(|other| other.number == token.number)
}

fn prefix(hash: &TokenHash) -> u64 {
    hash.first_chunk().copied().map_or(0, u64::from_le_bytes)
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
        let store = TokenStore::open(dir.path(), 0).unwrap();
        let file = TokenFile::in_dir(dir.path());
        tokio::select! {
            () = store.clone().follow(|result| result.unwrap()) => {}
            () = commands_beside(&store, &file) => {}
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
        let store = TokenStore::open(dir.path(), 0).unwrap();
        let file = TokenFile::in_dir(dir.path());
        let secret = file.create(&wish("app"), 0).unwrap();
        store.refresh().unwrap();
        let good = std::fs::read(file.path()).unwrap();
        std::fs::write(file.path(), "{").unwrap();
        assert!(matches!(store.refresh(), Err(TokenFileError::Damaged { .. })));
        assert!(
            matches!(store.refresh(), Err(TokenFileError::Damaged { .. })),
            "reported until it is mended"
        );
        assert!(store.find(secret.as_bytes()).is_some());
        std::fs::write(file.path(), good).unwrap();
        store.refresh().unwrap();
        assert!(TokenStore::open(dir.path(), 0).is_ok());
        std::fs::write(file.path(), "{").unwrap();
        assert!(TokenStore::open(dir.path(), 0).is_err(), "a start with a damaged file is refused");
    }

    #[test]
    fn only_the_whole_secret_is_valid() {
        // A prefix, a longer text, another case: all unknown.
        let dir = tempfile::tempdir().unwrap();
        let store = TokenStore::open(dir.path(), 0).unwrap();
        let secret = std::fs::read_to_string(TokenFile::in_dir(dir.path()).owner_path()).unwrap();
        let secret = secret.trim_end();
        assert!(store.find(secret.as_bytes()).is_some());
        for wrong in [&secret[..66], &secret[3..], &format!("{secret} "), &secret.to_uppercase(), ""] {
            assert!(store.find(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
