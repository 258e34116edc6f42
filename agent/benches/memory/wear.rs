//! What an agent writes to its disk, on which flash cards wear out, and what it needs while nothing happens.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rusqlite::Connection;
use serde_json::json;

use crate::process::rss_mb;
use crate::programs::{Agent, Place};
use crate::report::{Figure, Report};

/// What follows a start is over by then.
const SETTLE: Duration = Duration::from_secs(5);
/// How long nothing happens.
const REST: Duration = Duration::from_secs(60);
/// Notes of a day, one a minute.
const NOTES: u32 = 24 * 60;
/// Between two of them here: long enough that each has its own commit, and its vector another one.
const PACE: Duration = Duration::from_millis(45);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) fn measure(report: &mut Report, _: &tokio::runtime::Runtime) -> anyhow::Result<()> {
    let place = Place::new()?;
    let agent = Agent::start(&place, None)?;
    let process = agent.process.id();
    std::thread::sleep(SETTLE);
    let (before, began) = (written_mb(process)?, Instant::now());
    std::thread::sleep(REST);
    let idle_mb = (written_mb(process)? - before) * DAY.as_secs_f64() / began.elapsed().as_secs_f64();
    let note = "a minute without a client, no weights, simulated body in the same process";
    report.add(Figure::new("idle_rss_mb", rss_mb(process)?, "MB").at_most(25.0).note(note));
    // One line that the agent logs on a busy machine costs a page: 6 MB once scaled.
    let logged = std::fs::metadata(place.path("agent.log"))?.len();
    let note = format!(
        "{note}; write_bytes of /proc/PID/io, without the file system's own, scaled to a day; what it logs is in it, {logged} \
         bytes so far"
    );
    report.add(Figure::new("disk_written_mb_per_day_idle", idle_mb, "MB").note(note));

    let before = written_mb(process)?;
    let began = Instant::now();
    let mut client = agent.client()?;
    for number in 0..NOTES {
        let note = json!({ "content": text(number) }).to_string();
        client.ask("POST", "/api/sticky-notes/", &note)?.expect(201)?;
        std::thread::sleep((began + PACE * (number + 1)).saturating_duration_since(Instant::now()));
    }
    std::thread::sleep(SETTLE);
    let during_mb = idle_mb * began.elapsed().as_secs_f64() / DAY.as_secs_f64();
    let notes_mb = written_mb(process)? - before - during_mb;
    ensure!(notes_mb > 0.0, "the build folder is on no disk: nothing was written to one");
    let note = format!(
        "{NOTES} notes of 60 bytes, each with event, words and lexical vector, {} ms apart instead of a minute, and an idle \
         day; checkpoints of the log are in it; {:.1} KB a note; baseline: as many bare inserts of the same durability",
        PACE.as_millis(),
        notes_mb * 1000.0 / f64::from(NOTES)
    );
    let figure = Figure::new("disk_written_mb_per_day_note_a_minute", idle_mb + notes_mb, "MB");
    report.add(figure.beside(bare_mb(&place)?).note(note));
    Ok(())
}

fn text(number: u32) -> String {
    format!("note {number}: the ficus by the window wants water on Fridays")
}

/// Bytes that a process has had written to disks so far.
fn written_mb(process: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/io"))?;
    let bytes = text.lines().find_map(|line| line.strip_prefix("write_bytes:")).context("no write_bytes")?;
    Ok(bytes.trim().parse::<f64>()? / 1e6)
}

/// What this process writes for as many rows that have nothing beside their text.
fn bare_mb(place: &Place) -> anyhow::Result<f64> {
    let connection = Connection::open(place.path("bare.db"))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE notes (id INTEGER PRIMARY KEY, content TEXT)",
    )?;
    let before = written_mb(std::process::id())?;
    for number in 0..NOTES {
        connection.execute("INSERT INTO notes (content) VALUES (?1)", [text(number)])?;
    }
    Ok(written_mb(std::process::id())? - before)
}
