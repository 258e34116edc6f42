//! `/v1`: the chain as OpenAI's clients speak to it, so that any of them can use it. It carries nothing out: calls go back to
//! the client, and nothing is kept but an answer for when nobody answers.
//!
//! Wire format: OpenAI's API reference, chat completions, models and embeddings, as of 2026.

mod completions;
mod embeddings;
mod models;
mod question;
mod refusal;
mod stream;

use cloud_sync_protocol::store::MemoryStore;

use crate::access::{Guards, Rule};
use crate::chain::Chain;
use crate::home::Homes;
use crate::openapi::ApiRouter;
use crate::rate::Rate;
use crate::scope::Scope;

/// The name of the chain among models.
const MODEL: &str = "robbie";

/// Who may ask: whoever may talk, and in the cloud its robots.
const ASK: Rule = Rule::ScopeOrDevice { scope: Scope::Speak, rate: Rate::Chat, device: Rate::Write };
/// Who may look what there is.
const LOOK: Rule = Rule::ScopeOrDevice { scope: Scope::Speak, rate: Rate::Read, device: Rate::Read };

/// What the handlers share.
#[derive(Clone, Debug)]
struct V1<M> {
    chain: Chain,
    memory: M,
    homes: Homes,
}

/// The routes, over the chain and the embedder behind `memory`.
pub fn routes<M: MemoryStore>(guards: &Guards, homes: Homes, memory: M, chain: Chain) -> ApiRouter {
    let v1 = V1 { chain, memory, homes };
    let routes = ApiRouter::new(guards)
        .merge(completions::routes(guards, v1.clone()))
        .merge(models::routes(guards, v1.clone()))
        .merge(embeddings::routes(guards, v1));
    routes.map_answers(refusal::as_openai_does)
}
