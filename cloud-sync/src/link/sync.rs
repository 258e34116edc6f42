//! Frames of sync over the broker: each is answered as over HTTP, and robots are told at once that there is something new.

use cloud_sync_protocol::sync::frame::{Frame, Poke};
use cloud_sync_protocol::sync::op::Scope;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::broadcast::error::RecvError;

use super::{FrameUp, FramesUp, Link};
use crate::store::{Changed, Rows};
use crate::sync::{self, Reply};

/// Frames that are answered at the same time: as many as connections to the database would do. A robot has one under way.
const ANSWERING_MAX: usize = 16;

/// Answers frames for ever.
pub async fn answer(link: Link, rows: Rows, mut frames: FramesUp) {
    let mut answering = FuturesUnordered::new();
    loop {
        tokio::select! {
            frame = frames.recv(), if answering.len() < ANSWERING_MAX => match frame {
                Some(frame) => answering.push(answer_one(&link, &rows, frame)),
                None => return,
            },
            Some(()) = answering.next(), if !answering.is_empty() => {}
        }
    }
}

async fn answer_one(link: &Link, rows: &Rows, up: FrameUp) {
    let FrameUp { robot, frame } = up;
    match sync::answer(rows, &robot, &frame).await {
        // Where it does not arrive the robot says it again, over HTTP.
        Ok(Reply::Frame(answer)) => link.send_frame(&robot.id, answer).unwrap_or_default(),
        // Whoever published it need not be the robot, whose conversation such an answer would end. Over HTTP it is told why.
        Ok(Reply::NoFrame(_) | Reply::TooNew) => {}
        Err(error) => tracing::debug!(robot = %robot.id, %error, "a frame finds no database"),
    }
}

/// Tells robots of changes for ever. What they do not hear they find when they ask by themselves.
pub async fn tell(link: Link, rows: Rows) {
    let mut changes = rows.changes();
    loop {
        match changes.recv().await {
            Ok(changed) => tell_one(&link, &changed),
            Err(RecvError::Lagged(missed)) => tracing::debug!(missed, "robots hear late of changes"),
            Err(RecvError::Closed) => return,
        }
    }
}

fn tell_one(link: &Link, changed: &Changed) {
    if changed.town != *link.town() {
        return;
    }
    for robot in link.online() {
        let heads = changed.heads.iter().filter(|(scope, _)| match scope {
            Scope::Town => true,
            Scope::User(user) => *user == robot.user,
        });
        for (scope, head) in heads {
            if let Ok(frame) = Frame::Poke(Poke { scope: scope.clone(), head: *head }).encode() {
                link.send_frame(&robot.id, frame).unwrap_or_default();
            }
        }
    }
}
