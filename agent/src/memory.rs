//! The robot's memory: the store's file, vectors of what it says, and finding again. The routes in front of it are those that
//! the cloud answers, too; only taking conversations in is the robot's own.

pub mod config;
pub mod eval;
pub mod import;
pub mod locomo;
mod embedding;
mod recall;
pub mod stamps;
mod surface;

use std::path::Path;
use std::sync::Arc;

use agent_store::{Limits, OpenConfig, OpenError, Opened, Store};
use cloud_sync_api::access::{Guards, Rule};
use cloud_sync_api::assistant;
use cloud_sync_api::assistant::body::Body;
use cloud_sync_api::chain::Chain;
use cloud_sync_api::home::{Homes, SharedHome};
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::rate::Rate;
use cloud_sync_api::scope::Scope;
use cloud_sync_api::v1;
use jiff::tz::TimeZone;
use models_local::{Embedder, EmbedderConfig, UNLOAD_AFTER, Weights};
use utoipa_axum::routes;

use crate::{os, supervise};
use import::Import;
pub use recall::Recall;

/// The memory, ready to be asked.
#[derive(Clone, Debug)]
pub struct Memory {
    /// The rows.
    pub store: Store,
    /// Finds them again.
    pub recall: Recall,
    embedder: Embedder,
}

/// Why there is no memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The file.
    #[error("the memory cannot be opened")]
    Store(#[from] OpenError),
    /// The system gives no thread.
    #[error("the sentence embedder cannot start")]
    Embedder(#[source] std::io::Error),
}

impl Memory {
    /// Opens the file in `folder`, with the weights in `models`.
    ///
    /// # Errors
    /// A file of a newer version, one that cannot be used, or no thread to be had.
    pub fn open(folder: &Path, models: &Path, limits: Limits) -> Result<(Self, Opened), MemoryError> {
        let config = OpenConfig {
            dir: folder.to_owned(),
            clock: stamps::clock(),
            random: Arc::new(|| os::random_bytes().unwrap_or_default()),
            limits,
        };
        let (store, opened) = Store::open(config)?;
        let weights = EmbedderConfig { weights: Weights::in_dir(models), unload_after: UNLOAD_AFTER };
        let embedder = Embedder::start(weights).map_err(MemoryError::Embedder)?;
        let recall = Recall::new(store.clone(), embedder.clone(), TimeZone::system());
        Ok((Self { store, recall, embedder }, opened))
    }

    /// Makes vectors of what is written, for as long as the program runs.
    pub fn keep_embedding(&self) {
        supervise::spawn("embedding", embedding::keep_up(self.store.clone(), self.embedder.clone()));
    }

    /// The routes, for whoever is at home now; a chat moves `body`, and `chain` thinks for it.
    pub fn routes(&self, guards: &Guards, home: &SharedHome, body: impl Body, chain: Chain) -> ApiRouter {
        let homes = Homes::Shared(home.clone());
        let import = Import { store: self.store.clone(), home: home.clone() };
        let admin = Rule::scope(Scope::Admin, Rate::Write);
        assistant::routes(guards, homes.clone(), self.store.clone(), self.recall.clone(), body, chain.clone())
            .merge(v1::routes(guards, homes, self.recall.clone(), chain))
            .merge(ApiRouter::new(guards).route(admin, routes!(import::import)).with_state(import))
    }

    /// Ends the store: what waits is written.
    pub async fn end(self) {
        self.store.end().await;
    }
}
