//! What waits for the wire: stop replies first, then other answers, then telemetry, then log lines.
//!
//! Bounded without allocation. Answers that do not fit are dropped (the host asks again); telemetry is not queued at
//! all but made from the newest sample when its turn comes, so a slow wire thins it out and never delays an answer.

use firmware_bridge_link::message::{Log, LogEvent, LogLevel, Reply, Stream, TimeReply};

const STOP_REPLIES: usize = 4;
/// The host has four commands under way at most; each may be repeated once before its answer is read.
const REPLIES: usize = 8;
const TIMES: usize = 4;
const LOG_LINES: usize = 4;
/// At most this often a log line.
const LOG_PERIOD_US: u64 = 100_000;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Next {
    Reply(Reply),
    Time(TimeReply),
    Hello,
    Telemetry(Stream),
    Log(Log),
}

#[derive(Debug)]
pub(crate) struct Outbox {
    stop_replies: Ring<Reply, STOP_REPLIES>,
    replies: Ring<Reply, REPLIES>,
    times: Ring<TimeReply, TIMES>,
    hello: bool,
    motion: Subscription,
    senses: Subscription,
    log: Ring<(LogLevel, LogEvent), LOG_LINES>,
    log_dropped: u16,
    log_from_us: u64,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self {
            stop_replies: Ring::new(),
            replies: Ring::new(),
            times: Ring::new(),
            hello: false,
            motion: Subscription::default(),
            senses: Subscription::default(),
            log: Ring::new(),
            log_dropped: 0,
            log_from_us: 0,
        }
    }

    /// Stops come three times back to back; one waiting answer is enough for all of them.
    pub(crate) fn reply_stop(&mut self, reply: Reply) {
        if !self.stop_replies.contains(&reply) {
            self.stop_replies.push(reply);
        }
    }

    pub(crate) fn reply(&mut self, reply: Reply) {
        self.replies.push(reply);
    }

    pub(crate) fn tell_time(&mut self, reply: TimeReply) {
        self.times.push(reply);
    }

    /// However often it was asked for, one Hello answers.
    pub(crate) fn greet(&mut self) {
        self.hello = true;
    }

    pub(crate) fn log(&mut self, level: LogLevel, event: LogEvent) {
        if !self.log.push((level, event)) {
            self.log_dropped = self.log_dropped.saturating_add(1);
        }
    }

    /// `rate_hz` frames a second from the next sample on; none for 0.
    pub(crate) fn subscribe(&mut self, stream: Stream, rate_hz: u8) {
        let subscription = self.subscription(stream);
        subscription.period_us = 1_000_000_u64.checked_div(u64::from(rate_hz)).unwrap_or(0);
        subscription.next_at_us = 0;
    }

    /// Motion goes out at once, subscribed or not.
    pub(crate) fn hurry_motion(&mut self) {
        self.motion.fall_due();
    }

    /// Marks the streams whose time has come. Called when a new sample is there.
    pub(crate) fn sampled(&mut self, now_us: u64) {
        self.motion.tick(now_us);
        self.senses.tick(now_us);
    }

    /// Takes out what is most urgent. `telemetry_ready` is false as long as there is no sample to send.
    pub(crate) fn next(&mut self, now_us: u64, telemetry_ready: bool) -> Option<Next> {
        if let Some(reply) = self.stop_replies.pop().or_else(|| self.replies.pop()) {
            return Some(Next::Reply(reply));
        }
        if let Some(reply) = self.times.pop() {
            return Some(Next::Time(reply));
        }
        if core::mem::take(&mut self.hello) {
            return Some(Next::Hello);
        }
        for stream in [Stream::Motion, Stream::Senses] {
            let subscription = self.subscription(stream);
            if telemetry_ready && subscription.due {
                subscription.due = false;
                return Some(Next::Telemetry(stream));
            }
        }
        if now_us < self.log_from_us {
            return None;
        }
        let (level, event) = self.log.pop()?;
        self.log_from_us = now_us.saturating_add(LOG_PERIOD_US);
        Some(Next::Log(Log { level, event, dropped: core::mem::take(&mut self.log_dropped) }))
    }

    /// Sequence number for the next frame of a stream. Gaps are frames that the wire was too slow for.
    pub(crate) fn next_seq(&mut self, stream: Stream) -> u8 {
        self.subscription(stream).advance()
    }

    fn subscription(&mut self, stream: Stream) -> &mut Subscription {
        match stream {
            Stream::Motion => &mut self.motion,
            Stream::Senses => &mut self.senses,
        }
    }
}

#[derive(Debug, Default)]
struct Subscription {
    /// 0: not subscribed.
    period_us: u64,
    next_at_us: u64,
    due: bool,
    seq: u8,
}

impl Subscription {
    fn tick(&mut self, now_us: u64) {
        if self.period_us == 0 || now_us < self.next_at_us {
            return;
        }
        self.fall_due();
        // The rate is kept over late samples, but frames missed in a pause are not made up for.
        let next_us = self.next_at_us.saturating_add(self.period_us);
        self.next_at_us = if next_us > now_us { next_us } else { now_us.saturating_add(self.period_us) };
    }

    fn fall_due(&mut self) {
        if self.due {
            self.advance();
        }
        self.due = true;
    }

    fn advance(&mut self) -> u8 {
        let seq = self.seq;
        self.seq = seq.wrapping_add(1);
        seq
    }
}

/// A first-in, first-out queue of fixed size.
#[derive(Debug)]
struct Ring<T, const N: usize> {
    slots: [Option<T>; N],
    first: usize,
    len: usize,
}

impl<T: Copy + PartialEq, const N: usize> Ring<T, N> {
    fn new() -> Self {
        Self { slots: [None; N], first: 0, len: 0 }
    }

    /// False when it is full; the item is dropped then.
    fn push(&mut self, item: T) -> bool {
        if self.len == N {
            return false;
        }
        self.slots[(self.first + self.len) % N] = Some(item);
        self.len += 1;
        true
    }

    fn pop(&mut self) -> Option<T> {
        let item = self.slots[self.first].take()?;
        self.first = (self.first + 1) % N;
        self.len -= 1;
        Some(item)
    }

    fn contains(&self, item: &T) -> bool {
        self.slots.iter().flatten().any(|slot| slot == item)
    }
}
