//! A store in a temporary folder, and 100,000 rows with vectors in it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_store::{ContentHash, Limits, NewTurn, OpenConfig, Store, Vector};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::persona::Mood;
use cloud_sync_protocol::stamp::{ClockState, Stamp};
use cloud_sync_protocol::store::Whose;
use cloud_sync_protocol::turn::Sender;
use jiff::Timestamp;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// Rows of one transaction.
const PIECE: usize = 1_000;

/// Opens the store of a folder, with the wall clock and counted ids.
pub(crate) fn open(folder: &Path) -> anyhow::Result<Store> {
    let ids = Arc::new(AtomicU64::new(1));
    let (store, _) = Store::open(OpenConfig {
        dir: folder.to_owned(),
        clock: Arc::new(|| Stamp {
            boot_id: 1,
            mono_ms: 1,
            wall: Timestamp::now(),
            clock: ClockState::Synced,
        }),
        random: Arc::new(move || {
            let mut bytes = [0; 10];
            bytes[2..].copy_from_slice(&ids.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            bytes
        }),
        limits: Limits::default(),
    })?;
    Ok(store)
}

/// Sentences and vectors, the given ones first, then as many perturbed copies as are missing to `rows`.
pub(crate) fn perturbed(sentences: &[String], vectors: &[Vector], rows: usize) -> (Vec<String>, Vec<Vector>) {
    let mut chance = Pcg64Mcg::seed_from_u64(1);
    let mut texts = sentences.to_vec();
    let mut all = vectors.to_vec();
    while texts.len() < rows {
        let from = texts.len() % sentences.len();
        texts.push(format!("{} ({})", sentences[from], texts.len()));
        let noise =
            std::array::from_fn::<f32, 384, _>(|_| (chance.next_u32() as f32 / u32::MAX as f32 - 0.5) * 0.06);
        let moved: Vector = std::array::from_fn(|place| vectors[from][place] + noise[place]);
        let length = moved.iter().map(|number| number * number).sum::<f32>().sqrt();
        all.push(moved.map(|number| number / length));
    }
    (texts, all)
}

/// Writes rows with their vectors.
pub(crate) async fn fill(
    store: &Store,
    model: &str,
    texts: &[String],
    vectors: &[Vector],
) -> anyhow::Result<()> {
    let conversation = RowId::named("crowd");
    for (texts, vectors) in texts.chunks(PIECE).zip(vectors.chunks(PIECE)) {
        let turns = texts
            .iter()
            .map(|text| NewTurn {
                id: None,
                sender: Sender::User,
                speaker: Some("Anna".to_owned()),
                text: text.clone(),
                at: None,
                mood: Mood::Friendly,
            })
            .collect();
        store.add_turns(&Whose::unpaired(), conversation, turns).await?;
        let named = texts.iter().map(|text| ContentHash::of(text)).zip(vectors.iter().copied()).collect();
        store.put_vectors(model, named).await?;
    }
    Ok(())
}
