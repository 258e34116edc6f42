//! The command line: what can be typed, and the commands beside `run`.
//!
//! They talk to the running agent over its own HTTP routes, or change files beside it. `stop` and `estop` need nothing but an
//! agent that answers.

mod args;
mod chat;
mod client;
mod config_commands;
mod doctor_command;
mod drive;
mod find;
mod memory_commands;
mod models;
mod pair;
mod state;
mod stop_commands;
mod token_commands;
mod understand;

use std::process::ExitCode;

use clap::Parser;

pub use args::{Beside, Cli, Command, RunArgs};
pub use cloud_sync_api::failure::{CONFIGURATION, Failure, UNAVAILABLE, USAGE};

use crate::config::Environment;

/// Reads the arguments of this process. A mistake in them is said and gives the exit code 64; so does `--help`, with 0.
///
/// # Errors
/// The exit code to end with.
pub fn parse() -> Result<Cli, ExitCode> {
    Cli::try_parse().map_err(|error| {
        // Nobody is left to tell when not even this can be printed.
        drop(error.print());
        if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
    })
}

/// Carries out one of the commands beside `run`, prints its answer, and gives the exit code to end with.
pub fn execute(command: &Beside, environment: &Environment) -> ExitCode {
    match dispatch(command, environment) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}

fn dispatch(command: &Beside, environment: &Environment) -> Result<ExitCode, Failure> {
    match command {
        Beside::Drive(reach) => on_runtime(drive::drive(reach, environment))?,
        Beside::Status { reach, json } => on_runtime(state::status(reach, environment, *json))?,
        Beside::Stop(reach) => on_runtime(stop_commands::stop(reach, environment))?,
        Beside::Estop { reach, reason } => {
            on_runtime(stop_commands::estop(reach, environment, reason.as_deref()))?
        }
        Beside::Reset(reach) => on_runtime(stop_commands::reset(reach, environment))?,
        Beside::Chat { reach, json, message } => on_runtime(chat::run(reach, environment, message, *json))?,
        Beside::Understand(args) => return understand::run(args),
        Beside::Token(command) => token_commands::run(command, environment)?,
        Beside::Pair(args) => on_runtime(pair::run(args, environment))?,
        Beside::Memory(command) => on_runtime(memory_commands::run(command, environment))?,
        Beside::Models(command) => return on_runtime(models::run(command, environment)),
        Beside::Doctor(args) => return on_runtime(doctor_command::run(args, environment)),
        Beside::Config(command) => config_commands::run(command, environment)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn on_runtime<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::Unavailable(format!("cannot start: {error}")))?.block_on(command)
}
