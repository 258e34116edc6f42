//! The reading half of a port, for a thread that may wait. It never writes.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::WireError;

/// The reading half of a port. The tty is closed when both halves are dropped.
///
/// It has a thread of its own because Linux's line discipline waits, in `poll` and in a non-blocking `read` that finds
/// nothing, for a kernel worker of normal priority (`tty_buffer_flush_work`): a real-time thread that polled a tty was seen
/// to hang there for more than 400 ms on a busy machine.
#[derive(Debug)]
pub struct PortReader {
    fd: OwnedFd,
}

impl PortReader {
    pub(super) fn of(fd: impl AsFd) -> Result<Self, WireError> {
        Ok(Self { fd: rustix::io::fcntl_dupfd_cloexec(fd, 0)? })
    }

    /// Reads what is there, 0 bytes when there is nothing now.
    ///
    /// # Errors
    /// [`WireError::Gone`] when the device was unplugged or its other end closed; the port is of no use then.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, WireError> {
        read_now(&self.fd, into)
    }
}

impl AsFd for PortReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

pub(super) fn read_now(fd: impl AsFd, into: &mut [u8]) -> Result<usize, WireError> {
    match rustix::io::read(fd, &mut *into) {
        Ok(0) if !into.is_empty() => Err(WireError::Gone),
        Ok(len) => Ok(len),
        Err(Errno::AGAIN | Errno::INTR) => Ok(0),
        Err(errno) => Err(errno.into()),
    }
}
