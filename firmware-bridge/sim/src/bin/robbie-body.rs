//! A simulated body as a program of its own: `robbie-body --link PATH` stands in for a serial port with a robot on it.
//!
//! It prints the path of its pseudo-terminal, takes faults as lines on standard input and ends with Ctrl-C or SIGTERM.

use std::fmt;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use firmware_bridge_sim::{BodyProfile, FAULT_HELP, Fault, SimBody};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Exit codes after BSD's sysexits.
const USAGE: u8 = 64;
const UNAVAILABLE: u8 = 69;
const BAD_PROFILE: u8 = 78;
/// Longest line of a fault.
const LINE_MAX: usize = 256;

/// A simulated robot body behind a pseudo-terminal.
#[derive(Debug, Parser)]
#[command(name = "robbie-body", version, after_help = FAULT_HELP)]
struct Arguments {
    /// Put a symlink to the pseudo-terminal here. A symlink that leads nowhere is replaced, nothing else is.
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Write a trace of the wheels here: JSON lines at 200 Hz and on every change, t_us in CLOCK_MONOTONIC.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Seed of noise, wheel slip and byte faults.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Body profile (TOML). What it leaves out is as in the profile `sim`.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { USAGE } else { 0 };
            // Nobody is left to tell when the terminal is gone.
            error.print().ok();
            return ExitCode::from(code);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("robbie-body: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

/// Why the program ends, with its exit code.
#[derive(Debug)]
struct Failure {
    code: u8,
    message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

fn unavailable(message: impl fmt::Display) -> Failure {
    Failure { code: UNAVAILABLE, message: message.to_string() }
}

/// An error with its causes in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    // Blocked before any thread starts, so that every thread inherits it and only the descriptor below hears of them.
    let signals = end_signals()?;
    let profile = match &arguments.profile {
        Some(path) => BodyProfile::load(path)
            .map_err(|error| Failure { code: BAD_PROFILE, message: with_causes(&error) })?,
        None => BodyProfile::default(),
    };
    let body = SimBody::start(&profile, arguments.seed, arguments.trace.as_deref())
        .map_err(|error| unavailable(with_causes(&error)))?;
    let _link = match &arguments.link {
        Some(path) => Some(Link::put(path, body.path())?),
        None => None,
    };
    announce(body.path());
    serve(&body, &signals)
}

/// The one line on standard output. Whoever closed it does not want to know.
fn announce(path: &Path) {
    writeln!(io::stdout(), "{}", path.display()).ok();
    if io::stdin().is_terminal() {
        eprintln!("robbie-body: type faults here (robbie-body --help lists them); Ctrl-C ends it");
    }
}

fn end_signals() -> Result<SignalFd, Failure> {
    let mut set: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    let descriptor = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC).map_err(unavailable)?;
    // In the background of a terminal a read shall fail, not stop the body.
    set.add(Signal::SIGTTIN);
    set.thread_block().map_err(unavailable)?;
    Ok(descriptor)
}

/// Carries faults from standard input to the body until a signal comes.
fn serve(body: &SimBody, signals: &SignalFd) -> Result<(), Failure> {
    let stdin = io::stdin();
    let mut input = Some(Lines::default());
    loop {
        let mut fds = vec![PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN)];
        if input.is_some() {
            fds.push(PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN));
        }
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(unavailable(error)),
        }
        if !fds[0].revents().is_empty() {
            return Ok(());
        }
        let Some(lines) = &mut input else { continue };
        let mut bytes = [0; LINE_MAX];
        // An end, or an error as of a terminal that belongs to another program: nobody types faults.
        let count = rustix::io::read(stdin.as_fd(), &mut bytes).unwrap_or(0);
        for line in lines.take(bytes.get(..count).unwrap_or_default()) {
            inject(body, &line)?;
        }
        if count == 0 {
            input = None;
        }
    }
}

fn inject(body: &SimBody, line: &str) -> Result<(), Failure> {
    if line.trim().is_empty() {
        return Ok(());
    }
    match line.parse::<Fault>() {
        Ok(fault) => body.fault(fault).map_err(unavailable),
        Err(error) => {
            eprintln!("robbie-body: {error}");
            Ok(())
        }
    }
}

/// Puts lines together from the pieces in which they arrive.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            lines.push(String::from_utf8_lossy(&line).trim().to_owned());
        }
        // A longer line is no fault; what it was is of no interest.
        self.rest.truncate(LINE_MAX);
        lines
    }
}

/// A symlink that lives as long as this.
#[derive(Debug)]
struct Link {
    at: PathBuf,
    to: PathBuf,
}

impl Link {
    fn put(at: &Path, to: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| unavailable(format_args!("cannot link {}: {error}", at.display()));
        match fs::read_link(at) {
            Ok(old) if old == to || !at.exists() => fs::remove_file(at).map_err(failed)?,
            Ok(old) => {
                return Err(unavailable(format_args!(
                    "{} already leads to {}, which exists: another body? Remove it if not",
                    at.display(),
                    old.display()
                )));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return Err(unavailable(format_args!("{} is there and is no symlink", at.display()))),
        }
        symlink(to, at).map_err(failed)?;
        Ok(Self { at: at.to_owned(), to: to.to_owned() })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Another body may have put its own there meanwhile.
        if fs::read_link(&self.at).is_ok_and(|to| to == self.to)
            && let Err(error) = fs::remove_file(&self.at)
        {
            eprintln!("robbie-body: cannot remove {}: {error}", self.at.display());
        }
    }
}
