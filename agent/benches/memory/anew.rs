//! Whether the body still stops and obeys in time while 10,000 notes are embedded anew: an agent has embedded them by their
//! letters, then the weights of the sentence embedder come.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use models_local::{LEXICAL, MINILM, Weights, catalog};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::busy::Load;
use crate::commands::commands;
use crate::floor;
use crate::process::rss_mb;
use crate::programs::{Agent, Body, Place};
use crate::report::{Figure, Report};
use crate::silence::{Silences, silences};
use crate::stats::{Chance, Samples};
use crate::support;

const NOTES: usize = 10_000;
/// Connections that write them.
const WRITERS: usize = 8;
/// One round: so many clients fall silent, and so many commands are timed.
const TRIALS: usize = 20;
const COMMANDS: usize = 150;
/// Rounds at most; fewer where the notes are done before.
const ROUNDS: usize = 15;
/// Nothing that is waited for takes so long.
const DEADLINE: Duration = Duration::from_secs(120);

/// What all rounds saw.
#[derive(Default)]
struct Seen {
    /// The way of a command without an agent, beside the same work.
    floor: Samples,
    silences: Silences,
    timer_late_ms: f64,
    to_wire_ms: Vec<f64>,
    rounds: usize,
}

pub(crate) fn measure(report: &mut Report, _: &tokio::runtime::Runtime) -> anyhow::Result<()> {
    let Some(weights) = support::weights("the figures beside embedding anew") else { return Ok(()) };
    let place = Place::new()?;
    let body = Body::start(&place)?;
    let agent = Agent::start(&place, Some(&body))?;
    write_notes(&agent)?;
    let vectors = Vectors::of(&place.path("data/memory.db"))?;
    wait_until("vectors by letters", || Ok(vectors.count(LEXICAL)? >= NOTES))?;
    let without_mb = rss_mb(agent.process.id())?;

    bring(&weights, &place.path("data/models"))?;
    wait_until("vectors by meaning", || Ok(vectors.count(MINILM)? > 0))?;
    let began = Instant::now();
    let mut seen = Seen { floor: floor::measure(COMMANDS)?, ..Seen::default() };
    while seen.rounds < ROUNDS {
        let round = round(&body, &agent, seen.rounds)?;
        // The last round must have had its work beside it to the end.
        if vectors.count(MINILM)? >= NOTES {
            break;
        }
        seen.add(round);
    }
    ensure!(seen.rounds > 0, "the notes were embedded before a round was over");
    let done = vectors.count(MINILM)?;
    let progress = format!(
        "{done} of {NOTES} notes of 16 words were embedded anew by MiniLM within the {:.0} s; the agent had {without_mb:.1} MB \
         before, {:.1} MB after",
        began.elapsed().as_secs_f64(),
        rss_mb(agent.process.id())?
    );
    seen.report(report, &progress);
    Ok(())
}

type Round = (Silences, Vec<f64>);

fn round(body: &Body, agent: &Agent, number: usize) -> anyhow::Result<Round> {
    let mut chance = Chance::new(number as u64);
    let silences = silences(body, agent, Load::Idle, &mut chance, TRIALS)?;
    Ok((silences, commands(body, &mut agent.client()?, COMMANDS)?))
}

impl Seen {
    fn add(&mut self, (silences, to_wire_ms): Round) {
        self.rounds += 1;
        self.timer_late_ms = self.timer_late_ms.max(silences.timer_late.max());
        self.silences.since_sent_ms.extend(silences.since_sent_ms);
        self.silences.since_answered_ms.extend(silences.since_answered_ms);
        self.silences.void += silences.void;
        self.silences.unseen += silences.unseen;
        self.to_wire_ms.extend(to_wire_ms);
    }

    fn report(self, report: &mut Report, progress: &str) {
        let (after_ttl, at_least) =
            (Samples::new(self.silences.since_sent_ms), Samples::new(self.silences.since_answered_ms));
        let note = format!(
            "{} clients, ttl 20 to 100 ms; upper bound: counted from before the last command was sent (from its answer: max \
             {:.2}), median {:.2}; {} more were refused because the link was late, {} commands were over before they reached \
             the wheels; {progress}; baseline: how late a plain timer of this process fired",
            after_ttl.count(),
            at_least.max(),
            after_ttl.median(),
            self.silences.void,
            self.silences.unseen
        );
        let stop = Figure::new("stop_after_ttl_ms_max", after_ttl.max(), "ms").beside(self.timer_late_ms);
        report.add(stop.at_most(25.0).note(note));
        let to_wire = Samples::new(self.to_wire_ms);
        let note = format!(
            "{} commands at 50/s, {} more did not reach the wheels, refused because the link was late; upper bound: from before \
             the client sends to the change in the body's trace; median {:.2}, max {:.2}; {progress}; \
             baseline: the same way through TCP, one thread and a pty without an agent",
            to_wire.count(),
            self.rounds * COMMANDS - to_wire.count(),
            to_wire.median(),
            to_wire.max()
        );
        let to_wire = Figure::new("rest_to_wire_ms_p99", to_wire.percentile(99), "ms");
        report.add(to_wire.beside(self.floor.percentile(99)).at_most(5.0).note(note));
    }
}

fn write_notes(agent: &Agent) -> anyhow::Result<()> {
    let write = |writer: usize| -> anyhow::Result<()> {
        let mut client = agent.client()?;
        for number in (writer..NOTES).step_by(WRITERS) {
            let content = format!(
                "note {number}: the ficus by the window wants a cup of water every Friday before somebody leaves"
            );
            let note = json!({ "content": content }).to_string();
            client.ask("POST", "/api/sticky-notes/", &note)?.expect(201)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        writers.into_iter().try_for_each(|writer| writer.join().ok().context("a writer panicked")?)
    })
}

/// Puts the weights where the agent looks for them, as `models pull` does.
fn bring(weights: &Weights, models: &Path) -> anyhow::Result<()> {
    let minilm = catalog::find("minilm").context("not in the catalogue")?;
    let folder = models.join(&minilm.name);
    std::fs::create_dir_all(&folder)?;
    for file in &minilm.files {
        std::fs::copy(weights.folder(minilm).join(&file.name), folder.join(&file.name))?;
    }
    Ok(())
}

/// The vectors in an agent's file, looked at from outside.
struct Vectors(Connection);

impl Vectors {
    fn of(path: &Path) -> anyhow::Result<Self> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(DEADLINE)?;
        Ok(Self(connection))
    }

    fn count(&self, model: &str) -> anyhow::Result<usize> {
        let sql = "SELECT count(*) FROM vectors JOIN models USING (model) WHERE name = ?1";
        let count: i64 = self.0.query_row(sql, [model], |row| row.get(0))?;
        Ok(usize::try_from(count)?)
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let end = Instant::now() + DEADLINE;
    while !is_so()? {
        ensure!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
