//! One direction of the serial line: latency, and everything that can happen to bytes on their way.

use std::collections::VecDeque;

use crate::chance::Chance;

/// What happens to bytes. All zero: nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spoil {
    /// Share of bytes with one flipped bit, per million.
    pub(crate) flip_ppm: u64,
    /// Share of bytes left out, per million.
    pub(crate) drop_ppm: u64,
    /// Share of bytes that come twice, per million.
    pub(crate) double_ppm: u64,
    /// Share of chunks that come twice, percent.
    pub(crate) double_chunk_percent: u64,
    /// Share of chunks that are overtaken by later ones, percent.
    pub(crate) swap_percent: u64,
}

struct Chunk {
    at_us: u64,
    bytes: Vec<u8>,
}

/// One direction.
pub(crate) struct Line {
    chance: Chance,
    chunks: VecDeque<Chunk>,
    newest_us: u64,
    stalled_until_us: u64,
    latency_us: u64,
    pub(crate) jitter_us: u64,
    pub(crate) spoil: Spoil,
}

impl Line {
    pub(crate) fn new(chance: Chance, latency_us: u64, jitter_us: u64) -> Self {
        Self {
            chance,
            chunks: VecDeque::new(),
            newest_us: 0,
            stalled_until_us: 0,
            latency_us,
            jitter_us,
            spoil: Spoil::default(),
        }
    }

    /// Longest that a frame which left is under way while nothing is stalled or swapped, us.
    pub(crate) fn longest_us(&self) -> u64 {
        self.latency_us + self.jitter_us + SPLIT_US
    }

    /// Bytes whose last one leaves the sender at `leaves_us`.
    pub(crate) fn send(&mut self, leaves_us: u64, bytes: &[u8]) {
        let bytes = self.spoiled(bytes);
        let copies = if self.chance.percent(self.spoil.double_chunk_percent) { 2 } else { 1 };
        for _ in 0..copies {
            // Some drivers hand a frame over in two pieces.
            let cut =
                if self.chance.percent(20) { self.chance.between(0, bytes.len() as u64) as usize } else { 0 };
            let pause_us = if cut > 0 { self.chance.between(0, SPLIT_US) } else { 0 };
            self.put(leaves_us, bytes[..cut].to_vec());
            self.put(leaves_us + pause_us, bytes[cut..].to_vec());
        }
    }

    fn put(&mut self, leaves_us: u64, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let mut at_us = leaves_us + self.latency_us + self.chance.between(0, self.jitter_us);
        if self.chance.percent(self.spoil.swap_percent) {
            at_us += self.chance.ms(1, 30);
        } else {
            at_us = at_us.max(self.newest_us);
            self.newest_us = at_us;
        }
        let place = self.chunks.partition_point(|chunk| chunk.at_us <= at_us);
        self.chunks.insert(place, Chunk { at_us, bytes });
    }

    fn spoiled(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 4);
        for &byte in bytes {
            if self.chance.ppm(self.spoil.drop_ppm) {
                continue;
            }
            let flipped =
                if self.chance.ppm(self.spoil.flip_ppm) { 1 << self.chance.between(0, 7) } else { 0 };
            out.push(byte ^ flipped);
            if self.chance.ppm(self.spoil.double_ppm) {
                out.push(byte ^ flipped);
            }
        }
        out
    }

    /// Nothing arrives before `until_us`; then everything at once.
    pub(crate) fn stall(&mut self, until_us: u64) {
        self.stalled_until_us = until_us;
    }

    /// Whatever is under way is lost.
    pub(crate) fn cut(&mut self) {
        self.chunks.clear();
    }

    /// When the next bytes arrive.
    pub(crate) fn next_us(&self) -> Option<u64> {
        self.chunks.front().map(|chunk| chunk.at_us.max(self.stalled_until_us))
    }

    /// The next bytes that have arrived.
    pub(crate) fn arrived(&mut self, now_us: u64) -> Option<Vec<u8>> {
        (self.next_us()? <= now_us).then(|| self.chunks.pop_front()).flatten().map(|chunk| chunk.bytes)
    }
}

/// Longest time between the two pieces of a frame, us.
const SPLIT_US: u64 = 400;
