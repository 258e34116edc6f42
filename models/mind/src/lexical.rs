//! Vectors without weights: a text as hashed words, stems, pairs and pieces of words, in the space size of the sentence
//! embedder. Texts that share words, or words of the same make, lie near each other; what only means the same does not.
//!
//! Signed feature hashing: Weinberger and others, "Feature hashing for large scale multitask learning", ICML 2009. The same
//! on every machine: sums in a fixed order in `f64`, roots and logarithms of `libm`. It learns nothing.

use crate::stem::stem;
use crate::words::{is_stop_word, words};

/// Numbers of a vector.
pub const DIMENSIONS: usize = 384;
/// Words that are looked at, from the beginning.
const WORDS_MAX: usize = 4_096;
/// Weight of a stem, of a pair of stems beside each other, and of all pieces of a word together.
const STEM: f64 = 1.0;
const PAIR: f64 = 0.5;
const PIECES: f64 = 0.7;
/// What a stop word counts beside another word.
const STOP: f64 = 0.1;

/// The vector of a text, length 1. Without a word it is made of its characters, and an empty text has a vector too.
#[must_use]
pub fn lexical_embedding(text: &str) -> [f32; DIMENSIONS] {
    let mut features = word_features(text);
    if features.is_empty() {
        features = text.chars().take(WORDS_MAX).map(|letter| (hash("c", &letter.to_string()), 1.0)).collect();
        features.push((hash("c", ""), 1.0));
    }
    let mut vector = [0.0_f64; DIMENSIONS];
    for (hash, weight) in counted(features) {
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        vector[(hash % DIMENSIONS as u64) as usize] += sign * weight;
    }
    normalised(&vector)
}

fn word_features(text: &str) -> Vec<(u64, f64)> {
    let mut features = Vec::new();
    let mut before: Option<String> = None;
    for word in words(text).iter().take(WORDS_MAX) {
        if is_stop_word(&word.text) {
            features.push((hash("s", &word.text), STOP));
            continue;
        }
        let stem = stem(&word.text);
        features.push((hash("s", &stem), STEM));
        if let Some(before) = &before {
            features.push((hash("p", &format!("{before} {stem}")), PAIR));
        }
        pieces(&stem, &mut features);
        before = Some(stem);
    }
    features
}

/// Three and four letters at a time, with the ends marked, so that a slip of the pen still leaves most of a word.
fn pieces(stem: &str, features: &mut Vec<(u64, f64)>) {
    let letters: Vec<char> = format!("<{stem}>").chars().collect();
    let count = letters.len().saturating_sub(2) + letters.len().saturating_sub(3);
    let weight = PIECES / libm::sqrt(count.max(1) as f64);
    for length in [3, 4] {
        for piece in letters.windows(length) {
            features.push((hash("g", &piece.iter().collect::<String>()), weight));
        }
    }
}

/// Each feature once; said n times it weighs 1 + ln n as much.
fn counted(mut features: Vec<(u64, f64)>) -> Vec<(u64, f64)> {
    features.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut counted = Vec::with_capacity(features.len());
    for same in features.chunk_by(|a, b| a.0 == b.0) {
        let (hash, weight) = same[0];
        counted.push((hash, weight * (1.0 + libm::log(same.len() as f64))));
    }
    counted
}

fn normalised(vector: &[f64; DIMENSIONS]) -> [f32; DIMENSIONS] {
    let length = libm::sqrt(vector.iter().map(|value| value * value).sum());
    let mut unit = [0.0_f32; DIMENSIONS];
    if length < 1e-9 {
        // Two features cancelled each other and nothing was left.
        unit[0] = 1.0;
        return unit;
    }
    for (unit, value) in unit.iter_mut().zip(vector) {
        *unit = (value / length) as f32;
    }
    unit
}

/// FNV-1a (Fowler, Noll, Vo), its bits mixed once more so that bucket and sign do not hang together.
fn hash(kind: &str, text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in kind.bytes().chain(text.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 31)).wrapping_mul(0x7fb5_d329_728e_a185);
    hash ^ (hash >> 29)
}
