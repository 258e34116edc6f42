//! The latch file and the thread that writes it, in virtual time: slow, failing and torn writes.
//!
//! The bytes are encoded and read back by the agent's own code; what is modelled is the disk.

use std::collections::VecDeque;

use agent_core::latch::{FILE_LEN, LatchFile, LatchRecord, SLOT_LEN, encode, first_file};

use crate::chance::Chance;

/// Between two tries, as in the agent, us.
const RETRY_US: u64 = 100_000;

/// The disk and its writer.
pub(crate) struct Disk {
    chance: Chance,
    bytes: Vec<u8>,
    next_slot: usize,
    waiting: Option<LatchRecord>,
    writing: Option<Write>,
    retry_us: u64,
    results: VecDeque<(u64, bool)>,
    /// Share of writes that fail, percent.
    pub(crate) fail_percent: u64,
    /// Longest time of a write, us.
    pub(crate) slow_us: u64,
}

struct Write {
    record: LatchRecord,
    ends_us: u64,
    fails: bool,
}

/// Longest time of a write while the disk is well, us.
pub(crate) const WRITE_US: u64 = 30_000;

impl Disk {
    /// As the agent leaves it at its first start.
    pub(crate) fn new(chance: Chance) -> Self {
        let mut bytes = [0; FILE_LEN];
        first_file(&mut bytes);
        Self {
            chance,
            next_slot: LatchFile::read(&bytes).next_slot,
            bytes: bytes.to_vec(),
            waiting: None,
            writing: None,
            retry_us: 0,
            results: VecDeque::new(),
            fail_percent: 0,
            slow_us: WRITE_US,
        }
    }

    /// A record to write. A newer one makes one that waits pointless, and ends the pause before a retry.
    pub(crate) fn hand_over(&mut self, now_us: u64, record: LatchRecord) {
        self.waiting = Some(record);
        self.retry_us = now_us;
        self.begin(now_us);
    }

    fn begin(&mut self, now_us: u64) {
        if self.writing.is_some() || now_us < self.retry_us {
            return;
        }
        if let Some(record) = self.waiting {
            let ends_us = now_us + self.chance.between(500, self.slow_us);
            self.writing = Some(Write { record, ends_us, fails: self.chance.percent(self.fail_percent) });
        }
    }

    /// When something happens next.
    pub(crate) fn next_us(&self) -> Option<u64> {
        match (&self.writing, &self.waiting) {
            (Some(write), _) => Some(write.ends_us),
            (None, Some(_)) => Some(self.retry_us),
            (None, None) => None,
        }
    }

    pub(crate) fn advance(&mut self, now_us: u64) {
        if let Some(write) = self.writing.take_if(|write| write.ends_us <= now_us) {
            let slot = slot_of(&write.record);
            // A write that fails may have got some way.
            let len = if write.fails { self.chance.between(0, SLOT_LEN as u64) as usize } else { SLOT_LEN };
            let from = self.next_slot * SLOT_LEN;
            self.bytes[from..from + len].copy_from_slice(&slot[..len]);
            self.results.push_back((write.record.serial, !write.fails));
            if write.fails {
                self.retry_us = now_us + RETRY_US;
            } else {
                self.next_slot = 1 - self.next_slot;
                self.waiting = self.waiting.filter(|waiting| waiting.serial != write.record.serial);
            }
        }
        self.begin(now_us);
    }

    /// What became of a write, as the agent is told.
    pub(crate) fn result(&mut self) -> Option<(u64, bool)> {
        self.results.pop_front()
    }

    pub(crate) fn has_result(&self) -> bool {
        !self.results.is_empty()
    }

    /// Power or process is gone: a write under way has happened, has not, or is torn.
    pub(crate) fn crash(&mut self) {
        if let Some(write) = self.writing.take() {
            let len = self.chance.pick(&[0, SLOT_LEN, SLOT_LEN / 2]);
            let len =
                if len == SLOT_LEN / 2 { self.chance.between(1, SLOT_LEN as u64 - 1) as usize } else { len };
            let from = self.next_slot * SLOT_LEN;
            self.bytes[from..from + len].copy_from_slice(&slot_of(&write.record)[..len]);
        }
        self.waiting = None;
        self.results.clear();
    }

    /// The program ends in order: what waits is written, or refused once more.
    pub(crate) fn finish(&mut self) {
        if let Some(record) = self.waiting.take().filter(|_| !self.chance.percent(self.fail_percent)) {
            let from = self.next_slot * SLOT_LEN;
            self.bytes[from..from + SLOT_LEN].copy_from_slice(&slot_of(&record));
        }
        self.writing = None;
        self.results.clear();
    }

    /// A new run reads the file.
    pub(crate) fn open(&mut self) -> LatchFile {
        let file = LatchFile::read(&self.bytes);
        self.next_slot = file.next_slot;
        file
    }
}

fn slot_of(record: &LatchRecord) -> [u8; SLOT_LEN] {
    let mut slot = [0; SLOT_LEN];
    encode(record, &mut slot);
    slot
}
