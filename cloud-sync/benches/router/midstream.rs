//! Whether an answer is whole when the tier that says it breaks in the middle of it, and how long a person then waits for the
//! next words.

use std::fmt::Write;

use anyhow::ensure;
use serde_json::json;

use crate::completions::{Completions, Piece};
use crate::how_many;
use crate::report::{Figure, Report};
use crate::stats::{Chance, Samples};
use crate::system::minds::PROVIDERS;
use crate::world::{SCRIPT, World};

/// Of each way to break at each provider.
const TRIALS: usize = 25;
/// Between two words, so that there is a middle.
const BETWEEN_MS: u64 = 2;
/// A tier that says nothing for so long has broken.
const STALLED_AFTER: &str = "300";
/// Words that the next tier says again. One alone may be chance, and is never left out.
const OVERLAPS: [u64; 5] = [0, 2, 3, 4, 5];
const SHAPES: [&str; 4] = ["cut", "malformed", "in_band", "stall_between"];

/// Measures it.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let trials = how_many("TRIALS", TRIALS)?;
    let mut chance = Chance::new(5);
    let mut courses = Vec::new();
    for first in 0..PROVIDERS.len() {
        courses.push(course(first, trials, &mut chance)?);
    }
    let all: usize = courses.iter().map(|course| course.trials).sum();
    let whole: usize = courses.iter().map(|course| course.whole).sum();
    let mut said = String::new();
    for course in &courses {
        write!(said, ", {} {} of {}", course.provider, course.whole, course.trials)?;
        if course.wordless > 0 {
            write!(
                said,
                " ({} broke before a word was given out, and nobody was left to ask)",
                course.wordless
            )?;
        }
    }
    let note = format!(
        "{all} answers of which one tier broke at a random word: {} by {trials} at each provider, the next one goes on, with {OVERLAPS:?} \
         words said again; the last one has only itself to go on with; equal to the script to the byte{said}",
        SHAPES.join(", ")
    );
    report
        .add(Figure::new("midstream_recovered", whole as f64 / all as f64, "part").at_least(0.99).note(note));

    let mut shapes = String::new();
    for (index, shape) in SHAPES.iter().enumerate() {
        let of_shape = courses.iter().flat_map(|course| course.gaps_ms[index].iter().copied()).collect();
        write!(shapes, ", {shape} {:.1}", Samples::new(of_shape).median())?;
    }
    let gaps_ms = courses.iter().flat_map(|course| course.gaps_ms.iter().flatten().copied()).collect();
    let others_ms = courses.iter().flat_map(|course| course.others_ms.iter().copied()).collect();
    let (gaps, others) = (Samples::new(gaps_ms), Samples::new(others_ms));
    let note = format!(
        "{} switches from one tier to the next that a client saw, {BETWEEN_MS} ms between two words, sentences given out whole; a \
         tier has stalled after {STALLED_AFTER} ms; from the last words of the one to the first of the other; p50 {:.1}, max \
         {:.1}; medians{}; baseline: between two pieces of one tier in the same answers",
        gaps.count(),
        gaps.median(),
        gaps.max(),
        shapes.trim_start_matches(',')
    );
    let figure = Figure::new("midstream_gap_ms_p95", gaps.percentile(95), "ms");
    report.add(figure.beside(others.percentile(95)).note(note));
    Ok(())
}

/// What came of the breaks at one provider.
struct Course {
    provider: &'static str,
    trials: usize,
    whole: usize,
    /// Those without an answer, and without a word of one.
    wordless: usize,
    /// Between the two pieces around a switch; of each shape.
    gaps_ms: [Vec<f64>; SHAPES.len()],
    /// Between two pieces of one tier.
    others_ms: Vec<f64>,
}

/// Breaks this provider, which is the first of its chain.
fn course(first: usize, trials: usize, chance: &mut Chance) -> anyhow::Result<Course> {
    let tiers: Vec<&str> = PROVIDERS[first..].iter().map(|(name, _)| *name).collect();
    let keys = tiers.iter().flat_map(|tier| {
        [(format!("{tier}__between_tokens_ms"), STALLED_AFTER), (format!("{tier}__budget_usd_per_day"), "0")]
    });
    let keys: Vec<(String, &str)> = keys.collect();
    let settings: Vec<(&str, &str)> = keys.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let world = World::start(&tiers, &settings)?;
    let provider = PROVIDERS[first].0;
    let mut course = Course {
        provider,
        trials: 0,
        whole: 0,
        wordless: 0,
        gaps_ms: Default::default(),
        others_ms: Vec::new(),
    };
    let mut client = world.through(None)?;
    for _ in 0..trials {
        for (index, shape) in SHAPES.iter().enumerate() {
            let pieces = broken(&world, &mut client, provider, shape, (course.trials, &mut *chance))?;
            course.take(index, &pieces);
        }
    }
    Ok(course)
}

impl Course {
    fn take(&mut self, shape: usize, pieces: &[Piece]) {
        self.trials += 1;
        let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        let is_whole = text == SCRIPT;
        self.whole += usize::from(is_whole);
        self.wordless += usize::from(pieces.is_empty());
        if !is_whole {
            eprintln!("{} {}: {text:?}", self.provider, SHAPES[shape]);
        }
        for pair in pieces.windows(2) {
            let gap_ms = pair[1].at.saturating_duration_since(pair[0].at).as_secs_f64() * 1000.0;
            let is_switch = pair[0].tier != pair[1].tier;
            let gaps = if is_switch { &mut self.gaps_ms[shape] } else { &mut self.others_ms };
            gaps.push(gap_ms);
        }
    }
}

/// A good answer, which keeps the breaker closed, and then one that breaks.
fn broken(
    world: &World,
    client: &mut Completions,
    provider: &str,
    shape: &str,
    (trial, chance): (usize, &mut Chance),
) -> anyhow::Result<Vec<Piece>> {
    let number = 2 * trial as u64;
    world.minds.tell(provider, &json!({ "between_ms": 0, "fault": null }))?;
    let good = client.ask(number)?;
    good.check()?;
    ensure!(good.text()? == SCRIPT, "before {shape} at {provider}: {}", good.text()?);

    let words = SCRIPT.split(' ').count() as u64;
    let fault = json!({ "kind": shape, "after": chance.within(1, words - 1), "times": 1 });
    let overlap = OVERLAPS[chance.within(0, OVERLAPS.len() as u64 - 1) as usize];
    world.minds.tell_all(&json!({ "between_ms": BETWEEN_MS, "overlap_words": overlap }))?;
    world.minds.tell(provider, &json!({ "fault": fault }))?;
    let before = world.asked(provider)?;
    let pieces = client.ask(number + 1)?.pieces()?;
    ensure!(world.asked(provider)? > before, "{provider} was not asked");
    Ok(pieces)
}
