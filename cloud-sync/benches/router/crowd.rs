//! What the cloud adds to an answer while 64 clients ask without a pause, how much it carries, and what memory it takes then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use crate::completions::Completions;
use crate::how_many;
use crate::process::{cpu_s, rss_mb};
use crate::report::{Figure, Report};
use crate::stats::Samples;
use crate::world::World;

const CLIENTS: usize = 64;
/// Of each block; bare and through the cloud they take turns.
const SECONDS: usize = 10;
const BLOCKS: usize = 2;
/// A quick model's time to its first word.
const THINK_MS: u64 = 50;
/// Between two looks at the memory.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Measures all of it.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let seconds = how_many("LOAD_S", SECONDS)?;
    let world = World::start(&["openai"], &[("openai__budget_usd_per_day", "0")])?;
    let memory = Memory::watch(world.cloud.process()?.id());
    let numbers = Arc::new(AtomicU64::new(0));
    // Warms both up, and is not counted.
    for client in [world.bare()?, world.through(None)?] {
        Crowd::begin(&client, &numbers)?.after(Duration::from_secs(1))?;
    }
    let thinking = in_turns(&world, &numbers, seconds, THINK_MS)?;
    let thoughtless = in_turns(&world, &numbers, seconds, 0)?;
    let (rss_mb_max, at_rest_mb) = memory.end()?;

    let target = |figure: Figure| figure.at_most(5000.0);
    report.add(target(thinking.figure("router_added_us_p99_c64", THINK_MS)));
    report.add(thoughtless.figure("router_added_us_p99_c64_no_think", 0));
    let note = format!(
        "the highest of robbie-cloud while {CLIENTS} clients ask without a pause, looked at every {} ms; baseline: before them",
        LOOK_EVERY.as_millis()
    );
    report.add(Figure::new("cloud_rss_mb", rss_mb_max, "MB").beside(at_rest_mb).at_most(60.0).note(note));
    Ok(())
}

/// What a crowd had.
#[derive(Default)]
struct Had {
    took_us: Vec<f64>,
    seconds: f64,
    /// Of the cloud's processor.
    cpu_s: f64,
}

impl Had {
    fn add(&mut self, took_us: Vec<f64>, seconds: f64, cpu_s: f64) {
        self.took_us.extend(took_us);
        self.seconds += seconds;
        self.cpu_s += cpu_s;
    }
}

struct Turns {
    bare: Had,
    through: Had,
}

impl Turns {
    fn figure(self, name: &str, think_ms: u64) -> Figure {
        let rate = |had: &Had| had.took_us.len() as f64 / had.seconds;
        let (bare_per_s, through_per_s) = (rate(&self.bare), rate(&self.through));
        let cpu_us = self.through.cpu_s * 1e6 / self.through.took_us.len() as f64;
        let (bare, through) = (Samples::new(self.bare.took_us), Samples::new(self.through.took_us));
        let note = format!(
            "{CLIENTS} clients on one machine with cloud and stand-in, closed loop, {BLOCKS} turns of each, a model that thinks for \
             {think_ms} ms; the percentile through the cloud minus the same of the stand-in alone, which is the baseline; \
             {through_per_s:.0} requests/s through the cloud, {bare_per_s:.0} alone, {cpu_us:.0} us of the cloud's processor for \
             each; p50 {:.0} through the cloud, {:.0} alone",
            through.median(),
            bare.median()
        );
        let added = through.percentile(99) - bare.percentile(99);
        Figure::new(name, added, "us").beside(bare.percentile(99)).note(note)
    }
}

/// The stand-in alone and through the cloud, in turns.
fn in_turns(world: &World, numbers: &Arc<AtomicU64>, seconds: usize, think_ms: u64) -> anyhow::Result<Turns> {
    world.minds.tell("openai", &json!({ "think_ms": think_ms }))?;
    let (bare, through) = (world.bare()?, world.through(None)?);
    let process = world.cloud.process()?.id();
    let mut turns = Turns { bare: Had::default(), through: Had::default() };
    for _ in 0..BLOCKS {
        for (client, had) in [(&bare, &mut turns.bare), (&through, &mut turns.through)] {
            let (began, cpu_before_s) = (Instant::now(), cpu_s(process)?);
            let took_us = Crowd::begin(client, numbers)?.after(Duration::from_secs(seconds as u64))?;
            had.add(took_us, began.elapsed().as_secs_f64(), cpu_s(process)? - cpu_before_s);
        }
    }
    Ok(turns)
}

/// Clients that ask without a pause, each over a connection of its own.
struct Crowd {
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<anyhow::Result<Vec<f64>>>>,
}

impl Crowd {
    fn begin(client: &Completions, numbers: &Arc<AtomicU64>) -> anyhow::Result<Self> {
        let mut crowd = Self { ending: Arc::default(), threads: Vec::with_capacity(CLIENTS) };
        for _ in 0..CLIENTS {
            let (client, numbers, ending) = (client.another(), numbers.clone(), crowd.ending.clone());
            let thread = std::thread::Builder::new().spawn(move || ask_on(client, &numbers, &ending))?;
            crowd.threads.push(thread);
        }
        Ok(crowd)
    }

    /// How long their answers took.
    fn after(mut self, time: Duration) -> anyhow::Result<Vec<f64>> {
        std::thread::sleep(time);
        self.ending.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for thread in self.threads.drain(..) {
            all.extend(thread.join().ok().context("a client panicked")??);
        }
        Ok(all)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
    }
}

fn ask_on(mut client: Completions, numbers: &AtomicU64, ending: &AtomicBool) -> anyhow::Result<Vec<f64>> {
    let mut took_us = Vec::new();
    while !ending.load(Ordering::Relaxed) {
        let answer = client.ask(numbers.fetch_add(1, Ordering::Relaxed))?;
        answer.check()?;
        took_us.push(answer.took.as_secs_f64() * 1e6);
    }
    Ok(took_us)
}

/// A thread that looks at how much memory a process has.
struct Memory {
    ending: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<(f64, f64)>>,
}

impl Memory {
    fn watch(process: u32) -> Self {
        let ending = Arc::<AtomicBool>::default();
        let seen = ending.clone();
        let thread = std::thread::spawn(move || {
            let first = rss_mb(process)?;
            let mut most = first;
            while !seen.load(Ordering::Relaxed) {
                std::thread::sleep(LOOK_EVERY);
                most = most.max(rss_mb(process)?);
            }
            Ok((most, first))
        });
        Self { ending, thread }
    }

    /// The most, and what it was at first, MB.
    fn end(self) -> anyhow::Result<(f64, f64)> {
        self.ending.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("the watcher panicked")?
    }
}
