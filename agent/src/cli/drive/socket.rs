//! The teleop socket: opens it, opens it again when it breaks, and turns its messages into events. It keeps no frame for
//! later: what cannot be sent now is dropped, because it would be old.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Upgraded;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::cli::client::Client;
use crate::cli::state::{Seen, State};

const TELEOP: &str = "/api/robot/teleop";
/// Close code: this token opened another teleop socket.
const REPLACED: u16 = 4001;
/// Close code: this token was revoked.
const POLICY: u16 = 1008;
const RETRY_MIN: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(4);
/// A robot sends its state ten times a second; one that says nothing for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(3);

/// What the robot, or the way to it, tells.
#[derive(Debug)]
pub(super) enum FromAgent {
    /// The socket is open, a new one.
    Opened,
    State(Box<State>),
    Seen(Seen),
    Refused(Refusal),
    /// There is no socket; it is tried again.
    Away(String),
    /// Another `drive` or page with this token took over; [`ToAgent::Reopen`] takes it back.
    Replaced,
    /// There is no point in trying again.
    Over(String),
}

/// A refused frame.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) detail: String,
}

/// What goes to the robot.
#[derive(Debug)]
pub(super) enum ToAgent {
    Frame(Value),
    /// Open the socket again after it was replaced.
    Reopen,
}

/// One message of the robot. Each has one of these.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Incoming {
    state: Option<Box<State>>,
    seen: Option<Seen>,
    refused: Option<Refusal>,
}

/// Why an open socket ended.
enum Ending {
    Broken(String),
    Replaced,
    Revoked,
    /// This program ends.
    Done,
}

/// Keeps a socket open until the other end of `outgoing` is dropped.
pub(super) async fn run(client: Client, mut outgoing: Receiver<ToAgent>, events: Sender<FromAgent>) {
    let mut retry = RETRY_MIN;
    loop {
        let event = match client.web_socket(TELEOP).await {
            Err(failure) => FromAgent::Away(failure.to_string()),
            Ok(socket) => {
                retry = RETRY_MIN;
                // What was meant for an earlier socket is old.
                while outgoing.try_recv().is_ok() {}
                if events.send(FromAgent::Opened).await.is_err() {
                    return;
                }
                match pump(socket, &mut outgoing, &events).await {
                    Ending::Broken(why) => FromAgent::Away(why),
                    Ending::Replaced => FromAgent::Replaced,
                    Ending::Revoked => FromAgent::Over("this token was revoked".to_owned()),
                    Ending::Done => return,
                }
            }
        };
        let (waits_for_reopen, over) =
            (matches!(event, FromAgent::Replaced), matches!(event, FromAgent::Over(_)));
        if events.send(event).await.is_err() || over {
            return;
        }
        if !pause(&mut outgoing, (!waits_for_reopen).then_some(retry)).await {
            return;
        }
        retry = (retry * 2).min(RETRY_MAX);
    }
}

/// Waits, or for ever until [`ToAgent::Reopen`]. False: this program ends.
async fn pause(outgoing: &mut Receiver<ToAgent>, wait: Option<Duration>) -> bool {
    let until = wait.map(|wait| tokio::time::Instant::now() + wait);
    loop {
        let message = match until {
            Some(until) => tokio::time::timeout_at(until, outgoing.recv()).await,
            None => Ok(outgoing.recv().await),
        };
        match message {
            Err(_elapsed) => return true,
            Ok(None) => return false,
            Ok(Some(ToAgent::Reopen)) if until.is_none() => return true,
            Ok(Some(_)) => {}
        }
    }
}

async fn pump(
    mut socket: WebSocketStream<Upgraded>,
    outgoing: &mut Receiver<ToAgent>,
    events: &Sender<FromAgent>,
) -> Ending {
    loop {
        tokio::select! {
            message = outgoing.recv() => match message {
                None => {
                    // The last zero is out. The robot ends our motion with the socket anyway.
                    drop(socket.close(None).await);
                    return Ending::Done;
                }
                Some(ToAgent::Reopen) => {}
                Some(ToAgent::Frame(frame)) => {
                    if let Err(error) = socket.send(Message::Text(frame.to_string().into())).await {
                        return Ending::Broken(format!("the connection broke: {error}"));
                    }
                }
            },
            message = tokio::time::timeout(SILENCE_MAX, socket.next()) => {
                let Ok(message) = message else {
                    return Ending::Broken("the robot has not said anything for a while".to_owned());
                };
                match take(message) {
                    Ok(None) => {}
                    Ok(Some(event)) => {
                        if events.send(event).await.is_err() {
                            return Ending::Done;
                        }
                    }
                    Err(ending) => return ending,
                }
            }
        }
    }
}

fn take(message: Option<Result<Message, Error>>) -> Result<Option<FromAgent>, Ending> {
    let bytes = match message {
        Some(Ok(Message::Text(text))) => text,
        Some(Ok(Message::Close(frame))) => {
            return Err(ending(frame.map(|frame| (frame.code.into(), frame.reason.to_string()))));
        }
        Some(Ok(_)) => return Ok(None),
        Some(Err(error)) => return Err(Ending::Broken(format!("the connection broke: {error}"))),
        None => return Err(Ending::Broken("the robot closed the connection".to_owned())),
    };
    // A message of a newer robot that this one cannot read is not worth losing the robot for.
    let Ok(incoming) = serde_json::from_str::<Incoming>(&bytes) else { return Ok(None) };
    Ok(match incoming {
        Incoming { state: Some(state), .. } => Some(FromAgent::State(state)),
        Incoming { refused: Some(refusal), .. } => Some(FromAgent::Refused(refusal)),
        Incoming { seen: Some(seen), .. } => Some(FromAgent::Seen(seen)),
        _ => None,
    })
}

fn ending(frame: Option<(u16, String)>) -> Ending {
    match frame {
        Some((REPLACED, _)) => Ending::Replaced,
        Some((POLICY, _)) => Ending::Revoked,
        Some((_, reason)) if !reason.is_empty() => {
            Ending::Broken(format!("the robot closed the connection: {reason}"))
        }
        _ => Ending::Broken("the robot closed the connection".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

    use super::*;

    fn heard(text: &str) -> Option<FromAgent> {
        take(Some(Ok(Message::text(text)))).ok().flatten()
    }

    fn ends(code: u16) -> Option<Ending> {
        let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
        take(Some(Ok(Message::Close(Some(frame))))).err()
    }

    #[test]
    fn every_message_of_the_contract_is_understood() {
        // And one that is not understood does not cost the connection.
        let state = heard(r#"{"state":{"robot":"robbie","seen":{"run":"0a","mono_ms":5}}}"#);
        assert!(
            matches!(state, Some(FromAgent::State(state)) if state.seen.as_ref().is_some_and(|seen| seen.mono_ms == 5))
        );
        assert!(
            matches!(heard(r#"{"seen":{"run":"0a","mono_ms":6}}"#), Some(FromAgent::Seen(seen)) if seen.mono_ms == 6)
        );
        let refused = heard(
            r#"{"refused":{"seq":3,"status":409,"type":"/problems/neutral-first","detail":"let go first"}}"#,
        );
        assert!(
            matches!(refused, Some(FromAgent::Refused(refusal)) if refusal.status == 409 && refusal.detail == "let go first")
        );
        for other in ["{}", "[]", "no json", r#"{"news":1}"#] {
            assert!(heard(other).is_none(), "{other}");
        }
    }

    #[test]
    fn replaced_and_revoked_are_not_tried_again_like_a_broken_line() {
        // Two places that reconnect by themselves would throw each other out for ever.
        assert!(matches!(ends(4001), Some(Ending::Replaced)));
        assert!(matches!(ends(1008), Some(Ending::Revoked)));
        assert!(matches!(ends(1001), Some(Ending::Broken(_))));
        assert!(matches!(take(None), Err(Ending::Broken(_))));
    }
}
