//! A client of `POST /v1/chat/completions` that keeps its connection and reads answers as they stream. It costs little itself:
//! it notes when bytes came, and takes them apart only for who wants to know.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

/// Nothing that is asked here takes so long.
const DEADLINE: Duration = Duration::from_secs(20);
/// The programs close a connection on which nothing is asked for longer than this.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// The end of a body that comes in chunks.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";
/// What a stream ends with.
const DONE: &str = "[DONE]";

/// Who is asked, and how.
#[derive(Debug)]
pub(crate) struct Completions {
    address: SocketAddr,
    /// Head and body up to the number of the question, and what comes behind it.
    request: [String; 2],
    stream: Option<TcpStream>,
    used: Instant,
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Streamed {
    /// From before it was asked to its last byte.
    pub(crate) took: Duration,
    bytes: Vec<u8>,
    /// How many bytes there were, and when.
    came: Vec<(usize, Instant)>,
}

/// Words of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// When their last byte came.
    pub(crate) at: Instant,
    /// Whose they are, where that is said.
    pub(crate) tier: String,
    /// Themselves.
    pub(crate) text: String,
}

/// What a client asks for beside its question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    /// The model's name there.
    pub(crate) model: &'a str,
    /// The key or token.
    pub(crate) key: &'a str,
    /// Tokens of the answer at most.
    pub(crate) tokens_max: Option<usize>,
}

impl Completions {
    /// Of this address.
    pub(crate) fn of(address: SocketAddr, asking: Asking<'_>) -> anyhow::Result<Self> {
        const NUMBER: &str = "0000000000";
        let message = json!({ "role": "user", "content": format!("Why do cats purr? Question {NUMBER}.") });
        let mut body = json!({ "model": asking.model, "messages": [message], "stream": true });
        if let Some(tokens) = asking.tokens_max {
            body["max_tokens"] = json!(tokens);
        }
        let body = body.to_string();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            asking.key,
            body.len()
        );
        let whole = head + &body;
        let (before, behind) = whole.split_once(NUMBER).context("no place for the number")?;
        let request = [before.to_owned(), behind.to_owned()];
        Ok(Self { address, request, stream: None, used: Instant::now() })
    }

    /// Asks a question of this number: nobody else may ask the same at the same time, or they share the answer.
    pub(crate) fn ask(&mut self, number: u64) -> anyhow::Result<Streamed> {
        let [before, behind] = &self.request;
        let request = format!("{before}{number:010}{behind}");
        if self.used.elapsed() > IDLE_MAX {
            self.stream = None;
        }
        let address = self.address;
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(connect(address)?),
        };
        let answered = receive(stream, request.as_bytes());
        if answered.is_err() {
            self.stream = None;
        }
        self.used = Instant::now();
        answered
    }

    /// Another client of the same, with a connection of its own.
    pub(crate) fn another(&self) -> Self {
        Self { address: self.address, request: self.request.clone(), stream: None, used: self.used }
    }
}

fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, DEADLINE).context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    Ok(stream)
}

fn receive(stream: &mut TcpStream, request: &[u8]) -> anyhow::Result<Streamed> {
    let (mut bytes, mut came) = (vec![0; 16_384], Vec::with_capacity(64));
    let mut length = 0;
    let began = Instant::now();
    stream.write_all(request).context("cannot send")?;
    while !is_whole(&bytes[..length]) {
        if length == bytes.len() {
            bytes.resize(2 * length, 0);
        }
        let count = stream.read(&mut bytes[length..]).context("no answer")?;
        ensure!(count > 0, "the connection ended before an answer: {}", lossy(&bytes[..length]));
        length += count;
        came.push((length, Instant::now()));
    }
    bytes.truncate(length);
    Ok(Streamed { took: began.elapsed(), bytes, came })
}

/// Whether an answer has come to its end: the last chunk, or as many bytes as its head says.
fn is_whole(bytes: &[u8]) -> bool {
    if bytes.ends_with(LAST_CHUNK) {
        return true;
    }
    let Some(at) = bytes.windows(4).take(1024).position(|end| end == b"\r\n\r\n") else { return false };
    let head = lossy(&bytes[..at]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    length.is_some_and(|length: usize| bytes.len() >= at + 4 + length)
}

impl Streamed {
    /// Fails if that is no answer that streamed to its end.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let is_right = self.bytes.starts_with(b"HTTP/1.1 200 ") && self.bytes.ends_with(LAST_CHUNK);
        let end = &self.bytes[self.bytes.len().saturating_sub(64)..];
        let is_done = end.windows(DONE.len()).any(|word| word == DONE.as_bytes());
        ensure!(is_right && is_done, "no whole answer: {}", lossy(&self.bytes));
        Ok(())
    }

    /// Its words, in order, each with its time.
    pub(crate) fn pieces(&self) -> anyhow::Result<Vec<Piece>> {
        let head = self.bytes.windows(4).position(|end| end == b"\r\n\r\n").context("no head")? + 4;
        let (mut pieces, mut at) = (Vec::new(), head);
        let mut event = Vec::new();
        while let Some(line) = self.bytes[at..].windows(2).position(|end| end == b"\r\n") {
            let length = usize::from_str_radix(lossy(&self.bytes[at..at + line]).trim(), 16)?;
            let chunk = at + line + 2;
            event.extend_from_slice(self.bytes.get(chunk..chunk + length).context("a short chunk")?);
            at = chunk + length + 2;
            let when = self.when(chunk + length)?;
            while let Some(end) = event.windows(2).position(|end| end == b"\n\n") {
                let text = lossy(&event.drain(..end + 2).collect::<Vec<u8>>()).into_owned();
                pieces.extend(piece(&text, when));
            }
        }
        Ok(pieces)
    }

    /// All its words.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        Ok(self.pieces()?.into_iter().map(|piece| piece.text).collect())
    }

    /// When so many bytes had come.
    fn when(&self, bytes: usize) -> anyhow::Result<Instant> {
        let came = self.came.iter().find(|(length, _)| *length >= bytes);
        came.map(|(_, at)| *at).context("more bytes than came")
    }
}

fn piece(event: &str, at: Instant) -> Option<Piece> {
    let data: Value = serde_json::from_str(event.strip_prefix("data:")?.trim()).ok()?;
    let text = data["choices"][0]["delta"]["content"].as_str().filter(|text| !text.is_empty())?.to_owned();
    Some(Piece { at, tier: data["tier"].as_str().unwrap_or_default().to_owned(), text })
}

fn lossy(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
