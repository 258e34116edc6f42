//! Runs a body on a thread of its own, behind a pseudo-terminal.
//!
//! The thread sleeps until bytes, a fault, or the body's next wake-up. It never waits for the client: what a client
//! does not read is dropped in whole bursts, and counted, as a serial device would lose it.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::thread::set_current_timer_slack;
use rustix::time::{ClockId, clock_gettime};

use crate::body::Body;
use crate::faults::Fault;
use crate::profile::BodyProfile;
use crate::pty::Pty;
use crate::trace::Trace;

/// Bytes read in one turn.
const READ_MAX: usize = 4096;
/// Bytes that may wait for a client that does not read.
const BACKLOG_MAX: usize = 2048;
/// Faults that may wait for the body.
const FAULTS_MAX: usize = 64;
/// How late the kernel may wake the thread, ns. The default, 50,000, would blur every deadline.
const TIMER_SLACK_NS: NonZeroU64 = NonZeroU64::new(1_000).expect("not zero");

/// Why a body could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No pseudo-terminal.
    #[error("cannot make a pseudo-terminal for the simulated body")]
    Pty(#[source] io::Error),
    /// The trace file cannot be made.
    #[error("cannot write the trace {}", path.display())]
    Trace {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No thread.
    #[error("cannot start the thread of the simulated body")]
    Thread(#[source] io::Error),
}

/// The body's thread has ended, because its pseudo-terminal failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulated body has ended")]
pub struct BodyEnded;

/// A running body. Dropping it ends it: its device is then gone, as if it had been unplugged.
#[derive(Debug)]
pub struct SimBody {
    path: PathBuf,
    faults: Option<SyncSender<Fault>>,
    wake: Arc<OwnedFd>,
    bytes_dropped: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl SimBody {
    /// Starts a body, with its trace in a file if one is named.
    ///
    /// # Errors
    /// When there is no pseudo-terminal, no thread or no trace file to be had.
    pub fn start(profile: &BodyProfile, seed: u64, trace: Option<&Path>) -> Result<Self, StartError> {
        let pty = Pty::open().map_err(StartError::Pty)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let wake = Arc::new(wake.map_err(|error| StartError::Pty(error.into()))?);
        let trace = match trace {
            Some(path) => {
                let failed = |source| StartError::Trace { path: path.to_owned(), source };
                Some(Trace::create(path).map_err(failed)?)
            }
            None => None,
        };
        let (sender, faults) = sync_channel(FAULTS_MAX);
        let path = pty.path().to_owned();
        let bytes_dropped = Arc::new(AtomicU64::new(0));
        let runner = Runner {
            body: Body::new(profile, seed, monotonic_us()),
            pty,
            faults,
            wake: Arc::clone(&wake),
            trace,
            backlog: Vec::with_capacity(BACKLOG_MAX + 512),
            bytes_dropped: Arc::clone(&bytes_dropped),
        };
        let thread = std::thread::Builder::new().name("body".to_owned()).spawn(move || runner.run());
        let thread = Some(thread.map_err(StartError::Thread)?);
        Ok(Self { path, faults: Some(sender), wake, bytes_dropped, thread })
    }

    /// The device to open.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets something go wrong. Waits for the body when 64 faults are waiting already.
    ///
    /// # Errors
    /// When the body has ended.
    pub fn fault(&self, fault: Fault) -> Result<(), BodyEnded> {
        let faults = self.faults.as_ref().ok_or(BodyEnded)?;
        faults.send(fault).map_err(|_ended| BodyEnded)?;
        ring(&self.wake);
        Ok(())
    }

    /// Bytes that were dropped because the client did not read.
    #[must_use]
    pub fn bytes_dropped(&self) -> u64 {
        self.bytes_dropped.load(Ordering::Relaxed)
    }
}

impl Drop for SimBody {
    fn drop(&mut self) {
        // The thread ends when the channel is closed and it is woken.
        self.faults = None;
        ring(&self.wake);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            eprintln!("simulated body: its thread panicked");
        }
    }
}

/// Wakes the thread. The counter of an eventfd is full only if the thread is about to wake anyway.
fn ring(wake: &OwnedFd) {
    if let Err(error) = rustix::io::write(wake, &1_u64.to_ne_bytes())
        && error != Errno::AGAIN
    {
        eprintln!("simulated body: cannot wake its thread: {error}");
    }
}

struct Runner {
    body: Body,
    pty: Pty,
    faults: Receiver<Fault>,
    wake: Arc<OwnedFd>,
    trace: Option<Trace>,
    backlog: Vec<u8>,
    bytes_dropped: Arc<AtomicU64>,
}

/// Whether the thread goes on.
enum Next {
    Sleep,
    End,
}

/// What the thread was woken for, apart from faults and time.
struct Ready {
    bytes: bool,
    clients: bool,
}

impl Runner {
    fn run(mut self) {
        if let Err(error) = set_current_timer_slack(Some(TIMER_SLACK_NS)) {
            eprintln!("simulated body: wake-ups stay coarse: {error}");
        }
        loop {
            match self.turn() {
                Ok(Next::Sleep) => {}
                Ok(Next::End) => return,
                Err(error) => {
                    eprintln!("simulated body: ended: {error}");
                    return;
                }
            }
        }
    }

    /// One turn: sleep, then a bounded amount of work.
    fn turn(&mut self) -> io::Result<Next> {
        let ready = self.sleep()?;
        if ready.clients && self.pty.update_clients()? {
            self.backlog.clear();
        }
        let mut bytes = [0; READ_MAX];
        let count = if ready.bytes { self.pty.read(&mut bytes)? } else { 0 };
        let now_us = monotonic_us();
        // What ended on time is written down even if these bytes begin something new.
        self.body.step(now_us);
        self.note(now_us);
        self.body.receive(now_us, bytes.get(..count).unwrap_or_default());
        for _ in 0..FAULTS_MAX {
            match self.faults.try_recv() {
                Ok(fault) => self.body.inject(now_us, fault),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(Next::End),
            }
        }
        self.note(now_us);
        self.send(now_us)?;
        Ok(Next::Sleep)
    }

    fn note(&mut self, now_us: u64) {
        if let Some(trace) = &mut self.trace {
            trace.note(now_us, &self.body.view());
        }
    }

    fn sleep(&mut self) -> io::Result<Ready> {
        let body_us = self.body.next_wake_us();
        let wake_us = self.trace.as_ref().map_or(body_us, |trace| trace.next_line_us().min(body_us));
        let wait_us = wake_us.saturating_sub(monotonic_us());
        let timeout =
            Timespec { tv_sec: (wait_us / 1_000_000) as i64, tv_nsec: (wait_us % 1_000_000 * 1_000) as _ };
        let mut fds = [
            PollFd::from_borrowed_fd(self.pty.bytes_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.pty.clients_fd(), PollFlags::IN),
            PollFd::new(&self.wake, PollFlags::IN),
        ];
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [bytes, clients, woken] = fds.map(|fd| !fd.revents().is_empty());
        if woken {
            let mut count = [0; 8];
            match rustix::io::read(&*self.wake, &mut count) {
                Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Ready { bytes, clients })
    }

    /// Sends what the body has to say. The body is asked even when the client does not read: its frames are about now,
    /// and old ones must not wait inside it.
    fn send(&mut self, now_us: u64) -> io::Result<()> {
        let mut whole = self.backlog.len();
        while self.body.transmit(now_us, &mut self.backlog) {
            if self.backlog.len() > BACKLOG_MAX {
                let dropped = self.backlog.len() - whole;
                self.backlog.truncate(whole);
                self.bytes_dropped.fetch_add(dropped as u64, Ordering::Relaxed);
            }
            whole = self.backlog.len();
        }
        if !self.backlog.is_empty() {
            let count = self.pty.write(&self.backlog)?;
            self.backlog.drain(..count);
        }
        Ok(())
    }
}

/// CLOCK_MONOTONIC, us.
fn monotonic_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1_000
}
