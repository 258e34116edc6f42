//! How fast a robot takes in what the cloud tells: pages into its store, beside plain inserts of the same durability.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use agent_store::{Limits, OpenConfig, Store};
use cloud_sync_protocol::stamp::{ClockState, Stamp};
use cloud_sync_protocol::sync::frame::{Item, Page};
use cloud_sync_protocol::sync::op::Scope;
use cloud_sync_protocol::sync::replica::Change;
use jiff::Timestamp;
use rusqlite::Connection;

use crate::device::note;
use crate::report::{Figure, Report};
use crate::stats::Samples;
use crate::system::place::Place;

/// Rows of a page, and of a transaction.
const ROWS: u64 = 500;
/// Pages of a round.
const PAGES: u64 = 40;
const ROUNDS: usize = 4;

/// Measures it.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let place = Place::new()?;
    let (mut own_s, mut bare_s) = (Vec::new(), Vec::new());
    // The first round warms up.
    for round in 0..=ROUNDS {
        let folder = place.path(&format!("store-{round}"));
        std::fs::create_dir(&folder)?;
        let own = runtime.block_on(through_the_store(&folder))?;
        let bare = straight_to_sqlite(&folder.join("bare.db"))?;
        if round > 0 {
            own_s.push(own);
            bare_s.push(bare);
        }
    }
    let (own_s, bare_s) = (Samples::new(own_s), Samples::new(bare_s));
    let count = (PAGES * ROWS) as f64;
    let note = format!(
        "{count} new notes in pages of {ROWS}, each page a transaction that is on the disk, with words and events; median of \
         {ROUNDS} rounds (best {:.0}); baseline: plain inserts of the same notes, WAL, synchronous=FULL, {ROWS} a transaction",
        count / own_s.percentile(0)
    );
    let figure = Figure::new("sync_apply_ops_s", count / own_s.median(), "1/s");
    report.add(figure.beside(count / bare_s.median()).at_least(15_000.0).note(note));
    Ok(())
}

fn open(folder: &Path) -> anyhow::Result<Store> {
    let ids = Arc::new(AtomicU64::new(1));
    let (store, _) = Store::open(OpenConfig {
        dir: folder.to_owned(),
        clock: Arc::new(|| Stamp {
            boot_id: 1,
            mono_ms: 1,
            wall: Timestamp::now(),
            clock: ClockState::Synced,
        }),
        random: Arc::new(move || {
            let mut bytes = [0; 10];
            bytes[2..].copy_from_slice(&ids.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            bytes
        }),
        limits: Limits::default(),
    })?;
    Ok(store)
}

/// Rows that follow each other, from version 1.
fn page(number: u64) -> Page {
    let (from, to) = (number * ROWS, (number + 1) * ROWS);
    let item = |version: u64| {
        let op = note(9, version);
        let at_ms = op.stamp.wall.as_millisecond();
        Item { key: op.key, version, at_ms, is_deleted: false, fields: op.fields }
    };
    let items = (from + 1..=to).map(item).collect();
    Page { session: 1, scope: Scope::Town, from, to, head: PAGES * ROWS, checksum: None, items }
}

/// Seconds for all pages.
async fn through_the_store(folder: &Path) -> anyhow::Result<f64> {
    let store = open(folder)?;
    store.pair("home", "bench", "owner").await?;
    let pages: Vec<Page> = (0..PAGES).map(page).collect();
    let began = Instant::now();
    for page in pages {
        store.apply_change(Change::Page(page)).await?;
    }
    let took = began.elapsed().as_secs_f64();
    store.end().await;
    Ok(took)
}

/// Seconds for the same notes in a table of their own.
fn straight_to_sqlite(path: &Path) -> anyhow::Result<f64> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE notes (id BLOB PRIMARY KEY, content TEXT NOT NULL, created_by TEXT NOT NULL, created_ms INTEGER NOT NULL)",
    )?;
    let pages: Vec<Page> = (0..PAGES).map(page).collect();
    let began = Instant::now();
    for page in &pages {
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO notes VALUES (?1, ?2, ?3, ?4)")?;
            for item in &page.items {
                let text = |place: usize| String::from_utf8_lossy(&item.fields[place].value).into_owned();
                insert.execute((item.key.row.as_bytes(), text(0), text(1), item.at_ms))?;
            }
        }
        transaction.commit()?;
    }
    Ok(began.elapsed().as_secs_f64())
}
