//! Arguments, then the command. Nothing else.

use std::process::ExitCode;

use agent::cli::{self, Command};
use agent::config::Environment;
use agent::start;

fn main() -> ExitCode {
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    // Before anything speaks TLS: with two providers in the tree rustls would not choose one by itself.
    drop(rustls::crypto::ring::default_provider().install_default());
    let environment = Environment::of_process();
    match cli.command {
        Command::Run(args) => start::run(&args, &environment),
        Command::Beside(command) => {
            // `status | head` ends like any other command, once nobody reads what it prints.
            sigpipe::reset();
            cli::execute(&command, &environment)
        }
    }
}
