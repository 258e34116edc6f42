//! `robbie-cloud` as a child process, and what is asked of it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::http::{Answer, Client};
use super::place::Place;
use super::process::Process;
use super::{free_address, programs};

/// Rate limits are for other people's clients.
const WITHOUT_LIMITS: [&str; 4] =
    ["limits.motion_per_s=0", "limits.read_per_min=0", "limits.write_per_min=0", "limits.chat_per_min=0"];

/// A cloud that keeps its address over restarts. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Cloud {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The owner's token of the town `home`.
    pub(crate) token: String,
    data: PathBuf,
    log: PathBuf,
    database_url: String,
    mqtt_url: Option<String>,
    environment: Vec<(String, String)>,
    process: Option<Process>,
}

impl Cloud {
    /// Starts one with this database, and this broker where there is one.
    pub(crate) fn start(
        place: &Place,
        name: &str,
        database_url: &str,
        mqtt_url: Option<&str>,
    ) -> anyhow::Result<Self> {
        Self::start_in(place, name, database_url, mqtt_url, Vec::new())
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_in(
        place: &Place,
        name: &str,
        database_url: &str,
        mqtt_url: Option<&str>,
        environment: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let mut cloud = Self {
            address: free_address()?,
            token: String::new(),
            data: place.path(name),
            log: place.path(&format!("{name}.log")),
            database_url: database_url.to_owned(),
            mqtt_url: mqtt_url.map(str::to_owned),
            environment,
            process: None,
        };
        cloud.restart()?;
        cloud.token = std::fs::read_to_string(cloud.data.join("owner-token"))?.trim().to_owned();
        Ok(cloud)
    }

    /// Starts it where it was, and waits until it serves.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.begin()?;
        let (address, token) = (self.address, self.token.clone());
        let process = self.process.as_mut().context("the cloud does not run")?;
        process
            .wait_until_ready("the cloud", |_| {
                // Nobody listens yet at first, and then it is starting.
                let health =
                    Client::connect(address, &token).and_then(|mut one| one.ask("GET", "/health", ""));
                Ok(health.is_ok_and(|health| health.status == 200).then_some(()))
            })
            .context("the cloud")
    }

    /// Starts it where it was, and waits for nothing.
    pub(crate) fn begin(&mut self) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "the cloud runs already");
        let mut command = self.command();
        command.args(["run", "--listen", &self.address.to_string()]);
        for set in WITHOUT_LIMITS {
            command.args(["--set", set]);
        }
        command.arg("--data").arg(&self.data);
        command.env("DATABASE_URL", &self.database_url);
        if let Some(url) = &self.mqtt_url {
            command.env("MQTT_URL", url);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        self.process = Some(Process::start(&mut command, &self.log)?);
        Ok(())
    }

    /// What it has printed so far, over all its starts.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(programs::robbie_cloud());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("RUST_LOG", "info");
        command
    }

    /// Runs `robbie-cloud ...` beside it, and gives what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = self.command();
        command.args(arguments).env("ROBBIE_TOKEN", &self.token).args(["--url", &self.url()]);
        let output = command.output()?;
        ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A connection with the owner's token.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Client::connect(self.address, &self.token)
    }

    /// `GET` with the owner's token, expecting 200.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.client()?.get(path)
    }

    /// `POST` with the owner's token.
    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.client()?.post(path, body)
    }

    /// A code for a new robot, of that name where one is wished.
    pub(crate) fn code(&self, robot: Option<&str>) -> anyhow::Result<String> {
        let body = robot.map_or_else(|| json!({}), |robot| json!({"robot": robot}));
        let answer = self.post("/api/devices", &body)?.expect(201)?;
        Ok(answer["code"].as_str().context("no code")?.to_owned())
    }

    /// Its process, while it runs.
    pub(crate) fn process(&self) -> anyhow::Result<&Process> {
        self.process.as_ref().context("the cloud does not run")
    }

    /// Its process, while it runs.
    pub(crate) fn process_mut(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    /// Kills it as a crash would.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.take().map_or(Ok(()), Process::kill)
    }

    /// Whether it was killed and not started again.
    pub(crate) fn is_down(&self) -> bool {
        self.process.is_none()
    }
}
