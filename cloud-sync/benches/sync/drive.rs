//! A drive command through the cloud: from a client's request to the wheels, beside the same to the robot itself.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;

use crate::commands::commands;
use crate::http::Client;
use crate::programs::{Body, take, take_at};
use crate::report::{Figure, Report};
use crate::stats::{Chance, Samples, monotonic_us, ms_between};
use crate::system::broker::Broker;
use crate::system::cloud::Cloud;
use crate::system::place::Place;
use crate::system::postgres::Postgres;
use crate::system::wait_until;
use crate::trace::{Line, between};

const COMMANDS: usize = 600;
const WARM_UP: usize = 40;
/// A target differs from the one before by 0.004 m/s.
const SAME_MPS: f32 = 0.001;
const HALF_TRACK_M: f32 = 0.1;

/// Measures it, with the broker on the same machine.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new()?;
    let postgres = Postgres::start(&place)?;
    let broker = Broker::start(&place)?;
    let mqtt_url = format!("mqtt://{}", broker.address);
    let cloud = Cloud::start(&place, "cloud", &postgres.database("drive")?, Some(&mqtt_url))?;
    let body = Body::start(&place)?;
    let robot = body.robot(&place)?;
    robot.pair(&cloud.code(Some("driven"))?, &cloud.url())?;
    let mut client = cloud.client()?;
    wait_until("the robot behind the cloud", || {
        Ok(client.ask("GET", "/api/robots/driven/state", "")?.status == 200)
    })?;
    through_the_cloud(&body, &mut client, WARM_UP)?;
    let through = Samples::new(through_the_cloud(&body, &mut client, COMMANDS)?);
    ensure!(
        through.count() * 10 >= COMMANDS * 9,
        "{} of {COMMANDS} commands reached the wheels",
        through.count()
    );
    let mut straight_client = robot.client()?;
    take(&mut straight_client)?;
    let straight = Samples::new(commands(&body, &mut straight_client, COMMANDS)?);
    let note = format!(
        "{} of {COMMANDS} commands at 20/s, each with the newest stamp that its client saw; upper bound: from before the client \
         sends to the change in the body's trace; broker, cloud and Postgres on the same machine; max {:.1}; baseline: the same \
         way from a client of the robot's own listener",
        through.count(),
        through.max()
    );
    let p50 = Figure::new("cloud_drive_ms_p50", through.median(), "ms").beside(straight.median());
    report.add(p50.note(&note));
    let p99 = Figure::new("cloud_drive_ms_p99", through.percentile(99), "ms").beside(straight.percentile(99));
    report.add(p99.note(&note));
    Ok(())
}

/// How long each command took to the wheels, ms; one that was refused, or was overtaken there, is not among them.
fn through_the_cloud(body: &Body, client: &mut Client, count: usize) -> anyhow::Result<Vec<f64>> {
    const ROBOT: &str = "/api/robots/driven";
    let mut chance = Chance::new(13);
    let began_us = monotonic_us();
    let mut lease = take_at(client, ROBOT)?;
    let mut sent = Vec::new();
    for number in 0..count {
        let seen = client.get(&format!("{ROBOT}/state"))?["seen"].clone();
        let angular_radps = 0.3 + 0.04 * (number % 16) as f32;
        let command = json!({
            "linear_mps": 0.0, "angular_radps": angular_radps, "ttl_ms": 400, "lease": lease, "seen": seen
        });
        let sent_us = monotonic_us();
        let answer = client.ask("POST", &format!("{ROBOT}/velocity"), &command.to_string())?;
        match answer.status {
            202 => sent.push((sent_us, angular_radps * HALF_TRACK_M)),
            // Too old, or closed because the link was late on a busy machine.
            409 | 410 | 503 => lease = take_at(client, ROBOT)?,
            _ => drop(answer.expect(202).context("a command")?),
        }
        let next_us = sent_us + chance.within(40_000, 60_000);
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
