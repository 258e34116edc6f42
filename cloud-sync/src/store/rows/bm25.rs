//! Which of the rows that say a word say it best: BM25 with the numbers of SQLite's FTS5, which the robot asks. Pure.

use std::collections::HashMap;
use std::hash::Hash;

const K1: f32 = 1.2;
const B: f32 = 0.75;
/// A word that most rows say still counts a little.
const IDF_MIN: f32 = 1e-6;

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: i64,
    pub(super) words: i64,
}

/// How often a row says a stem.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<K> {
    pub(super) row: K,
    /// Words of the row.
    pub(super) words: i32,
    /// Which of the stems.
    pub(super) stem: usize,
    pub(super) times: i32,
}

/// The best `n`, best first. `rows_with`: how many rows say each stem.
pub(super) fn best<K: Copy + Eq + Hash + Ord>(
    size: Size,
    rows_with: &[i64],
    said: &[Said<K>],
    n: usize,
) -> Vec<(K, f32)> {
    let rows = size.rows.max(1) as f32;
    let mean = (size.words as f32 / rows).max(1.0);
    let idf = |with: &i64| {
        let with = *with as f32;
        ((rows - with + 0.5) / (with + 0.5)).ln().max(IDF_MIN)
    };
    let idf: Vec<f32> = rows_with.iter().map(idf).collect();
    let mut scores: HashMap<K, f32> = HashMap::new();
    for one in said {
        let times = one.times as f32;
        let length = 1.0 - B + B * one.words as f32 / mean;
        let share = times * (K1 + 1.0) / (times + K1 * length);
        *scores.entry(one.row).or_default() += idf.get(one.stem).copied().unwrap_or(0.0) * share;
    }
    let mut best: Vec<(K, f32)> = scores.into_iter().collect();
    // Of two as good, the one with the later id, which is the newer.
    best.sort_unstable_by(|one, other| other.1.total_cmp(&one.1).then(other.0.cmp(&one.0)));
    best.truncate(n);
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_said_often_in_short_rows_come_first() {
        let size = Size { rows: 100, words: 1_000 };
        let said = |row, words, stem, times| Said { row, words, stem, times };
        let all = [
            said('a', 10, 0, 1),
            said('b', 10, 1, 1),
            said('c', 10, 1, 3),
            said('d', 90, 1, 1),
            said('e', 10, 0, 1),
            said('e', 10, 1, 1),
        ];
        let best = best(size, &[60, 3], &all, 4);
        let order: String = best.iter().map(|(row, _)| *row).collect();
        assert_eq!(order, "cebd");
        assert!(best.iter().all(|(_, score)| *score > 0.0));
    }
}
