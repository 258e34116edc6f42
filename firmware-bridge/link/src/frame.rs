//! Frames: `0x00 | COBS( class:1 seq:1 body crc32c:4 LE ) | 0x00`.
//!
//! The checksum is CRC-32C: it finds every error of up to five flipped bits in frames of this size, and any odd number
//! of them. The decoder takes one byte at a time, never fails for good and finds its way back at the next delimiter:
//! a damaged byte costs at most two frames. It never looks into a body.

use core::fmt;

use crc::{CRC_32_ISCSI, Crc, Table};
use serde::Serialize;

/// Most bytes between the delimiters before COBS: class, sequence number, body and checksum.
pub const PAYLOAD_MAX: usize = 240;
/// Most bytes of body.
pub const BODY_MAX: usize = PAYLOAD_MAX - HEADER - CHECKSUM;
/// Most bytes a frame adds to its body: two delimiters, one byte of COBS, header and checksum.
pub const OVERHEAD_MAX: usize = 2 + 1 + HEADER + CHECKSUM;
/// Most bytes of one frame on the wire, delimiters included.
pub const FRAME_MAX: usize = BODY_MAX + OVERHEAD_MAX;

const HEADER: usize = 2;
const CHECKSUM: usize = 4;
const DELIMITER: u8 = 0;

/// 16 tables (16 KiB) for speed on Linux, one (1 KiB) where flash is scarce.
#[cfg(not(target_os = "none"))]
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
#[cfg(target_os = "none")]
static CRC32C: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISCSI);

/// What a frame carries. The values are on the wire and never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Class {
    /// To the MCU: [`Setpoint`](crate::message::Setpoint).
    Setpoint = 1,
    /// To the MCU: [`CommandFrame`](crate::message::CommandFrame).
    Command = 2,
    /// To the MCU: [`StopFrame`](crate::message::StopFrame).
    Stop = 3,
    /// To the host: [`Telemetry`](crate::message::Telemetry), one sequence per stream.
    Telemetry = 4,
    /// To the host: [`Log`](crate::message::Log).
    Log = 5,
    /// [`HelloRequest`](crate::message::HelloRequest) to the MCU, [`Hello`](crate::message::Hello) to the host.
    Hello = 6,
    /// [`TimeRequest`](crate::message::TimeRequest) to the MCU, [`TimeReply`](crate::message::TimeReply) to the host.
    Time = 7,
    /// To the host: [`Reply`](crate::message::Reply).
    Reply = 8,
}

impl Class {
    /// The class with this value on the wire, if there is one.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Setpoint,
            2 => Self::Command,
            3 => Self::Stop,
            4 => Self::Telemetry,
            5 => Self::Log,
            6 => Self::Hello,
            7 => Self::Time,
            8 => Self::Reply,
            _ => return None,
        })
    }
}

/// One encoded frame, ready for the wire.
#[derive(Clone)]
pub struct FrameBuf {
    bytes: [u8; FRAME_MAX],
    len: usize,
}

impl FrameBuf {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; FRAME_MAX], len: 0 }
    }

    /// The frame with both delimiters; empty when nothing was encoded.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.len = 0;
    }
}

impl Default for FrameBuf {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FrameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameBuf({:02x?})", self.as_bytes())
    }
}

/// The body was longer than [`BODY_MAX`] or is of a type postcard cannot write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError;

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "body does not fit a frame of {BODY_MAX} bytes")
    }
}

impl core::error::Error for EncodeError {}

/// Writes one frame into `frame`, replacing what was there. After an error `frame` is empty.
///
/// # Errors
/// When the body does not fit; no message of this crate can cause it.
pub fn encode(class: Class, seq: u8, body: &impl Serialize, frame: &mut FrameBuf) -> Result<(), EncodeError> {
    frame.clear();
    let mut payload = [0_u8; PAYLOAD_MAX];
    payload[0] = class as u8;
    payload[1] = seq;
    let written = postcard::to_slice(body, &mut payload[HEADER..HEADER + BODY_MAX]).map_err(drop_detail)?;
    let end = HEADER + written.len();
    let checksum = CRC32C.checksum(&payload[..end]).to_le_bytes();
    payload[end..end + CHECKSUM].copy_from_slice(&checksum);
    frame.len = stuff(&payload[..end + CHECKSUM], &mut frame.bytes);
    Ok(())
}

fn drop_detail(_: postcard::Error) -> EncodeError {
    EncodeError
}

/// COBS with a delimiter at both ends. A payload of at most 240 bytes needs exactly one byte of overhead.
fn stuff(payload: &[u8], out: &mut [u8; FRAME_MAX]) -> usize {
    out[0] = DELIMITER;
    let mut group = 1;
    let mut next = 2;
    for &byte in payload {
        if byte == DELIMITER {
            out[group] = (next - group) as u8;
            group = next;
        } else {
            out[next] = byte;
        }
        next += 1;
    }
    out[group] = (next - group) as u8;
    out[next] = DELIMITER;
    next + 1
}

/// One frame whose checksum was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it carries.
    pub class: Class,
    /// Number of the frame within its class (telemetry: within its stream), wrapping.
    pub seq: u8,
    /// The message as postcard; see [`ToMcu::parse`](crate::ToMcu::parse), [`ToHost::parse`](crate::ToHost::parse).
    pub body: &'a [u8],
}

/// Why bytes between two delimiters were not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// More than [`PAYLOAD_MAX`] bytes without a delimiter.
    TooLong,
    /// Too few bytes for header and checksum.
    TooShort,
    /// The last COBS group was not complete.
    Cut,
    /// The checksum was wrong.
    Checksum,
    /// The checksum was right, the class is none that this end knows.
    UnknownClass,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "longer than a frame can be",
            Self::TooShort => "too short for a frame",
            Self::Cut => "cut off",
            Self::Checksum => "wrong checksum",
            Self::UnknownClass => "unknown class",
        })
    }
}

impl core::error::Error for FrameError {}

/// Finds frames in a stream of bytes.
#[derive(Clone, Debug)]
pub struct Decoder {
    payload: [u8; PAYLOAD_MAX],
    len: usize,
    /// Data bytes still to come in the present COBS group.
    group_left: u8,
    /// The present group ends with a zero if another group follows.
    zero_follows: bool,
    empty: bool,
    too_long: bool,
    errors: u32,
}

impl Decoder {
    /// One that has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            payload: [0; PAYLOAD_MAX],
            len: 0,
            group_left: 0,
            zero_follows: false,
            empty: true,
            too_long: false,
            errors: 0,
        }
    }

    /// Takes the next byte. Says something only at the end of a frame; empty frames (two delimiters in a row, as
    /// between any two frames) are passed over.
    #[inline]
    pub fn push(&mut self, byte: u8) -> Option<Result<Frame<'_>, FrameError>> {
        if byte == DELIMITER {
            return if self.empty { None } else { Some(self.finish()) };
        }
        self.empty = false;
        if self.group_left > 0 {
            self.group_left -= 1;
            self.keep(byte);
            return None;
        }
        if self.zero_follows {
            self.keep(DELIMITER);
        }
        self.group_left = byte - 1;
        self.zero_follows = byte != u8::MAX;
        None
    }

    /// Broken frames so far, saturating.
    #[must_use]
    pub fn errors(&self) -> u32 {
        self.errors
    }

    #[inline]
    fn keep(&mut self, byte: u8) {
        match self.payload.get_mut(self.len) {
            Some(place) => {
                *place = byte;
                self.len += 1;
            }
            None => self.too_long = true,
        }
    }

    fn finish(&mut self) -> Result<Frame<'_>, FrameError> {
        let (len, cut, too_long) = (self.len, self.group_left > 0, self.too_long);
        self.len = 0;
        self.group_left = 0;
        self.zero_follows = false;
        self.empty = true;
        self.too_long = false;
        let found = if too_long {
            Err(FrameError::TooLong)
        } else if cut {
            Err(FrameError::Cut)
        } else {
            check_payload(self.payload.get(..len).unwrap_or_default())
        };
        if found.is_err() {
            self.errors = self.errors.saturating_add(1);
        }
        found
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

#[inline]
fn check_payload(payload: &[u8]) -> Result<Frame<'_>, FrameError> {
    let Some((content, checksum)) = payload.split_last_chunk::<CHECKSUM>() else {
        return Err(FrameError::TooShort);
    };
    let [class, seq, body @ ..] = content else {
        return Err(FrameError::TooShort);
    };
    if CRC32C.checksum(content) != u32::from_le_bytes(*checksum) {
        return Err(FrameError::Checksum);
    }
    let class = Class::from_byte(*class).ok_or(FrameError::UnknownClass)?;
    Ok(Frame { class, seq: *seq, body })
}
