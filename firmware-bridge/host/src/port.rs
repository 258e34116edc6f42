//! The tty below a session: opened for this program alone, raw, never blocking.
//!
//! At most one frame waits in the kernel's queue, so that nothing hides ahead of a stop; what is newer replaces what is
//! older in the session, not in a queue. A frame once begun is finished before another begins. It decides nothing about
//! what is sent.

mod error;
mod kernel;
mod reader;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use firmware_bridge_link::frame::FrameBuf;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, ioctl_tiocexcl, isatty, tcflush};
use serial2::SerialPort;

pub use error::{PortError, WireError};
pub use reader::PortReader;

use crate::session::Session;

/// An open tty. Dropping it closes the descriptor; the kernel then drops DTR (HUPCL stays set), by which a board on USB
/// sees at once that this program is gone.
#[derive(Debug)]
pub struct Port {
    serial: SerialPort,
    baud: u32,
    /// The frame that was begun last, and how much of it the kernel has taken.
    frame: FrameBuf,
    taken: usize,
}

impl Port {
    /// Opens a tty: raw, 8 data bits, no parity, no flow control, `baud` bits a second.
    ///
    /// # Errors
    /// With the path and what to do about it: see [`PortError`].
    pub fn open(path: &Path, baud: u32) -> Result<Self, PortError> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd =
            rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| PortError::opening(path, errno))?;
        if !isatty(&fd) {
            return Err(PortError::NotATty { path: path.into() });
        }
        claim(path, &fd)?;
        let serial =
            configure(fd, baud).map_err(|source| PortError::Configure { path: path.into(), baud, source })?;
        // What an earlier program left unread says nothing about the body as it is now.
        tcflush(&serial, QueueSelector::IFlush).map_err(|errno| PortError::opening(path, errno))?;
        Ok(Self { serial, baud, frame: FrameBuf::new(), taken: 0 })
    }

    /// Reads what is there, 0 bytes when there is nothing now.
    ///
    /// # Errors
    /// [`WireError::Gone`] when the device was unplugged or its other end closed; the port is of no use then.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, WireError> {
        reader::read_now(&self.serial, into)
    }

    /// The reading half, for another thread.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn reader(&self) -> Result<PortReader, WireError> {
        PortReader::of(&self.serial)
    }

    /// Begins a frame, or refuses with `false` while another is unfinished. What the kernel does not take now is kept and
    /// goes out with [`flush`](Self::flush).
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn write(&mut self, frame: &FrameBuf) -> Result<bool, WireError> {
        self.flush()?;
        if self.is_unfinished() {
            return Ok(false);
        }
        self.frame.clone_from(frame);
        self.taken = 0;
        self.flush()?;
        Ok(true)
    }

    /// Hands the kernel what it has not taken of the last frame.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn flush(&mut self) -> Result<(), WireError> {
        while self.is_unfinished() {
            match rustix::io::write(&self.serial, self.rest()) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(()),
                Ok(len) => self.taken += len,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn rest(&self) -> &[u8] {
        self.frame.as_bytes().get(self.taken..).unwrap_or_default()
    }

    /// Whether part of a frame is still to be handed over: [`flush`](Self::flush) again shortly.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        !self.rest().is_empty()
    }

    /// Bytes in the kernel's output queue (TIOCOUTQ). A pty always says 0: its bytes lie in the other end's input.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn queued_bytes(&self) -> Result<usize, WireError> {
        Ok(kernel::queued_bytes(self.serial.as_fd())?)
    }

    /// Whether a frame may begin now: no other is unfinished or waits in the kernel. A stop needs only the first.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn ready_for_frame(&self) -> Result<bool, WireError> {
        Ok(!self.is_unfinished() && self.queued_bytes()? == 0)
    }

    /// Sends what the session has, as far as the wire takes it; stops do not wait for it. Returns how many frames began.
    /// When the wire took less than there was, [`drained_in_us`](Self::drained_in_us) says when to call again.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn send_from(&mut self, now_us: u64, session: &mut Session) -> Result<usize, WireError> {
        let mut frames = 0;
        let mut frame = FrameBuf::new();
        self.flush()?;
        while self.may_begin(session.stop_waiting())? && session.transmit(now_us, &mut frame) {
            self.write(&frame)?;
            frames += 1;
        }
        Ok(frames)
    }

    fn may_begin(&self, is_stop: bool) -> Result<bool, WireError> {
        if is_stop { Ok(!self.is_unfinished()) } else { self.ready_for_frame() }
    }

    /// When to look again whether the next frame may begin, us: what the bytes in the kernel's queue need on the wire, at
    /// most 1 ms; 0 when it may begin now.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn drained_in_us(&self) -> Result<u64, WireError> {
        Ok(drain_us(self.queued_bytes()?, self.baud))
    }
}

/// Longest wait before the queue is looked at again, us. The driver of USB boards (cdc_acm) counts a transfer that has
/// begun as a whole buffer, however few bytes are in it: its numbers are no time to sleep by.
const LOOK_AGAIN_US: u64 = 1_000;

fn drain_us(bytes: usize, baud: u32) -> u64 {
    let bits = 10 * bytes as u64;
    (bits * 1_000_000).div_ceil(u64::from(baud.max(1))).min(LOOK_AGAIN_US)
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.serial.as_fd()
    }
}

/// Keeps other programs out. The lock stops a second agent whoever runs it, and ends with this process however that
/// ends. Exclusive mode (TIOCEXCL) also keeps out programs that know nothing of the lock, unless they are root's. A pty
/// does without: its flag would stay after a SIGKILL for as long as the other end lives, and lock out the next agent.
fn claim(path: &Path, fd: &OwnedFd) -> Result<(), PortError> {
    match flock(fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(PortError::Busy { path: path.into() }),
        Err(errno) => return Err(PortError::opening(path, errno)),
    }
    let is_pty = kernel::is_pty(fd).map_err(|errno| PortError::opening(path, errno))?;
    if is_pty {
        return Ok(());
    }
    ioctl_tiocexcl(fd).map_err(|errno| PortError::opening(path, errno))
}

fn configure(fd: OwnedFd, baud: u32) -> std::io::Result<SerialPort> {
    if kernel::is_pty(&fd)? {
        // A pty has no baud rate, and these older calls work where serial2's fail: under user-mode emulation.
        let mut settings = tcgetattr(&fd)?;
        cfmakeraw(&mut settings);
        tcsetattr(&fd, SetArg::TCSANOW, &settings)?;
        return Ok(SerialPort::from(fd));
    }
    let mut serial = SerialPort::from(fd);
    let mut settings = serial.get_configuration()?;
    // Raw includes no CRTSCTS and no XON/XOFF: a line that is not wired must not hold back a stop.
    settings.set_raw();
    settings.set_baud_rate(baud)?;
    serial.set_configuration(&settings)?;
    Ok(serial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: usize, baud: u32, want_us: u64) {
        assert_eq!(drain_us(bytes, baud), want_us);
    }

    #[test]
    fn a_queue_is_looked_at_again_when_it_may_be_empty_and_after_1_ms_at_the_latest() {
        check(0, 921_600, 0);
        check(20, 921_600, 218);
        check(4_096, 921_600, 1_000);
        check(20, 9_600, 1_000);
        check(1, 0, 1_000);
    }
}
