//! An HTTP client that can stop in the middle: HTTP/1.0, so that an answer is its bytes until the connection ends.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::support::DEADLINE;

/// A request in the making.
#[derive(Clone)]
pub(super) struct Ask {
    from: IpAddr,
    address: SocketAddr,
    line: String,
    headers: String,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

/// An answer that comes event by event. Dropped, its connection ends.
pub(super) struct Listening {
    stream: TcpStream,
    got: Vec<u8>,
    pub(super) head: String,
}

impl Ask {
    pub(super) fn new(address: SocketAddr, method: &str, path: &str, token: &str) -> Self {
        let line = format!("{method} {path} HTTP/1.0\r\nhost: localhost\r\n");
        Self { from: Ipv4Addr::LOCALHOST.into(), address, line, headers: String::new(), body: Vec::new() }
            .header("authorization", &format!("Bearer {token}"))
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// From another machine of this network: one machine has few connections.
    pub(super) fn from(mut self, last: u8) -> Self {
        self.from = Ipv4Addr::new(127, 0, 0, last).into();
        self
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    async fn begin(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((self.from, 0).into()).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        let length = self.body.len();
        let head = format!("{}{}content-length: {length}\r\n\r\n", self.line, self.headers);
        stream.write_all(head.as_bytes()).await.unwrap();
        // The program may answer and stop listening before it has read everything.
        stream.write_all(&self.body).await.ok();
        stream
    }

    /// The whole answer.
    pub(super) async fn send(&self) -> Reply {
        let mut stream = self.begin().await;
        let mut bytes = Vec::new();
        timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.expect("an answer in time").unwrap();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head, body: bytes[end + 4..].to_vec() }
    }

    /// Sends, and waits for nothing. Dropped, it has left.
    pub(super) async fn leave_open(&self) -> TcpStream {
        self.begin().await
    }

    /// Begins to listen to events.
    pub(super) async fn listen(&self) -> Listening {
        let mut listening = Listening { stream: self.begin().await, got: Vec::new(), head: String::new() };
        listening.head = listening.until("\r\n\r\n").await.expect("a head");
        listening
    }
}

impl Listening {
    async fn until(&mut self, end: &str) -> Option<String> {
        loop {
            let at = self.got.windows(end.len()).position(|window| window == end.as_bytes());
            if let Some(at) = at {
                let rest = self.got.split_off(at + end.len());
                let whole = std::mem::replace(&mut self.got, rest);
                return Some(String::from_utf8(whole[..at].to_vec()).unwrap());
            }
            let read = timeout(DEADLINE, self.stream.read_buf(&mut self.got)).await.expect("more in time");
            if read.unwrap() == 0 {
                return None;
            }
        }
    }

    /// The next event: its name and data.
    pub(super) async fn next(&mut self) -> Option<(String, String)> {
        self.until("\n\n").await.map(|block| event(&block))
    }
}

fn event(block: &str) -> (String, String) {
    let field =
        |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
    (field("event:").to_owned(), field("data:").to_owned())
}

impl Reply {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The answer, if it has this status.
    #[track_caller]
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// All events of it, names and data.
    #[track_caller]
    pub(super) fn events(&self) -> Vec<(String, String)> {
        assert!(self.head.contains("content-type: text/event-stream"), "{} {}", self.head, self.text());
        let text = String::from_utf8(self.body.clone()).unwrap();
        text.split("\n\n").filter(|block| block.contains("data:")).map(event).collect()
    }
}
