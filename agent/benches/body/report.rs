//! Figures as they are printed: one JSON line each at once, and all of them beside their targets at the end.

use serde_json::json;

/// One figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    baseline: Option<f64>,
    note: Option<String>,
    target: Option<Target>,
}

/// What a figure is meant to be.
#[derive(Clone, Copy, Debug)]
enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    /// A value in `unit`, without anything beside it.
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, baseline: None, note: None, target: None }
    }

    /// What the same run measured without the agent, in the same unit.
    pub(crate) fn beside(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self
    }

    /// How it was measured, one line.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Its target: no more than this.
    pub(crate) fn at_most(mut self, target: f64) -> Self {
        self.target = Some(Target::AtMost(target));
        self
    }

    /// Its target: no less than this.
    pub(crate) fn at_least(mut self, target: f64) -> Self {
        self.target = Some(Target::AtLeast(target));
        self
    }
}

/// All figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: Vec<Figure>,
    failures: Vec<String>,
}

impl Report {
    /// Prints a figure.
    pub(crate) fn add(&mut self, figure: Figure) {
        let mut line = json!({"figure": figure.name, "value": rounded(figure.value), "unit": figure.unit});
        if let Some(baseline) = figure.baseline {
            line["baseline"] = json!(rounded(baseline));
        }
        if let Some(note) = &figure.note {
            line["note"] = json!(note);
        }
        println!("{line}");
        self.figures.push(figure);
    }

    /// Says on standard error that a figure was left out, and why.
    pub(crate) fn left_out(&mut self, figure: &str, why: &str) {
        eprintln!("left out: {figure} ({why})");
    }

    /// A group could not be measured to its end.
    pub(crate) fn failed(&mut self, group: &str, error: &anyhow::Error) {
        let text = format!("{group}: {error:#}");
        eprintln!("FAILED {text}");
        self.failures.push(text);
    }

    /// Every group was measured, whether or not its targets were met.
    pub(crate) fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    /// Figures beside their targets, on standard error.
    pub(crate) fn summarise(&self) {
        eprintln!("\n{:<42} {:>12} {:<8} {:>9} {:>9}", "figure", "value", "unit", "baseline", "target");
        for figure in &self.figures {
            let cell =
                |number: Option<f64>| number.map_or_else(String::new, |number| rounded(number).to_string());
            let (target, met) = match figure.target {
                Some(Target::AtMost(target)) => (Some(target), said(figure.value <= target)),
                Some(Target::AtLeast(target)) => (Some(target), said(figure.value >= target)),
                None => (None, ""),
            };
            eprintln!(
                "{:<42} {:>12} {:<8} {:>9} {:>9} {met}",
                figure.name,
                rounded(figure.value),
                figure.unit,
                cell(figure.baseline),
                cell(target),
            );
        }
        for failure in &self.failures {
            eprintln!("FAILED {failure}");
        }
    }
}

const fn said(is_met: bool) -> &'static str {
    if is_met { "met" } else { "MISSED" }
}

/// Three digits behind the point; microseconds of a millisecond are the finest that is measured.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
