//! Porter's stemmer, with the two later rules (`logi`, `bli`) that SQLite's FTS5 applies, so that words are cut here as the
//! word index cuts them. It never allocates more than the word, and leaves words that are not plain ASCII letters alone.
//!
//! Source: M. F. Porter, "An algorithm for suffix stripping", Program 14 (3), 1980.

/// Longest word that is stemmed, bytes; longer ones stay as they are.
const WORD_BYTES_MAX: usize = 64;

/// Suffix, replacement; the first suffix that fits decides.
type Rules = &'static [(&'static str, &'static str)];

const STEP_2: Rules = &[
    ("ational", "ate"),
    ("tional", "tion"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("izer", "ize"),
    ("logi", "log"),
    ("bli", "ble"),
    ("alli", "al"),
    ("entli", "ent"),
    ("eli", "e"),
    ("ousli", "ous"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ator", "ate"),
    ("alism", "al"),
    ("iveness", "ive"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("aliti", "al"),
    ("iviti", "ive"),
    ("biliti", "ble"),
];

const STEP_3: Rules = &[
    ("icate", "ic"),
    ("ative", ""),
    ("alize", "al"),
    ("iciti", "ic"),
    ("ical", "ic"),
    ("ful", ""),
    ("ness", ""),
];

const STEP_4: &[&str] = &[
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism",
    "ate", "iti", "ous", "ive", "ize",
];

/// The stem of a lower-case word.
#[must_use]
pub fn stem(word: &str) -> String {
    let mut stem = word.to_owned();
    let letters = word.bytes().all(|byte| byte.is_ascii_lowercase());
    if word.len() <= 2 || word.len() > WORD_BYTES_MAX || !letters {
        return stem;
    }
    plural(&mut stem);
    past_and_gerund(&mut stem);
    if stem.ends_with('y') && has_vowel(&stem[..stem.len() - 1]) {
        swap_end(&mut stem, 1, "i");
    }
    replace_first(&mut stem, STEP_2);
    replace_first(&mut stem, STEP_3);
    drop_long_suffix(&mut stem);
    final_e(&mut stem);
    if stem.ends_with("ll") && measure(&stem[..stem.len() - 1]) > 1 {
        stem.pop();
    }
    stem
}

fn plural(word: &mut String) {
    if word.ends_with("sses") || word.ends_with("ies") {
        swap_end(word, 2, "");
    } else if word.ends_with('s') && !word.ends_with("ss") {
        word.pop();
    }
}

fn past_and_gerund(word: &mut String) {
    if let Some(before) = word.strip_suffix("eed") {
        if measure(before) > 0 {
            word.pop();
        }
        return;
    }
    let cut = if word.strip_suffix("ed").is_some_and(has_vowel) {
        2
    } else if word.strip_suffix("ing").is_some_and(has_vowel) {
        3
    } else {
        return;
    };
    swap_end(word, cut, "");
    if word.ends_with("at") || word.ends_with("bl") || word.ends_with("iz") || is_short(word) {
        word.push('e');
    } else if has_double_end(word) && !word.ends_with(['l', 's', 'z']) {
        word.pop();
    }
}

/// Whether an `e` belongs behind what is left: one measure, ending consonant, vowel, consonant.
fn is_short(word: &str) -> bool {
    measure(word) == 1 && ends_cvc(word) && !has_double_end(word)
}

fn replace_first(word: &mut String, rules: Rules) {
    let Some((suffix, with)) = longest(rules, word) else { return };
    if measure(&word[..word.len() - suffix.len()]) > 0 {
        swap_end(word, suffix.len(), with);
    }
}

fn longest(rules: Rules, word: &str) -> Option<(&'static str, &'static str)> {
    rules.iter().filter(|(suffix, _)| word.ends_with(suffix)).max_by_key(|(suffix, _)| suffix.len()).copied()
}

fn drop_long_suffix(word: &mut String) {
    let Some(suffix) =
        STEP_4.iter().filter(|suffix| word.ends_with(**suffix)).max_by_key(|suffix| suffix.len())
    else {
        return;
    };
    let before = &word[..word.len() - suffix.len()];
    let may_go = *suffix != "ion" || before.ends_with(['s', 't']);
    if may_go && measure(before) > 1 {
        swap_end(word, suffix.len(), "");
    }
}

fn final_e(word: &mut String) {
    let Some(before) = word.strip_suffix('e') else { return };
    let measured = measure(before);
    if measured > 1 || (measured == 1 && !ends_cvc(before)) {
        word.pop();
    }
}

fn swap_end(word: &mut String, cut: usize, with: &str) {
    word.truncate(word.len() - cut);
    word.push_str(with);
}

/// Whether the letter at `at` is a vowel; `y` is one behind a consonant.
fn is_vowel(word: &[u8], at: usize) -> bool {
    match word[at] {
        b'a' | b'e' | b'i' | b'o' | b'u' => true,
        b'y' => at > 0 && !is_vowel(word, at - 1),
        _ => false,
    }
}

fn has_vowel(word: &str) -> bool {
    (0..word.len()).any(|at| is_vowel(word.as_bytes(), at))
}

/// How often a consonant follows a vowel, Porter's m.
fn measure(word: &str) -> usize {
    let bytes = word.as_bytes();
    (1..bytes.len()).filter(|&at| is_vowel(bytes, at - 1) && !is_vowel(bytes, at)).count()
}

fn has_double_end(word: &str) -> bool {
    let bytes = word.as_bytes();
    let len = bytes.len();
    len >= 2 && bytes[len - 1] == bytes[len - 2] && !is_vowel(bytes, len - 1)
}

/// Consonant, vowel, consonant at the end, the last one none of w, x, y.
fn ends_cvc(word: &str) -> bool {
    let bytes = word.as_bytes();
    let len = bytes.len();
    len >= 3
        && !is_vowel(bytes, len - 1)
        && is_vowel(bytes, len - 2)
        && !is_vowel(bytes, len - 3)
        && !matches!(bytes[len - 1], b'w' | b'x' | b'y')
}
