//! `robbie-agent run`: configuration, data folder, the agent, its banner, and the wait for a signal.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use cloud_sync_api::failure::chain;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::cli::{CONFIGURATION, RunArgs, UNAVAILABLE};
use crate::config::{self, Config, Environment, HttpConfig};
use crate::data_dir::{self, DataDir, DataDirError, RunFile};
use crate::drive::config::BodyConfig;
use crate::lan::{self, Banner, Fingerprint, LatchNotice, TokenShown};
use crate::wiring::App;

/// Threads that serve requests. The gate has its own and shares nothing with them.
const WORKERS: usize = 2;

/// Runs the agent until SIGINT or SIGTERM, and gives the exit code.
pub fn run(args: &RunArgs, environment: &Environment) -> ExitCode {
    log_to_stderr(environment);
    let config = match config::load(&args.config.sources(environment)) {
        Ok(config) => config,
        Err(error) => return fail(CONFIGURATION, &chain(&error)),
    };
    let dir = match data_dir::resolve(args.data.data.as_deref(), environment)
        .and_then(|root| DataDir::open(&root))
    {
        Ok(dir) => dir,
        Err(error @ DataDirError::InUse { .. }) => return fail(UNAVAILABLE, &error),
        Err(error) => return fail(CONFIGURATION, &chain(&error)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(serve(args, &config, dir)),
        Err(error) => fail(UNAVAILABLE, &error),
    }
}

async fn serve(args: &RunArgs, config: &Config, dir: DataDir) -> ExitCode {
    // Before anything moves: a signal that comes while we start must end us in order, too.
    let (mut interrupt, mut terminate) =
        match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
            (Err(error), _) | (_, Err(error)) => return fail(UNAVAILABLE, &error),
        };
    let app = match App::start(config, dir) {
        Ok(app) => app,
        Err(error) => return fail(UNAVAILABLE, &format!("{error:#}")),
    };
    if let Err(error) = announce(args, config, &app) {
        tracing::warn!("commands beside this agent will not find it: {error}");
    }
    let watchdog = crate::supervise::spawn("watchdog", feed_watchdog(app.pulse.clone()));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    watchdog.abort();
    notify(&[sd_notify::NotifyState::Stopping]);
    tracing::info!("ending: the body is halted first");
    tokio::select! {
        ended = app.end() => match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(1, &format!("{error:#}")),
        },
        () = second(&mut interrupt) => fail(130, &"ended by a second interrupt; the body stops by its hold"),
    }
}

async fn second(interrupt: &mut Signal) {
    if interrupt.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

/// Tells people, commands beside it, and the service manager that the agent is ready.
fn announce(args: &RunArgs, config: &Config, app: &App) -> Result<(), DataDirError> {
    let scheme = if config.http.serves_tls() { "https" } else { "http" };
    let interfaces = lan::interfaces().unwrap_or_default();
    let urls = lan::urls(scheme, app.address, &interfaces);
    let fingerprint = fingerprint(&app.http);
    let paths = app.dir().paths();
    let on_terminal = std::io::stdout().is_terminal();
    let token = match std::fs::read_to_string(paths.owner_token()) {
        Ok(token) if on_terminal || args.print_url => TokenShown::InUrl(token.trim().to_owned()),
        _ => TokenShown::OnlyPath(paths.owner_token()),
    };
    let estop = app.drive.snapshot().estop;
    let banner = Banner {
        robot: config.robot.id.clone(),
        body: match config.body() {
            BodyConfig::Sim { .. } => "simulated body".to_owned(),
            BodyConfig::Serial { port } => format!("body at {port}"),
        },
        with_qr: on_terminal && config.http.lan,
        latched: estop.latched.then(|| LatchNotice { epoch: estop.epoch, reason: estop.reason.to_string() }),
        fingerprint,
        urls: urls.clone(),
        token,
    };
    // A closed standard output is no reason to stop driving.
    drop(write!(std::io::stdout(), "{banner}").and_then(|()| std::io::stdout().flush()));
    notify(&[sd_notify::NotifyState::Ready]);
    let url = lan::own_url(scheme, app.address);
    let fingerprint = fingerprint.map(|fingerprint| fingerprint.to_string());
    app.dir().announce(&RunFile { pid: std::process::id(), url, fingerprint })
}

fn fingerprint(http: &HttpConfig) -> Option<Fingerprint> {
    let files = http.tls.as_ref()?;
    lan::fingerprint_of(&files.certificate).ok()
}

/// Feeds the service manager's watchdog only while the gate's own thread makes progress: a gate that hangs gets the
/// process restarted, and until then the body stops by its hold.
async fn feed_watchdog(pulse: std::sync::Arc<crate::drive::gate_thread::Pulse>) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut periods = tokio::time::interval((limit / 3).max(Duration::from_millis(20)));
    let mut fed_at = 0;
    loop {
        periods.tick().await;
        let ticks = pulse.ticks();
        if ticks != fed_at {
            fed_at = ticks;
            notify(&[sd_notify::NotifyState::Watchdog]);
        }
    }
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
    eprintln!("robbie-agent: {what}");
    ExitCode::from(code)
}
