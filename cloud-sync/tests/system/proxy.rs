//! A network between two processes: a TCP proxy that stays while what is behind it comes and goes. It delays, narrows, holds
//! back and cuts; bytes of one connection keep their order.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes are carried in pieces of at most so many, so that a narrow line delivers evenly.
const PIECE_BYTES: usize = 4096;
/// Pieces under way at once in one direction of one connection; a sender that is faster waits.
const PIECES_MAX: usize = 64;
/// How often what is held back looks whether it may go on.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What the line is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    /// Way of a byte in one direction.
    pub(crate) delay: Duration,
    /// How much it carries in each direction, bits a second; 0: as much as there is.
    pub(crate) bits_per_s: u64,
    /// Whether anything gets through.
    pub(crate) state: State,
}

/// Whether anything gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Everything.
    Open,
    /// Nothing, and nobody is told: bytes wait.
    Held,
    /// Nothing: connections end, and new ones end at once.
    Cut,
}

impl Line {
    /// Neither slow nor narrow.
    pub(crate) const GOOD: Self = Self { delay: Duration::ZERO, bits_per_s: 0, state: State::Open };

    /// With this way of a byte in one direction.
    pub(crate) const fn delayed(delay: Duration) -> Self {
        Self { delay, ..Self::GOOD }
    }

    /// In this state.
    pub(crate) const fn in_state(state: State) -> Self {
        Self { state, ..Self::GOOD }
    }
}

/// One direction of all connections together, which share what the line carries.
#[derive(Clone, Copy, Debug)]
enum Direction {
    There,
    Back,
}

#[derive(Debug)]
struct Inner {
    target: SocketAddr,
    line: Line,
    /// When the line is free again, in each direction.
    free_at: [Option<Instant>; 2],
    streams: Vec<TcpStream>,
    is_over: bool,
}

/// A running proxy, until it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// A good line to `target`.
    pub(crate) fn to(target: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let inner =
            Inner { target, line: Line::GOOD, free_at: [None; 2], streams: Vec::new(), is_over: false };
        let inner = Arc::new(Mutex::new(inner));
        let accepting = Arc::clone(&inner);
        std::thread::spawn(move || accept(&listener, &accepting));
        Ok(Self { address, inner })
    }

    /// Makes the line so, for what is under way too.
    pub(crate) fn set(&self, line: Line) {
        let mut inner = lock(&self.inner);
        inner.line = line;
        if line.state == State::Cut {
            inner.cut();
        }
    }

    /// Ends every connection now; new ones find the line as it is.
    pub(crate) fn cut_once(&self) {
        lock(&self.inner).cut();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut inner = lock(&self.inner);
        inner.is_over = true;
        inner.cut();
        drop(inner);
        // Wakes the listening thread, which then ends.
        drop(TcpStream::connect(self.address));
    }
}

impl Inner {
    fn cut(&mut self) {
        for stream in self.streams.drain(..) {
            // The other side may be gone already.
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// When a piece that is sent now has arrived.
    fn arrival(&mut self, direction: Direction, bytes: usize) -> Instant {
        let now = Instant::now();
        let free_at = &mut self.free_at[direction as usize];
        let begins = free_at.unwrap_or(now).max(now);
        let takes = match self.line.bits_per_s {
            0 => Duration::ZERO,
            bits_per_s => Duration::from_secs_f64(bytes as f64 * 8.0 / bits_per_s as f64),
        };
        *free_at = Some(begins + takes);
        begins + takes + self.line.delay
    }
}

fn accept(listener: &TcpListener, inner: &Arc<Mutex<Inner>>) {
    for client in listener.incoming() {
        let Ok(client) = client else { return };
        let (target, line) = {
            let inner = lock(inner);
            if inner.is_over {
                return;
            }
            (inner.target, inner.line)
        };
        if line.state == State::Cut {
            continue;
        }
        let inner = Arc::clone(inner);
        std::thread::spawn(move || {
            // Nobody behind it: the client sees its connection end.
            drop(serve(client, target, line.delay, &inner));
        });
    }
}

fn serve(
    client: TcpStream,
    target: SocketAddr,
    delay: Duration,
    inner: &Arc<Mutex<Inner>>,
) -> std::io::Result<()> {
    // The client believes to be connected at once; on a real line that takes a way there and back.
    std::thread::sleep(2 * delay);
    let server = TcpStream::connect(target)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    {
        let mut inner = lock(inner);
        if inner.is_over || inner.line.state == State::Cut {
            return Ok(());
        }
        inner.streams.retain(|stream| stream.peer_addr().is_ok());
        inner.streams.push(client.try_clone()?);
        inner.streams.push(server.try_clone()?);
    }
    carry(client.try_clone()?, server.try_clone()?, Direction::There, inner);
    carry(server, client, Direction::Back, inner);
    Ok(())
}

type Piece = (Instant, Vec<u8>);

fn carry(from: TcpStream, to: TcpStream, direction: Direction, inner: &Arc<Mutex<Inner>>) {
    let (sender, pieces) = sync_channel(PIECES_MAX);
    let (taking, delivering) = (Arc::clone(inner), Arc::clone(inner));
    std::thread::spawn(move || take(from, &sender, direction, &taking));
    std::thread::spawn(move || deliver(to, &pieces, &delivering));
}

fn take(mut from: TcpStream, pieces: &SyncSender<Piece>, direction: Direction, inner: &Mutex<Inner>) {
    let mut bytes = [0; PIECE_BYTES];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let due = lock(inner).arrival(direction, count);
        if pieces.send((due, bytes[..count].to_vec())).is_err() {
            return;
        }
    }
}

fn deliver(mut to: TcpStream, pieces: &Receiver<Piece>, inner: &Mutex<Inner>) {
    for (due, bytes) in pieces {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        while lock(inner).line.state == State::Held {
            std::thread::sleep(LOOK_EVERY);
        }
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}
