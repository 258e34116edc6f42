//! `make bench ONLY=mind`, the pure half: how long a message takes to be understood, and how often labelled sentences are met.
//!
//! One JSON line a figure on standard output, a summary on standard error. No sentence is printed. A missed target is
//! reported, not an error.

use std::hint::black_box;
use std::time::Instant;

use report::{Figure, Report};
use rustix::time::{ClockId, clock_gettime};
use score::{Half, Score, Sentence};
use stats::Samples;

// How figures are said is the same everywhere.
#[path = "../../../agent/benches/body/report.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod report;
#[path = "../../../agent/benches/body/stats.rs"]
#[expect(dead_code, reason = "the body's bench needs more of it")]
mod stats;

#[path = "../tests/it/score.rs"]
mod score;

/// How often each sentence is timed.
const ROUNDS: usize = 50;

const HALVES: [Half; 3] = [Half::Seen, Half::More, Half::Unseen];

fn main() {
    let mut report = Report::default();
    let sentences: Vec<Sentence> = HALVES.into_iter().filter_map(score::sentences).flatten().collect();
    time(&mut report, &sentences);
    for half in HALVES {
        reflex(&mut report, half);
    }
    for half in HALVES {
        mood(&mut report, half);
    }
    report.summarise();
}

/// How long calls took.
struct Took {
    /// On a processor.
    cpu_us: Samples,
    /// With the time that others had it meanwhile.
    wall_us: Samples,
}

fn time(report: &mut Report, sentences: &[Sentence]) {
    let understood = took(sentences, |sentence| sentence.understand().len());
    let split =
        took(sentences, |sentence| black_box(sentence.text.to_lowercase()).split_whitespace().count());
    let note = format!(
        "{} labelled sentences with the turns before them, {ROUNDS} times each; time on a processor, p50 {:.1}, slowest {:.1}; \
         with the time that other programs had it meanwhile p50 {:.1}, p99 {:.1}; baseline: the same sentences in lower case, \
         split into words",
        sentences.len(),
        understood.cpu_us.median(),
        understood.cpu_us.max(),
        understood.wall_us.median(),
        understood.wall_us.percentile(99)
    );
    let p99 = Figure::new("reflex_us_p99", understood.cpu_us.percentile(99), "us");
    report.add(p99.beside(split.cpu_us.percentile(99)).at_most(500.0).note(note));
}

/// How long something takes with each sentence. The first round warms up and does not count.
fn took(sentences: &[Sentence], work: impl Fn(&Sentence) -> usize) -> Took {
    let (mut cpu_us, mut wall_us) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for sentence in sentences {
            let (began, began_us) = (Instant::now(), thread_us());
            black_box(work(black_box(sentence)));
            let (took_us, took) = (thread_us() - began_us, began.elapsed());
            if round > 0 {
                cpu_us.push(took_us);
                wall_us.push(took.as_secs_f64() * 1e6);
            }
        }
    }
    Took { cpu_us: Samples::new(cpu_us), wall_us: Samples::new(wall_us) }
}

/// Processor time of this thread so far, us.
fn thread_us() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn reflex(report: &mut Report, half: Half) {
    let name = format!("reflex_accuracy_{}", half.name());
    let Some(score) = score::reflex(half, |_| {}) else {
        report.left_out(&name, "its sentences are not here");
        return;
    };
    let note = format!(
        "at least 0.97; exact calls: {}; baseline: a grammar that never does anything",
        said(half, &score)
    );
    report.add(Figure::new(name, score.accuracy(), "").beside(score.accuracy_of_nothing()).note(note));
    let false_actions = Figure::new(
        format!("reflex_false_action_{}", half.name()),
        f64::from(score.false_actions),
        "sentences",
    );
    report.add(false_actions.at_most(0.0).note("a skill that acts, where the label has none of it"));
}

fn mood(report: &mut Report, half: Half) {
    let name = format!("mood_accuracy_{}", half.name());
    let Some(score) = score::mood(half, |_| {}) else {
        report.left_out(&name, "its sentences are not here");
        return;
    };
    let note = format!("at least 0.9; {}; baseline: a mood that never changes", said(half, &score));
    report.add(Figure::new(name, score.accuracy(), "").beside(score.accuracy_of_nothing()).note(note));
}

fn said(half: Half, score: &Score) -> String {
    let who = match half {
        Half::Seen | Half::More => "that the authors of the rules have read",
        Half::Unseen => "that they have not read",
    };
    format!("{} of {} sentences {who}", score.met, score.total)
}
