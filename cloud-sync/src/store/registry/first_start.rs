//! What a database is given when the first program starts on it.

use cloud_sync_protocol::town::TownId;

use super::people::{insert_token, insert_town};
use super::{NewToken, Registered, Registry, TownRow};

/// What a start found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstStart {
    /// There was no town: there is the first one now, and its owner has the token.
    Made,
    /// There are towns; the first one and its owner.
    Found {
        /// The first town.
        town: TownId,
        /// Its owner.
        owner: String,
    },
}

impl Registry {
    /// Makes the first town with its owner and their token where there is no town yet.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn first_start(&self, town: &TownRow, token: &NewToken) -> Registered<FirstStart> {
        let mut transaction = self.database.begin_write().await?;
        // Replicas that start together on a new database: one makes it, the others find it.
        sqlx::query("LOCK TABLE registry.towns IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut *transaction)
            .await?;
        let found: Option<(String, String)> =
            sqlx::query_as("SELECT id, owner FROM registry.towns ORDER BY is_first DESC, id LIMIT 1")
                .fetch_optional(&mut *transaction)
                .await?;
        if let Some((id, owner)) = found {
            return Ok(FirstStart::Found { town: super::town_named(&id)?, owner });
        }
        insert_town(&mut transaction, town, true).await?;
        insert_token(&mut transaction, &town.id, token).await?;
        self.make_schema(&mut transaction, &town.id).await?;
        transaction.commit().await?;
        Ok(FirstStart::Made)
    }
}
