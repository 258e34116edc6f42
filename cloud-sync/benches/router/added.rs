//! What the cloud adds to an answer that is streamed to one client: the same question to the stand-in itself and through the
//! cloud, in turns.

use crate::completions::Completions;
use crate::how_many;
use crate::report::{Figure, Report};
use crate::stats::Samples;
use crate::world::{SCRIPT, World};

/// Of each, in blocks of so many.
const REQUESTS: usize = 3000;
const BLOCK: usize = 200;
const WARM_UP: usize = 300;

/// Measures it.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let requests = how_many("REQUESTS", REQUESTS)?;
    let world = World::start(&["openai"], &[("openai__budget_usd_per_day", "0")])?;
    let (mut bare, mut through) = (world.bare()?, world.through(None)?);
    let mut numbers = 0..;
    took_us(&mut bare, &mut numbers, WARM_UP)?;
    took_us(&mut through, &mut numbers, WARM_UP)?;
    let (mut bare_us, mut through_us) = (Vec::new(), Vec::new());
    while bare_us.len() < requests {
        bare_us.extend(took_us(&mut bare, &mut numbers, BLOCK)?);
        through_us.extend(took_us(&mut through, &mut numbers, BLOCK)?);
    }
    let (bare, through) = (Samples::new(bare_us), Samples::new(through_us));
    let words = SCRIPT.split(' ').count();
    let note = format!(
        "POST /v1/chat/completions, streamed to [DONE], {} requests each in turns of {BLOCK} over one connection each, {words} \
         words, a model that thinks for 0 ms; the percentile through the cloud minus the same of the stand-in alone, which is \
         the baseline; through the cloud p50 {:.0}, p99 {:.0}, max {:.0}, alone max {:.0}",
        bare.count(),
        through.median(),
        through.percentile(99),
        through.max(),
        bare.max()
    );
    for (name, percent, target) in [("router_added_us_p50", 50, 150.0), ("router_added_us_p99", 99, 600.0)] {
        let added = through.percentile(percent) - bare.percentile(percent);
        let figure = Figure::new(name, added, "us").beside(bare.percentile(percent));
        report.add(figure.at_most(target).note(&note));
    }
    Ok(())
}

/// How long so many answers took, one after the other.
fn took_us(
    client: &mut Completions,
    numbers: &mut impl Iterator<Item = u64>,
    count: usize,
) -> anyhow::Result<Vec<f64>> {
    let took = numbers.take(count).map(|number| {
        let answer = client.ask(number)?;
        answer.check()?;
        Ok(answer.took.as_secs_f64() * 1e6)
    });
    took.collect()
}
