//! Share of the evidence found on conversations in LoCoMo's format, by the same store, embedder and ranking as the robot's.

use std::path::PathBuf;

use agent::memory::eval;
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
    Ok(())
}
