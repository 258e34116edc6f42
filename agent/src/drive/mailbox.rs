//! A bounded queue between the gate's thread and the rest of the program. The gate's side never waits: neither for a lock
//! nor, as lock-free queues do, by spinning on a slot that a preempted thread has half filled. When the other side is just
//! at it the gate comes back with its next turn.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use arrayvec::ArrayVec;

/// The queue. It allocates its room once.
#[derive(Debug)]
pub struct Mailbox<T> {
    queue: Mutex<VecDeque<T>>,
    room: usize,
}

impl<T> Mailbox<T> {
    /// An empty queue with room for so many.
    pub fn new(room: usize) -> Self {
        Self { queue: Mutex::new(VecDeque::with_capacity(room)), room }
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue_now(&self) -> Option<MutexGuard<'_, VecDeque<T>>> {
        match self.queue.try_lock() {
            Ok(queue) => Some(queue),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Adds one; gives it back when there is no room. For everybody but the gate.
    ///
    /// # Errors
    /// The value, when the queue is full.
    pub fn put(&self, value: T) -> Result<(), T> {
        let mut queue = self.queue();
        if queue.len() >= self.room {
            return Err(value);
        }
        queue.push_back(value);
        Ok(())
    }

    /// The oldest. For everybody but the gate.
    pub fn take(&self) -> Option<T> {
        self.queue().pop_front()
    }

    /// Adds one, in place of the oldest when there is no room; gives it back when somebody else is at it. For the gate.
    ///
    /// # Errors
    /// The value, to be tried again with the next turn.
    pub fn put_now(&self, value: T) -> Result<(), T> {
        let Some(mut queue) = self.queue_now() else { return Err(value) };
        if queue.len() >= self.room {
            queue.pop_front();
        }
        queue.push_back(value);
        Ok(())
    }

    /// Adds all of them, the oldest first, in place of the oldest when there is no room; `false`, and nothing is taken,
    /// when somebody else is at it. For the gate.
    pub fn put_all_now<const N: usize>(&self, values: &mut ArrayVec<T, N>) -> bool {
        let Some(mut queue) = self.queue_now() else { return false };
        for value in values.drain(..) {
            if queue.len() >= self.room {
                queue.pop_front();
            }
            queue.push_back(value);
        }
        true
    }

    /// The oldest; `None` also while somebody else is at it, who wakes the gate afterwards. For the gate.
    pub fn take_now(&self) -> Option<T> {
        self.queue_now()?.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_newcomers_and_lets_the_gate_replace_the_oldest() {
        // Whoever asks is told; what the gate shows is always the newest.
        let mailbox = Mailbox::new(2);
        assert_eq!(mailbox.put(1), Ok(()));
        assert_eq!(mailbox.put(2), Ok(()));
        assert_eq!(mailbox.put(3), Err(3));
        assert_eq!(mailbox.put_now(4), Ok(()));
        assert_eq!((mailbox.take(), mailbox.take_now(), mailbox.take()), (Some(2), Some(4), None));
    }

    #[test]
    fn the_gate_never_waits_for_whoever_is_at_it() {
        // As if the other thread had been preempted in the middle of its turn.
        let mailbox = Mailbox::new(2);
        assert_eq!(mailbox.put(1), Ok(()));
        let at_it = mailbox.queue();
        assert_eq!(mailbox.take_now(), None);
        assert_eq!(mailbox.put_now(2), Err(2));
        drop(at_it);
        assert_eq!(mailbox.take_now(), Some(1));
    }
}
