//! Talking to Robbie: `POST /api/chat`, and the messages of `/ws/chat`. A message is kept before anything is done about it, is
//! carried out at most once, and its answer is kept for whoever sends it again.
//!
//! "Stop" acts before anything else is looked at, rate and memory included. When its sender leaves, what a message moves ends.

mod reply;
mod rows;
mod running;
mod think;
mod turn;

use std::convert::Infallible;
use std::time::Instant;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use cloud_sync_protocol::chat::{KEY_BYTES_MAX, MESSAGE_BYTES_MAX, Said};
use cloud_sync_protocol::id::{NotAnId, RowId};
use cloud_sync_protocol::store::{ChatStore, MemoryStore, NoteStore, PersonaStore};
use futures_util::stream;
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};
use models_mind::bounds::Bounds;
use models_mind::reflex::{self, Heard, Meaning, Speaker};
use models_mind::skills::{Call, Skill};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::asked;
use super::body::Body;
use super::whose::Assistant;
use crate::access::{Guards, Principal, Rule};
use crate::chain::Chain;
use crate::json::{self, Body as JsonBody};
use crate::openapi::ApiRouter;
use crate::problem::{Answer, Problem};
use crate::rate::Rate;
use crate::scope::Scope;

pub(super) use reply::ChatEvent;
pub use reply::{ChatReply, Status, Tier, ToolCall};
use running::{Attendance, Name, Outcome, Running};
use turn::Arrived;

/// Who may talk. Drawn from the bucket of writes; that of chats comes later, because "stop" must not wait for it.
const TALK: Rule = Rule::scope(Scope::Speak, Rate::Write);
/// Names a message, so that it can be sent again.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Events that wait for whoever listens.
const EVENTS_MAX: usize = 64;
/// The skills that need nothing but the assistant's own rows.
const OWN_SKILLS: [Skill; 4] = [Skill::Stop, Skill::Remember, Skill::Recall, Skill::SetMood];

/// What a chat needs of a store.
pub trait ChatStores: ChatStore + NoteStore + PersonaStore {}

impl<S: ChatStore + NoteStore + PersonaStore> ChatStores for S {}

/// What the handlers share. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Chat<S, M, B> {
    rows: Assistant<S>,
    memory: M,
    body: B,
    chain: Chain,
    guards: Guards,
    running: Running,
}

impl<S, M, B: Body> Chat<S, M, B> {
    /// Over rows, what finds them again, what carries calls out, and who answers what the reflexes cannot.
    pub(super) fn new(guards: &Guards, rows: Assistant<S>, memory: M, body: B, chain: Chain) -> Self {
        Self { rows, memory, body, chain, guards: guards.clone(), running: Running::default() }
    }

    /// Every skill that can be carried out.
    fn skills(&self) -> Vec<Skill> {
        let mut skills = self.body.skills();
        skills.extend(OWN_SKILLS);
        skills
    }
}

/// The chat's route.
pub(super) fn routes<S, M, B>(guards: &Guards, chat: Chat<S, M, B>) -> ApiRouter
where
    S: ChatStores,
    M: MemoryStore,
    B: Body,
{
    let say = say::<S, M, B>;
    ApiRouter::new(guards).route(TALK, routes!(say)).with_state(chat)
}

/// A message.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct ChatBody {
    /// What is said, in English; 1 byte to 16 KiB.
    message: String,
    /// Another user than the token's; needs the scope admin.
    user_id: Option<String>,
    /// The conversation it goes on with, a UUID; absent: a new one.
    #[schema(format = "uuid")]
    conversation_id: Option<String>,
    /// What an app knows about the moment. In the cloud `robot` names the robot that the message may move.
    #[schema(value_type = Option<Object>)]
    context: Option<Value>,
}

/// Say something to Robbie. It moves the body only within the bounds of a chat, and only with the scope drive. With
/// `Accept: text/event-stream` the events `tier`, `tool_call`, `token` and `done` come as they happen, `error` where there is
/// no answer. When the connection closes, what the message moves ends.
#[utoipa::path(post, path = "/api/chat", tag = "chat", request_body = ChatBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the message: sent again with the same key it is answered again, and never carried out twice. 1 to 128 visible characters")),
    responses(
        (status = 200, description = "The answer; as `text/event-stream` where that was asked for.", body = ChatReply),
        (status = 404, description = "No such conversation, or another's.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The message is longer than 16 KiB.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The key names another message.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "No room, or the memory does not answer.", body = Problem, content_type = "application/problem+json")))]
async fn say<S: ChatStores, M: MemoryStore, B: Body>(
    State(chat): State<Chat<S, M, B>>,
    principal: Principal,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ChatBody>,
) -> Answer<Response> {
    let key = key_of(&headers)?;
    let wants_events = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let wants_events = wants_events.is_some_and(|accept| accept.contains("text/event-stream"));
    let waited = chat.begin(principal, body, key).await?;
    if !wants_events {
        return Ok(json::answer(StatusCode::OK, &waited.answer().await?));
    }
    let events = stream::unfold(waited, |mut waited| async {
        let event = waited.next().await?;
        let sent = Event::default().event(event.name()).data(event.data().to_string());
        Some((Ok::<_, Infallible>(sent), waited))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

/// A message that is being carried out, for whoever waits for it. Dropped, it says that its sender has left.
#[derive(Debug)]
pub(super) struct Waited {
    /// `None` where somebody else sent it first.
    _attendance: Option<Attendance>,
    result: Option<Outcome>,
    events: mpsc::Receiver<ChatEvent>,
}

impl Waited {
    /// Its answer, without what happens on the way.
    ///
    /// # Errors
    /// Why there is none.
    async fn answer(mut self) -> Answer<ChatReply> {
        self.events.close();
        match self.result.take() {
            Some(result) => running::answer(result).await,
            None => Err(running::broken()),
        }
    }

    /// What happens next; last the answer, or why there is none, and then nothing.
    pub(super) async fn next(&mut self) -> Option<ChatEvent> {
        if let Some(event) = self.events.recv().await {
            return Some(event);
        }
        let result = self.result.take()?;
        Some(match running::answer(result).await {
            Ok(reply) => ChatEvent::Done(Box::new(reply)),
            Err(problem) => ChatEvent::Error(problem),
        })
    }
}

impl<S: ChatStores, M: MemoryStore, B: Body> Chat<S, M, B> {
    /// Begins to carry a message out, or joins whoever sent it before.
    ///
    /// # Errors
    /// What is wrong with the message, or 429.
    pub(super) async fn begin(
        &self,
        principal: Principal,
        body: ChatBody,
        key: Option<String>,
    ) -> Answer<Waited> {
        let at = Instant::now();
        let robot = body.context.as_ref().and_then(|context| context.get("robot")).and_then(Value::as_str);
        let meant = Self { body: self.body.meant(&principal, robot)?, ..self.clone() };
        // Whatever else is wrong with the message or its sender.
        let stopped = match stops(&body.message) {
            true => Some(meant.body.stop(&principal).await),
            false => None,
        };
        self.guards.spend(&principal, Rate::Chat)?;
        let whose = self.rows.whose(&principal, asked::given(body.user_id).as_deref())?;
        asked::text("message", &body.message, MESSAGE_BYTES_MAX)?;
        if body.message.trim().is_empty() {
            return Err(Problem::bad_request("message is empty: what shall Robbie hear?").field("message"));
        }
        let conversation = asked::given(body.conversation_id).map(|id| id.parse::<RowId>()).transpose();
        let conversation = conversation
            .map_err(|error: NotAnId| Problem::bad_request(format!("{error}.")).field("conversation_id"))?;
        let is_named = key.is_some();
        let key = match key {
            Some(key) => key,
            None => drawn_key()?,
        };
        let name = Name { whose: whose.clone(), key: key.clone(), message: body.message.clone() };
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let speaker = principal.user_id().to_owned();
        let said = Said { key, conversation, speaker, message: body.message };
        let (chat, arrived) = (meant, Arrived { principal, whose, said, is_named, at, stopped });
        let (attendance, result) = self
            .running
            .start(name, |attended| async move { turn::take(&chat, arrived, sender, attended).await })?;
        Ok(Waited { _attendance: attendance, result: Some(result), events })
    }
}

/// Whether a message tells the robot to stop, whatever was said before it.
fn stops(message: &str) -> bool {
    if message.len() > MESSAGE_BYTES_MAX {
        return false;
    }
    let bounds = Bounds::default();
    let heard = Heard { text: message, history: &[], speaker: Speaker::Owner, bounds: &bounds };
    matches!(reflex::understand(&heard), Meaning::Act(calls) if calls.first() == Some(&Call::Stop))
}

/// The key that names a message, where its sender gave one.
///
/// # Errors
/// 400 where it cannot be one.
fn key_of(headers: &HeaderMap) -> Answer<Option<String>> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    check_key(IDEMPOTENCY_KEY, key)?;
    Ok(Some(key.to_owned()))
}

/// 400 where a key is empty, too long, or holds anything but visible ASCII.
pub(super) fn check_key(field: &'static str, key: &str) -> Answer<()> {
    let is_one = (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if is_one {
        return Ok(());
    }
    Err(Problem::bad_request(format!("{field} has 1 to {KEY_BYTES_MAX} visible ASCII characters."))
        .field(field))
}

/// A key for a message that came without one.
fn drawn_key() -> Answer<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| Problem::memory_down(format!("The system gives no randomness: {error}.")))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
