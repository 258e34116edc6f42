//! Frames one behind the other, as they go over HTTP: each with its length before it, 4 bytes, little-endian.

use super::FrameError;

/// Puts frames one behind the other.
#[must_use]
pub fn join<'a>(frames: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        // A frame has at most 64 KiB.
        bytes.extend((frame.len() as u32).to_le_bytes());
        bytes.extend(frame);
    }
    bytes
}

/// The frames that [`join`] put together.
///
/// # Errors
/// [`FrameError::Malformed`] where a length leads out of the bytes.
pub fn split(mut bytes: &[u8]) -> Result<Vec<&[u8]>, FrameError> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or(FrameError::Malformed)?;
        let (frame, rest) =
            rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(FrameError::Malformed)?;
        frames.push(frame);
        bytes = rest;
    }
    Ok(frames)
}
