//! `token create|list|revoke`: they change the file beside a running agent, which follows it within a second.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use cloud_sync_api::failure::{Failure, chain};
use cloud_sync_api::files::give_to_folders_owner;
use cloud_sync_api::scope::{Scope, Scopes};
use cloud_sync_api::token_file::{NewToken, OWNER, TokenFile, TokenFileError, TokenRecord, class_named};

use super::args::{DataArgs, TokenCommand};
use crate::config::Environment;
use crate::data_dir::{self, DataPaths};
use crate::sync::CloudFile;

pub(super) fn run(command: &TokenCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        TokenCommand::Create { scope, class, user, name, data } => {
            let folder = folder(data, environment)?;
            let owner = owner(&folder)?;
            let wish = wish(scope, class, user.as_deref().unwrap_or(&owner), name.as_deref())?;
            let file = TokenFile::in_dir(&folder);
            let secret = file.create(&wish, unix_s()).map_err(|error| failure(&error))?;
            keep_owner(&file)?;
            println!("{secret}");
        }
        TokenCommand::List { data } => {
            let records =
                TokenFile::in_dir(&folder(data, environment)?).list().map_err(|error| failure(&error))?;
            print!("{}", table(&records));
        }
        TokenCommand::Revoke { token, data } => {
            let file = TokenFile::in_dir(&folder(data, environment)?);
            let gone = file.revoke(token).map_err(|error| failure(&error))?;
            keep_owner(&file)?;
            println!("revoked {} ({})", gone.id, gone.name);
        }
    }
    Ok(())
}

/// Whose a token is where nobody says: the robot's owner, as pairing named him.
fn owner(folder: &Path) -> Result<String, Failure> {
    let file = CloudFile::read(&DataPaths::new(folder).cloud());
    match file.map_err(|error| Failure::Refused(chain(&error)))? {
        Some(CloudFile::Paired(pairing)) => Ok(pairing.user_id),
        Some(CloudFile::Forget) | None => Ok(OWNER.to_owned()),
    }
}

fn wish(scopes: &[String], class: &str, user: &str, name: Option<&str>) -> Result<NewToken, Failure> {
    let scopes: Scopes = scopes
        .iter()
        .flat_map(|words| words.split(','))
        .map(|word| word.trim().parse::<Scope>().map_err(|error| Failure::Usage(error.to_string())))
        .collect::<Result<_, _>>()?;
    let class = class_named(class).ok_or_else(|| {
        Failure::Usage(format!("\"{class}\" is no class; there are local, remote, autonomy, ai"))
    })?;
    Ok(NewToken { scopes, class, user_id: user.to_owned(), name: name.map(str::to_owned) })
}

fn folder(data: &DataArgs, environment: &Environment) -> Result<PathBuf, Failure> {
    let folder = data_dir::resolve(data.data.as_deref(), environment)
        .map_err(|error| Failure::Configuration(error.to_string()))?;
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(Failure::Unavailable(format!(
        "there is no data folder {}: start the agent once, or name its folder with --data (a service's is {})",
        folder.display(),
        data_dir::SERVICE_DIR
    )))
}

/// The file was replaced, and must stay readable for the agent.
fn keep_owner(file: &TokenFile) -> Result<(), Failure> {
    let path = file.path();
    give_to_folders_owner(&path).map_err(|error| {
        Failure::Refused(format!("{} now belongs to another user than its folder: {error}", path.display()))
    })
}

fn failure(error: &TokenFileError) -> Failure {
    match error {
        TokenFileError::BadText(_) | TokenFileError::NoScope => Failure::Usage(chain(error)),
        _ => Failure::Refused(chain(error)),
    }
}

fn table(records: &[TokenRecord]) -> String {
    let mut text = format!("{:<10} {:<20} {:<9} {:<12} scopes\n", "id", "name", "class", "user");
    for record in records {
        let scopes: Vec<&str> = record.scopes.iter().map(Scope::as_str).collect();
        text.push_str(&format!(
            "{:<10} {:<20} {:<9} {:<12} {}\n",
            record.id,
            record.name,
            record.class.as_str(),
            record.user_id,
            scopes.join(",")
        ));
    }
    text
}

fn unix_s() -> u64 {
    // A clock before 1970 is a clock that was never set.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
