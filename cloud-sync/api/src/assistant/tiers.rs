//! `GET /api/ai/tiers`: who can answer, how fast, at what cost, and why somebody is not asked now.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use models_mind::router::Breaker;
use models_mind::tier::Tier;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::READ;
use crate::access::Guards;
use crate::chain::{Chain, Missing, Standing};
use crate::json;
use crate::openapi::ApiRouter;

/// The route.
pub(super) fn routes(guards: &Guards, chain: Chain) -> ApiRouter {
    ApiRouter::new(guards).route(READ, routes!(tiers)).with_state(chain)
}

/// The chain as it stands.
#[derive(Debug, Serialize, ToSchema)]
struct TiersAnswer {
    /// In the order in which they are asked.
    tiers: Vec<TierAnswer>,
}

/// One tier.
#[derive(Debug, Serialize, ToSchema)]
struct TierAnswer {
    /// Which.
    tier: Tier,
    /// Whether it is set up.
    configured: bool,
    /// Why it is not asked now, or not set up: a sentence. Null: it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    /// The model that answers there.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// What is known of it since the program started.
    #[serde(flatten)]
    #[schema(value_type = Option<Object>)]
    view: Option<Known>,
}

/// What is known of a tier that is set up.
#[derive(Debug, Serialize)]
struct Known {
    breaker: Breaker,
    rests_ms: Option<u64>,
    healthy: bool,
    answers: u64,
    failures: u64,
    last_failure: Option<String>,
    first_token_ms_p50: Option<u64>,
    first_token_ms_p95: Option<u64>,
    first_token_deadline_ms: u64,
    input_tokens: u64,
    output_tokens: u64,
    spent_usd: f64,
    reserved_usd: f64,
    budget_usd: Option<f64>,
}

/// Who answers what the reflexes pass on: the reflexes first, then each tier in order, and an answer that was given before last.
/// Latencies are of the last 64 answers, money of the last 24 hours.
#[utoipa::path(get, path = "/api/ai/tiers", tag = "chat",
    responses((status = 200, description = "The chain.", body = TiersAnswer,
        example = json!({ "tiers": [
            { "tier": "reflex", "configured": true },
            { "tier": "openai", "configured": true, "model": "gpt-5-mini", "breaker": "open", "because": "OpenAI: too many requests.",
              "rests_ms": 4200, "healthy": false, "answers": 12, "failures": 1, "last_failure": "OpenAI: too many requests.",
              "first_token_ms_p50": 420, "first_token_ms_p95": 900, "first_token_deadline_ms": 1800, "input_tokens": 9120,
              "output_tokens": 1804, "spent_usd": 0.006, "reserved_usd": 0.0, "budget_usd": 1.0 },
            { "tier": "claude", "configured": false, "because": "ANTHROPIC_API_KEY is not set." },
            { "tier": "cached", "configured": true }] }))))]
async fn tiers(State(chain): State<Chain>) -> Response {
    let mut tiers = vec![always(Tier::Reflex)];
    tiers.extend(chain.view().into_iter().map(shown));
    tiers.push(always(Tier::Cached));
    json::answer(StatusCode::OK, &TiersAnswer { tiers })
}

/// One that needs nothing.
const fn always(tier: Tier) -> TierAnswer {
    TierAnswer { tier, configured: true, because: None, model: None, view: None }
}

fn shown(standing: Standing) -> TierAnswer {
    let (view, model) = match standing {
        Standing::SetUp { view, model } => (view, model),
        Standing::Missing(Missing { tier, because }) => {
            return TierAnswer { tier, configured: false, because: Some(because), model: None, view: None };
        }
    };
    TierAnswer {
        tier: view.tier,
        configured: true,
        because: view.resting_because,
        model: Some(model),
        view: Some(Known {
            breaker: view.breaker,
            rests_ms: view.rests_ms,
            healthy: view.is_healthy,
            answers: view.answers,
            failures: view.failures,
            last_failure: view.last_failure,
            first_token_ms_p50: view.first_token_ms_p50,
            first_token_ms_p95: view.first_token_ms_p95,
            first_token_deadline_ms: view.first_token_deadline_ms,
            input_tokens: view.input_tokens,
            output_tokens: view.output_tokens,
            spent_usd: view.spent_usd,
            reserved_usd: view.reserved_usd,
            budget_usd: view.budget_usd,
        }),
    }
}
