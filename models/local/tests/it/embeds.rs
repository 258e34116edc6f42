//! Vectors of the real model. Tests that need its weights fetch them once, see `support`.
//!
//! `fixtures/reference.f32` holds 20 x 384 little-endian `f32`, the vectors of the sentences in `reference.json`. They were
//! computed from the same `model.safetensors` by another implementation: the network written out in NumPy 2.4.6 with `f64`
//! throughout and the error function of SciPy 1.17.1, the word pieces by the pure Python `BertTokenizer` of transformers 4.57.3
//! (Python 3.11.7), cut at 256 pieces, mean over the pieces, length 1.

use std::os::unix::fs::symlink;
use std::time::Duration;

use models_local::{
    DIMENSIONS, EmbedError, Embedder, EmbedderConfig, UNLOAD_AFTER, Urgency, Vector, Weights, catalog,
};
use tempfile::TempDir;

use crate::support::weights;

const SENTENCES: &str = include_str!("fixtures/reference.json");
const VECTORS: &[u8] = include_bytes!("fixtures/reference.f32");

fn start(weights: Weights) -> Embedder {
    Embedder::start(EmbedderConfig { weights, unload_after: UNLOAD_AFTER }).unwrap()
}

async fn embed(embedder: &Embedder, texts: &[String], urgency: Urgency) -> Result<Vec<Vector>, EmbedError> {
    let answer = embedder.embed(texts.to_vec(), urgency);
    tokio::time::timeout(Duration::from_secs(120), answer).await.expect("an answer in time")
}

fn sentences() -> Vec<String> {
    serde_json::from_str(SENTENCES).unwrap()
}

fn reference() -> Vec<Vec<f32>> {
    let numbers: Vec<f32> = VECTORS.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    numbers.chunks(DIMENSIONS).map(<[f32]>::to_vec).collect()
}

fn cosine(one: &[f32], other: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()
}

#[tokio::test]
async fn vectors_equal_those_of_another_implementation_alone_and_in_a_batch() {
    let Some(weights) = weights("the comparison with reference vectors") else { return };
    let (embedder, sentences, reference) = (start(weights), sentences(), reference());
    assert_eq!((sentences.len(), reference.len()), (20, 20));
    let batch = embed(&embedder, &sentences, Urgency::Background).await.unwrap();
    for ((sentence, expected), in_batch) in sentences.iter().zip(&reference).zip(&batch) {
        let alone = embed(&embedder, std::slice::from_ref(sentence), Urgency::Now).await.unwrap();
        for vector in [&alone[0], in_batch] {
            let cosine = cosine(vector, expected);
            assert!(cosine >= 0.9999, "{cosine} for {sentence:?}");
            let length: f32 = vector.iter().map(|value| value * value).sum();
            assert!((length - 1.0).abs() < 1e-4, "{length} for {sentence:?}");
        }
    }
}

#[tokio::test]
async fn any_text_has_a_vector_and_only_its_beginning_counts() {
    let Some(weights) = weights("vectors of strange texts") else { return };
    let embedder = start(weights);
    let long = "The kettle is on the stove. ".repeat(100);
    let texts: Vec<String> = vec![
        String::new(),
        " \n\t\0\u{200b}".to_owned(),
        "\u{202e}שלום 🏖️ \u{fffd}".to_owned(),
        "a".repeat(1 << 20),
        "é".repeat(40_000),
        long.clone(),
        format!("{long} and something else altogether at the end"),
        "[CLS] [SEP] [MASK] [PAD]".to_owned(),
    ];
    let vectors = embed(&embedder, &texts, Urgency::Now).await.unwrap();
    for vector in &vectors {
        let length: f32 = vector.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-4 && vector.iter().all(|value| value.is_finite()));
    }
    assert_eq!(vectors[5], vectors[6]);
    assert_eq!(embed(&embedder, &[], Urgency::Now).await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_means_the_same_is_nearer_than_what_shares_words() {
    let Some(weights) = weights("nearness by meaning") else { return };
    let texts =
        ["Where did I leave my glasses?", "Your spectacles lie on the piano.", "Where did I leave my bike?"]
            .map(str::to_owned);
    let vectors = embed(&start(weights), &texts, Urgency::Now).await.unwrap();
    assert!(cosine(&vectors[1], &vectors[0]) > cosine(&vectors[1], &vectors[2]));
}

#[tokio::test]
async fn somebody_who_waits_goes_before_work_in_the_background() {
    let Some(weights) = weights("urgent sentences during background work") else { return };
    let embedder = start(weights);
    let many: Vec<String> =
        (0..400).map(|n| format!("{n} boxes of apples were sold at the market")).collect();
    embed(&embedder, &many[..1], Urgency::Now).await.unwrap();
    let background = embedder.clone();
    let mut work = tokio::spawn(async move { background.embed(many, Urgency::Background).await });
    // The work is under way once it was polled.
    tokio::task::yield_now().await;
    embed(&embedder, &["Who comes today?".to_owned()], Urgency::Now).await.unwrap();
    let unfinished = tokio::time::timeout(Duration::ZERO, &mut work).await.is_err();
    assert!(unfinished, "the work in the background was done before the one who waited");
    assert_eq!(work.await.unwrap().unwrap().len(), 400);
}

#[tokio::test]
async fn without_weights_it_says_so_and_uses_them_once_they_are_there() {
    let dir = TempDir::new().unwrap();
    let embedder = start(Weights::in_dir(dir.path()));
    let texts = ["hello".to_owned()];
    assert!(!embedder.is_available());
    assert_eq!(embed(&embedder, &texts, Urgency::Now).await, Err(EmbedError::NoWeights));

    let Some(weights) = weights("weights that come while the embedder runs") else { return };
    let entry = catalog::find("minilm").unwrap();
    symlink(weights.folder(entry), dir.path().join("minilm")).unwrap();
    assert!(embedder.is_available());
    assert_eq!(embed(&embedder, &texts, Urgency::Now).await.map(|vectors| vectors.len()), Ok(1));
}

#[tokio::test]
async fn altered_or_cut_weights_are_never_used_until_they_are_replaced() {
    let Some(weights) = weights("damaged weights") else { return };
    let entry = catalog::find("minilm").unwrap();
    let dir = TempDir::new().unwrap();
    let (here, folder) = (weights.folder(entry), dir.path().join("minilm"));
    std::fs::create_dir(&folder).unwrap();
    symlink(here.join("tokenizer.json"), folder.join("tokenizer.json")).unwrap();
    let right = std::fs::read(here.join("model.safetensors")).unwrap();
    let model = folder.join("model.safetensors");
    let embedder = start(Weights::in_dir(dir.path()));
    let texts = ["hello".to_owned()];

    let mut in_a_number = right.clone();
    in_a_number[60_000_000] ^= 1;
    let mut in_the_header = right.clone();
    in_the_header[60] ^= 1;
    let mut in_the_length = right.clone();
    in_the_length[7] = 0xff;
    for altered in [in_a_number, in_the_header, in_the_length] {
        std::fs::write(&model, altered).unwrap();
        let answer = embed(&embedder, &texts, Urgency::Now).await;
        assert!(matches!(answer, Err(EmbedError::Damaged(_))), "{answer:?}");
        assert!(!embedder.is_available());
        // Asked again, it does not read the file again, and says the same.
        assert_eq!(embed(&embedder, &texts, Urgency::Now).await, answer);
    }
    std::fs::write(&model, &right[..right.len() / 2]).unwrap();
    assert!(matches!(embed(&embedder, &texts, Urgency::Now).await, Err(EmbedError::Damaged(_))));
    assert!(!embedder.is_available());

    std::fs::remove_file(&model).unwrap();
    std::fs::write(&model, &right).unwrap();
    assert!(embedder.is_available());
    assert!(embed(&embedder, &texts, Urgency::Now).await.is_ok());
}
