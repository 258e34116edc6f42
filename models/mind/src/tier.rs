//! What every way to get an answer from a language model has in common: what it is asked, what comes back piece by piece, and
//! how it fails. It reaches nobody itself, and knows nothing of who is asked first or next ([`crate::router`]).

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::prompt::CONTINUE;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The grammar on the device; no model.
    Reflex,
    /// The chain of the robot's cloud.
    Cloud,
    /// Models of one's own.
    Ollama,
    /// OpenAI, or who speaks as it does.
    OpenAi,
    /// Claude, of Anthropic.
    Claude,
    /// Gemini, of Google.
    Gemini,
    /// An answer that was given before to the very same question.
    Cached,
    /// Nobody: the reply says so.
    None,
}

impl Tier {
    /// As on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reflex => "reflex",
            Self::Cloud => "cloud",
            Self::Ollama => "ollama",
            Self::OpenAi => "openai",
            Self::Claude => "claude",
            Self::Gemini => "gemini",
            Self::Cached => "cached",
            Self::None => "none",
        }
    }
}

/// A message of the conversation that a tier goes on with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Message {
    /// Rules.
    System(String),
    /// The person.
    User(String),
    /// What was answered before: words, calls, or both.
    Assistant {
        /// The words.
        text: String,
        /// The calls.
        calls: Vec<Called>,
    },
    /// What became of a call.
    Result {
        /// [`Called::id`].
        id: String,
        /// [`Called::name`].
        name: String,
        /// What became of it.
        content: String,
    },
}

/// A function that may be called.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tool {
    /// `[a-zA-Z0-9_-]{1,64}`.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// A call as a model made it. Nothing about it has been checked, but that the arguments are JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Called {
    /// Names it in the conversation.
    pub id: String,
    /// Of the function.
    pub name: String,
    /// An object, if the model kept to its schema.
    pub arguments: Value,
}

/// How a model may answer. What is absent is left to the provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Options {
    /// Tokens of the answer at most.
    pub max_tokens: Option<u32>,
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// Words that end the answer.
    pub stop: Vec<String>,
}

/// What a tier is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Asked {
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// What may be called.
    pub tools: Vec<Tool>,
    /// How.
    pub options: Options,
}

impl Asked {
    /// The same, to go on behind what was said of the answer so far.
    #[must_use]
    pub fn behind(&self, said: &str) -> Self {
        let mut asked = self.clone();
        asked.messages.push(Message::Assistant { text: said.to_owned(), calls: Vec::new() });
        asked.messages.push(Message::User(CONTINUE.to_owned()));
        asked
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Finish {
    /// It was complete.
    Stop,
    /// As many tokens as were allowed.
    Length,
    /// It is the client's turn to carry calls out.
    Calls,
}

/// What an answer took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Tokens of the question.
    pub input_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// The tier took the question: its answer's head has come.
    Connected,
    /// Words; never empty.
    Text(String),
    /// A whole call.
    Call(Called),
    /// The end; nothing comes after it. A stream that ends without it broke off, and says so as [`FailureKind::Cut`].
    Finished {
        /// Why.
        finish: Finish,
        /// What it took, where the tier says so.
        usage: Option<Usage>,
    },
}

/// What a wait was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wait {
    /// The head of the answer.
    Connect,
    /// The first word or call.
    FirstToken,
    /// The next one.
    BetweenTokens,
    /// The end.
    Total,
}

/// How a tier failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// It is not set up; nothing was sent.
    NotConfigured,
    /// Nobody listens there.
    Refused,
    /// 401 or 403: the key is wrong.
    Unauthorized,
    /// 429.
    RateLimited,
    /// Any other 4xx: this question cannot be asked there.
    Rejected,
    /// 5xx.
    Server,
    /// The stream ended without saying that it is complete.
    Cut,
    /// Bytes that are no answer, broken UTF-8 included.
    Malformed,
    /// An error in the middle of a stream.
    InBand,
    /// It finished without a word and without a call.
    Empty,
    /// It would not answer this, or finished in a way that nobody knows.
    WrongFinish,
    /// It took too long.
    Late(Wait),
}

/// A failure of a tier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// What kind.
    pub kind: FailureKind,
    /// A sentence for a person; at most 300 bytes, never with a key in it.
    pub detail: String,
    /// When the tier said it may be asked again.
    pub retry_after: Option<Duration>,
}

/// An answer that comes piece by piece. Dropping it ends the work upstream.
pub type Answer = Pin<Box<dyn Stream<Item = Result<Delta, Failure>> + Send>>;

/// A language model somewhere.
///
/// It keeps no deadline, tries nothing again and judges no call: whoever asks does. After [`Delta::Finished`] or a failure
/// its stream ends; whoever polls it to that end lets a connection be used again.
pub trait ChatTier: Send + Sync + 'static {
    /// Asks. Nothing is sent before the stream is polled.
    fn ask(&self, asked: Arc<Asked>) -> Answer;

    /// What has to be set up before it can answer anybody, a sentence; `None`: nothing.
    fn missing(&self) -> Option<String> {
        None
    }
}
