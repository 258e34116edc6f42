//! `robbie-agent` and `robbie-body` as child processes in a temporary folder. Dropping one kills it.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

use crate::http::Client;
use crate::trace::Line;

/// Nothing that is waited for takes so long.
const DEADLINE: Duration = Duration::from_secs(20);

/// Between two looks: short beside every figure that is taken from such a wait.
const PAUSE: Duration = Duration::from_millis(1);

/// Rate limits are for other people's clients.
const WITHOUT_LIMITS: [&str; 8] = [
    "--set",
    "limits.motion_per_s=0",
    "--set",
    "limits.read_per_s=0",
    "--set",
    "limits.write_per_s=0",
    "--set",
    "limits.chat_per_min=0",
];

/// Waits until `look` finds something.
pub(crate) fn wait_for<T>(
    what: &str,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        ensure!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(PAUSE);
    }
}

/// The agent's release binary.
pub(crate) fn robbie_agent() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_robbie-agent"))
}

/// A process that is killed when dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        command.spawn().map(Self).with_context(|| format!("cannot start {command:?}"))
    }

    /// The child.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill_process(Pid::from_child(&self.0), signal)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is fine.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts a process with real-time priority where that is allowed. A body stands for another computer, whose time nobody
/// on this one can take; the agent's gate asks for a higher one itself.
fn start_urgent(command: &mut Command) -> anyhow::Result<Process> {
    const PRIORITY: u8 = 30;
    std::thread::scope(|scope| {
        let starter = scope.spawn(|| {
            // A child inherits it from the thread that starts it. Not allowed is fine.
            drop(set_thread_priority_and_policy(
                thread_native_id(),
                ThreadPriority::Crossplatform(PRIORITY.try_into().unwrap_or_default()),
                ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo),
            ));
            Process::start(command)
        });
        starter.join().ok().context("the starting thread panicked")?
    })
}

/// A temporary folder of one robot.
#[derive(Debug)]
pub(crate) struct Place(TempDir);

impl Place {
    /// An empty one, in the build folder: that is on a disk, as a robot's data is, where `/tmp` may be in memory.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).context("no temporary folder")?))
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// A simulated body in a process of its own.
#[derive(Debug)]
pub(crate) struct Body {
    _process: Process,
    link: PathBuf,
    trace: PathBuf,
}

impl Body {
    /// Starts it.
    pub(crate) fn start(place: &Place) -> anyhow::Result<Self> {
        let program = robbie_agent().with_file_name("robbie-body");
        ensure!(program.exists(), "{} is missing: run `make bench ONLY=body`", program.display());
        let (link, trace) = (place.path("body"), place.path("trace.jsonl"));
        let mut command = Command::new(program);
        command.arg("--link").arg(&link).arg("--trace").arg(&trace).args(["--seed", "7"]);
        let process = start_urgent(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
        wait_for("the body's link", || Ok(link.exists().then_some(())))?;
        Ok(Self { _process: process, link, trace })
    }

    /// Its trace from `since_us` on, once it reaches beyond now.
    pub(crate) fn trace_since(&self, since_us: u64) -> anyhow::Result<Vec<Line>> {
        crate::trace::read_to_now(&self.trace, since_us)
    }
}

/// A running agent.
#[derive(Debug)]
pub(crate) struct Agent {
    /// The process.
    pub(crate) process: Process,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The owner's token: every scope, class local.
    pub(crate) token: String,
}

/// `robbie-agent run` in `place`, without rate limits; with the body in its own process unless one is given.
pub(crate) fn run_command(place: &Place, listen: &str, body: Option<&Body>) -> anyhow::Result<Command> {
    let mut command = Command::new(robbie_agent());
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("RUST_LOG", "warn");
    command.args(["run", "--listen", listen, "--data"]).arg(place.path("data")).args(WITHOUT_LIMITS);
    if let Some(body) = body {
        let port = format!("body.port={}", body.link.display());
        command.args(["--set", "body.driver=serial", "--set", &port]);
    }
    let log = File::options().create(true).append(true).open(place.path("agent.log"))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    Ok(command)
}

impl Agent {
    /// Starts it and waits until it serves and has read the body's state.
    pub(crate) fn start(place: &Place, body: Option<&Body>) -> anyhow::Result<Self> {
        let mut process = Process::start(&mut run_command(place, "127.0.0.1:0", body)?)?;
        let run_file = wait_for("the agent's run file", || {
            if let Some(status) = process.child().try_wait()? {
                let log = std::fs::read_to_string(place.path("agent.log")).unwrap_or_default();
                bail!("the agent ended with {status}: {log}");
            }
            let run_file = std::fs::read(place.path("data/agent.json")).ok();
            let run_file = run_file.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
            Ok(run_file.filter(|run_file| run_file["pid"] == process.id()))
        })?;
        let url = run_file["url"].as_str().unwrap_or_default();
        let address = url.split("://").nth(1).context("no address in the run file")?.parse()?;
        let token = token(place)?;
        let agent = Self { process, address, token };
        let mut client = agent.client()?;
        wait_for("the body", || {
            let state = client.get("/api/robot/state")?;
            Ok((state["mcu"]["link"] == "up" && state["base"]["closed"]["by"] != "starting").then_some(()))
        })?;
        Ok(agent)
    }

    /// A connection with the owner's token.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Client::connect(self.address, &self.token)
    }
}

/// The owner's token of the agent in `place`.
pub(crate) fn token(place: &Place) -> anyhow::Result<String> {
    let token = std::fs::read_to_string(place.path("data/owner-token")).context("no owner-token")?;
    Ok(token.trim().to_owned())
}

/// Takes the base as a person does, which opens it; again while the agent still distrusts what waited.
pub(crate) fn take(client: &mut Client) -> anyhow::Result<()> {
    let mut refusal = String::new();
    let taken = wait_for("an open base", || {
        let seen = client.get("/api/robot/state")?["seen"].clone();
        let body = serde_json::json!({"resource": "base", "take_over": true, "seen": seen});
        let answer = client.ask("POST", "/api/robot/leases", &body.to_string())?;
        refusal = answer.json().to_string();
        Ok((answer.status == 201).then_some(()))
    });
    taken.with_context(|| format!("the newest answer to a take: {refusal}"))
}

/// Resets the e-stop once the MCU has confirmed it.
pub(crate) fn reset(client: &mut Client) -> anyhow::Result<()> {
    wait_for("a reset e-stop", || {
        let estop = client.get("/api/robot/estop")?;
        if estop["latched"] == false {
            return Ok(Some(()));
        }
        if estop["stage"] == "confirmed" {
            let body = serde_json::json!({"epoch": estop["epoch"]}).to_string();
            // Refused because the link was late or the e-stop is newer: the next look tells.
            client.ask("POST", "/api/robot/estop/reset", &body)?;
        }
        Ok(None)
    })
}
