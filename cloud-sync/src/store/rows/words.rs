//! The words of a text as the word index holds them: stems with their places, the same as on the robot. Postgres' own parser and
//! dictionaries are not asked: what they find depends on the server's locale. Pure.

use std::collections::BTreeMap;
use std::fmt::Write;

use models_mind::stem::stem;
use models_mind::words::{cut, words};
use sha2::{Digest, Sha256};

/// Longest stem, bytes: longer ones are cut. Postgres takes 2046.
const STEM_BYTES_MAX: usize = 256;
/// Places that are kept of one stem; Postgres keeps no more.
const PLACES_MAX: usize = 255;
/// The last place there is.
const PLACE_MAX: usize = 16_383;

/// A text, cut for the index.
pub(super) struct Indexed {
    /// How many words it has.
    pub(super) words: i32,
    /// As Postgres reads a `tsvector`.
    pub(super) stems: String,
}

/// Letters and digits alone, so nothing in it has a meaning to Postgres.
fn stem_of(word: &str) -> String {
    cut(&stem(word), STEM_BYTES_MAX).to_owned()
}

pub(super) fn index(text: &str) -> Indexed {
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut count = 0;
    for (place, word) in words(text).iter().enumerate() {
        count = place + 1;
        let of_stem = places.entry(stem_of(&word.text)).or_default();
        if of_stem.len() < PLACES_MAX {
            of_stem.push((place + 1).min(PLACE_MAX));
        }
    }
    let mut stems = String::new();
    for (stem, places) in places {
        let places: Vec<String> = places.iter().map(usize::to_string).collect();
        // Writing to a string cannot fail.
        write!(stems, "'{stem}':{} ", places.join(",")).unwrap_or_default();
    }
    Indexed { words: i32::try_from(count).unwrap_or(i32::MAX), stems }
}

/// The stems of words that are looked for, each once.
pub(super) fn stems<'a>(texts: impl IntoIterator<Item = &'a str>, max: usize) -> Vec<String> {
    let mut stems: Vec<String> = Vec::new();
    for word in texts.into_iter().flat_map(words) {
        let stem = stem_of(&word.text);
        if stems.len() < max && !stems.contains(&stem) {
            stems.push(stem);
        }
    }
    stems
}

/// As Postgres reads a `tsquery`: `sign` is `&` or `|`.
pub(super) fn query(stems: &[String], sign: &str) -> String {
    stems.iter().map(|stem| format!("'{stem}'")).collect::<Vec<_>>().join(sign)
}

/// Names a text by what it says: the first 16 bytes of its SHA-256.
pub(super) fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(text)[..16].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_as_the_robot_cuts_it() {
        let indexed = index("The Walnuts; a walnut's <b>CAFÉ</b>!");
        assert_eq!(indexed.words, 8);
        assert_eq!(indexed.stems, "'a':3 'b':6,8 'cafe':7 's':5 'the':1 'walnut':2,4 ");
        assert_eq!(query(&stems(["Walnuts' walnut", "& | ! 'x'"], 8), "&"), "'walnut'&'x'");
        assert_eq!(index("").stems, "");
    }

    #[test]
    fn nothing_is_too_long_for_postgres() {
        let long = "x".repeat(5000);
        assert!(index(&long).stems.len() < 300);
        let many = index(&"word ".repeat(20_000));
        assert_eq!((many.words, many.stems.split(',').count()), (20_000, 255));
    }
}
