//! A pseudo-terminal that behaves like a serial device which is always there, whoever comes and goes.
//!
//! The body holds its own descriptor of the slave side: without it a client's disconnect would make every read on the
//! master fail with EIO, and the line settings would be lost. Two things of a real device are made up for it with
//! inotify, which reports opens and closes: what nobody read is thrown away when a client leaves, and the exclusive
//! mode that the client may have set ends with the client.
//!
//! A thread of its own reads the master. On a busy machine the kernel may keep a `poll` or `read` of a terminal waiting for
//! tens of milliseconds, until one of its ordinary threads has passed bytes on; a microcontroller's deadlines do not wait
//! for that, so the body's thread looks at a pipe instead.

use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, fcntl_setfl, inotify};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{QueueSelector, ioctl_tiocnxcl, tcflush};

/// Bytes passed on at once.
const PIECE_MAX: usize = 4096;

/// Both ends of a pseudo-terminal.
#[derive(Debug)]
pub(crate) struct Pty {
    master: OwnedFd,
    incoming: Incoming,
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
        let incoming = Incoming::of(master.try_clone()?)?;
        Ok(Self { master, incoming, slave, path, clients, attached: false })
    }

    /// The device a client opens.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Readable when there are bytes.
    pub(crate) fn bytes_fd(&self) -> BorrowedFd<'_> {
        self.incoming.bytes.as_fd()
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
        match rustix::io::read(&self.incoming.bytes, into) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                let count = settled(read)?;
                self.attached |= count > 0;
                Ok(count)
            }
        }
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

/// What clients send, behind a pipe. Fields are dropped in this order: the thread ends because nobody reads any more, and
/// is then waited for.
#[derive(Debug)]
struct Incoming {
    bytes: OwnedFd,
    _thread: PortThread,
}

#[derive(Debug)]
struct PortThread(Option<JoinHandle<()>>);

impl Incoming {
    fn of(master: OwnedFd) -> io::Result<Self> {
        let (bytes, into) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let thread = std::thread::Builder::new().name("body-port".to_owned()).spawn(move || {
            if let Err(error) = pass_on(&master, &into) {
                eprintln!("simulated body: its port ended: {error}");
            }
        })?;
        Ok(Self { bytes, _thread: PortThread(Some(thread)) })
    }
}

impl Drop for PortThread {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take()
            && thread.join().is_err()
        {
            eprintln!("simulated body: the thread of its port panicked");
        }
    }
}

/// Passes bytes on until nobody reads them. A full pipe means that the body's thread is gone or stuck: what comes then is
/// lost, as in a device that overruns.
fn pass_on(master: &OwnedFd, into: &OwnedFd) -> io::Result<()> {
    let mut bytes = [0; PIECE_MAX];
    loop {
        let mut fds = [PollFd::new(master, PollFlags::IN), PollFd::new(into, PollFlags::empty())];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if !fds[1].revents().is_empty() {
            return Ok(());
        }
        let count = settled(rustix::io::read(master, &mut bytes))?;
        match rustix::io::write(into, &bytes[..count]) {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::PIPE) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
