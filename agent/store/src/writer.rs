//! The one thread that writes. It commits as soon as there is something to write; what arrives while the disk works is
//! committed together, once. Nobody is answered before the commit that holds his row is on the disk.
//!
//! A refused write undoes itself alone. Where the whole transaction is lost (the disk is full), each write is tried again by
//! itself, so that one too large does not take its neighbours with it. On a disk that takes nothing more, what makes room is
//! written into the room kept back for it, and nothing else is written until that room is kept back again. It never reads on
//! behalf of others and never drops a row to make room.

use std::sync::Arc;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::{StoreError, Stored};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::fail::Fail;
use crate::health::Health;
use crate::index::{Change, Index};
use crate::limits::{Limits, Usage};
use crate::reserve::Reserve;
use crate::rows::events::Told;
use crate::store::{Clock, Random};
use crate::vectors;

/// Writes that go into one commit at most: what 64 of the largest turns need stays below the size of the log on disk.
const BATCH_MAX: usize = 64;

/// Pages beyond the bound that a write may use which makes room.
const RESERVE_PAGES: u32 = 256;

/// Whether a write needs room or makes some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Takes,
    Makes,
}

/// What a write works with: a transaction of its own within the commit, and what will be said and changed after it.
pub(crate) struct Write<'a> {
    /// Everything in it is undone where the write is refused.
    pub(crate) tx: &'a Transaction<'a>,
    /// Now, the same for the whole write.
    pub(crate) now: Stamp,
    pub(crate) limits: &'a Limits,
    pub(crate) usage: &'a mut Usage,
    /// For those who look on, after the commit.
    pub(crate) told: &'a mut Vec<Told>,
    /// For the index of vectors, after the commit.
    pub(crate) changes: &'a mut Vec<Change>,
    random: &'a Random,
}

impl Write<'_> {
    /// The wall clock, ms since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now.wall.as_millisecond()
    }

    /// Names a life of this database; never 0.
    pub(crate) fn new_incarnation(&self) -> u64 {
        let random = (self.random)();
        random[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte)) | 1
    }

    /// An id for a new row.
    pub(crate) fn new_id(&self) -> RowId {
        // A clock before 1970 makes no id that sorts; any id is unique all the same.
        RowId::new(u64::try_from(self.now.wall.as_microsecond()).unwrap_or(0), (self.random)())
    }
}

/// A memory in RAM that its test writes by itself, one transaction a call: no thread, no disk, no clock but the test's.
#[cfg(test)]
pub(crate) struct Desk {
    pub(crate) connection: Connection,
    pub(crate) now: Stamp,
    pub(crate) random: Random,
    pub(crate) limits: Limits,
    usage: Usage,
}

#[cfg(test)]
impl Desk {
    pub(crate) fn new(now: Stamp, random: Random) -> Self {
        crate::vec0::register().unwrap();
        let mut connection = Connection::open_in_memory().unwrap();
        crate::open::MIGRATIONS.to_latest(&mut connection).unwrap();
        let usage = Usage::measure(&connection).unwrap();
        Self { connection, now, random, limits: Limits::default(), usage }
    }

    /// The same memory once more, as a copied card has it.
    pub(crate) fn copy(&self, random: Random) -> Self {
        let mut connection = Connection::open_in_memory().unwrap();
        let backup = rusqlite::backup::Backup::new(&self.connection, &mut connection).unwrap();
        backup.step(-1).unwrap();
        drop(backup);
        Self { connection, now: self.now, random, limits: self.limits, usage: self.usage }
    }

    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Write<'_>) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        let mut usage = self.usage;
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (mut told, mut changes) = (Vec::new(), Vec::new());
        let mut write = Write {
            tx: &tx,
            now: self.now,
            limits: &self.limits,
            usage: &mut usage,
            told: &mut told,
            changes: &mut changes,
            random: &self.random,
        };
        let value = work(&mut write)?;
        tx.commit()?;
        self.usage = usage;
        Ok(value)
    }
}

/// A write on its way, whatever it answers.
pub(crate) trait Job: Send {
    fn room(&self) -> Room;
    /// Does the work. It may be called again where a transaction was lost.
    fn run(&mut self, write: &mut Write<'_>) -> Result<(), Fail>;
    /// Answers: with what the last run gave, or with why there is nothing.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Task<T, F> {
    room: Room,
    work: F,
    value: Option<T>,
    done: oneshot::Sender<Stored<T>>,
}

impl<T: Send, F> Job for Task<T, F>
where
    F: FnMut(&mut Write<'_>) -> Result<T, Fail> + Send,
{
    fn room(&self) -> Room {
        self.room
    }

    fn run(&mut self, write: &mut Write<'_>) -> Result<(), Fail> {
        self.value = Some((self.work)(write)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let answer = match (outcome, self.value) {
            (Ok(()), Some(value)) => Ok(value),
            (Ok(()), None) => Err(StoreError::Failed("the write left no answer".to_owned())),
            (Err(refusal), _) => Err(refusal),
        };
        // Whoever asked may have gone away; what is written stays written.
        if self.done.send(answer).is_err() {
            tracing::debug!("a write was answered to nobody");
        }
    }
}

/// What the thread is asked.
pub(crate) enum Message {
    /// Write this.
    Do(Box<dyn Job>),
    /// Write what came before this, close the file, and say so.
    End(oneshot::Sender<()>),
}

/// A write, and where its answer will come.
pub(crate) fn job<T, F>(room: Room, work: F) -> (Box<dyn Job>, oneshot::Receiver<Stored<T>>)
where
    T: Send + 'static,
    F: FnMut(&mut Write<'_>) -> Result<T, Fail> + Send + 'static,
{
    let (done, answer) = oneshot::channel();
    (Box::new(Task { room, work, value: None, done }), answer)
}

/// The thread's own.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) limits: Limits,
    pub(crate) usage: Usage,
    /// Pages of the file at most.
    pub(crate) pages_max: u32,
    /// For what makes room on a full disk.
    pub(crate) reserve: Reserve,
    pub(crate) told: broadcast::Sender<Arc<Told>>,
    pub(crate) index: Arc<Index>,
    pub(crate) health: Arc<Health>,
}

/// What a transaction did, to be made known after its commit.
struct Done {
    outcomes: Vec<Result<(), StoreError>>,
    usage: Usage,
    told: Vec<Told>,
    changes: Vec<Change>,
}

impl Writer {
    /// Works until it is told to end, or until nobody is left who could ask.
    pub(crate) fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let end = self.work(&mut messages);
        // What still waits is refused by its channel closing.
        messages.close();
        if let Err(error) = self.empty_log() {
            tracing::warn!(%error, "the log of the memory stays beside its file until the next start");
        }
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the memory's file was not closed in order");
        }
        drop(self.told);
        if let Some(end) = end {
            end.send(()).unwrap_or_else(|()| tracing::debug!("nobody waited for the memory to close"));
        }
    }

    fn work(&mut self, messages: &mut mpsc::Receiver<Message>) -> Option<oneshot::Sender<()>> {
        loop {
            let mut jobs = match messages.blocking_recv()? {
                Message::Do(job) => vec![job],
                Message::End(end) => return Some(end),
            };
            let mut end = None;
            while jobs.len() < BATCH_MAX && end.is_none() {
                match messages.try_recv() {
                    Ok(Message::Do(job)) => jobs.push(job),
                    Ok(Message::End(sender)) => end = Some(sender),
                    Err(_) => break,
                }
            }
            self.commit(jobs);
            if end.is_some() {
                return end;
            }
        }
    }

    /// Writes them all, then answers them all. Where that fails, each one alone, so that none suffers for another.
    fn commit(&mut self, jobs: Vec<Box<dyn Job>>) {
        let mut jobs = self.admit(jobs);
        if jobs.is_empty() {
            return;
        }
        match self.attempt(&mut jobs) {
            Ok(done) => self.publish(jobs, done),
            Err(_) if jobs.len() > 1 => jobs.into_iter().for_each(|job| self.commit(vec![job])),
            Err(fail) => self.retry(jobs, fail),
        }
    }

    /// Refuses what takes room while the room kept back is in use and cannot be kept back again. Returns the others.
    fn admit(&mut self, jobs: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
        if self.reserve.is_out() {
            self.try_to_empty_log();
            self.reserve.take();
        }
        if !self.reserve.is_out() {
            return jobs;
        }
        let (make, take): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.room() == Room::Makes);
        self.refuse_for_room(take);
        make
    }

    /// Once more, after making the room that can be made without dropping anything.
    fn retry(&mut self, mut jobs: Vec<Box<dyn Job>>, fail: Fail) {
        if !fail.is_full() {
            return self.refuse(jobs, fail);
        }
        self.try_to_empty_log();
        let makes_room = jobs.iter().all(|job| job.room() == Room::Makes);
        if makes_room {
            self.allow_pages(self.pages_max.saturating_add(RESERVE_PAGES));
        }
        let mut again = self.attempt(&mut jobs);
        if makes_room && again.as_ref().is_err_and(Fail::is_full) && self.reserve.release() {
            // With the room given away, the log can be worked into the file, which may give back more of it.
            self.try_to_empty_log();
            again = self.attempt(&mut jobs);
        }
        if makes_room {
            self.bound_pages();
        }
        match again {
            Ok(done) => self.publish(jobs, done),
            Err(fail) if fail.is_full() => self.refuse_for_room(jobs),
            Err(fail) => self.refuse(jobs, fail),
        }
    }

    /// Works the log into the file and gives its space back to the disk; the next write begins a new one.
    fn empty_log(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    fn try_to_empty_log(&self) {
        if let Err(error) = self.empty_log() {
            tracing::debug!(%error, "the log could not be emptied");
        }
    }

    fn refuse_for_room(&self, jobs: Vec<Box<dyn Job>>) {
        for job in jobs {
            self.health.refused_for_room();
            job.answer(Err(StoreError::Full));
        }
    }

    fn refuse(&self, jobs: Vec<Box<dyn Job>>, fail: Fail) {
        let why = match StoreError::from(fail) {
            StoreError::Failed(why) => why,
            refusal => refusal.to_string(),
        };
        self.health.failed(why.clone());
        jobs.into_iter().for_each(|job| job.answer(Err(StoreError::Failed(why.clone()))));
    }

    /// Sets the bound of the file.
    pub(crate) fn bound_pages(&self) {
        self.allow_pages(self.pages_max);
    }

    fn allow_pages(&self, pages: u32) {
        let bound = self.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
        if let Err(error) = bound {
            tracing::warn!(%error, "the bound of the memory's file could not be set");
        }
    }

    /// One transaction. `Err`: nothing of it is in the file.
    fn attempt(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<Done, Fail> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut done = Done {
            outcomes: Vec::with_capacity(jobs.len()),
            usage: self.usage,
            told: Vec::new(),
            changes: Vec::new(),
        };
        for job in jobs {
            tx.execute_batch("SAVEPOINT one")?;
            let (usage, told, changes) = (done.usage, done.told.len(), done.changes.len());
            let mut write = Write {
                tx: &tx,
                // Each its own: rows of one moment are told apart by their ids' time.
                now: (self.clock)(),
                limits: &self.limits,
                usage: &mut done.usage,
                told: &mut done.told,
                changes: &mut done.changes,
                random: &self.random,
            };
            let outcome = job.run(&mut write);
            match outcome {
                Ok(()) => done.outcomes.push(Ok(())),
                // No room in the file: SQLite may have undone the whole transaction.
                Err(fail @ Fail::Sql(_)) if fail.is_full() || fail.is_damage() || tx.is_autocommit() => {
                    return Err(fail);
                }
                Err(fail) => {
                    tx.execute_batch("ROLLBACK TO one")?;
                    done.usage = usage;
                    done.told.truncate(told);
                    done.changes.truncate(changes);
                    done.outcomes.push(Err(fail.into()));
                }
            }
            tx.execute_batch("RELEASE one")?;
        }
        tx.commit()?;
        Ok(done)
    }

    /// The index first, so that whoever is answered finds what he wrote; then those who asked; then those who look on.
    fn publish(&mut self, jobs: Vec<Box<dyn Job>>, done: Done) {
        self.usage = done.usage;
        let is_all = done.changes.iter().any(|change| matches!(change, Change::All));
        self.index.apply(done.changes);
        if is_all && let Err(error) = vectors::load(&self.connection, &self.index) {
            tracing::error!(%error, "the vectors cannot be read: they are compared without an index");
            self.index.replace(0, Vec::new());
        }
        // Before the answers: whoever is answered and then asks for the health hears what his write did to it.
        let is_refused = |outcome: &Result<(), StoreError>| {
            matches!(outcome, Err(StoreError::Full | StoreError::Failed(_)))
        };
        if self.reserve.is_out() {
            self.health.refused_for_room();
        } else if !done.outcomes.iter().any(is_refused) {
            self.health.wrote();
        }
        for (job, outcome) in jobs.into_iter().zip(done.outcomes) {
            match &outcome {
                Err(StoreError::Full) => self.health.refused_for_room(),
                Err(StoreError::Failed(why)) => self.health.failed(why.clone()),
                _ => {}
            }
            job.answer(outcome);
        }
        for told in done.told {
            // An error here means that nobody looks on.
            if self.told.send(Arc::new(told)).is_err() {
                break;
            }
        }
    }
}
