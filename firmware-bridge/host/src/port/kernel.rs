//! Two questions to the kernel that no safe wrapper asks for us.

use std::ffi::c_int;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::ioctl::{Getter, Opcode, ioctl};

/// `TIOCOUTQ` of asm-generic: x86, ARM, RISC-V.
const TIOCOUTQ: Opcode = 0x5411;

/// Bytes written to a tty that have not left the kernel.
#[expect(
    unsafe_code,
    reason = "rustix wraps TIOCOUTQ nowhere; its ioctl needs our word for the result's type"
)]
pub(super) fn queued_bytes(tty: BorrowedFd<'_>) -> Result<usize, Errno> {
    // SAFETY: TIOCOUTQ writes one C int through the pointer it is given and reads nothing.
    let bytes = unsafe { ioctl(tty, Getter::<TIOCOUTQ, c_int>::new()) }?;
    Ok(usize::try_from(bytes).unwrap_or(0))
}

/// Whether this is the subordinate end of a pty, by its device number.
pub(super) fn is_pty(tty: impl AsFd) -> Result<bool, Errno> {
    // Majors of Unix98 ptys, Linux `Documentation/admin-guide/devices.txt`.
    const MAJORS: std::ops::RangeInclusive<u32> = 136..=143;
    let device = rustix::fs::fstat(tty)?.st_rdev;
    Ok(MAJORS.contains(&rustix::fs::major(device)))
}
