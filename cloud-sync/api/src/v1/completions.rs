//! `POST /v1/chat/completions`: one answer of the chain, whole or piece by piece.

use axum::extract::State;
use axum::response::Response;
use cloud_sync_protocol::store::MemoryStore;
use http::StatusCode;
use jiff::Timestamp;
use models_mind::router::End;
use models_mind::tier::{Called, Finish, Message, Tier, Usage};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::question::CompletionBody;
use super::{ASK, MODEL, V1, stream};
use crate::access::{Guards, Principal};
use crate::chain::{Piece, Question};
use crate::json::{self, Body};
use crate::openapi::ApiRouter;
use crate::problem::{Answer, Problem};

/// Bytes of a body: a long conversation with its tools.
const BODY_BYTES_MAX: usize = 256 * 1024;

pub(super) fn routes<M: MemoryStore>(guards: &Guards, v1: V1<M>) -> ApiRouter {
    let complete = complete::<M>;
    ApiRouter::new(guards).route(ASK, routes!(complete)).with_state(v1)
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
struct Completion {
    /// Names it.
    id: String,
    /// Always `chat.completion`.
    object: &'static str,
    /// Seconds since 1970.
    created: i64,
    /// `robbie`.
    model: &'static str,
    /// Who answered: `ollama`, `openai`, `claude`, `gemini`, `cloud`, or `cached`: an answer that was given before to the very
    /// same question, because nobody answers now.
    tier: Tier,
    /// One: `{index: 0, message: {role: "assistant", content, tool_calls?}, finish_reason}`.
    #[schema(value_type = Vec<Object>)]
    choices: [Value; 1],
    /// `{prompt_tokens, completion_tokens, total_tokens}`.
    #[schema(value_type = Object)]
    usage: Value,
}

/// What stands in every answer and every event of it.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) created: i64,
}

impl Head {
    fn draw() -> Answer<Self> {
        let mut random = [0; 12];
        getrandom::fill(&mut random)
            .map_err(|error| Problem::memory_down(format!("The system gives no randomness: {error}.")))?;
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id: format!("chatcmpl-{id}"), created: Timestamp::now().as_second() })
    }
}

/// Ask the chain as any OpenAI client does: the same request, the same answer, the same events, and `tier` beside. It carries no
/// call out: what the model calls comes back in `tool_calls`, and the client says what became of it in its next request.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "openai", request_body = CompletionBody,
    responses((status = 200, description = "The answer; with `stream` as `text/event-stream`, the last event is `[DONE]`.", body = Completion),
              (status = 404, description = "There is no such model.", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "A number is out of its range.", body = Problem, content_type = "application/problem+json"),
              (status = 503, description = "No tier answers; `tiers` says why.", body = Problem, content_type = "application/problem+json")))]
async fn complete<M: MemoryStore>(
    State(v1): State<V1<M>>,
    principal: Principal,
    Body(body): Body<CompletionBody, BODY_BYTES_MAX>,
) -> Answer<Response> {
    let (is_stream, wants_usage) = (body.stream, body.wants_usage());
    let town = v1.homes.of(&principal).town;
    let scope = format!("{town}\n{}\n{}", principal.user_id(), body.user());
    let asked = body.asked()?;
    // What became of a call is of this moment.
    let is_keepable = !asked.messages.iter().any(|message| matches!(message, Message::Result { .. }));
    let question = Question { scope, asked, is_keepable };
    let head = Head::draw()?;
    let mut answering = v1.chain.ask(question);
    if is_stream {
        return stream::answer(head, answering, wants_usage).await;
    }
    let (mut text, mut calls) = (String::new(), Vec::new());
    loop {
        match answering.next().await {
            Some(Piece::From(_)) => {}
            Some(Piece::Text(words)) => text.push_str(&words),
            Some(Piece::Calls(called)) => calls = called,
            Some(Piece::End(End::Answered { tier, finish, usage })) => {
                let completion = Completion {
                    id: head.id,
                    object: "chat.completion",
                    created: head.created,
                    model: MODEL,
                    tier,
                    choices: [choice(text, &calls, finish)],
                    usage: counted(usage),
                };
                return Ok(json::answer(StatusCode::OK, &completion));
            }
            Some(Piece::End(end)) => return Err(no_answer(end)),
            None => return Err(Problem::tier_down("The answer broke off.")),
        }
    }
}

fn choice(text: String, calls: &[Called], finish: Finish) -> Value {
    let content = if text.is_empty() && !calls.is_empty() { Value::Null } else { Value::from(text) };
    let mut message = json!({ "role": "assistant", "content": content, "refusal": null });
    if !calls.is_empty() {
        message["tool_calls"] = Value::from_iter(calls.iter().map(called));
    }
    json!({ "index": 0, "message": message, "finish_reason": reason(finish), "logprobs": null })
}

/// A call as OpenAI writes it: clients read an object from its arguments, also where there are none.
pub(super) fn called(call: &Called) -> Value {
    let arguments = match &call.arguments {
        Value::Null => "{}".to_owned(),
        arguments => arguments.to_string(),
    };
    json!({
        "id": call.id,
        "type": "function",
        "function": { "name": call.name, "arguments": arguments },
    })
}

/// OpenAI's word for why an answer ended.
pub(super) const fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Calls => "tool_calls",
    }
}

/// What an answer took, as OpenAI writes it.
pub(super) fn counted(usage: Usage) -> Value {
    let Usage { input_tokens, output_tokens } = usage;
    json!({
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": u64::from(input_tokens) + u64::from(output_tokens),
    })
}

/// Why there is no answer, or no whole one.
pub(super) fn no_answer(end: End) -> Problem {
    let (why, retry_after) = match end {
        End::Nobody { why, retry_after } => (why, retry_after),
        End::Broken { tier, why } => (vec![(tier, why)], None),
        End::Answered { tier, .. } => (vec![(tier, "It answered.".to_owned())], None),
    };
    let said = |(tier, why): &(Tier, String)| json!({ "tier": tier, "why": why });
    let tiers: Vec<Value> = why.iter().map(said).collect();
    let detail = match why.as_slice() {
        [] => "No tier of the chain is set up: GET /api/ai/tiers says what sets them up.".to_owned(),
        why => {
            let reasons: Vec<&str> = why.iter().map(|(_, why)| why.as_str()).collect();
            format!("No tier of the chain answers: {}", reasons.join(" "))
        }
    };
    let problem = Problem::tier_down(detail).fact("tiers", tiers);
    match retry_after {
        Some(wait) => problem.fact("retry_after_ms", u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        None => problem,
    }
}
