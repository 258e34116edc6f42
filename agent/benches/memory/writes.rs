//! What a note costs beside a bare insert of the same durability.

use std::path::Path;
use std::time::Instant;

use agent_store::Store;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::NewNote;
use cloud_sync_protocol::store::{NoteStore, Whose};
use rusqlite::Connection;

use crate::crowd;
use crate::report::{Figure, Report};

const NOTES: usize = 800;
const ROUNDS: usize = 3;

pub(crate) fn measure(report: &mut Report, runtime: &tokio::runtime::Runtime) -> anyhow::Result<()> {
    for writers in [1, 8] {
        let (mut own, mut bare) = (f64::INFINITY, f64::INFINITY);
        let (mut own_bytes, mut bare_bytes) = (0, 0);
        // Turn by turn, the best of each: a disk that others use disturbs both alike.
        for _ in 0..ROUNDS {
            let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
            let before = bytes_written()?;
            own = own.min(runtime.block_on(through_the_store(folder.path(), writers))?);
            let between = bytes_written()?;
            bare = bare.min(straight_to_sqlite(&folder.path().join("bare.db"), writers)?);
            own_bytes += between - before;
            bare_bytes += bytes_written()? - between;
        }
        let note = format!(
            "{writers} writers; time a note of 60 bytes takes with words, event and history, by the time a bare insert takes \
             (WAL, synchronous=FULL, a connection each); {:.2} ms beside {:.2} ms",
            own * 1000.0,
            bare * 1000.0
        );
        let figure = Figure::new(format!("note_write_vs_bare_ratio_{writers}"), own / bare, "times");
        report.add(figure.beside(1.0).at_most(2.0).note(note));
        let notes = (ROUNDS * NOTES) as f64;
        let figure =
            Figure::new(format!("note_disk_bytes_{writers}"), own_bytes as f64 / notes, "B").note(format!(
                "{writers} writers; what the process gave the disk to write, a note, log and file together; beside a bare insert"
            ));
        report.add(figure.beside(bare_bytes as f64 / notes));
    }
    Ok(())
}

/// Bytes that this process has given to disks to write, in whole pages of the system.
fn bytes_written() -> anyhow::Result<u64> {
    let io = std::fs::read_to_string("/proc/self/io")?;
    let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(bytes.ok_or_else(|| anyhow::anyhow!("no count of written bytes"))?.parse()?)
}

fn text(number: usize) -> String {
    format!("note {number}: the ficus by the window wants water on Fridays")
}

/// Seconds a note, all writers together.
async fn through_the_store(folder: &Path, writers: usize) -> anyhow::Result<f64> {
    let store = crowd::open(folder)?;
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..writers {
        tasks.spawn(write(store.clone(), writer, NOTES / writers));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let took = begun.elapsed().as_secs_f64();
    store.end().await;
    Ok(took / NOTES as f64)
}

async fn write(store: Store, writer: usize, count: usize) -> anyhow::Result<()> {
    for number in 0..count {
        let note = NewNote {
            id: RowId::named(&format!("{writer}/{number}")),
            content: text(number),
            created_by: "owner".to_owned(),
            tags: Vec::new(),
            priority: 50,
        };
        store.add_note(&Whose::unpaired(), note).await?;
    }
    Ok(())
}

fn straight_to_sqlite(path: &Path, writers: usize) -> anyhow::Result<f64> {
    open(path)?.execute("CREATE TABLE notes (id TEXT PRIMARY KEY, content TEXT NOT NULL)", ())?;
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                scope.spawn(move || -> anyhow::Result<()> {
                    let connection = open(path)?;
                    for number in 0..NOTES / writers {
                        let row = (format!("{writer}/{number}"), text(number));
                        connection.execute("INSERT INTO notes VALUES (?1, ?2)", row)?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_panicked| Err(anyhow::anyhow!("a writer panicked")))
        })
    })?;
    Ok(begun.elapsed().as_secs_f64() / NOTES as f64)
}

fn open(path: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 30000;",
    )?;
    Ok(connection)
}
