//! The handle: many hold it, one thread writes, a few connections read. It holds no row itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::{StoreError, Stored};
use rusqlite::Connection;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::damage::Loss;
use crate::fail::Fail;
use crate::health::Health;
use crate::index::Index;
use crate::limits::Limits;
use crate::open::OpenError;
use crate::readers::{Readers, ended};
use crate::rows::events::Told;
use crate::writer::{Message, Room, Write, job};

/// Writes that wait for the thread at most.
pub(crate) const QUEUE: usize = 256;

/// A write that found no place in the queue in this time is refused.
const QUEUE_WAIT: Duration = Duration::from_secs(5);

/// Reads every clock there is.
pub type Clock = Arc<dyn Fn() -> Stamp + Send + Sync>;

/// Draws random bytes for ids.
pub type Random = Arc<dyn Fn() -> [u8; 10] + Send + Sync>;

/// What a store needs to open.
#[derive(Clone)]
pub struct OpenConfig {
    /// The folder of `memory.db`; made where it is missing.
    pub dir: PathBuf,
    /// The clocks. Any time will do, 1970 too.
    pub clock: Clock,
    /// Randomness, from the system.
    pub random: Random,
    /// How much may be held.
    pub limits: Limits,
}

/// What opening found.
#[derive(Debug)]
pub struct Opened {
    /// What a damaged file cost, and where it is kept. `None`: nothing was lost.
    pub loss: Option<Loss>,
}

/// The robot's memory. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("health", &self.health()).finish_non_exhaustive()
    }
}

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) jobs: mpsc::Sender<Message>,
    pub(crate) readers: Readers,
    /// Weak, so that those who follow hear the end when the writer ends.
    pub(crate) told: broadcast::WeakSender<Arc<Told>>,
    pub(crate) index: Arc<Index>,
    pub(crate) health: Arc<Health>,
    /// Where damage that is met while running is noted for the next start.
    pub(crate) suspect: PathBuf,
}

impl Store {
    /// Opens the memory in a folder, and repairs what can be repaired. Blocks: milliseconds for a sound file, as long as
    /// copying takes for a damaged one.
    ///
    /// # Errors
    /// [`OpenError`]; a file of a newer version is left as it is.
    pub fn open(config: OpenConfig) -> Result<(Self, Opened), OpenError> {
        let (inner, loss) = crate::open::open(config)?;
        Ok((Self { inner: Arc::new(inner) }, Opened { loss }))
    }

    /// Writes what waits, closes the file, and refuses everything from then on, through every handle.
    pub async fn end(self) {
        if let Err(error) = self.inner.readers.end().await {
            tracing::debug!(%error, "the memory was closed twice");
        }
        let (sender, closed) = oneshot::channel();
        if self.inner.jobs.send(Message::End(sender)).await.is_ok() && closed.await.is_err() {
            tracing::error!("the memory's thread died before it closed the file");
        }
    }

    /// What is wrong with it, in words; `None` when all is well.
    #[must_use]
    pub fn health(&self) -> Option<String> {
        if self.inner.jobs.is_closed() {
            return Some("it has been closed".to_owned());
        }
        self.inner.health.words()
    }

    /// Writes: the answer comes after the commit. The work may run again where a transaction was lost.
    pub(crate) async fn write<T, F>(&self, room: Room, work: F) -> Stored<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Write<'_>) -> Result<T, Fail> + Send + 'static,
    {
        let (job, answer) = job(room, work);
        match self.inner.jobs.send_timeout(Message::Do(job), QUEUE_WAIT).await {
            Ok(()) => {}
            Err(mpsc::error::SendTimeoutError::Closed(_)) => return Err(ended()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                return Err(StoreError::Failed("too much waits to be written; try again".to_owned()));
            }
        }
        answer.await.unwrap_or_else(|_closed| Err(ended()))
    }

    /// Reads the state of the newest commit.
    pub(crate) async fn read<T, F>(&self, work: F) -> Stored<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fail> + Send + 'static,
    {
        let read = self.inner.readers.read(work).await;
        if let Err(fail) = &read
            && fail.is_damage()
        {
            self.inner.health.damaged("its file is damaged and is repaired at the next start".to_owned());
            // Without the note, the next start still checks the file, only not longer than it usually may.
            if let Err(error) = std::fs::write(&self.inner.suspect, "") {
                tracing::warn!(%error, "could not note that the memory's file is damaged");
            }
        }
        Ok(read?)
    }

    /// Now, by every clock.
    pub(crate) fn now(&self) -> Stamp {
        (self.inner.clock)()
    }

    /// The vectors in memory.
    pub(crate) fn index(&self) -> &Arc<Index> {
        &self.inner.index
    }

    /// Events as they are committed; `None` after the end.
    pub(crate) fn told(&self) -> Option<broadcast::Receiver<Arc<Told>>> {
        self.inner.told.upgrade().map(|told| told.subscribe())
    }
}
