//! How fast a device's operations are in: decided, written and answered for, beside a plain COPY of the same rows.

use std::time::Instant;

use cloud_sync_protocol::sync::op::Op;
use sqlx::{Connection, Executor, PgConnection};

use crate::device::{Device, content, note};
use crate::report::{Figure, Report};
use crate::stats::Samples;
use crate::system::cloud::Cloud;
use crate::system::place::Place;
use crate::system::postgres::Postgres;

/// Operations of a frame.
const OPS: usize = 500;
/// Frames of a round; the first round warms up.
const FRAMES: usize = 20;
const ROUNDS: usize = 6;

/// Measures it.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new()?;
    let postgres = Postgres::start(&place)?;
    let url = postgres.database("push")?;
    let cloud = Cloud::start(&place, "cloud", &url, None)?;
    let mut device = Device::paired(&cloud, "bench")?;
    let plain = postgres.database("plain")?;
    postgres.run(prepare(&plain))?;
    let (mut push_s, mut copy_s) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let frames: Vec<Vec<Op>> = (0..FRAMES).map(|_| device.notes(OPS)).collect();
        let began = Instant::now();
        for ops in frames {
            device.push(ops)?;
        }
        let pushed = began.elapsed().as_secs_f64();
        let pieces: Vec<String> = (0..FRAMES).map(|frame| rows(round * FRAMES + frame)).collect();
        let copied = postgres.run(copy(&plain, &pieces))?;
        if round > 0 {
            push_s.push(pushed);
            copy_s.push(copied);
        }
    }
    let (push_s, copy_s) = (Samples::new(push_s), Samples::new(copy_s));
    let count = (OPS * FRAMES) as f64;
    let note = format!(
        "{OPS} new notes a frame over POST /api/sync, one device, synchronous_commit=on and fsync; median of {} rounds of {count} \
         (best {:.0}); baseline: COPY of the same notes into one table with a key, {OPS} a transaction",
        ROUNDS - 1,
        count / push_s.percentile(0)
    );
    let (ops_s, baseline) = (count / push_s.median(), count / copy_s.median());
    report.add(Figure::new("sync_push_ops_s", ops_s, "1/s").beside(baseline).at_least(5000.0).note(&note));
    let ratio =
        Figure::new("sync_push_vs_copy_ratio", push_s.median() / copy_s.median(), "times").beside(1.0);
    report.add(ratio.note("time of a push by the time of a COPY of the same notes, medians of the same run"));
    Ok(())
}

async fn prepare(url: &str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let table = "CREATE TABLE notes (id uuid PRIMARY KEY, content text NOT NULL, created_by text NOT NULL, \
        created_ms bigint NOT NULL, tags text[] NOT NULL DEFAULT '{}', priority smallint NOT NULL DEFAULT 50)";
    connection.execute(table).await?;
    connection.close().await
}

/// The rows of one piece as COPY reads them; in the same order of ids as the operations.
fn rows(piece: usize) -> String {
    let first = (piece * OPS) as u64 + 1;
    let row = |seq: u64| format!("{}\t{}\towner\t{seq}\n", note(3, seq).key.row, content(seq));
    (first..first + OPS as u64).map(row).collect()
}

/// Copies each piece in a transaction of its own; the seconds it took.
async fn copy(url: &str, pieces: &[String]) -> sqlx::Result<f64> {
    let mut connection = PgConnection::connect(url).await?;
    let began = Instant::now();
    for piece in pieces {
        let mut copy =
            connection.copy_in_raw("COPY notes (id, content, created_by, created_ms) FROM STDIN").await?;
        copy.send(piece.as_bytes()).await?;
        copy.finish().await?;
    }
    let took = began.elapsed().as_secs_f64();
    connection.close().await?;
    Ok(took)
}
