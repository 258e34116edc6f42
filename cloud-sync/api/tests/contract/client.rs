//! A client that sends exactly what a rule says: one connection a request, and WebSockets.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::{Domain, Protocol, Socket as RawSocket, Type};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use super::Program;

/// Nothing that a rule waits for takes so long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// The notes' path.
pub(crate) const NOTES: &str = "/api/sticky-notes/";

/// A word that no other note has.
pub(crate) fn unique(word: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{word}{}q{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A new UUID, of version 4 by its look.
pub(crate) fn uuid() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("c0ffee00-0000-4000-8000-{:04x}{count:08x}", std::process::id() & 0xffff)
}

/// `text` for a query: every byte but letters and digits as `%xx`.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer with a head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut body = bytes[end + 4..].to_vec();
        if head.to_lowercase().contains("transfer-encoding: chunked") {
            body = unchunked(&body);
        }
        Self { status, head, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON answer")
    }

    /// The rows of a bare array.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<Value> {
        self.json().as_array().expect("a bare array").clone()
    }

    /// The same answer, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// The problem, whole and of this type.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{text}");
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{text}");
        assert_eq!(problem["status"], status, "{text}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{text}");
        problem
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[(end + 4 + length).min(rest.len())..];
    }
    body
}

/// A request in the making.
pub(crate) struct Ask<'a> {
    address: SocketAddr,
    method: &'a str,
    path: String,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

impl Program {
    /// A request without a token.
    pub(crate) fn ask<'a>(&self, method: &'a str, path: &str) -> Ask<'a> {
        Ask { address: self.address, method, path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// `GET` as the owner.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask("GET", path).token(&self.owner.token).send()
    }

    /// `POST` as the owner.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path).token(&self.owner.token).json(body).send()
    }

    /// `PATCH` as the owner.
    #[track_caller]
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Reply {
        self.ask("PATCH", path).token(&self.owner.token).json(body).send()
    }

    /// `DELETE` as the owner.
    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.ask("DELETE", path).token(&self.owner.token).send()
    }

    /// Writes a note as the owner and gives its id.
    #[track_caller]
    pub(crate) fn note(&self, content: &str) -> String {
        let reply = self.post(NOTES, &json!({ "content": content })).expect(201);
        reply.json()["id"].as_str().unwrap().to_owned()
    }
}

impl<'a> Ask<'a> {
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: &'a str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same at another program.
    pub(crate) fn at(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    #[track_caller]
    pub(crate) fn send(&self) -> Reply {
        let mut head =
            format!("{} {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        let mut stream = TcpStream::connect_timeout(&self.address, DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // The program may answer and stop listening before it has read everything.
        stream.write_all(&self.body).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Reply::parse(&answer)
    }
}

/// An open `/ws/chat`.
pub(crate) struct Socket {
    inner: WebSocket<TcpStream>,
}

impl Socket {
    /// Opens it with a token.
    #[track_caller]
    pub(crate) fn open(program: &Program, token: &str) -> Self {
        Self::over(TcpStream::connect_timeout(&program.address, DEADLINE).unwrap(), program, token)
    }

    /// The same with a small window, so that little is under way to a reader who does not read.
    #[track_caller]
    pub(crate) fn narrow(program: &Program, token: &str) -> Self {
        let socket =
            RawSocket::new(Domain::for_address(program.address), Type::STREAM, Some(Protocol::TCP)).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect_timeout(&program.address.into(), DEADLINE).unwrap();
        Self::over(socket.into(), program, token)
    }

    #[track_caller]
    fn over(stream: TcpStream, program: &Program, token: &str) -> Self {
        let mut request = format!("ws://{}/ws/chat", program.address).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        Self { inner: handshake(stream, request) }
    }

    /// Opens it as a browser does, which can set no header; gives the subprotocol that was chosen too.
    #[track_caller]
    pub(crate) fn as_a_browser(program: &Program, token: &str) -> (Self, String) {
        let stream = TcpStream::connect_timeout(&program.address, DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut request = format!("ws://{}/ws/chat", program.address).into_client_request().unwrap();
        let offers = format!("robbie, robbie.token.{token}");
        request.headers_mut().insert("sec-websocket-protocol", offers.parse().unwrap());
        let (inner, response) = tokio_tungstenite::tungstenite::client(request, stream).unwrap();
        let chosen = response.headers()["sec-websocket-protocol"].to_str().unwrap().to_owned();
        (Self { inner }, chosen)
    }

    /// Subscribes, and waits until that counts.
    #[track_caller]
    pub(crate) fn subscribe(&mut self, types: &[&str], after: Option<u64>) -> Vec<Value> {
        let mut wish = json!({ "subscribe": types });
        if let Some(after) = after {
            wish["after"] = json!(after);
        }
        self.send_text(&wish.to_string());
        self.settle()
    }

    /// Everything that comes until the program has taken all that was sent before.
    #[track_caller]
    pub(crate) fn settle(&mut self) -> Vec<Value> {
        let mark = unique("mark");
        self.inner.send(Message::Ping(mark.clone().into_bytes().into())).unwrap();
        let mut seen = Vec::new();
        let end = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < end, "waited in vain for the answer to a ping");
            match self.inner.read().unwrap() {
                Message::Text(text) => seen.push(serde_json::from_str(&text).unwrap()),
                Message::Pong(answer) if answer == mark.as_bytes() => return seen,
                Message::Close(close) => panic!("closed: {close:?}"),
                _ => {}
            }
        }
    }

    #[track_caller]
    pub(crate) fn send_text(&mut self, text: &str) {
        self.inner.send(Message::text(text)).unwrap();
    }

    /// Sends without minding whether it arrives.
    pub(crate) fn try_send_text(&mut self, text: &str) {
        self.inner.send(Message::text(text)).ok();
    }

    /// The next message.
    #[track_caller]
    pub(crate) fn receive(&mut self) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < end, "waited in vain for a message");
            match self.inner.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(close) => panic!("closed: {close:?}"),
                _ => {}
            }
        }
    }

    /// The code with which the program closes it, whatever it says before; `None` where it says none.
    #[track_caller]
    pub(crate) fn wait_for_close(&mut self) -> Option<u16> {
        let end = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < end, "waited in vain for the end of the socket");
            match self.inner.read() {
                Ok(Message::Close(close)) => return close.map(|close| close.code.into()),
                Ok(_) => {}
                Err(tokio_tungstenite::tungstenite::Error::Io(error))
                    if error.kind() == ErrorKind::WouldBlock =>
                {
                    panic!("the program does not end the socket");
                }
                Err(_gone) => return None,
            }
        }
    }
}

#[track_caller]
fn handshake(
    stream: TcpStream,
    request: tokio_tungstenite::tungstenite::handshake::client::Request,
) -> WebSocket<TcpStream> {
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    tokio_tungstenite::tungstenite::client(request, stream).unwrap().0
}
