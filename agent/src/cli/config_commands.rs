//! `config check` and `config show`.

use super::args::ConfigCommand;
use crate::config::{self, Environment};
use cloud_sync_api::failure::{Failure, chain};

pub(super) fn run(command: &ConfigCommand, environment: &Environment) -> Result<(), Failure> {
    let (ConfigCommand::Check(args) | ConfigCommand::Show(args)) = command;
    let config =
        config::load(&args.sources(environment)).map_err(|error| Failure::Configuration(chain(&error)))?;
    if matches!(command, ConfigCommand::Show(_)) {
        print!("{}", config::show(&config.settings));
    }
    Ok(())
}
