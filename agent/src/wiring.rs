//! The composition root: the only file that names concrete bodies, ports, stores and servers, and the order in which they
//! start and end. Long and flat on purpose.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use agent_core::budget::Budget;
use agent_core::gate::{Gate, Start};
use agent_core::profile::Profile;
use anyhow::Context;
use cloud_sync_api::chain::Chain;
use cloud_sync_api::failure::chain;
use cloud_sync_api::health::Faults;
use cloud_sync_api::token_file::{TokenFile, TokenFileError};
use cloud_sync_api::token_follower::TokenFollower;
use cloud_sync_api::tokens::TokenStore;
use cloud_sync_protocol::command::Status;
use firmware_bridge_host::{Session, SessionConfig};
use firmware_bridge_link::message::Limits;
use firmware_bridge_sim::{BodyProfile, SimBody, StartError};
use tokio::sync::watch;

use crate::belongs::Belongs;
use crate::chat::mood_lights;
use crate::config::{Config, HttpConfig};
use crate::data_dir::DataDir;
use crate::drive::clean;
use crate::drive::config::BodyConfig;
use crate::drive::gate_thread::{self, GateThread, Pulse};
use crate::drive::handle::{Door, DriveHandle};
use crate::drive::latch_file::{self, LatchWriter};
use crate::drive::mqtt;
use crate::drive::pilot::Pilot;
use crate::drive::port_keeper::{self, PortKeeper};
use crate::drive::robot::{Robot, TurnIds};
use crate::drive::wire::identity::Identity;
use crate::link::{self, Commands, Link, SyncFrames};
use crate::memory::{Memory, stamps};
use crate::os::FifoPriority;
use crate::sync::{self, CloudFile, Engine, InStep, PairingError};
use crate::{lan, mind, os, server, supervise};

/// The running agent.
#[derive(Debug)]
pub struct App {
    /// Where it listens.
    pub address: SocketAddr,
    /// How it listens, with the certificate in use.
    pub http: HttpConfig,
    /// The door to the body.
    pub drive: DriveHandle,
    /// The gate thread as others see it.
    pub pulse: Arc<Pulse>,
    /// The serial port's keeper.
    pub ports: PortKeeper,
    memory: Memory,
    server: server::Running,
    threads: Threads,
    dir: DataDir,
}

#[derive(Debug)]
struct Threads {
    door: Arc<Door>,
    gate: JoinHandle<()>,
    latch: LatchWriter,
    latch_thread: JoinHandle<()>,
    port_thread: JoinHandle<()>,
    /// Ends when dropped; after the gate, which halts it.
    _body: Option<SimBody>,
}

/// A gate thread that has not ended by then never will.
const GATE_END: Duration = Duration::from_secs(3);

impl App {
    /// Starts everything; the body is first told to move by somebody's command.
    ///
    /// # Errors
    /// What keeps the program from running, with what to do about it. A missing body is no such thing: the agent runs,
    /// says so, and keeps trying.
    pub fn start(config: &Config, dir: DataDir) -> anyhow::Result<Self> {
        let profile = config.profile();
        let budget = Budget::check(&profile).context("the profile breaks its safety promise")?;
        let run = os::random_u64().context("the kernel gives no randomness")?;
        let now = os::boot_time();

        // What the run before left behind; the latch comes before anything that can fail, so that a first start is one.
        let found = latch_file::open(&dir.paths().latch(), &dir.paths().clean(), dir.is_new());

        // What else can keep the program from running comes before the body is told anything.
        let http = lan::with_certificate(&config.http, dir.paths())?;
        let listening = server::listen(&http)?;
        let followed = TokenFollower::open(dir.paths().root(), os::unix_seconds())?;
        let (memory, opened) = Memory::open(dir.paths().root(), &dir.paths().models(), config.memory.limits)?;
        if let Some(loss) = opened.loss {
            tracing::error!("{loss}");
        }
        let ended_open =
            clean::take(&dir.paths().clean()).context("the note of an orderly end cannot be deleted")?;

        // From here on the two kinds of bodies look the same.
        let (body, port) = open_body(config, &profile)?;

        // The gate thread and the two threads that do for it what may block.
        let (door, woken) = Door::new().context("out of file descriptors")?;
        let door = Arc::new(door);
        let (latch, latch_thread) = latch_file::start(dir.paths().latch(), &found, door.gate_wake.clone())?;
        let (ports, port_thread) = port_keeper::start(port, profile.baud, door.gate_wake.clone())?;
        let gate = Gate::new(profile, Start { latch: found.loaded, ended_open, run }, now);
        let session = Session::new(SessionConfig::new(limits(&profile), profile.baud));
        let pilot = Pilot::new(gate, session, now);
        let first = pilot.first_shown(now);
        let (drive, hand_out) = DriveHandle::new(door.clone(), woken, first)?;
        supervise::spawn("drive-answers", hand_out);
        let pulse = Arc::new(Pulse::default());
        let gate = gate_thread::start(GateThread {
            pilot,
            door: door.clone(),
            ports: ports.clone(),
            latch: latch.clone(),
            pulse: pulse.clone(),
        })?;

        // The edge.
        let faults = Faults::default();
        let Cloudward { belongs, chain, in_step, link, commands } =
            towards_cloud(config, &dir, &memory, run, &faults)?;
        let home = belongs.home().clone();
        memory.keep_embedding();
        supervise::spawn(
            "mood-lights",
            mood_lights::follow(memory.store.clone(), drive.clone(), home.clone()),
        );
        let tokens = followed.tokens.clone();
        supervise::spawn("tokens", followed.follow(report_tokens(faults.clone())));
        supervise::spawn("revocations", revoke(tokens.clone(), drive.clone()));
        let robot = Robot {
            drive: drive.clone(),
            identity: Arc::new(Identity { robot: belongs.robot().clone(), run, profile }),
            budget,
            stops: Arc::default(),
            sockets: Arc::default(),
            turns: TurnIds::default(),
            guards: server::guards(tokens, &http, &config.limits),
        };
        supervise::spawn("commands", mqtt::serve(robot.clone(), link, commands));
        let watched = server::Watched {
            pulse: pulse.clone(),
            ports: ports.clone(),
            memory: memory.store.clone(),
            in_step,
            faults,
        };
        let server = server::start(listening, &http, robot, &memory, &home, chain, &watched);
        let threads = Threads { door, gate, latch, latch_thread, port_thread, _body: body };
        Ok(Self { address: server.address(), http, drive, pulse, ports, memory, server, threads, dir })
    }

    /// Ends everything in order: no new requests, the body halted, the latch on the disk, the note of what was open.
    ///
    /// # Errors
    /// The note cannot be written; the next start finds base and head closed.
    pub async fn end(self) -> anyhow::Result<()> {
        self.pulse.end(&self.threads.door);
        self.server.end().await;
        self.memory.end().await;
        let threads = self.threads;
        let ended = tokio::task::spawn_blocking(move || {
            let deadline = os::boot_time() + GATE_END;
            while !threads.gate.is_finished() && os::boot_time() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            if !threads.gate.is_finished() {
                return false;
            }
            threads.latch.end();
            self.ports.end();
            // A thread that panicked has said so; the note is then not written.
            threads.gate.join().is_ok()
                & threads.latch_thread.join().is_ok()
                & threads.port_thread.join().is_ok()
        })
        .await?;
        anyhow::ensure!(ended, "the gate thread did not end in order");
        clean::leave(&self.dir.paths().clean(), self.pulse.ended_open())
            .context("DIR/clean cannot be written")?;
        self.dir.withdraw()?;
        Ok(())
    }

    /// The folder that this agent uses.
    pub fn dir(&self) -> &DataDir {
        &self.dir
    }
}

/// The body: in this process behind a pty, or behind a serial port.
fn open_body(config: &Config, profile: &Profile) -> anyhow::Result<(Option<SimBody>, PathBuf)> {
    match config.body() {
        BodyConfig::Sim { seed } => {
            let body = start_body(&simulated(profile), *seed).context("the simulated body cannot start")?;
            let port = body.path().to_owned();
            Ok((Some(body), port))
        }
        BodyConfig::Serial { port } => Ok((None, port.into())),
    }
}

/// What connects the robot with its cloud.
struct Cloudward {
    belongs: Belongs,
    chain: Chain,
    in_step: InStep,
    link: Link,
    commands: Commands,
}

/// Who is at home here is decided by pairing, also while it runs; whoever is paired is kept in step.
fn towards_cloud(
    config: &Config,
    dir: &DataDir,
    memory: &Memory,
    run: u64,
    faults: &Faults,
) -> anyhow::Result<Cloudward> {
    let belongs = Belongs::itself(&config.robot.id, TokenFile::in_dir(dir.paths().root()));
    let path = dir.paths().cloud();
    let file = CloudFile::read(&path).context("the robot's pairing")?;
    if let Some(CloudFile::Paired(pairing)) = &file {
        belongs.to(&pairing.town, &pairing.user_id, &pairing.robot)?;
    }
    let in_step = InStep { store: memory.store.clone(), pulse: sync::Pulse::default() };
    let (wanted, linked) = watch::channel(None);
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let hello = Status { online: true, run: format!("{run:016x}"), version };
    let (link, commands, SyncFrames { up, down, is_connected }) = link::start(hello, linked);
    let (shown, file) = watch::channel(file);
    let chain = mind::start(&config.mind, file.clone());
    supervise::spawn("pairing", sync::follow(path.clone(), shown, report_pairing(faults.clone())));
    let engine = Engine {
        store: memory.store.clone(),
        file,
        path,
        belongs: belongs.clone(),
        broker: sync::Broker { up, down, is_connected },
        link: wanted,
        clock: stamps::clock(),
        random: Arc::new(|| os::random_u64().unwrap_or_else(|_no_randomness| os::boot_time().as_us())),
        pulse: in_step.pulse.clone(),
    };
    supervise::spawn("sync", sync::run(engine));
    Ok(Cloudward { belongs, chain, in_step, link, commands })
}

/// A token file that cannot be read is a fault; the tokens read last stay valid.
fn report_tokens(faults: Faults) -> impl Fn(Result<(), TokenFileError>) {
    move |looked| match looked {
        Ok(()) => faults.clear("tokens"),
        Err(error) => faults.set("tokens", error.to_string()),
    }
}

/// A pairing that cannot be read is a fault; the one read last stays.
fn report_pairing(faults: Faults) -> impl Fn(Result<(), PairingError>) {
    move |looked| match looked {
        Ok(()) => faults.clear("pairing"),
        Err(error) => faults.set("pairing", chain(&error)),
    }
}

/// Starts the body from a real-time thread, whose scheduling its own thread inherits: it stands for a processor that nobody
/// shares, and on a busy machine would otherwise seem to have died.
fn start_body(profile: &BodyProfile, seed: u64) -> Result<SimBody, StartError> {
    std::thread::scope(|scope| {
        let started = scope.spawn(|| {
            os::ask_for_fifo(FifoPriority::Body);
            SimBody::start(profile, seed, None)
        });
        started.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

async fn revoke(tokens: TokenStore, drive: DriveHandle) {
    let mut revocations = tokens.revocations();
    loop {
        match revocations.recv().await {
            Ok(token) => drive.revoke(token).await,
            Err(tokio::sync::broadcast::error::RecvError::Lagged(missed)) => {
                tracing::error!(missed, "revocations came faster than they could be handed on");
            }
            Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// The MCU's limits that a profile asks for.
fn limits(profile: &Profile) -> Limits {
    Limits {
        wheel_mps_max: profile.linear_mps_max + profile.angular_radps_max * profile.track_m / 2.0,
        acceleration_mps2: profile.acceleration_mps2,
        emergency_mps2: profile.emergency_mps2,
        hold_ms: u16::try_from(profile.hold_ms).unwrap_or(u16::MAX),
        pan_rad_max: profile.head.pan_rad_max,
        tilt_rad_max: profile.head.tilt_rad_max,
    }
}

/// A simulated body with the numbers of `profile`.
fn simulated(profile: &Profile) -> BodyProfile {
    let mut body = BodyProfile { track_m: profile.track_m, ..BodyProfile::default() };
    let limits = limits(profile);
    body.hold_ms = limits.hold_ms;
    body.wheels.mps_max = limits.wheel_mps_max;
    body.wheels.acceleration_mps2 = limits.acceleration_mps2;
    body.wheels.emergency_mps2 = limits.emergency_mps2;
    body.wheels.motor_lag_ms = profile.motor_lag_ms as f32;
    body.wheels.coast_ms = profile.coast_ms as f32;
    body.head.pan_rad_max = limits.pan_rad_max;
    body.head.tilt_rad_max = limits.tilt_rad_max;
    body.mcu.watchdog_ms = profile.watchdog_ms;
    body
}
