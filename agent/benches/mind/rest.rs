//! What a fresh agent needs while nobody talks to it.

use std::time::Duration;

use crate::bare::Bare;
use crate::process::rss_mb;
use crate::programs::{Agent, Place};
use crate::report::{Figure, Report};

/// How long nothing happens after its start.
const REST: Duration = Duration::from_secs(35);

/// Measures it.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new()?;
    let agent = Agent::start(&place, None)?;
    let bare = Bare::start("token")?;
    std::thread::sleep(REST);
    let note = "35 s without a client, no weights, simulated body in the same process; baseline: an axum service of one route";
    let rss = Figure::new("idle_rss_mb", rss_mb(agent.process.id())?, "MB");
    report.add(rss.beside(rss_mb(bare.process.id())?).at_most(27.0).note(note));
    Ok(())
}
