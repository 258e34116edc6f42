//! Which connection goes when there are too many, and which took too long. Pure.

use std::net::IpAddr;
use std::time::Duration;

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
pub(super) const YOUNG_MS: u64 = 100;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
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
    pub(super) fn from_u8(value: u8) -> Self {
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

/// What the choice of a victim looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) peer: IpAddr,
    pub(super) phase: Phase,
    pub(super) was_answered: bool,
    pub(super) since_ms: u64,
}

impl View {
    /// Came just now and has not asked anything yet.
    fn is_young(&self, now_ms: u64) -> bool {
        let is_silent = matches!(self.phase, Phase::Fresh | Phase::Head) && !self.was_answered;
        is_silent && now_ms.saturating_sub(self.since_ms) < YOUNG_MS
    }
}

pub(super) fn is_overdue(view: View, limits: &ConnectionLimits, now_ms: u64) -> bool {
    let rested = Duration::from_millis(now_ms.saturating_sub(view.since_ms));
    match view.phase {
        Phase::Fresh | Phase::Head => rested > limits.head,
        Phase::Answered => rested > limits.idle,
        // A handler keeps its own deadlines; the end of a connection is timed where it is read out.
        Phase::Working | Phase::Upgraded | Phase::Ending => false,
    }
}

/// Which connection goes when one from `peer` comes: none while there is room.
pub(super) fn victim(views: &[View], peer: IpAddr, limits: &ConnectionLimits, now_ms: u64) -> Option<usize> {
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
pub(super) fn surplus(views: &[View], limits: &ConnectionLimits, now_ms: u64) -> Option<usize> {
    let count = |peer| views.iter().filter(|view| view.peer == peer).count();
    let peer = views.iter().map(|view| view.peer).find(|peer| count(*peer) > limits.per_peer_max)?;
    let own = views.iter().enumerate().filter(|(_, view)| view.peer == peer);
    least(own, Some(peer), now_ms).filter(|index| !views[*index].is_young(now_ms))
}

/// The connection that matters least: the oldest that never finished a request (of `peer` first), else the longest
/// idle. One whose request is being handled goes only when there is no other; a fresh one last, since it may carry an
/// e-stop that nobody has read yet.
pub(super) fn least<'a>(
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
