//! The composition root: the only file that names concrete parts, and the order in which they start and end. Long and flat on
//! purpose.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloud_sync_api::assistant;
use cloud_sync_api::failure::chain;
use cloud_sync_api::files::write_private;
use cloud_sync_api::health::Faults;
use cloud_sync_api::home::Homes;
use cloud_sync_api::lan::{self, CertificateError};
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::problem::Problem;
use cloud_sync_api::scope::Scopes;
use cloud_sync_api::supervise;
use cloud_sync_api::token_file::OWNER;
use cloud_sync_api::tokens::TokenStore;
use cloud_sync_api::v1;
use cloud_sync_protocol::town::TownId;
use jiff::tz::TimeZone;
use models_local::{Embedder, EmbedderConfig, UNLOAD_AFTER, Weights};
use models_providers::BadProvider;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::access::Entrance;
use crate::admin::{Admin, Wish, make_token};
use crate::clock::now_ms;
use crate::config::Config;
use crate::data_dir::{self, DataDir, DataDirError, models, owner_token};
use crate::link::{self, Link};
use crate::memory::{self, Recall};
use crate::mind;
use crate::robots::{self, Robots, TownBody};
use crate::server::{self, Front, Running, ServerError};
use crate::store::registry::{FirstStart, RegistryError, TownRow};
use crate::store::{Database, DatabaseConfig, DatabaseError, Migrations, OpenError, Rows};
use crate::sync;

/// How long we wait before we look again for a database that is away.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A broker may be away for so long before it is a fault.
const BROKER_BACK_WITHIN: Duration = Duration::from_secs(5);

/// How often is looked for deletions whose traces may go.
const PURGE_EVERY: Duration = Duration::from_secs(60 * 60);

/// Why the service does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listener.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The database is there and of no use.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The certificate of `--lan`.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Nobody can be let in.
    #[error("cannot read who may come in")]
    Registry(#[from] RegistryError),
    /// The system gives no thread.
    #[error("the sentence embedder cannot start")]
    Embedder(#[source] io::Error),
    /// A tier of the chain.
    #[error("cannot set up a language model")]
    Mind(#[from] BadProvider),
    /// There is no token for the owner.
    #[error("cannot make the owner's token: {}", .0.detail())]
    Token(Problem),
    /// It cannot be written down.
    #[error("cannot write {path}")]
    OwnerToken {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
}

/// The running service.
#[derive(Debug)]
pub struct App {
    config: Config,
    dir: DataDir,
    server: Running,
    front: Front,
    faults: Faults,
    database: Option<Database>,
    rows: Option<Rows>,
}

impl App {
    /// Listens, and answers that it is starting.
    ///
    /// # Errors
    /// The address is taken, or certificate and key do not fit.
    pub fn start(mut config: Config, dir: DataDir) -> Result<Self, StartError> {
        config.http = lan::with_certificate(&config.http, &data_dir::tls(dir.root()))?;
        let front = Front::default();
        let server = server::start(server::listen(&config.http)?, &config, &front);
        Ok(Self { config, dir, server, front, faults: Faults::default(), database: None, rows: None })
    }

    /// Opens the database, waiting for one that is away, lets people in, and answers from then on.
    ///
    /// # Errors
    /// The database is there and of no use, or the owner's token cannot be written down.
    pub async fn open(&mut self) -> Result<(), StartError> {
        let database = found(&self.config.database).await?;
        self.database = Some(database.clone());
        let registry = database.registry();
        patiently(async || first_start(&database, self.dir.root()).await).await?;

        let entrance =
            patiently(async || Ok(Entrance::open(registry.clone(), TokenStore::new()).await?)).await?;
        let guards = server::guards(entrance.tokens.clone(), &self.config);
        supervise::spawn("entrance", entrance.clone().follow(report(self.faults.clone())));
        let broker = self.config.broker.clone();
        let (link, frames) = Link::start(broker.clone(), TownId::home(), entrance.tokens.clone());
        if broker.is_some() {
            supervise::spawn("broker", watch_broker(link.connection(), self.faults.clone()));
        }
        let broker = broker.map(|broker| (link.town().clone(), broker));
        let admin = Admin { registry, entrance, broker };

        let rows = Rows::new(database.clone());
        self.rows = Some(rows.clone());
        let weights =
            EmbedderConfig { weights: Weights::in_dir(models(self.dir.root())), unload_after: UNLOAD_AFTER };
        let embedder = Embedder::start(weights).map_err(StartError::Embedder)?;
        let recall = Recall::new(rows.clone(), embedder.clone(), TimeZone::system());
        let followed = rows.clone();
        supervise::spawn("events", async move { followed.follow_others().await });
        supervise::spawn("embedding", memory::keep_up(rows.clone(), embedder));
        supervise::spawn("traces", purge(rows.clone()));

        supervise::spawn("sync-frames", link::sync::answer(link.clone(), rows.clone(), frames));
        supervise::spawn("sync-news", link::sync::tell(link.clone(), rows.clone()));

        let chain = mind::start(&self.config.mind)?;
        let robots = Robots { link, guards: guards.clone() };
        let body = TownBody::new(robots.clone());
        let features = ApiRouter::new(&guards)
            .merge(v1::routes(&guards, Homes::OfToken, recall.clone(), chain.clone()))
            .merge(assistant::routes(&guards, Homes::OfToken, rows.clone(), recall, body, chain))
            .merge(assistant::sync_routes(&guards, Homes::OfToken, rows.clone()))
            .merge(sync::routes(&guards, rows))
            .merge(robots::routes(robots));
        self.front.open(server::router(&guards, &admin, &database, &self.faults, features));
        self.faults.has_started();
        Ok(())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its folder.
    pub fn dir(&self) -> &DataDir {
        &self.dir
    }

    /// Ends everything in order: no new requests, those under way, the database.
    ///
    /// # Errors
    /// The note for commands cannot be taken back.
    pub async fn end(self) -> Result<(), StartError> {
        if let Some(rows) = &self.rows {
            // Sockets that wait for news end with it.
            rows.end();
        }
        self.server.end().await;
        if let Some(database) = self.database {
            database.end().await;
        }
        Ok(self.dir.withdraw()?)
    }
}

/// A broker that is away for longer than a moment is a fault: no robot is reached.
async fn watch_broker(mut connection: watch::Receiver<bool>, faults: Faults) {
    loop {
        let is_connected = *connection.borrow_and_update();
        if is_connected {
            faults.clear("broker");
        } else if timeout(BROKER_BACK_WITHIN, connection.changed()).await.is_err() {
            faults.set(
                "broker",
                "The broker does not answer: robots are not reached, and sync goes over HTTP.",
            );
        } else {
            continue;
        }
        if connection.changed().await.is_err() {
            return;
        }
    }
}

/// Takes away what is left of rows that were deleted long ago, for ever.
async fn purge(rows: Rows) {
    loop {
        if let Err(error) = rows.purge_all(now_ms()).await {
            tracing::debug!(%error, "traces of deleted rows stay for now");
        }
        tokio::time::sleep(PURGE_EVERY).await;
    }
}

/// Asks a database that was there a moment ago until it answers: a slow machine is no reason not to start.
async fn patiently<T>(mut ask: impl AsyncFnMut() -> Result<T, StartError>) -> Result<T, StartError> {
    loop {
        match ask().await {
            Err(StartError::Registry(RegistryError::Database(error @ DatabaseError::Busy))) => {
                tracing::warn!("{}; waiting for it", chain(&error));
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            asked => return asked,
        }
    }
}

/// The database, as soon as it is there.
async fn found(config: &DatabaseConfig) -> Result<Database, StartError> {
    let mut has_said = false;
    loop {
        match Database::open(config, Migrations::OWN).await {
            Ok(database) => return Ok(database),
            Err(error) if error.may_pass() => {
                if !has_said {
                    tracing::warn!("{}; waiting for it", chain(&error));
                }
                has_said = true;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Makes the first town where there is none, and writes the owner's token into the folder where there is none yet.
async fn first_start(database: &Database, dir: &Path) -> Result<(), StartError> {
    let registry = database.registry();
    let path = owner_token(dir);
    let now_ms = now_ms();
    let home = TownRow { id: TownId::home(), owner: OWNER.to_owned(), created_ms: now_ms };
    let made = make_token(&Wish::of_owner(OWNER, Scopes::ALL), now_ms).map_err(StartError::Token)?;
    let secret = match registry.first_start(&home, &made.token).await? {
        FirstStart::Made => made.secret,
        FirstStart::Found { .. } if path.exists() => return Ok(()),
        // Another replica, or a folder that was lost: whoever has the database is its owner.
        FirstStart::Found { town, owner } => {
            let made = make_token(&Wish::of_owner(&owner, Scopes::ALL), now_ms).map_err(StartError::Token)?;
            registry.add_token(&town, &made.token).await?;
            made.secret
        }
    };
    write_private(&path, format!("{secret}\n").as_bytes())
        .map_err(|source| StartError::OwnerToken { path, source })
}

/// A database that is away is a fault; whoever was let in stays so.
fn report(faults: Faults) -> impl Fn(Result<(), RegistryError>) {
    let (was_away, _) = watch::channel(false);
    move |looked| {
        let is_away = looked.is_err();
        let has_changed = was_away.send_replace(is_away) != is_away;
        match looked {
            Ok(()) => faults.clear("database"),
            Err(error) => {
                if has_changed {
                    tracing::warn!("{}", chain(&error));
                }
                faults.set(
                    "database",
                    "The database does not answer; what needs it answers 503 until it does.",
                );
            }
        }
    }
}
