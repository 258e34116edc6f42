//! The teleop socket through the cloud: frames go to the robot as they come, and its states, stamps and refusals come back.
//!
//! The robot knows the socket by a name that nobody guesses: it lets one a token drive, and ends the motion of one that is over.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use cloud_sync_api::access::Principal;
use cloud_sync_api::credentials::chosen_subprotocol;
use cloud_sync_api::json;
use cloud_sync_api::params::InPath;
use cloud_sync_api::problem::{Answer, Problem};
use cloud_sync_api::rate::Rate;
use cloud_sync_protocol::command::{By, CommandResult, Kind};
use cloud_sync_protocol::town::RobotId;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use http::HeaderMap;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::stream::{MESSAGE_BYTES, POLICY, SEND_MAX, States};
use super::{Robots, away, by};
use crate::link::{Link, Refusals, Socket};

/// Close code: another socket of the same token took over.
const REPLACED: u16 = 4001;
/// States a second.
const STATE_HZ: u32 = 10;
/// A socket counts as driving for so long after its newest frame.
const DRIVING_FOR: Duration = Duration::from_millis(500);
/// Refusals of our own that may wait for a slow client; more are only counted.
const REFUSALS_MAX: usize = 64;

/// Drive over a WebSocket: frames `{seq, linear_mps, angular_radps, ttl_ms?, seen}` in, `{seen}`, `{state}` and `{refused}` out.
/// `{stop: true}` and `{estop: true}` act whatever else a frame holds. The first frame must be zero.
#[utoipa::path(get, path = "/api/robots/{robot}/teleop", tag = "drive", params(("robot" = String, Path, description = "Robot id")),
    responses((status = 101, description = "WebSocket")))]
pub(super) async fn open(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let robot = robots.find(&principal, &robot)?;
    let Ok(upgrade) = upgrade else {
        return Err(Problem::bad_request("this route is a WebSocket: send the headers that open one"));
    };
    if robots.link.status(&robot).is_none_or(|status| !status.online) {
        return Err(away());
    }
    let (socket, refusals) = robots.link.open_socket(&robot).map_err(|_too_many| away())?;
    let drives = Drives { robots, principal, robot, socket };
    Ok(upgrade
        .protocols(chosen_subprotocol(&headers))
        .max_message_size(MESSAGE_BYTES)
        .on_upgrade(move |inner| drives.serve(inner, refusals)))
}

/// Somebody with a stick.
struct Drives {
    robots: Robots,
    principal: Principal,
    robot: RobotId,
    socket: Socket,
}

/// Ends a socket's motion whatever way its task ends.
struct EndsMotion<'a> {
    link: &'a Link,
    robot: &'a RobotId,
    by: By,
    name: &'a str,
}

impl Drop for EndsMotion<'_> {
    fn drop(&mut self) {
        let body = Map::from_iter([
            ("socket".to_owned(), Value::from(self.name)),
            ("closed".to_owned(), Value::Bool(true)),
        ]);
        // Where it does not arrive the time to live ends the motion.
        self.link.send(self.robot, Kind::Teleop, None, Some(&self.by), body).ok();
    }
}

impl Drives {
    async fn serve(self, inner: WebSocket, refusals: Refusals) {
        let revoked = self.robots.tokens().clone().until_revoked(self.principal.token);
        let link = &self.robots.link;
        let ends_motion =
            EndsMotion { link, robot: &self.robot, by: by(&self.principal), name: self.socket.name() };
        let (mut sink, stream) = inner.split();
        let (own, own_refusals) = mpsc::channel(REFUSALS_MAX);
        let (driving, driving_until) = tokio::sync::watch::channel(Instant::now());
        let close = tokio::select! {
            () = self.read(stream, &own, &driving) => None,
            close = self.write(&mut sink, refusals, own_refusals, driving_until) => close,
            () = revoked => Some(CloseFrame { code: POLICY, reason: "this token was revoked".into() }),
        };
        drop(ends_motion);
        drop(timeout(SEND_MAX, sink.send(Message::Close(close))).await);
    }

    async fn read(
        &self,
        mut stream: SplitStream<WebSocket>,
        refusals: &mpsc::Sender<Value>,
        driving: &tokio::sync::watch::Sender<Instant>,
    ) {
        while let Some(Ok(message)) = stream.next().await {
            let bytes = match message {
                Message::Text(text) => text.into(),
                Message::Binary(bytes) => bytes,
                Message::Close(_) => return,
                Message::Ping(_) | Message::Pong(_) => continue,
            };
            let (seq, sent) = self.hand_on(&bytes).await;
            match sent {
                Ok(()) => _ = driving.send_replace(Instant::now() + DRIVING_FOR),
                Err(problem) => {
                    let refused = json!({
                        "seq": seq,
                        "status": problem.status().as_u16(),
                        "type": problem.type_uri(),
                        "detail": problem.detail(),
                    });
                    // A client that does not read hears of fewer.
                    refusals.try_send(refused).ok();
                }
            }
        }
    }

    /// Whatever else a frame holds, a stop or e-stop in it acts.
    async fn hand_on(&self, bytes: &[u8]) -> (Option<u64>, Result<(), Problem>) {
        let frame: Option<Map<String, Value>> = serde_json::from_slice(bytes).ok();
        let says = |name: &str| {
            frame.as_ref().and_then(|frame| frame.get(name)).is_some_and(|says| *says != Value::Bool(false))
        };
        let (link, by) = (&self.robots.link, by(&self.principal));
        for (word, kind) in [("estop", Kind::EStop), ("stop", Kind::Stop)] {
            if says(word) {
                let reason = frame.as_ref().and_then(|frame| frame.get("reason")).cloned();
                let body = reason.map(|reason| ("reason".to_owned(), reason)).into_iter().collect();
                let asked = link.ask(&self.robot, kind, Some(&by), body).await;
                return (None, asked.map(drop).map_err(|_away| away()));
            }
        }
        let seq = frame.as_ref().and_then(|frame| frame.get("seq")).and_then(Value::as_u64);
        let checked = self.robots.guards.spend(&self.principal, Rate::Motion);
        let read = checked.and_then(|()| match frame {
            Some(frame) => Ok(frame),
            None => json::parse::<Map<String, Value>>(bytes),
        });
        let sent = read.and_then(|mut frame| {
            for field in ["id", "by", "socket", "closed"] {
                if frame.contains_key(field) {
                    let detail = format!("The JSON does not fit: unknown field `{field}`.");
                    return Err(Problem::bad_request(detail).field(field));
                }
            }
            frame.insert("socket".to_owned(), self.socket.name().into());
            let id = format!("{}:{}", self.socket.name(), seq.unwrap_or_default());
            link.send(&self.robot, Kind::Teleop, Some(&id), Some(&by), frame).map_err(|_away| away())
        });
        (seq, sent)
    }

    /// Why it ends, where it is not the client's wish.
    async fn write(
        &self,
        sink: &mut SplitSink<WebSocket, Message>,
        mut refusals: Refusals,
        mut own_refusals: mpsc::Receiver<Value>,
        driving_until: tokio::sync::watch::Receiver<Instant>,
    ) -> Option<CloseFrame> {
        let mut states = States::of(&self.robots, &self.robot, STATE_HZ);
        loop {
            let mut messages = Vec::with_capacity(2);
            tokio::select! {
                Some(refused) = refusals.recv() => {
                    if is_over(&refused) {
                        let reason = "replaced: this token opened another teleop socket".into();
                        return Some(CloseFrame { code: REPLACED, reason });
                    }
                    messages.push(json!({ "refused": told(&refused) }));
                }
                Some(refused) = own_refusals.recv() => messages.push(json!({ "refused": refused })),
                (newest, _skipped) = states.next() => {
                    let state: Value = serde_json::from_slice(&newest.body).unwrap_or_default();
                    if Instant::now() < *driving_until.borrow() {
                        messages.push(json!({ "seen": state["seen"] }));
                    }
                    messages.push(json!({ "state": state }));
                }
            }
            for message in messages {
                let sent = timeout(SEND_MAX, sink.send(Message::Text(message.to_string().into()))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return None;
                }
            }
        }
    }
}

/// The robot knows this socket no more: a newer one of the token took its place.
fn is_over(refused: &CommandResult) -> bool {
    refused.status == 404
}

/// A refusal as a client reads it.
fn told(refused: &CommandResult) -> Value {
    let seq = refused.id.rsplit_once(':').and_then(|(_, seq)| seq.parse::<u64>().ok());
    json!({ "seq": seq, "status": refused.status, "type": refused.r#type, "detail": refused.detail })
}
