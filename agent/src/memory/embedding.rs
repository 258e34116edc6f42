//! Makes vectors of what was written, in the background: after every write, and of everything anew when the weights of the
//! sentence embedder come or go. What was done survives a restart, so it goes on where it was.

use std::time::Duration;

use agent_store::{ContentHash, Store, Vector};
use cloud_sync_protocol::store::{EventStore, Feed, StoreError};
use futures_util::FutureExt;
use models_local::{EmbedError, Embedder, LEXICAL, MINILM, Urgency};
use models_mind::lexical::lexical_embedding;

/// Texts that are embedded together.
const BATCH: usize = 32;
/// How often somebody looks whether weights came, when nothing is written.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Pause after something went wrong.
const PAUSE: Duration = Duration::from_secs(10);

/// Why a batch was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum BatchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

/// Runs until the store ends.
pub(super) async fn keep_up(store: Store, embedder: Embedder) {
    let mut written = store.follow();
    loop {
        let model = model(&embedder);
        match batch(&store, &embedder).await {
            Ok(0) if !something_happens(&mut written, &embedder, model).await => return,
            Ok(_) => {}
            // The other model is next.
            Err(BatchError::Embed(EmbedError::NoWeights | EmbedError::Damaged(_))) => {}
            Err(error) => {
                tracing::warn!(%error, "memories cannot be embedded now; tried again in 10 s");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Waits for a write, or for weights that came or went; false when the program ends. While nothing happens nothing is asked of
/// the store.
async fn something_happens(written: &mut impl Feed, embedder: &Embedder, before: &str) -> bool {
    loop {
        match tokio::time::timeout(LOOK_EVERY, written.next()).await {
            Ok(None) => return false,
            Ok(Some(_)) => break,
            Err(_elapsed) if model(embedder) != before => break,
            Err(_elapsed) => {}
        }
    }
    // A thousand writes ask for one look.
    while let Some(next) = written.next().now_or_never() {
        if next.is_none() {
            return false;
        }
    }
    true
}

/// The model whose vectors are made now.
pub(super) fn model(embedder: &Embedder) -> &'static str {
    if embedder.is_available() { MINILM } else { LEXICAL }
}

/// Embeds the next texts; how many that were.
pub(super) async fn batch(store: &Store, embedder: &Embedder) -> Result<usize, BatchError> {
    let model = model(embedder);
    let missing = store.missing_vectors(model, BATCH).await?;
    if missing.is_empty() {
        // The other model's vectors have had their time.
        let other = if model == MINILM { LEXICAL } else { MINILM };
        if store.coverage(other).await? > 0.0 && store.coverage(model).await? >= 1.0 {
            store.retire_model(other).await?;
        }
        return Ok(0);
    }
    let (hashes, texts): (Vec<ContentHash>, Vec<String>) = missing.into_iter().unzip();
    let vectors = vectors(embedder, model, texts, Urgency::Background).await?;
    let count = hashes.len();
    store.put_vectors(model, hashes.into_iter().zip(vectors).collect()).await?;
    Ok(count)
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
