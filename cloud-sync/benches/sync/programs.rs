//! `robbie-body` with its trace, and a robot that drives it; under the names by which the body's bench knows them.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

use crate::http::Client;
use crate::system::place::Place;
use crate::system::process::Process;
use crate::system::programs::robbie_body;
pub(crate) use crate::system::robot::Robot as Agent;
pub(crate) use crate::system::wait_for;
use crate::trace::Line;

/// A simulated body in a process of its own.
#[derive(Debug)]
pub(crate) struct Body {
    _process: Process,
    link: PathBuf,
    trace: PathBuf,
}

impl Body {
    /// Starts it, with real-time priority where that is allowed: a body stands for another computer, whose time nobody on this
    /// one can take.
    pub(crate) fn start(place: &Place) -> anyhow::Result<Self> {
        const PRIORITY: u8 = 30;
        let (link, trace) = (place.path("body"), place.path("trace.jsonl"));
        let mut command = Command::new(robbie_body()?);
        command.arg("--link").arg(&link).arg("--trace").arg(&trace).args(["--seed", "7"]);
        let log = place.path("body.log");
        let process = std::thread::scope(|scope| {
            let starter = scope.spawn(|| {
                // A child inherits it from the thread that starts it. Not allowed is fine.
                drop(set_thread_priority_and_policy(
                    thread_native_id(),
                    ThreadPriority::Crossplatform(PRIORITY.try_into().unwrap_or_default()),
                    ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo),
                ));
                Process::start(&mut command, &log)
            });
            starter.join().ok().context("the starting thread panicked")?
        })?;
        wait_for("the body's link", || Ok(link.exists().then_some(())))?;
        Ok(Self { _process: process, link, trace })
    }

    /// A robot with this body.
    pub(crate) fn robot(&self, place: &Place) -> anyhow::Result<Agent> {
        let port = format!("body.port={}", self.link.display());
        let robot = Agent::start(place, "robot", &["--set", "body.driver=serial", "--set", &port])?;
        let mut client = robot.client()?;
        wait_for("the body", || {
            let state = client.get("/api/robot/state")?;
            Ok((state["mcu"]["link"] == "up" && state["base"]["closed"]["by"] != "starting").then_some(()))
        })?;
        Ok(robot)
    }

    /// Its trace from `since_us` on, once it reaches beyond now.
    pub(crate) fn trace_since(&self, since_us: u64) -> anyhow::Result<Vec<Line>> {
        crate::trace::read_to_now(&self.trace, since_us)
    }
}

/// Takes the base as a person does, which opens it; again while the agent still distrusts what waited.
pub(crate) fn take(client: &mut Client) -> anyhow::Result<()> {
    take_at(client, "/api/robot").map(drop)
}

/// The same for the robot at this path; gives the lease.
pub(crate) fn take_at(client: &mut Client, robot: &str) -> anyhow::Result<String> {
    const DEADLINE: Duration = Duration::from_secs(20);
    let end = Instant::now() + DEADLINE;
    loop {
        let seen = client.get(&format!("{robot}/state"))?["seen"].clone();
        let body = serde_json::json!({"resource": "base", "take_over": true, "seen": seen});
        let answer = client.post(&format!("{robot}/leases"), &body)?;
        if answer.status == 201 {
            return Ok(answer.json()["id"].as_str().unwrap_or_default().to_owned());
        }
        ensure!(Instant::now() < end, "the newest answer to a take: {}", answer.json());
        std::thread::sleep(Duration::from_millis(20));
    }
}
