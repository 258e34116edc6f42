//! Failures in a person's words. They are made from the kind alone: nothing that came over the network stands in them, so no
//! key ever does.

use crate::tier::{FailureKind, Tier, Wait};

/// A tier's name as people write it.
pub(super) const fn name(tier: Tier) -> &'static str {
    match tier {
        Tier::Reflex => "Reflex",
        Tier::Cloud => "Cloud",
        Tier::Ollama => "Ollama",
        Tier::OpenAi => "OpenAI",
        Tier::Claude => "Claude",
        Tier::Gemini => "Gemini",
        Tier::Cached => "Cached",
        Tier::None => "None",
    }
}

/// What went wrong, as the second half of a sentence.
pub(super) const fn cause(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::NotConfigured => "it is not set up",
        FailureKind::Refused => "nobody listens there",
        FailureKind::Unauthorized => "it does not take the key",
        FailureKind::RateLimited => "it is asked too often",
        FailureKind::Rejected => "it does not take this question",
        FailureKind::Server => "it has an error of its own",
        FailureKind::Cut => "its answer broke off",
        FailureKind::Malformed => "its answer cannot be read",
        FailureKind::InBand => "it reported an error in the middle of its answer",
        FailureKind::Empty => "its answer was empty",
        FailureKind::WrongFinish => "it would not answer this",
        FailureKind::Late(Wait::Connect) => "it did not take the question in time",
        FailureKind::Late(Wait::FirstToken) => "its first word did not come in time",
        FailureKind::Late(Wait::BetweenTokens) => "it stopped in the middle of its answer",
        FailureKind::Late(Wait::Total) => "its answer took too long",
    }
}

/// A tier and what is the matter with it, as a sentence.
pub(super) fn sentence(tier: Tier, cause: &str) -> String {
    format!("{}: {cause}.", name(tier))
}
