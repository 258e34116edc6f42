//! The table of open connections: how many there may be, which one goes for a new one, and which took too long.
//!
//! Nothing is done per request beyond a few relaxed stores; deadlines are kept by one sweep over the table.
//! A connection is closed by waking whoever reads or writes it, so this also reaches upgraded ones.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

/// How many connections there may be, and how long each may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at once.
    pub total_max: usize,
    /// Connections from one address (an IPv6 host's /64) at once.
    pub per_peer_max: usize,
    /// Time for a TLS handshake, and then for a request's head.
    pub head: Duration,
    /// Time that a connection may rest between requests.
    pub idle: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { total_max: 512, per_peer_max: 64, head: Duration::from_secs(3), idle: Duration::from_secs(60) }
    }
}

/// A request that is being handled for less than this is never cut off while another connection can be.
const WORKING_MS: u64 = 1000;

/// A silent connection younger than this is spared while the whole table has room: between connecting and asking a
/// client may lose some milliseconds, and a flood from the same address brings 64 others in less.
const YOUNG_MS: u64 = 100;

/// Connections told to close whose descriptors are not free yet; beyond that no new one is accepted.
const CLOSING_MAX: usize = 64;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// Accepted; nobody has looked yet whether it sent something.
    Fresh,
    /// In its TLS handshake or the head of a request.
    Head,
    /// A request is being handled.
    Working,
    /// The answer has begun: resting, or still streaming it.
    Answered,
    /// No HTTP any more: a WebSocket. Its owner keeps its deadlines.
    Upgraded,
    /// We have said our last word.
    Ending,
}

impl Phase {
    fn from_u8(value: u8) -> Self {
        match value {
            0 => Self::Fresh,
            1 => Self::Head,
            2 => Self::Working,
            3 => Self::Answered,
            4 => Self::Upgraded,
            _ => Self::Ending,
        }
    }
}

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

/// What the choice of a victim looks at.
#[derive(Clone, Copy, Debug)]
struct View {
    peer: IpAddr,
    phase: Phase,
    was_answered: bool,
    since_ms: u64,
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

impl View {
    /// Came just now and has not asked anything yet.
    fn is_young(&self, now_ms: u64) -> bool {
        let is_silent = matches!(self.phase, Phase::Fresh | Phase::Head) && !self.was_answered;
        is_silent && now_ms.saturating_sub(self.since_ms) < YOUNG_MS
    }
}

fn is_overdue(view: View, limits: &ConnectionLimits, now_ms: u64) -> bool {
    let rested = Duration::from_millis(now_ms.saturating_sub(view.since_ms));
    match view.phase {
        Phase::Fresh | Phase::Head => rested > limits.head,
        Phase::Answered => rested > limits.idle,
        // A handler keeps its own deadlines; the end of a connection is timed where it is read out.
        Phase::Working | Phase::Upgraded | Phase::Ending => false,
    }
}

/// Which connection goes when one from `peer` comes: none while there is room.
fn victim(views: &[View], peer: IpAddr, limits: &ConnectionLimits, now_ms: u64) -> Option<usize> {
    let from_peer = views.iter().filter(|view| view.peer == peer).count();
    if from_peer >= limits.per_peer_max {
        let own = views.iter().enumerate().filter(|(_, view)| view.peer == peer);
        let index = least(own, Some(peer), now_ms)?;
        if views.len() >= limits.total_max || !views[index].is_young(now_ms) {
            return Some(index);
        }
        return None;
    }
    if views.len() >= limits.total_max { least(views.iter().enumerate(), Some(peer), now_ms) } else { None }
}

/// A connection of a peer that has too many, once it is not spared for being young any more.
fn surplus(views: &[View], limits: &ConnectionLimits, now_ms: u64) -> Option<usize> {
    let count = |peer| views.iter().filter(|view| view.peer == peer).count();
    let peer = views.iter().map(|view| view.peer).find(|peer| count(*peer) > limits.per_peer_max)?;
    let own = views.iter().enumerate().filter(|(_, view)| view.peer == peer);
    least(own, Some(peer), now_ms).filter(|index| !views[*index].is_young(now_ms))
}

/// The connection that matters least: the oldest that never finished a request (of `peer` first), else the longest
/// idle. One whose request is being handled goes only when there is no other; a fresh one last, since it may carry an
/// e-stop that nobody has read yet.
fn least<'a>(
    views: impl Iterator<Item = (usize, &'a View)>,
    peer: Option<IpAddr>,
    now_ms: u64,
) -> Option<usize> {
    let rank = |view: &View| {
        let is_of_peer = Some(view.peer) == peer;
        let is_held_up = now_ms.saturating_sub(view.since_ms) >= WORKING_MS;
        match view.phase {
            Phase::Ending => 0,
            Phase::Head if !view.was_answered => 1 + u8::from(!is_of_peer),
            Phase::Working if !view.was_answered && is_held_up => 3 + u8::from(!is_of_peer),
            Phase::Head | Phase::Answered | Phase::Upgraded => 5,
            Phase::Working => 6,
            Phase::Fresh => 7 + u8::from(!is_of_peer),
        }
    };
    // Views stand in the order of arrival, and `min_by_key` takes the first of equals.
    let key = |view: &View| {
        let rank = rank(view);
        (rank, if rank == 5 { view.since_ms } else { 0 })
    };
    views.min_by_key(|(_, view)| key(view)).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ConnectionLimits = ConnectionLimits {
        total_max: 4,
        per_peer_max: 2,
        head: Duration::from_secs(3),
        idle: Duration::from_secs(60),
    };
    const NOW_MS: u64 = 100_000;

    fn view(peer: u8, phase: Phase, was_answered: bool, since_ms: u64) -> View {
        View { peer: IpAddr::from([127, 0, 0, peer]), phase, was_answered, since_ms }
    }

    fn silent(peer: u8) -> View {
        view(peer, Phase::Head, false, NOW_MS - 100)
    }

    fn idle(peer: u8, since_ms: u64) -> View {
        view(peer, Phase::Answered, true, since_ms)
    }

    fn check(views: &[View], peer: u8, expected: Option<usize>) {
        assert_eq!(victim(views, IpAddr::from([127, 0, 0, peer]), &LIMITS, NOW_MS), expected, "{views:?}");
    }

    #[test]
    fn silent_connections_go_first() {
        // At a limit the oldest connection without a finished request goes, of the same peer first.
        check(&[], 1, None);
        check(&[silent(1)], 1, None);
        check(&[silent(1), silent(1)], 1, Some(0));
        check(&[idle(1, 5), silent(1)], 1, Some(1));
        check(&[silent(2), idle(1, 5), idle(1, 4)], 1, Some(2));
        check(&[silent(1), silent(2), silent(3), silent(4)], 3, Some(2));
        check(&[silent(1), silent(2), silent(3), silent(4)], 5, Some(0));
        check(&[idle(1, 9), idle(2, 3), idle(3, 5), silent(4)], 5, Some(3));
    }

    #[test]
    fn then_the_longest_idle() {
        // Where every connection has finished a request, the one idle for longest goes; a used WebSocket is not idle.
        check(&[idle(1, 9), idle(2, 3), idle(3, 5), idle(4, 7)], 5, Some(1));
        let socket = view(1, Phase::Upgraded, true, NOW_MS);
        check(&[socket, idle(2, 3), idle(3, 5), idle(4, 2)], 5, Some(3));
        check(&[socket, view(1, Phase::Head, true, 4)], 1, Some(1));
    }

    #[test]
    fn a_request_at_work_is_spared() {
        // An e-stop that is being handled, or that nobody has read yet, does not fall to connections behind it.
        let estop = view(1, Phase::Working, false, NOW_MS - 50);
        let unread = view(1, Phase::Fresh, false, NOW_MS);
        check(&[estop, silent(1)], 1, Some(1));
        check(&[estop, idle(1, 3)], 1, Some(1));
        check(&[unread, silent(1)], 1, Some(1));
        check(&[unread, estop], 1, Some(1));
        let held_back = view(1, Phase::Working, false, NOW_MS - 2000);
        check(&[idle(1, 3), held_back], 1, Some(1));
    }

    #[test]
    fn the_young_are_spared_while_there_is_room() {
        // Of a flood from one address those of the last moment stay, as long as the whole table is not full.
        let young = view(1, Phase::Head, false, NOW_MS - 5);
        check(&[young, young], 1, None);
        check(&[silent(1), young, young], 1, Some(0));
        check(&[young, young, young, young], 1, Some(0));
        check(&[idle(1, 5), young], 1, None);
        assert_eq!(surplus(&[young, young, young], &LIMITS, NOW_MS), None);
        assert_eq!(surplus(&[silent(2), silent(1), silent(1), young], &LIMITS, NOW_MS), Some(1));
        assert_eq!(surplus(&[silent(2), silent(1), silent(1)], &LIMITS, NOW_MS), None);
    }

    #[test]
    fn deadlines_follow_what_a_connection_does() {
        // 3 s for a head, 60 s between requests, none while a request is handled or for a WebSocket.
        let overdue = |phase, age_ms| is_overdue(view(1, phase, true, NOW_MS - age_ms), &LIMITS, NOW_MS);
        assert!(!overdue(Phase::Head, 3000) && overdue(Phase::Head, 3001));
        assert!(!overdue(Phase::Fresh, 3000) && overdue(Phase::Fresh, 3001));
        assert!(!overdue(Phase::Answered, 60_000) && overdue(Phase::Answered, 60_001));
        assert!(!overdue(Phase::Working, 90_000) && !overdue(Phase::Upgraded, 90_000));
    }
}
