//! How soon the body is told to stop when somebody says "stop" in a chat, beside the request that does nothing else.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;

use crate::http::Client;
use crate::programs::{Agent, Body, Place, take};
use crate::report::{Figure, Report};
use crate::stats::{Chance, Samples, monotonic_us, ms_between};
use crate::talkers::say;
use crate::trace::{Line, between};

/// Stops of each kind.
const STOPS: usize = 300;
/// A command that drives until it is stopped: nothing else ends it in this time.
const TTL: Duration = Duration::from_millis(500);

/// How it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Spoken,
    Request,
}

/// A stop of a body that turned.
struct Stop {
    way: Way,
    /// Before the client sent it.
    sent_us: u64,
}

/// Measures both ways turn by turn.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new()?;
    let body = Body::start(&place)?;
    let agent = Agent::start(&place, Some(&body))?;
    let mut client = agent.client()?;
    let mut chance = Chance::new(5);
    let began_us = monotonic_us();
    let mut stops = Vec::with_capacity(2 * STOPS);
    for number in 0..2 * STOPS {
        let way = if number % 2 == 0 { Way::Spoken } else { Way::Request };
        stops.push(stop_driving(&mut client, way, &mut chance)?);
    }
    let trace = body.trace_since(began_us)?;
    let took = |way: Way| -> anyhow::Result<Samples> {
        let of_way = stops.iter().filter(|stop| stop.way == way);
        let took = Samples::new(of_way.filter_map(|stop| to_wire_ms(&trace, stop)).collect());
        // What was late on a busy machine had closed the base before.
        ensure!(
            took.count() * 10 >= STOPS * 9,
            "only {} of {STOPS} stops met a body that turned",
            took.count()
        );
        Ok(took)
    };
    let (spoken, request) = (took(Way::Spoken)?, took(Way::Request)?);
    let note = format!(
        "{} times \"stop\" in POST /api/chat while turning, base taken anew each time; p50 {:.2}, max {:.2}; upper bound: from \
         before the client sends to target zero in the body's trace, so HTTP, pty and the body's own reading are in it; baseline: \
         POST /api/robot/stop in turn with it",
        spoken.count(),
        spoken.median(),
        spoken.max()
    );
    let p99 = Figure::new("stop_spoken_to_wire_ms_p99", spoken.percentile(99), "ms");
    report.add(p99.beside(request.percentile(99)).at_most(20.0).note(note));
    Ok(())
}

/// Turns on the spot, and stops at a random phase.
fn stop_driving(client: &mut Client, way: Way, chance: &mut Chance) -> anyhow::Result<Stop> {
    take(client)?;
    let ttl_ms = TTL.as_millis();
    let drive = json!({"linear_mps": 0.0, "angular_radps": 1.0, "ttl_ms": ttl_ms}).to_string();
    // A busy machine may have closed the base again; it is stopped all the same.
    client.ask("POST", "/api/robot/velocity", &drive)?;
    std::thread::sleep(Duration::from_millis(40) + chance.up_to_ms(20));
    let sent_us = monotonic_us();
    match way {
        Way::Spoken => {
            let answer = say(client, "stop", None)?.expect(200)?;
            ensure!(answer["tool_calls"][0]["status"] == "done", "not stopped: {answer}");
        }
        Way::Request => drop(client.ask("POST", "/api/robot/stop", "")?.expect(200)?),
    }
    Ok(Stop { way, sent_us })
}

/// From before it was sent to wheels without a target; `None` where they had none before.
fn to_wire_ms(trace: &[Line], stop: &Stop) -> Option<f64> {
    let ttl_us = 1000 * TTL.as_millis() as u64;
    let lines = between(trace, stop.sent_us - ttl_us / 50, stop.sent_us + ttl_us);
    let (before, after) = lines.split_at(lines.partition_point(|line| line.t_us < stop.sent_us));
    if !before.last()?.is_driven() {
        return None;
    }
    let end_us = after.iter().find(|line| !line.is_driven()).map_or(stop.sent_us + ttl_us, |line| line.t_us);
    Some(ms_between(stop.sent_us, end_us))
}
