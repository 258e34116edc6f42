//! A database for one test, on the server that `DATABASE_URL` names.

use cloud_sync::store::registry::{Hash, NewToken, TokenRow, TownRow};
use cloud_sync::store::{Database, DatabaseConfig, Migrations, OpenError};
use cloud_sync_protocol::town::TownId;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::now_ms;

/// Connections of one test's pool.
const POOL_MAX: u32 = 8;

/// A database that is dropped at the end of its test.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    server: String,
    name: String,
}

/// The server for the tests.
fn server() -> String {
    #[expect(clippy::disallowed_methods, reason = "the tests' own setting")]
    let url = std::env::var("DATABASE_URL").unwrap_or_default();
    assert!(
        !url.is_empty(),
        "these tests need a Postgres with pgvector: DATABASE_URL=$(.ci/postgres.sh target) starts one and says where it is"
    );
    url
}

impl TestDatabase {
    /// A new one, empty.
    pub(crate) async fn empty() -> Self {
        let server = server();
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).expect("random numbers");
        let name = format!("robbie_test_{:016x}", u64::from_le_bytes(random));
        let mut connection = PgConnection::connect(&server).await.expect("DATABASE_URL can be reached");
        connection
            .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .await
            .expect("a database can be made");
        connection.close().await.expect("the connection ends");
        Self { server, name }
    }

    /// A setting of every connection that is opened from now on.
    pub(crate) async fn set(&self, name: &str, value: &str) {
        let set = format!("ALTER DATABASE {} SET {name} = {value}", self.name);
        self.connection().await.execute(AssertSqlSafe(set)).await.expect("a setting");
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        let (base, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (base, _name) = base.rsplit_once('/').expect("the URL names a database");
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{base}/{}{mark}{query}", self.name)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its URL for another user, who needs no password.
    pub(crate) fn url_of(&self, user: &str) -> String {
        let url = self.url();
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let server = rest.rsplit('@').next().expect("a server");
        format!("{scheme}://{user}@{server}")
    }

    pub(crate) fn config(&self) -> DatabaseConfig {
        DatabaseConfig::from_url(&self.url(), POOL_MAX).expect("the URL is fine")
    }

    /// Opened by a program with these steps.
    pub(crate) async fn try_open(&self, migrations: Migrations) -> Result<Database, OpenError> {
        Database::open(&self.config(), migrations).await
    }

    /// Opened by this program.
    pub(crate) async fn open(&self) -> Database {
        self.try_open(Migrations::OWN).await.expect("the database opens")
    }

    /// A connection past the program, to look and to disturb.
    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.expect("the database can be reached")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // On a thread of its own: a runtime may be running on this one.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let mut connection = PgConnection::connect(&server).await?;
                let dropped = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                connection.execute(AssertSqlSafe(dropped)).await?;
                connection.close().await
            })
        });
        match dropped.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("{} stays behind: {error}", self.name),
            Err(_panicked) => eprintln!("{} stays behind", self.name),
        }
    }
}

/// The hash of a secret.
pub(crate) fn hash(secret: &str) -> Hash {
    Sha256::digest(secret).into()
}

/// A town with its owner, as somebody would make it.
pub(crate) fn town(id: &str) -> TownRow {
    TownRow { id: named(id), owner: "owner".to_owned(), created_ms: now_ms() }
}

/// A token of `user` with this secret.
pub(crate) fn token(user: &str, secret: &str) -> NewToken {
    let hash = hash(secret);
    let row = TokenRow {
        id: format!("{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3]),
        name: secret.to_owned(),
        user_id: user.to_owned(),
        scopes: vec!["read".to_owned(), "admin".to_owned()],
        class: "remote".to_owned(),
        created_ms: now_ms(),
    };
    NewToken { row, hash }
}

pub(crate) fn named(id: &str) -> TownId {
    id.parse().expect("a town's id")
}
