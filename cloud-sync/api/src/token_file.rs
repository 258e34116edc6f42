//! The tokens of a data folder as a file: create, list and revoke, also beside a running program.
//!
//! `DIR/tokens.json` holds SHA-256 hashes, never a secret. It is replaced as a whole (written beside, synced, renamed),
//! under a lock, so that a crash or a second command leaves either the old file or the new one. A file that cannot be
//! read is an error with advice; it is never replaced.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use agent_core::caller::Class;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::scope::{Scope, Scopes};
use crate::secrets::{self, NoRandomness, TokenHash, hash_of, hex};

/// Tokens in one folder.
pub const TOKENS_MAX: usize = 1000;

/// Bytes of a token's name, and of a user id.
pub const NAME_BYTES_MAX: usize = 96;

/// Whom a token belongs to where nobody says.
pub const OWNER: &str = "owner";

/// The only version of the file so far.
const VERSION: u32 = 1;

/// Why the tokens of a folder cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// A file operation failed.
    #[error("cannot {what} {path}", path = .path.display())]
    File {
        /// The operation.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The content makes no sense.
    #[error(
        "{path} is damaged ({reason}). Put back a copy of it, or move it away: then the next start makes a new owner's token and all others are gone",
        path = .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder is full of tokens.
    #[error("there are {TOKENS_MAX} tokens already; revoke some with \"token revoke\"")]
    Full,
    /// A name or user id is too long, empty or holds control characters.
    #[error("{0} must have 1 to {NAME_BYTES_MAX} bytes and no control characters")]
    BadText(&'static str),
    /// A token without a scope may nothing.
    #[error("a token needs at least one scope: read, view, speak, drive, admin")]
    NoScope,
    /// No token has that id or name.
    #[error("no token has the id or name \"{0}\"; \"token list\" shows them")]
    Unknown(String),
    /// Several tokens have that name.
    #[error("several tokens are named \"{0}\"; give the id, which \"token list\" shows")]
    Ambiguous(String),
    /// The system gives no random numbers.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// What a new token shall be.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it may do.
    pub scopes: Scopes,
    /// Its rank.
    pub class: Class,
    /// Whom it belongs to.
    pub user_id: String,
    /// Shown as holder. `None`: made from class and id.
    pub name: Option<String>,
}

/// One token as the file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Eight hexadecimal digits; tells tokens apart without their secret.
    pub id: String,
    /// Shown as holder.
    pub name: String,
    /// Hash of the secret.
    pub hash: TokenHash,
    /// What it may do.
    pub scopes: Scopes,
    /// Its rank.
    pub class: Class,
    /// Whom it belongs to.
    pub user_id: String,
    /// When it was made, Unix seconds by the machine's clock then.
    pub created_unix_s: u64,
}

/// The tokens of one data folder.
#[derive(Clone, Debug)]
pub struct TokenFile {
    dir: PathBuf,
}

impl TokenFile {
    /// In the data folder `dir`, which exists.
    pub fn in_dir(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// `DIR/tokens.json`.
    pub fn path(&self) -> PathBuf {
        self.dir.join("tokens.json")
    }

    /// `DIR/owner-token`.
    pub fn owner_path(&self) -> PathBuf {
        self.dir.join("owner-token")
    }

    /// Makes the owner's token (all scopes, class local) where the folder has no tokens yet.
    /// The secret is written to `DIR/owner-token` first, so that a crash in between only repeats this.
    pub fn first_start(&self, now_unix_s: u64) -> Result<(), TokenFileError> {
        let _lock = self.lock()?;
        if self.path().exists() {
            return Ok(());
        }
        let owner = self.owner_record(&[], now_unix_s)?;
        self.write(&[owner])
    }

    /// Makes a token and returns its secret, which is kept nowhere.
    pub fn create(&self, wish: &NewToken, now_unix_s: u64) -> Result<String, TokenFileError> {
        if wish.scopes == Scopes::default() {
            return Err(TokenFileError::NoScope);
        }
        check_text("the user id", &wish.user_id)?;
        let _lock = self.lock()?;
        let mut records = self.list()?;
        if records.len() >= TOKENS_MAX {
            return Err(TokenFileError::Full);
        }
        let secret = secrets::new_token()?;
        let id = new_id(&records)?;
        let name = wish.name.clone().unwrap_or_else(|| format!("{}-{id}", wish.class.as_str()));
        check_text("the name", &name)?;
        records.push(TokenRecord {
            id,
            name,
            hash: hash_of(secret.as_bytes()),
            scopes: wish.scopes,
            class: wish.class,
            user_id: wish.user_id.clone(),
            created_unix_s: now_unix_s,
        });
        self.write(&records)?;
        Ok(secret)
    }

    /// All tokens. An absent file is an error: the first start makes it.
    pub fn list(&self) -> Result<Vec<TokenRecord>, TokenFileError> {
        let path = self.path();
        let bytes = std::fs::read(&path).map_err(|source| file_error("read", &path, source))?;
        parse(&bytes).map_err(|reason| TokenFileError::Damaged { path, reason })
    }

    /// Takes a token away, by id or by a name that only one has. Returns it.
    pub fn revoke(&self, id_or_name: &str) -> Result<TokenRecord, TokenFileError> {
        let _lock = self.lock()?;
        let mut records = self.list()?;
        let by_id = records.iter().position(|record| record.id == id_or_name);
        let index = match by_id {
            Some(index) => index,
            None => {
                let mut named = records.iter().enumerate().filter(|(_, record)| record.name == id_or_name);
                let Some((index, _)) = named.next() else {
                    return Err(TokenFileError::Unknown(id_or_name.to_owned()));
                };
                if named.next().is_some() {
                    return Err(TokenFileError::Ambiguous(id_or_name.to_owned()));
                }
                index
            }
        };
        let revoked = records.remove(index);
        self.write(&records)?;
        Ok(revoked)
    }

    /// Gives every token of one user to another. The secrets stay.
    pub fn rename_user(&self, from: &str, to: &str) -> Result<(), TokenFileError> {
        check_text("the user id", to)?;
        let _lock = self.lock()?;
        let mut records = self.list()?;
        let mut is_changed = false;
        for record in records.iter_mut().filter(|record| record.user_id == from && from != to) {
            record.user_id = to.to_owned();
            is_changed = true;
        }
        if is_changed { self.write(&records) } else { Ok(()) }
    }

    /// Takes every token of a user away, and makes a new owner's token as the first start does.
    pub fn forget_user(&self, user: &str, now_unix_s: u64) -> Result<(), TokenFileError> {
        let _lock = self.lock()?;
        let mut records = self.list()?;
        records.retain(|record| record.user_id != user);
        let owner = self.owner_record(&records, now_unix_s)?;
        records.push(owner);
        self.write(&records)
    }

    /// A new owner's token. Its secret is written to `DIR/owner-token`. Only called under the lock.
    fn owner_record(&self, records: &[TokenRecord], now_unix_s: u64) -> Result<TokenRecord, TokenFileError> {
        let secret = secrets::new_token()?;
        self.replace(&self.owner_path(), format!("{secret}\n").as_bytes())?;
        Ok(TokenRecord {
            id: new_id(records)?,
            name: OWNER.to_owned(),
            hash: hash_of(secret.as_bytes()),
            scopes: Scopes::ALL,
            class: Class::Local,
            user_id: OWNER.to_owned(),
            created_unix_s: now_unix_s,
        })
    }

    /// One writer at a time. The lock ends with the file handle.
    fn lock(&self) -> Result<File, TokenFileError> {
        let path = self.dir.join("tokens.lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = open.map_err(|source| file_error("open", &path, source))?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)
            .map_err(|errno| file_error("lock", &path, errno.into()))?;
        Ok(file)
    }

    fn write(&self, records: &[TokenRecord]) -> Result<(), TokenFileError> {
        let path = self.path();
        let document = Document { version: VERSION, tokens: records.iter().map(Row::from).collect() };
        let mut text = serde_json::to_vec_pretty(&document)
            .map_err(|error| file_error("write", &path, io::Error::other(error)))?;
        text.push(b'\n');
        self.replace(&path, &text)
    }

    /// Durable and atomic: a reader sees the old content or the new one. Only called under the lock.
    fn replace(&self, path: &Path, content: &[u8]) -> Result<(), TokenFileError> {
        let beside = path.with_extension("new");
        let failed = |source| file_error("write", path, source);
        // A leftover of a crash may have other rights.
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut file =
            OpenOptions::new().create_new(true).write(true).mode(0o600).open(&beside).map_err(failed)?;
        file.write_all(content).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&beside, path).map_err(failed)?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(failed)
    }
}

fn file_error(what: &'static str, path: &Path, source: io::Error) -> TokenFileError {
    TokenFileError::File { what, path: path.to_owned(), source }
}

fn check_text(what: &'static str, text: &str) -> Result<(), TokenFileError> {
    let fits = !text.trim().is_empty() && text.len() <= NAME_BYTES_MAX && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(TokenFileError::BadText(what)) }
}

fn new_id(taken: &[TokenRecord]) -> Result<String, TokenFileError> {
    loop {
        let id = secrets::new_id()?;
        if taken.iter().all(|record| record.id != id) {
            return Ok(id);
        }
    }
}

fn unhex(text: &str) -> Option<TokenHash> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    tokens: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    name: String,
    sha256: String,
    scopes: Vec<Scope>,
    class: String,
    user_id: String,
    created_unix_s: u64,
}

impl From<&TokenRecord> for Row {
    fn from(record: &TokenRecord) -> Self {
        Self {
            id: record.id.clone(),
            name: record.name.clone(),
            sha256: hex(&record.hash),
            scopes: record.scopes.iter().collect(),
            class: record.class.as_str().to_owned(),
            user_id: record.user_id.clone(),
            created_unix_s: record.created_unix_s,
        }
    }
}

/// The class of that word.
pub fn class_named(word: &str) -> Option<Class> {
    [Class::Ai, Class::Autonomy, Class::Remote, Class::Local].into_iter().find(|class| class.as_str() == word)
}

/// Reads the file's content; `Err` says what is wrong with it.
fn parse(bytes: &[u8]) -> Result<Vec<TokenRecord>, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if document.version != VERSION {
        return Err(format!("version {} is not known here", document.version));
    }
    if document.tokens.len() > TOKENS_MAX {
        return Err(format!("more than {TOKENS_MAX} tokens"));
    }
    let (mut ids, mut prefixes) = (HashSet::new(), HashSet::new());
    let mut records = Vec::with_capacity(document.tokens.len());
    for row in document.tokens {
        let hash = unhex(&row.sha256).ok_or_else(|| format!("the hash of token {} is no SHA-256", row.id))?;
        let class = class_named(&row.class).ok_or_else(|| format!("\"{}\" is no class", row.class))?;
        // The store looks tokens up by the first 64 bits.
        if !ids.insert(row.id.clone()) || !prefixes.insert(hash.first_chunk::<8>().copied()) {
            return Err(format!("token {} stands twice", row.id));
        }
        records.push(TokenRecord {
            id: row.id,
            name: row.name,
            hash,
            scopes: row.scopes.into_iter().collect(),
            class,
            user_id: row.user_id,
            created_unix_s: row.created_unix_s,
        });
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn folder() -> (tempfile::TempDir, TokenFile) {
        let dir = tempfile::tempdir().unwrap();
        let file = TokenFile::in_dir(dir.path());
        (dir, file)
    }

    fn driver(name: Option<&str>) -> NewToken {
        NewToken {
            scopes: [Scope::Drive, Scope::Read].into_iter().collect(),
            class: Class::Autonomy,
            user_id: OWNER.to_owned(),
            name: name.map(str::to_owned),
        }
    }

    #[test]
    fn the_first_start_makes_the_owners_token_once() {
        // All scopes, class local, readable by the owner of the folder alone; a second start changes nothing.
        let (_dir, file) = folder();
        file.first_start(5).unwrap();
        let secret = std::fs::read_to_string(file.owner_path()).unwrap();
        let owner = file.list().unwrap().remove(0);
        assert_eq!(owner.hash, hash_of(secret.trim_end().as_bytes()));
        assert_eq!((owner.scopes, owner.class, owner.created_unix_s), (Scopes::ALL, Class::Local, 5));
        assert_eq!(secret.trim_end().len(), 3 + 64);
        for path in [file.path(), file.owner_path()] {
            assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o777, 0o600);
        }
        file.first_start(6).unwrap();
        assert_eq!(std::fs::read_to_string(file.owner_path()).unwrap(), secret);
    }

    #[test]
    fn tokens_come_and_go_and_no_secret_stays() {
        // create returns the only copy of the secret; revoke takes id or name.
        let (_dir, file) = folder();
        file.first_start(0).unwrap();
        let secret = file.create(&driver(Some("arm")), 1).unwrap();
        assert!(!std::fs::read_to_string(file.path()).unwrap().contains(&secret[3..]));
        let record = file.list().unwrap().into_iter().find(|record| record.name == "arm").unwrap();
        assert_eq!(record.hash, hash_of(secret.as_bytes()));
        assert_eq!(file.revoke("arm").unwrap(), record);
        assert!(matches!(file.revoke("arm"), Err(TokenFileError::Unknown(_))));
        file.create(&driver(Some("twin")), 1).unwrap();
        file.create(&driver(Some("twin")), 1).unwrap();
        assert!(matches!(file.revoke("twin"), Err(TokenFileError::Ambiguous(_))));
        let unnamed = file.create(&driver(None), 1).unwrap();
        let record = file
            .list()
            .unwrap()
            .into_iter()
            .find(|record| record.hash == hash_of(unnamed.as_bytes()))
            .unwrap();
        assert_eq!(record.name, format!("autonomy-{}", record.id));
        assert_eq!(file.revoke(&record.id).unwrap(), record);
    }

    #[test]
    fn a_damaged_file_is_told_and_kept() {
        // Nothing that is no valid token file is ever read as an empty one, or replaced.
        let (_dir, file) = folder();
        let row = format!(
            r#"{{"id":"a","name":"n","sha256":"{}","scopes":["read"],"class":"local","user_id":"owner","created_unix_s":1}}"#,
            "0".repeat(64)
        );
        let bad = [
            String::new(),
            "{".to_owned(),
            r#"{"version":2,"tokens":[]}"#.to_owned(),
            format!(r#"{{"version":1,"tokens":[{row},{row}]}}"#),
            format!(r#"{{"version":1,"tokens":[{}]}}"#, row.replace("local", "king")),
            format!(r#"{{"version":1,"tokens":[{}]}}"#, row.replace("0000", "00g0")),
            format!(r#"{{"version":1,"tokens":[{}]}}"#, row.replace("read", "fly")),
        ];
        for content in bad {
            std::fs::write(file.path(), &content).unwrap();
            file.first_start(0).unwrap();
            assert!(
                matches!(file.create(&driver(None), 0), Err(TokenFileError::Damaged { .. })),
                "{content}"
            );
            assert!(matches!(file.revoke("a"), Err(TokenFileError::Damaged { .. })), "{content}");
            assert_eq!(std::fs::read_to_string(file.path()).unwrap(), content);
        }
        std::fs::write(file.path(), format!(r#"{{"version":1,"tokens":[{row}]}}"#)).unwrap();
        assert_eq!(file.list().unwrap().len(), 1);
    }

    #[test]
    fn bad_wishes_are_refused() {
        // Too many tokens, no scope, a name that would not fit an answer.
        let (_dir, file) = folder();
        file.first_start(0).unwrap();
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for name in ["", " ", "a\nb", long.as_str()] {
            assert!(
                matches!(file.create(&driver(Some(name)), 0), Err(TokenFileError::BadText(_))),
                "{name:?}"
            );
        }
        let mut none = driver(None);
        none.scopes = Scopes::default();
        assert!(matches!(file.create(&none, 0), Err(TokenFileError::NoScope)));
        let mut records = file.list().unwrap();
        for number in 0..TOKENS_MAX - 1 {
            let hash = hash_of(&number.to_le_bytes());
            records.push(TokenRecord { id: number.to_string(), hash, ..records[0].clone() });
        }
        file.write(&records).unwrap();
        assert!(matches!(file.create(&driver(None), 0), Err(TokenFileError::Full)));
    }
}
