//! The embedder's thread: takes questions, loads the model for them, and lets urgent ones in between two batches.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::idle::Idle;
use super::queue::{Job, Next, Queue};
use super::{EmbedError, Urgency};
use crate::model::{LoadError, MiniLm, Sentence};
use crate::{DIMENSIONS, Vector, catalog, os};

/// Steps below normal priority: beside a busy thread of normal priority it gets about a tenth of a core.
const PRIORITY_STEPS: u8 = 10;
/// Cores used at most. One sentence is too little work for more.
const CORES_MAX: usize = 2;

/// Size, time of change and number of each file: a changed file has another one.
type Fingerprint = Vec<(u64, i64, i64, u64)>;

/// Files that are known to be damaged, so that nobody reads them again and again.
#[derive(Debug, Default)]
pub(super) struct Damage(Mutex<Option<(Fingerprint, String)>>);

impl Damage {
    pub(super) fn is_of(&self, files: &Fingerprint) -> bool {
        self.told(files).is_some()
    }

    fn told(&self, files: &Fingerprint) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(damaged, _)| damaged == files).map(|(_, what)| what.clone())
    }

    fn note(&self, files: Fingerprint, what: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((files, what));
    }
}

/// The files as they are, or nothing when one is missing or has the wrong size.
pub(super) fn fingerprint(folder: &Path) -> Option<Fingerprint> {
    let files = catalog::minilm().files.iter();
    files
        .map(|file| {
            let found = folder.join(&file.name).metadata().ok().filter(|found| found.len() == file.size)?;
            Some((found.len(), found.mtime(), found.mtime_nsec(), found.ino()))
        })
        .collect()
}

/// Everything the thread has.
#[derive(Debug)]
pub(super) struct Worker {
    queue: Arc<Queue>,
    folder: PathBuf,
    damage: Arc<Damage>,
    model: Idle<MiniLm>,
}

/// Ends the queue however the thread ends, so that nobody waits for a thread that is gone.
struct EndOfQueue(Arc<Queue>);

impl Drop for EndOfQueue {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Worker {
    pub(super) fn new(queue: Arc<Queue>, folder: PathBuf, damage: Arc<Damage>, keep: Duration) -> Self {
        Self { queue, folder, damage, model: Idle::new(keep, Instant::now()) }
    }

    /// Works until nobody can ask any more.
    pub(super) fn run(mut self) {
        let _end = EndOfQueue(Arc::clone(&self.queue));
        be_quiet();
        match threads() {
            Ok(pool) => pool.install(|| self.work()),
            Err(error) => tracing::error!("sentences are not embedded: no threads for it: {error}"),
        }
    }

    fn work(&mut self) {
        loop {
            match self.queue.next(self.model.time_left(Instant::now())) {
                Next::Work(job, urgency) => self.answer(job, urgency),
                Next::Idle => {
                    if self.model.take_unused(Instant::now()).is_some() {
                        tracing::debug!("the sentence embedder was unloaded");
                    }
                }
                Next::End => return,
            }
        }
    }

    fn answer(&mut self, job: Job, urgency: Urgency) {
        let Job { texts, answer } = job;
        if answer.is_closed() {
            return;
        }
        let batches = self.load().and_then(|model| model.batches(&texts).map_err(EmbedError::Failed));
        let result = batches.and_then(|batches| {
            let mut vectors = vec![[0.0; DIMENSIONS]; texts.len()];
            for batch in batches {
                if answer.is_closed() {
                    break;
                }
                self.batch(batch, &mut vectors)?;
                if urgency == Urgency::Background {
                    self.let_urgent_ones_in();
                }
            }
            Ok(vectors)
        });
        self.model.used(Instant::now());
        // Whoever asked may have gone.
        drop(answer.send(result));
    }

    fn batch(&mut self, batch: Vec<Sentence>, vectors: &mut [Vector]) -> Result<(), EmbedError> {
        for (place, vector) in self.load()?.embed(batch).map_err(EmbedError::Failed)? {
            vectors[place] = vector;
        }
        Ok(())
    }

    fn let_urgent_ones_in(&mut self) {
        while let Some(job) = self.queue.take_now() {
            self.answer(job, Urgency::Now);
        }
    }

    /// The model, from memory or from its files.
    fn load(&mut self) -> Result<&MiniLm, EmbedError> {
        let (folder, damage) = (&self.folder, &self.damage);
        self.model.get(Instant::now(), || {
            let files = fingerprint(folder);
            if let Some(what) = files.as_ref().and_then(|files| damage.told(files)) {
                return Err(EmbedError::Damaged(what));
            }
            let start = Instant::now();
            match MiniLm::load(folder) {
                Ok(model) => {
                    tracing::debug!(
                        took_ms = start.elapsed().as_millis(),
                        "the sentence embedder was loaded"
                    );
                    Ok(model)
                }
                Err(LoadError::Missing(_)) => Err(EmbedError::NoWeights),
                Err(LoadError::Damaged(what)) => {
                    tracing::warn!("{what}: sentences are embedded without the model");
                    if let Some(files) = files {
                        damage.note(files, what.clone());
                    }
                    Err(EmbedError::Damaged(what))
                }
                Err(error @ LoadError::Failed(_)) => Err(EmbedError::Failed(error.to_string())),
            }
        })
    }
}

/// The threads that the products run on: this one and, on four cores and more, one more. candle's products go to the pool they
/// are called in, so its own of one thread a core is never made.
fn threads() -> Result<ThreadPool, rayon::ThreadPoolBuildError> {
    let cores = available_parallelism().map_or(1, |cores| cores.get() / 2).clamp(1, CORES_MAX);
    ThreadPoolBuilder::new()
        .num_threads(cores)
        .use_current_thread()
        .thread_name(|index| format!("embedder-{index}"))
        .start_handler(|_| be_quiet())
        .build()
}

fn be_quiet() {
    if let Err(error) = os::lower_priority(PRIORITY_STEPS) {
        tracing::warn!("the sentence embedder runs at normal priority: {error}");
    }
}
