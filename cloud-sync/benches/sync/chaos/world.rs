//! Everything that runs, and what can happen to it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::people::tag;
use super::plan::{Trouble, Way, What, Who};
use super::verdict::{Conflict, Rows};
use crate::sums;
use crate::system::broker::Broker;
use crate::system::cloud::Cloud;
use crate::system::http::Client;
use crate::system::place::Place;
use crate::system::postgres::Postgres;
use crate::system::proxy::{Line, Proxy, State};
use crate::system::robot::Robot;
use crate::system::{wait_at_most, wait_for};

/// Longest wait for the same rows; the target is half of it.
const SAME_WITHIN: Duration = Duration::from_secs(60);
/// Notes that everybody edits.
const SHARED: usize = 3;
/// Talks that are looked at: twice as many as a round has people.
const TALKS: usize = 8;

/// A robot that is paired with a cloud, and all that is between them. The order of the fields is that of their ends.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) robot: Robot,
    pub(crate) cloud: Cloud,
    way: Proxy,
    way_of_mqtt: Proxy,
    broker: Broker,
    postgres: Postgres,
    database_url: String,
    /// Processes that were killed so far.
    pub(crate) kills: usize,
    place: Place,
}

impl World {
    /// Starts all of it, and waits until the robot is paired.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let place = Place::new()?;
        let postgres = Postgres::start(&place)?;
        let database_url = postgres.database("chaos")?;
        let broker = Broker::start(&place)?;
        let way_of_mqtt = Proxy::to(broker.address)?;
        let mqtt_url = format!("mqtt://{}", way_of_mqtt.address);
        let cloud = Cloud::start(&place, "cloud", &database_url, Some(&mqtt_url))?;
        let way = Proxy::to(cloud.address)?;
        let robot = Robot::start(&place, "robot", &[])?;
        robot.pair(&cloud.code(None)?, &format!("http://{}", way.address))?;
        let mut world =
            Self { robot, cloud, way, way_of_mqtt, broker, postgres, database_url, kills: 0, place };
        world.wait_until_same(0)?;
        Ok(world)
    }

    /// Ends it, and leaves its folders where they are: logs and the robot's data, and Postgres's.
    pub(crate) fn keep(self) -> [PathBuf; 2] {
        let Self { robot, cloud, way, way_of_mqtt, broker, postgres, place, .. } = self;
        drop((robot, cloud, way, way_of_mqtt, broker));
        [place.keep(), postgres.keep()]
    }

    /// Does what the plan says; what is so already is left so.
    pub(crate) fn do_it(&mut self, what: What) -> anyhow::Result<()> {
        match what {
            What::Kill(who) => return self.kill(who),
            What::Start(who) => return self.begin(who),
            What::KillABackend if self.postgres.is_down() => {}
            What::KillABackend => {
                // It may be recovering from the last one.
                self.postgres.kill_a_backend().ok();
            }
            What::Trouble(way, trouble) => self.disturb(way, trouble),
            What::Mend(way) => self.line(way).set(Line::GOOD),
            What::FillDisk => {
                let wal = std::fs::metadata(self.robot.data().join("memory.db-wal"));
                let bytes = wal.map_or(0, |file| file.len());
                return self.robot.limit_disk(Some(bytes));
            }
            What::FreeDisk => return self.robot.limit_disk(None),
        }
        Ok(())
    }

    fn line(&self, way: Way) -> &Proxy {
        match way {
            Way::Http => &self.way,
            Way::Mqtt => &self.way_of_mqtt,
        }
    }

    fn disturb(&self, way: Way, trouble: Trouble) {
        let line = self.line(way);
        match trouble {
            Trouble::Delayed => line.set(Line::delayed(Duration::from_millis(200))),
            Trouble::Held => line.set(Line::in_state(State::Held)),
            Trouble::Cut => line.set(Line::in_state(State::Cut)),
            Trouble::CutOnce => line.cut_once(),
        }
    }

    fn kill(&mut self, who: Who) -> anyhow::Result<()> {
        self.kills += 1;
        match who {
            Who::Agent => self.robot.kill(),
            Who::Cloud => self.cloud.kill(),
            Who::Broker => self.broker.kill(),
            Who::Postgres => self.postgres.kill(),
        }
    }

    /// Starts one that is down, and does not wait for those that wait for others themselves.
    fn begin(&mut self, who: Who) -> anyhow::Result<()> {
        match who {
            Who::Agent if self.robot.is_down() => self.robot.begin(),
            Who::Cloud if self.cloud.is_down() => self.cloud.begin(),
            Who::Broker if self.broker.is_down() => self.broker.restart(),
            Who::Postgres if self.postgres.is_down() => self.postgres.restart(),
            _ => Ok(()),
        }
    }

    /// Makes everything good again.
    pub(crate) fn mend_all(&mut self) -> anyhow::Result<()> {
        for who in [Who::Postgres, Who::Broker, Who::Cloud, Who::Agent] {
            self.begin(who)?;
        }
        for way in [Way::Http, Way::Mqtt] {
            self.line(way).set(Line::GOOD);
        }
        self.robot.limit_disk(None)
    }

    /// Fails where somebody has ended who was not killed.
    fn check_alive(&mut self) -> anyhow::Result<()> {
        for (name, process) in [
            ("robot", self.robot.process_mut()),
            ("cloud", self.cloud.process_mut()),
            ("broker", self.broker.process_mut()),
        ] {
            let Some(process) = process else { continue };
            if let Some(status) = process.ended()? {
                bail!("the {name} ended by itself with {status}: {}", process.last_words());
            }
        }
        Ok(())
    }

    /// Notes that everybody edits in this round, on both sides.
    pub(crate) fn share_notes(&mut self, seed: u64) -> anyhow::Result<Vec<String>> {
        let mut cloud = self.cloud.client()?;
        let mut ids = Vec::new();
        for number in 0..SHARED {
            let body = json!({"content": format!("shared {number} of round {seed}"), "tags": [tag(seed)]});
            let note = cloud.post("/api/sticky-notes/", &body)?.expect(201)?;
            ids.push(note["id"].as_str().context("a note without id")?.to_owned());
        }
        self.wait_until_same(seed)?;
        Ok(ids)
    }

    /// Waits until both sides show the same of a round, have the same checksums, and nothing waits; gives what they show.
    pub(crate) fn wait_until_same(&mut self, seed: u64) -> anyhow::Result<Rows> {
        let mut apart = String::new();
        let same = wait_at_most(SAME_WITHIN, "the same rows on both sides", || {
            self.check_alive()?;
            match self.look(seed) {
                Ok(rows) => Ok(Some(rows)),
                Err(error) => {
                    apart = format!("{error:#}");
                    std::thread::sleep(Duration::from_millis(100));
                    Ok(None)
                }
            }
        });
        same.with_context(|| format!("still apart: {apart}"))
    }

    /// What both sides show, or how they differ.
    fn look(&self, seed: u64) -> anyhow::Result<Rows> {
        let pending = self.robot.get("/api/sync/status")?["pending"].clone();
        ensure!(pending == 0, "{pending} changes wait on the robot");
        let (robot, cloud) = (rows(&mut self.robot.client()?, seed)?, rows(&mut self.cloud.client()?, seed)?);
        if robot != cloud {
            bail!("the rows differ: {}", difference(&robot, &cloud));
        }
        let (here, there) =
            (sums::of_robot(self.robot.data())?, sums::of_cloud(&self.postgres, &self.database_url)?);
        ensure!(here == there, "the checksums differ: {here:?} on the robot, {there:?} in the cloud");
        let mismatches = sums::mismatches(self.robot.data())?;
        ensure!(
            mismatches == 0,
            "the robot had to begin from nothing {mismatches} times, because its rows did not fit"
        );
        Ok(robot)
    }

    /// Resolves what is disputed, either way, and waits until nothing is. All of a note is resolved on one side: two people who
    /// choose for it on both sides at once would dispute it anew.
    pub(crate) fn settle(&mut self, seed: u64) -> anyhow::Result<()> {
        let rows = self.wait_until_same(seed)?;
        let mut disputed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, conflict) in &rows.conflicts {
            disputed.entry(&conflict.row).or_default().push(id);
        }
        for (number, ids) in disputed.values().enumerate() {
            let mut client = if number % 2 == 0 { self.robot.client()? } else { self.cloud.client()? };
            for (number, id) in ids.iter().enumerate() {
                let keep = if number % 3 == 0 { "other" } else { "current" };
                let path = format!("/api/sync/conflicts/{id}/resolve");
                client.post(&path, &json!({"keep": keep}))?.expect(200).with_context(|| path.clone())?;
            }
        }
        wait_for("no conflict on either side", || {
            Ok(self.look(seed).is_ok_and(|rows| rows.conflicts.is_empty()).then_some(()))
        })
    }
}

/// What a side shows of a round, and all its conflicts.
fn rows(client: &mut Client, seed: u64) -> anyhow::Result<Rows> {
    let mut rows = Rows::default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for note in pages(client, &format!("/api/sticky-notes/?tag={}&limit=500", tag(seed)))? {
        rows.notes.insert(text(&note["id"]), text(&note["content"]));
    }
    for conflict in pages(client, "/api/sync/conflicts?limit=500")? {
        let values = [text(&conflict["current"]), text(&conflict["other"])];
        rows.conflicts.insert(text(&conflict["id"]), Conflict { row: text(&conflict["row"]), values });
    }
    // The newest are the round's.
    let conversations = client.get(&format!("/api/conversations?limit={TALKS}"))?;
    for conversation in conversations.as_array().context("no list of conversations")? {
        let id = text(&conversation["id"]);
        let turns = pages(client, &format!("/api/conversations/{id}?limit=500"))?;
        rows.turns.insert(id, turns.iter().map(|turn| text(&turn["message_text"])).collect());
    }
    Ok(rows)
}

/// Every row of a list.
fn pages(client: &mut Client, path: &str) -> anyhow::Result<Vec<Value>> {
    let mut rows = Vec::new();
    let mut next = path.to_owned();
    loop {
        let answer = client.ask("GET", &next, "")?;
        let page = answer.expect(200).with_context(|| next.clone())?;
        rows.extend(page.as_array().context("no list")?.iter().cloned());
        match answer.header("x-next-cursor") {
            Some(cursor) => next = format!("{path}&cursor={cursor}"),
            None => return Ok(rows),
        }
    }
}

/// The first few rows in which they differ.
fn difference(robot: &Rows, cloud: &Rows) -> String {
    let mut lines = Vec::new();
    for id in robot.notes.keys().chain(cloud.notes.keys()) {
        let (here, there) = (robot.notes.get(id), cloud.notes.get(id));
        if here != there {
            lines.push(format!("note {id}: {here:?} on the robot, {there:?} in the cloud"));
        }
    }
    if robot.conflicts != cloud.conflicts {
        lines.push(format!(
            "conflicts: {} on the robot, {} in the cloud",
            robot.conflicts.len(),
            cloud.conflicts.len()
        ));
    }
    if robot.turns != cloud.turns {
        let count = |rows: &Rows| rows.turns.values().map(Vec::len).sum::<usize>();
        lines.push(format!("turns: {} on the robot, {} in the cloud", count(robot), count(cloud)));
    }
    lines.truncate(5);
    lines.join("; ")
}
