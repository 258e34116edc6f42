//! The one pool of connections, and what its failures mean to those who ask.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use cloud_sync_api::supervise::spawn;
use cloud_sync_protocol::store::StoreError;
use cloud_sync_protocol::town::TownId;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{Connection, Executor, PgConnection, Postgres, Transaction};

use super::migrations::{self, MigrationError, Migrations};
use super::registry::Registry;
use super::town::Town;

/// How long anybody waits for a connection; then it is 503.
const ACQUIRE_WITHIN: Duration = Duration::from_secs(2);
/// How long a start waits for its connection before it looks again.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(600);
/// What every connection is told first: nothing that hangs may keep a scope's lock or a connection for long.
const SESSION: &str = "SET statement_timeout = '20s'; SET idle_in_transaction_session_timeout = '20s'";
/// In a URL: how many connections the server behind it bears. The embedded one bears one.
const POOL_MAX: &str = "robbie.pool_max";

/// Where the database is, and how many connections at most. It never shows its password.
#[derive(Clone)]
pub struct DatabaseConfig {
    options: PgConnectOptions,
    pool_max: u32,
}

/// The URL is of no use. It is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum BadUrl {
    /// It cannot be read.
    #[error("is not a Postgres URL such as postgres://robbie:password@127.0.0.1:5432/robbie")]
    Unreadable,
    /// Its number of connections.
    #[error("{POOL_MAX} must be a whole number from 1 to 1000")]
    PoolMax,
    /// The way there can be read by others.
    #[error(
        "names a database on another machine with sslmode=disable: everybody on the way could read everything. Leave \
         sslmode out, or reach the database through a socket or a tunnel on this machine"
    )]
    InTheClear,
}

impl DatabaseConfig {
    /// From `DATABASE_URL`. `robbie.pool_max` in it lowers `pool_max`; beyond this machine it is TLS or nothing.
    ///
    /// # Errors
    /// See [`BadUrl`].
    pub fn from_url(url: &str, pool_max: u32) -> Result<Self, BadUrl> {
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        if !is_postgres {
            return Err(BadUrl::Unreadable);
        }
        let (url, bears) = take_pool_max(url)?;
        let options =
            PgConnectOptions::from_str(&url).map_err(|_may_hold_the_password| BadUrl::Unreadable)?;
        let options = protected(options)?.application_name("robbie-cloud");
        Ok(Self { options, pool_max: pool_max.min(bears).max(1) })
    }

    /// Another database on the same server.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        Self { options: self.options.clone().database(name), pool_max: self.pool_max }
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Host, port and name.
impl fmt::Display for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.options.get_database().unwrap_or("its default database");
        match self.options.get_socket() {
            Some(socket) => write!(f, "{database} at {}", socket.display()),
            None => write!(f, "{database} at {}:{}", self.options.get_host(), self.options.get_port()),
        }
    }
}

/// Takes `robbie.pool_max` out of a URL; the driver does not know it.
fn take_pool_max(url: &str) -> Result<(String, u32), BadUrl> {
    let Some((base, query)) = url.split_once('?') else { return Ok((url.to_owned(), u32::MAX)) };
    let mut bears = u32::MAX;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some((POOL_MAX, value)) => {
                let number = value.parse().ok().filter(|number| (1..=1000).contains(number));
                bears = number.ok_or(BadUrl::PoolMax)?;
            }
            _ => kept.push(pair),
        }
    }
    let mark = if kept.is_empty() { "" } else { "?" };
    Ok((format!("{base}{mark}{}", kept.join("&")), bears))
}

/// Beyond this machine the driver's "TLS if the server has it" is too little.
fn protected(options: PgConnectOptions) -> Result<PgConnectOptions, BadUrl> {
    let host = options.get_host();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let is_here = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|address| address.is_loopback());
    match options.get_ssl_mode() {
        _ if is_here => Ok(options),
        PgSslMode::Disable => Err(BadUrl::InTheClear),
        PgSslMode::Allow | PgSslMode::Prefer => Ok(options.ssl_mode(PgSslMode::Require)),
        PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => Ok(options),
    }
}

/// Why the database did not do what was asked. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Two seconds long no connection was free, or the server could not be reached.
    #[error("the database does not answer within {} s", ACQUIRE_WITHIN.as_secs())]
    Busy,
    /// It has no room left.
    #[error("the database has no room left")]
    Full,
    /// It failed at something.
    #[error("the database failed")]
    Failed(#[source] sqlx::Error),
}

impl From<sqlx::Error> for DatabaseError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Self::Busy,
            sqlx::Error::Database(ref database) if database.code().as_deref() == Some(DISK_FULL) => {
                Self::Full
            }
            other => Self::Failed(other),
        }
    }
}

/// What Postgres calls a full disk.
const DISK_FULL: &str = "53100";

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Full => Self::Full,
            DatabaseError::Busy => Self::Failed(error.to_string()),
            DatabaseError::Failed(cause) => {
                // The text may name rows and schemas: it is for whoever runs the service.
                tracing::warn!("the database failed: {cause}");
                Self::Failed("the database failed".to_owned())
            }
        }
    }
}

/// Why there is no database to work with.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is away; it may come back.
    #[error("the database {database} cannot be reached")]
    Unreachable {
        /// Which.
        database: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// It does not let us in, or there is none of that name.
    #[error("the database {database} does not let us in; check user, password and name in DATABASE_URL")]
    Refused {
        /// Which.
        database: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// It cannot be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl OpenError {
    /// Whether it may be otherwise in a moment.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Migration(MigrationError::Database(_)))
    }
}

/// A handle on the database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: PgPool,
    /// The one schema beside a town's own: the vector type lives there.
    shared: String,
    migrations: Migrations,
}

impl Database {
    /// Brings the database up to date, alone among all who start, and opens the pool.
    ///
    /// # Errors
    /// It is away, or cannot be brought up to date.
    pub async fn open(config: &DatabaseConfig, migrations: Migrations) -> Result<Self, OpenError> {
        let mut own = connect(config).await?;
        let shared = migrations::run(&mut own, migrations).await?;
        // What is written is written; a connection that breaks now takes nothing along.
        drop(own.close().await);
        let pool = PgPoolOptions::new()
            .max_connections(config.pool_max)
            .acquire_timeout(ACQUIRE_WITHIN)
            .idle_timeout(IDLE)
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(SESSION).await.map(|_done| ()) })
            })
            .connect_lazy_with(config.options.clone());
        Ok(Self(Arc::new(Inner { pool, shared, migrations })))
    }

    /// The rows of a town. Whether it exists shows at the first look.
    pub fn town(&self, id: &TownId) -> Town {
        Town::new(self.clone(), id.clone())
    }

    /// Who is who.
    pub fn registry(&self) -> Registry {
        Registry::new(self.clone())
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn look(&self) -> Result<(), DatabaseError> {
        self.begin_read().await.map(|_transaction| ())
    }

    /// Connections that are open now, and those of them that nobody uses.
    pub fn connections(&self) -> (u32, usize) {
        (self.0.pool.size(), self.0.pool.num_idle())
    }

    /// Ends: no new transactions, and those under way end first.
    pub async fn end(&self) {
        self.0.pool.close().await;
    }

    /// A transaction that sees one moment and writes nothing.
    pub(super) async fn begin_read(&self) -> Result<Transaction<'static, Postgres>, DatabaseError> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    /// A transaction that writes; each statement sees what was committed before it.
    pub(super) async fn begin_write(&self) -> Result<Transaction<'static, Postgres>, DatabaseError> {
        self.begin("BEGIN ISOLATION LEVEL READ COMMITTED").await
    }

    /// The pool's own limit is for its connection; a server that fell silent must not hold up the first statement, either.
    ///
    /// It begins beside whoever asks, who may leave meanwhile: a connection that is given back in the middle of a BEGIN is handed
    /// to the next one inside that transaction, which perhaps only reads.
    async fn begin(&self, statement: &'static str) -> Result<Transaction<'static, Postgres>, DatabaseError> {
        let pool = self.0.pool.clone();
        let begun =
            spawn(
                "begin",
                async move { tokio::time::timeout(ACQUIRE_WITHIN, pool.begin_with(statement)).await },
            );
        match begun.await {
            Ok(Some(Ok(begun))) => Ok(begun?),
            // It took too long, or the program ends.
            Ok(Some(Err(_)) | None) | Err(_) => Err(DatabaseError::Busy),
        }
    }

    /// The schema of what all towns share.
    pub(super) fn shared(&self) -> &str {
        &self.0.shared
    }

    /// What this program's schemas are made of.
    pub(super) fn migrations(&self) -> Migrations {
        self.0.migrations
    }
}

async fn connect(config: &DatabaseConfig) -> Result<PgConnection, OpenError> {
    let database = config.to_string();
    let connecting = tokio::time::timeout(CONNECT_WITHIN, PgConnection::connect_with(&config.options)).await;
    connecting.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(|source| {
        // Class 28: no entry; 3D: no such database. What a server says while it starts or ends passes.
        let refused = match &source {
            sqlx::Error::Database(said) => said.code().is_some_and(|code| is_refusal(&code)),
            _ => false,
        };
        if refused {
            OpenError::Refused { database, source }
        } else {
            OpenError::Unreachable { database, source }
        }
    })
}

fn is_refusal(code: &str) -> bool {
    code.starts_with("28") || code.starts_with("3D")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<DatabaseConfig, BadUrl> {
        DatabaseConfig::from_url(url, 8)
    }

    #[test]
    fn a_password_is_never_shown() {
        // Neither of a URL that works nor of one that does not.
        let config = read("postgres://robbie:s3cret@127.0.0.1:5433/town").unwrap();
        assert_eq!(config.to_string(), "town at 127.0.0.1:5433");
        assert_eq!(format!("{config:?}"), "town at 127.0.0.1:5433");
        for wrong in ["s3cret", "mysql://a:s3cret@b/c", "postgres://a:s3cret@b:port/c"] {
            let said = read(wrong).unwrap_err().to_string();
            assert!(said.contains("postgres://") && !said.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn the_url_may_say_how_many_connections_its_server_bears() {
        let pool_max = |url: &str| read(url).map(|config| config.pool_max);
        assert_eq!(pool_max("postgres://localhost/a").unwrap(), 8);
        assert_eq!(pool_max("postgres://localhost/a?robbie.pool_max=1").unwrap(), 1);
        assert_eq!(pool_max("postgres://localhost/a?user=b&robbie.pool_max=20").unwrap(), 8);
        assert!(matches!(pool_max("postgres://localhost/a?robbie.pool_max=0"), Err(BadUrl::PoolMax)));
    }

    #[test]
    fn beyond_this_machine_it_is_tls_or_nothing() {
        let mode = |url: &str| read(url).map(|config| config.options.get_ssl_mode());
        assert!(matches!(mode("postgres://localhost/a"), Ok(PgSslMode::Prefer)));
        assert!(matches!(mode("postgres://[::1]/a?sslmode=disable"), Ok(PgSslMode::Disable)));
        assert!(matches!(mode("postgres:///a?host=/run/postgresql"), Ok(PgSslMode::Prefer)));
        assert!(matches!(mode("postgres://db.example/a"), Ok(PgSslMode::Require)));
        assert!(matches!(mode("postgres://db.example/a?sslmode=verify-full"), Ok(PgSslMode::VerifyFull)));
        assert!(matches!(mode("postgres://db.example/a?sslmode=disable"), Err(BadUrl::InTheClear)));
    }
}
