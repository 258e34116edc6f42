//! Drive commands on their way from a client to the wheels.

use std::time::Duration;

use serde_json::json;

use crate::http::Client;
use crate::programs::{Body, take};
use crate::stats::{Chance, monotonic_us, ms_between};
use crate::trace::{Line, between};

/// A target differs from the one before by 0.004 m/s.
const SAME_MPS: f32 = 0.001;

/// Sends `count` commands at 50/s, and says how long each took to the wheels, ms; one that was refused, or was overtaken there,
/// is not among them. Every command asks for another turn rate, so that each shows in the trace.
pub(crate) fn commands(body: &Body, client: &mut Client, count: usize) -> anyhow::Result<Vec<f64>> {
    const HALF_TRACK_M: f32 = 0.1;
    let mut chance = Chance::new(3);
    let began_us = monotonic_us();
    let mut sent = Vec::new();
    for number in 0..count {
        let angular_radps = 0.3 + 0.04 * (number % 16) as f32;
        let command = json!({"linear_mps": 0.0, "angular_radps": angular_radps, "ttl_ms": 250}).to_string();
        let sent_us = monotonic_us();
        match client.ask("POST", "/api/robot/velocity", &command)?.status {
            202 => sent.push((sent_us, angular_radps * HALF_TRACK_M)),
            // Closed because the link was late on a busy machine.
            _ => take(client)?,
        }
        let next_us = sent_us + chance.within(15_000, 25_000);
        std::thread::sleep(Duration::from_micros(next_us.saturating_sub(monotonic_us())));
    }
    let trace = body.trace_since(began_us)?;
    let took = sent.iter().filter_map(|&(sent_us, target_mps)| {
        let lines = between(&trace, sent_us, sent_us + 1_000_000);
        let shows = |line: &&Line| (line.right_target_mps - target_mps).abs() < SAME_MPS;
        lines.iter().find(shows).map(|line| ms_between(sent_us, line.t_us))
    });
    Ok(took.collect())
}
