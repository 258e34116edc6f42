//! Whose rows a request is about: the token's user, or for an admin another one.

use cloud_sync_protocol::store::Whose;

use crate::access::Principal;
use crate::home::Homes;
use crate::problem::{Answer, Problem};
use crate::scope::Scope;

use super::asked;

/// Longest name of a user, bytes.
pub(super) const USER_BYTES_MAX: usize = 96;

/// A store, and how to find whose rows of it somebody means. What handlers share.
#[derive(Clone, Debug)]
pub(super) struct Assistant<S> {
    homes: Homes,
    /// The store.
    pub(super) store: S,
}

impl<S> Assistant<S> {
    /// Over a store.
    pub(super) fn new(homes: Homes, store: S) -> Self {
        Self { homes, store }
    }

    /// Whose rows `principal` asks for; `user_id` is the one that the request names, if it does.
    ///
    /// # Errors
    /// 400 where that is no name, 403 where it is another's and the token is no admin's.
    pub(super) fn whose(&self, principal: &Principal, user_id: Option<&str>) -> Answer<Whose> {
        let user = user_id.unwrap_or(principal.user_id());
        asked::text("user_id", user, USER_BYTES_MAX)?;
        if user.trim().is_empty() {
            return Err(Problem::bad_request("user_id is empty.").field("user_id"));
        }
        check_user("user_id", principal, user)?;
        Ok(Whose { town: self.homes.of(principal).town, user: user.to_owned() })
    }

    /// Completes when these are nobody's rows here any more: the robot belongs to another town.
    pub(super) async fn until_moved(&self, whose: &Whose) {
        self.homes.until_moved(&whose.town).await;
    }

    /// Whether the assistant that `principal` meets belongs to them.
    pub(super) fn is_owner(&self, principal: &Principal, whose: &Whose) -> bool {
        whose.user == self.homes.of(principal).owner
    }
}

/// 403 where `user` is not the token's and the token is no admin's.
pub(super) fn check_user(field: &'static str, principal: &Principal, user: &str) -> Answer<()> {
    if user == principal.user_id() || principal.has(Scope::Admin) {
        return Ok(());
    }
    let own = principal.user_id();
    Err(Problem::no_right(format!(
        "This token belongs to \"{own}\"; for another user it needs the scope admin."
    ))
    .field(field)
    .fact("scope", Scope::Admin.as_str()))
}
