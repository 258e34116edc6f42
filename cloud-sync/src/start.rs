//! `robbie-cloud run`: configuration, data folder, the service, and the wait for a signal.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use cloud_sync_api::data_dir::RunFile;
use cloud_sync_api::environment::Environment;
use cloud_sync_api::failure::{CONFIGURATION, UNAVAILABLE, chain};
use cloud_sync_api::lan;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::cli::RunArgs;
use crate::config::{self, Config};
use crate::data_dir::{self, CLOUD, DataDir, DataDirError, owner_token};
use crate::wiring::{App, StartError};

/// Runs the service until SIGINT or SIGTERM, and gives the exit code.
pub fn run(args: &RunArgs, environment: &Environment) -> ExitCode {
    log_to_stderr(environment);
    let config = match config::load(&args.sources(environment)) {
        Ok(config) => config,
        Err(error) => return fail(CONFIGURATION, &chain(&error)),
    };
    let dir = match data_dir::resolve(args.data.data.as_deref(), environment)
        .and_then(|root| DataDir::open(&CLOUD, &root))
    {
        Ok(dir) => dir,
        Err(error @ DataDirError::InUse { .. }) => return fail(UNAVAILABLE, &error),
        Err(error) => return fail(CONFIGURATION, &chain(&error)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(serve(args, config, dir)),
        Err(error) => fail(UNAVAILABLE, &error),
    }
}

async fn serve(args: &RunArgs, config: Config, dir: DataDir) -> ExitCode {
    // Before anything starts: a signal that comes meanwhile must end us in order, too.
    let (mut interrupt, mut terminate) =
        match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
            (Err(error), _) | (_, Err(error)) => return fail(UNAVAILABLE, &error),
        };
    let mut app = match App::start(config, dir) {
        Ok(app) => app,
        Err(error) => return fail(UNAVAILABLE, &chain(&error)),
    };
    // It answers, if only that it is starting: a service manager need not wait for the database.
    notify(&[sd_notify::NotifyState::Ready]);
    let ended = tokio::select! {
        failed = open_and_wait(&mut app, args) => Some(failed),
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
    };
    if let Some(error) = ended {
        drop(app.end().await);
        return fail(exit_code(&error), &chain(&error));
    }
    notify(&[sd_notify::NotifyState::Stopping]);
    tracing::info!("ending: what is under way is finished first");
    tokio::select! {
        ended = app.end() => match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(1, &chain(&error)),
        },
        () = second(&mut interrupt) => fail(130, &"ended by a second interrupt; what was answered is written"),
    }
}

/// Opens the service and runs it for ever; gives what keeps it from running.
async fn open_and_wait(app: &mut App, args: &RunArgs) -> StartError {
    if let Err(error) = app.open().await {
        return error;
    }
    if let Err(error) = announce(args, app) {
        tracing::warn!("commands beside this service will not find it: {error}");
    }
    std::future::pending().await
}

/// A database that cannot be used and a folder that cannot be written do not get better by themselves.
fn exit_code(error: &StartError) -> u8 {
    match error {
        StartError::Database(_)
        | StartError::OwnerToken { .. }
        | StartError::DataDir(_)
        | StartError::Mind(_)
        | StartError::Certificate(_) => CONFIGURATION,
        StartError::Server(_) | StartError::Registry(_) | StartError::Embedder(_) | StartError::Token(_) => {
            UNAVAILABLE
        }
    }
}

async fn second(interrupt: &mut Signal) {
    if interrupt.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

/// Tells people and commands beside it where the service is.
fn announce(args: &RunArgs, app: &App) -> Result<(), DataDirError> {
    let http = &app.config().http;
    let scheme = if http.serves_tls() { "https" } else { "http" };
    let fingerprint = http.tls.as_ref().and_then(|files| lan::fingerprint_of(&files.certificate).ok());
    let path = owner_token(app.dir().root());
    let with_token = args.print_url || std::io::stdout().is_terminal();
    let token = std::fs::read_to_string(&path).ok().filter(|_| with_token);
    let mut banner = format!("Robbie's cloud runs, with the database {}.\n", app.config().database);
    for url in lan::urls(scheme, app.address(), &lan::interfaces().unwrap_or_default()) {
        let entry = token.as_ref().map(|token| format!("/?token={}", token.trim())).unwrap_or_default();
        banner.push_str(&format!("  {url}{entry}\n"));
    }
    if token.is_none() {
        banner.push_str(&format!("The owner's token is in {}.\n", path.display()));
    }
    if let Some(fingerprint) = fingerprint {
        banner.push_str(&format!("Its certificate has the fingerprint {fingerprint}.\n"));
    }
    // A closed standard output is no reason to stop.
    drop(std::io::stdout().write_all(banner.as_bytes()).and_then(|()| std::io::stdout().flush()));
    let url = lan::own_url(scheme, app.address());
    let fingerprint = fingerprint.map(|fingerprint| fingerprint.to_string());
    app.dir().announce(&RunFile { pid: std::process::id(), url, fingerprint })
}

/// Without a service manager there is nobody to tell.
fn notify(states: &[sd_notify::NotifyState<'_>]) {
    drop(sd_notify::notify(states));
}

fn log_to_stderr(environment: &Environment) {
    let filter = environment.get("RUST_LOG").unwrap_or("info");
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    drop(subscriber.try_init());
}

fn fail(code: u8, what: &dyn Display) -> ExitCode {
    eprintln!("robbie-cloud: {what}");
    ExitCode::from(code)
}
