//! The messages that are being carried out now. Whoever sends one again waits for the same answer; when its sender leaves, its
//! motion ends, and the answer is kept all the same. Bounded: see [`MESSAGES_MAX`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloud_sync_protocol::store::Whose;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::reply::ChatReply;
use crate::problem::{Answer, Problem};

/// Messages that are carried out at once; more are refused with 429.
const MESSAGES_MAX: usize = 64;
/// When to come again then.
const AGAIN_MS: u64 = 1_000;

/// A message that may be sent again: whose, its key and its words. Other words under the same key are another message, and the
/// store refuses them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) whose: Whose,
    pub(super) key: String,
    pub(super) message: String,
}

/// What becomes of a message.
pub(super) type Outcome = watch::Receiver<Option<Answer<ChatReply>>>;

/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Running(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    messages: HashMap<Name, Outcome>,
    tasks: JoinSet<()>,
}

/// Held by whoever waits for an answer. Dropping it says that nobody does any more.
#[derive(Debug)]
pub(super) struct Attendance(
    #[expect(dead_code, reason = "what counts is that it is dropped")] watch::Sender<()>,
);

/// Sees when the sender of a message has left.
#[derive(Clone, Debug)]
pub(super) struct Attended(watch::Receiver<()>);

impl Attended {
    /// Completes when the sender has left.
    pub(super) async fn left(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

impl Running {
    /// Carries a message out beside whoever waits for it. `None` for the attendance: it is being carried out already, and this
    /// is the answer that will come of it.
    ///
    /// # Errors
    /// 429 while too many are being carried out.
    pub(super) fn start<F>(
        &self,
        name: Name,
        work: impl FnOnce(Attended) -> F,
    ) -> Answer<(Option<Attendance>, Outcome)>
    where
        F: Future<Output = Answer<ChatReply>> + Send + 'static,
    {
        let mut inner = self.inner();
        if let Some(result) = inner.messages.get(&name) {
            return Ok((None, result.clone()));
        }
        let (attendance, attended) = watch::channel(());
        let (sender, result) = watch::channel(None);
        let work = work(Attended(attended));
        while inner.tasks.try_join_next().is_some() {}
        if inner.tasks.len() >= MESSAGES_MAX {
            return Err(Problem::rate_limited(AGAIN_MS)
                .detail_is("Too many messages are being answered; try again in a second."));
        }
        inner.messages.insert(name.clone(), result.clone());
        let forget = Forget { running: self.clone(), name };
        inner.tasks.spawn(async move {
            let answer = work.await;
            drop(forget);
            sender.send_replace(Some(answer));
        });
        Ok((Some(Attendance(attendance)), result))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a message out of the table, also when it panicked.
struct Forget {
    running: Running,
    name: Name,
}

impl Drop for Forget {
    fn drop(&mut self) {
        self.running.inner().messages.remove(&self.name);
    }
}

/// Waits for an answer.
pub(super) async fn answer(mut result: Outcome) -> Answer<ChatReply> {
    match result.wait_for(Option::is_some).await {
        Ok(answer) => answer.clone().unwrap_or_else(|| Err(broken())),
        Err(_gone) => Err(broken()),
    }
}

/// Nobody is left who could say what became of it.
pub(super) fn broken() -> Problem {
    Problem::memory_down("This message broke off. It is not carried out again; ask what became of it.")
}
