//! Whether the body stops in time when its client falls silent, and obeys in time, while something else goes on.

use crate::busy::Load;
use crate::commands::commands;
use crate::floor;
use crate::programs::{Agent, Body, take};
use crate::report::{Figure, Report};
use crate::silence::{Silences, silences};
use crate::stats::{Chance, Samples};

/// What was measured.
#[derive(Debug)]
pub(crate) struct Stops {
    silences: Silences,
    /// How long commands took to the wheels, ms.
    to_wire: Samples,
    /// The same way without an agent.
    floor: Samples,
    /// Commands that were sent.
    commands: usize,
}

/// Lets `trials` clients fall silent, and sends `commands` commands.
pub(crate) fn measure(
    body: &Body,
    robot: &Agent,
    seed: u64,
    trials: usize,
    commands: usize,
) -> anyhow::Result<Stops> {
    let floor = floor::measure(commands)?;
    let silences = silences(body, robot, Load::Idle, &mut Chance::new(seed), trials)?;
    let mut client = robot.client()?;
    take(&mut client)?;
    let to_wire = Samples::new(self::commands(body, &mut client, commands)?);
    Ok(Stops { silences, to_wire, floor, commands })
}

impl Stops {
    /// Says both; `meanwhile` is what else went on.
    pub(crate) fn report(self, report: &mut Report, meanwhile: &str) {
        let Self { silences, to_wire, floor, commands } = self;
        let (after_ttl, at_least) =
            (Samples::new(silences.since_sent_ms), Samples::new(silences.since_answered_ms));
        let note = format!(
            "{} clients, ttl 20 to 100 ms, {meanwhile}; upper bound: counted from before the last command was sent (from its \
             answer: max {:.2}), median {:.2}; {} more were refused because the link was late, {} commands were over before \
             they reached the wheels; baseline: how late a plain timer of this process fired",
            after_ttl.count(),
            at_least.max(),
            after_ttl.median(),
            silences.void,
            silences.unseen
        );
        let stop =
            Figure::new("stop_after_ttl_ms_max", after_ttl.max(), "ms").beside(silences.timer_late.max());
        report.add(stop.at_most(25.0).note(note));
        let note = format!(
            "{} of {commands} commands at 50/s, {meanwhile}; upper bound: from before the client sends to the change in the \
             body's trace; median {:.2}, max {:.2}; baseline: the same way through TCP, one thread and a pty without an agent",
            to_wire.count(),
            to_wire.median(),
            to_wire.max()
        );
        let to_wire = Figure::new("rest_to_wire_ms_p99", to_wire.percentile(99), "ms");
        report.add(to_wire.beside(floor.percentile(99)).at_most(5.0).note(note));
    }
}
