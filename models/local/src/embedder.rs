//! The sentence embedder: a handle that any task may hold, and one thread of its own that does the work.
//!
//! The thread runs at low priority and leaves half of the cores alone, so that the body's gate (which has a real-time thread)
//! and the API are never starved by it. Who asks [`Urgency::Now`] waits for at most the batch under way. The model is loaded
//! with the first question and given back after a while without one. Both queues are bounded; a full one refuses.

mod idle;
mod queue;
mod worker;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::Vector;
use crate::weights::Weights;
use queue::{Job, Queue};
use worker::{Damage, Worker};

/// How long the model stays loaded without a question.
pub const UNLOAD_AFTER: Duration = Duration::from_secs(5 * 60);

/// How soon an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits for it: goes before everything in the background.
    Now,
    /// Whenever there is time.
    Background,
}

/// Why there are no vectors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    /// The weights were never fetched.
    #[error("the weights of the sentence embedder are missing: robbie-agent models pull minilm")]
    NoWeights,
    /// A weight file is not what it should be.
    #[error("{0}; fetch it again: robbie-agent models pull minilm")]
    Damaged(String),
    /// More waits already than may wait.
    #[error("too many texts wait for the sentence embedder; try again later, with fewer at once")]
    QueueFull,
    /// The model cannot be run.
    #[error("the sentence embedder failed: {0}")]
    Failed(String),
}

/// What an embedder needs.
#[derive(Clone, Debug)]
pub struct EmbedderConfig {
    /// Folder of the weights.
    pub weights: Weights,
    /// How long the model stays loaded without a question; [`UNLOAD_AFTER`].
    pub unload_after: Duration,
}

/// Handle to the embedder's thread, which ends when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct Embedder {
    shared: Arc<Shared>,
}

/// Ends the thread with the last handle.
#[derive(Debug)]
struct Shared {
    queue: Arc<Queue>,
    folder: PathBuf,
    damage: Arc<Damage>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.queue.end();
    }
}

impl Embedder {
    /// Starts the thread. Reads no weights yet: they may come later, without a restart.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(config: EmbedderConfig) -> io::Result<Self> {
        let (queue, damage) = (Arc::new(Queue::default()), Arc::new(Damage::default()));
        let folder = config.weights.folder(crate::catalog::minilm());
        let worker =
            Worker::new(Arc::clone(&queue), folder.clone(), Arc::clone(&damage), config.unload_after);
        std::thread::Builder::new().name("embedder".to_owned()).spawn(move || worker.run())?;
        Ok(Self { shared: Arc::new(Shared { queue, folder, damage }) })
    }

    /// Whether weights are there that are not known to be damaged. Looks at the files' sizes, so it is cheap and always true to
    /// the moment.
    pub fn is_available(&self) -> bool {
        worker::fingerprint(&self.shared.folder).is_some_and(|files| !self.shared.damage.is_of(&files))
    }

    /// One vector for each text, in their order. A text is cut at 32 KiB, then at 256 word pieces; an empty one has a vector,
    /// too. Dropping the future takes the question back.
    ///
    /// # Errors
    /// See [`EmbedError`]; none of them harms a later question.
    pub async fn embed(&self, texts: Vec<String>, urgency: Urgency) -> Result<Vec<Vector>, EmbedError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let (answer, answered) = oneshot::channel();
        self.shared.queue.push(Job::new(texts, answer), urgency)?;
        // No answer at all: the thread ended in a panic, which its own message has told about.
        answered.await.unwrap_or_else(|_gone| Err(EmbedError::Failed("its thread has ended".to_owned())))
    }
}
