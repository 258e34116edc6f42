//! The one door to the body. HTTP, teleop, the keyboard and the broker all ask here; nobody
//! else can reach the gate.
//!
//! Requests go to the gate over bounded mailboxes at which it never waits, answers and snapshots come back the same way;
//! one task turns them into futures. When a queue is full the newest request is refused (`Busy`): the gate drains it every
//! turn, so a full queue means that it does not turn.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent_core::caller::{Caller, Class, Label, TokenId};
use agent_core::gate::RESET_WITHIN;
use agent_core::request::{Answer, Asked, Request, SocketId, Ticket};
use firmware_bridge_link::message::{Log, LogLevel};
use tokio::net::unix::pipe;
use tokio::sync::{oneshot, watch};

use super::mailbox::Mailbox;
use super::shown::Shown;
use crate::os;

/// Requests that may wait for the gate.
const ASKED_MAX: usize = 256;

/// E-stops that may wait for the gate. More would add nothing: each of them latches.
const ESTOPS_MAX: usize = 16;

/// Stops and ends that may wait for the gate.
const URGENT_MAX: usize = 64;

/// Answers that may wait for the task that hands them out.
const ANSWERS_MAX: usize = 1024;

/// Lines of the firmware that may wait to be logged.
const LOG_MAX: usize = 16;

/// Between two tries to tell the gate of a revoked token.
const REVOKE_RETRY: Duration = Duration::from_millis(20);

/// The longest an answer may take: opening waits 250 ms for the MCU, a reset as long again for disk and MCU.
const ANSWER_DEADLINE: Duration = Duration::from_millis(1500);
const _: () = assert!(RESET_WITHIN.as_millis() < ANSWER_DEADLINE.as_millis());

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

/// What both sides of the door share. The gate waits for nobody here.
#[derive(Debug)]
pub struct Door {
    /// Requests, oldest first.
    pub asked: Mailbox<Asked>,
    /// Stops and ends, drained before requests.
    pub urgent: Mailbox<Asked>,
    /// E-stops, drained before anything else.
    pub estops: Mailbox<Asked>,
    /// The newest of what the gate shows; one that nobody has taken yet is replaced.
    pub shown: Mailbox<Shown>,
    /// Answers of the gate.
    pub answers: Mailbox<(Ticket, Answer)>,
    /// Lines that the firmware wants a person to see; when nobody takes them the oldest go.
    pub log: Mailbox<Log>,
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
            asked: Mailbox::new(ASKED_MAX),
            urgent: Mailbox::new(URGENT_MAX),
            estops: Mailbox::new(ESTOPS_MAX),
            shown: Mailbox::new(1),
            answers: Mailbox::new(ANSWERS_MAX),
            log: Mailbox::new(LOG_MAX),
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
        let _forgotten_if_dropped = Forget { waiting: &self.waiting, ticket };
        self.hand_in(caller, ticket, request)?;
        match tokio::time::timeout(ANSWER_DEADLINE, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => Err(DriveError::Silent),
        }
    }

    /// Ends a socket's motion without waiting. A queue full of stops and ends is no loss: the time to live ends it too.
    pub fn end_socket(&self, caller: Caller, socket: SocketId) {
        self.tell(caller, Request::TeleopClose(socket));
    }

    /// Tells the gate that something ends, without waiting. Whatever it was ends by itself too, only later.
    pub fn tell(&self, caller: Caller, request: Request) {
        let ticket = self.waiting.next.fetch_add(1, Ordering::Relaxed);
        if self.hand_in(caller, ticket, request).is_err() {
            tracing::warn!("the gate's queue is full: what was to end ends with its time to live");
        }
    }

    /// A token died: its leases, setpoint and task end. Tries until the gate has heard it.
    pub async fn revoke(&self, token: TokenId) {
        let caller =
            Caller { token, class: Class::Local, name: Label::new(), must_show_seen: false, turn: None };
        while let Err(error) = self.ask(caller, Request::Revoke(token)).await {
            tracing::error!("a revoked token may still drive, telling the gate again: {error}");
            tokio::time::sleep(REVOKE_RETRY).await;
        }
    }

    fn hand_in(&self, caller: Caller, ticket: Ticket, request: Request) -> Result<(), DriveError> {
        let asked = Asked { ticket, caller, received_at: os::boot_time(), request };
        let queue = match request {
            Request::EStop { .. } => &self.door.estops,
            Request::Stop | Request::TeleopClose(_) | Request::End | Request::Revoke(_) => &self.door.urgent,
            _ => &self.door.asked,
        };
        queue.put(asked).map_err(|_asked| DriveError::Busy)?;
        os::wake(&self.door.gate_wake);
        Ok(())
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<Shown> {
        self.snapshot.borrow().clone()
    }

    /// Waits until the gate shows what is `wanted`.
    pub async fn until(&self, wanted: impl Fn(&Shown) -> bool) {
        let mut snapshots = self.snapshot.clone();
        // The gate's end is the program's end.
        snapshots.wait_for(|shown| wanted(shown)).await.ok();
    }
}

/// Whoever waits no longer is forgotten, whether an answer came or not.
struct Forget<'a> {
    waiting: &'a Waiting,
    ticket: Ticket,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.waiting.senders().remove(&self.ticket);
    }
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
        // The gate shows first and answers then. So whoever gets one of these answers reads a state at least as new.
        let answers: Vec<(Ticket, Answer)> = std::iter::from_fn(|| door.answers.take()).collect();
        if let Some(shown) = door.shown.take()
            && sender.send(Arc::new(shown)).is_err()
        {
            return;
        }
        for (ticket, answer) in answers {
            if let Some(sender) = waiting.senders().remove(&ticket) {
                // The asker may have left just now; its request stands all the same.
                sender.send(answer).ok();
            }
        }
        while let Some(line) = door.log.take() {
            say(&line);
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
