//! Share of the evidence found on conversations in LoCoMo's format, by the same store, embedder and ranking as the robot's.

use std::path::PathBuf;

use agent::memory::eval::{self, LeftOut, Row};
use anyhow::Context;
use models_local::catalog;

use crate::report::{Figure, Report};
use crate::{support, variable};

pub(crate) fn measure(report: &mut Report, runtime: &tokio::runtime::Runtime) -> anyhow::Result<()> {
    let Some(folder) = variable("LOCOMO_DIR").map(PathBuf::from) else {
        report.left_out("locomo_recall_at_5, locomo_recall_at_10", "LOCOMO_DIR names no folder");
        return Ok(());
    };
    let Some(weights) = support::weights("the figures of LoCoMo") else { return Ok(()) };
    let minilm = weights.folder(catalog::find("minilm").context("not in the catalogue")?);
    let models = minilm.parent().context("a folder of weights has a parent")?;
    let figures = runtime.block_on(eval::measure(&folder, models, |name| eprintln!("{name} ...")))?;
    let nowhere = tempfile::tempdir()?;
    let without = runtime.block_on(eval::measure(&folder, nowhere.path(), |_| {}))?;
    let note = format!(
        "{} questions of categories 1 to 4; {} vectors; baseline: without weights",
        figures.all.questions, figures.embedding
    );
    let percent = |share: f64| share * 100.0;
    let at_5 = Figure::new("locomo_recall_at_5", percent(figures.all.recall_at_5), "%");
    report.add(at_5.beside(percent(without.all.recall_at_5)).note(note.clone()));
    let at_10 = Figure::new("locomo_recall_at_10", percent(figures.all.recall_at_10), "%");
    report.add(at_10.beside(percent(without.all.recall_at_10)).note(note));
    left_out(report, &runtime.block_on(eval::leave_one_out(&folder, models, |_| {}))?);
    Ok(())
}

/// Each conversation with weights that were chosen on the others, and all of them together.
fn left_out(report: &mut Report, results: &[LeftOut]) {
    for LeftOut { row, own, chosen } in results {
        let values: Vec<String> =
            chosen.iter().map(|(constant, value)| format!("{} {value}", constant.name())).collect();
        let note = format!("every weight chosen anew on the other conversations: {}", values.join(", "));
        add_left_out(report, &format!("_{}", row.name), &[row], &[own], &note);
    }
    let (rows, own): (Vec<&Row>, Vec<&Row>) = results.iter().map(|result| (&result.row, &result.own)).unzip();
    if !rows.is_empty() {
        add_left_out(report, "", &rows, &own, "each conversation with weights chosen on the others");
    }
}

type Recall = fn(&Row) -> f64;

fn add_left_out(report: &mut Report, name: &str, rows: &[&Row], own: &[&Row], note: &str) {
    let questions: usize = rows.iter().map(|row| row.questions).sum();
    let percent = |rows: &[&Row], recall: Recall| {
        rows.iter().map(|row| recall(row) * row.questions as f64).sum::<f64>() / questions as f64 * 100.0
    };
    let recalls: [(u32, Recall); 2] = [(5, |row| row.recall_at_5), (10, |row| row.recall_at_10)];
    for (at, recall) in recalls {
        let value = percent(rows, recall);
        let figure = Figure::new(format!("locomo_left_out{name}_recall_at_{at}"), value, "%");
        let note = format!("{questions} questions; {note}; baseline: the robot's own weights");
        report.add(figure.beside(percent(own, recall)).note(note));
    }
}
