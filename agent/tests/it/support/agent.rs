//! `robbie-agent` as a child process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::http::{Answer, Client};
use super::programs::robbie_agent;
use super::{DEADLINE, Place, wait_at_most, wait_for, wait_until};

/// How to start an agent: `run` on a free port of 127.0.0.1, with nothing from this process's environment.
pub(crate) struct Start {
    command: Command,
    data: PathBuf,
}

impl Start {
    /// With the simulated body.
    pub(crate) fn new(place: &Place) -> Self {
        Self::listening(place, "127.0.0.1:0")
    }

    /// The same on another address.
    pub(crate) fn listening(place: &Place, address: &str) -> Self {
        Self::of(Command::new(robbie_agent()), place, address)
    }

    /// The same, started by a shell after `preparation`, such as a `trap`.
    pub(crate) fn after(place: &Place, preparation: &str) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(format!("{preparation}; exec \"$0\" \"$@\"")).arg(robbie_agent());
        Self::of(shell, place, "127.0.0.1:0")
    }

    fn of(mut command: Command, place: &Place, address: &str) -> Self {
        let data = place.data();
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.args(["run", "--listen", address, "--data"]).arg(&data);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, data }
    }

    /// With a body at a serial port.
    pub(crate) fn on(self, port: &Path) -> Self {
        let port = format!("body.port={}", port.display());
        self.arguments(&["--set", "body.driver=serial", "--set", &port])
    }

    /// More arguments.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// A variable of its environment.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts it and waits until it serves.
    pub(crate) fn run(self) -> Agent {
        let data = self.data.clone();
        let mut process = self.spawn();
        let run_file = wait_for("the agent's run file", || {
            if let Some(status) = process.child.try_wait().unwrap() {
                panic!("the agent ended with {status}: {}", process.log());
            }
            let text = std::fs::read(data.join("agent.json")).ok()?;
            let run_file: Value = serde_json::from_slice(&text).ok()?;
            (run_file["pid"] == process.child.id()).then_some(run_file)
        });
        let url = run_file["url"].as_str().unwrap().to_owned();
        let address = url.split("://").nth(1).unwrap().parse().unwrap();
        let token = std::fs::read_to_string(data.join("owner-token")).unwrap().trim().to_owned();
        Agent { process, data, url, address, token }
    }

    /// Starts it and waits for its end: for what must be refused.
    pub(crate) fn refused(self) -> Ended {
        let mut process = self.spawn();
        let status = process.wait();
        Ended { code: status.code(), text: process.log() }
    }

    fn spawn(mut self) -> Process {
        let mut child = self.command.spawn().unwrap();
        let log = Arc::default();
        let readers = vec![
            collect(child.stdout.take().unwrap(), Arc::clone(&log)),
            collect(child.stderr.take().unwrap(), Arc::clone(&log)),
        ];
        Process { child, log, readers }
    }
}

/// Reads what a child prints, so that it never waits for us.
fn collect(from: impl std::io::Read + Send + 'static, into: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

/// How an agent ended that was refused.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit code.
    pub(crate) code: Option<i32>,
    /// Everything it printed.
    pub(crate) text: String,
}

struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    fn wait(&mut self) -> ExitStatus {
        let status = wait_for("the agent's end", || self.child.try_wait().unwrap());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is fine.
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("--- what the agent said\n{}---", self.log());
        }
    }
}

/// A running agent. Dropping it kills it.
pub(crate) struct Agent {
    process: Process,
    data: PathBuf,
    /// Without token.
    pub(crate) url: String,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The owner's: every scope, class local.
    pub(crate) token: String,
}

impl Agent {
    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.process.child)
    }

    /// Kills it as a crash would.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
        self.process.wait();
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.process.wait()
    }

    /// Waits until it has printed `text`.
    pub(crate) fn wait_for_log(&self, text: &str) {
        wait_until(text, || self.process.log().contains(text));
    }

    /// A connection with the owner's token.
    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address, Some(&self.token))
    }

    /// `GET` with the owner's token.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.client().ask("GET", path, None)
    }

    /// `POST` with the owner's token.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.client().ask("POST", path, Some(body))
    }

    /// `PATCH` with the owner's token.
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        self.client().ask("PATCH", path, Some(body))
    }

    /// The robot now.
    pub(crate) fn state(&self) -> Value {
        self.get("/api/robot/state").expect(200).json()
    }

    /// Waits until the state satisfies `wanted`.
    pub(crate) fn wait_for_state(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut client = self.client();
        let mut newest = Value::Null;
        let found = wait_at_most(DEADLINE, || {
            newest = client.ask("GET", "/api/robot/state", None).json();
            wanted(&newest).then_some(())
        });
        assert!(found.is_some(), "waited in vain for {what}; the newest state is {newest:#}");
        newest
    }

    /// Waits until the body answers and the start is over.
    pub(crate) fn wait_for_body(&self) -> Value {
        self.wait_for_state("the body", |state| {
            state["mcu"]["link"] == "up" && state["base"]["closed"]["by"] != "starting"
        })
    }

    /// Waits until the base is open by itself, as after a start that may open it.
    pub(crate) fn wait_until_open(&self) -> Value {
        self.wait_for_state("an open base", |state| {
            state["mcu"]["link"] == "up"
                && state["base"]["closed"].is_null()
                && state["base"]["pose"].is_object()
        })
    }

    /// Sees to it that the base is open and nobody's, as a person does who comes to drive: a machine that is busy while the
    /// agent starts may have cost it the link for an instant, and closed it.
    pub(crate) fn open(&self) {
        self.wait_for_body();
        let lease = wait_for("an open base", || {
            let answer = self.take();
            (answer.status == 201).then(|| answer.json()["id"].clone())
        });
        let path = format!("/api/robot/leases/{}", lease.as_str().unwrap());
        self.client().ask("DELETE", &path, None).expect(204);
    }

    /// Waits until something has closed the base, and says what.
    pub(crate) fn wait_until_closed(&self) -> String {
        let state = self.wait_for_state("a closed base", |state| state["base"]["closed"].is_object());
        state["base"]["closed"]["by"].as_str().unwrap().to_owned()
    }

    /// Whether the base is closed because this machine did not let the agent or its body run for 100 ms: no test asks for
    /// that, and none can keep it from happening.
    pub(crate) fn is_closed_by_a_busy_machine(&self) -> bool {
        let by = &self.state()["base"]["closed"]["by"];
        ["tick-gap", "link-lost", "hold"].iter().any(|cause| by == cause)
    }

    /// A take of the base by the owner, as a person does it to open what is closed.
    pub(crate) fn take(&self) -> Answer {
        self.take_with(&self.token)
    }

    /// The same with another token, which may read.
    pub(crate) fn take_with(&self, token: &str) -> Answer {
        let mut client = Client::connect(self.address, Some(token));
        let seen = client.ask("GET", "/api/robot/state", None).json()["seen"].clone();
        let body = serde_json::json!({"resource": "base", "take_over": true, "seen": seen});
        client.ask("POST", "/api/robot/leases", Some(&body))
    }

    /// Runs `robbie-agent token ...` beside it and gives what it printed.
    pub(crate) fn token_command(&self, arguments: &[&str]) -> String {
        self.command(&[&["token"], arguments].concat())
    }

    /// Runs a command of `robbie-agent` beside it; its exit code and what it complained of.
    pub(crate) fn try_command(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.output(arguments);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    /// Runs a command of `robbie-agent` beside it; all of what came of it.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(robbie_agent());
        command.env_clear().args(arguments).arg("--data").arg(&self.data);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command of `robbie-agent` beside it and gives what it printed.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A new token, which the agent knows already when this returns.
    pub(crate) fn make_token(&self, arguments: &[&str]) -> String {
        let token = self.token_command(&[&["create"], arguments].concat());
        wait_for("the new token", || {
            let answer = Client::connect(self.address, Some(&token)).ask("GET", "/api/robot/state", None);
            (answer.status != 401).then_some(())
        });
        token
    }
}
