//! What waits for the embedder's thread: two bounded queues, one of which goes first.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{EmbedError, Urgency};
use crate::Vector;
use crate::model::TEXT_BYTES_MAX;

/// Texts that may wait with [`Urgency::Now`]: about a second of work. More are refused.
pub(super) const NOW_MAX: usize = 64;
/// Texts that may wait in the background, at most 32 MiB of them. More are refused.
pub(super) const BACKGROUND_MAX: usize = 1024;

/// One question.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) texts: Vec<String>,
    pub(super) answer: oneshot::Sender<Result<Vec<Vector>, EmbedError>>,
}

impl Job {
    /// Texts are cut to what is looked at, so that the queue's bound is one of memory, too.
    pub(super) fn new(
        mut texts: Vec<String>,
        answer: oneshot::Sender<Result<Vec<Vector>, EmbedError>>,
    ) -> Self {
        for text in &mut texts {
            if text.len() > TEXT_BYTES_MAX {
                text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
                text.shrink_to_fit();
            }
        }
        Self { texts, answer }
    }
}

/// What the thread does next.
#[derive(Debug)]
pub(super) enum Next {
    Work(Job, Urgency),
    /// Nothing came in the given time.
    Idle,
    /// Nobody can ask any more.
    End,
}

/// Both queues.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    now: VecDeque<Job>,
    background: VecDeque<Job>,
    ended: bool,
}

impl Waiting {
    fn of(&mut self, urgency: Urgency) -> (&mut VecDeque<Job>, usize) {
        match urgency {
            Urgency::Now => (&mut self.now, NOW_MAX),
            Urgency::Background => (&mut self.background, BACKGROUND_MAX),
        }
    }
}

impl Queue {
    /// Adds a question at the end of its queue.
    pub(super) fn push(&self, job: Job, urgency: Urgency) -> Result<(), EmbedError> {
        let mut waiting = self.lock();
        if waiting.ended {
            return Err(EmbedError::Failed("its thread has ended".to_owned()));
        }
        let (queue, texts_max) = waiting.of(urgency);
        // Who no longer waits for an answer does not count.
        queue.retain(|job| !job.answer.is_closed());
        let texts: usize = queue.iter().map(|job| job.texts.len()).sum();
        if texts + job.texts.len() > texts_max {
            return Err(EmbedError::QueueFull);
        }
        queue.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// The next question; waits for it at most this long, for ever with `None`.
    pub(super) fn next(&self, wait_max: Option<Duration>) -> Next {
        let nothing =
            |waiting: &mut Waiting| !waiting.ended && waiting.now.is_empty() && waiting.background.is_empty();
        let waiting = self.lock();
        let mut waiting = match wait_max {
            None => self.changed.wait_while(waiting, nothing).unwrap_or_else(PoisonError::into_inner),
            Some(wait_max) => {
                let waited = self.changed.wait_timeout_while(waiting, wait_max, nothing);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        if waiting.ended {
            return Next::End;
        }
        if let Some(job) = waiting.now.pop_front() {
            return Next::Work(job, Urgency::Now);
        }
        waiting.background.pop_front().map_or(Next::Idle, |job| Next::Work(job, Urgency::Background))
    }

    /// A question that goes first, if one waits.
    pub(super) fn take_now(&self) -> Option<Job> {
        self.lock().now.pop_front()
    }

    /// Takes nothing more, and drops what waits: their futures end with an error.
    pub(super) fn end(&self) {
        let mut waiting = self.lock();
        waiting.ended = true;
        waiting.now.clear();
        waiting.background.clear();
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code that could panic runs under the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answer = oneshot::Receiver<Result<Vec<Vector>, EmbedError>>;

    fn job(texts: usize) -> (Job, Answer) {
        let (answer, answered) = oneshot::channel();
        (Job::new(vec!["x".to_owned(); texts], answer), answered)
    }

    #[test]
    fn now_goes_before_background_and_each_in_its_order() {
        let queue = Queue::default();
        let mut answers = Vec::new();
        for (texts, urgency) in
            [(1, Urgency::Background), (2, Urgency::Now), (3, Urgency::Background), (4, Urgency::Now)]
        {
            let (job, answer) = job(texts);
            answers.push(answer);
            queue.push(job, urgency).unwrap();
        }
        let mut order = Vec::new();
        while let Next::Work(job, _) = queue.next(Some(Duration::ZERO)) {
            order.push(job.texts.len());
        }
        assert_eq!(order, [2, 4, 1, 3]);
    }

    #[test]
    fn a_full_queue_refuses_and_questions_taken_back_make_room() {
        let queue = Queue::default();
        let (first, answer) = job(NOW_MAX);
        queue.push(first, Urgency::Now).unwrap();
        assert_eq!(queue.push(job(1).0, Urgency::Now), Err(EmbedError::QueueFull));
        assert_eq!(queue.push(job(BACKGROUND_MAX + 1).0, Urgency::Background), Err(EmbedError::QueueFull));
        drop(answer);
        let (second, _answer) = job(NOW_MAX);
        assert_eq!(queue.push(second, Urgency::Now), Ok(()));
    }

    #[test]
    fn after_the_end_nothing_waits_for_ever() {
        let queue = Queue::default();
        let (waits, mut answer) = job(1);
        queue.push(waits, Urgency::Background).unwrap();
        queue.end();
        assert_eq!(answer.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert!(matches!(queue.next(None), Next::End));
        assert!(matches!(queue.push(job(1).0, Urgency::Now), Err(EmbedError::Failed(_))));
    }

    #[test]
    fn a_text_of_a_megabyte_takes_no_more_than_is_looked_at() {
        let (answer, _answered) = oneshot::channel();
        let job = Job::new(vec!["é".repeat(1 << 19)], answer);
        assert!(job.texts[0].len() <= TEXT_BYTES_MAX && job.texts[0].capacity() <= TEXT_BYTES_MAX);
    }
}
