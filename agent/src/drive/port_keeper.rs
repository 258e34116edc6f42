//! Opens and closes the serial port on a thread of its own: both can block for seconds, and the gate may not wait.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use firmware_bridge_host::{Port, PortError};

use super::mailbox::Mailbox;
use crate::os;

/// Between two tries to open the port.
const RETRY: Duration = Duration::from_millis(200);

/// The gate's end, and what `health` and `doctor` read.
#[derive(Clone, Debug)]
pub struct PortKeeper {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug)]
struct Shared {
    wanted: AtomicBool,
    ending: AtomicBool,
    opened: Mailbox<Port>,
    closed: Mailbox<Port>,
    /// Why the port cannot be opened, for people; never touched by the gate.
    problem: Mutex<Option<String>>,
}

impl PortKeeper {
    /// Asks for a port; it comes by [`opened`](Self::opened), and the gate is woken.
    pub fn want(&self) {
        self.shared.wanted.store(true, Ordering::Release);
        self.thread.unpark();
    }

    /// The port, once open.
    pub fn opened(&self) -> Option<Port> {
        self.shared.opened.take_now()
    }

    /// Hands a port back to be closed.
    ///
    /// # Errors
    /// The port, when the thread was just at it; to be tried again.
    pub fn close(&self, port: Port) -> Result<(), Port> {
        self.shared.closed.put_now(port)?;
        self.thread.unpark();
        Ok(())
    }

    /// Why there is no port at the moment.
    pub fn problem(&self) -> Option<String> {
        self.shared.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the thread.
    pub fn end(&self) {
        self.shared.ending.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Starts the thread. It opens `path` whenever the gate wants a port, and keeps trying.
///
/// # Errors
/// No thread can be started.
pub fn start(path: PathBuf, baud: u32, gate: Arc<OwnedFd>) -> io::Result<(PortKeeper, JoinHandle<()>)> {
    let shared = Arc::new(Shared {
        wanted: AtomicBool::new(false),
        ending: AtomicBool::new(false),
        opened: Mailbox::new(1),
        closed: Mailbox::new(2),
        problem: Mutex::new(None),
    });
    let inside = shared.clone();
    let thread = std::thread::Builder::new().name("port".into()).spawn(move || {
        while !inside.ending.load(Ordering::Acquire) {
            keep(&inside, &path, baud, &gate);
        }
    })?;
    Ok((PortKeeper { shared, thread: thread.thread().clone() }, thread))
}

fn keep(shared: &Shared, path: &std::path::Path, baud: u32, gate: &OwnedFd) {
    while let Some(port) = shared.closed.take() {
        drop(port);
    }
    if !shared.wanted.swap(false, Ordering::AcqRel) {
        std::thread::park();
        return;
    }
    match Port::open(path, baud) {
        Ok(port) => {
            say(shared, None);
            // The gate asks for one port at a time, so there is room.
            drop(shared.opened.put(port));
            os::wake(gate);
        }
        Err(error) => {
            say(shared, Some(error));
            shared.wanted.store(true, Ordering::Release);
            std::thread::park_timeout(RETRY);
        }
    }
}

/// Logs a problem once, and its end.
fn say(shared: &Shared, problem: Option<PortError>) {
    let text = problem.map(|error| error.to_string());
    let mut known = shared.problem.lock().unwrap_or_else(PoisonError::into_inner);
    if *known != text {
        match &text {
            Some(text) => tracing::warn!("the body's port cannot be opened, trying again: {text}"),
            None => tracing::info!("the body's port is open"),
        }
        *known = text;
    }
}
