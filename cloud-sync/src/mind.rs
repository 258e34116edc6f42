//! The cloud's chain of language models: which tiers there are, by the variables of the environment that set them up, and
//! what each may take and cost. It asks nobody; that is the chain's.

mod config;

use std::sync::Arc;

use cloud_sync_api::chain::{Chain, Limits, Link, Missing};
use models_mind::router::{Pieces, Price, TierConfig};
use models_providers::{BadProvider, Provider, ProviderConfig};

pub use config::{KEYS, MindConfig, ProviderSettings};

/// Starts the chain: Ollama, OpenAI, Claude, Gemini, those of them that are set up.
///
/// # Errors
/// A base URL is none, or the system gives no client.
pub fn start(config: &MindConfig) -> Result<Chain, BadProvider> {
    let (mut links, mut missing) = (Vec::new(), Vec::new());
    for settings in &config.providers {
        let tier = settings.tier.as_str();
        if let Some(because) = &settings.missing {
            missing.push(Missing { tier: settings.tier, because: because.clone() });
            continue;
        }
        tracing::info!(tier, model = settings.model, "a language model is set up");
        if settings.budget_usd.is_some() && settings.kind.needs_key() && settings.price == Price::default() {
            tracing::warn!(
                tier,
                "nobody knows what this model costs, so its budget cannot be kept: set {tier}.usd_per_million_input and {tier}.usd_per_million_output"
            );
        }
        let provider = Provider::new(ProviderConfig {
            kind: settings.kind,
            base_url: settings.base_url.clone(),
            key: settings.key.clone(),
            model: settings.model.clone(),
        })?;
        links.push(Link {
            config: TierConfig {
                tier: settings.tier,
                deadlines: settings.deadlines,
                pieces: Pieces::Raw,
                price: settings.price,
                budget_usd: settings.budget_usd,
            },
            tier: Arc::new(provider),
            model: settings.model.clone(),
        });
    }
    let limits = Limits { first_token_budget: config.first_token_budget, hedge: config.hedge };
    Ok(Chain::start(links, missing, limits))
}
