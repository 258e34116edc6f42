//! The embedded Postgres itself, on threads of its own: started, asked whether it works, started again when it gave up.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pglite_oxide::{PgliteServer, extensions};
use sqlx::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The first start unpacks the runtime, and one after a kill replays the log.
const WORKS_WITHIN: Duration = Duration::from_secs(60);

/// The runtime comes without the lists of words that its own configurations for full text name; this is Postgres' list for
/// English, without which `to_tsvector('english', ..)` is an error.
const STOP_WORDS: &str = include_str!("english.stop");
/// Where the server looks for it, below its folder.
const STOP_WORDS_AT: &str = "tmp/pglite/share/postgresql/tsearch_data";

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineError {
    /// It does not start.
    #[error("the database in {folder} does not start: {reason}")]
    Start {
        /// Its folder.
        folder: PathBuf,
        /// What it says.
        reason: String,
    },
    /// It listens and cannot be used.
    #[error("the database in {folder} does not open; move the folder away to begin anew")]
    Open {
        /// Its folder.
        folder: PathBuf,
        /// What it says.
        #[source]
        source: sqlx::Error,
    },
    /// It listens and does not answer.
    #[error("the database in {folder} did not answer within {} s", WORKS_WITHIN.as_secs())]
    Silent {
        /// Its folder.
        folder: PathBuf,
    },
    /// It gave up twice in a row.
    #[error("the database gives up on a new session")]
    Greet(#[source] io::Error),
}

/// One running Postgres. It accepts one connection, then the next; an error on a connection ends its listener.
#[derive(Debug)]
pub(super) struct Engine {
    folder: PathBuf,
    server: Option<PgliteServer>,
    address: SocketAddr,
}

impl Engine {
    /// Starts it and runs a first query.
    pub(super) async fn start(folder: PathBuf) -> Result<Self, EngineError> {
        let (server, address) = begin(folder.clone()).await?;
        let engine = Self { folder, server: Some(server), address };
        engine.prove().await?;
        Ok(engine)
    }

    /// A session on it, and what it answered to the client's `hello`. When it has given up since the last session, or does
    /// so now, it is started again.
    pub(super) async fn open(&mut self, hello: &[u8]) -> Result<(TcpStream, Vec<u8>), EngineError> {
        if let Ok(session) = greet(self.address, hello).await {
            return Ok(session);
        }
        let cause = self.end().await.unwrap_or_else(|| "it ended without a reason".to_owned());
        tracing::warn!("the database gave up ({cause}); starting it again");
        let (server, address) = begin(self.folder.clone()).await?;
        (self.server, self.address) = (Some(server), address);
        greet(self.address, hello).await.map_err(EngineError::Greet)
    }

    /// Ends it once its last connection is closed. `Some`: what it had given up with.
    pub(super) async fn end(&mut self) -> Option<String> {
        let server = self.server.take()?;
        let ended = tokio::task::spawn_blocking(move || server.shutdown()).await;
        match ended {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(error) => Some(error.to_string()),
        }
    }

    async fn prove(&self) -> Result<(), EngineError> {
        let query = async {
            let mut connection = sqlx::PgConnection::connect(&super::url(self.address)).await?;
            sqlx::query("SELECT '[1]'::vector, to_tsvector('english', 'the works')")
                .execute(&mut connection)
                .await?;
            connection.close().await
        };
        match tokio::time::timeout(WORKS_WITHIN, query).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(EngineError::Open { folder: self.folder.clone(), source }),
            Err(_) => Err(EngineError::Silent { folder: self.folder.clone() }),
        }
    }
}

/// It blocks, and must not be called from within a runtime's own thread.
async fn begin(folder: PathBuf) -> Result<(PgliteServer, SocketAddr), EngineError> {
    let root = folder.clone();
    let started = tokio::task::spawn_blocking(move || {
        put_stop_words(&root)?;
        PgliteServer::builder().path(root).extension(extensions::VECTOR).start()
    });
    let fail = |reason: String| EngineError::Start { folder: folder.clone(), reason };
    let server = started.await.map_err(|error| fail(error.to_string()))?;
    let server = server.map_err(|error| fail(format!("{error:#}")))?;
    let address = server.tcp_addr().ok_or_else(|| fail("it has no address".to_owned()))?;
    Ok((server, address))
}

/// Begins a session: an engine that has given up answers nothing.
async fn greet(address: SocketAddr, hello: &[u8]) -> io::Result<(TcpStream, Vec<u8>)> {
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(hello).await?;
    let mut answer = vec![0; 8192];
    match connection.read(&mut answer).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        length => {
            answer.truncate(length);
            Ok((connection, answer))
        }
    }
}

fn put_stop_words(root: &Path) -> io::Result<()> {
    let folder = root.join(STOP_WORDS_AT);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("english.stop"), STOP_WORDS)
}
