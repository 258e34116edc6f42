//! `robbie-tryout child`: ties its own life to its parent's and becomes another program. Never returns when it works.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::args::ChildArgs;
use crate::failure::Failure;
use crate::os;

/// Becomes the program.
///
/// # Errors
/// The parent has ended, or the program cannot be started.
pub(crate) fn run(args: &ChildArgs) -> Result<(), Failure> {
    os::die_with(args.parent).map_err(|error| Failure::Unavailable(error.to_string()))?;
    let Some((program, rest)) = args.command.split_first() else { return Ok(()) };
    let error = Command::new(program).args(rest).exec();
    Err(Failure::Unavailable(format!("cannot start {}: {error}", program.display())))
}
