//! What a chat answers with, and the events on the way there. Types only.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::Hit;
use cloud_sync_protocol::persona::Mood;
use models_mind::skills::Call;
pub use models_mind::tier::Tier;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::{Object, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Problem;

/// Describes [`Call`] in the document, from the same schema that models are given.
struct SkillCall;

impl PartialSchema for SkillCall {
    fn schema() -> RefOr<Schema> {
        let mut schema = schemars::schema_for!(Call).to_value();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("$schema");
            schema.remove("title");
        }
        // A schema that the document's types cannot hold would be a mistake in ours; any object is true all the same.
        serde_json::from_value(schema).unwrap_or_else(|_odd| RefOr::T(Schema::Object(Object::new())))
    }
}

impl ToSchema for SkillCall {}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Under way; only in events.
    Running,
    /// Carried out.
    Done,
    /// Not carried out, or not to the end.
    Failed,
    /// Not begun, because one before it failed.
    Skipped,
}

/// A call, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ToolCall {
    /// The skill and its slots.
    #[serde(flatten)]
    #[schema(value_type = SkillCall)]
    pub call: Call,
    /// How far it has come.
    pub status: Status,
    /// What became of it, a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Why it failed, a stable word such as `nobody-present` or `closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The answer to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChatReply {
    /// What Robbie says.
    pub reply: String,
    /// The conversation; name it in the next message.
    pub conversation_id: RowId,
    /// Robbie's mood after it.
    pub mood: Mood,
    /// Who found the answer.
    pub tier: Tier,
    /// What was done, in order.
    pub tool_calls: Vec<ToolCall>,
    /// The memories that the reply quotes, or that a model was given.
    pub sources: Vec<Hit>,
    /// From the message's arrival to the answer.
    pub latency_ms: u64,
}

/// What happens on the way to an answer.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::assistant) enum ChatEvent {
    /// Who answers.
    Tier(Tier),
    /// A call began, or ended.
    ToolCall(ToolCall),
    /// A piece of the reply; all of them together are the reply.
    Token(String),
    /// The answer.
    Done(Box<ChatReply>),
    /// There is none.
    Error(Problem),
}

impl ChatEvent {
    /// Its name on the wire.
    pub(in crate::assistant) const fn name(&self) -> &'static str {
        match self {
            Self::Tier(_) => "tier",
            Self::ToolCall(_) => "tool_call",
            Self::Token(_) => "token",
            Self::Done(_) => "done",
            Self::Error(_) => "error",
        }
    }

    /// Its data on the wire.
    pub(in crate::assistant) fn data(&self) -> Value {
        let value = match self {
            Self::Tier(tier) => return serde_json::json!({ "tier": tier }),
            Self::Token(text) => return serde_json::json!({ "text": text }),
            Self::ToolCall(call) => serde_json::to_value(call),
            Self::Done(reply) => serde_json::to_value(reply),
            Self::Error(problem) => serde_json::to_value(problem),
        };
        // Our own types always become JSON.
        value.unwrap_or_default()
    }
}
