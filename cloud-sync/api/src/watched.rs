//! A socket that its table entry can close, and that ends politely.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::connections::Ticket;

/// How long we listen on after our last word.
const LINGER: Duration = Duration::from_secs(1);

/// How much we listen to after our last word: more than any body worth refusing.
const LINGER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A connection's socket, tied to its place in the table.
#[derive(Debug)]
pub(crate) struct Watched {
    stream: TcpStream,
    ticket: std::sync::Arc<Ticket>,
    end: End,
}

#[derive(Debug)]
enum End {
    Open,
    Lingering { until: Pin<Box<Sleep>>, bytes_left: usize },
}

impl Watched {
    pub(crate) fn new(stream: TcpStream, ticket: std::sync::Arc<Ticket>) -> Self {
        Self { stream, ticket, end: End::Open }
    }
}

fn evicted() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "closed by the server: it took too long, or others needed its place",
    )
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ticket.is_closed_for_reader(context) {
            return Poll::Ready(Err(evicted()));
        }
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        if result.is_pending() {
            self.ticket.found_silent();
        } else if buffer.filled().len() > before {
            self.ticket.received();
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.ticket.is_closed_for_writer(context) {
            return Poll::Ready(Err(evicted()));
        }
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        if result.is_ready() {
            self.ticket.touch();
        }
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.ticket.is_closed_for_writer(context) {
            return Poll::Ready(Err(evicted()));
        }
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        if result.is_ready() {
            self.ticket.touch();
        }
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Says that nothing more comes, then reads out what the other side still sends. Closing a socket with unread bytes
    /// resets it, and the reset can overtake the answer: a client that sends 10 MB would never read its 413.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if matches!(this.end, End::Open) {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            this.ticket.ends();
            this.end =
                End::Lingering { until: Box::pin(tokio::time::sleep(LINGER)), bytes_left: LINGER_BYTES_MAX };
        }
        let End::Lingering { until, bytes_left } = &mut this.end else { return Poll::Ready(Ok(())) };
        let mut scratch = [0u8; 4096];
        loop {
            if this.ticket.is_closed_for_reader(context) || until.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut scratch);
            // Whatever goes wrong now, we are done.
            let Ok(()) = ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer)) else {
                return Poll::Ready(Ok(()));
            };
            let read = buffer.filled().len();
            if read == 0 || read >= *bytes_left {
                return Poll::Ready(Ok(()));
            }
            *bytes_left -= read;
        }
    }
}
