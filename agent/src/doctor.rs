//! `doctor`: what this board has, what is wrong, and how to mend it. It looks and never changes anything.
//!
//! Everything that the kernel shows as files is read below a [`Probe`]'s root, so that tests examine the trees of other
//! boards with the same code. Devices are named as they stay: by id and label, never by number.

mod agent;
mod board;
mod cloud;
mod devices;
mod files;
mod handshake;
mod memory;
mod report;
mod system;

use std::path::{Path, PathBuf};

pub use cloud::{SYNC, in_step};
pub use report::{Check, Report, Status};

use crate::config::{self, Config, Environment, Sources};
use crate::data_dir::{self, DataPaths, RunFile};
use crate::drive::config::BodyConfig;

/// Where to look.
#[derive(Clone, Debug)]
pub struct Probe {
    root: PathBuf,
}

impl Probe {
    /// This machine.
    pub fn of_this_machine() -> Self {
        Self::at("/")
    }

    /// A tree of files like those of a board.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// `path`, which begins with a slash, below the root.
    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// A file's text without what ends it; `None` when it cannot be read. The device tree ends texts with a zero byte.
    fn text(&self, path: &str) -> Option<String> {
        let bytes = std::fs::read(self.path(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim_matches(['\0', '\n', ' ']).to_owned())
    }

    /// Names in a folder, sorted; none when there is no such folder.
    fn names(&self, path: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(path)) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }
}

/// What is asked besides the board.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The configuration to look with.
    pub sources: Sources,
    /// `--data`.
    pub data: Option<PathBuf>,
}

/// The folder and who uses it, for whoever wants to ask the running agent about its body.
pub fn running_agent(data: Option<&Path>, environment: &Environment) -> Option<RunFile> {
    let paths = DataPaths::new(data_dir::resolve(data, environment).ok()?);
    data_dir::holder_of(&paths)?;
    data_dir::run_note(&paths).ok().flatten()
}

/// What only a running agent knows.
#[derive(Clone, Debug)]
pub struct Said {
    /// Of its body.
    pub body: Check,
    /// Of its cloud.
    pub sync: Check,
}

/// Looks at everything. Without a running agent the body is asked itself.
pub fn examine(probe: &Probe, question: &Question, said: Option<Said>) -> Report {
    let (body, sync) = said.map(|said| (said.body, said.sync)).unzip();
    let mut checks = vec![board::model(probe), system::kernel(probe)];
    let config = config::load(&question.sources);
    checks.push(agent::config(config.as_ref()));
    let config = config.ok();
    if let Some(config) = &config {
        checks.push(board::fits_profile(probe, config));
        checks.push(agent::range_policy(config));
    }
    let paths =
        data_dir::resolve(question.data.as_deref(), &question.sources.environment).map(DataPaths::new);
    let holder = paths.as_ref().ok().and_then(data_dir::holder_of);
    let note = paths
        .as_ref()
        .ok()
        .filter(|_| holder.is_some())
        .and_then(|paths| data_dir::run_note(paths).ok().flatten());
    let running = note.map(|run| run.pid);
    match &paths {
        Ok(paths) => {
            checks.push(agent::runs(paths, holder.as_deref()));
            checks.extend(files::data_folder(probe, paths));
            checks.push(files::tokens(paths));
            checks.push(files::latch(paths));
            checks.push(memory::file(paths));
            checks.extend(memory::weights(paths));
            checks.push(sync.unwrap_or_else(|| cloud::pairing(paths)));
        }
        Err(error) => checks.push(Check::fail("data.folder", error.to_string(), "give --data DIR")),
    }
    checks.extend(config.iter().map(|config| agent::listening(config, holder.is_some())));
    checks.push(devices::serial_ports(probe));
    if let Some(config) = &config {
        checks.extend(serial_body(probe, config, holder.is_some(), body));
    }
    checks.extend(devices::modem_manager(probe));
    checks.extend([
        system::real_time(probe, running),
        system::clock(probe),
        system::synchronised(probe),
        devices::gpio(probe),
        devices::cameras(probe),
        devices::sound(probe),
        system::throttling(probe),
        system::temperature(probe),
    ]);
    Report { checks }
}

fn serial_body(probe: &Probe, config: &Config, agent_runs: bool, body: Option<Check>) -> Vec<Check> {
    let BodyConfig::Serial { port } = config.body() else {
        return body
            .into_iter()
            .chain([Check::ok("body.driver", "simulated body inside the agent")])
            .collect();
    };
    let mut checks = vec![devices::configured_port(probe, port, agent_runs)];
    let may_ask = checks.iter().all(|check| check.status != Status::Fail) && !agent_runs;
    match body {
        Some(body) => checks.push(body),
        None if may_ask => checks.push(handshake::ask(port, config.profile().baud)),
        None => {}
    }
    checks
}

#[cfg(test)]
mod tests;
