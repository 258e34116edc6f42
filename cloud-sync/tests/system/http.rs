//! An HTTP client over one connection that it keeps: it sends exactly what it is told, and costs little itself.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;

/// Nothing that is asked here takes so long.
const DEADLINE: Duration = Duration::from_secs(20);
/// The programs close a connection on which nothing is asked for longer than this.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Status.
    pub(crate) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// As it came.
    pub(crate) body: Vec<u8>,
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

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Type of the problem, without its path.
    pub(crate) fn problem(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().trim_start_matches("/problems/").to_owned()
    }
}

/// A connection, which is made when it is needed.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    token: String,
    patience: Duration,
    stream: Option<TcpStream>,
    used: Instant,
    received: Vec<u8>,
}

impl Client {
    /// Of this address; requests carry the token. Fails, as all of it does, at the first request.
    pub(crate) fn connect(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        Ok(Self::patient(address, token, DEADLINE))
    }

    /// The same, for one that waits at most so long for anything.
    pub(crate) fn patient(address: SocketAddr, token: &str, patience: Duration) -> Self {
        let (token, used) = (token.to_owned(), Instant::now());
        Self { address, token, patience, stream: None, used, received: Vec::new() }
    }

    /// The connection that is there, or a new one where it may have been closed because nobody used it.
    fn stream(&mut self) -> anyhow::Result<&mut TcpStream> {
        if self.used.elapsed() > IDLE_MAX {
            self.stream = None;
        }
        self.used = Instant::now();
        match &mut self.stream {
            Some(stream) => Ok(stream),
            none => {
                let stream =
                    TcpStream::connect_timeout(&self.address, self.patience).context("cannot connect")?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(self.patience))?;
                stream.set_write_timeout(Some(self.patience))?;
                self.received.clear();
                Ok(none.insert(stream))
            }
        }
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
        self.ask_with(method, path, &[("content-type", "application/json")], body.as_bytes())
    }

    /// The same with these headers and any body.
    pub(crate) fn ask_with(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> anyhow::Result<Answer> {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n",
            self.token,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        let answered = self.stream().and_then(|stream| stream.write_all(&bytes).context("cannot send"));
        let answered = answered.and_then(|()| self.receive());
        if answered.is_err() {
            self.stream = None;
        }
        self.used = Instant::now();
        answered
    }

    /// `GET`, expecting 200.
    pub(crate) fn get(&mut self, path: &str) -> anyhow::Result<Value> {
        self.ask("GET", path, "")?.expect(200).with_context(|| format!("GET {path}"))
    }

    /// `POST` of a JSON body.
    pub(crate) fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.ask("POST", path, &body.to_string())
    }

    fn receive(&mut self) -> anyhow::Result<Answer> {
        let head = loop {
            if let Some(at) = self.received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more()?;
        };
        let text = String::from_utf8_lossy(&self.received[..head]).into_owned();
        self.received.drain(..head);
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let named = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = text.lines().skip(1).filter_map(named).collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = self.take_chunks()?;
        } else if let Some(length) = answer.header("content-length") {
            let length = length.parse()?;
            answer.body = self.take(length)?;
        }
        Ok(answer)
    }

    fn take_chunks(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = self.received.windows(2).position(|bytes| bytes == b"\r\n") {
                    break at;
                }
                self.read_more()?;
            };
            let line = String::from_utf8_lossy(&self.take(end + 2)?).into_owned();
            let length = usize::from_str_radix(line.trim(), 16)?;
            body.extend(self.take(length)?);
            self.take(2)?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    fn take(&mut self, length: usize) -> anyhow::Result<Vec<u8>> {
        while self.received.len() < length {
            self.read_more()?;
        }
        Ok(self.received.drain(..length).collect())
    }

    fn read_more(&mut self) -> anyhow::Result<()> {
        let mut bytes = [0; 16_384];
        let stream = self.stream.as_mut().context("no connection")?;
        let count = stream.read(&mut bytes).context("no answer")?;
        ensure!(count > 0, "the connection ended before an answer");
        self.received.extend_from_slice(&bytes[..count]);
        Ok(())
    }
}
