//! The embedded broker, `robbie-tryout broker`.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context, ensure};

use super::place::Place;
use super::process::Process;
use super::{free_address, programs};

/// A broker that keeps its address over restarts. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Broker {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    log: std::path::PathBuf,
    process: Option<Process>,
}

impl Broker {
    /// Starts one.
    pub(crate) fn start(place: &Place) -> anyhow::Result<Self> {
        let mut broker = Self { address: free_address()?, log: place.path("broker.log"), process: None };
        broker.restart()?;
        Ok(broker)
    }

    /// Starts it where it was, without anything that it knew.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "the broker runs already");
        let mut command = Command::new(programs::robbie_tryout()?);
        command.env_clear().args(["broker", "--listen", &self.address.to_string()]);
        let mut process = Process::start(&mut command, &self.log)?;
        let ready = process
            .wait_until_ready("the broker", |process| Ok(process.said().contains("MQTT_URL=").then_some(())));
        ready.context("the broker")?;
        self.process = Some(process);
        Ok(())
    }

    /// Its process, while it runs.
    pub(crate) fn process_mut(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }

    /// Kills it as a crash would.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.take().map_or(Ok(()), Process::kill)
    }

    /// Whether it was killed and not started again.
    pub(crate) fn is_down(&self) -> bool {
        self.process.is_none()
    }
}
