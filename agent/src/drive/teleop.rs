//! The teleop socket: drive frames in, `seen` and state out. It ends its own motion when it closes.
//!
//! One reader asks the gate for every frame; one writer sends the newest state and never queues an old one, so a client
//! that does not read costs a bounded buffer and nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use agent_core::caller::{Caller, TokenId};
use agent_core::request::{Request, SocketId};
use arrayvec::ArrayVec;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use cloud_sync_api::access::Principal;
use cloud_sync_api::json;
use cloud_sync_api::problem::Problem;
use cloud_sync_api::rate::Rate;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::robot::{Robot, caller};
use super::wire::bodies::{DriveFrame, EStopBody};
use super::wire::ids::SeenBody;
use super::wire::state::State;

/// Close code: another socket of the same token took over.
pub const REPLACED: u16 = 4001;

/// Close code: the token died, or may not do this.
pub const POLICY: u16 = 1008;

/// Refusals that may wait for a slow client; more are only counted.
const REFUSALS_MAX: usize = 64;

/// Period of `seen` while driving.
const SEEN_PERIOD: Duration = Duration::from_millis(20);

/// `state` comes with every fifth turn of the writer.
const TURNS_PER_STATE: u32 = 5;

/// A socket counts as driving for so long after its newest accepted frame.
const DRIVING_FOR: Duration = Duration::from_millis(500);

/// A client that takes no byte for so long is closed.
const SEND_MAX: Duration = Duration::from_secs(5);

/// The open teleop sockets: at most one a token.
#[derive(Debug, Default)]
pub struct Sockets(Mutex<OpenSockets>);

#[derive(Debug, Default)]
struct OpenSockets {
    /// Numbers rise in the order in which sockets replace each other.
    newest: u64,
    by_token: HashMap<TokenId, (SocketId, watch::Sender<Ending>)>,
}

/// Why a socket shall close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    NotYet,
    Replaced,
}

impl Sockets {
    pub(super) fn open(&self, token: TokenId) -> (SocketId, watch::Receiver<Ending>) {
        let (sender, ending) = watch::channel(Ending::NotYet);
        let mut sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.newest += 1;
        let socket = SocketId(sockets.newest);
        if let Some((_, earlier)) = sockets.by_token.insert(token, (socket, sender)) {
            // The earlier socket may have closed by itself just now.
            earlier.send(Ending::Replaced).ok();
        }
        (socket, ending)
    }

    pub(super) fn close(&self, token: TokenId, socket: SocketId) {
        let mut sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sockets.by_token.get(&token).is_some_and(|(known, _)| *known == socket) {
            sockets.by_token.remove(&token);
        }
    }
}

/// A refused frame.
#[derive(Debug, Serialize)]
struct Refused {
    seq: Option<u64>,
    status: u16,
    r#type: &'static str,
    detail: String,
    /// Refusals before this one that the client was too slow to get.
    #[serde(skip_serializing_if = "is_zero")]
    skipped: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Ends a socket's motion whatever way its task ends.
struct EndsMotion<'a> {
    robot: &'a Robot,
    caller: Caller,
    socket: SocketId,
}

impl Drop for EndsMotion<'_> {
    fn drop(&mut self) {
        self.robot.drive.end_socket(self.caller, self.socket);
        self.robot.sockets.close(self.caller.token, self.socket);
    }
}

/// Serves one socket until it closes, its token dies, or another socket of its token opens.
pub async fn serve(socket: WebSocket, robot: Robot, principal: Principal) {
    let caller = caller(&principal);
    let revoked = robot.revoked(caller);
    let (id, mut ending) = robot.sockets.open(caller.token);
    let ends_motion = EndsMotion { robot: &robot, caller, socket: id };
    let (mut sink, stream) = socket.split();
    let (refusals, refused) = mpsc::channel(REFUSALS_MAX);
    let (driving, driving_until) = watch::channel(Instant::now());
    let replaced = || {
        Some(CloseFrame {
            code: REPLACED,
            reason: "replaced: this token opened another teleop socket".into(),
        })
    };
    let close = match robot.ask(caller, Request::TeleopOpen(id)).await {
        // A later socket of this token was quicker.
        Err(_refused) => replaced(),
        Ok(_) => tokio::select! {
            () = read(stream, &robot, &principal, id, &refusals, &driving) => None,
            () = write(&mut sink, &robot, refused, driving_until) => None,
            () = revoked => Some(CloseFrame { code: POLICY, reason: "this token was revoked".into() }),
            _ = ending.wait_for(|ending| *ending == Ending::Replaced) => replaced(),
        },
    };
    // The motion ends before the goodbye, which a dead client may keep waiting.
    drop(ends_motion);
    let goodbye = sink.send(Message::Close(close));
    drop(tokio::time::timeout(SEND_MAX, goodbye).await);
}

async fn read(
    mut stream: SplitStream<WebSocket>,
    robot: &Robot,
    principal: &Principal,
    socket: SocketId,
    refusals: &mpsc::Sender<Refused>,
    driving: &watch::Sender<Instant>,
) {
    let mut skipped = 0;
    while let Some(Ok(message)) = stream.next().await {
        let bytes = match message {
            Message::Text(text) => text.into(),
            Message::Binary(bytes) => bytes,
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        let (seq, result) = take_frame(&bytes, robot, principal, socket, None).await;
        let Err(problem) = result else {
            driving.send_replace(Instant::now() + DRIVING_FOR);
            continue;
        };
        let refusal = Refused {
            seq,
            status: problem.status().as_u16(),
            r#type: problem.type_uri(),
            detail: problem.detail().to_owned(),
            skipped,
        };
        match refusals.try_send(refusal) {
            Ok(()) => skipped = 0,
            Err(_) => skipped += 1,
        }
    }
}

/// Whatever else a frame holds, a stop or e-stop in it acts.
pub(super) async fn take_frame(
    bytes: &[u8],
    robot: &Robot,
    principal: &Principal,
    socket: SocketId,
    max_age_ms: Option<i64>,
) -> (Option<u64>, Result<(), Problem>) {
    let caller = caller(principal);
    let value: Option<Value> = serde_json::from_slice(bytes).ok();
    let says = |name: &str| {
        value.as_ref().and_then(|value| value.get(name)).is_some_and(|value| *value != Value::Bool(false))
    };
    if says("estop") {
        return (None, robot.ask(caller, EStopBody::lenient(bytes)).await.map(drop));
    }
    if says("stop") {
        return (None, robot.ask(caller, Request::Stop).await.map(drop));
    }
    let seq = value.as_ref().and_then(|value| value.get("seq")).and_then(Value::as_u64);
    let request = robot
        .guards
        .spend(principal, Rate::Motion)
        .and_then(|()| json::parse::<DriveFrame>(bytes))
        .and_then(|frame| frame.request(socket, max_age_ms));
    match request {
        Ok(request) => (seq, robot.ask(caller, request).await.map(drop)),
        Err(problem) => (seq, Err(problem)),
    }
}

async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    robot: &Robot,
    mut refused: mpsc::Receiver<Refused>,
    driving_until: watch::Receiver<Instant>,
) {
    let mut turns = interval(SEEN_PERIOD);
    // A slow client skips to the newest instead of getting every old one.
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut turn = 0u32;
    loop {
        let mut messages = ArrayVec::<Value, 2>::new();
        tokio::select! {
            Some(refused) = refused.recv() => messages.push(json!({ "refused": refused })),
            _ = turns.tick() => {
                let snapshot = robot.drive.snapshot();
                if Instant::now() < *driving_until.borrow() {
                    messages.push(json!({ "seen": SeenBody::new(robot.identity.run, snapshot.at.as_ms()) }));
                }
                if turn.is_multiple_of(TURNS_PER_STATE) {
                    messages.push(json!({ "state": State::of(&snapshot, &robot.identity) }));
                }
                turn = turn.wrapping_add(1);
            }
        }
        for message in messages {
            let text = Message::Text(message.to_string().into());
            let sent = tokio::time::timeout(SEND_MAX, sink.send(text)).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    }
}
