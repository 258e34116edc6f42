//! The rows that mean what is asked: the index in memory proposes them, the vectors in the database put them in order.
//!
//! Never shows a row that the asker may not see: each is read through [`read`].

use rusqlite::{Connection, params};

use super::{Asked, Candidate, Meaning, read};
use crate::index::{Index, Meant, Rough};
use crate::vec0;
use crate::vectors::bytes;

/// Vectors that are read from the database for each row that is wanted, at most.
const READS: usize = 2;

/// The best `n`, compared exactly, best first.
pub(super) fn best(
    conn: &Connection,
    index: &Index,
    asked: &Asked,
    meaning: &Meaning<'_>,
) -> rusqlite::Result<Vec<Candidate>> {
    let proposed = index
        .space(meaning.model)
        .and_then(|space| space.nearest(&meaning.question, &asked.filter(), &Meant::default(), asked.n));
    match proposed {
        Some(proposed) => best_of(conn, asked, meaning, proposed),
        None => best_of_all(conn, asked, meaning),
    }
}

/// Reads what may be best first, until nobody that is left can be better than the last of the `n` so far, or until so many
/// were read that those left differ from it by less than any question can tell.
fn best_of(
    conn: &Connection,
    asked: &Asked,
    meaning: &Meaning<'_>,
    mut proposed: Vec<Rough>,
) -> rusqlite::Result<Vec<Candidate>> {
    proposed.sort_unstable_by(|one, other| other.at_most().total_cmp(&one.at_most()));
    let mut best: Vec<(f32, Candidate)> = Vec::with_capacity(asked.n + 1);
    for rough in proposed.into_iter().take(asked.n * READS) {
        if best.len() == asked.n && best.last().is_some_and(|(last, _)| *last > rough.at_most()) {
            break;
        }
        let Some((row, vector)) = read::with_vector(conn, asked, meaning.model, rough.near.n)? else {
            continue;
        };
        let cosine = meaning.question.cosine(&vector);
        // Of two as near, the newer.
        let place =
            best.partition_point(|(known, other)| known.total_cmp(&cosine).then(other.n.cmp(&row.n)).is_gt());
        best.insert(place, (cosine, row));
        best.truncate(asked.n);
    }
    Ok(best.into_iter().map(|(cosine, row)| Candidate { cosine: Some(cosine), ..row }).collect())
}

fn best_of_all(conn: &Connection, asked: &Asked, meaning: &Meaning<'_>) -> rusqlite::Result<Vec<Candidate>> {
    let mut best = Vec::new();
    for near in vec0::nearest(conn, meaning.model, meaning.vector, &asked.filter(), asked.n)? {
        let row = read::by_key(conn, asked, near.n)?;
        best.extend(row.map(|row| Candidate { cosine: Some(near.cosine), ..row }));
    }
    Ok(best)
}

/// Keys of the best `n` of those that are of the time and by the people that are named, best first as far as the index in
/// memory can tell; without it, or where the question has no vector, by a scan of the table, the newest of equal ones first.
pub(super) fn best_meant(
    conn: &Connection,
    index: &Index,
    asked: &Asked,
    meant: &Meant,
    meaning: Option<&Meaning<'_>>,
) -> rusqlite::Result<Vec<i64>> {
    let proposed = meaning.and_then(|meaning| {
        index.space(meaning.model)?.nearest(&meaning.question, &asked.filter(), meant, asked.n)
    });
    match proposed {
        Some(proposed) => Ok(proposed.into_iter().take(asked.n).map(|rough| rough.near.n).collect()),
        None => scan_meant(conn, asked, meaning),
    }
}

fn scan_meant(conn: &Connection, asked: &Asked, meaning: Option<&Meaning<'_>>) -> rusqlite::Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(
        "SELECT m.n FROM memory m LEFT JOIN vectors v ON v.content_hash = m.content_hash AND v.model = ?4
         WHERE m.town = ?1 AND m.user_id IN ('', ?2) AND (?3 >> m.kind) & 1
           AND (?6 IS NULL OR ?6 <= m.at_ms AND m.at_ms < ?7)
           AND (?8 = '[]' OR m.speaker IN (SELECT value FROM json_each(?8)))
         ORDER BY CASE WHEN v.vector IS NOT NULL THEN vec_distance_cosine(v.vector, ?5) END NULLS LAST,
             m.at_ms DESC, m.n DESC
         LIMIT ?9",
    )?;
    let values = params![
        asked.whose.town,
        asked.whose.user,
        asked.kinds.bits(),
        // Without a vector no model's are compared.
        meaning.map(|meaning| meaning.model.0),
        meaning.map(|meaning| bytes(meaning.vector)),
        asked.span.map(|span| span.from_ms),
        asked.span.map(|span| span.to_ms),
        serde_json::Value::from(asked.speakers.clone()).to_string(),
        i64::try_from(asked.n).unwrap_or(i64::MAX),
    ];
    statement.query_map(values, |row| row.get(0))?.collect()
}

/// Gives a cosine to those that have none yet.
pub(super) fn compare_rest(
    conn: &Connection,
    index: &Index,
    asked: &Asked,
    meaning: &Meaning<'_>,
    candidates: &mut [Candidate],
) -> rusqlite::Result<()> {
    let rest: Vec<&mut Candidate> =
        candidates.iter_mut().filter(|candidate| candidate.cosine.is_none()).collect();
    let keys: Vec<i64> = rest.iter().map(|candidate| candidate.n).collect();
    let known = index.space(meaning.model).and_then(|space| space.cosines(&meaning.question, &keys));
    for (place, candidate) in rest.into_iter().enumerate() {
        candidate.cosine = match &known {
            Some(cosines) => cosines[place],
            None => read::with_vector(conn, asked, meaning.model, candidate.n)?
                .map(|(_, vector)| meaning.question.cosine(&vector)),
        };
    }
    Ok(())
}
