//! The latch file: a thread of its own that makes the e-stop survive crash and power cut. The gate never waits for it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use agent_core::caller::Label;
use agent_core::latch::{self, FILE_LEN, LatchFile, LatchRecord, SLOT_LEN};
use crossbeam_queue::ArrayQueue;

use crate::files::write_private;
use crate::os;

/// Between two tries to write a record that the disk refused.
const RETRY: Duration = Duration::from_millis(100);

/// Records and results that may wait; a newer record makes an older one pointless.
const QUEUE: usize = 16;

/// What was found at start.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// What the file says.
    pub file: LatchFile,
    /// There was no file: the robot's first start in this folder.
    pub is_first_start: bool,
}

/// Reads the latch, or makes the file at the first start. Anything that cannot be read counts as latched.
pub fn open(path: &Path) -> Found {
    match std::fs::read(path) {
        Ok(bytes) => Found { file: read(&bytes), is_first_start: false },
        Err(error) if error.kind() == io::ErrorKind::NotFound => first_start(path),
        Err(error) => {
            tracing::error!(path = %path.display(), "the e-stop latch cannot be read, so it counts as latched: {error}");
            Found { file: LatchFile::read(&[]), is_first_start: false }
        }
    }
}

/// A file without any record was never left by us, so it has lost what it said: that counts as latched, too.
fn read(bytes: &[u8]) -> LatchFile {
    match LatchFile::read(bytes) {
        LatchFile::FIRST_START => LatchFile::read(&[]),
        file => file,
    }
}

/// Whole or not at all: a file that a power cut left half made would count as latched.
fn first_start(path: &Path) -> Found {
    let clear =
        LatchRecord { serial: 1, latched: false, epoch: 0, reason: Label::new(), source: Label::new() };
    let mut bytes = vec![0; FILE_LEN];
    let (first, _) = bytes.split_at_mut(SLOT_LEN);
    if let Ok(slot) = first.try_into() {
        latch::encode(&clear, slot);
    }
    if let Err(error) = write_private(path, &bytes) {
        tracing::error!(path = %path.display(), "the e-stop latch file cannot be made, an e-stop would not survive a restart: {error}");
        return Found { file: LatchFile::FIRST_START, is_first_start: true };
    }
    Found { file: LatchFile::read(&bytes), is_first_start: true }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// [`LatchRecord::serial`].
    pub serial: u64,
    /// It is on the disk.
    pub durable: bool,
}

/// The gate's end: lock-free in both directions.
#[derive(Clone, Debug)]
pub struct LatchWriter {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug)]
struct Shared {
    records: ArrayQueue<LatchRecord>,
    results: ArrayQueue<Written>,
    ending: AtomicBool,
}

impl LatchWriter {
    /// Hands a record over; when the queue is full the oldest, which this one replaces, goes.
    pub fn write(&self, record: LatchRecord) {
        self.shared.records.force_push(record);
        self.thread.unpark();
    }

    /// The next result.
    pub fn result(&self) -> Option<Written> {
        self.shared.results.pop()
    }

    /// Asks the thread to end once everything is written.
    pub fn end(&self) {
        self.shared.ending.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Starts the thread; `gate` is woken with every result.
///
/// # Errors
/// No thread can be started.
pub fn start(path: PathBuf, found: &Found, gate: Arc<OwnedFd>) -> io::Result<(LatchWriter, JoinHandle<()>)> {
    let shared = Arc::new(Shared {
        records: ArrayQueue::new(QUEUE),
        results: ArrayQueue::new(QUEUE),
        ending: AtomicBool::new(false),
    });
    let mut disk = Disk { path, file: None, next_slot: found.file.next_slot };
    let inside = shared.clone();
    let thread =
        std::thread::Builder::new().name("latch".into()).spawn(move || run(&inside, &mut disk, &gate))?;
    Ok((LatchWriter { shared, thread: thread.thread().clone() }, thread))
}

fn run(shared: &Shared, disk: &mut Disk, gate: &OwnedFd) {
    let mut waiting: Option<LatchRecord> = None;
    let mut said = false;
    loop {
        while let Some(newer) = shared.records.pop() {
            waiting = Some(newer);
        }
        let Some(record) = waiting else {
            if shared.ending.load(Ordering::Acquire) {
                return;
            }
            std::thread::park();
            continue;
        };
        let result = disk.write(&record);
        shared.results.force_push(Written { serial: record.serial, durable: result.is_ok() });
        os::wake(gate);
        match result {
            Ok(()) => {
                waiting = None;
                said = false;
            }
            Err(error) => {
                if !said {
                    tracing::error!(path = %disk.path.display(), "the e-stop latch is not durable yet, trying again: {error}");
                    said = true;
                }
                if shared.ending.load(Ordering::Acquire) {
                    return;
                }
                std::thread::park_timeout(RETRY);
            }
        }
    }
}

#[derive(Debug)]
struct Disk {
    path: PathBuf,
    file: Option<File>,
    next_slot: usize,
}

impl Disk {
    fn write(&mut self, record: &LatchRecord) -> io::Result<()> {
        if self.file.is_none() {
            // Kept open from here on: a folder that vanishes later cannot keep the next record from the disk.
            let mut options = OpenOptions::new();
            let file = options.write(true).create(true).truncate(false).mode(0o600).open(&self.path)?;
            if file.metadata()?.len() != FILE_LEN as u64 {
                file.set_len(FILE_LEN as u64)?;
            }
            self.file = Some(file);
        }
        let Some(file) = &self.file else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let mut slot = [0; SLOT_LEN];
        latch::encode(record, &mut slot);
        file.write_all_at(&slot, (self.next_slot * SLOT_LEN) as u64)?;
        file.sync_data()?;
        self.next_slot = 1 - self.next_slot;
        Ok(())
    }
}
