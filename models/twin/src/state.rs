//! What a twin is set to and has counted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::kind::Kind;
use crate::reply::Prepared;
use crate::script::Reply;
use crate::seen::Seen;
use crate::settings::Settings;
use crate::wire::End;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) kind: Kind,
    settings: Mutex<Settings>,
    last: Mutex<Option<Seen>>,
    /// The last answer as it goes out: most are asked for again and again.
    prepared: Mutex<Option<Kept>>,
    pub(crate) connections: AtomicU64,
    requests: AtomicU64,
    under_way: AtomicU64,
    dropped: AtomicU64,
    /// Whether connections end because nobody is to listen, and not because a client left.
    pub(crate) closing: AtomicBool,
}

#[derive(Debug)]
struct Kept {
    reply: Reply,
    input_tokens: usize,
    chunk_words: usize,
    prepared: Arc<Prepared>,
}

impl State {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            settings: Mutex::default(),
            last: Mutex::default(),
            prepared: Mutex::default(),
            connections: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            closing: AtomicBool::new(false),
        }
    }

    pub(crate) fn settings(&self) -> MutexGuard<'_, Settings> {
        lock(&self.settings)
    }

    pub(crate) fn last(&self) -> MutexGuard<'_, Option<Seen>> {
        lock(&self.last)
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn under_way(&self) -> u64 {
        self.under_way.load(Ordering::Relaxed)
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// What a control is told.
    pub(crate) fn report(&self) -> Value {
        json!({
            "requests": self.requests(),
            "under_way": self.under_way(),
            "dropped_by_client": self.dropped(),
            "last": *self.last(),
        })
    }

    /// The frames of an answer without calls, from the last time if it is the same.
    pub(crate) fn prepared(
        &self,
        reply: &Reply,
        end: &End,
        chunk_words: usize,
        make: impl FnOnce() -> Prepared,
    ) -> Arc<Prepared> {
        let mut kept = lock(&self.prepared);
        if let Some(kept) = kept.as_ref()
            && kept.reply == *reply
            && kept.input_tokens == end.input_tokens
            && kept.chunk_words == chunk_words
        {
            return Arc::clone(&kept.prepared);
        }
        let prepared = Arc::new(make());
        *kept = Some(Kept {
            reply: reply.clone(),
            input_tokens: end.input_tokens,
            chunk_words,
            prepared: Arc::clone(&prepared),
        });
        prepared
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request from its head to the end of its answer.
#[derive(Debug)]
pub(crate) struct UnderWay {
    state: Arc<State>,
    pub(crate) number: u64,
    over: bool,
}

impl UnderWay {
    pub(crate) fn new(state: Arc<State>) -> Self {
        let number = state.requests.fetch_add(1, Ordering::Relaxed);
        state.under_way.fetch_add(1, Ordering::Relaxed);
        Self { state, number, over: false }
    }

    /// It was answered, or failed on purpose.
    pub(crate) const fn over(&mut self) {
        self.over = true;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.state.under_way.fetch_sub(1, Ordering::Relaxed);
        if !self.over && !self.state.closing.load(Ordering::Relaxed) {
            self.state.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}
