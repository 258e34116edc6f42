//! What a person sees of sync.

use super::system::{Mqtt, paired, wait_for_note, write};
use crate::system::proxy::{Line, State};
use crate::system::wait_until;

#[test]
fn what_waits_is_shown_and_so_is_that_nothing_waits() {
    paired(Mqtt::Without, |system| {
        let mut robot = system.robot.client()?;
        system.way.set(Line::in_state(State::Cut));
        let id = write(&mut robot, "waiting")?;
        wait_until("one change that waits", || {
            let status = robot.get("/api/sync/status")?;
            Ok(status["pending"].as_u64().is_some_and(|pending| pending >= 1))
        })?;
        system.way.set(Line::GOOD);
        wait_for_note(&mut system.cloud.client()?, &id, "waiting")?;
        system.wait_until_in_step()?;
        // The cloud hears of it when the robot asks again.
        wait_until("nothing that waits in the cloud", || {
            Ok(system.cloud.get("/api/sync/status")?["pending"] == 0)
        })
    });
}

#[test]
fn a_robot_that_starts_while_the_cloud_is_away_works_and_catches_up() {
    paired(Mqtt::With, |system| {
        system.cloud.kill()?;
        system.robot.kill()?;
        system.robot.restart()?;
        let mut robot = system.robot.client()?;
        let id = write(&mut robot, "alone again")?;
        let health = robot.get("/health")?;
        assert!(!health.to_string().contains("\"sync\""), "a cloud that is away is no fault: {health}");
        system.cloud.restart()?;
        wait_for_note(&mut system.cloud.client()?, &id, "alone again")?;
        Ok(())
    });
}
