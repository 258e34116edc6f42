//! Real sentences, and what they mean: from the READMEs of the crates that cargo has fetched, embedded once and kept in the
//! target folder by what they say.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use agent_store::Vector;
use anyhow::{Context, ensure};
use models_local::{Embedder, EmbedderConfig, UNLOAD_AFTER, Urgency, Weights};
use sha2::{Digest, Sha256};

use crate::{support, variable};

/// Texts of one call of the embedder.
const CALL: usize = 256;

/// `count` sentences of 5 to 40 words, each once.
pub(crate) fn collect(count: usize) -> anyhow::Result<Vec<String>> {
    let home = variable("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cargo")));
    let sources = home.context("neither CARGO_HOME nor HOME is set")?.join("registry/src");
    let mut crates: Vec<PathBuf> = Vec::new();
    for index in std::fs::read_dir(&sources).with_context(|| sources.display().to_string())? {
        crates.extend(std::fs::read_dir(index?.path())?.flatten().map(|entry| entry.path()));
    }
    crates.sort();
    let mut seen = HashSet::new();
    let mut sentences = Vec::new();
    for folder in crates {
        for file in ["README.md", "CHANGELOG.md"] {
            let Ok(text) = std::fs::read_to_string(folder.join(file)) else { continue };
            for sentence in text.split_inclusive(['.', '!', '?', '\n']) {
                let plain: String = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
                let words = plain.split(' ').count();
                if (5..=40).contains(&words) && plain.is_ascii() && seen.insert(plain.clone()) {
                    sentences.push(plain);
                }
            }
        }
    }
    ensure!(sentences.len() >= count, "only {} sentences were found", sentences.len());
    // Every n-th, so that all crates speak.
    let step = sentences.len() / count;
    Ok(sentences.into_iter().step_by(step.max(1)).take(count).collect())
}

/// The vectors of these sentences by MiniLM; `None` without weights, which has been said.
pub(crate) fn vectors(
    sentences: &[String],
    runtime: &tokio::runtime::Runtime,
) -> anyhow::Result<Option<Vec<Vector>>> {
    let Some(weights) = support::weights("the figures of recall over real vectors") else { return Ok(None) };
    let name: String =
        Sha256::digest(sentences.join("\n")).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sentences-{name}.f32"));
    if let Some(kept) = read(&path, sentences.len()) {
        return Ok(Some(kept));
    }
    let made = runtime.block_on(embed(weights, sentences))?;
    let mut file = std::fs::File::create(&path)?;
    for number in made.iter().flatten() {
        file.write_all(&number.to_le_bytes())?;
    }
    Ok(Some(made))
}

async fn embed(weights: Weights, sentences: &[String]) -> anyhow::Result<Vec<Vector>> {
    let embedder = Embedder::start(EmbedderConfig { weights, unload_after: UNLOAD_AFTER })?;
    let mut made = Vec::with_capacity(sentences.len());
    for (number, call) in sentences.chunks(CALL).enumerate() {
        if number % 8 == 0 {
            eprint!("\rembedding {} of {}", made.len(), sentences.len());
        }
        made.extend(embedder.embed(call.to_vec(), Urgency::Background).await?);
    }
    eprintln!();
    Ok(made)
}

fn read(path: &Path, count: usize) -> Option<Vec<Vector>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.read_to_end(&mut bytes).ok()?;
    let (numbers, _) = bytes.as_chunks::<4>();
    let numbers: Vec<f32> = numbers.iter().map(|four| f32::from_le_bytes(*four)).collect();
    let (vectors, rest) = numbers.as_chunks::<384>();
    (vectors.len() == count && rest.is_empty()).then(|| vectors.to_vec())
}
