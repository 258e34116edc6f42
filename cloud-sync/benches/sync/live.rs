//! How soon a note that is written on the robot is read in the cloud.

use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::json;

use crate::http::Client;
use crate::report::{Figure, Report};
use crate::stats::{Chance, Samples};
use crate::system::broker::Broker;
use crate::system::cloud::Cloud;
use crate::system::place::Place;
use crate::system::postgres::Postgres;
use crate::system::robot::Robot;
use crate::system::wait_until;

/// Notes that are timed, after some that are not.
const NOTES: usize = 400;
const WARM_UP: usize = 20;

/// Measures it, with a broker on the same machine.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new()?;
    let postgres = Postgres::start(&place)?;
    let broker = Broker::start(&place)?;
    let mqtt_url = format!("mqtt://{}", broker.address);
    let cloud = Cloud::start(&place, "cloud", &postgres.database("live")?, Some(&mqtt_url))?;
    let robot = Robot::start(&place, "robot", &[])?;
    robot.pair(&cloud.code(None)?, &cloud.url())?;
    let (mut here, mut there) = (robot.client()?, cloud.client()?);
    wait_until("the robot in step", || {
        let status = here.get("/api/sync/status")?;
        Ok(status["pending"] == 0 && !status["last_converged_at"].is_null())
    })?;
    let mut chance = Chance::new(11);
    let (mut way_ms, mut straight_ms) = (Vec::new(), Vec::new());
    for number in 0..WARM_UP + NOTES {
        let way = one(&mut here, &mut there, number)?;
        let straight = one_straight(&mut there, number)?;
        if number >= WARM_UP {
            way_ms.push(way);
            straight_ms.push(straight);
        }
        std::thread::sleep(chance.up_to_ms(20));
    }
    let (way, straight) = (Samples::new(way_ms), Samples::new(straight_ms));
    let note = format!(
        "{NOTES} notes; upper bound: from before the robot is asked until the cloud answers for it, asked again and again; \
         broker, cloud and Postgres on the same machine; max {:.1}; baseline: the same note written into the cloud directly",
        way.max()
    );
    let p50 = Figure::new("note_robot_to_cloud_ms_p50", way.median(), "ms").beside(straight.median());
    report.add(p50.at_most(60.0).note(&note));
    let p99 =
        Figure::new("note_robot_to_cloud_ms_p99", way.percentile(99), "ms").beside(straight.percentile(99));
    report.add(p99.at_most(300.0).note(&note));
    Ok(())
}

fn one(here: &mut Client, there: &mut Client, number: usize) -> anyhow::Result<f64> {
    let body = json!({"content": format!("note {number}: the ficus by the window wants water on Fridays")});
    let began = Instant::now();
    let note = here.post("/api/sticky-notes/", &body)?.expect(201)?;
    let path = format!("/api/sticky-notes/{}", note["id"].as_str().context("a note without id")?);
    loop {
        let answer = there.ask("GET", &path, "")?;
        if answer.status == 200 {
            return Ok(began.elapsed().as_secs_f64() * 1000.0);
        }
        ensure!(answer.status == 404, "answered {}: {}", answer.status, answer.json());
        ensure!(began.elapsed().as_secs() < 30, "note {number} does not arrive");
    }
}

fn one_straight(there: &mut Client, number: usize) -> anyhow::Result<f64> {
    let body = json!({"content": format!("note {number}: written into the cloud at once")});
    let began = Instant::now();
    there.post("/api/sticky-notes/", &body)?.expect(201)?;
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}
