//! Who may come in: keeps the table of valid tokens and devices as the registry has it, whichever replica changed it.
//!
//! While the database is away, the table stays as it was read last.

use std::sync::Arc;
use std::time::Duration;

use cloud_sync_api::home::Home;
use cloud_sync_api::scope::{Scope, Scopes};
use cloud_sync_api::token_file::class_named;
use cloud_sync_api::tokens::{Credential, TokenStore};
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;

use crate::store::Registry;
use crate::store::registry::{Access, AccessRow, Registered};

/// How often is looked for changes: well within the promised second.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How devices are shown among those who hold something.
const DEVICE: &str = "robot";

/// Keeps the valid tokens as the registry has them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// Whoever may come in now.
    pub tokens: TokenStore,
    registry: Registry,
    seen: Arc<Mutex<i64>>,
}

impl Entrance {
    /// Reads who may come in.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn open(registry: Registry, tokens: TokenStore) -> Registered<Self> {
        let entrance = Self { tokens, registry, seen: Arc::default() };
        entrance.refresh().await?;
        Ok(entrance)
    }

    /// Looks whether something has changed, and reads it if so. Whoever changes something calls this, so that it is in force at
    /// once where it was said; elsewhere [`Self::follow`] finds it.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn refresh(&self) -> Registered<()> {
        let mut seen = self.seen.lock().await;
        if self.registry.access_version().await? == *seen {
            return Ok(());
        }
        let (version, rows) = self.registry.access().await?;
        self.tokens.replace(rows.into_iter().filter_map(credential));
        *seen = version;
        Ok(())
    }

    /// Follows the registry for ever. `report` hears each time how it went.
    pub async fn follow(self, report: impl Fn(Registered<()>)) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            report(self.refresh().await);
        }
    }
}

/// What a row lets in. One whose words nobody here knows comes from a newer program, and lets nobody in.
fn credential(row: AccessRow) -> Option<Credential> {
    let home = Some(Home { town: row.town.to_string(), owner: row.owner });
    let (hash, user_id) = (row.hash, row.user_id);
    match row.access {
        Access::Token { id, name, scopes, class } => {
            let scopes: Scopes =
                scopes.iter().map(|word| word.parse::<Scope>()).collect::<Result<_, _>>().ok()?;
            let class = class_named(&class)?;
            Some(Credential { id, name, hash, scopes, class, user_id, home, device: None })
        }
        Access::Device(robot) => Some(Credential {
            id: robot.to_string(),
            name: format!("{DEVICE} {robot}"),
            hash,
            scopes: Scopes::default(),
            class: cloud_sync_api::access::Class::Autonomy,
            user_id,
            home,
            device: Some(robot),
        }),
    }
}
