//! A pseudo-terminal that behaves like a serial device which is always there, whoever comes and goes.
//!
//! The body holds its own descriptor of the slave side: without it a client's disconnect would make every read on the
//! master fail with EIO, and the line settings would be lost. Two things of a real device are made up for it with
//! inotify, which reports opens and closes: what nobody read is thrown away when a client leaves, and the exclusive
//! mode that the client may have set ends with the client.

use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use rustix::fs::{Mode, OFlags, fcntl_setfl, inotify};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{QueueSelector, ioctl_tiocnxcl, tcflush};

/// Both ends of a pseudo-terminal.
#[derive(Debug)]
pub(crate) struct Pty {
    master: OwnedFd,
    slave: OwnedFd,
    path: PathBuf,
    clients: OwnedFd,
    attached: bool,
}

impl Pty {
    /// Makes one, raw, with nobody attached.
    pub(crate) fn open() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let path = PathBuf::from(OsString::from_vec(ptsname(&master, Vec::new())?.into_bytes()));
        let slave = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let mut settings = tcgetattr(&slave)?;
        cfmakeraw(&mut settings);
        tcsetattr(&slave, SetArg::TCSANOW, &settings)?;
        fcntl_setfl(&master, OFlags::NONBLOCK)?;
        let clients = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        inotify::add_watch(&clients, &path, inotify::WatchFlags::OPEN | inotify::WatchFlags::CLOSE)?;
        Ok(Self { master, slave, path, clients, attached: false })
    }

    /// The device a client opens.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Readable when there are bytes.
    pub(crate) fn bytes_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// Readable when a client came or went.
    pub(crate) fn clients_fd(&self) -> BorrowedFd<'_> {
        self.clients.as_fd()
    }

    /// Takes note of clients that came and went; true when one went.
    pub(crate) fn update_clients(&mut self) -> io::Result<bool> {
        let mut space = [MaybeUninit::uninit(); 1024];
        let mut events = inotify::Reader::new(&self.clients, &mut space);
        let mut went = false;
        loop {
            let seen = match events.next() {
                Ok(event) => event.events(),
                Err(Errno::AGAIN | Errno::INTR) => return Ok(went),
                Err(error) => return Err(error.into()),
            };
            if seen.contains(inotify::ReadFlags::OPEN) {
                self.attached = true;
                continue;
            }
            // With several clients one may still be there: its next bytes attach it again.
            self.attached = false;
            went = true;
            ioctl_tiocnxcl(&self.slave)?;
            tcflush(&self.slave, QueueSelector::IFlush)?;
        }
    }

    /// Reads what is there; 0 when there is nothing.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = settled(rustix::io::read(&self.master, into))?;
        self.attached |= count > 0;
        Ok(count)
    }

    /// Writes without waiting and says how many bytes went out. While nobody is attached all of them go nowhere.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        if !self.attached {
            return Ok(bytes.len());
        }
        settled(rustix::io::write(&self.master, bytes))
    }
}

fn settled(result: rustix::io::Result<usize>) -> io::Result<usize> {
    match result {
        Ok(count) => Ok(count),
        Err(Errno::AGAIN | Errno::INTR) => Ok(0),
        Err(error) => Err(error.into()),
    }
}
