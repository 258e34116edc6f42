//! When the MCU is asked for its time, and which answer belongs to which question.
//!
//! Eight exchanges right after the handshake, so that arming need not wait; then Klipper's schedule: 4 Hz for 10 s,
//! then every 0.9839 s, an unusual time so that it does not resonate with anything else. A request is never repeated:
//! an answer always tells which sending it belongs to.

use firmware_bridge_link::message::{TimeReply, TimeRequest};

use crate::clock::Exchange;

/// Exchanges of the first sync.
pub(crate) const BURST: u32 = 8;
/// A lost exchange of the first sync is replaced after this long at least and at most, us.
const REPLACE_US: std::ops::RangeInclusive<u64> = 5_000..=20_000;
/// Pace after the first sync, and how long it lasts, us.
const QUICK_PERIOD_US: u64 = 250_000;
const QUICK_FOR_US: u64 = 10_000_000;
/// Pace for good, us.
const PERIOD_US: u64 = 983_900;
/// Requests that may be under way at a time; older ones are given up.
const UNDER_WAY: usize = 4;

/// The schedule, and the questions that wait for their answer.
#[derive(Clone, Debug)]
pub(crate) struct Sync {
    us_per_byte: f64,
    burst_left: u32,
    quick_until_us: u64,
    next_us: Option<u64>,
    under_way: [Option<Sent>; UNDER_WAY],
    newest: usize,
    last_stamp_us: u64,
    least_rtt_us: u64,
    lost: u32,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    stamp_us: u64,
    at_us: u64,
    wire_us: u64,
}

impl Sync {
    pub(crate) fn new(baud: u32) -> Self {
        Self {
            us_per_byte: 10e6 / f64::from(baud.max(1)),
            burst_left: 0,
            quick_until_us: 0,
            next_us: None,
            under_way: [None; UNDER_WAY],
            newest: 0,
            last_stamp_us: 0,
            least_rtt_us: *REPLACE_US.end(),
            lost: 0,
        }
    }

    /// Begins with a first sync at once.
    pub(crate) fn start(&mut self, now_us: u64) {
        self.stop();
        self.burst_left = BURST;
        self.quick_until_us = now_us + QUICK_FOR_US;
        self.next_us = Some(now_us);
    }

    /// Asks no more; answers that still come are for nobody.
    pub(crate) fn stop(&mut self) {
        self.next_us = None;
        self.under_way = [None; UNDER_WAY];
        self.least_rtt_us = *REPLACE_US.end();
    }

    /// When the next request has to go out, host us.
    pub(crate) fn next_us(&self) -> Option<u64> {
        self.next_us
    }

    /// Requests that had no answer.
    pub(crate) fn lost(&self) -> u32 {
        self.lost
    }

    /// The request that is due, if one is. [`Sync::sent`] has to follow.
    pub(crate) fn take(&mut self, now_us: u64) -> Option<TimeRequest> {
        if self.next_us? > now_us {
            return None;
        }
        // The stamp is what an answer is matched by, so no two may be equal.
        self.last_stamp_us = now_us.max(self.last_stamp_us + 1);
        Some(TimeRequest { host_us: self.last_stamp_us })
    }

    /// The request with this many bytes goes out now.
    pub(crate) fn sent(&mut self, now_us: u64, frame_len: usize) {
        self.newest = (self.newest + 1) % UNDER_WAY;
        let given_up = self.under_way[self.newest].replace(Sent {
            stamp_us: self.last_stamp_us,
            at_us: now_us,
            wire_us: self.wire_us(frame_len),
        });
        self.lost = self.lost.saturating_add(u32::from(given_up.is_some()));
        let pause_us = if self.burst_left > 0 {
            (4 * self.least_rtt_us).clamp(*REPLACE_US.start(), *REPLACE_US.end())
        } else if now_us < self.quick_until_us {
            QUICK_PERIOD_US
        } else {
            PERIOD_US
        };
        self.next_us = Some(now_us + pause_us);
    }

    /// The exchange that this answer ends; `None` when nobody asked, or it was answered before.
    pub(crate) fn answered(&mut self, now_us: u64, reply: &TimeReply) -> Option<Exchange> {
        let matches = |sent: &Sent| sent.stamp_us == reply.host_us;
        let place = self.under_way.iter_mut().find(|sent| sent.as_ref().is_some_and(matches))?;
        let sent = place.take()?;
        let exchange = Exchange {
            sent_us: sent.at_us,
            received_us: now_us,
            mcu_us: reply.mcu_us,
            wire_out_us: sent.wire_us,
            // The reply is the request with one more number in it.
            wire_back_us: sent.wire_us + self.wire_us(varint_len(reply.mcu_us)),
        };
        self.least_rtt_us = self.least_rtt_us.min(exchange.rtt_us());
        if self.burst_left > 0 {
            self.burst_left -= 1;
            self.next_us = Some(if self.burst_left > 0 { now_us } else { now_us + QUICK_PERIOD_US });
        }
        Some(exchange)
    }

    fn wire_us(&self, bytes: usize) -> u64 {
        (bytes as f64 * self.us_per_byte) as u64
    }
}

/// Bytes that postcard needs for a number: seven bits in each.
fn varint_len(number: u64) -> usize {
    (64 - number.leading_zeros()).max(1).div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Drives the schedule in steps of 100 us against an MCU that answers after `rtt_us`, or not at all when `lose`
    /// says so of the request's number; the times of the requests, us.
    fn requests_us(until_us: u64, rtt_us: u64, lose: fn(usize) -> bool) -> Vec<u64> {
        let mut sync = Sync::new(921_600);
        let mut requests = Vec::new();
        let mut answers: Vec<(u64, TimeReply)> = Vec::new();
        sync.start(0);
        for now_us in (0..until_us).step_by(100) {
            if let Some(request) = sync.take(now_us) {
                sync.sent(now_us, 17);
                if !lose(requests.len()) {
                    answers.push((now_us + rtt_us, TimeReply { host_us: request.host_us, mcu_us: now_us }));
                }
                requests.push(now_us);
            }
            for (_, reply) in answers.iter().filter(|(at_us, _)| *at_us == now_us) {
                assert!(sync.answered(now_us, reply).is_some());
                assert!(sync.answered(now_us, reply).is_none(), "a duplicate counts once");
            }
        }
        requests
    }

    #[test]
    fn the_first_sync_is_eight_exchanges_with_no_pause_between() {
        let requests = requests_us(200_000, 500, |_| false);
        assert_eq!(requests, (0..8).map(|n| n * 600).collect::<Vec<_>>());
    }

    #[test]
    fn a_lost_exchange_is_replaced_within_20_ms() {
        let requests = requests_us(200_000, 500, |n| n == 0 || n == 3);
        assert_eq!(requests.len(), 10);
        assert!(requests.windows(2).all(|pair| pair[1] - pair[0] <= 20_000), "{requests:?}");
    }

    #[test]
    fn then_4_hz_for_ten_seconds_then_every_0_9839_s() {
        let requests = requests_us(20_000_000, 500, |_| false);
        let pauses: Vec<u64> = requests[8..].windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(pauses[0], 250_000);
        assert_eq!(pauses[pauses.len() - 1], 983_900);
        assert_eq!(requests.iter().filter(|us| **us < 10_000_000).count(), 8 + 39);
    }

    #[test]
    fn an_answer_that_nobody_asked_for_is_ignored() {
        let mut sync = Sync::new(921_600);
        sync.start(0);
        assert!(sync.answered(10, &TimeReply { host_us: 0, mcu_us: 5 }).is_none());
    }

    #[test]
    fn an_exchange_tells_how_long_its_bytes_were_on_the_wire() {
        let mut sync = Sync::new(115_200);
        sync.start(1_000);
        let request = sync.take(1_000).unwrap();
        sync.sent(1_000, 18);
        let exchange =
            sync.answered(5_000, &TimeReply { host_us: request.host_us, mcu_us: 1 << 30 }).unwrap();
        // Ten bits a byte; the reply is five bytes longer.
        assert_eq!((exchange.wire_out_us, exchange.wire_back_us), (1_562, 1_562 + 434));
        assert_eq!(exchange.rtt_us(), 4_000);
    }

    #[track_caller]
    fn check(number: u64, want: usize) {
        assert_eq!(varint_len(number), want, "{number}");
    }

    #[test]
    fn a_number_takes_a_byte_for_each_seven_bits() {
        check(0, 1);
        check(127, 1);
        check(128, 2);
        check(u64::MAX, 10);
    }
}
