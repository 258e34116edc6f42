//! State as a stream, over WebSocket or server-sent events. A slow reader skips to the newest and is told how many states
//! it missed.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::response::sse::Event;
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::robot::Robot;
use super::teleop::POLICY;
use super::wire::state::State;

/// A client that takes no byte for so long is closed.
const SEND_MAX: Duration = Duration::from_secs(5);

/// One message of a stream.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    state: State,
    /// States that the reader was too slow to get before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<u64>,
}

/// Times a stream and counts what a slow reader missed.
#[derive(Debug)]
struct Pace {
    interval: Interval,
    last: Option<Instant>,
}

impl Pace {
    fn new(hz: u32) -> Self {
        let mut interval = interval(Duration::from_secs(1) / hz);
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self { interval, last: None }
    }

    /// Waits for the next turn and says how many were missed.
    async fn turn(&mut self) -> Option<u64> {
        let now = self.interval.tick().await;
        let earlier = self.last.replace(now)?;
        let periods = (now - earlier).as_micros() / self.interval.period().as_micros();
        u64::try_from(periods).ok().and_then(|periods| periods.checked_sub(1)).filter(|missed| *missed > 0)
    }
}

fn shown(robot: &Robot, skipped: Option<u64>) -> String {
    let shown = Shown { state: State::of(&robot.drive.snapshot(), &robot.identity), skipped };
    serde_json::to_string(&shown).unwrap_or_default()
}

/// Serves one WebSocket until the client leaves; `revoked` ends it.
pub async fn serve_socket(mut socket: WebSocket, robot: Robot, hz: u32, revoked: impl Future<Output = ()>) {
    let mut pace = Pace::new(hz);
    tokio::pin!(revoked);
    loop {
        tokio::select! {
            skipped = pace.turn() => {
                let message = Message::Text(shown(&robot, skipped).into());
                let sent = tokio::time::timeout(SEND_MAX, socket.send(message)).await;
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
                drop(tokio::time::timeout(SEND_MAX, socket.send(Message::Close(Some(goodbye)))).await);
                return;
            }
        }
    }
}

/// States as server-sent events until the client leaves or `revoked`.
pub fn events(
    robot: Robot,
    hz: u32,
    revoked: impl Future<Output = ()> + Send + 'static,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    futures_util::stream::unfold((Pace::new(hz), robot), |(mut pace, robot)| async move {
        let skipped = pace.turn().await;
        let event = Event::default().data(shown(&robot, skipped));
        Some((Ok(event), (pace, robot)))
    })
    .take_until(Box::pin(revoked))
}
