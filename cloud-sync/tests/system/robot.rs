//! `robbie-agent` as a child process, and what is asked of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, ensure};
use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::Value;

use super::http::{Answer, Client};
use super::place::Place;
use super::process::Process;
use super::{free_address, programs};

/// Rate limits are for other people's clients.
const WITHOUT_LIMITS: [&str; 4] =
    ["limits.motion_per_s=0", "limits.read_per_s=0", "limits.write_per_s=0", "limits.chat_per_min=0"];

/// A robot that keeps its address over restarts. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Robot {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The owner's token: every scope, class local.
    pub(crate) token: String,
    data: PathBuf,
    log: PathBuf,
    arguments: Vec<String>,
    process: Option<Process>,
}

impl Robot {
    /// Starts one with these further arguments of `run`.
    pub(crate) fn start(place: &Place, name: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut robot = Self {
            address: free_address()?,
            token: String::new(),
            data: place.path(name),
            log: place.path(&format!("{name}.log")),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            process: None,
        };
        robot.restart()?;
        robot.token = std::fs::read_to_string(robot.data.join("owner-token"))?.trim().to_owned();
        Ok(robot)
    }

    /// Starts it where it was, and waits until it serves.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.begin()?;
        let address = self.address;
        let process = self.process.as_mut().context("the agent does not run")?;
        process
            .wait_until_ready("the agent", |_| {
                let health = Client::connect(address, "").and_then(|mut one| one.ask("GET", "/health", ""));
                Ok(health.is_ok_and(|health| health.status == 200).then_some(()))
            })
            .context("the agent")
    }

    /// Starts it where it was, and waits for nothing.
    pub(crate) fn begin(&mut self) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "the agent runs already");
        // Over a limit of its files it gets an error, as from a full disk, and not a signal.
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(programs::robbie_agent()?);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("RUST_LOG", "info");
        command.args(["run", "--listen", &self.address.to_string()]);
        for set in WITHOUT_LIMITS {
            command.args(["--set", set]);
        }
        command.arg("--data").arg(&self.data).args(&self.arguments);
        self.process = Some(Process::start(&mut command, &self.log)?);
        Ok(())
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Runs `robbie-agent ...` beside it.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(programs::robbie_agent()?);
        command.env_clear().args(arguments).arg("--data").arg(&self.data);
        Ok(command.stdin(std::process::Stdio::null()).output()?)
    }

    /// Pairs it with the cloud at `url`.
    pub(crate) fn pair(&self, code: &str, url: &str) -> anyhow::Result<()> {
        let output = self.run(&["pair", code, "--cloud", url])?;
        ensure!(output.status.success(), "pair: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
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

    /// From now on no file of it grows beyond, or is written beyond, so many bytes: a disk that is full. `None` lifts that.
    pub(crate) fn limit_disk(&self, bytes: Option<u64>) -> anyhow::Result<()> {
        if let Some(process) = &self.process {
            prlimit(Some(process.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None })?;
        }
        Ok(())
    }

    /// Its process, while it runs.
    pub(crate) fn process(&self) -> anyhow::Result<&Process> {
        self.process.as_ref().context("the agent does not run")
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
