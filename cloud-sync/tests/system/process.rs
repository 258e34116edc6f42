//! A child process whose output goes into a file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, bail};
use rustix::process::Pid;

use super::wait_for;

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    /// What is in its log from before it started.
    from: u64,
}

impl Process {
    /// Starts it. It inherits no input, and its output is added to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let mut file = File::options().create(true).append(true).open(log)?;
        let from = file.metadata()?.len();
        // Over a pipe: a limit on the files of the child is none on what it says.
        let (mut output, said) = std::io::pipe()?;
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        // This end of the pipe: its reader ends with the child.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        std::thread::spawn(move || std::io::copy(&mut output, &mut file));
        Ok(Self { child, log: log.to_owned(), from })
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its id, for signals and limits.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// What it has printed.
    pub(crate) fn said(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        let from = usize::try_from(self.from).unwrap_or_default().min(bytes.len());
        String::from_utf8_lossy(&bytes[from..]).into_owned()
    }

    /// Its status once it has ended.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until `look` finds what shows that it is ready; one that ends before is an error with its last words.
    pub(crate) fn wait_until_ready<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&Self) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        wait_for(what, || {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}: {}", self.last_words());
            }
            look(self)
        })
    }

    /// The last lines that it printed.
    pub(crate) fn last_words(&self) -> String {
        let said = self.said();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Kills it as a crash would, and waits until it is gone.
    pub(crate) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is fine.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
