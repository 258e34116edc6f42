//! How a frame gets to the cloud and its answer back: over the broker where one is connected and answers, else over HTTP.

use std::time::Duration;

use cloud_sync_protocol::sync::frame::{Frame, FrameError};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::cloud::{Cloud, CloudError};

/// An answer over the broker takes as long at most; a server that is there answers in milliseconds.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// How long the broker is left alone after it swallowed a frame. Whatever it keeps for us meanwhile is passed over.
const AVOID: Duration = Duration::from_secs(30);

/// The broker's end of sync: frames up, frames down. Both queues are bounded; a frame that finds no place is sent over HTTP.
#[derive(Debug)]
pub struct Broker {
    /// To the cloud.
    pub up: mpsc::Sender<Vec<u8>>,
    /// From the cloud.
    pub down: mpsc::Receiver<Vec<u8>>,
    /// Whether there is a connection.
    pub is_connected: watch::Receiver<bool>,
}

/// Both ways.
#[derive(Debug)]
pub struct Paths {
    cloud: Cloud,
    secret: String,
    broker: Broker,
    avoid_until: Option<Instant>,
}

impl Paths {
    /// To the cloud that knows this secret.
    #[must_use]
    pub const fn new(cloud: Cloud, secret: String, broker: Broker) -> Self {
        Self { cloud, secret, broker, avoid_until: None }
    }

    /// The broker's end, for the next who needs it.
    #[must_use]
    pub fn into_broker(self) -> Broker {
        self.broker
    }

    /// The cloud.
    #[must_use]
    pub const fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// The device's secret.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether the next frame goes over the broker.
    #[must_use]
    pub fn is_over_broker(&self) -> bool {
        *self.broker.is_connected.borrow() && self.avoid_until.is_none_or(|until| Instant::now() >= until)
    }

    /// Hands a frame over, and brings what came back: the answer, and whatever came before it.
    ///
    /// # Errors
    /// [`CloudError`]; then nobody knows whether the frame arrived.
    pub async fn exchange(&mut self, frame: &Frame) -> Result<Vec<Frame>, CloudError> {
        let bytes = frame.encode()?;
        if self.is_over_broker() {
            match self.over_broker(frame.session(), bytes.clone()).await {
                Some(answers) => return Ok(answers),
                None => self.avoid_until = Some(Instant::now() + AVOID),
            }
        }
        self.cloud.exchange(&self.secret, &bytes).await
    }

    /// `None` where the broker did not bring an answer.
    async fn over_broker(&mut self, session: Option<u64>, bytes: Vec<u8>) -> Option<Vec<Frame>> {
        let deadline = Instant::now() + ANSWER_MAX;
        let mut frames = Vec::new();
        // What lies here answers an earlier frame, which was given up; what the cloud says by itself still counts.
        while let Ok(bytes) = self.broker.down.try_recv() {
            frames.extend(read(&bytes).filter(|frame| matches!(frame, Frame::Poke(_))));
        }
        self.broker.up.try_send(bytes).ok()?;
        loop {
            let bytes = tokio::time::timeout_at(deadline, self.broker.down.recv()).await.ok()??;
            let Some(frame) = read(&bytes) else { continue };
            let is_poke = matches!(frame, Frame::Poke(_));
            // A late one of a conversation before, or one to somebody else who spoke in our name, answers nothing: whoever took it
            // for the answer would be one behind from then on.
            let is_answer = frame.session() == session;
            if is_poke || is_answer {
                frames.push(frame);
            }
            if is_answer {
                return Some(frames);
            }
        }
    }

    /// The next frame that the cloud sends by itself. Without a connection none comes.
    pub async fn hear(&mut self) -> Frame {
        loop {
            match self.broker.down.recv().await {
                Some(bytes) => {
                    if let Some(frame) = read(&bytes) {
                        return frame;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }
}

/// What came over the broker; what is no frame is passed over and counted.
fn read(bytes: &[u8]) -> Option<Frame> {
    let why = match Frame::decode(bytes) {
        Ok(frame) => return Some(frame),
        Err(FrameError::Version(_)) => "too-new",
        Err(FrameError::Malformed | FrameError::TooLong) => "malformed",
    };
    metrics::counter!("robbie_sync_refused_total", "why" => why).increment(1);
    None
}

#[cfg(test)]
mod tests {
    use cloud_sync_protocol::sync::frame::{Poke, Pull, Refusal, Why};
    use cloud_sync_protocol::sync::op::Scope;

    use super::*;

    #[tokio::test]
    async fn an_answer_to_somebody_else_answers_nothing() {
        // Nor does what is no frame; what the cloud says by itself is handed on.
        rustls::crypto::ring::default_provider().install_default().ok();
        let (up, mut sent) = mpsc::channel(1);
        let (down, answers) = mpsc::channel(8);
        let (_connected, is_connected) = watch::channel(true);
        let broker = Broker { up, down: answers, is_connected };
        let cloud = Cloud::at("http://127.0.0.1:1").unwrap();
        let mut paths = Paths::new(cloud, "s3cret".to_owned(), broker);
        let asked = Frame::Pull(Pull {
            session: 7,
            incarnation: 1,
            scope: Scope::Town,
            cursor: 0,
            floor: 0,
            is_whole: false,
        });
        let refusal = |session| Frame::Refusal(Refusal { session, why: Why::GreetAgain });
        let poke = Frame::Poke(Poke { scope: Scope::Town, head: 3 });
        let cloud = async {
            sent.recv().await.unwrap();
            down.send(b"poison".to_vec()).await.unwrap();
            for frame in [&refusal(6), &poke, &refusal(7)] {
                down.send(frame.encode().unwrap()).await.unwrap();
            }
        };
        let (answered, ()) = tokio::join!(paths.exchange(&asked), cloud);
        assert_eq!(answered.unwrap(), [poke, refusal(7)]);
    }
}
