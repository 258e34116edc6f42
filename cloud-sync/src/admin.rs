//! Who is who, over HTTP: towns, users, tokens, devices, and the pairing of robots.
//!
//! An admin's token is good for its own town, and knows nothing of any other: what is there is as little to be found as what is
//! not. Only the owner of the first town sees all towns, makes new ones and takes them away; into them they do not get, either.

mod devices;
mod pairing;
mod refusal;
mod tokens;
mod towns;
mod users;

use cloud_sync_api::access::{Guards, Principal, Rule};
use cloud_sync_api::mqtt::Broker;
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::problem::{Answer, Problem};
use cloud_sync_api::rate::Rate;
use cloud_sync_api::scope::Scope;
use cloud_sync_protocol::town::TownId;
use jiff::Timestamp;

use crate::access::Entrance;
use crate::store::Registry;

pub use tokens::{Made, Wish, make_token};

/// Who may look.
const READ: Rule = Rule::scope(Scope::Admin, Rate::Read);
/// Who may change something.
const WRITE: Rule = Rule::scope(Scope::Admin, Rate::Write);

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Who is who.
    pub registry: Registry,
    /// Whoever may come in.
    pub entrance: Entrance,
    /// The broker, and the town whose robots it serves.
    pub broker: Option<(TownId, Broker)>,
}

/// All of them.
pub fn routes(guards: &Guards, admin: &Admin) -> ApiRouter {
    ApiRouter::new(guards)
        .merge(towns::routes(guards, admin.clone()))
        .merge(users::routes(guards, admin.clone()))
        .merge(tokens::routes(guards, admin.clone()))
        .merge(devices::routes(guards, admin.clone()))
        .merge(pairing::routes(guards, admin.clone()))
}

impl Admin {
    /// What was changed is in force here before the answer goes out; other replicas see it within a second.
    async fn changed(&self) {
        if let Err(error) = self.entrance.refresh().await {
            tracing::debug!(%error, "a change is not in force yet");
        }
    }
}

/// The town of whoever asks.
fn town_of(principal: &Principal) -> Answer<TownId> {
    let home = principal.entry.home.as_ref();
    let town = home.and_then(|home| home.town.parse().ok());
    town.ok_or_else(|| Problem::no_right("This token belongs to no town."))
}

/// A moment of a row.
fn timestamp(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}
