//! What was given out and not yet taken, between the router and one who asked. Bounded by the router, which gives out at most
//! 64 KiB of words for a question; words that wait are put together.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Piece;

/// One producer, one consumer.
#[derive(Debug, Default)]
pub(super) struct Outlet {
    waiting: Mutex<Waiting>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    pieces: VecDeque<Piece>,
    is_over: bool,
}

impl Outlet {
    /// Gives a piece out; whoever waits hears of it with [`Self::ring`].
    pub(super) fn put(&self, piece: Piece) {
        let mut waiting = self.waiting();
        match (waiting.pieces.back_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
            (_, piece) => waiting.pieces.push_back(piece),
        }
    }

    /// Says that something was given out.
    pub(super) fn ring(&self) {
        self.came.notify_one();
    }

    /// Takes the next piece; after the end there is none.
    pub(super) async fn take(&self) -> Option<Piece> {
        loop {
            {
                let mut waiting = self.waiting();
                if let Some(piece) = waiting.pieces.pop_front() {
                    waiting.is_over |= matches!(piece, Piece::End(_));
                    return Some(piece);
                }
                if waiting.is_over {
                    return None;
                }
            }
            self.came.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
