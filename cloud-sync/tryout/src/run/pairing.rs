//! Makes sure that the robot is paired with the cloud: with a code at the first start, by a look at its file later.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::Value;

use super::part::Spec;
use super::programs::Programs;
use super::system::System;
use crate::failure::Failure;
use crate::http;

/// Where the pairing is in the robot's file; one that is being forgotten has no such part.
const PAIRED: &str = "paired";
const PAIRS_WITHIN: Duration = Duration::from_secs(30);

/// Who is to be paired with whom.
#[derive(Debug)]
pub(super) struct Pairing<'a> {
    pub(super) cloud: SocketAddr,
    pub(super) cloud_dir: &'a Path,
    pub(super) robot_dir: &'a Path,
}

impl Pairing<'_> {
    /// Pairs the robot unless it is paired with this very cloud. The agent does not run yet.
    ///
    /// # Errors
    /// A command fails, or the robot's file cannot be used.
    pub(super) async fn ensure(&self, system: &mut System, programs: &Programs) -> Result<(), Failure> {
        if self.is_known(system).await? {
            return Ok(());
        }
        eprintln!("  pairing the robot with the cloud");
        let cloud_url = format!("http://{}", self.cloud);
        let code = Spec {
            name: "a pairing code",
            program: programs.cloud.clone(),
            args: vec!["device".into(), "add".into(), "--url".into(), (&cloud_url).into()],
            environment: vec![("ROBBIE_CLOUD_DATA", self.cloud_dir.display().to_string())],
            ready: None,
        };
        let code = system.output(code, PAIRS_WITHIN).await?;
        let pair = Spec {
            name: "pairing the robot",
            program: programs.agent.clone(),
            args: vec![
                "pair".into(),
                code.into(),
                "--cloud".into(),
                cloud_url.into(),
                "--data".into(),
                self.robot_dir.into(),
            ],
            environment: Vec::new(),
            ready: None,
        };
        system.output(pair, PAIRS_WITHIN).await?;
        Ok(())
    }

    /// Whether the cloud knows the robot by the secret it has. The cloud may have moved to another port meanwhile.
    async fn is_known(&self, system: &mut System) -> Result<bool, Failure> {
        let path = self.robot_dir.join("cloud.json");
        let Some(mut file) = read(&path)? else { return Ok(false) };
        let Some(secret) = file[PAIRED]["secret"].as_str().map(str::to_owned) else { return Ok(false) };
        let asked = http::get(self.cloud, "/api/devices/me", Some(&secret));
        let answered = system.wait("the cloud to look at the robot's pairing", PAIRS_WITHIN, asked).await?;
        let failed = |why: &dyn std::fmt::Display| {
            Failure::Unavailable(format!("cannot see whether the robot is still paired: {why}"))
        };
        match answered.map_err(|error| failed(&error))? {
            (StatusCode::OK, _) => {}
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND, _) => {
                eprintln!("  the cloud does not know the robot any more");
                return Ok(false);
            }
            (status, body) => {
                return Err(failed(&format!(
                    "the cloud answered {status} {}",
                    String::from_utf8_lossy(&body)
                )));
            }
        }
        let url = format!("http://{}", self.cloud);
        if file[PAIRED]["url"] != url.as_str() {
            file[PAIRED]["url"] = url.into();
            write(&path, &file)?;
        }
        Ok(true)
    }
}

fn read(path: &Path) -> Result<Option<Value>, Failure> {
    let fail = |error: &dyn std::fmt::Display| {
        Failure::Configuration(format!("cannot read the robot's pairing in {}: {error}", path.display()))
    };
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| fail(&error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fail(&error)),
    }
}

fn write(path: &Path, file: &Value) -> Result<(), Failure> {
    super::files::write_private(path, file.to_string().as_bytes()).map_err(|error| {
        Failure::Configuration(format!("cannot write the robot's pairing to {}: {error}", path.display()))
    })
}
