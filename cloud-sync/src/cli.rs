//! The command line: what can be typed, and the commands beside `run`.

mod admin_commands;
mod args;
mod client;
mod config_commands;

use std::process::ExitCode;

use clap::Parser;
use cloud_sync_api::environment::Environment;
use cloud_sync_api::failure::{Failure, USAGE};

pub use args::{Beside, Cli, Command, RunArgs};

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
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}

fn dispatch(command: &Beside, environment: &Environment) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Unavailable(format!("cannot start: {error}")))?;
    runtime.block_on(async {
        match command {
            Beside::Town(command) => admin_commands::town(command, environment).await,
            Beside::User(command) => admin_commands::user(command, environment).await,
            Beside::Device(command) => admin_commands::device(command, environment).await,
            Beside::Token(command) => admin_commands::token(command, environment).await,
            Beside::Config(command) => config_commands::run(command, environment),
        }
    })
}
