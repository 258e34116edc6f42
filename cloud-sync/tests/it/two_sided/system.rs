//! A cloud with a database, and a robot that is paired with it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::support::database::TestDatabase;
use crate::system::broker::Broker;
use crate::system::cloud::Cloud;
use crate::system::http::Client;
use crate::system::minds::Minds;
use crate::system::place::Place;
use crate::system::postgres::Postgres;
use crate::system::proxy::Proxy;
use crate::system::robot::Robot;
use crate::system::{programs, wait_for, wait_until};

/// Whether there is a broker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mqtt {
    /// Frames go over it, and the robot is driven through it.
    With,
    /// Frames go over HTTP.
    Without,
}

/// Everything that a test needs. The order of the fields is the order in which it ends.
pub(super) struct System {
    pub(super) robot: Robot,
    /// Between robot and cloud.
    pub(super) way: Proxy,
    /// Between robot, cloud and broker.
    pub(super) way_of_mqtt: Option<Proxy>,
    pub(super) cloud: Cloud,
    pub(super) broker: Option<Broker>,
    /// What stands in for language models, where a test needs some.
    pub(super) minds: Option<Minds>,
    /// Where the cloud's rows are, if they are not on the server of all tests.
    pub(super) postgres: Option<Postgres>,
    database_url: String,
    place: Place,
    _database: Option<TestDatabase>,
}

/// Runs a test with a robot that runs and is not paired yet.
pub(super) fn apart(mqtt: Mqtt, test: impl FnOnce(&mut System) -> anyhow::Result<()>) {
    run(System::start(mqtt), test);
}

fn run(system: anyhow::Result<System>, test: impl FnOnce(&mut System) -> anyhow::Result<()>) {
    let mut system = system.unwrap_or_else(|error| panic!("{error:#}"));
    let done = catch_unwind(AssertUnwindSafe(|| test(&mut system)));
    if !matches!(done, Ok(Ok(()))) {
        system.print_logs();
    }
    match done {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("{error:#}"),
        Err(panicked) => resume_unwind(panicked),
    }
}

/// Runs a test with a robot that is paired and at rest.
pub(super) fn paired(mqtt: Mqtt, test: impl FnOnce(&mut System) -> anyhow::Result<()>) {
    apart(mqtt, |system| {
        system.pair()?;
        system.wait_until_in_step()?;
        test(system)
    });
}

/// The same with a Postgres of its own, which may be killed. Where there are no programs of Postgres the test is left out, which is
/// said; with `CI=true` that is a failure.
pub(super) fn paired_over_own_postgres(mqtt: Mqtt, test: impl FnOnce(&mut System) -> anyhow::Result<()>) {
    if let Err(missing) = programs::postgres() {
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        eprintln!("left out: {missing}");
        return;
    }
    run(System::start_over_own_postgres(mqtt), |system| {
        system.pair()?;
        system.wait_until_in_step()?;
        test(system)
    });
}

/// The same with a broker and these tiers, each a stand-in; `settings` are further ones of the cloud, `section__key` and value.
pub(super) fn with_minds(
    tiers: &[&str],
    settings: &[(&str, &str)],
    test: impl FnOnce(&mut System, &Minds) -> anyhow::Result<()>,
) {
    let start = || {
        let place = Place::new()?;
        let minds = Minds::start(&place)?;
        let mut environment = minds.environment(tiers)?;
        environment.extend(
            settings
                .iter()
                .map(|(key, value)| (format!("ROBBIE_CLOUD_{}", key.to_uppercase()), (*value).to_owned())),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let database = runtime.block_on(TestDatabase::empty());
        let system = System::with_rows(Mqtt::With, place, database.url(), None, environment)?;
        Ok(System { minds: Some(minds), _database: Some(database), ..system })
    };
    run(start(), |system| {
        system.pair()?;
        system.wait_until_in_step()?;
        let minds = system.minds.take().context("no stand-ins")?;
        test(system, &minds)
    });
}

/// Lines of each log that a failure shows.
const LINES: usize = 40;

impl System {
    fn start(mqtt: Mqtt) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let database = runtime.block_on(TestDatabase::empty());
        let system = Self::with_rows(mqtt, Place::new()?, database.url(), None, Vec::new())?;
        Ok(Self { _database: Some(database), ..system })
    }

    fn start_over_own_postgres(mqtt: Mqtt) -> anyhow::Result<Self> {
        let place = Place::new()?;
        let postgres = Postgres::start(&place)?;
        let url = postgres.database("robbie")?;
        Self::with_rows(mqtt, place, url, Some(postgres), Vec::new())
    }

    fn with_rows(
        mqtt: Mqtt,
        place: Place,
        database_url: String,
        postgres: Option<Postgres>,
        environment: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let broker = (mqtt == Mqtt::With).then(|| Broker::start(&place)).transpose()?;
        let way_of_mqtt = broker.as_ref().map(|broker| Proxy::to(broker.address)).transpose()?;
        let mqtt_url = way_of_mqtt.as_ref().map(|way| format!("mqtt://{}", way.address));
        let cloud = Cloud::start_in(&place, "cloud", &database_url, mqtt_url.as_deref(), environment)?;
        let way = Proxy::to(cloud.address)?;
        let robot = Robot::start(&place, "robot", &[])?;
        Ok(Self {
            robot,
            way,
            way_of_mqtt,
            cloud,
            broker,
            minds: None,
            postgres,
            database_url,
            place,
            _database: None,
        })
    }

    /// Another cloud over the same rows and the same broker.
    pub(super) fn replica(&self) -> anyhow::Result<Cloud> {
        let mqtt_url = self.way_of_mqtt.as_ref().map(|way| format!("mqtt://{}", way.address));
        Cloud::start(&self.place, "replica", &self.database_url, mqtt_url.as_deref())
    }

    /// The line to the broker.
    pub(super) fn way_of_mqtt(&self) -> anyhow::Result<&Proxy> {
        self.way_of_mqtt.as_ref().context("there is no broker")
    }

    fn print_logs(&self) {
        for name in ["robot", "cloud", "broker"] {
            let said = std::fs::read_to_string(self.place.path(&format!("{name}.log"))).unwrap_or_default();
            let lines: Vec<&str> = said.lines().collect();
            eprintln!("--- the {name} said\n{}", lines[lines.len().saturating_sub(LINES)..].join("\n"));
        }
    }

    /// Pairs the robot, which goes to the cloud over the line in between.
    pub(super) fn pair(&self) -> anyhow::Result<()> {
        self.robot.pair(&self.cloud.code(None)?, &format!("http://{}", self.way.address))
    }

    /// Its folder.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Waits until the robot has greeted the cloud, and has nothing to send.
    pub(super) fn wait_until_in_step(&self) -> anyhow::Result<()> {
        let mut robot = self.robot.client()?;
        wait_until("robot and cloud in step", || {
            let status = robot.get("/api/sync/status")?;
            Ok(status["pending"] == 0
                && status["connected"] == true
                && !status["last_converged_at"].is_null())
        })
    }

    /// The conflicts that both sides show, once they show the same, and so many.
    pub(super) fn conflicts(&self, count: usize) -> anyhow::Result<Vec<Value>> {
        let (mut robot, mut cloud) = (self.robot.client()?, self.cloud.client()?);
        let ids = |client: &mut Client| -> anyhow::Result<Vec<Value>> {
            let list = client.get("/api/sync/conflicts")?;
            Ok(list.as_array().context("no list of conflicts")?.clone())
        };
        let id = |list: &[Value]| list.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
        wait_for(&format!("{count} conflicts on both sides"), || {
            let (here, there) = (ids(&mut robot)?, ids(&mut cloud)?);
            Ok((here.len() == count && id(&here) == id(&there)).then_some(there))
        })
    }
}

/// Writes a note, and gives its id.
pub(super) fn write(client: &mut Client, content: &str) -> anyhow::Result<String> {
    let note = client.post("/api/sticky-notes/", &json!({"content": content}))?.expect(201)?;
    Ok(note["id"].as_str().context("a note without id")?.to_owned())
}

/// Writes another text into a note.
pub(super) fn rewrite(client: &mut Client, id: &str, content: &str) -> anyhow::Result<()> {
    let body = json!({"content": content}).to_string();
    client.ask("PATCH", &format!("/api/sticky-notes/{id}"), &body)?.expect(200)?;
    Ok(())
}

/// What a note says; `None` where there is none.
pub(super) fn read(client: &mut Client, id: &str) -> anyhow::Result<Option<String>> {
    let answer = client.ask("GET", &format!("/api/sticky-notes/{id}"), "")?;
    if answer.status == 404 {
        return Ok(None);
    }
    Ok(answer.expect(200)?["content"].as_str().map(str::to_owned))
}

/// Waits until a note says this, and gives how long that took.
pub(super) fn wait_for_note(client: &mut Client, id: &str, content: &str) -> anyhow::Result<Duration> {
    let began = Instant::now();
    wait_until(&format!("{content:?}"), || Ok(read(client, id)?.as_deref() == Some(content)))?;
    Ok(began.elapsed())
}

/// Every note there is: id and content, by id.
pub(super) fn all_notes(client: &mut Client) -> anyhow::Result<Vec<(String, String)>> {
    let mut notes = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = client.ask("GET", &format!("/api/sticky-notes/?limit=500{cursor}"), "")?;
        let page = answer.expect(200)?;
        for note in page.as_array().context("no list of notes")? {
            let text = |name: &str| note[name].as_str().unwrap_or_default().to_owned();
            notes.push((text("id"), text("content")));
        }
        match answer.header("x-next-cursor") {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    notes.sort();
    Ok(notes)
}

/// What a program has counted under this name, in `/metrics`, with these labels: `why="malformed"`.
pub(super) fn counted(client: &mut Client, name: &str, labels: &[&str]) -> anyhow::Result<u64> {
    let answer = client.ask("GET", "/metrics", "")?;
    ensure!(answer.status == 200, "/metrics answers {}", answer.status);
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let is_it = |line: &&str| line.starts_with(name) && labels.iter().all(|label| line.contains(label));
    let numbers = text.lines().filter(is_it).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    Ok(numbers.sum())
}
