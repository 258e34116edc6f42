//! A small HTTP server that keeps to the protocol or breaks it in one chosen way, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As it should be, ranges included.
    Well,
    /// The whole file whatever is asked for.
    IgnoresRange,
    /// The connection breaks after so many bytes of each answer.
    BreaksAfter(usize),
    /// Nothing but this status.
    Refuses(u16),
}

/// The server; it ends with the value.
pub(crate) struct Server {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

struct State {
    page: String,
    body: Vec<u8>,
    manner: Manner,
    asked: Vec<Option<usize>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Serves a project's page at every path that ends in `/`, and `body` at every other one.
    pub(crate) async fn start(file: &str, body: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let page = format!("<html><body><a href=\"../../files/{file}#sha256=0\">{file}</a></body></html>");
        let state = Arc::new(Mutex::new(State { page, body, manner: Manner::Well, asked: Vec::new() }));
        let shared = Arc::clone(&state);
        let task = tokio::task::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // One after the other: a broken connection is what some tests are about.
                drop(serve(stream, &shared).await);
            }
        });
        Self { url, state, task }
    }

    pub(crate) fn behave(&self, manner: Manner) {
        self.state.lock().unwrap().manner = manner;
    }

    pub(crate) fn send(&self, body: Vec<u8>) {
        self.state.lock().unwrap().body = body;
    }

    /// Where each request for the file wanted to start, since the last call.
    pub(crate) fn asked(&self) -> Vec<Option<usize>> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

async fn serve(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut path, mut range) = (String::new(), None);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == "\r\n" {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(rest) = line.strip_prefix("GET ") {
            path = rest.split(' ').next().unwrap_or_default().to_owned();
        } else if let Some(rest) = lower.strip_prefix("range: bytes=") {
            range = rest.trim().trim_end_matches('-').parse().ok();
        }
    }
    let (head, body) = answer(&path, range, state);
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

fn answer(path: &str, range: Option<usize>, state: &Mutex<State>) -> (String, Vec<u8>) {
    let mut state = state.lock().unwrap();
    let head = |status: &str, length: usize, more: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n")
    };
    if path.ends_with('/') {
        return (
            head("200 OK", state.page.len(), "Content-Type: text/html\r\n"),
            state.page.clone().into_bytes(),
        );
    }
    state.asked.push(range);
    let start = match (state.manner, range) {
        (Manner::Refuses(status), _) => return (head(&format!("{status} No"), 0, ""), Vec::new()),
        (Manner::IgnoresRange, _) | (_, None) => 0,
        (_, Some(start)) if start >= state.body.len() => return (head("416 Range", 0, ""), Vec::new()),
        (_, Some(start)) => start,
    };
    let mut body = state.body[start..].to_vec();
    let total = state.body.len();
    let head = match range {
        Some(_) if state.manner != Manner::IgnoresRange => {
            let more = format!("Content-Range: bytes {start}-{}/{total}\r\n", total - 1);
            head("206 Partial Content", body.len(), &more)
        }
        _ => head("200 OK", body.len(), ""),
    };
    if let Manner::BreaksAfter(count) = state.manner {
        body.truncate(count);
    }
    (head, body)
}
