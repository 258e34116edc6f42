//! An answer piece by piece, as server-sent events of OpenAI's `chat.completion.chunk`. A stream begins with the first words or
//! calls: before them a refusal is an answer of its own. When the client leaves, the work upstream ends.

use std::convert::Infallible;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use models_mind::router::End;
use models_mind::tier::Tier;
use serde::Serialize;
use serde_json::{Value, json};

use super::completions::{Head, called, counted, no_answer, reason};
use super::{MODEL, refusal};
use crate::chain::{Answering, Piece};
use crate::problem::Answer;

/// A stream under way.
struct Streamed {
    head: Head,
    tier: Tier,
    answering: Answering,
    wants_usage: bool,
    /// What is sent before anything else is taken.
    ready: std::collections::VecDeque<String>,
    is_over: bool,
}

/// Answers with a stream.
///
/// # Errors
/// Nobody answers.
pub(super) async fn answer(head: Head, mut answering: Answering, wants_usage: bool) -> Answer<Response> {
    let mut tier = Tier::None;
    let first = loop {
        match answering.next().await {
            Some(Piece::From(from)) => tier = from,
            Some(Piece::End(end @ (End::Nobody { .. } | End::Broken { .. }))) => return Err(no_answer(end)),
            Some(piece) => break piece,
            None => return Err(crate::problem::Problem::tier_down("The answer broke off.")),
        }
    };
    let mut streamed =
        Streamed { head, tier, answering, wants_usage, ready: Default::default(), is_over: false };
    streamed.chunk(Delta { role: Some("assistant"), content: Some(""), ..Delta::default() }, None);
    streamed.take(first);
    let events = stream::unfold(streamed, |mut streamed| async {
        let data = streamed.next().await?;
        Some((Ok::<_, Infallible>(Event::default().data(data)), streamed))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

impl Streamed {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(data) = self.ready.pop_front() {
                return Some(data);
            }
            if self.is_over {
                return None;
            }
            match self.answering.next().await {
                Some(piece) => self.take(piece),
                None => self.is_over = true,
            }
        }
    }

    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::From(tier) => self.tier = tier,
            Piece::Text(words) => self.chunk(Delta { content: Some(&words), ..Delta::default() }, None),
            Piece::Calls(calls) => {
                let numbered = calls.iter().enumerate().map(|(index, call)| {
                    let mut call = called(call);
                    call["index"] = json!(index);
                    call
                });
                self.chunk(Delta { tool_calls: numbered.collect(), ..Delta::default() }, None);
            }
            Piece::End(End::Answered { tier, finish, usage }) => {
                self.tier = tier;
                self.chunk(Delta::default(), Some(reason(finish)));
                if self.wants_usage {
                    let last = self.written(&[], Some(counted(usage)));
                    self.ready.push_back(last);
                }
                self.ready.push_back("[DONE]".to_owned());
                self.is_over = true;
            }
            Piece::End(end) => {
                self.ready.push_back(refusal::in_stream(&no_answer(end)).to_string());
                self.is_over = true;
            }
        }
    }

    fn chunk(&mut self, delta: Delta<'_>, finish_reason: Option<&'static str>) {
        let choice = Choice { index: 0, delta, finish_reason, logprobs: None };
        // The last one has the usage; clients look for it in all of them.
        let usage = self.wants_usage.then_some(Value::Null);
        let chunk = self.written(&[choice], usage);
        self.ready.push_back(chunk);
    }

    fn written(&self, choices: &[Choice<'_>], usage: Option<Value>) -> String {
        let chunk = Chunk {
            id: &self.head.id,
            object: "chat.completion.chunk",
            created: self.head.created,
            model: MODEL,
            tier: self.tier,
            choices,
            usage,
        };
        // Our own types always become JSON.
        serde_json::to_string(&chunk).unwrap_or_default()
    }
}

/// One event of an answer.
#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'static str,
    tier: Tier,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    delta: Delta<'a>,
    finish_reason: Option<&'static str>,
    logprobs: Option<()>,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Value>,
}
