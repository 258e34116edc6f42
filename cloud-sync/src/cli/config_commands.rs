//! `config check` and `config show`.

use cloud_sync_api::environment::Environment;
use cloud_sync_api::failure::{Failure, chain};
use cloud_sync_api::settings;

use super::args::ConfigCommand;
use crate::config;

/// Says what is wrong with a configuration, or what it is.
pub(super) fn run(command: &ConfigCommand, environment: &Environment) -> Result<(), Failure> {
    let (ConfigCommand::Check(args) | ConfigCommand::Show(args)) = command;
    let config =
        config::load(&args.sources(environment)).map_err(|error| Failure::Configuration(chain(&error)))?;
    if matches!(command, ConfigCommand::Show(_)) {
        print!("{}", settings::show(&config.settings));
        for tier in &config.mind.providers {
            let state = tier.missing.as_deref().unwrap_or("set up");
            println!("# {}: {state}", tier.tier.as_str());
        }
    }
    Ok(())
}
