//! A cloud with stand-ins for its providers, and how both are asked the same.

use serde_json::json;

use crate::completions::{Asking, Completions};
use crate::system::cloud::Cloud;
use crate::system::minds::{KEY, Minds};
use crate::system::place::Place;
use crate::system::postgres::Postgres;
use crate::variable;

/// What the models say: about 40 words in four sentences.
pub(crate) const SCRIPT: &str = "Cats purr with their larynx, and nobody knows exactly why they do it. Some say that it heals \
bones and calms the nerves. Others think that they are simply glad, about 25 times a second. Is that not a very nice thing?";

/// The order of the fields is the order in which they end.
pub(crate) struct World {
    /// The cloud.
    pub(crate) cloud: Cloud,
    /// What stands in for its providers.
    pub(crate) minds: Minds,
    _postgres: Postgres,
    _place: Place,
}

impl World {
    /// A cloud with these tiers, and these settings: `section__key` and value. It is asked over HTTP alone.
    pub(crate) fn start(tiers: &[&str], settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let place = Place::new()?;
        let postgres = Postgres::start(&place)?;
        let minds = Minds::start(&place)?;
        minds.tell_all(&json!({ "script": [{ "text": SCRIPT }] }))?;
        let mut environment = minds.environment(tiers)?;
        environment.extend(
            settings
                .iter()
                .map(|(key, value)| (format!("ROBBIE_CLOUD_{}", key.to_uppercase()), (*value).to_owned())),
        );
        environment.extend(variable("WORKERS").map(|count| ("TOKIO_WORKER_THREADS".to_owned(), count)));
        let cloud = Cloud::start_in(&place, "cloud", &postgres.database("router")?, None, environment)?;
        Ok(Self { cloud, minds, _postgres: postgres, _place: place })
    }

    /// A client of the cloud.
    pub(crate) fn through(&self, tokens_max: Option<usize>) -> anyhow::Result<Completions> {
        Completions::of(self.cloud.address, Asking { model: "robbie", key: &self.cloud.token, tokens_max })
    }

    /// A client of the stand-in for OpenAI itself.
    pub(crate) fn bare(&self) -> anyhow::Result<Completions> {
        let url = self.minds.url("openai")?.trim_start_matches("http://");
        let address = url.split('/').next().unwrap_or_default().parse()?;
        Completions::of(address, Asking { model: "stand-in", key: KEY, tokens_max: None })
    }

    /// Requests that a provider has seen.
    pub(crate) fn asked(&self, provider: &str) -> anyhow::Result<u64> {
        Ok(self.minds.seen(provider)?["requests"].as_u64().unwrap_or_default())
    }
}
