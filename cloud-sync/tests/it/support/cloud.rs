//! `robbie-cloud` as a child process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::DEADLINE;
use super::http::Client;

/// How to start a service: `run` on a free port of 127.0.0.1, with nothing from this process's environment.
pub(crate) struct Start {
    command: Command,
    data: PathBuf,
}

/// A running service; killed when dropped.
pub(crate) struct Cloud {
    child: Child,
    data: PathBuf,
    log: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// The program under test, without arguments and environment.
pub(crate) fn robbie_cloud() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_robbie-cloud"));
    command.env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command
}

impl Start {
    /// With its data in `data` and its rows in the database `url`.
    pub(crate) fn new(data: &Path, url: &str) -> Self {
        let mut command = robbie_cloud();
        command.args(["run", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        command.env("DATABASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, data: data.to_owned() }
    }

    /// More arguments.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Starts it, and waits for nothing.
    pub(crate) fn spawn(mut self) -> Cloud {
        let mut child = self.command.spawn().expect("robbie-cloud starts");
        let log = Arc::new(Mutex::new(String::new()));
        let outputs: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("its output")),
            Box::new(child.stderr.take().expect("its errors")),
        ];
        let readers = outputs.into_iter().map(|output| keep(output, Arc::clone(&log))).collect();
        Cloud { child, data: self.data, log, readers }
    }

    /// Starts it and waits until it serves.
    pub(crate) fn run(self) -> Cloud {
        let mut cloud = self.spawn();
        cloud.wait_until_it_serves();
        cloud
    }
}

impl Cloud {
    /// Waits until it serves.
    pub(crate) fn wait_until_it_serves(&mut self) {
        wait_until("the service serves", || {
            if let Some(status) = self.child.try_wait().expect("its state") {
                panic!("the service ended with {status}: {}", self.log());
            }
            self.run_file().is_some_and(|run| run["pid"] == self.child.id())
        });
    }

    fn run_file(&self) -> Option<Value> {
        serde_json::from_slice(&std::fs::read(self.data.join("cloud.json")).ok()?).ok()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        let run = self.run_file().expect("it serves");
        let url = run["url"].as_str().expect("its URL");
        url.split("://").nth(1).expect("an address").parse().expect("an address")
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The owner's token.
    pub(crate) fn owner_token(&self) -> String {
        let token = std::fs::read_to_string(self.data.join("owner-token")).expect("the owner's token");
        token.trim().to_owned()
    }

    /// A client with the owner's token.
    pub(crate) fn owner(&self) -> Client {
        Client::new(self.address(), Some(&self.owner_token()))
    }

    /// A client with this token.
    pub(crate) fn with(&self, token: &str) -> Client {
        Client::new(self.address(), Some(token))
    }

    /// A client without any.
    pub(crate) fn nobody(&self) -> Client {
        Client::new(self.address(), None)
    }

    /// What it has printed and logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Its process, for signals.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("the signal is sent");
    }

    /// Waits until it has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the service ends", || {
            status = self.child.try_wait().expect("its state");
            status.is_some()
        });
        for reader in self.readers.drain(..) {
            reader.join().expect("its output is read");
        }
        status.expect("it has ended")
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            eprintln!("--- the service said:\n{}", self.log());
        }
    }
}

/// Waits until something is so, and looks often.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn keep(output: Box<dyn std::io::Read + Send>, log: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let mut log = log.lock().expect("the log");
            log.push_str(&line);
            log.push('\n');
        }
    })
}
