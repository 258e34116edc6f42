//! How soon the body stops when its client falls silent, when the agent is killed and when it is frozen.

use std::time::Duration;

use anyhow::Context;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::Scale;
use crate::busy::Load;
use crate::programs::{Agent, Body, Place, take};
use crate::report::{Figure, Report};
use crate::silence::{drive, repeat, silences};
use crate::stats::{Chance, Samples, monotonic_us, ms_between};
use crate::trace::{End, Line, between, end_of};

/// A dead agent's body stands by then.
const STANDS: Duration = Duration::from_millis(700);

/// Share of the trials and rounds that is repeated beside busy threads.
const BUSY_SHARE: usize = 4;

/// Measures all of it, without and with busy threads.
pub(crate) fn measure(report: &mut Report, scale: Scale) -> anyhow::Result<()> {
    silent_client(report, Load::Idle, scale.trials)?;
    dead_agent(report, Load::Idle, Signal::KILL, scale.rounds)?;
    dead_agent(report, Load::Idle, Signal::STOP, scale.rounds)?;
    silent_client(report, Load::Busy, scale.trials / BUSY_SHARE)?;
    dead_agent(report, Load::Busy, Signal::KILL, scale.rounds / BUSY_SHARE)?;
    dead_agent(report, Load::Busy, Signal::STOP, scale.rounds / BUSY_SHARE)
}

fn silent_client(report: &mut Report, load: Load, trials: usize) -> anyhow::Result<()> {
    let place = Place::new()?;
    let body = Body::start(&place)?;
    let agent = Agent::start(&place, Some(&body))?;
    let silences = silences(&body, &agent, load, &mut Chance::new(1), trials)?;
    let timer_late = silences.timer_late;
    let (after_ttl, at_least) =
        (Samples::new(silences.since_sent_ms), Samples::new(silences.since_answered_ms));
    let note = format!(
        "{} clients, ttl 20 to 100 ms, silent at a random phase{}; upper bound: ttl counted from before the last command \
         was sent, its way through HTTP is in it (counted from its answer: p99 {:.2}, max {:.2}); {} more were refused \
         because the link was late, {} commands were over before they reached the wheels; baseline: how late a plain timer \
         of this process fired",
        after_ttl.count(),
        load.said(),
        at_least.percentile(99),
        at_least.max(),
        silences.void,
        silences.unseen
    );
    for (name, value, late, target) in [
        ("stop_after_ttl_ms_p50", after_ttl.median(), timer_late.median(), None),
        ("stop_after_ttl_ms_p99", after_ttl.percentile(99), timer_late.percentile(99), Some(10.0)),
        ("stop_after_ttl_ms_max", after_ttl.max(), timer_late.max(), Some(25.0)),
    ] {
        let figure = Figure::new(load.name(name), value, "ms").beside(late).note(&note);
        report.add(match target {
            Some(target) => figure.at_most(target),
            None => figure,
        });
    }
    Ok(())
}

/// One agent that died while it drove.
struct Death {
    /// Before the signal was sent.
    died_us: u64,
    /// When the body was looked at for the last time.
    until_us: u64,
}

fn dead_agent(report: &mut Report, load: Load, signal: Signal, rounds: usize) -> anyhow::Result<()> {
    let place = Place::new()?;
    let body = Body::start(&place)?;
    let mut agent = Agent::start(&place, Some(&body))?;
    let budget = agent.client()?.get("/api/robot/safety/budget")?;
    let mut chance = Chance::new(2);
    let began_us = monotonic_us();
    let busy = load.begin();
    let (deaths, _) = repeat(rounds, || {
        let death = die_driving(&agent, signal, &mut chance)?;
        if death.is_some() && signal == Signal::KILL {
            agent = Agent::start(&place, Some(&body))?;
        } else {
            agent.process.signal(Signal::CONT)?;
        }
        Ok(death)
    })?;
    drop(busy);
    let trace = body.trace_since(began_us)?;
    report_deaths(report, load, signal, &trace, &deaths, &budget)
}

/// Drives a small circle for a while, sends the signal at a random phase, and waits until the body must stand.
fn die_driving(agent: &Agent, signal: Signal, chance: &mut Chance) -> anyhow::Result<Option<Death>> {
    let mut client = agent.client()?;
    take(&mut client)?;
    for _ in 0..chance.within(10, 13) {
        let seen = client.get("/api/robot/state")?["seen"].clone();
        let body = json!({"linear_mps": 0.4, "angular_radps": 2.0, "ttl_ms": 500, "seen": seen});
        if !drive(&mut client, &body.to_string())? {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(chance.up_to_ms(50));
    let died_us = monotonic_us();
    agent.process.signal(signal)?;
    std::thread::sleep(STANDS);
    Ok(Some(Death { died_us, until_us: monotonic_us() }))
}

fn report_deaths(
    report: &mut Report,
    load: Load,
    signal: Signal,
    trace: &[Line],
    deaths: &[Death],
    budget: &Value,
) -> anyhow::Result<()> {
    let (mut zero_ms, mut still_ms, mut speeds) = (Vec::new(), Vec::new(), Vec::new());
    for death in deaths {
        let lines = between(trace, death.died_us, death.until_us);
        let first = lines.first().context("the trace has a hole")?;
        // Something else had stopped it since the last command.
        if !first.is_driven() {
            continue;
        }
        speeds.push(f64::from(first.fastest_mps()));
        let after = |end: End| match end {
            End::At(end_us) => ms_between(death.died_us, end_us),
            End::NotYet => ms_between(death.died_us, death.until_us),
            End::Never => 0.0,
        };
        zero_ms.push(after(end_of(lines, Line::is_driven)));
        still_ms.push(after(end_of(lines, Line::is_moving)));
    }
    let (zero_ms, still_ms, speeds) = (Samples::new(zero_ms), Samples::new(still_ms), Samples::new(speeds));
    let word = if signal == Signal::KILL { "sigkill" } else { "sigstop" };
    let (hold_ms, promised_ms) = (&budget["parts"]["hold_ms"], &budget["agent_dead_ms"]);
    let (hold_ms, promised_ms) =
        (hold_ms.as_f64().unwrap_or(f64::NAN), promised_ms.as_f64().unwrap_or(f64::NAN));
    let rounds = format!("{} agents driving a circle{}", zero_ms.count(), load.said());
    let figure = Figure::new(load.name(&format!("stop_after_{word}_ms_max")), zero_ms.max(), "ms");
    let note = format!(
        "{rounds}; from before the signal to target zero in the body's trace; median {:.1}; baseline: the MCU's hold",
        zero_ms.median()
    );
    report.add(figure.beside(hold_ms).at_most(110.0).note(note));
    let figure = Figure::new(load.name(&format!("standstill_after_{word}_ms_max")), still_ms.max(), "ms");
    let note = format!(
        "{rounds} at {:.2} to {:.2} m/s; until both wheels are below 0.01 m/s; median {:.1}; baseline: agent_dead_ms of \
         safety/budget",
        speeds.percentile(0),
        speeds.max(),
        still_ms.median()
    );
    report.add(figure.beside(promised_ms).at_most(promised_ms + 60.0).note(note));
    Ok(())
}
