//! Everything that runs: parts that are started one after the other, watched together, and ended in the opposite order.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::future::select_all;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant as Moment, interval_at};

use super::log::Terminal;
use super::part::{self, Part, Spec};
use crate::failure::Failure;
use crate::os;

/// A wait that takes longer than this is shown, and then again and again.
const SHOWN_AFTER: Duration = Duration::from_secs(2);
const SHOWN_EVERY: Duration = Duration::from_secs(5);

/// The parts, in the order in which they were started.
#[derive(Debug)]
pub(super) struct System {
    tryout: PathBuf,
    logs: PathBuf,
    terminal: Terminal,
    parts: Vec<Part>,
}

impl System {
    pub(super) fn new(tryout: PathBuf, logs: PathBuf, terminal: Terminal) -> Self {
        Self { tryout, logs, terminal, parts: Vec::new() }
    }

    /// Starts one more part.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(&mut self, spec: Spec) -> Result<(), Failure> {
        self.parts.push(Part::start(&self.tryout, spec, &self.logs, self.terminal)?);
        Ok(())
    }

    /// Kills one part, as a crash would; the others go on without it.
    pub(super) async fn take_away(&mut self, name: &str) {
        if let Some(index) = self.parts.iter().position(|part| part.name == name) {
            self.parts.remove(index).kill().await;
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.name == name)
    }

    /// Name and process of each part.
    pub(super) fn processes(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.parts.iter().map(|part| (part.name, part.pid()))
    }

    /// Waits for the ready line of the part that was started last.
    ///
    /// # Errors
    /// A part ends first, or it takes longer than `limit`.
    pub(super) async fn ready(&mut self, limit: Duration) -> Result<String, Failure> {
        let Some(newest) = self.parts.last() else { return Ok(String::new()) };
        let (name, ready) = (newest.name, newest.ready());
        self.wait(&format!("the {name}"), limit, ready).await
    }

    /// Runs a short command while the parts go on, and gives what it prints.
    ///
    /// # Errors
    /// It fails, a part ends first, or it takes longer than `limit`.
    pub(super) async fn output(&mut self, spec: Spec, limit: Duration) -> Result<String, Failure> {
        let what = spec.name;
        let tryout = self.tryout.clone();
        self.wait(what, limit, async move { part::output(&tryout, spec, limit).await }).await?
    }

    /// Waits for `done` while every part goes on, and shows that it waits.
    ///
    /// # Errors
    /// A part ends first, or it takes longer than `limit`.
    pub(super) async fn wait<T>(
        &mut self,
        what: &str,
        limit: Duration,
        done: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let since = Instant::now();
        let logs = self.logs.display().to_string();
        let mut shown = interval_at(Moment::now() + SHOWN_AFTER, SHOWN_EVERY);
        tokio::pin!(done);
        loop {
            tokio::select! {
                biased;
                done = &mut done => return Ok(done),
                why = self.ended() => return Err(Failure::Unavailable(why)),
                _ = shown.tick() => {
                    let waited = since.elapsed();
                    if waited > limit {
                        let text = format!("{what}: not ready within {} s; see the logs in {logs}", limit.as_secs());
                        return Err(Failure::Unavailable(text));
                    }
                    eprintln!("  waiting for {what} ({} s)", waited.as_secs());
                }
            }
        }
    }

    /// Waits until a part ends by itself, and says which and how.
    pub(super) async fn ended(&mut self) -> String {
        if self.parts.is_empty() {
            return std::future::pending().await;
        }
        let (why, index, _) = select_all(self.parts.iter_mut().map(|part| Box::pin(part.ended()))).await;
        // It has nothing left to be ended.
        drop(self.parts.remove(index));
        why
    }

    /// Ends the parts, the newest first. A signal meanwhile kills those that are left.
    pub(super) async fn end(mut self, signals: &mut Signals) {
        let names: Vec<&str> = self.parts.iter().rev().map(|part| part.name).collect();
        if !names.is_empty() {
            eprintln!("Ending: {}.", names.join(", "));
        }
        let mut in_a_hurry = false;
        while let Some(part) = self.parts.pop() {
            let hurry = async {
                if !in_a_hurry {
                    signals.any().await;
                }
                in_a_hurry = true;
            };
            part.end(hurry).await;
        }
    }
}

/// What `robbie-tryout cloud off` and `on` ask for, by signals.
#[derive(Debug)]
pub(super) struct Wishes {
    off: Signal,
    on: Signal,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    CloudOff,
    CloudOn,
}

impl Wishes {
    /// From now on they end nothing by themselves.
    ///
    /// # Errors
    /// The system has no place for them.
    pub(super) fn listen() -> Result<Self, Failure> {
        Ok(Self { off: listen(SignalKind::user_defined1())?, on: listen(SignalKind::user_defined2())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.off.recv() => Wish::CloudOff,
            _ = self.on.recv() => Wish::CloudOn,
        }
    }
}

fn listen(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::Unavailable(format!("cannot wait for signals: {error}")))
}

/// The signals that ask this program to end.
#[derive(Debug)]
pub(super) struct Signals(Vec<Signal>);

impl Signals {
    /// From now on they end nothing by themselves.
    ///
    /// # Errors
    /// The system has no place for them.
    pub(super) fn listen() -> Result<Self, Failure> {
        let mut signals = vec![listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?];
        if !os::outlives_terminal() {
            signals.push(listen(SignalKind::hangup())?);
        }
        Ok(Self(signals))
    }

    /// Waits for the next one.
    pub(super) async fn any(&mut self) {
        select_all(self.0.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
    }
}
