//! Arguments, then the command. Nothing else.

mod args;
mod broker;
mod carry;
mod child;
mod data_dir;
mod database;
mod failure;
mod http;
mod os;
mod run;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use args::{Cli, Command};
use failure::{Failure, USAGE};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody is left to tell when not even this can be printed.
            drop(error.print());
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    log_to_stderr();
    let done = match &cli.command {
        Command::Run(args) => run::run(args),
        Command::Cloud(args) => run::cloud(args),
        Command::Database(args) => database::run(args),
        Command::Broker(args) => broker::run(args),
        Command::Child(args) => child::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, Failure::Said(_)) {
                eprintln!("robbie-tryout: {failure}");
            }
            failure.exit_code()
        }
    }
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,rumqttd=off,robbie_tryout=info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    drop(subscriber.try_init());
}
