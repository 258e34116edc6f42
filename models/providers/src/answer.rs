//! One question on its way and its answer as it comes: a response that ends with the stream it is read into.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::stream::{Stream, unfold};
use models_mind::tier::{Asked, Delta, Failure, FailureKind};
use reqwest::{Method, Request, Response};
use tokio::time::timeout;

use crate::failure::{Wrong, refusal, retry_after};
use crate::frames::{Frames, NoFrame};
use crate::heard::Heard;
use crate::provider::Target;
use crate::wire::{self, Reader};

/// As much of an error is read, bytes, and for as long: mostly it comes with its status.
const ERROR_BYTES_MAX: usize = 16 * 1024;
const ERROR_WAIT_MAX: Duration = Duration::from_millis(20);
/// So long is the end of the body waited for, once the answer has ended.
const BODY_END_WAIT_MAX: Duration = Duration::from_millis(50);

enum Stage {
    Unasked(Arc<Asked>),
    Reading(Box<Reading>),
    /// The answer has ended. Whoever polls once more, to see that nothing comes, lets the connection be used again.
    Ended(Box<Reading>),
    Over,
}

/// Dropping it closes the connection, unless its end has been read.
struct Reading {
    response: Response,
    frames: Frames,
    reader: Box<dyn Reader>,
    heard: Heard,
    wrong: Option<Wrong>,
}

pub(crate) fn stream(
    target: Arc<Target>,
    asked: Arc<Asked>,
) -> impl Stream<Item = Result<Delta, Failure>> + Send {
    unfold((target, Stage::Unasked(asked)), |(target, stage)| async move {
        let (item, stage) = match stage {
            Stage::Unasked(asked) => match target.ask(&asked).await {
                Ok(reading) => (Ok(Delta::Connected), Stage::Reading(Box::new(reading))),
                Err(failure) => (Err(failure), Stage::Over),
            },
            Stage::Reading(mut reading) => match reading.next().await {
                Ok(delta @ Delta::Finished { .. }) => (Ok(delta), Stage::Ended(reading)),
                Ok(delta) => (Ok(delta), Stage::Reading(reading)),
                Err(wrong) => (Err(target.failure(wrong, None)), Stage::Over),
            },
            Stage::Ended(mut reading) => {
                timeout(BODY_END_WAIT_MAX, reading.leave()).await.ok();
                return None;
            }
            Stage::Over => return None,
        };
        Some((item, (target, stage)))
    })
}

impl Target {
    async fn ask(&self, asked: &Asked) -> Result<Reading, Failure> {
        let mut request = Request::new(Method::POST, self.url.clone());
        request.headers_mut().clone_from(&self.headers);
        *request.body_mut() = Some(wire::body(self.kind, &self.model, asked).into());
        let response = match self.http.execute(request).await {
            Ok(response) => response,
            Err(error) => return Err(self.failure(self.unsent(&error), None)),
        };
        if !response.status().is_success() {
            let wait = retry_after(response.headers(), SystemTime::now());
            let status = response.status();
            return Err(self.failure(refusal(status, &beginning(response).await), wait));
        }
        Ok(Reading {
            response,
            frames: Frames::new(wire::shape(self.kind)),
            reader: wire::reader(self.kind),
            heard: Heard::new(Arc::clone(&self.ids)),
            wrong: None,
        })
    }

    fn failure(&self, wrong: Wrong, wait: Option<Duration>) -> Failure {
        wrong.failure(self.kind.name(), self.key.as_ref(), wait)
    }

    /// The error's own words stay out: they hold the address, and nobody knows what else.
    fn unsent(&self, error: &reqwest::Error) -> Wrong {
        let host = self.url.host_str().unwrap_or_default();
        if error.is_connect() {
            let port = self.url.port_or_known_default().unwrap_or_default();
            return Wrong::new(FailureKind::Refused, format!("cannot be reached at {host}:{port}"));
        }
        Wrong::new(FailureKind::Cut, "hung up before it answered")
    }
}

impl Reading {
    async fn next(&mut self) -> Result<Delta, Wrong> {
        loop {
            if let Some(delta) = self.heard.next() {
                return Ok(delta);
            }
            // What was said before something went wrong comes before it.
            if let Some(wrong) = self.wrong.take() {
                return Err(wrong);
            }
            self.wrong = self.more().await.err();
        }
    }

    async fn more(&mut self) -> Result<(), Wrong> {
        if let Some(frame) = self.frames.next().map_err(no_frame)? {
            return self.reader.read(&frame, &mut self.heard);
        }
        match self.response.chunk().await {
            Ok(Some(bytes)) => self.frames.push(&bytes),
            Ok(None) => self.end()?,
            // The answer was whole; what it took is lost.
            Err(_) if self.heard.is_finishing() => self.heard.complete()?,
            Err(_) => return Err(Wrong::new(FailureKind::Cut, "broke the answer off")),
        }
        Ok(())
    }

    /// The body has ended. A last frame without its end is taken if it is whole; if not, the body was cut in it.
    fn end(&mut self) -> Result<(), Wrong> {
        match self.frames.rest().map(|frame| self.reader.read(&frame, &mut self.heard)) {
            Some(Err(wrong)) if wrong.kind != FailureKind::Malformed => return Err(wrong),
            _ if self.heard.is_complete() => return Ok(()),
            _ => {}
        }
        self.heard.complete()
    }

    /// Reads the body to its end.
    async fn leave(&mut self) {
        while let Ok(Some(_)) = self.response.chunk().await {}
    }
}

fn no_frame(reason: NoFrame) -> Wrong {
    Wrong::malformed(match reason {
        NoFrame::TooLong => "sends more than 1 MiB in one piece",
        NoFrame::NotText => "sends what is no text",
    })
}

/// As much of an error's text as is there, or comes at once.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = async {
        while body.len() < ERROR_BYTES_MAX
            && let Ok(Some(bytes)) = response.chunk().await
        {
            body.extend_from_slice(&bytes);
        }
    };
    // Late or not, what has come is used.
    timeout(ERROR_WAIT_MAX, reading).await.ok();
    body.truncate(ERROR_BYTES_MAX);
    body
}
