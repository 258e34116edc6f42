//! What replica and server say to each other, and its bytes. The same frames travel over MQTT and HTTP.
//!
//! A frame is `version:1 kind:1 flags:1 crc32c:4 LE` and a body in postcard, compressed with zstd where flag 1 says so; it has
//! at most 64 KiB, and its body at most 1 MiB before compression. Golden vectors in the tests hold the bytes still.

mod joined;
mod pack;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::op::{Field, Op, RowKey, Scope};
use crate::stamp::Stamp;

pub use joined::{join, split};

/// Version of the frames. A server takes this one and the one before.
pub const VERSION: u8 = 1;
/// Longest frame, bytes.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Longest body before compression, bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Most operations of a frame.
pub const OPS_MAX: usize = 4096;

/// A replica begins to talk, or begins anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Its name; the server knows it by other means too.
    pub device: String,
    /// Which life of its database.
    pub incarnation: u64,
    /// Names the conversation from here on; drawn at random.
    pub session: u64,
    /// The next operation that it will write.
    pub next_seq: u64,
    /// [`super::table::SCHEMA`] of the replica.
    pub schema: u16,
    /// Its clocks, now.
    pub sent: Stamp,
    /// Where it stands.
    pub scopes: Vec<ScopeTold>,
}

/// Where a replica stands in a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeTold {
    /// The scope.
    pub scope: Scope,
    /// It holds every change up to this version.
    pub cursor: u64,
    /// The floor when it last began from nothing.
    pub floor: u64,
}

/// The server's answer to a greeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloAck {
    /// The conversation.
    pub session: u64,
    /// Operations up to this one are in.
    pub accepted: u64,
    /// Their sum, see [`Op::chain`].
    pub chain: u64,
    /// The server's clock, ms since 1970.
    pub server_ms: i64,
    /// Where the scopes stand.
    pub scopes: Vec<ScopeAck>,
}

/// Where a scope stands at the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeAck {
    /// The scope.
    pub scope: Scope,
    /// Version of its last change.
    pub head: u64,
    /// The highest version whose trace is gone.
    pub floor: u64,
    /// The replica has been away too long, or is new: it reads all rows, and drops those it does not meet.
    pub is_reset: bool,
}

/// Operations, in order and without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The conversation.
    pub session: u64,
    /// Which life of the database.
    pub incarnation: u64,
    /// The same database's life before, and the last operation of it that was known to be in.
    pub parent: Option<(u64, u64)>,
    /// Operations up to this one were written in a life before, and may have arrived under it.
    pub again_to: u64,
    /// Place of the first one.
    pub first_seq: u64,
    /// The replica's clocks, now.
    pub sent: Stamp,
    /// The operations.
    pub ops: Vec<Op>,
}

/// Operations are in, and will not be lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAck {
    /// The conversation.
    pub session: u64,
    /// Up to this one.
    pub upto: u64,
    /// Where the scopes stood then: a replica that has read so far has read what became of them.
    pub at: Vec<(Scope, u64)>,
}

/// Asks for what changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// The conversation.
    pub session: u64,
    /// Which life of the database.
    pub incarnation: u64,
    /// In which scope.
    pub scope: Scope,
    /// After this version; everything up to it is kept safely.
    pub cursor: u64,
    /// The floor when the replica last began from nothing.
    pub floor: u64,
    /// It began from nothing and has not read everything yet: of a row it may know no field, whatever its cursor says.
    pub is_whole: bool,
}

impl Pull {
    /// Fields up to this version need not be told.
    #[must_use]
    pub const fn known(&self) -> u64 {
        if self.is_whole { 0 } else { self.cursor }
    }
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The conversation.
    pub session: u64,
    /// In which scope.
    pub scope: Scope,
    /// After this version.
    pub from: u64,
    /// Everything up to this version.
    pub to: u64,
    /// Version of the scope's last change.
    pub head: u64,
    /// At the head: the sum of its rows, see [`super::row::checksum`].
    pub checksum: Option<u64>,
    /// The rows, in order of their versions.
    pub items: Vec<Item>,
}

/// A row that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which.
    pub key: RowKey,
    /// Its version now.
    pub version: u64,
    /// When it was written last, ms since 1970.
    pub at_ms: i64,
    /// It is gone.
    pub is_deleted: bool,
    /// The fields that changed, or all of them.
    pub fields: Vec<Field>,
}

/// Something changed in a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poke {
    /// The scope.
    pub scope: Scope,
    /// Version of its last change.
    pub head: u64,
}

/// A frame was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The conversation; 0 where none could be read.
    pub session: u64,
    /// Why.
    pub why: Why,
}

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// Another conversation has begun since, or none has.
    GreetAgain,
    /// Operations are missing in between.
    Gap {
        /// The next one that is wanted.
        want: u64,
    },
    /// The frame, or the replica's schema, is newer than this server.
    TooNew,
    /// These bytes are no frame, or none that a replica sends.
    Malformed,
    /// The frame names another device than the one that sent it.
    NotYours,
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// To the server.
    Hello(Hello),
    /// To the replica.
    HelloAck(HelloAck),
    /// To the server.
    Push(Push),
    /// To the replica.
    PushAck(PushAck),
    /// To the server.
    Pull(Pull),
    /// To the replica.
    Page(Page),
    /// To the replica.
    Poke(Poke),
    /// To the replica.
    Refusal(Refusal),
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Too short, a sum that does not fit, or a body that is none.
    #[error("these bytes are no frame of sync")]
    Malformed,
    /// Of another version.
    #[error("a frame of version {0}; this program speaks version {VERSION}")]
    Version(u8),
    /// Longer than a frame may be, before or after compression.
    #[error("a frame has at most {FRAME_BYTES_MAX} bytes, and {BODY_BYTES_MAX} before compression")]
    TooLong,
}

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);
const HEAD: usize = 7;
const COMPRESSED: u8 = 1;
/// Bodies below this size do not become shorter.
const COMPRESS_FROM: usize = 128;
const LEVEL: i32 = 1;

impl Frame {
    const fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => 1,
            Self::HelloAck(_) => 2,
            Self::Push(_) => 3,
            Self::PushAck(_) => 4,
            Self::Pull(_) => 5,
            Self::Page(_) => 6,
            Self::Poke(_) => 7,
            Self::Refusal(_) => 8,
        }
    }

    /// The conversation that it belongs to; `None` for what the server says by itself.
    #[must_use]
    pub const fn session(&self) -> Option<u64> {
        match self {
            Self::Hello(frame) => Some(frame.session),
            Self::HelloAck(frame) => Some(frame.session),
            Self::Push(frame) => Some(frame.session),
            Self::PushAck(frame) => Some(frame.session),
            Self::Pull(frame) => Some(frame.session),
            Self::Page(frame) => Some(frame.session),
            Self::Refusal(frame) => Some(frame.session),
            Self::Poke(_) => None,
        }
    }

    /// The body alone, uncompressed.
    fn body(&self) -> Result<Vec<u8>, FrameError> {
        let body = Vec::new();
        let packed = match self {
            Self::Hello(hello) => postcard::to_extend(&pack::WireHello::of(hello), body),
            Self::Push(push) => postcard::to_extend(&pack::WirePush::of(push), body),
            Self::HelloAck(ack) => postcard::to_extend(ack, body),
            Self::PushAck(ack) => postcard::to_extend(ack, body),
            Self::Pull(pull) => postcard::to_extend(pull, body),
            Self::Page(page) => postcard::to_extend(page, body),
            Self::Poke(poke) => postcard::to_extend(poke, body),
            Self::Refusal(refusal) => postcard::to_extend(refusal, body),
        };
        packed.map_err(|_never| FrameError::Malformed)
    }

    /// Its bytes.
    ///
    /// # Errors
    /// [`FrameError::TooLong`]; whoever builds frames halves them then.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let body = self.body()?;
        if body.len() > BODY_BYTES_MAX {
            return Err(FrameError::TooLong);
        }
        let compressed =
            (body.len() >= COMPRESS_FROM).then(|| zstd::bulk::compress(&body, LEVEL).ok()).flatten();
        let (flags, body) = match compressed {
            Some(short) if short.len() < body.len() => (COMPRESSED, short),
            _ => (0, body),
        };
        let mut bytes = Vec::with_capacity(HEAD + body.len());
        bytes.extend([VERSION, self.kind(), flags]);
        bytes.extend(CRC.checksum(&body).to_le_bytes());
        bytes.extend(body);
        if bytes.len() > FRAME_BYTES_MAX { Err(FrameError::TooLong) } else { Ok(bytes) }
    }

    /// Bytes of its body beside the values that it carries, before compression.
    #[must_use]
    pub fn meta_bytes(&self) -> usize {
        let values: usize = match self {
            Self::Push(push) => {
                push.ops.iter().flat_map(|op| &op.fields).map(|field| field.value.len()).sum()
            }
            Self::Page(page) => {
                page.items.iter().flat_map(|item| &item.fields).map(|field| field.value.len()).sum()
            }
            _ => 0,
        };
        self.body().map_or(0, |body| body.len()).saturating_sub(values)
    }

    /// The frame that these bytes are.
    ///
    /// # Errors
    /// [`FrameError`]: nothing of it is used.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(FrameError::TooLong);
        }
        let [version, kind, flags, sum @ ..] = bytes.first_chunk::<HEAD>().ok_or(FrameError::Malformed)?;
        if *version != VERSION {
            return Err(FrameError::Version(*version));
        }
        let body = &bytes[HEAD..];
        if CRC.checksum(body) != u32::from_le_bytes(*sum) {
            return Err(FrameError::Malformed);
        }
        match *flags {
            0 => Self::read(*kind, body),
            COMPRESSED => {
                let body =
                    zstd::bulk::decompress(body, BODY_BYTES_MAX).map_err(|_why| FrameError::Malformed)?;
                Self::read(*kind, &body)
            }
            _ => Err(FrameError::Malformed),
        }
    }

    fn read(kind: u8, body: &[u8]) -> Result<Self, FrameError> {
        Ok(match kind {
            1 => Self::Hello(whole::<pack::WireHello>(body)?.into()),
            2 => Self::HelloAck(whole(body)?),
            3 => Self::Push(whole::<pack::WirePush>(body)?.unpack().ok_or(FrameError::Malformed)?),
            4 => Self::PushAck(whole(body)?),
            5 => Self::Pull(whole(body)?),
            6 => Self::Page(whole(body)?),
            7 => Self::Poke(whole(body)?),
            8 => Self::Refusal(whole(body)?),
            _ => return Err(FrameError::Malformed),
        })
    }
}

/// A body, and nothing behind it.
fn whole<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, FrameError> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        _ => Err(FrameError::Malformed),
    }
}
