//! What is kept in step together, and locked together. Whoever writes rows of a scope holds its lock until the commit, so that
//! no reader can skip a change that is committed late.

use cloud_sync_protocol::sync::op::Scope;
use cloud_sync_protocol::town::TownId;
use sha2::{Digest, Sha256};

/// Keys of the advisory locks of scopes, in the one order in which everybody takes them.
pub(super) fn lock_keys(town: &TownId, scopes: &[Scope]) -> Vec<i64> {
    let key = |scope: &Scope| {
        let hash = Sha256::digest(format!("scope/{town}/{}", scope.name()));
        hash.first_chunk().copied().map_or(0, i64::from_le_bytes)
    };
    let mut keys: Vec<i64> = scopes.iter().map(key).collect();
    // By key, not by name: two scopes may share one.
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_taken_in_one_order_whatever_was_asked_for_first() {
        // Or two writers could wait for each other.
        let home = TownId::home();
        let (town, ann, ben) = (Scope::Town, Scope::User("ann".into()), Scope::User("ben".into()));
        let keys = lock_keys(&home, &[town.clone(), ann.clone(), ben.clone()]);
        assert_eq!(keys.len(), 3);
        assert_eq!(keys, lock_keys(&home, &[ben.clone(), town.clone(), ann, ben, town]));
        assert_ne!(keys, lock_keys(&"other".parse().unwrap(), &[Scope::Town]));
    }
}
