//! A small HTTP client over one connection that it keeps: it costs little itself and measures nothing.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};

/// Nothing that is asked here takes so long.
const DEADLINE: Duration = Duration::from_secs(20);

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Status.
    pub(crate) status: u16,
    body: Vec<u8>,
}

impl Answer {
    /// The body; null where it is no JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body, if the status is this one.
    pub(crate) fn expect(&self, status: u16) -> anyhow::Result<Value> {
        let text = String::from_utf8_lossy(&self.body);
        ensure!(self.status == status, "answered {} instead of {status}: {text}", self.status);
        Ok(self.json())
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    token: String,
    received: Vec<u8>,
}

impl Client {
    /// Connects; requests carry the token.
    pub(crate) fn connect(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, DEADLINE).context("cannot connect")?;
        Self::over(stream, token)
    }

    /// The same from another address of this machine.
    pub(crate) fn connect_from(source: IpAddr, address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
        socket.connect_timeout(&address.into(), DEADLINE).context("cannot connect")?;
        Self::over(socket.into(), token)
    }

    fn over(stream: TcpStream, token: &str) -> anyhow::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        Ok(Self { stream, token: token.to_owned(), received: Vec::new() })
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.write_all(text.as_bytes()).context("cannot send")?;
        self.receive()
    }

    /// `GET`, expecting 200.
    pub(crate) fn get(&mut self, path: &str) -> anyhow::Result<Value> {
        self.ask("GET", path, "")?.expect(200)
    }

    /// `GET`, whatever the answer.
    pub(crate) fn get_status(&mut self, path: &str) -> anyhow::Result<u16> {
        Ok(self.ask("GET", path, "")?.status)
    }

    fn receive(&mut self) -> anyhow::Result<Answer> {
        let head = loop {
            if let Some(at) = self.received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more()?;
        };
        let text = String::from_utf8_lossy(&self.received[..head]).to_ascii_lowercase();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(Ok(0), |length| length.trim().parse())?;
        while self.received.len() < head + length {
            self.read_more()?;
        }
        let body = self.received[head..head + length].to_vec();
        self.received.drain(..head + length);
        Ok(Answer { status, body })
    }

    fn read_more(&mut self) -> anyhow::Result<()> {
        let mut bytes = [0; 4096];
        let count = self.stream.read(&mut bytes).context("no answer")?;
        ensure!(count > 0, "the connection ended before an answer");
        self.received.extend_from_slice(&bytes[..count]);
        Ok(())
    }
}
