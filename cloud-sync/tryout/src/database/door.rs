//! The door of the embedded database: lets one client in at a time, tells the others why they wait, and keeps what a
//! client does to its connection away from the engine, which gives up on a reset and on what it does not understand.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::engine::{Engine, EngineError};
use super::hello;
use crate::carry::carry;

/// How long a client waits for the one before it to leave. Longer than any wait of a client that gives up by itself.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How many clients wait; the next one is told at once.
const WAITING_MAX: usize = 16;
/// How long a client may take to say what it wants.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// How long the client inside may take to leave when all of it ends.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// The one place in front of an engine.
#[derive(Debug)]
pub(super) struct Door {
    engine: Mutex<Engine>,
    places: Semaphore,
}

impl Door {
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine: Mutex::new(engine), places: Semaphore::new(WAITING_MAX) }
    }

    /// Serves every client that comes; ends only when the engine cannot be started again.
    pub(super) async fn serve(self: Arc<Self>, listener: TcpListener) -> EngineError {
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((client, _)) => drop(clients.spawn(Arc::clone(&self).receive(client))),
                    Err(error) => {
                        tracing::warn!("cannot take a connection: {error}");
                        sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(left) = clients.join_next() => match left {
                    Ok(Some(error)) => return error,
                    Ok(None) => {}
                    Err(error) => tracing::error!("a connection ended in disorder: {error}"),
                },
            }
        }
    }

    /// Ends the engine. The clients have been let go before: their tasks ended with `serve`.
    pub(super) async fn end(&self) {
        match timeout(LEAVE_WITHIN, async { self.engine.lock().await.end().await }).await {
            Ok(None) => tracing::info!("ended"),
            Ok(Some(error)) => tracing::warn!("ended with {error}"),
            Err(_) => tracing::warn!("ended while a query was running"),
        }
    }

    /// `Some`: there is no database any more.
    async fn receive(self: Arc<Self>, mut client: TcpStream) -> Option<EngineError> {
        // One that leaves, or that is no client of Postgres, never comes near the engine.
        let Ok(Ok(hello)) = timeout(HELLO_WITHIN, hello::read(&mut client)).await else { return None };
        let Ok(_place) = self.places.try_acquire() else {
            hello::turn_away(client, "too many clients wait for the try-out database").await;
            return None;
        };
        let Ok(mut engine) = timeout(WAIT_MAX, self.engine.lock()).await else {
            let why = "another client has the try-out database's only connection: close that one, or use a pool of one";
            hello::turn_away(client, why).await;
            return None;
        };
        match engine.open(&hello).await {
            Ok((server, answer)) => {
                carry(client, server, &answer).await;
                None
            }
            Err(error) => Some(error),
        }
    }
}
