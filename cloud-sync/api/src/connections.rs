//! The table of open connections: how many there may be, which one goes for a new one, and which took too long.
//!
//! Nothing is done per request beyond a few relaxed stores; deadlines are kept by one sweep over the table.
//! A connection is closed by waking whoever reads or writes it, so this also reaches upgraded ones.

mod choice;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

use choice::{Phase, View, YOUNG_MS, is_overdue, least, surplus, victim};

pub use choice::ConnectionLimits;

/// Connections told to close whose descriptors are not free yet; beyond that no new one is accepted.
const CLOSING_MAX: usize = 64;

/// The table. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: ConnectionLimits,
    started: Instant,
    /// Time of the last sweep, in ms since `started`: precise enough for "how long idle", and free to read.
    coarse_ms: AtomicU64,
    open: Mutex<Vec<Arc<Entry>>>,
    /// Descriptors in use, those of closed entries included.
    descriptors: AtomicUsize,
    freed: Notify,
}

/// One connection in the table. Dropping it frees its place.
#[derive(Debug)]
pub(crate) struct Ticket {
    entry: Arc<Entry>,
    table: Connections,
}

#[derive(Debug)]
struct Entry {
    peer: IpAddr,
    phase: AtomicU8,
    was_answered: AtomicBool,
    /// When the phase began or something was last sent or received, ms.
    since_ms: AtomicU64,
    is_closed: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Connections {
    /// An empty table.
    pub fn new(limits: ConnectionLimits) -> Self {
        Self(Arc::new(Shared {
            limits,
            started: Instant::now(),
            coarse_ms: AtomicU64::new(0),
            open: Mutex::default(),
            descriptors: AtomicUsize::new(0),
            freed: Notify::new(),
        }))
    }

    /// Connections that are open now.
    pub fn open_count(&self) -> usize {
        self.entries().len()
    }

    /// Enters a connection from `peer`; at a limit another one is closed for it.
    pub(crate) fn enter(&self, peer: IpAddr) -> Ticket {
        let now_ms = self.now_ms();
        let entry = Arc::new(Entry {
            peer,
            phase: AtomicU8::new(Phase::Fresh as u8),
            was_answered: AtomicBool::new(false),
            since_ms: AtomicU64::new(now_ms),
            is_closed: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        });
        let mut entries = self.entries();
        let views: Vec<View> = entries.iter().map(|entry| entry.view()).collect();
        if let Some(index) = victim(&views, peer, &self.0.limits, now_ms) {
            // The order of the table is the order of arrival, so it is kept.
            entries.remove(index).close();
            metrics::counter!("robbie_http_connections_evicted_total").increment(1);
        }
        entries.push(Arc::clone(&entry));
        drop(entries);
        self.0.descriptors.fetch_add(1, Ordering::Relaxed);
        Ticket { entry, table: self.clone() }
    }

    /// Waits until closed connections have given their descriptors back.
    pub(crate) async fn room(&self) {
        let most = self.0.limits.total_max + CLOSING_MAX;
        while self.0.descriptors.load(Ordering::Acquire) >= most {
            self.0.freed.notified().await;
        }
    }

    /// Closes the connection that matters least: the system has no more descriptors.
    pub(crate) fn close_one(&self) {
        let mut entries = self.entries();
        let views: Vec<View> = entries.iter().map(|entry| entry.view()).collect();
        if let Some(index) = least(views.iter().enumerate(), None, self.now_ms()) {
            entries.remove(index).close();
        }
    }

    /// Closes all connections.
    pub(crate) fn close_all(&self) {
        for entry in self.entries().drain(..) {
            entry.close();
        }
    }

    /// Closes what took too long, for ever. One of these runs beside the server.
    pub(crate) async fn sweep(&self) {
        let shortest = self.0.limits.head.min(self.0.limits.idle);
        let every = (shortest / 8).clamp(Duration::from_millis(5), Duration::from_millis(YOUNG_MS));
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now_ms = self.now_ms();
            self.0.coarse_ms.store(now_ms, Ordering::Relaxed);
            let mut entries = self.entries();
            entries.retain(|entry| {
                let is_overdue = is_overdue(entry.view(), &self.0.limits, now_ms);
                if is_overdue {
                    entry.close();
                }
                !is_overdue
            });
            self.trim(&mut entries, now_ms);
        }
    }

    /// Closes what was spared only for being young.
    fn trim(&self, entries: &mut Vec<Arc<Entry>>, now_ms: u64) {
        // Nobody can be over the limit of a peer unless the table holds more than that.
        while entries.len() > self.0.limits.per_peer_max {
            let views: Vec<View> = entries.iter().map(|entry| entry.view()).collect();
            let Some(index) = surplus(&views, &self.0.limits, now_ms) else { return };
            entries.remove(index).close();
        }
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        // The table is whole after every step, so a panic elsewhere does not spoil it.
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Ticket {
    /// Something was received: the head of a request begins, unless one is being handled.
    pub(crate) fn received(&self) {
        match self.entry.phase() {
            Phase::Fresh => self.found_silent(),
            Phase::Answered => self.enter_phase(Phase::Head),
            Phase::Upgraded => self.touch(),
            Phase::Head | Phase::Working | Phase::Ending => {}
        }
    }

    /// Somebody looked whether there is something to read. The time for the head runs since the connection came.
    pub(crate) fn found_silent(&self) {
        if self.entry.phase() == Phase::Fresh {
            self.entry.phase.store(Phase::Head as u8, Ordering::Relaxed);
        }
    }

    /// Something was sent.
    pub(crate) fn touch(&self) {
        self.entry.since_ms.store(self.table.0.coarse_ms.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// The TLS handshake is done; the time for the head begins.
    pub(crate) fn shook_hands(&self) {
        self.enter_phase(Phase::Head);
    }

    /// A request's head is complete.
    pub(crate) fn works(&self) {
        self.enter_phase(Phase::Working);
    }

    /// The answer begins.
    pub(crate) fn answers(&self, is_upgrade: bool) {
        self.entry.was_answered.store(true, Ordering::Relaxed);
        self.enter_phase(if is_upgrade { Phase::Upgraded } else { Phase::Answered });
    }

    /// Nothing more will be sent.
    pub(crate) fn ends(&self) {
        self.enter_phase(Phase::Ending);
    }

    /// Whether this connection was told to close. Registers the reader to be woken when it is.
    pub(crate) fn is_closed_for_reader(&self, context: &Context<'_>) -> bool {
        self.entry.reader.register(context.waker());
        self.entry.is_closed.load(Ordering::Acquire)
    }

    /// The same for the writer.
    pub(crate) fn is_closed_for_writer(&self, context: &Context<'_>) -> bool {
        self.entry.writer.register(context.waker());
        self.entry.is_closed.load(Ordering::Acquire)
    }

    fn enter_phase(&self, phase: Phase) {
        self.touch();
        self.entry.phase.store(phase as u8, Ordering::Relaxed);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut entries = self.table.entries();
        if let Some(index) = entries.iter().position(|entry| Arc::ptr_eq(entry, &self.entry)) {
            entries.remove(index);
        }
        drop(entries);
        self.table.0.descriptors.fetch_sub(1, Ordering::Release);
        self.table.0.freed.notify_one();
    }
}

impl Entry {
    fn phase(&self) -> Phase {
        Phase::from_u8(self.phase.load(Ordering::Relaxed))
    }

    fn view(&self) -> View {
        View {
            peer: self.peer,
            phase: self.phase(),
            was_answered: self.was_answered.load(Ordering::Relaxed),
            since_ms: self.since_ms.load(Ordering::Relaxed),
        }
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.reader.wake();
        self.writer.wake();
    }
}
