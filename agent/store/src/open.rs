//! Opening: which file, whether it is sound and of a version that is known, and everything that is set before the first row
//! is read. A new file is made beside its place and moved there when it is whole, so that half a file is never found.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};
use tokio::sync::{broadcast, mpsc};

use crate::damage::{self, Loss};
use crate::health::Health;
use crate::index::{Index, ROWS_MAX};
use crate::limits::Usage;
use crate::readers::Readers;
use crate::reserve::Reserve;
use crate::rows::events::{self, FOLLOW_MAX};
use crate::store::{Inner, OpenConfig, QUEUE};
use crate::writer::Writer;
use crate::{vec0, vectors};

const STEPS: &[M<'static>] = &[
    M::up(include_str!("../../../migrations/edge/0001_memory.sql")),
    M::up(include_str!("../../../migrations/edge/0002_fewer_pages.sql")),
    M::up(include_str!("../../../migrations/edge/0003_chat.sql")),
    M::up(include_str!("../../../migrations/edge/0004_sync.sql")),
];
pub(crate) const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);

/// Version of the file, as `user_version` says it: the number of migrations.
const VERSION: u32 = STEPS.len() as u32;

/// How long a connection waits for another's lock.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// How long the check at the start may take; what it has not seen by then is found when it is read.
const CHECK_TIME: Duration = Duration::from_secs(2);

/// Bytes of a page of a new file. A row by itself changes some 13 pages, and each goes to the log as a whole: with SQLite's own
/// 4096 a note of 60 bytes wrote 59 KB to the card, so it writes 39. Of 1024 it would be 23, but then the tables' first pages
/// lie so close together that one lost block of a card takes several tables with it. Files of before keep their 4096.
pub(crate) const PAGE_BYTES: u32 = 2048;

/// Bytes of a page of the files that the first version made.
pub(crate) const PAGE_BYTES_BEFORE: u32 = 4096;

/// Bytes of the log after which it is worked into the file: twice SQLite's own, so that pages that change often are written
/// to the card less often.
const LOG_BYTES: u32 = 8 * 1024 * 1024;

/// Why the memory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Something with a file or the folder.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A newer program wrote it; it is left as it is.
    #[error(
        "{path} was written by a newer version of this program (its version is {found}, this program knows {known}): \
         install that version, or start with another data folder"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// SQLite cannot open it.
    #[error("cannot open the memory {path}")]
    Sql {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The tables cannot be made or brought up to date.
    #[error("cannot bring the memory {path} up to date")]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite_migration::Error,
    },
    /// A damaged file cannot be carried over; it is left as it is.
    #[error(
        "the memory {path} is damaged, and what can be read of it cannot be written to a new file: {why}"
    )]
    CarryOver {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl OpenError {
    /// Whether the disk may be full: SQLite does not say so of every file that it cannot make.
    const fn may_be_for_room(&self) -> bool {
        !matches!(self, Self::Newer { .. })
    }
}

pub(crate) fn file_error(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    |source| OpenError::File { path, source }
}

pub(crate) fn sql_error(path: &Path) -> impl FnOnce(rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    |source| OpenError::Sql { path, source }
}

/// The files of one memory.
pub(crate) struct Files {
    pub(crate) dir: PathBuf,
    /// The memory.
    pub(crate) db: PathBuf,
    /// While it is made.
    pub(crate) new: PathBuf,
    /// Whole, with everything that could be read of a damaged one, and not yet in its place.
    pub(crate) carried: PathBuf,
    /// A copy of a damaged one that is patched to be read.
    pub(crate) patched: PathBuf,
    suspect: PathBuf,
}

impl Files {
    fn of(dir: &Path) -> Self {
        let named = |name: &str| dir.join(name);
        Self {
            dir: dir.to_owned(),
            db: named("memory.db"),
            new: named("memory.db.new"),
            carried: named("memory.db.carried"),
            patched: named("memory.db.patched"),
            suspect: named("memory.db.suspect"),
        }
    }

    /// Makes what was renamed in the folder last through a power cut.
    pub(crate) fn sync_dir(&self) -> Result<(), OpenError> {
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(file_error(&self.dir))
    }
}

/// The log and the shared index that SQLite keeps beside a file.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes a file of SQLite with what is beside it.
pub(crate) fn remove(file: &Path) -> Result<(), OpenError> {
    for path in [file.to_owned(), beside(file, "-wal"), beside(file, "-shm"), beside(file, "-journal")] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file_error(&path)(error)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Opens the memory and starts its thread.
pub(crate) fn open(config: OpenConfig) -> Result<(Inner, Option<Loss>), OpenError> {
    let files = Files::of(&config.dir);
    fs::create_dir_all(&files.dir).map_err(file_error(&files.dir))?;
    vec0::register().map_err(sql_error(&files.db))?;
    let mut reserve = Reserve::at(beside(&files.db, ".reserve"));
    let prepared = match prepare(&files, &config) {
        // Also a log of no length needs some room beside the file.
        Err(error) if error.may_be_for_room() && reserve.release() => prepare(&files, &config),
        prepared => prepared,
    };
    let (loss, connection) = prepared?;
    reserve.take();
    let usage = Usage::measure(&connection).map_err(sql_error(&files.db))?;
    let index = Arc::new(Index::new(ROWS_MAX));
    // A page that cannot be read costs the index, not the memory: vectors are compared in SQL, and the next start looks closely.
    if let Err(error) = vectors::load(&connection, &index) {
        tracing::error!(%error, "the vectors cannot be read: they are compared without an index");
        fs::write(&files.suspect, "").map_err(file_error(&files.suspect))?;
    }
    let readers = Readers::open(&files.db).map_err(sql_error(&files.db))?;
    let health = Arc::new(Health::default());
    if let Some(loss) = &loss {
        tracing::error!(%loss, "the memory was damaged");
        health.lost(loss.to_string());
    }
    let (told, _) = broadcast::channel(FOLLOW_MAX);
    let (jobs, messages) = mpsc::channel(QUEUE);
    let clock = config.clock;
    let pages = config.limits.total_bytes / u64::from(page_bytes(&connection).map_err(sql_error(&files.db))?);
    let writer = Writer {
        connection,
        clock: clock.clone(),
        random: config.random,
        limits: config.limits,
        usage,
        pages_max: u32::try_from(pages).unwrap_or(u32::MAX - 1),
        reserve,
        told: told.clone(),
        index: Arc::clone(&index),
        health: Arc::clone(&health),
    };
    writer.bound_pages();
    let told = told.downgrade();
    thread::Builder::new()
        .name("memory".to_owned())
        .spawn(move || writer.run(messages))
        .map_err(file_error(&files.db))?;
    Ok((Inner { clock, jobs, readers, told, index, health, suspect: files.suspect }, loss))
}

/// A connection to a sound file of the newest version, and what it cost to make it so.
fn prepare(files: &Files, config: &OpenConfig) -> Result<(Option<Loss>, Connection), OpenError> {
    let loss = find_or_make(files, config)?;
    fs::set_permissions(&files.db, Permissions::from_mode(0o600)).map_err(file_error(&files.db))?;
    let mut connection = connect(&files.db).map_err(sql_error(&files.db))?;
    MIGRATIONS
        .to_latest(&mut connection)
        .map_err(|source| OpenError::Migrate { path: files.db.clone(), source })?;
    Ok((loss, connection))
}

/// Leaves a sound file of a known version in its place.
fn find_or_make(files: &Files, config: &OpenConfig) -> Result<Option<Loss>, OpenError> {
    remove(&files.new)?;
    remove(&files.patched)?;
    let loss = damage::finish(files)?;
    if !files.db.exists() {
        make(&files.new, PAGE_BYTES, (config.random)())?;
        fs::rename(&files.new, &files.db).map_err(file_error(&files.db))?;
        files.sync_dir()?;
        return Ok(loss);
    }
    let is_suspect = files.suspect.exists();
    let why = match examine(&files.db, (!is_suspect).then_some(CHECK_TIME))? {
        Verdict::Sound => None,
        Verdict::Newer(found) => {
            return Err(OpenError::Newer { path: files.db.clone(), found, known: VERSION });
        }
        Verdict::Damaged(why) => Some(why),
    };
    let loss = match why {
        None => loss,
        Some(why) => {
            make(&files.new, PAGE_BYTES, (config.random)())?;
            damage::carry_over(files, &why, (config.clock)().wall)?;
            damage::finish(files)?
        }
    };
    if is_suspect {
        fs::remove_file(&files.suspect).map_err(file_error(&files.suspect))?;
    }
    Ok(loss)
}

/// Makes an empty memory, whole and on the disk, that only its owner may read.
pub(crate) fn make(path: &Path, page_bytes: u32, random: [u8; 10]) -> Result<(), OpenError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(file_error(path))?;
    let mut connection = connect_to(path, page_bytes).map_err(sql_error(path))?;
    MIGRATIONS
        .to_latest(&mut connection)
        .map_err(|source| OpenError::Migrate { path: path.to_owned(), source })?;
    events::begin(&connection, random).map_err(sql_error(path))?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").map_err(sql_error(path))?;
    connection.close().map_err(|(_, error)| sql_error(path)(error))
}

/// Bytes of a page of this file.
fn page_bytes(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "page_size", |row| row.get(0))
}

/// A connection that writes. Every commit reaches the disk before it is answered.
pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    connect_to(path, PAGE_BYTES)
}

/// The same; a file of no length gets pages of `new_page_bytes`.
fn connect_to(path: &Path, new_page_bytes: u32) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "page_size", new_page_bytes)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let log_pages = LOG_BYTES / page_bytes(&connection)?.max(1);
    connection.pragma_update_and_check(None, "wal_autocheckpoint", log_pages, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", 16 * 1024 * 1024, |_| Ok(()))?;
    Ok(connection)
}

enum Verdict {
    Sound,
    Newer(u32),
    Damaged(String),
}

/// Looks without writing a byte to the file or its log.
fn examine(path: &Path, time: Option<Duration>) -> Result<Verdict, OpenError> {
    let mut header = Vec::new();
    File::open(path).and_then(|file| file.take(100).read_to_end(&mut header)).map_err(file_error(path))?;
    if header.len() < 100 || !header.starts_with(b"SQLite format 3\0") {
        return Ok(Verdict::Damaged("it is no database".to_owned()));
    }
    let version = u32::from_be_bytes([header[60], header[61], header[62], header[63]]);
    if version > VERSION {
        return Ok(Verdict::Newer(version));
    }
    match check(path, time) {
        Ok(verdict) => Ok(verdict),
        Err(error) if crate::fail::is_damage(&error) => Ok(Verdict::Damaged(error.to_string())),
        Err(error) => Err(sql_error(path)(error)),
    }
}

fn check(path: &Path, time: Option<Duration>) -> rusqlite::Result<Verdict> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // The log may hold a newer header than the file.
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        return Ok(Verdict::Newer(version));
    }
    if let Some(time) = time {
        let until = Instant::now() + time;
        connection.progress_handler(10_000, Some(move || Instant::now() > until))?;
    }
    let found = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        .and_then(|words| if words == "ok" { altered_text(&connection) } else { Ok(Some(words)) });
    match found {
        Ok(None) => Ok(Verdict::Sound),
        Ok(Some(words)) => Ok(Verdict::Damaged(words)),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => {
            tracing::info!("the memory is too large to be checked as a whole at the start");
            Ok(Verdict::Sound)
        }
        Err(error) => Err(error),
    }
}

/// What SQLite does not notice: a long text with a part of it overwritten. Every text has its hash in `memory`.
fn altered_text(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mut statement =
        connection.prepare(&format!("SELECT m.content_hash, {} FROM memory m", vectors::TEXT))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text: Option<String> = row.get(1)?;
        let Some(text) = text else { return Ok(Some("a row is missing".to_owned())) };
        if row.get::<_, [u8; 16]>(0)? != *vectors::ContentHash::of(&text).as_bytes() {
            return Ok(Some("a text is not what it was when it was written".to_owned()));
        }
    }
    Ok(None)
}
