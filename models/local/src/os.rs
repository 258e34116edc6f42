//! The few things only the operating system can say or do: the priority of a thread, the room on a disk. Never decides anything.

use std::io;
use std::path::Path;

/// Lowers the priority of the calling thread alone by `steps` (1 to 19); 10 gives it about a tenth of the time of a normal one.
///
/// # Errors
/// The kernel refuses.
pub(crate) fn lower_priority(steps: u8) -> io::Result<()> {
    // On Linux a nice value belongs to a thread, not to its process.
    rustix::process::nice(i32::from(steps))?;
    Ok(())
}

/// Bytes that can still be written to the file system of `folder`.
///
/// # Errors
/// What the file system says.
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let room = rustix::fs::statvfs(folder)?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}
