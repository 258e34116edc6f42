//! `robbie-tryout database`: an embedded Postgres with pgvector in a folder, served on a socket of this machine.
//!
//! A client sees Postgres 17. What differs: one connection at a time, no password, and nothing waits for the disk, so an
//! answered write survives a kill of this process but not a power cut.

mod door;
mod engine;
mod hello;

use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::DatabaseArgs;
use crate::data_dir::DataDir;
use crate::failure::{Failure, chain};
use crate::os;
use door::Door;
use engine::Engine;

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// The folder is in use or damaged, the port is taken, or the database ended by itself.
pub(crate) fn run(args: &DatabaseArgs) -> Result<(), Failure> {
    let dir = DataDir::open(&args.data, "database").map_err(|error| error.for_flag("--data"))?;
    os::on_runtime(serve(args, dir.path()))?
}

async fn serve(args: &DatabaseArgs, folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Unavailable(error.to_string());
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?);
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        Failure::Unavailable(format!(
            "cannot listen on {}: {error}; choose another with --listen",
            args.listen
        ))
    })?;
    let address = listener.local_addr().map_err(failed)?;
    let engine =
        Engine::start(folder.to_owned()).await.map_err(|error| Failure::Unavailable(chain(&error)))?;
    let door = Arc::new(Door::new(engine));
    // The last part tells `robbie-cloud` how many connections there are.
    println!("DATABASE_URL={}&robbie.pool_max=1", url(address));
    tracing::info!("serving {} on {address}, to one connection at a time", folder.display());
    let ended = tokio::select! {
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        error = Arc::clone(&door).serve(listener) => Some(Failure::Unavailable(chain(&error))),
    };
    door.end().await;
    ended.map_or(Ok(()), Err)
}

/// What a client needs.
fn url(address: std::net::SocketAddr) -> String {
    format!("postgresql://postgres@{address}/postgres?sslmode=disable")
}
