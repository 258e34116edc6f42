//! One part of the system: a child process, what it prints, how it ended, and how it is ended.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::log::{Log, Terminal, keep, lock};
use crate::failure::Failure;
use crate::os;

/// How long a part may take to end once it was asked to.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// How long the rest of its output may take once it has ended: a child of its own may hold the pipe.
const OUTPUT_WITHIN: Duration = Duration::from_millis(500);

/// What to start.
#[derive(Debug)]
pub(super) struct Spec {
    /// What people call it.
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    pub(super) environment: Vec<(&'static str, String)>,
    /// How the line begins by which it says that it is ready, if it says so.
    pub(super) ready: Option<&'static str>,
}

/// One that runs, or has ended and was not forgotten yet. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    program: String,
    pid: u32,
    child: Child,
    log: Arc<Mutex<Log>>,
    said_ready: watch::Receiver<Option<String>>,
    outputs: Vec<JoinHandle<()>>,
}

impl Part {
    /// Starts it in a process group of its own, so that a Ctrl-C in the terminal reaches this program alone, and so that it
    /// does not outlive this program.
    ///
    /// # Errors
    /// It cannot be started, or its log cannot be written.
    pub(super) fn start(tryout: &Path, spec: Spec, logs: &Path, terminal: Terminal) -> Result<Self, Failure> {
        let Spec { name, program, .. } = &spec;
        let log = Log::begin(logs, name, terminal).map_err(|error| {
            Failure::Configuration(format!(
                "cannot keep what the {name} prints in {}: {error}",
                logs.display()
            ))
        })?;
        let log = Arc::new(Mutex::new(log));
        let mut child = command(tryout, &spec).spawn().map_err(|error| {
            Failure::Unavailable(format!("the {name} ({}) does not start: {error}", program.display()))
        })?;
        let (tell_ready, said_ready) = watch::channel(None);
        let mut outputs = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let (log, ready) = (Arc::clone(&log), spec.ready);
            outputs.push(spawn(async move {
                let seen = |line: &str| {
                    if let Some(rest) = ready.and_then(|prefix| line.strip_prefix(prefix)) {
                        tell_ready.send_replace(Some(rest.to_owned()));
                    }
                };
                keep(stdout, &log, seen).await;
            }));
        }
        if let Some(stderr) = child.stderr.take() {
            let log = Arc::clone(&log);
            outputs.push(spawn(async move { keep(stderr, &log, |_| {}).await }));
        }
        let program = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let pid = child.id().unwrap_or_default();
        Ok(Self { name: spec.name, program, pid, child, log, said_ready, outputs })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for its ready line, and gives what stands behind the prefix. A part that ends without one is never ready.
    pub(super) fn ready(&self) -> impl Future<Output = String> + use<> {
        let mut said = self.said_ready.clone();
        async move {
            match said.wait_for(Option::is_some).await {
                Ok(line) => line.clone().unwrap_or_default(),
                Err(_ended) => std::future::pending().await,
            }
        }
    }

    /// Waits until it ends by itself, and says so in words. May be given up and called again.
    pub(super) async fn ended(&mut self) -> String {
        let status = self.child.wait().await;
        self.read_the_rest().await;
        let how = status.map_or_else(|error| error.to_string(), in_words);
        let log = lock(&self.log);
        let mut text = format!("the {} ({}, process {}) ended {how}.", self.name, self.program, self.pid);
        let mut lines = log.last_lines().peekable();
        if lines.peek().is_some() {
            text.push_str(" It last said:");
        }
        for line in lines {
            text.push_str("\n    ");
            text.push_str(line);
        }
        text + &format!("\nAll it said is in {}.", log.path().display())
    }

    /// Asks it to end, and waits until it has; one that does not end in time, or when `hurry` comes, is killed.
    pub(super) async fn end(mut self, hurry: impl Future<Output = ()>) {
        if let Some(pid) = self.child.id()
            && let Err(error) = os::ask_to_end(pid)
        {
            tracing::warn!("the {} cannot be asked to end: {error}", self.name);
        }
        let why = tokio::select! {
            _ = self.child.wait() => None,
            () = tokio::time::sleep(ENDS_WITHIN) => Some(format!("did not end within {} s", ENDS_WITHIN.as_secs())),
            () = hurry => Some("was given no more time".to_owned()),
        };
        if let Some(why) = why {
            eprintln!("  the {} {why}: killed", self.name);
            if let Err(error) = self.child.kill().await {
                tracing::warn!("the {} cannot be killed: {error}", self.name);
            }
        }
        self.read_the_rest().await;
    }

    /// Kills it, as a crash would.
    pub(super) async fn kill(mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::warn!("the {} cannot be killed: {error}", self.name);
        }
        self.read_the_rest().await;
    }

    async fn read_the_rest(&mut self) {
        while let Some(output) = self.outputs.pop() {
            drop(timeout(OUTPUT_WITHIN, output).await);
        }
    }
}

/// Runs a short command to its end and gives what it printed.
///
/// # Errors
/// It fails, or takes longer than `limit`.
pub(super) async fn output(tryout: &Path, spec: Spec, limit: Duration) -> Result<String, Failure> {
    let what = spec.name;
    let failed = |why: String| Failure::Unavailable(format!("{what}: {why}"));
    let ran = timeout(limit, command(tryout, &spec).output()).await;
    let ran = ran.map_err(|_late| failed(format!("not done within {} s", limit.as_secs())))?;
    let ran = ran.map_err(|error| failed(error.to_string()))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        return Err(failed(format!("{} {}", in_words(ran.status), said.trim())));
    }
    Ok(String::from_utf8_lossy(&ran.stdout).trim().to_owned())
}

fn command(tryout: &Path, spec: &Spec) -> Command {
    let mut command = Command::new(tryout);
    command.arg("child").arg(std::process::id().to_string()).arg("--").arg(&spec.program).args(&spec.args);
    command.envs(spec.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    command
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "in order, but nobody had asked it to".to_owned(),
        (Some(code), _) => format!("with exit code {code}"),
        (None, Some(9)) => "by signal 9 (killed)".to_owned(),
        (None, Some(signal)) => format!("by signal {signal}"),
        (None, None) => format!("with {status}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "the two readers of a part's output end with the part")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(task)
}
