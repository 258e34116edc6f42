//! The latch file: a thread of its own that makes the e-stop survive crash and power cut. The gate never waits for it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use agent_core::access::OpenLimbs;
use agent_core::latch::{self, FILE_LEN, LatchFile, LatchRecord, SLOT_LEN};

use super::clean;
use super::mailbox::Mailbox;
use crate::os;
use cloud_sync_api::files::write_private;

/// Between two tries to write a record that the disk refused.
const RETRY: Duration = Duration::from_millis(100);

/// Records and results that may wait; a newer record makes an older one pointless.
const QUEUE: usize = 16;

/// Reads the latch. What cannot be read counts as latched, also a file that is missing where an agent ran before: only a
/// folder that `is_new` begins clear.
///
/// At the first start it makes the file, and before that the note of an orderly end, since nothing has stopped this robot yet.
pub fn open(path: &Path, clean: &Path, is_new: bool) -> LatchFile {
    match read(path) {
        Ok(bytes) => return LatchFile::read(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_new => {}
        Err(error) => {
            tracing::error!(path = %path.display(), "the e-stop latch cannot be read, so it counts as latched: {error}");
            return LatchFile::read(&[]);
        }
    }
    let mut bytes = [0; FILE_LEN];
    latch::first_file(&mut bytes);
    match clean::leave(clean, OpenLimbs::ALL).and_then(|()| write_private(path, &bytes)) {
        Ok(()) => LatchFile::read(&bytes),
        Err(error) => {
            tracing::error!(path = %path.display(), "the e-stop latch cannot be made, and without it no e-stop would last, so it counts as latched: {error}");
            LatchFile::read(&[])
        }
    }
}

/// A little more than the whole file shows that it is too long; a device in its place would never end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(FILE_LEN + 1);
    File::open(path)?.take(FILE_LEN as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// [`LatchRecord::serial`].
    pub serial: u64,
    /// It is on the disk.
    pub durable: bool,
}

/// The gate's end. It never waits for the disk.
#[derive(Clone, Debug)]
pub struct LatchWriter {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug)]
struct Shared {
    records: Mailbox<LatchRecord>,
    results: Mailbox<Written>,
    ending: AtomicBool,
}

impl LatchWriter {
    /// Hands a record over; when the queue is full the oldest, which this one replaces, goes. While the thread is just at it
    /// the record stays, to be tried again.
    pub fn write(&self, record: &mut Option<LatchRecord>) {
        if let Some(newest) = record.take() {
            *record = self.shared.records.put_now(newest).err();
            self.thread.unpark();
        }
    }

    /// The next result.
    pub fn result(&self) -> Option<Written> {
        self.shared.results.take_now()
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
pub fn start(
    path: PathBuf,
    found: &LatchFile,
    gate: Arc<OwnedFd>,
) -> io::Result<(LatchWriter, JoinHandle<()>)> {
    let shared = Arc::new(Shared {
        records: Mailbox::new(QUEUE),
        results: Mailbox::new(QUEUE),
        ending: AtomicBool::new(false),
    });
    // Kept open from here on: a folder that vanishes later cannot keep the next record from the disk.
    let file = open_whole(&path).ok();
    let mut disk = Disk { path, file, next_slot: found.next_slot };
    let inside = shared.clone();
    let thread =
        std::thread::Builder::new().name("latch".into()).spawn(move || run(&inside, &mut disk, &gate))?;
    Ok((LatchWriter { shared, thread: thread.thread().clone() }, thread))
}

fn run(shared: &Shared, disk: &mut Disk, gate: &OwnedFd) {
    let mut waiting: Option<LatchRecord> = None;
    let mut said = false;
    loop {
        while let Some(newer) = shared.records.take() {
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
        // Full only when the gate does not turn; then a newer result says all that counts.
        shared.results.put(Written { serial: record.serial, durable: result.is_ok() }).ok();
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
        let mut slot = [0; SLOT_LEN];
        latch::encode(record, &mut slot);
        let file = match &mut self.file {
            Some(file) => file,
            closed => closed.insert(open_whole(&self.path)?),
        };
        file.write_all_at(&slot, (self.next_slot * SLOT_LEN) as u64)?;
        file.sync_data()?;
        self.next_slot = 1 - self.next_slot;
        Ok(())
    }
}

/// Opens the file for writing. One that is missing or too short is made whole first, and its folder knows of it.
fn open_whole(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.len() != FILE_LEN as u64 {
        file.set_len(FILE_LEN as u64)?;
        file.write_all_at(&[0; FILE_LEN], 0)?;
        file.sync_all()?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(file)
}
