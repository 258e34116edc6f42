//! Opens, reads and closes the serial port on a thread of its own: all three can wait, and the gate may not. The gate only
//! writes; what was read it finds in a mailbox.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arrayvec::ArrayVec;
use firmware_bridge_host::{Port, PortError, PortReader};
use rustix::event::{PollFd, PollFlags, poll};

use super::mailbox::Mailbox;
use crate::os::{self, FifoPriority};

/// Between two tries to open the port.
const RETRY: Duration = Duration::from_millis(200);

/// Bytes of one read: several telemetry frames.
const CHUNK: usize = 512;

/// Reads that may wait for the gate. What comes beyond that is lost, and counted as lost frames by the session: a gate that
/// lets so many wait does not turn, or the port babbles.
const CHUNKS_MAX: usize = 32;

/// Between two reads that fill a whole chunk: 1 MB/s at most.
const BABBLE_PAUSE: Duration = Duration::from_micros(500);

/// What one read gave.
pub type Chunk = ArrayVec<u8, CHUNK>;

/// The gate's end, and what `health` and `doctor` read.
#[derive(Clone, Debug)]
pub struct PortKeeper {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    wanted: AtomicBool,
    gone: AtomicBool,
    ending: AtomicBool,
    opened: Mailbox<Port>,
    closed: Mailbox<Port>,
    read: Mailbox<Chunk>,
    /// Why the port cannot be opened, for people; never touched by the gate.
    problem: Mutex<Option<String>>,
    wake: OwnedFd,
}

impl PortKeeper {
    /// Asks for a port; it comes by [`opened`](Self::opened), and the gate is woken.
    pub fn want(&self) {
        self.shared.wanted.store(true, Ordering::Release);
        os::wake(&self.shared.wake);
    }

    /// The port, once open.
    pub fn opened(&self) -> Option<Port> {
        self.shared.opened.take_now()
    }

    /// What was read next.
    pub fn read(&self) -> Option<Chunk> {
        self.shared.read.take_now()
    }

    /// The open port is of no use any more: unplugged, or its other end closed.
    pub fn is_gone(&self) -> bool {
        self.shared.gone.load(Ordering::Acquire)
    }

    /// Hands a port back to be closed. While the thread is just at it the port stays, to be tried again.
    pub fn close(&self, port: &mut Option<Port>) {
        if let Some(closing) = port.take() {
            *port = self.shared.closed.put_now(closing).err();
            os::wake(&self.shared.wake);
        }
    }

    /// Why there is no port at the moment.
    pub fn problem(&self) -> Option<String> {
        self.shared.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the thread.
    pub fn end(&self) {
        self.shared.ending.store(true, Ordering::Release);
        os::wake(&self.shared.wake);
    }
}

/// Starts the thread. It opens `path` whenever the gate wants a port, and keeps trying.
///
/// # Errors
/// No thread can be started, or out of descriptors.
pub fn start(path: PathBuf, baud: u32, gate: Arc<OwnedFd>) -> io::Result<(PortKeeper, JoinHandle<()>)> {
    let shared = Arc::new(Shared {
        wanted: AtomicBool::new(false),
        gone: AtomicBool::new(false),
        ending: AtomicBool::new(false),
        opened: Mailbox::new(1),
        closed: Mailbox::new(2),
        read: Mailbox::new(CHUNKS_MAX),
        problem: Mutex::new(None),
        wake: os::wake_fd()?,
    });
    let mut keeper = Keeper { shared: shared.clone(), path, baud, gate, reader: None };
    let thread = std::thread::Builder::new().name("port".into()).spawn(move || keeper.run())?;
    Ok((PortKeeper { shared }, thread))
}

/// The thread's end.
struct Keeper {
    shared: Arc<Shared>,
    path: PathBuf,
    baud: u32,
    gate: Arc<OwnedFd>,
    reader: Option<PortReader>,
}

impl Keeper {
    fn run(&mut self) {
        // Without it everything goes on, only less punctual on a busy machine.
        os::ask_for_fifo(FifoPriority::Port);
        while !self.shared.ending.load(Ordering::Acquire) {
            while let Some(port) = self.shared.closed.take() {
                self.reader = None;
                drop(port);
            }
            if self.reader.is_none() && self.shared.wanted.swap(false, Ordering::AcqRel) {
                self.open();
            }
            self.wait();
            os::drain(&self.shared.wake);
            self.read();
        }
    }

    fn open(&mut self) {
        // What an earlier port left says nothing about this one.
        while self.shared.read.take().is_some() {}
        self.shared.gone.store(false, Ordering::Release);
        let opened = Port::open(&self.path, self.baud).and_then(|port| match port.reader() {
            Ok(reader) => Ok((port, reader)),
            Err(error) => Err(PortError::Open { path: self.path.clone(), source: io::Error::other(error) }),
        });
        match opened {
            Ok((port, reader)) => {
                say(&self.shared, None);
                self.reader = Some(reader);
                // The gate asks for one port at a time, so there is room.
                drop(self.shared.opened.put(port));
                os::wake(&self.gate);
            }
            Err(error) => {
                say(&self.shared, Some(&error));
                self.shared.wanted.store(true, Ordering::Release);
            }
        }
    }

    fn wait(&self) {
        let wake = PollFd::from_borrowed_fd(self.shared.wake.as_fd(), PollFlags::IN);
        // An interrupted or failed poll only means one more look.
        match &self.reader {
            Some(reader) => {
                poll(&mut [wake, PollFd::from_borrowed_fd(reader.as_fd(), PollFlags::IN)], None).ok()
            }
            None => poll(&mut [wake], Some(&os::timespec(RETRY))).ok(),
        };
    }

    fn read(&mut self) {
        let Some(reader) = &mut self.reader else { return };
        let mut bytes = [0; CHUNK];
        match reader.read(&mut bytes) {
            Ok(0) => return,
            Ok(count) => {
                let mut chunk = Chunk::new();
                chunk.extend(bytes.into_iter().take(count));
                // No room: see `CHUNKS_MAX`.
                self.shared.read.put(chunk).ok();
                if count == CHUNK {
                    // No board sends so much at once: a port that babbles gets no more than this of the processor.
                    std::thread::sleep(BABBLE_PAUSE);
                }
            }
            Err(_gone) => {
                self.reader = None;
                self.shared.gone.store(true, Ordering::Release);
            }
        }
        os::wake(&self.gate);
    }
}

/// Logs a problem once, and its end.
fn say(shared: &Shared, problem: Option<&PortError>) {
    let text = problem.map(ToString::to_string);
    let mut known = shared.problem.lock().unwrap_or_else(PoisonError::into_inner);
    if *known != text {
        match &text {
            Some(text) => tracing::warn!("the body's port cannot be opened, trying again: {text}"),
            None => tracing::info!("the body's port is open"),
        }
        *known = text;
    }
}
