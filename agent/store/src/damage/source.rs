//! A damaged file, opened for reading in spite of it. The file itself is never written; where its beginning is missing or
//! wrong, a copy is patched and read.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::open::{Files, OpenError, PAGE_BYTES, PAGE_BYTES_BEFORE, beside, file_error, make, remove};

/// The file as it stands, else a copy with the list of tables of `empty`, an empty memory. The tables of every memory of one
/// version begin at the same pages, so that list leads to what is still there. `None`: nothing can be read.
pub(super) fn open(files: &Files, empty: &[u8]) -> Result<Option<Connection>, OpenError> {
    let length = fs::metadata(&files.db).map_err(file_error(&files.db))?.len();
    // SQLite would delete the log of an empty file.
    if length >= u64::from(PAGE_BYTES)
        && let Some(connection) = readable(&files.db)
    {
        return Ok(Some(connection));
    }
    let file = fs::read(&files.db).map_err(file_error(&files.db))?;
    if has_pages_of_today(&file) {
        patch(files, empty, length, PAGE_BYTES as usize).map_err(file_error(&files.patched))?;
    } else {
        make(&files.patched, PAGE_BYTES_BEFORE, [0; 10])?;
        let empty = fs::read(&files.patched).map_err(file_error(&files.patched))?;
        remove(&files.patched)?;
        patch(files, &empty, length, PAGE_BYTES_BEFORE as usize).map_err(file_error(&files.patched))?;
    }
    Ok(readable(&files.patched))
}

/// Whether pages begin where those of a file of today begin and those of a file of before do not: most begin with the kind of
/// their tree's node, while in the middle of a page such a byte is rare.
fn has_pages_of_today(file: &[u8]) -> bool {
    const NODES: [u8; 4] = [2, 5, 10, 13];
    let middles = file.chunks(PAGE_BYTES as usize).skip(1).step_by(2);
    let (nodes, all) = middles.fold((0, 0), |(nodes, all), middle| {
        (nodes + usize::from(middle.first().is_some_and(|kind| NODES.contains(kind))), all + 1)
    });
    nodes * 16 >= all
}

fn patch(files: &Files, empty: &[u8], length: u64, page_bytes: usize) -> std::io::Result<()> {
    fs::copy(&files.db, &files.patched)?;
    let log = beside(&files.db, "-wal");
    if log.exists() {
        fs::copy(log, beside(&files.patched, "-wal"))?;
    }
    // Where a log says how long the file is, nothing can stand behind that.
    let may_grow = !fs::metadata(beside(&files.patched, "-wal")).is_ok_and(|log| log.len() > 0);
    let pages = usize::try_from(length.div_ceil(page_bytes as u64).max(1)).unwrap_or(usize::MAX);
    let Some(mut first) = empty.get(..page_bytes).map(<[u8]>::to_vec) else { return Ok(()) };
    let mut copy = OpenOptions::new().write(true).open(&files.patched)?;
    copy.set_len(pages as u64 * page_bytes as u64)?;
    let mut end = pages;
    for (pointer, child) in children(&first) {
        let start = (child - 1) * page_bytes;
        let Some(page) = empty.get(start..start + page_bytes) else { continue };
        // Behind the end: in a file of another version, rows may stand where they stand in an empty one of today.
        let number = if may_grow { end + 1 } else { child };
        end = end.max(number);
        first[pointer..pointer + 4].copy_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes());
        copy.seek(SeekFrom::Start((number as u64 - 1) * page_bytes as u64))?;
        copy.write_all(page)?;
    }
    // The header says how many pages there are, and that none of them is free: nothing is written to this copy.
    first[28..32].copy_from_slice(&u32::try_from(end).unwrap_or(u32::MAX).to_be_bytes());
    first[32..40].fill(0);
    copy.seek(SeekFrom::Start(0))?;
    copy.write_all(&first)
}

/// The pages of the list of tables below the first, where that is an inner page of its tree: where it names each, and which it
/// is (the file format of SQLite, 1.6).
fn children(page: &[u8]) -> Vec<(usize, usize)> {
    const INNER: u8 = 5;
    if page[100] != INNER {
        return Vec::new();
    }
    let at = |place: usize| {
        let bytes = page.get(place..place + 4)?;
        let child = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        (child > 1).then_some((place, child))
    };
    let cells = usize::from(u16::from_be_bytes([page[103], page[104]]));
    let pointers = page[112..].as_chunks::<2>().0.iter().take(cells);
    pointers.map(|bytes| usize::from(u16::from_be_bytes(*bytes))).chain([108]).filter_map(at).collect()
}

fn readable(file: &Path) -> Option<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).ok()?;
    // So that a file is read that is shorter than its header says.
    connection.pragma_update(None, "writable_schema", true).ok()?;
    let tables: i64 = connection
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name IN ('notes', 'turns', 'memory')",
            [],
            |row| row.get(0),
        )
        .ok()?;
    (tables == 3).then_some(connection)
}
