//! `robbie-tryout run`: database, broker, cloud and a paired simulated robot, each a process of its own.
//!
//! When one of them ends by itself, it is said which and how, and all the others are ended: a system with a hole in it
//! explains nothing. Nothing is restarted by itself; `robbie-tryout cloud off` and `on` take the cloud away and bring it
//! back, to see what a robot does alone.

mod files;
mod log;
mod pairing;
mod part;
mod places;
mod programs;
mod system;

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::time::Duration;

use hyper::StatusCode;

use crate::args::{CloudArgs, CloudWish, RunArgs};
use crate::data_dir::DataDir;
use crate::failure::Failure;
use crate::{http, os};
use log::Terminal;
use pairing::Pairing;
use part::Spec;
use places::{Folders, Places, Secrets};
use programs::Programs;
use system::{Signals, System, Wish, Wishes};

/// What holds the folder.
const WHAT: &str = "try-out";
/// The first start unpacks, migrates and makes keys, on a machine that may be busy with other things.
const STARTS_WITHIN: Duration = Duration::from_secs(120);
/// The part that can be taken away.
const CLOUD: &str = "cloud";
/// Between two looks at whether a program answers.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs all of it until SIGINT, SIGTERM or SIGHUP, or until a part ends.
///
/// # Errors
/// Something is missing or taken, or a part ended by itself.
pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let dir = DataDir::open(&args.data.resolve()?, WHAT).map_err(|error| error.for_flag("--data"))?;
    let programs = Programs::find(args.programs.as_deref())?;
    let folders = Folders::make(dir.path())?;
    os::on_runtime(serve(args, &folders, &programs))?
}

/// Asks the try-out that runs in the folder to take the cloud away or to bring it back.
///
/// # Errors
/// None runs there.
pub(crate) fn cloud(args: &CloudArgs) -> Result<(), Failure> {
    let dir = args.data.resolve()?;
    let Some(pid) = DataDir::holder_of(&dir, WHAT) else {
        return Err(Failure::Unavailable(format!(
            "no try-out runs in {}; give its folder with --data",
            dir.display()
        )));
    };
    let wish = match args.wish {
        CloudWish::Off => os::Wish::Off,
        CloudWish::On => os::Wish::On,
    };
    os::wish(pid, wish).map_err(|error| Failure::Unavailable(format!("cannot reach process {pid}: {error}")))
}

async fn serve(args: &RunArgs, folders: &Folders, programs: &Programs) -> Result<(), Failure> {
    let (mut signals, wishes) = (Signals::listen()?, Wishes::listen()?);
    let terminal = if args.verbose { Terminal::Shows } else { Terminal::Silent };
    let mut system = System::new(programs.tryout.clone(), folders.logs.clone(), terminal);
    let done = tokio::select! {
        why = go(args, folders, programs, &mut system, wishes) => Err(why),
        () = signals.any() => Ok(()),
    };
    if let Err(why) = &done {
        // Before the parts end, which may take a while. Without the reason their ending would look like the fault.
        eprintln!("robbie-tryout: {why}");
    }
    system.end(&mut signals).await;
    folders.forget_places();
    done.map_err(|why| Failure::Said(Box::new(why)))
}

/// Starts everything and watches it; ends only when it cannot go on.
async fn go(
    args: &RunArgs,
    folders: &Folders,
    programs: &Programs,
    system: &mut System,
    mut wishes: Wishes,
) -> Failure {
    let places = match start(args, folders, programs, system).await {
        Ok(places) => places,
        Err(failure) => return failure,
    };
    note(folders, &places, system);
    let secrets =
        if args.print_url || io::stdout().is_terminal() { Secrets::Shown } else { Secrets::OnlyPaths };
    // A closed standard output is no reason to end.
    drop(write!(io::stdout(), "{}", places.list(folders, secrets)).and_then(|()| io::stdout().flush()));
    loop {
        let wish = tokio::select! {
            why = system.ended() => return Failure::Unavailable(why),
            wish = wishes.next() => wish,
        };
        let said = match (wish, system.has(CLOUD)) {
            (Wish::CloudOff, true) => {
                system.take_away(CLOUD).await;
                "The cloud is off, as after a crash; the robot goes on alone."
            }
            (Wish::CloudOn, false) => {
                if let Err(failure) = start_cloud(&places, folders, programs, system).await {
                    return failure;
                }
                "The cloud is on again."
            }
            _ => continue,
        };
        note(folders, &places, system);
        eprintln!("{said}");
    }
}

fn note(folders: &Folders, places: &Places, system: &System) {
    if let Err(error) = folders.note_places(places, system.processes()) {
        tracing::warn!("programs beside this one will not find it: {error}");
    }
}

async fn start(
    args: &RunArgs,
    folders: &Folders,
    programs: &Programs,
    system: &mut System,
) -> Result<Places, Failure> {
    eprintln!("Starting the try-out in {}", folders.root.display());
    let cloud = places::free(args.cloud_listen, "--cloud-listen").await?;
    let robot = places::free(args.robot_listen, "--robot-listen").await?;
    places::free(args.database_listen, "--database-listen").await?;
    places::free(args.broker_listen, "--broker-listen").await?;

    system.start(Spec {
        name: "database",
        program: programs.tryout.clone(),
        args: vec![
            "database".into(),
            "--data".into(),
            folders.database.as_os_str().into(),
            "--listen".into(),
            args.database_listen.to_string().into(),
        ],
        environment: Vec::new(),
        ready: Some("DATABASE_URL="),
    })?;
    let database = system.ready(STARTS_WITHIN).await?;

    system.start(Spec {
        name: "broker",
        program: programs.tryout.clone(),
        args: vec!["broker".into(), "--listen".into(), args.broker_listen.to_string().into()],
        environment: Vec::new(),
        ready: Some("MQTT_URL="),
    })?;
    let broker = system.ready(STARTS_WITHIN).await?;

    let places = Places { robot, cloud, database, broker };
    start_cloud(&places, folders, programs, system).await?;
    let pairing = Pairing { cloud, cloud_dir: &folders.cloud, robot_dir: &folders.robot };
    pairing.ensure(system, programs).await?;

    let mut agent = vec![
        "run".into(),
        "--profile".into(),
        "sim".into(),
        "--data".into(),
        folders.robot.as_os_str().into(),
        "--listen".into(),
        robot.to_string().into(),
    ];
    if let Some(seed) = args.seed {
        agent.extend(["--set".into(), format!("body.sim_seed={seed}").into()]);
    }
    let program = programs.agent.clone();
    system.start(Spec { name: "robot", program, args: agent, environment: Vec::new(), ready: None })?;
    system.wait("the robot", STARTS_WITHIN, until_it_answers(robot)).await?;
    Ok(places)
}

async fn start_cloud(
    places: &Places,
    folders: &Folders,
    programs: &Programs,
    system: &mut System,
) -> Result<(), Failure> {
    system.start(Spec {
        name: CLOUD,
        program: programs.cloud.clone(),
        args: vec![
            "run".into(),
            "--data".into(),
            folders.cloud.as_os_str().into(),
            "--listen".into(),
            places.cloud.to_string().into(),
        ],
        environment: vec![("DATABASE_URL", places.database.clone()), ("MQTT_URL", places.broker.clone())],
        ready: None,
    })?;
    system.wait("the cloud", STARTS_WITHIN, until_it_answers(places.cloud)).await
}

/// Until `/health` is 200: 503 is a program that is still starting.
async fn until_it_answers(address: SocketAddr) {
    loop {
        match http::get(address, "/health", None).await {
            Ok((StatusCode::OK, _)) => return,
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}
