//! `pair CODE --cloud URL`, and `pair --forget`: they write `DIR/cloud.json`; the agent that runs there follows it, and one
//! that starts later finds it.

use std::io::{IsTerminal, Write};
use std::path::Path;

use cloud_sync_api::failure::{Failure, chain};
use cloud_sync_api::files::give_to_folders_owner;

use super::args::{PairArgs, ReachArgs};
use super::client::Client;
use super::find;
use crate::config::{self, Environment};
use crate::data_dir::{self, DataPaths};
use crate::sync::{Cloud, CloudError, CloudFile, Pairing, PairingError};

pub(super) async fn run(args: &PairArgs, environment: &Environment) -> Result<(), Failure> {
    let folder = data_dir::resolve(args.data.data.as_deref(), environment)
        .map_err(|error| Failure::Configuration(error.to_string()))?;
    let paths = DataPaths::new(folder);
    let file = CloudFile::read(&paths.cloud()).map_err(|error| refused(&error))?;
    match (&args.code, &args.cloud) {
        (Some(code), Some(url)) if !args.forget => pair(args, environment, &paths, file, code, url).await,
        (None, None) if args.forget => forget(args, environment, &paths, file).await,
        _ => Err(Failure::Usage("give CODE and --cloud URL, or --forget alone".to_owned())),
    }
}

async fn pair(
    args: &PairArgs,
    environment: &Environment,
    paths: &DataPaths,
    before: Option<CloudFile>,
    code: &str,
    url: &str,
) -> Result<(), Failure> {
    if matches!(before, Some(CloudFile::Forget)) {
        return Err(Failure::Refused(
            "the old pairing is not forgotten yet: start the agent once, then pair".to_owned(),
        ));
    }
    let config = config::load(&args.config.sources(environment))
        .map_err(|error| Failure::Configuration(chain(&error)))?;
    let cloud = Cloud::at(url).map_err(|error| failure(&error))?;
    let already = match &before {
        Some(CloudFile::Paired(pairing)) => Some(pairing),
        _ => None,
    };
    let paired = cloud.pair(code, &config.robot.id, already).await.map_err(|error| failure(&error))?;
    let is_others = |own: &&Pairing| own.town != paired.town || own.user_id != paired.user_id;
    if let Some(Pairing { town, user_id, .. }) = already.filter(is_others) {
        return Err(Failure::Refused(format!(
            "this robot belongs to {user_id} in the town {town}; `robbie-agent pair --forget` first"
        )));
    }
    let (town, robot) = (paired.town.clone(), paired.robot.clone());
    let pairing = Pairing {
        url: cloud.url().to_owned(),
        town: paired.town,
        robot: paired.robot,
        user_id: paired.user_id,
        secret: paired.secret,
    };
    std::fs::create_dir_all(paths.root())
        .map_err(|error| Failure::Refused(format!("{}: {error}", paths.root().display())))?;
    CloudFile::Paired(pairing).write(&paths.cloud()).map_err(|error| refused(&error))?;
    keep_owner(&paths.cloud())?;
    println!("paired: {robot} in the town {town}; an agent that runs here takes it up within 2 s");
    Ok(())
}

async fn forget(
    args: &PairArgs,
    environment: &Environment,
    paths: &DataPaths,
    file: Option<CloudFile>,
) -> Result<(), Failure> {
    let Some(CloudFile::Paired(pairing)) = file else {
        return Err(Failure::Refused("this robot is not paired".to_owned()));
    };
    if !args.yes {
        let pending = pending(args, environment).await;
        ask(&pairing, pending)?;
    }
    CloudFile::Forget.write(&paths.cloud()).map_err(|error| refused(&error))?;
    keep_owner(&paths.cloud())?;
    println!(
        "{} is forgotten by the agent that runs here within 2 s, or at its next start: its rows, its tokens, its place in sync",
        pairing.town
    );
    Ok(())
}

/// What the running agent still has to send; `None` where none answers.
async fn pending(args: &PairArgs, environment: &Environment) -> Option<u64> {
    let reach = ReachArgs { data: args.data.clone(), ..ReachArgs::default() };
    let client = Client::new(find::target(&reach, environment).ok()?).ok()?;
    let status: serde_json::Value = client.get("/api/sync/status").await.ok()?;
    status.get("pending")?.as_u64()
}

fn ask(pairing: &Pairing, pending: Option<u64>) -> Result<(), Failure> {
    let unsent = match pending {
        Some(0) => return Ok(()),
        Some(count) => format!("{count} changes have not reached the cloud and will be lost"),
        None => "no agent runs here that could say whether everything has reached the cloud".to_owned(),
    };
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Refused(format!("{unsent}; add --yes to forget all the same")));
    }
    eprint!("{unsent}. Forget {} all the same? [y/N] ", pairing.town);
    drop(std::io::stderr().flush());
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|error| Failure::Refused(error.to_string()))?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::Refused("nothing was changed".to_owned())),
    }
}

/// The agent must be able to read what was written here, and to remove it.
fn keep_owner(path: &Path) -> Result<(), Failure> {
    give_to_folders_owner(path).map_err(|error| Failure::Refused(format!("{}: {error}", path.display())))
}

fn failure(error: &CloudError) -> Failure {
    match error {
        CloudError::NotPrivate(_) => Failure::Usage(chain(error)),
        CloudError::Away { .. } => Failure::Unavailable(chain(error)),
        _ => Failure::Refused(chain(error)),
    }
}

fn refused(error: &PairingError) -> Failure {
    Failure::Refused(chain(error))
}
