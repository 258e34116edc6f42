//! The cloud's database is killed in the middle of sync, and comes back.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;

use super::people_drive::robot_of;
use super::system::{Mqtt, all_notes, paired_over_own_postgres};
use crate::system::http::Client;
use crate::system::wait_until;

/// Between two notes of one writer.
const PAUSE: Duration = Duration::from_millis(10);
/// Notes of each writer before something happens, and again after it.
const SOME: usize = 20;

/// What one writer has written so far.
#[derive(Default)]
struct Written {
    kept: AtomicUsize,
    refused: AtomicUsize,
}

/// Writes notes until told. Gives those that are kept, and those of which nobody knows.
fn keep_writing(
    client: &mut Client,
    who: &str,
    written: &Written,
    is_over: &AtomicBool,
) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let (mut kept, mut unknown) = (Vec::new(), Vec::new());
    while !is_over.load(Ordering::Relaxed) {
        let content = format!("{who} {}", kept.len() + unknown.len());
        let answer = client.post("/api/sticky-notes/", &json!({ "content": content }))?;
        if answer.status == 201 {
            kept.push(content);
            written.kept.fetch_add(1, Ordering::Relaxed);
        } else {
            let said = (answer.status, answer.problem());
            ensure!(said == (503, "memory-down".to_owned()), "{who} is told {said:?}");
            unknown.push(content);
            written.refused.fetch_add(1, Ordering::Relaxed);
        }
        std::thread::sleep(PAUSE);
    }
    Ok((kept, unknown))
}

fn killed_in_the_middle(mqtt: Mqtt) {
    paired_over_own_postgres(mqtt, |system| {
        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        let mut look = system.robot.client()?;
        if mqtt == Mqtt::With {
            robot_of(&mut cloud)?;
        }
        let (of_robot, of_cloud, is_over) = (Written::default(), Written::default(), AtomicBool::new(false));
        let more = |written: &Written, what: &str| {
            let before = written.kept.load(Ordering::Relaxed);
            wait_until(what, || Ok(written.kept.load(Ordering::Relaxed) >= before + SOME))
        };
        let postgres = system.postgres.as_mut().context("no Postgres of its own")?;
        let (of_robot, of_cloud, is_over) = (&of_robot, &of_cloud, &is_over);
        let (robots, clouds) = std::thread::scope(|scope| {
            let one = scope.spawn(move || keep_writing(&mut robot, "robot", of_robot, is_over));
            let other = scope.spawn(move || keep_writing(&mut cloud, "cloud", of_cloud, is_over));
            let mut happens = || {
                more(of_robot, "notes on the robot")?;
                more(of_cloud, "notes in the cloud")?;
                let status = look.get("/api/sync/status")?;
                ensure!(status["over_broker"] == (mqtt == Mqtt::With), "{status}");
                postgres.kill()?;
                wait_until("a cloud that says so", || Ok(of_cloud.refused.load(Ordering::Relaxed) > 0))?;
                more(of_robot, "notes on the robot while the database is away")?;
                postgres.restart()?;
                more(of_cloud, "notes in the cloud again")
            };
            let happened = happens();
            is_over.store(true, Ordering::Relaxed);
            let written = [one.join(), other.join()].map(|one| one.expect("a writer panicked"));
            happened?;
            let [robots, clouds] = written;
            anyhow::Ok((robots?, clouds?))
        })?;
        assert_eq!(robots.1, Vec::<String>::new(), "a robot keeps notes by itself");

        let (mut robot, mut cloud) = (system.robot.client()?, system.cloud.client()?);
        wait_until("every note on both sides", || {
            let here = all_notes(&mut robot)?;
            Ok(here.len() >= robots.0.len() + clouds.0.len() && here == all_notes(&mut cloud)?)
        })?;
        system.wait_until_in_step()?;
        let mut left: Vec<String> = all_notes(&mut cloud)?.into_iter().map(|(_, content)| content).collect();
        for content in robots.0.iter().chain(&clouds.0) {
            let place = left.iter().position(|one| one == content);
            left.swap_remove(place.with_context(|| format!("{content} is lost"))?);
        }
        // What broke off may have been kept, and nothing is there twice.
        for content in &clouds.1 {
            left.iter().position(|one| one == content).map(|place| left.swap_remove(place));
        }
        assert_eq!(left, Vec::<String>::new());
        assert_eq!(robot.get("/api/sync/conflicts")?, json!([]));
        let health = robot.get("/health")?;
        assert!(!health.to_string().contains("\"sync\""), "{health}");
        Ok(())
    });
}

#[test]
fn a_database_that_is_killed_in_the_middle_loses_nothing() {
    killed_in_the_middle(Mqtt::With);
}

#[test]
fn it_is_so_over_http_too() {
    killed_in_the_middle(Mqtt::Without);
}
