//! What a router hears and what it answers: requests, pieces of answers and failures in; whom to ask and what to say out.

use std::time::Duration;

use crate::tier::{Called, Failure, Finish, Tier, Usage};

/// Names a request. Drawn by whoever asks; never used twice.
pub type RequestId = u64;
/// Names one attempt at one tier. Drawn by the router; never used twice.
pub type AttemptId = u64;
/// A moment: time since any fixed one, on a clock that does not go back. One that does is taken as standing still.
pub type Moment = Duration;

/// What a request needs to be routed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whose, `town/user`: nobody else ever gets its words.
    pub scope: String,
    /// Stands for everything that the answer depends on, byte by byte.
    pub digest: [u8; 32],
    /// Whether tools are offered: then it is not shared, because each would carry its calls out.
    pub has_tools: bool,
    /// Whether its answer, if it calls nothing, may be kept and given again: nothing in it came from memory or body.
    pub is_keepable: bool,
    /// Tokens of the question, estimated: what is reserved of a budget.
    pub input_tokens: u32,
    /// Tokens of the answer at most: what is reserved of a budget.
    pub output_tokens_max: u32,
}

/// What happened. What is told of an attempt that is unknown or was dropped is ignored.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Somebody asks.
    Asked {
        /// A new one.
        request: RequestId,
        /// What is asked.
        wanted: Wanted,
    },
    /// Whoever asked left, and hears nothing more.
    Left {
        /// Which.
        request: RequestId,
    },
    /// The tier took the question.
    Connected {
        /// Which.
        attempt: AttemptId,
    },
    /// Words came.
    Text {
        /// Which.
        attempt: AttemptId,
        /// As they came.
        text: String,
    },
    /// A whole call came.
    Call {
        /// Which.
        attempt: AttemptId,
        /// The call.
        call: Called,
    },
    /// The answer is complete.
    Finished {
        /// Which.
        attempt: AttemptId,
        /// Why it ended.
        finish: Finish,
        /// What it took, where the tier says so.
        usage: Option<Usage>,
    },
    /// The tier failed, before its first word or after it.
    Failed {
        /// Which.
        attempt: AttemptId,
        /// How.
        failure: Failure,
    },
    /// Time passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask a tier.
    Ask {
        /// Names what comes back.
        attempt: AttemptId,
        /// Whose conversation; one that has neither ended nor left.
        request: RequestId,
        /// Index in [`super::RouterConfig::tiers`].
        tier: usize,
        /// What was said already, where it is to go on behind that; else empty.
        said: String,
    },
    /// Drop an attempt's stream; what it still sends is nobody's.
    Drop {
        /// Which.
        attempt: AttemptId,
    },
    /// `tier` answers from here on.
    From {
        /// Whose answer.
        request: RequestId,
        /// Who.
        tier: Tier,
    },
    /// Words of the answer, in order.
    Say {
        /// Whose answer.
        request: RequestId,
        /// Whole words, most times whole sentences; with the white space before them and none behind.
        text: String,
    },
    /// All calls of the answer, at once; never twice. Comes right before the end.
    Call {
        /// Whose answer.
        request: RequestId,
        /// In the order in which they came.
        calls: Vec<Called>,
    },
    /// The end: exactly one for each request that did not leave, and nothing after it.
    End {
        /// Whose.
        request: RequestId,
        /// How.
        end: End,
    },
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Answered.
    Answered {
        /// Who spoke last; [`Tier::Cached`] where nobody answered, but somebody had answered the same before.
        tier: Tier,
        /// Why the answer ended.
        finish: Finish,
        /// What all tiers took that spoke; estimated for one that does not say it.
        usage: Usage,
    },
    /// Words were said, and nobody could go on with them.
    Broken {
        /// Who spoke last.
        tier: Tier,
        /// Why the last attempt failed: a sentence that names its tier.
        why: String,
    },
    /// Nobody answered.
    Nobody {
        /// Each tier with why not, in the order of the chain: a sentence that names it. Empty where too many ask at once.
        why: Vec<(Tier, String)>,
        /// When it is worth asking again, as far as one knows.
        retry_after: Option<Duration>,
    },
}
