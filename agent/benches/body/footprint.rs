//! What the agent needs: time to be ready, memory and processor time at rest, the size of its binary, a cold build.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::Value;

use crate::Scale;
use crate::bare::Bare;
use crate::http::Client;
use crate::process::{cpu_s, rss_mb};
use crate::programs::{Agent, Place, Process, robbie_agent, run_command, token, wait_for};
use crate::report::{Figure, Report};
use crate::stats::Samples;

const STARTS: usize = 20;
/// What follows a start is over by then.
const SETTLE: Duration = Duration::from_secs(5);
const REST: Duration = Duration::from_secs(30);

/// Measures all of it; the cold build only when asked for.
pub(crate) fn measure(report: &mut Report, scale: Scale) -> anyhow::Result<()> {
    starts(report)?;
    rest(report)?;
    let bytes = std::fs::metadata(robbie_agent())?.len();
    report
        .add(Figure::new("binary_mb", bytes as f64 / 1e6, "MB").note("release, debug information stripped"));
    if scale.with_cold_build {
        return cold_build(report);
    }
    report.left_out("make_run_cold_s", "COLD=1 measures it");
    Ok(())
}

fn starts(report: &mut Report) -> anyhow::Result<()> {
    let mut agent_ms = Vec::new();
    let mut bare_ms = Vec::new();
    for _ in 0..STARTS {
        agent_ms.push(start_ms()?);
        let began = Instant::now();
        let bare = Bare::start("token")?;
        Client::connect(bare.address, "token")?.get_status("/health")?;
        bare_ms.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let (agent_ms, bare_ms) = (Samples::new(agent_ms), Samples::new(bare_ms));
    let note = format!(
        "slowest of {STARTS} first starts with the simulated body, median {:.0}; from spawning to /health 200 and an open \
         base; baseline: slowest start of the bare service of rest_velocity",
        agent_ms.median()
    );
    report.add(Figure::new("ready_ms", agent_ms.max(), "ms").beside(bare_ms.max()).at_most(300.0).note(note));
    Ok(())
}

fn start_ms() -> anyhow::Result<f64> {
    let place = Place::new()?;
    let address = free_address()?;
    let began = Instant::now();
    let _process = Process::start(&mut run_command(&place, &address.to_string(), None)?)?;
    let is_healthy =
        || -> anyhow::Result<bool> { Ok(Client::connect(address, "")?.get_status("/health")? == 200) };
    // Nobody listens yet at first.
    wait_for("/health", || Ok(is_healthy().is_ok_and(|is_healthy| is_healthy).then_some(())))?;
    let mut client = Client::connect(address, &token(&place)?)?;
    wait_for("an open base", || {
        Ok(client.get("/api/robot/state")?["base"]["closed"].is_null().then_some(()))
    })?;
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

/// An address that is free now, so that the first look does not wait for the agent's run file.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn rest(report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new()?;
    let agent = Agent::start(&place, None)?;
    let bare = Bare::start("token")?;
    let ids = [agent.process.id(), bare.process.id()];
    std::thread::sleep(SETTLE);
    let before = [cpu_s(ids[0])?, cpu_s(ids[1])?];
    let began = Instant::now();
    std::thread::sleep(REST);
    let took_s = began.elapsed().as_secs_f64();
    let percent = |index: usize, after: f64| (after - before[index]) / took_s * 100.0;
    let (agent_percent, bare_percent) = (percent(0, cpu_s(ids[0])?), percent(1, cpu_s(ids[1])?));
    let note = "30 s without a client, simulated body in the same process; baseline: the bare service of rest_velocity";
    let rss = Figure::new("idle_rss_mb", rss_mb(ids[0])?, "MB").beside(rss_mb(ids[1])?);
    report.add(rss.at_most(25.0).note(note));
    let cpu = Figure::new("idle_cpu_percent", agent_percent, "%").beside(bare_percent);
    report.add(cpu.at_most(2.0).note(note));
    Ok(())
}

/// What `make run` builds, in a new folder, without what was downloaded before being downloaded again.
fn cold_build(report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--package", "agent", "--bin", "robbie-agent", "--message-format=json"]);
    cargo.env("CARGO_TARGET_DIR", folder.path()).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let began = Instant::now();
    let output = cargo.stderr(Stdio::inherit()).output()?;
    let took_s = began.elapsed().as_secs_f64();
    ensure!(output.status.success(), "the cold build failed");
    let lines = output.stdout.split(|&byte| byte == b'\n');
    let crates: BTreeSet<String> = lines
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| message["package_id"].as_str().map(str::to_owned))
        .collect();
    let note = format!("cargo build of what make run starts, {} crates, downloads done before", crates.len());
    report.add(Figure::new("make_run_cold_s", took_s, "s").note(note));
    Ok(())
}
