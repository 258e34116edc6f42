//! A Postgres with pgvector of one system's own, which may be killed.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use rustix::process::{Signal, getuid};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;

use super::place::Place;
use super::process::Process;
use super::{free_address, programs, wait_for};

/// The user and group `nobody`: Postgres refuses to run as root.
const NOBODY: u32 = 65_534;

/// A server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Postgres {
    programs: PathBuf,
    data: PathBuf,
    log: PathBuf,
    address: SocketAddr,
    process: Option<Process>,
    runtime: tokio::runtime::Runtime,
    /// Where its data are, if that is not the place's folder.
    elsewhere: Option<TempDir>,
}

impl Postgres {
    /// Makes and starts an empty one.
    pub(crate) fn start(place: &Place) -> anyhow::Result<Self> {
        let programs = programs::postgres()?;
        // Nobody may go through root's home, where the build folder often is.
        let elsewhere = getuid().is_root().then(|| tempfile::tempdir_in("/var/tmp")).transpose()?;
        let home = match &elsewhere {
            Some(folder) => {
                std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
                folder.path().to_owned()
            }
            None => place.path("postgres"),
        };
        std::fs::create_dir_all(&home)?;
        let data = home.join("data");
        let mut initdb = command(&programs, "initdb");
        initdb.arg("--pgdata").arg(&data);
        initdb.args([
            "--username",
            "postgres",
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--no-locale",
            "--no-sync",
        ]);
        let done = initdb.output().context("cannot start initdb")?;
        ensure!(done.status.success(), "initdb: {}", String::from_utf8_lossy(&done.stderr));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let log = place.path("postgres.log");
        let mut postgres =
            Self { programs, data, log, address: free_address()?, process: None, runtime, elsewhere };
        postgres.restart()?;
        Ok(postgres)
    }

    /// Starts it where it was.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "Postgres runs already");
        let mut last = String::new();
        let process = wait_for("Postgres", || {
            let mut postgres = command(&self.programs, "postgres");
            postgres.arg("-D").arg(&self.data);
            for setting in [
                &format!("port={}", self.address.port()),
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "max_connections=100",
                "synchronous_commit=on",
            ] {
                postgres.args(["-c", setting]);
            }
            let mut process = Process::start(&mut postgres, &self.log)?;
            // Children of one that was killed may still be ending; then it refuses to start.
            let ready = process.wait_until_ready("Postgres", |_| {
                let answers =
                    self.run(async { PgConnection::connect(&self.url("postgres")).await?.close().await });
                Ok(answers.ok())
            });
            match ready {
                Ok(()) => Ok(Some(process)),
                Err(error) => {
                    last = format!("{error:#}");
                    std::thread::sleep(std::time::Duration::from_millis(50));
                    Ok(None)
                }
            }
        });
        self.process = Some(process.with_context(|| last)?);
        Ok(())
    }

    /// Kills the server's first process as a crash would; its children end by themselves.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.take().map_or(Ok(()), Process::kill)
    }

    /// Kills a process that serves a connection: the server then throws all of them out and recovers by itself.
    pub(crate) fn kill_a_backend(&self) -> anyhow::Result<()> {
        let sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1";
        let pid: Option<i32> = self.run(async {
            let mut connection = PgConnection::connect(&self.url("postgres")).await?;
            sqlx::query_scalar(sql).fetch_optional(&mut connection).await
        })?;
        let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) else { return Ok(()) };
        // It may have ended meanwhile.
        rustix::process::kill_process(pid, Signal::KILL).ok();
        Ok(())
    }

    /// Ends it, and leaves its data where they are.
    pub(crate) fn keep(mut self) -> PathBuf {
        self.process = None;
        self.elsewhere.take().map_or_else(|| self.data.clone(), TempDir::keep)
    }

    /// Whether it was killed and not started again.
    pub(crate) fn is_down(&self) -> bool {
        self.process.is_none()
    }

    /// A new database, and its URL.
    pub(crate) fn database(&self, name: &str) -> anyhow::Result<String> {
        self.run(async {
            let mut connection = PgConnection::connect(&self.url("postgres")).await?;
            connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
            connection.close().await
        })?;
        Ok(self.url(name))
    }

    /// Runs something on a connection of its own.
    pub(crate) fn run<T>(&self, what: impl Future<Output = sqlx::Result<T>>) -> anyhow::Result<T> {
        Ok(self.runtime.block_on(what)?)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address)
    }
}

fn command(programs: &Path, name: &str) -> Command {
    let mut command = Command::new(programs.join(name));
    command.env_clear().env("PATH", programs).env("HOME", "/nonexistent").current_dir("/");
    if getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
