//! How soon the body stops when its client falls silent, while 16 others talk to Robbie about what he remembers.

use crate::busy::Load;
use crate::notes::{self, NOTES};
use crate::programs::{Agent, Body, Place};
use crate::report::{Figure, Report};
use crate::silence::silences;
use crate::stats::{Chance, Samples};
use crate::talkers::Talkers;

/// Clients that fall silent.
const TRIALS: usize = 500;
/// People who talk meanwhile.
const TALKERS: usize = 16;

/// Measures it over 10,000 notes.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new()?;
    let body = Body::start(&place)?;
    let agent = Agent::start(&place, Some(&body))?;
    notes::write_all(&agent)?;
    let talkers = Talkers::begin(&agent, TALKERS)?;
    let silences = silences(&body, &agent, Load::Idle, &mut Chance::new(6), TRIALS)?;
    let answers = talkers.end()?;
    let (after_ttl, at_least) =
        (Samples::new(silences.since_sent_ms), Samples::new(silences.since_answered_ms));
    let note = format!(
        "{} clients, ttl 20 to 100 ms, beside {TALKERS} talkers without a pause who had {answers} answers over {NOTES} notes; \
         upper bound: ttl counted from before the last command was sent (from its answer: max {:.2}); p50 {:.2}, p99 {:.2}; \
         {} more were refused because the link was late, {} commands were over before they reached the wheels; baseline: how \
         late a plain timer of this process fired",
        after_ttl.count(),
        at_least.max(),
        after_ttl.median(),
        after_ttl.percentile(99),
        silences.void,
        silences.unseen
    );
    let max = Figure::new("stop_after_ttl_ms_max", after_ttl.max(), "ms");
    report.add(max.beside(silences.timer_late.max()).at_most(25.0).note(note));
    Ok(())
}
