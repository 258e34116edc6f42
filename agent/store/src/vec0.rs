//! sqlite-vec: exact comparison of vectors inside SQLite. It is what search falls back to where a model has no index in
//! memory: where the index could not be read, with more rows than it may hold, for a third model, or after a thread died while
//! changing it. Some hundred times slower and never wrong, and so what the index is tested against.
//!
//! Never makes a table of its own: it reads the vectors where they are, in `vectors`.

use rusqlite::auto_extension::{RawAutoExtension, register_auto_extension};
use rusqlite::{Connection, params};

use crate::index::{Filter, ModelId, Near, Vector};
use crate::vectors::bytes;

/// Gives sqlite-vec's functions to every connection that is opened from now on. To be called before the first; once more
/// does nothing.
#[expect(unsafe_code, reason = "SQLite takes an extension as a C function only")]
pub(crate) fn register() -> rusqlite::Result<()> {
    // SAFETY: `sqlite3_vec_init` is compiled in with the three parameters of an extension's entry point, which the crate
    // declares without them; it uses nothing but what SQLite hands it, and stays as long as the program.
    unsafe {
        let entry = sqlite_vec::sqlite3_vec_init as *const ();
        register_auto_extension(std::mem::transmute::<*const (), RawAutoExtension>(entry))
    }
}

/// The best `wanted` of the rows that pass, by exact cosine, best first.
pub(crate) fn nearest(
    conn: &Connection,
    model: ModelId,
    vector: &Vector,
    filter: &Filter<'_>,
    wanted: usize,
) -> rusqlite::Result<Vec<Near>> {
    // A vector without a direction has no distance: as if it stood at a right angle.
    let mut statement = conn.prepare_cached(
        "SELECT m.n, coalesce(vec_distance_cosine(v.vector, ?1), 1.0) AS distance
         FROM memory m CROSS JOIN vectors v ON v.content_hash = m.content_hash AND v.model = ?2
         WHERE m.town = ?3 AND m.user_id IN ('', ?4) AND (?5 >> m.kind) & 1
         ORDER BY distance, m.n DESC LIMIT ?6",
    )?;
    let whose = filter.whose;
    let values = params![
        bytes(vector),
        model.0,
        whose.town,
        whose.user,
        filter.kinds.bits(),
        i64::try_from(wanted).unwrap_or(i64::MAX)
    ];
    let near = |row: &rusqlite::Row<'_>| {
        let distance: f64 = row.get(1)?;
        Ok(Near { n: row.get(0)?, cosine: (1.0 - distance) as f32 })
    };
    statement.query_map(values, near)?.collect()
}
