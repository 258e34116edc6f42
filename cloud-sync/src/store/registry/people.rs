//! Towns, their users, and the tokens by which people and programs come in.

use cloud_sync_protocol::town::TownId;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::{
    Hash, Registered, Registry, RegistryError, TOKENS_MAX, TOWNS_MAX, USERS_MAX, is_orphan, is_taken,
    town_named,
};
use crate::store::migrations;
use crate::store::town::schema;

/// A town.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TownRow {
    /// Its id.
    pub id: TownId,
    /// Whom the assistant belongs to.
    pub owner: String,
    /// When it was made, Unix milliseconds.
    pub created_ms: i64,
}

/// A user of a town.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UserRow {
    /// Their id.
    pub id: String,
    /// When they were added, Unix milliseconds.
    pub created_ms: i64,
}

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TokenRow {
    /// Tells it apart.
    pub id: String,
    /// Shown as holder.
    pub name: String,
    /// Whom it belongs to.
    pub user_id: String,
    /// Names of its scopes.
    pub scopes: Vec<String>,
    /// Name of its class.
    pub class: String,
    /// When it was made, Unix milliseconds.
    pub created_ms: i64,
}

/// A token to be made. Names of scopes and class have been checked.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// As it shall be listed.
    pub row: TokenRow,
    /// Hash of its secret.
    pub hash: Hash,
}

impl Registry {
    /// All towns, or only `town`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn towns(&self, only: Option<&TownId>) -> Registered<Vec<TownRow>> {
        let mut transaction = self.database.begin_read().await?;
        let asked =
            "SELECT id, owner, created_ms FROM registry.towns WHERE $1 IS NULL OR id = $1 ORDER BY id";
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as(asked).bind(only.map(TownId::as_str)).fetch_all(&mut *transaction).await?;
        let town = |(id, owner, created_ms): (String, String, i64)| {
            Ok(TownRow { id: town_named(&id)?, owner, created_ms })
        };
        Ok(rows.into_iter().map(town).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Whether `user` is the owner of the first town, and `town` that town.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn is_first_owner(&self, town: &TownId, user: &str) -> Registered<bool> {
        let mut transaction = self.database.begin_read().await?;
        let asked = "SELECT EXISTS (SELECT FROM registry.towns WHERE id = $1 AND owner = $2 AND is_first)";
        Ok(sqlx::query_scalar(asked).bind(town.as_str()).bind(user).fetch_one(&mut *transaction).await?)
    }

    /// Makes a town with its owner, their first token and its schema: all or none.
    ///
    /// # Errors
    /// The name is taken, or there are too many.
    pub async fn add_town(&self, town: &TownRow, token: &NewToken) -> Registered<()> {
        let mut transaction = self.database.begin_write().await?;
        let towns: i64 =
            sqlx::query_scalar("SELECT count(*) FROM registry.towns").fetch_one(&mut *transaction).await?;
        if towns >= TOWNS_MAX {
            return Err(RegistryError::Full { what: "towns", max: TOWNS_MAX });
        }
        insert_town(&mut transaction, town, false).await?;
        insert_token(&mut transaction, &town.id, token).await?;
        self.make_schema(&mut transaction, &town.id).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes a town away, with everything in it. The first one stays.
    ///
    /// # Errors
    /// No such town, or it is the first.
    pub async fn remove_town(&self, town: &TownId) -> Registered<()> {
        let mut transaction = self.database.begin_write().await?;
        let removed: Option<bool> =
            sqlx::query_scalar("DELETE FROM registry.towns WHERE id = $1 RETURNING is_first")
                .bind(town.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
        match removed {
            None => return Err(RegistryError::NotFound("town")),
            Some(true) => {
                return Err(RegistryError::Needed("the first town stays: its owner makes the others"));
            }
            Some(false) => {}
        }
        let dropped = format!("DROP SCHEMA IF EXISTS {} CASCADE", schema(town));
        transaction.execute(AssertSqlSafe(dropped)).await?;
        Ok(transaction.commit().await?)
    }

    /// The users of a town.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn users(&self, town: &TownId) -> Registered<Vec<UserRow>> {
        let mut transaction = self.database.begin_read().await?;
        let rows = sqlx::query_as("SELECT id, created_ms FROM registry.users WHERE town = $1 ORDER BY id");
        Ok(rows.bind(town.as_str()).fetch_all(&mut *transaction).await?)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// There is one of that id, or there are too many.
    pub async fn add_user(&self, town: &TownId, user: &UserRow) -> Registered<()> {
        let mut transaction = self.database.begin_write().await?;
        let users = "SELECT count(*) FROM registry.users WHERE town = $1";
        if count(&mut transaction, users, town.as_str()).await? >= USERS_MAX {
            return Err(RegistryError::Full { what: "users", max: USERS_MAX });
        }
        insert_user(&mut transaction, town, user).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes a user away, with their tokens and devices; what they wrote stays. The owner stays.
    ///
    /// # Errors
    /// No such user, or it is the owner.
    pub async fn remove_user(&self, town: &TownId, user: &str) -> Registered<()> {
        let mut transaction = self.database.begin_write().await?;
        let is_owner: Option<bool> =
            sqlx::query_scalar("SELECT owner = $2 FROM registry.towns WHERE id = $1")
                .bind(town.as_str())
                .bind(user)
                .fetch_optional(&mut *transaction)
                .await?;
        if is_owner == Some(true) {
            return Err(RegistryError::Needed("the owner stays: the assistant belongs to them"));
        }
        let removed = sqlx::query("DELETE FROM registry.users WHERE town = $1 AND id = $2")
            .bind(town.as_str())
            .bind(user)
            .execute(&mut *transaction)
            .await?;
        if removed.rows_affected() == 0 {
            return Err(RegistryError::NotFound("user"));
        }
        Ok(transaction.commit().await?)
    }

    /// The tokens of a town.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn tokens(&self, town: &TownId) -> Registered<Vec<TokenRow>> {
        let mut transaction = self.database.begin_read().await?;
        let asked = "SELECT id, name, user_id, scopes, class, created_ms FROM registry.tokens \
            WHERE town = $1 ORDER BY created_ms, id";
        Ok(sqlx::query_as(asked).bind(town.as_str()).fetch_all(&mut *transaction).await?)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// No such user, or there are too many.
    pub async fn add_token(&self, town: &TownId, token: &NewToken) -> Registered<()> {
        let mut transaction = self.database.begin_write().await?;
        let tokens = "SELECT count(*) FROM registry.tokens WHERE town = $1";
        if count(&mut transaction, tokens, town.as_str()).await? >= TOKENS_MAX {
            return Err(RegistryError::Full { what: "tokens", max: TOKENS_MAX });
        }
        insert_token(&mut transaction, town, token).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes a token away.
    ///
    /// # Errors
    /// No such token in this town.
    pub async fn remove_token(&self, town: &TownId, id: &str) -> Registered<()> {
        let mut transaction = self.database.begin_write().await?;
        let removed = sqlx::query("DELETE FROM registry.tokens WHERE town = $1 AND id = $2")
            .bind(town.as_str())
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        if removed.rows_affected() == 0 {
            return Err(RegistryError::NotFound("token"));
        }
        Ok(transaction.commit().await?)
    }

    /// Makes the schema of a new town, within the transaction that makes the town.
    pub(super) async fn make_schema(&self, connection: &mut PgConnection, town: &TownId) -> Registered<()> {
        let (shared, steps) = (self.database.shared(), self.database.migrations());
        Ok(migrations::make_town(connection, town, shared, steps).await?)
    }
}

/// A town and the row of its owner.
pub(super) async fn insert_town(
    connection: &mut PgConnection,
    town: &TownRow,
    is_first: bool,
) -> Registered<()> {
    sqlx::query("INSERT INTO registry.towns (id, owner, is_first, created_ms) VALUES ($1, $2, $3, $4)")
        .bind(town.id.as_str())
        .bind(&town.owner)
        .bind(is_first)
        .bind(town.created_ms)
        .execute(&mut *connection)
        .await
        .map_err(|error| taken("town", error))?;
    let owner = UserRow { id: town.owner.clone(), created_ms: town.created_ms };
    insert_user(connection, &town.id, &owner).await
}

async fn insert_user(connection: &mut PgConnection, town: &TownId, user: &UserRow) -> Registered<()> {
    sqlx::query("INSERT INTO registry.users (town, id, created_ms) VALUES ($1, $2, $3)")
        .bind(town.as_str())
        .bind(&user.id)
        .bind(user.created_ms)
        .execute(connection)
        .await
        .map_err(|error| taken("user", error))?;
    Ok(())
}

pub(super) async fn insert_token(
    connection: &mut PgConnection,
    town: &TownId,
    token: &NewToken,
) -> Registered<()> {
    let insert = "INSERT INTO registry.tokens (id, town, user_id, name, hash, scopes, class, created_ms) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let row = &token.row;
    let inserted = sqlx::query(insert)
        .bind(&row.id)
        .bind(town.as_str())
        .bind(&row.user_id)
        .bind(&row.name)
        .bind(&token.hash[..])
        .bind(&row.scopes)
        .bind(&row.class)
        .bind(row.created_ms)
        .execute(connection)
        .await;
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if is_orphan(&error) => Err(RegistryError::NotFound("user")),
        Err(error) => Err(taken("token", error)),
    }
}

pub(super) async fn count(connection: &mut PgConnection, asked: &'static str, town: &str) -> Registered<i64> {
    Ok(sqlx::query_scalar(asked).bind(town).fetch_one(connection).await?)
}

fn taken(what: &'static str, error: sqlx::Error) -> RegistryError {
    if is_taken(&error) { RegistryError::Taken { what } } else { error.into() }
}
