//! The e-stop's latch file: two slots of 4 KiB with a checksum, written alternately. Bytes only, never a file handle.
//!
//! Two slots are the classic ping-pong record (as in wear-levelled parameter stores): a torn write can only damage the slot
//! that was being written. What cannot be read counts as latched, because a damaged slot may have been an e-stop.

use crc::{CRC_32_ISCSI, Crc};

use crate::caller::{Label, label};

/// Bytes of one slot: a page, so that a write touches no byte of the other slot.
pub const SLOT_LEN: usize = 4096;

/// Slots in the file.
pub const SLOTS: usize = 2;

/// Bytes of the file. It has them from the first start on, so that a full disk cannot refuse a write.
pub const FILE_LEN: usize = SLOT_LEN * SLOTS;

const MAGIC: [u8; 8] = *b"RBLATCH1";
const CRC_AT: usize = SLOT_LEN - 4;
const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// What one slot says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatchRecord {
    /// Rises with every record, over restarts too: the newest wins.
    pub serial: u64,
    /// The e-stop is latched.
    pub latched: bool,
    /// Its epoch, or the newest one when it is clear.
    pub epoch: u32,
    /// In the words of whoever pressed it.
    pub reason: Label,
    /// Who: a token's name, an address, `mcu`, `file`.
    pub source: Label,
}

/// What was found at start.
#[expect(clippy::large_enum_variant, reason = "read once at start, and nothing here may allocate")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loaded {
    /// Not latched, or the robot's first start.
    Clear {
        /// Serial of the newest record, 0 without one.
        serial: u64,
        /// The newest epoch, 0 without one.
        epoch: u32,
    },
    /// Latched.
    Latched(LatchRecord),
    /// Torn or damaged: counts as latched.
    Unreadable {
        /// Serial of the newest record that could be read, 0 without one.
        serial: u64,
        /// Epoch to latch with: one above the newest that could be read, since the damaged record may have been an e-stop.
        epoch: u32,
    },
}

/// What a file holds, and where the next record goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatchFile {
    /// What it says.
    pub loaded: Loaded,
    /// Slot for the next write; afterwards the other one, and so on.
    pub next_slot: usize,
}

impl LatchFile {
    /// Reads a file. Any length and any bytes give an answer; what is not whole counts as latched.
    pub fn read(bytes: &[u8]) -> Self {
        let (first, second) = bytes.split_at_checked(SLOT_LEN).unwrap_or((bytes, &[]));
        let slots = [decode(first), decode(second)];
        let newest = slots
            .iter()
            .enumerate()
            .filter_map(|(index, record)| record.map(|record| (index, record)))
            .max_by_key(|(_, record)| record.serial);
        // A first start fills both slots, so one that cannot be read has lost what it said.
        let is_whole = bytes.len() == FILE_LEN && slots.iter().all(Option::is_some);
        let loaded = match newest {
            Some((_, record)) if is_whole && record.latched => Loaded::Latched(record),
            Some((_, record)) if is_whole => Loaded::Clear { serial: record.serial, epoch: record.epoch },
            _ => Loaded::Unreadable {
                serial: newest.map_or(0, |(_, record)| record.serial),
                epoch: newest.map_or(0, |(_, record)| record.epoch).saturating_add(1),
            },
        };
        // The newest readable record is overwritten last.
        Self { loaded, next_slot: newest.map_or(0, |(index, _)| 1 - index) }
    }
}

/// The file of a robot that never ran: both slots say clear.
pub fn first_file(file: &mut [u8; FILE_LEN]) {
    let (slots, _) = file.as_chunks_mut::<SLOT_LEN>();
    for (serial, slot) in (1..).zip(slots) {
        let clear =
            LatchRecord { serial, latched: false, epoch: 0, reason: Label::new(), source: Label::new() };
        encode(&clear, slot);
    }
}

/// Fills a whole slot with `record`, checksum included.
pub fn encode(record: &LatchRecord, slot: &mut [u8; SLOT_LEN]) {
    slot.fill(0);
    let mut writer = Writer { slot, at: 0 };
    writer.put(&MAGIC);
    writer.put(&record.serial.to_le_bytes());
    writer.put(&record.epoch.to_le_bytes());
    writer.put(&[u8::from(record.latched)]);
    writer.put_label(&record.reason);
    writer.put_label(&record.source);
    let crc = CRC32C.checksum(&slot[..CRC_AT]);
    slot[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
}

/// Reads a slot; `None` when one byte of it is not as it was written.
fn decode(slot: &[u8]) -> Option<LatchRecord> {
    if slot.len() != SLOT_LEN {
        return None;
    }
    let (body, crc) = slot.split_at_checked(CRC_AT)?;
    if crc != CRC32C.checksum(body).to_le_bytes() {
        return None;
    }
    let mut reader = Reader { rest: body };
    if *reader.take::<8>()? != MAGIC {
        return None;
    }
    Some(LatchRecord {
        serial: u64::from_le_bytes(*reader.take()?),
        epoch: u32::from_le_bytes(*reader.take()?),
        latched: match reader.take::<1>()? {
            [0] => false,
            [1] => true,
            _ => return None,
        },
        reason: reader.take_label()?,
        source: reader.take_label()?,
    })
}

struct Writer<'a> {
    slot: &'a mut [u8; SLOT_LEN],
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.slot[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn put_label(&mut self, text: &Label) {
        // A label's capacity is below 256, so its length fits.
        self.put(&[u8::try_from(text.len()).unwrap_or(u8::MAX)]);
        self.put(text.as_bytes());
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take<const LEN: usize>(&mut self) -> Option<&'a [u8; LEN]> {
        let (head, rest) = self.rest.split_first_chunk::<LEN>()?;
        self.rest = rest;
        Some(head)
    }

    fn take_label(&mut self) -> Option<Label> {
        let [len] = *self.take::<1>()?;
        let (text, rest) = self.rest.split_at_checked(usize::from(len))?;
        self.rest = rest;
        std::str::from_utf8(text).ok().map(label)
    }
}
