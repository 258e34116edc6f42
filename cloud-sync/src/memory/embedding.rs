//! Makes vectors of what was written, in the background: after every write, and of everything anew when the weights of the
//! sentence embedder come or go. What was done is in the database, so it goes on where it was.

use std::collections::BTreeSet;
use std::time::Duration;

use cloud_sync_protocol::store::{StoreError, Stored};
use cloud_sync_protocol::town::TownId;
use models_local::{EmbedError, Embedder, LEXICAL, MINILM, Urgency};
use models_mind::lexical::lexical_embedding;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::store::{Changed, ContentHash, Rows, Vector};

/// Texts that are embedded together.
const BATCH: usize = 32;
/// How often every town is looked at: for weights that came, and for what a replica that is gone has left.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Pause after something went wrong.
const PAUSE: Duration = Duration::from_secs(10);

/// Why a batch was not done.
#[derive(Debug, thiserror::Error)]
enum BatchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

/// Runs for as long as it is polled.
pub async fn keep_up(rows: Rows, embedder: Embedder) {
    let mut changes = rows.changes();
    let mut towns = BTreeSet::new();
    let mut look_at_all = Instant::now();
    loop {
        if look_at_all <= Instant::now() {
            look_at_all = Instant::now() + LOOK_EVERY;
            towns.extend(all_towns(&rows).await);
        }
        let Some(town) = towns.pop_first() else {
            if something_happens(&mut changes, &mut towns, look_at_all).await {
                continue;
            }
            return;
        };
        match batch(&rows, &embedder, &town).await {
            // One town after the other: none waits for another's thousands.
            Ok(count) if count > 0 => {
                towns.insert(town);
            }
            // All of it is done.
            Ok(_) => {}
            // The other model is next.
            Err(BatchError::Embed(EmbedError::NoWeights | EmbedError::Damaged(_))) => {
                towns.insert(town);
            }
            // It was taken away.
            Err(BatchError::Store(StoreError::NotFound)) => {}
            Err(error) => {
                tracing::warn!(%error, "memories cannot be embedded now; tried again in 10 s");
                towns.insert(town);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn all_towns(rows: &Rows) -> Vec<TownId> {
    rows.towns().await.unwrap_or_else(|error| {
        tracing::debug!(%error, "the towns cannot be read now");
        Vec::new()
    })
}

/// Waits for a write, or for the time to look at all; false when the program ends. A thousand writes ask for one look.
async fn something_happens(
    changes: &mut Receiver<Changed>,
    towns: &mut BTreeSet<TownId>,
    until: Instant,
) -> bool {
    match tokio::time::timeout_at(until, changes.recv()).await {
        Ok(Ok(changed)) => {
            towns.insert(changed.town);
        }
        Ok(Err(RecvError::Closed)) => return false,
        Ok(Err(RecvError::Lagged(_))) | Err(_) => {}
    }
    while let Ok(changed) = changes.try_recv() {
        towns.insert(changed.town);
    }
    true
}

/// The model whose vectors are made now.
pub(super) fn model(embedder: &Embedder) -> &'static str {
    if embedder.is_available() { MINILM } else { LEXICAL }
}

/// Embeds the next texts of a town; how many that were.
async fn batch(rows: &Rows, embedder: &Embedder, town: &TownId) -> Result<usize, BatchError> {
    let model = model(embedder);
    let missing = rows.missing_vectors(town, model, BATCH).await?;
    if missing.is_empty() {
        // The other model's vectors have had their time.
        retire(rows, town, if model == MINILM { LEXICAL } else { MINILM }).await?;
        return Ok(0);
    }
    let (hashes, texts): (Vec<ContentHash>, Vec<String>) = missing.into_iter().unzip();
    let vectors = vectors(embedder, model, texts, Urgency::Background).await?;
    let count = hashes.len();
    rows.put_vectors(town, model, hashes.into_iter().zip(vectors).collect()).await?;
    Ok(count)
}

async fn retire(rows: &Rows, town: &TownId, model: &str) -> Stored<()> {
    if rows.has_vectors(town, model).await? {
        rows.retire_model(town, model).await?;
    }
    Ok(())
}

/// One vector a text, by this model.
pub(super) async fn vectors(
    embedder: &Embedder,
    model: &str,
    texts: Vec<String>,
    urgency: Urgency,
) -> Result<Vec<Vector>, EmbedError> {
    match model {
        MINILM => embedder.embed(texts, urgency).await,
        _ => Ok(texts.iter().map(|text| lexical_embedding(text)).collect()),
    }
}
