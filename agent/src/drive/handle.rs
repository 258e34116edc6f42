//! The one door to the body. HTTP, teleop, the keyboard and later the cloud, speech and models all ask here; nobody
//! else can reach the gate.
//!
//! Requests go to the gate over bounded lock-free queues, answers and snapshots come back the same way; one task turns
//! them into futures. When the queue is full the newest request is refused (`Busy`): the gate drains it every turn, so
//! a full queue means that it does not turn.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent_core::caller::{Caller, Label, TokenId};
use agent_core::request::{Answer, Asked, Request, Ticket};
use crossbeam_queue::ArrayQueue;
use firmware_bridge_link::message::{Log, LogLevel};
use tokio::net::unix::pipe;
use tokio::sync::{oneshot, watch};

use super::shown::Shown;
use crate::os;

/// Requests that may wait for the gate.
const ASKED_MAX: usize = 256;

/// Stops, e-stops and ends that may wait for the gate.
const URGENT_MAX: usize = 64;

/// Answers that may wait for the task that hands them out.
const ANSWERS_MAX: usize = 1024;

/// Lines of the firmware that may wait to be logged.
const LOG_MAX: usize = 16;

/// The longest an answer may take: opening waits 250 ms for the MCU, a reset as long again for disk and MCU.
const ANSWER_DEADLINE: Duration = Duration::from_millis(1500);

/// Why the gate gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DriveError {
    /// The gate's queue is full.
    #[error("the gate has more requests waiting than it can take")]
    Busy,
    /// No answer came in time.
    #[error("the gate did not answer in time")]
    Silent,
}

/// What both sides of the door share. Lock-free where the gate touches it.
#[derive(Debug)]
pub struct Door {
    /// Requests, oldest first.
    pub asked: ArrayQueue<Asked>,
    /// Stops and ends, drained before anything else.
    pub urgent: ArrayQueue<Asked>,
    /// The newest of what the gate shows; one that nobody has taken yet is replaced.
    pub shown: ArrayQueue<Shown>,
    /// Answers of the gate.
    pub answers: ArrayQueue<(Ticket, Answer)>,
    /// Lines that the firmware wants a person to see; when nobody takes them the oldest go.
    pub log: ArrayQueue<Log>,
    /// Wakes the gate.
    pub gate_wake: Arc<OwnedFd>,
    /// Wakes the task behind the handle: the writing end of a pipe.
    pub task_wake: OwnedFd,
}

impl Door {
    /// Empty queues, and the reading end of the pipe that wakes the task behind the handle.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn new() -> std::io::Result<(Self, OwnedFd)> {
        let (woken, task_wake) = os::wake_pipe()?;
        let door = Self {
            asked: ArrayQueue::new(ASKED_MAX),
            urgent: ArrayQueue::new(URGENT_MAX),
            shown: ArrayQueue::new(1),
            answers: ArrayQueue::new(ANSWERS_MAX),
            log: ArrayQueue::new(LOG_MAX),
            gate_wake: Arc::new(os::wake_fd()?),
            task_wake,
        };
        Ok((door, woken))
    }
}

/// Cloneable handle on the gate.
#[derive(Clone, Debug)]
pub struct DriveHandle {
    door: Arc<Door>,
    waiting: Arc<Waiting>,
    snapshot: watch::Receiver<Arc<Shown>>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: AtomicU64,
    senders: Mutex<HashMap<Ticket, oneshot::Sender<Answer>>>,
}

impl Waiting {
    fn senders(&self) -> std::sync::MutexGuard<'_, HashMap<Ticket, oneshot::Sender<Answer>>> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DriveHandle {
    /// A handle on the gate behind `door`, and the future that serves it.
    ///
    /// # Errors
    /// The runtime cannot watch the pipe.
    pub fn new(
        door: Arc<Door>,
        woken: OwnedFd,
        first: Shown,
    ) -> std::io::Result<(Self, impl Future<Output = ()> + Send + 'static)> {
        let (sender, snapshot) = watch::channel(Arc::new(first));
        let waiting = Arc::new(Waiting::default());
        let woken = pipe::Receiver::from_owned_fd(woken)?;
        let task = hand_out(door.clone(), waiting.clone(), sender, woken);
        Ok((Self { door, waiting, snapshot }, task))
    }

    /// Asks the gate and waits for its answer.
    ///
    /// # Errors
    /// The gate has too many requests waiting, or does not turn.
    pub async fn ask(&self, caller: Caller, request: Request) -> Result<Answer, DriveError> {
        let ticket = self.waiting.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.waiting.senders().insert(ticket, sender);
        let asked = Asked { ticket, caller, received_at: os::boot_time(), request };
        let queue = if is_urgent(&request) { &self.door.urgent } else { &self.door.asked };
        if queue.push(asked).is_err() {
            self.waiting.senders().remove(&ticket);
            return Err(DriveError::Busy);
        }
        os::wake(&self.door.gate_wake);
        match tokio::time::timeout(ANSWER_DEADLINE, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => {
                self.waiting.senders().remove(&ticket);
                Err(DriveError::Silent)
            }
        }
    }

    /// Tells the gate without waiting: what ends motion when a socket or a token has died. A full queue of stops and
    /// ends is ended by the time to live.
    pub fn tell(&self, caller: Caller, request: Request) {
        let ticket = self.waiting.next.fetch_add(1, Ordering::Relaxed);
        let asked = Asked { ticket, caller, received_at: os::boot_time(), request };
        if self.door.urgent.push(asked).is_err() {
            tracing::warn!("the gate's queue of stops is full, motion ends with its time to live");
        }
        os::wake(&self.door.gate_wake);
    }

    /// A token died: its leases, setpoint and task end.
    pub fn revoke(&self, token: TokenId) {
        let caller = Caller {
            token,
            class: agent_core::caller::Class::Local,
            name: Label::new(),
            must_show_seen: false,
        };
        self.tell(caller, Request::Revoke(token));
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<Shown> {
        self.snapshot.borrow().clone()
    }

    /// Waits until a snapshot satisfies `wanted`, at most `within`; then the newest one, whatever it shows.
    pub async fn wait_for(&self, within: Duration, mut wanted: impl FnMut(&Shown) -> bool) -> Arc<Shown> {
        let mut snapshots = self.snapshot.clone();
        let found = tokio::time::timeout(within, snapshots.wait_for(|snapshot| wanted(snapshot))).await;
        drop(found);
        self.snapshot()
    }
}

fn is_urgent(request: &Request) -> bool {
    matches!(request, Request::Stop | Request::EStop { .. } | Request::TeleopClose(_) | Request::Revoke(_))
}

/// Hands answers and snapshots out until every handle is gone.
async fn hand_out(
    door: Arc<Door>,
    waiting: Arc<Waiting>,
    sender: watch::Sender<Arc<Shown>>,
    woken: pipe::Receiver,
) {
    loop {
        if woken.readable().await.is_err() {
            return;
        }
        // However many wake-ups there were, one look at the queues serves them all.
        while woken.try_read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
        // The snapshot first: whoever gets an answer then reads a state that is at least as new.
        if let Some(shown) = door.shown.pop()
            && sender.send(Arc::new(shown)).is_err()
        {
            return;
        }
        while let Some(line) = door.log.pop() {
            say(&line);
        }
        while let Some((ticket, answer)) = door.answers.pop() {
            if let Some(sender) = waiting.senders().remove(&ticket) {
                // The asker may have left; its request stands all the same.
                sender.send(answer).ok();
            }
        }
    }
}

fn say(line: &Log) {
    let (event, dropped) = (line.event, line.dropped);
    match line.level {
        LogLevel::Error => tracing::error!(?event, dropped, "the microcontroller says"),
        LogLevel::Warn => tracing::warn!(?event, dropped, "the microcontroller says"),
        LogLevel::Info => tracing::info!(?event, dropped, "the microcontroller says"),
    }
}
