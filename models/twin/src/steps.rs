//! A body that is sent step by step.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use futures_util::stream::unfold;
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Frame};

use crate::state::UnderWay;

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Send(Bytes),
    Wait(Duration),
    /// Lets what was sent go out on its own.
    Flush,
    /// Nothing more, but the connection stays.
    Stall,
    /// The connection breaks.
    Cut,
    /// The same again and again.
    ForEver(Bytes, Duration),
}

/// The request is over with the body's last step; a body that is dropped before was given up by its client.
pub(crate) fn body(steps: VecDeque<Step>, under_way: UnderWay) -> Body {
    let frames = unfold((steps, under_way), |(mut steps, mut under_way)| async move {
        loop {
            match steps.pop_front() {
                None => {
                    under_way.over();
                    return None;
                }
                Some(Step::Send(bytes)) => return Some((Ok(Frame::data(bytes)), (steps, under_way))),
                Some(Step::Wait(wait)) => tokio::time::sleep(wait).await,
                Some(Step::Flush) => tokio::task::yield_now().await,
                Some(Step::Stall) => std::future::pending().await,
                Some(Step::Cut) => {
                    // What was sent before is to arrive.
                    tokio::task::yield_now().await;
                    under_way.over();
                    return Some((Err(io::ErrorKind::ConnectionAborted.into()), (steps, under_way)));
                }
                Some(Step::ForEver(bytes, between)) => {
                    tokio::time::sleep(between).await;
                    steps.push_front(Step::ForEver(bytes.clone(), between));
                    return Some((Ok(Frame::data(bytes)), (steps, under_way)));
                }
            }
        }
    });
    StreamBody::new(frames).boxed_unsync()
}
