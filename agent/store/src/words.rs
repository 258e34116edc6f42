//! The table `words`: which rows say a word, in any of its forms (FTS5 with stemming), ranked by BM25.
//!
//! A question is a list of plain words and never a query: whatever stands in a word is looked for and not obeyed. Words are
//! not folded further than FTS5 does, and writing without spaces (Chinese, say) counts as one word up to the next sign.

use std::cmp::Reverse;

use rusqlite::{Connection, params};

use crate::index::Filter;

/// Words of a question that are looked for; the rest of a longer one is left out.
const TERMS_MAX: usize = 32;

/// Longest word, bytes: longer ones are cut.
const TERM_BYTES_MAX: usize = 256;

/// Rows that are ranked at most, the newest of those that match: each costs a few microseconds.
const RANKED_MAX: usize = 4_000;

/// Lets a row be found by its words. `n` is its key in `memory`.
pub(crate) fn write(conn: &Connection, n: i64, text: &str) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?.execute(params![n, text])?;
    Ok(())
}

/// The row is not found by its words any more.
pub(crate) fn delete(conn: &Connection, n: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM words WHERE rowid = ?1")?.execute([n])?;
    Ok(())
}

/// The best `wanted` of the rows that pass and say one of the terms, by BM25, best first; larger is better, never below 0.
/// `rows`: how many the memory has.
///
/// Of terms that more rows say than can be ranked, the rarest are looked for: a word that everybody says tells nothing.
pub(crate) fn best(
    conn: &Connection,
    filter: &Filter<'_>,
    terms: &[String],
    rows: u64,
    wanted: usize,
) -> rusqlite::Result<Vec<(i64, f32)>> {
    let mut phrases = phrases(terms);
    if rows > RANKED_MAX as u64 && phrases.len() > 1 {
        phrases = rarest(conn, phrases)?;
    }
    if phrases.is_empty() || wanted == 0 {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare_cached(
        "SELECT n, rank FROM (
             SELECT words.rowid AS n, bm25(words) AS rank
             FROM words CROSS JOIN memory m ON m.n = words.rowid
             WHERE words MATCH ?1 AND m.town = ?2 AND m.user_id IN ('', ?3) AND (?4 >> m.kind) & 1
             ORDER BY words.rowid DESC LIMIT ?5)
         ORDER BY rank, n DESC LIMIT ?6",
    )?;
    let whose = filter.whose;
    let values = params![
        phrases.join(" OR "),
        whose.town,
        whose.user,
        filter.kinds.bits(),
        RANKED_MAX as i64,
        i64::try_from(wanted).unwrap_or(i64::MAX)
    ];
    // SQLite's is negative, and the smaller the better.
    let ranked = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, -row.get::<_, f64>(1)? as f32));
    statement.query_map(values, ranked)?.collect()
}

/// Each term as a quoted phrase, the only form in which FTS5 obeys nothing.
fn phrases(terms: &[String]) -> Vec<String> {
    let mut phrases: Vec<String> = Vec::new();
    for term in terms {
        let term = &term[..term.floor_char_boundary(TERM_BYTES_MAX)];
        // A query ends at a zero. What has no letter and no digit is no word.
        if !term.chars().any(char::is_alphanumeric) || term.contains('\0') {
            continue;
        }
        let phrase = format!("\"{}\"", term.replace('"', "\"\""));
        if !phrases.contains(&phrase) {
            phrases.push(phrase);
        }
        if phrases.len() == TERMS_MAX {
            break;
        }
    }
    phrases
}

/// The rarest phrases, as long as all the rows that say one of them can be ranked; at least one that is said at all.
fn rarest(conn: &Connection, phrases: Vec<String>) -> rusqlite::Result<Vec<String>> {
    let mut counted = Vec::with_capacity(phrases.len());
    for phrase in phrases {
        let mut statement =
            conn.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ?1 LIMIT ?2)")?;
        let rows: i64 = statement.query_row(params![phrase, RANKED_MAX as i64], |row| row.get(0))?;
        counted.push((usize::try_from(rows).unwrap_or_default(), phrase));
    }
    counted.retain(|(rows, _)| *rows > 0);
    counted.sort_by_key(|(rows, phrase)| (*rows, Reverse(phrase.len())));
    let mut sum = 0;
    let fits = |(index, (rows, phrase)): (usize, (usize, String))| {
        sum += rows;
        (index == 0 || sum <= RANKED_MAX).then_some(phrase)
    };
    Ok(counted.into_iter().enumerate().map_while(fits).collect())
}

#[cfg(test)]
mod tests;
