//! A robot's state as a stream, over WebSocket or server-sent events: as often as the robot shows it, and no more often than asked
//! for. A slow reader skips to the newest and is told how many states it missed.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use cloud_sync_api::access::Principal;
use cloud_sync_api::credentials::chosen_subprotocol;
use cloud_sync_api::params::{InPath, InQuery};
use cloud_sync_api::problem::{Answer, Problem};
use cloud_sync_protocol::town::RobotId;
use futures_util::{Stream, StreamExt};
use http::HeaderMap;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use utoipa::IntoParams;

use super::{Robots, away};
use crate::link::{Newest, Watching};

/// The largest message of a client.
pub(super) const MESSAGE_BYTES: usize = 16 * 1024;
/// A client that takes no byte for so long is closed.
pub(super) const SEND_MAX: Duration = Duration::from_secs(5);
/// Close code: the token died.
pub(super) const POLICY: u16 = 1008;

/// How often a stream shows the state.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct StreamQuery {
    /// States a second, 1 ..= 50; a robot shows at most ten through the cloud.
    #[param(minimum = 1, maximum = 50, default = 10)]
    hz: Option<u32>,
}

/// The state as a stream: a WebSocket, or server-sent events for a plain `GET`. A slow reader skips to the newest.
#[utoipa::path(get, path = "/api/robots/{robot}/stream", tag = "robot", params(("robot" = String, Path, description = "Robot id"), StreamQuery),
    responses((status = 101, description = "WebSocket, one State a message"),
              (status = 200, description = "Server-sent events, one State an event", body = serde_json::Value, content_type = "text/event-stream")))]
pub(super) async fn show(
    State(robots): State<Robots>,
    principal: Principal,
    InPath(robot): InPath<String>,
    InQuery(StreamQuery { hz }): InQuery<StreamQuery>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let robot = robots.find(&principal, &robot)?;
    let hz = hz.unwrap_or(10);
    if !(1..=50).contains(&hz) {
        return Err(Problem::out_of_range("hz", 1.0, 50.0));
    }
    if robots.link.status(&robot).is_none_or(|status| !status.online) {
        return Err(away());
    }
    let revoked = robots.tokens().clone().until_revoked(principal.token);
    let states = States::of(&robots, &robot, hz);
    Ok(match upgrade {
        Ok(upgrade) => upgrade
            .protocols(chosen_subprotocol(&headers))
            .max_message_size(MESSAGE_BYTES)
            .on_upgrade(move |socket| serve(socket, states, revoked))
            .into_response(),
        Err(_plain) => Sse::new(events(states, revoked)).keep_alive(KeepAlive::default()).into_response(),
    })
}

/// The states of one robot, at a pace.
pub(super) struct States {
    states: watch::Receiver<Option<Newest>>,
    _watching: Watching,
    period: Duration,
    last: Option<Instant>,
}

impl States {
    /// At most so often a second.
    pub(super) fn of(robots: &Robots, robot: &RobotId, hz: u32) -> Self {
        let mut states = robots.link.states(robot);
        // The one that lies there is shown first.
        states.mark_changed();
        let period = Duration::from_secs(1) / hz;
        Self { states, _watching: robots.link.watch(robot), period, last: None }
    }

    /// The next one, and how many turns were missed before it. Waits as long as the robot shows nothing.
    pub(super) async fn next(&mut self) -> (Newest, Option<u64>) {
        // The robot's own pace is not ours: a state a little early is in time.
        let early = self.period / 4;
        let due = self.last.map(|last| last + self.period - early);
        if let Some(due) = due {
            sleep_until(due).await;
        }
        loop {
            if self.states.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let Some(newest) = self.states.borrow_and_update().clone() else { continue };
            let now = Instant::now();
            // What waits while the client was slow is one turn late for each of its periods.
            let late = due.map_or(Duration::ZERO, |due| now.saturating_duration_since(due));
            let missed = late.as_millis() / (self.period.max(Duration::from_millis(100)).as_millis() * 2);
            self.last = Some(now);
            return (newest, u64::try_from(missed).ok().filter(|missed| *missed > 0));
        }
    }
}

/// A state as it came, with what was missed before it.
pub(super) fn text(newest: &Newest, skipped: Option<u64>) -> String {
    let body = String::from_utf8_lossy(&newest.body);
    match (skipped, body.trim_end().strip_suffix('}')) {
        (Some(skipped), Some(rest)) => format!("{rest},\"skipped\":{skipped}}}"),
        _ => body.into_owned(),
    }
}

async fn serve(mut socket: WebSocket, mut states: States, revoked: impl Future<Output = ()>) {
    tokio::pin!(revoked);
    loop {
        tokio::select! {
            (newest, skipped) = states.next() => {
                let sent = timeout(SEND_MAX, socket.send(Message::Text(text(&newest, skipped).into()))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return;
                }
            }
            message = socket.recv() => {
                // Whatever a client says here is not for us; only its leaving counts.
                if !matches!(message, Some(Ok(message)) if !matches!(message, Message::Close(_))) {
                    return;
                }
            }
            () = &mut revoked => {
                let goodbye = CloseFrame { code: POLICY, reason: "this token was revoked".into() };
                drop(timeout(SEND_MAX, socket.send(Message::Close(Some(goodbye)))).await);
                return;
            }
        }
    }
}

fn events(
    states: States,
    revoked: impl Future<Output = ()> + Send + 'static,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    futures_util::stream::unfold(states, |mut states| async move {
        let (newest, skipped) = states.next().await;
        Some((Ok(Event::default().data(text(&newest, skipped))), states))
    })
    .take_until(Box::pin(revoked))
}
