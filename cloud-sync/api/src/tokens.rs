//! The tokens that are valid now: looks a secret up on every request, tells who was revoked.
//!
//! Where they come from is the program's business: a robot follows a file ([`crate::token_follower`]), the cloud its registry.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use agent_core::caller::{Class, TokenId};
use cloud_sync_protocol::town::RobotId;
use subtle::ConstantTimeEq;
use tokio::sync::broadcast;

use crate::home::Home;
use crate::rate::Buckets;
use crate::scope::Scopes;
use crate::secrets::{TokenHash, hash_of};
use crate::token_file::{TOKENS_MAX, TokenRecord};

/// A secret that shall be valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Tells it apart without its secret.
    pub id: String,
    /// Shown as holder.
    pub name: String,
    /// Hash of the secret.
    pub hash: TokenHash,
    /// What it may do; a device may nothing but what devices may.
    pub scopes: Scopes,
    /// Its rank.
    pub class: Class,
    /// Whom it belongs to.
    pub user_id: String,
    /// Where it is at home, if it says so.
    pub home: Option<Home>,
    /// The paired robot whose secret it is.
    pub device: Option<RobotId>,
}

impl From<TokenRecord> for Credential {
    fn from(record: TokenRecord) -> Self {
        let TokenRecord { id, name, hash, scopes, class, user_id, created_unix_s: _ } = record;
        Self { id, name, hash, scopes, class, user_id, home: None, device: None }
    }
}

/// A token in use.
#[derive(Debug)]
pub struct Token {
    /// Its number within this run; never reused.
    pub number: TokenId,
    /// Its id in the list that it comes from.
    pub id: String,
    /// Shown as holder.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// Its rank; a peer may lower it.
    pub class: Class,
    /// Whom it belongs to.
    pub user_id: String,
    /// Where it is at home, if it says so.
    pub home: Option<Home>,
    /// The paired robot whose secret it is.
    pub device: Option<RobotId>,
    /// How often it may ask.
    pub buckets: Buckets,
    hash: TokenHash,
}

impl Token {
    /// A token that another program of ours knows and vouches for. No secret finds it here.
    #[must_use]
    pub fn elsewhere(number: TokenId, id: &str, user_id: &str, scopes: Scopes, class: Class) -> Self {
        Self {
            number,
            id: id.to_owned(),
            name: user_id.to_owned(),
            scopes,
            class,
            user_id: user_id.to_owned(),
            home: None,
            device: None,
            buckets: Buckets::default(),
            hash: TokenHash::default(),
        }
    }
}

/// A handle on the valid tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TokenStore(Arc<Inner>);

impl Default for TokenStore {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug)]
struct Inner {
    valid: RwLock<Arc<Table>>,
    next_number: Mutex<u32>,
    revoked: broadcast::Sender<TokenId>,
    gone: broadcast::Sender<Arc<Token>>,
}

/// Keyed by the first 64 bits of the hash. Whoever could time that lookup would learn about a hash, not about a token;
/// the whole hash is then compared in constant time.
type Table = HashMap<u64, Arc<Token>>;

impl TokenStore {
    /// Over no tokens yet.
    pub fn new() -> Self {
        // At most as many are revoked at once as there can be, so a receiver that keeps up misses none.
        let (revoked, _) = broadcast::channel(TOKENS_MAX.next_power_of_two());
        let (gone, _) = broadcast::channel(TOKENS_MAX.next_power_of_two());
        let inner = Inner { valid: RwLock::default(), next_number: Mutex::default(), revoked, gone };
        Self(Arc::new(inner))
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

    /// The robots whose secrets are valid in this town now.
    pub fn robots(&self, town: &str) -> Vec<RobotId> {
        let table = self.0.valid.read().unwrap_or_else(PoisonError::into_inner);
        let is_of_town = |token: &&Arc<Token>| token.home.as_ref().is_some_and(|home| home.town == town);
        table.values().filter(is_of_town).filter_map(|token| token.device.clone()).collect()
    }

    /// The entry of that robot in that town, while its secret is valid.
    pub fn robot(&self, town: &str, robot: &RobotId) -> Option<Arc<Token>> {
        let table = self.0.valid.read().unwrap_or_else(PoisonError::into_inner);
        let is_of_town = |token: &Token| token.home.as_ref().is_some_and(|home| home.town == town);
        table.values().find(|token| token.device.as_ref() == Some(robot) && is_of_town(token)).cloned()
    }

    /// Numbers of tokens that are revoked from now on. A receiver that lags asks [`Self::is_valid`] about its own.
    pub fn revocations(&self) -> broadcast::Receiver<TokenId> {
        self.0.revoked.subscribe()
    }

    /// Tokens of which nothing is left from now on: one whose rights changed is none of them. For other programs, which know them
    /// by their ids.
    pub fn departures(&self) -> broadcast::Receiver<Arc<Token>> {
        self.0.gone.subscribe()
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

    /// From now on exactly these are valid. One that did not change keeps its number and its buckets; whoever follows
    /// [`Self::revocations`] hears of each that is gone.
    pub fn replace(&self, credentials: impl IntoIterator<Item = Credential>) {
        let mut next_number = self.0.next_number.lock().unwrap_or_else(PoisonError::into_inner);
        let old = Arc::clone(&self.0.valid.read().unwrap_or_else(PoisonError::into_inner));
        let new: Table = credentials
            .into_iter()
            .map(|credential| (prefix(&credential.hash), keep_or_make(&old, credential, &mut next_number)))
            .collect();
        let new = Arc::new(new);
        *self.0.valid.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        for token in old.values().filter(|token| !holds(&new, token)) {
            // Nobody listens yet, or any more: then there is nothing to end.
            drop(self.0.revoked.send(token.number));
            if !new.values().any(|other| other.id == token.id) {
                drop(self.0.gone.send(Arc::clone(token)));
            }
        }
    }
}

/// A token that did not change keeps its number and its buckets; one whose rights changed is a new one.
fn keep_or_make(old: &Table, record: Credential, next_number: &mut u32) -> Arc<Token> {
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
        home: record.home,
        device: record.device,
        buckets: Buckets::default(),
        hash: record.hash,
    })
}

fn is_same(token: &Token, record: &Credential) -> bool {
    token.hash == record.hash
        && token.id == record.id
        && token.name == record.name
        && token.scopes == record.scopes
        && token.class == record.class
        && token.user_id == record.user_id
        && token.home == record.home
        && token.device == record.device
}

fn holds(table: &Table, token: &Token) -> bool {
    table.get(&prefix(&token.hash)).is_some_and(|other| other.number == token.number)
}

fn prefix(hash: &TokenHash) -> u64 {
    hash.first_chunk().copied().map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(name: &str) -> Credential {
        Credential {
            id: name.to_owned(),
            name: name.to_owned(),
            hash: hash_of(name.as_bytes()),
            scopes: Scopes::ALL,
            class: Class::Remote,
            user_id: "ann".to_owned(),
            home: None,
            device: None,
        }
    }

    #[test]
    fn what_did_not_change_keeps_its_number_and_what_did_is_revoked() {
        // So that a change of one token ends nobody else's lease.
        let store = TokenStore::new();
        store.replace([credential("a"), credential("b"), credential("c")]);
        let number = |secret: &str| store.find(secret.as_bytes()).map(|token| token.number);
        let (a, b, c) = (number("a"), number("b"), number("c"));
        let mut revocations = store.revocations();
        let elsewhere = Some(Home { town: "elsewhere".to_owned(), owner: "ann".to_owned() });
        store.replace([credential("a"), Credential { home: elsewhere, ..credential("b") }]);
        assert_eq!(number("a"), a);
        assert!(number("b").is_some() && number("b") != b);
        assert_eq!(number("c"), None);
        let mut gone = [revocations.try_recv().ok(), revocations.try_recv().ok()];
        gone.sort();
        assert_eq!(gone, [b, c]);
        assert!(revocations.try_recv().is_err());
        assert!(!store.is_valid(c.unwrap()));
    }
}
