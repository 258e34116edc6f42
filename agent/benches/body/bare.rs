//! The smallest service that does what a velocity costs at least: check a SHA-256 token, parse the same JSON, make one round
//! trip to a thread. It runs in a process of its own, as the agent does, and leaves out everything else.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::Context;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::programs::Process;

/// With it the bench is this service.
pub(crate) const ARGUMENT: &str = "--bare";

/// Its path.
pub(crate) const PATH: &str = "/velocity";

/// Requests that may wait for the thread.
const ASKED_MAX: usize = 256;

/// The body of a velocity.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Velocity {
    linear_mps: f32,
    angular_radps: f32,
    ttl_ms: Option<i64>,
    #[serde(rename = "lease")]
    _lease: Option<String>,
    #[serde(rename = "seq")]
    _seq: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Driving {
    lease: &'static str,
    expires_in_ms: i64,
}

type Asked = (Velocity, oneshot::Sender<Driving>);

#[derive(Debug)]
struct Shared {
    token: [u8; 32],
    thread: SyncSender<Asked>,
}

/// Serves until killed: the token comes in on standard input, the address goes out on standard output.
pub(crate) fn serve() -> anyhow::Result<()> {
    let mut token = String::new();
    std::io::stdin().read_to_string(&mut token)?;
    let token = Sha256::digest(token.trim()).into();
    let (thread, asked) = sync_channel(ASKED_MAX);
    std::thread::spawn(move || answer(&asked));
    let router = Router::new()
        .route("/health", get(|| async { StatusCode::OK }))
        .route(PATH, post(velocity))
        .with_state(Arc::new(Shared { token, thread }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |stream| {
                // A connection without it is only slower.
                stream.set_nodelay(true).ok();
            }),
            router,
        )
        .await
    })?;
    Ok(())
}

fn answer(asked: &Receiver<Asked>) {
    for (velocity, answer) in asked {
        let is_finite = velocity.linear_mps.is_finite() && velocity.angular_radps.is_finite();
        let expires_in_ms = if is_finite { velocity.ttl_ms.unwrap_or(250) } else { 0 };
        // The asker may have left.
        answer.send(Driving { lease: "l-1", expires_in_ms }).ok();
    }
}

async fn velocity(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let token = headers.get("authorization").and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if token.is_none_or(|token| <[u8; 32]>::from(Sha256::digest(token)) != shared.token) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(velocity) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let (sender, driving) = oneshot::channel();
    if shared.thread.try_send((velocity, sender)).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match driving.await {
        Ok(driving) => (StatusCode::ACCEPTED, Json(driving)).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The service as a child process.
#[derive(Debug)]
pub(crate) struct Bare {
    /// The process.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Bare {
    /// Starts it with this token, and waits until it listens.
    pub(crate) fn start(token: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::start(&mut command)?;
        let mut stdin = process.child().stdin.take().context("no standard input")?;
        stdin.write_all(token.as_bytes())?;
        drop(stdin);
        let stdout = process.child().stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().context("the bare service gave no address")?;
        Ok(Self { process, address })
    }
}
