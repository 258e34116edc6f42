//! The robot's chain of language models. Behind its reflexes stands its cloud's chain; a model on the robot itself will stand
//! between them. Without pairing there is nobody to ask, and everything else works.

mod cloud;
pub mod config;

use std::sync::Arc;

use cloud_sync_api::chain::{Chain, Limits, Link};
use models_mind::router::{Pieces, Price, TierConfig};
use models_mind::tier::Tier;
use tokio::sync::watch;

use crate::sync::CloudFile;
use cloud::{Cloud, MODEL};
use config::MindConfig;

/// Starts the chain, over whichever cloud the robot is paired with.
pub fn start(config: &MindConfig, file: watch::Receiver<Option<CloudFile>>) -> Chain {
    let cloud = Link {
        config: TierConfig {
            tier: Tier::Cloud,
            deadlines: config.cloud,
            pieces: Pieces::Whole,
            price: Price::default(),
            budget_usd: None,
        },
        tier: Arc::new(Cloud::new(file)),
        model: MODEL.to_owned(),
    };
    let limits = Limits { first_token_budget: config.first_token_budget, hedge: false };
    Chain::start(vec![cloud], Vec::new(), limits)
}
