//! Connections that only read, off the async threads. They go on when nothing can be written, and see the state of one commit
//! from the beginning of a read to its end. They never write.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloud_sync_protocol::store::{StoreError, Stored};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::fail::Fail;

/// Reads side by side. More would only wait for the same two to four cores.
pub(crate) const READERS: usize = 3;

/// A read that found no free connection in this time is refused.
const WAIT: Duration = Duration::from_secs(5);

/// The connections.
#[derive(Clone)]
pub(crate) struct Readers {
    free: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    /// Opens them all, so that a full table of descriptors shows at the start.
    pub(crate) fn open(file: &Path) -> rusqlite::Result<Self> {
        let connections = (0..READERS).map(|_| open_one(file)).collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Self { free: Arc::new(Mutex::new(connections)), turns: Arc::new(Semaphore::new(READERS)) })
    }

    /// Reads on a thread that may block.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Fail>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fail> + Send + 'static,
    {
        let turn = match timeout(WAIT, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(turn)) => turn,
            Ok(Err(_closed)) => return Err(ended().into()),
            Err(_elapsed) => return Err(StoreError::Failed("too many read it at once".to_owned()).into()),
        };
        let free = Arc::clone(&self.free);
        let reading = tokio::task::spawn_blocking(move || {
            let lent = Lent::from(&free)?;
            // One transaction: whatever is written meanwhile, the read sees one state.
            let snapshot = lent.connection().unchecked_transaction()?;
            let read = work(&snapshot);
            drop(snapshot);
            drop(lent);
            drop(turn);
            read
        });
        reading
            .await
            .unwrap_or_else(|error| Err(StoreError::Failed(format!("a read broke off: {error}")).into()))
    }

    /// Lets the reads that run finish, refuses all others, and closes the connections.
    pub(crate) async fn end(&self) -> Stored<()> {
        let all = u32::try_from(READERS).unwrap_or(u32::MAX);
        let turns = self.turns.acquire_many(all).await.map_err(|_closed| ended())?;
        self.turns.close();
        drop(turns);
        self.connections().clear();
        Ok(())
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said after the end.
pub(crate) fn ended() -> StoreError {
    StoreError::Failed("it has been closed".to_owned())
}

/// A connection that goes back, also when the read panics.
struct Lent<'a> {
    free: &'a Mutex<Vec<Connection>>,
    connection: Option<Connection>,
}

impl<'a> Lent<'a> {
    fn from(free: &'a Mutex<Vec<Connection>>) -> Result<Self, StoreError> {
        let connection = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if connection.is_none() {
            return Err(ended());
        }
        Ok(Self { free, connection })
    }

    fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("it is taken only by drop")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).extend(self.connection.take());
    }
}

fn open_one(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(crate::open::BUSY)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.pragma_update(None, "cache_size", -2048)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}
