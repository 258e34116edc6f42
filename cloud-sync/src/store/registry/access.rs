//! Everybody who may, as one list, and the number that tells whether it has changed.

use cloud_sync_protocol::town::{RobotId, TownId};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::{Hash, Registered, Registry, hash_from, robot_named, town_named};

/// One secret that is valid now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRow {
    /// Its town.
    pub town: TownId,
    /// Whom the assistant of that town belongs to.
    pub owner: String,
    /// Whom it belongs to.
    pub user_id: String,
    /// Hash of the secret.
    pub hash: Hash,
    /// What it is.
    pub access: Access,
}

/// A person's or program's token, or a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// A token.
    Token {
        /// Tells it apart without its secret.
        id: String,
        /// Shown as holder.
        name: String,
        /// Names of its scopes.
        scopes: Vec<String>,
        /// Name of its class.
        class: String,
    },
    /// A paired robot.
    Device(RobotId),
}

impl Registry {
    /// Rises whenever the list changes.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn access_version(&self) -> Registered<i64> {
        let mut transaction = self.database.begin_read().await?;
        let version = sqlx::query_scalar("SELECT version FROM registry.access_version");
        Ok(version.fetch_one(&mut *transaction).await?)
    }

    /// The list, and its version: both of one moment.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn access(&self) -> Registered<(i64, Vec<AccessRow>)> {
        let mut transaction = self.database.begin_read().await?;
        let version = sqlx::query_scalar("SELECT version FROM registry.access_version")
            .fetch_one(&mut *transaction)
            .await?;
        let tokens = "SELECT town, owner, user_id, hash, tokens.id, name, scopes, class \
            FROM registry.tokens JOIN registry.towns ON towns.id = town";
        let tokens = sqlx::query(tokens).fetch_all(&mut *transaction).await?;
        let devices = "SELECT town, owner, user_id, hash, devices.id \
            FROM registry.devices JOIN registry.towns ON towns.id = town WHERE revoked_ms IS NULL";
        let devices = sqlx::query(devices).fetch_all(&mut *transaction).await?;
        let tokens = tokens.iter().map(token);
        let rows = tokens.chain(devices.iter().map(device)).collect::<Result<_, _>>()?;
        Ok((version, rows))
    }
}

fn token(row: &PgRow) -> Result<AccessRow, sqlx::Error> {
    let access = Access::Token {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        scopes: row.try_get("scopes")?,
        class: row.try_get("class")?,
    };
    with(row, access)
}

fn device(row: &PgRow) -> Result<AccessRow, sqlx::Error> {
    with(row, Access::Device(robot_named(row.try_get("id")?)?))
}

fn with(row: &PgRow, access: Access) -> Result<AccessRow, sqlx::Error> {
    Ok(AccessRow {
        town: town_named(row.try_get("town")?)?,
        owner: row.try_get("owner")?,
        user_id: row.try_get("user_id")?,
        hash: hash_from(row.try_get("hash")?)?,
        access,
    })
}
